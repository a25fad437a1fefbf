/*
 * fuzz_bundle - a file from anywhere, and a body from a signer of ill will.
 *
 * An even first byte: the rest is a file as it is. An odd one: the rest is a body, sealed and
 * signed as it should be; what opens writes to a file that opens to the same.
 */
#include <stdlib.h>

#include "common/base/letter.h"
#include "proto/bundle.h"
#include "proto/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sign_pair device;
static struct sign_pair daemon;

static void make_keys(void)
{
	static bool is_made;
	const uint8_t one[32] = {5};
	const uint8_t two[32] = {6};

	if (is_made)
		return;
	is_made = true;
	sign_pair_from_seed(one, &device);
	sign_pair_from_seed(two, &daemon);
}

static struct bundle_writer writer(enum bundle_kind kind, struct rand *rand)
{
	bool is_out = kind == BUNDLE_TO_OFFICE;

	return (struct bundle_writer){.head = {.kind = kind, .device = 7},
				      .key = is_out ? &device : &daemon,
				      .reader = is_out ? &daemon.public_key : &device.public_key,
				      .rand = rand};
}

/* Seals `body` as it is. False: it fits no file of one step. */
static bool wrap(enum bundle_kind kind, struct bytes body, struct buf *out)
{
	uint8_t plain[BUNDLE_STEP - BUNDLE_MIN_LEN + 4] = {0};
	struct bytes part = BYTES_LIT("\x80");
	const struct bundle_out b = {.number = 1, .parts = &part, .part_count = 1};
	const struct bundle_return r = {.number = 1, .parts = &part, .part_count = 1};
	struct signature s;
	struct rand rand;

	rand_seeded_init(&rand, 1);
	const struct bundle_writer w = writer(kind, &rand);

	if (body.len > sizeof plain - 4)
		return false;
	plain[2] = (uint8_t)(body.len >> 8);
	plain[3] = (uint8_t)body.len;
	if (body.len != 0)
		memcpy(plain + 4, body.data, body.len);
	if ((kind == BUNDLE_TO_OFFICE ? bundle_write_out(&w, &b, out)
				      : bundle_write_return(&w, &r, out)) != ERR_OK ||
	    letter_seal(w.reader, &rand, bytes_of(plain, sizeof plain),
			bytes_of(out->data, BUNDLE_HEAD_LEN),
			out->data + BUNDLE_HEAD_LEN) != ERR_OK)
		abort();
	s = sign_make(w.key, BUNDLE_CONTEXT, bytes_of(out->data, out->len - SIGN_LEN));
	memcpy(out->data + out->len - SIGN_LEN, s.bytes, SIGN_LEN);
	return true;
}

/* What opened is written, opened and written again: the bodies are equal. */
static void again_out(struct arena *a, const struct bundle_out *b)
{
	AUTO(buf_clear) struct buf file = {0};
	struct bundle_out got;
	struct rand rand;

	rand_seeded_init(&rand, 2);
	const struct bundle_writer w = writer(BUNDLE_TO_OFFICE, &rand);

	if (bundle_write_out(&w, b, &file) != ERR_OK ||
	    bundle_open_out(a, buf_bytes(&file), &device.public_key, &daemon, &got) !=
		    BUNDLE_SOUND ||
	    got.number != b->number || got.part_count != b->part_count)
		abort();
	for (size_t i = 0; i < got.part_count; i++)
		if (!bytes_equal(got.parts[i], b->parts[i]))
			abort();
}

static void again_return(struct arena *a, const struct bundle_return *b)
{
	AUTO(buf_clear) struct buf file = {0};
	struct bundle_return got;
	struct rand rand;

	rand_seeded_init(&rand, 2);
	const struct bundle_writer w = writer(BUNDLE_RETURN, &rand);

	if (bundle_write_return(&w, b, &file) != ERR_OK ||
	    bundle_open_return(a, buf_bytes(&file), &daemon.public_key, &device, &got) !=
		    BUNDLE_SOUND ||
	    got.log != b->log || got.part_count != b->part_count ||
	    got.cursor_count != b->cursor_count || !bytes_equal(got.units, b->units))
		abort();
}

static bool has_empty(const struct bytes *parts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (parts[i].len == 0)
			return true;
	return false;
}

static void read_file(struct bytes file)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bundle_head head;
	struct bundle_out out;
	struct bundle_return back;

	if (bundle_peek(file, &head) != BUNDLE_SOUND)
		return;
	if (bundle_open_out(&a, file, &device.public_key, &daemon, &out) == BUNDLE_SOUND &&
	    !has_empty(out.parts, out.part_count))
		again_out(&a, &out);
	if (bundle_open_return(&a, file, &daemon.public_key, &device, &back) == BUNDLE_SOUND &&
	    !has_empty(back.parts, back.part_count))
		again_return(&a, &back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(buf_clear) struct buf file = {0};

	make_keys();
	if (size == 0)
		return 0;
	struct bytes rest = bytes_of(data + 1, size - 1);

	if (data[0] % 2 == 0) {
		read_file(rest);
	} else if (wrap(data[0] % 4 == 1 ? BUNDLE_TO_OFFICE : BUNDLE_RETURN, rest, &file)) {
		read_file(buf_bytes(&file));
	}
	return 0;
}
