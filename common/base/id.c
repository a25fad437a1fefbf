#include "common/base/id.h"

struct id id_new(const struct clock *clock, struct rand *rand)
{
	uint64_t ms = (uint64_t)clock_wall_ms(clock);
	struct id id;

	rand_fill(rand, id.bytes, sizeof id.bytes);
	for (size_t i = 0; i < 6; i++)
		id.bytes[i] = (uint8_t)(ms >> (40 - 8 * i));
	id.bytes[6] = (uint8_t)(0x70 | (id.bytes[6] & 0x0f));
	id.bytes[8] = (uint8_t)(0x80 | (id.bytes[8] & 0x3f));
	return id;
}

int id_compare(const struct id *a, const struct id *b)
{
	return memcmp(a->bytes, b->bytes, ID_LEN);
}

bool id_is_zero(const struct id *id)
{
	static const struct id zero;

	return id_compare(id, &zero) == 0;
}

void hex_print(const void *data, size_t len, char *ret_hex)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *at = data;

	for (size_t i = 0; i < len; i++) {
		ret_hex[2 * i] = digits[at[i] >> 4];
		ret_hex[2 * i + 1] = digits[at[i] & 15];
	}
	ret_hex[2 * len] = '\0';
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

enum err hex_parse(struct bytes hex, void *ret_data, size_t len)
{
	uint8_t *out = ret_data;

	if (hex.len != 2 * len)
		return err_raise(ERR_INVAL, "%zu hex digits wanted, %zu given", 2 * len, hex.len);
	for (size_t i = 0; i < hex.len; i++)
		if (hex_digit(hex.data[i]) < 0)
			return err_raise(ERR_INVAL, "not a hex digit at %zu", i);
	for (size_t i = 0; i < len; i++)
		out[i] =
			(uint8_t)(hex_digit(hex.data[2 * i]) << 4 | hex_digit(hex.data[2 * i + 1]));
	return ERR_OK;
}

void id_print(const struct id *id, char ret_hex[ID_HEX_LEN])
{
	hex_print(id->bytes, ID_LEN, ret_hex);
}

enum err id_parse(struct bytes hex, struct id *ret_id)
{
	uint8_t digits[2 * ID_LEN];
	size_t count = 0;

	for (size_t i = 0; i < hex.len; i++) {
		if (hex.data[i] == '-')
			continue;
		if (count == sizeof digits)
			return err_raise(ERR_INVAL, "an id has 32 hex digits");
		digits[count++] = hex.data[i];
	}
	return hex_parse(bytes_of(digits, count), ret_id->bytes, ID_LEN);
}
