/*
 * fuzz_vntext - any bytes: refused alike by all, or normalised once and for all,
 * with keys that do not depend on how the text was composed.
 */
#include "common/base/check.h"
#include "common/model/vntext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_key(struct bytes text, struct bytes nfc, enum vntext_level level)
{
	AUTO(buf_clear) struct buf a = {0};
	AUTO(buf_clear) struct buf b = {0};

	REQUIRE(vntext_key(text, level, &a) == ERR_OK);
	REQUIRE(vntext_key(nfc, level, &b) == ERR_OK);
	REQUIRE(bytes_equal(buf_bytes(&a), buf_bytes(&b)));
	REQUIRE(vntext_length(buf_bytes(&a)) <= a.len);
	REQUIRE(a.len == 0 || (a.data[0] != ' ' && a.data[a.len - 1] != ' '));
}

static void check_order(struct bytes text)
{
	AUTO(buf_clear) struct buf key = {0};

	REQUIRE(vntext_order_key(text, &key) == ERR_OK);
	for (size_t i = 0; i < key.len; i++)
		REQUIRE(key.data[i] != 0);
}

static void check_show(struct bytes text)
{
	AUTO(buf_clear) struct buf shown = {0};
	AUTO(buf_clear) struct buf twice = {0};

	vntext_show(text, &shown);
	vntext_show(buf_bytes(&shown), &twice);
	REQUIRE(bytes_equal(buf_bytes(&shown), buf_bytes(&twice)));
	REQUIRE(vntext_fit(text, vntext_width(text)) == text.len);
	REQUIRE(vntext_width(bytes_of(text.data, vntext_fit(text, 5))) <= 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf_clear) struct buf nfc = {0};
	struct bytes text = bytes_of(data, size);
	enum err e = vntext_nfc(text, &nfc);

	check_show(text);
	if (e != ERR_OK) {
		REQUIRE(!vntext_is_nfc(text));
		REQUIRE(vntext_key(text, VNTEXT_EXACT, &nfc) != ERR_OK);
		REQUIRE(vntext_order_key(text, &nfc) != ERR_OK);
		REQUIRE(nfc.len == 0);
		return 0;
	}
	REQUIRE(vntext_is_nfc(buf_bytes(&nfc)));
	REQUIRE(vntext_is_nfc(text) == bytes_equal(text, buf_bytes(&nfc)));
	check_key(text, buf_bytes(&nfc), VNTEXT_EXACT);
	check_key(text, buf_bytes(&nfc), VNTEXT_TONELESS);
	check_key(text, buf_bytes(&nfc), VNTEXT_FOLD);
	check_order(buf_bytes(&nfc));
	return 0;
}
