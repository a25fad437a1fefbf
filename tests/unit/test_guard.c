#include "tests/unit/test.h"

#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/rand.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/unpack.h"

#if defined(__SANITIZE_ADDRESS__)
#define IS_SANITIZED true
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED true
#endif
#endif
#ifndef IS_SANITIZED
#define IS_SANITIZED false
#endif

static enum err check(const void *data, size_t len)
{
	return guard_check(bytes_of(data, len), &guard_wire);
}

/* ---- what msgpack has ---- */

struct sample {
	const char *what;
	struct bytes bytes;
};

#define SAMPLE(what, text)            \
	{                             \
		what, BYTES_LIT(text) \
	}

/* One of every format of the msgpack specification, with content where it has some. */
static const struct sample samples[] = {
	SAMPLE("positive fixint", "\x7f"),
	SAMPLE("fixmap", "\x81\x01\xc0"),
	SAMPLE("fixarray", "\x92\x01\x02"),
	SAMPLE("fixstr", "\xa3xyz"),
	SAMPLE("nil", "\xc0"),
	SAMPLE("false", "\xc2"),
	SAMPLE("true", "\xc3"),
	SAMPLE("bin 8", "\xc4\x02xy"),
	SAMPLE("bin 16", "\xc5\x00\x02xy"),
	SAMPLE("bin 32", "\xc6\x00\x00\x00\x02xy"),
	SAMPLE("ext 8", "\xc7\x02\x05xy"),
	SAMPLE("ext 16", "\xc8\x00\x02\x05xy"),
	SAMPLE("ext 32", "\xc9\x00\x00\x00\x02\x05xy"),
	SAMPLE("float 32", "\xca\x00\x00\x00\x00"),
	SAMPLE("float 64", "\xcb\x00\x00\x00\x00\x00\x00\x00\x00"),
	SAMPLE("uint 8", "\xcc\xff"),
	SAMPLE("uint 16", "\xcd\xff\xff"),
	SAMPLE("uint 32", "\xce\xff\xff\xff\xff"),
	SAMPLE("uint 64", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
	SAMPLE("int 8", "\xd0\x80"),
	SAMPLE("int 16", "\xd1\x80\x00"),
	SAMPLE("int 32", "\xd2\x80\x00\x00\x00"),
	SAMPLE("int 64", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
	SAMPLE("fixext 1", "\xd4\x05x"),
	SAMPLE("fixext 2", "\xd5\x05xy"),
	SAMPLE("fixext 4", "\xd6\x05wxyz"),
	SAMPLE("fixext 8", "\xd7\x05stuvwxyz"),
	SAMPLE("fixext 16", "\xd8\x05klmnopqrstuvwxyz"),
	SAMPLE("str 8", "\xd9\x02xy"),
	SAMPLE("str 16", "\xda\x00\x02xy"),
	SAMPLE("str 32", "\xdb\x00\x00\x00\x02xy"),
	SAMPLE("array 16", "\xdc\x00\x02\x01\x02"),
	SAMPLE("array 32", "\xdd\x00\x00\x00\x02\x01\x02"),
	SAMPLE("map 16", "\xde\x00\x01\x01\x02"),
	SAMPLE("map 32", "\xdf\x00\x00\x00\x01\x01\x02"),
	SAMPLE("negative fixint", "\xe0"),
	SAMPLE("nested", "\x92\x81\xa1x\x91\xc0\x90"),
};
#define SAMPLES (sizeof samples / sizeof samples[0])

static void every_format_passes(UNUSED_STATE)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		print_message("%s\n", samples[i].what);
		assert_ok(guard_check(samples[i].bytes, &guard_wire));
	}
}

static void every_format_cut_anywhere_is_refused(UNUSED_STATE)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		for (size_t len = 0; len < samples[i].bytes.len; len++)
			assert_err(check(samples[i].bytes.data, len), ERR_PROTO);
	}
}

static void every_format_with_a_byte_behind_it_is_refused(UNUSED_STATE)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		AUTO(buf_clear) struct buf longer = {0};

		buf_append_bytes(&longer, samples[i].bytes);
		buf_append_byte(&longer, 0);
		assert_err(check(longer.data, longer.len), ERR_PROTO);
	}
}

static void what_passes_is_what_msgpack_decodes(UNUSED_STATE)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	const struct node *root;

	for (size_t i = 0; i < SAMPLES; i++)
		assert_ok(unpacker_read(u, samples[i].bytes, &root));
}

static void the_byte_msgpack_does_not_use_is_refused(UNUSED_STATE)
{
	assert_err(check("\xc1", 1), ERR_PROTO);
	assert_err(check("\x92\x01\xc1", 3), ERR_PROTO);
}

/* ---- announcements ---- */

/* Every format with a 32-bit length, and lengths from "one too many" to "all there is". */
static const uint8_t giants[] = {0xc6, 0xc9, 0xdb, 0xdd, 0xdf};
static const uint8_t lengths[][4] = {
	{0xff, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xfe}, {0x80, 0x00, 0x00, 0x00},
	{0x7f, 0xff, 0xff, 0xff}, {0x40, 0x00, 0x00, 0x00}, {0x00, 0xff, 0xff, 0xff},
	{0x00, 0x10, 0x00, 0x00}, {0x00, 0x00, 0x00, 0x01},
};

static void five_bytes_that_announce_giants_are_refused(UNUSED_STATE)
{
	for (size_t g = 0; g < sizeof giants; g++) {
		for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
			uint8_t bytes[5] = {giants[g]};

			memcpy(bytes + 1, lengths[l], 4);
			assert_err(check(bytes, sizeof bytes), ERR_PROTO);
		}
	}
}

static void giants_inside_small_containers_are_refused(UNUSED_STATE)
{
	for (size_t g = 0; g < sizeof giants; g++) {
		for (size_t l = 0; l < sizeof lengths / sizeof lengths[0]; l++) {
			uint8_t bytes[9] = {0x81, 0x01, 0x91, giants[g]};

			memcpy(bytes + 4, lengths[l], 4);
			assert_err(check(bytes, 8), ERR_PROTO);
		}
	}
}

/* Each level claims all that is left: alone each is possible, together they are not. */
static void nested_containers_cannot_share_the_same_bytes(UNUSED_STATE)
{
	uint8_t bytes[64] = {0xdc, 0x00, 60, 0xdc, 0x00, 57};

	assert_err(check(bytes, 63), ERR_PROTO);
}

static void a_map_needs_two_bytes_a_pair(UNUSED_STATE)
{
	assert_ok(check("\xde\x00\x02\x01\x01\x02\x02", 7));
	assert_err(check("\xde\x00\x02\x01\x01\x02", 6), ERR_PROTO);
}

static void nothing_at_all_is_refused(UNUSED_STATE)
{
	assert_err(guard_check(BYTES_NONE, &guard_wire), ERR_PROTO);
}

/* ---- limits ---- */

static void depth_passes_at_the_limit_and_not_beyond(UNUSED_STATE)
{
	uint8_t bytes[LIMIT_DEPTH + 2];

	memset(bytes, 0x91, sizeof bytes);
	bytes[LIMIT_DEPTH] = 0xc0;
	assert_ok(check(bytes, LIMIT_DEPTH + 1));
	bytes[LIMIT_DEPTH] = 0x91;
	bytes[LIMIT_DEPTH + 1] = 0xc0;
	assert_err(check(bytes, LIMIT_DEPTH + 2), ERR_TOOBIG);
}

/* An array of count - 1 nils is count values. */
static void array_of(struct buf *out, uint32_t count)
{
	uint8_t *at = buf_reserve(out, 5 + (size_t)count);

	at[0] = 0xdd;
	for (int i = 0; i < 4; i++)
		at[1 + i] = (uint8_t)(count >> (24 - 8 * i));
	memset(at + 5, 0xc0, count);
	out->len = 5 + (size_t)count;
}

static void values_pass_at_the_limit_and_not_beyond(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf at = {0};
	AUTO(buf_clear) struct buf beyond = {0};

	array_of(&at, LIMIT_NODES - 1);
	array_of(&beyond, LIMIT_NODES);
	assert_ok(check(at.data, at.len));
	assert_err(check(beyond.data, beyond.len), ERR_TOOBIG);
}

/* A message that is one bin of `len` bytes. */
static void bin_of(struct buf *out, size_t len)
{
	uint8_t *at = buf_reserve(out, 5 + len);

	memset(at, 0, 5 + len);
	at[0] = 0xc6;
	for (int i = 0; i < 4; i++)
		at[1 + i] = (uint8_t)(len >> (24 - 8 * i));
	out->len = 5 + len;
}

static void strings_pass_at_the_limit_and_not_beyond(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf at = {0};
	AUTO(buf_clear) struct buf beyond = {0};

	bin_of(&at, LIMIT_STRING_BYTES);
	bin_of(&beyond, LIMIT_STRING_BYTES + 1);
	assert_ok(check(at.data, at.len));
	assert_err(check(beyond.data, beyond.len), ERR_TOOBIG);
}

static void messages_pass_at_the_limit_and_not_beyond(UNUSED_STATE)
{
	const struct guard_limits limits = {.bytes = 4, .string = 3, .nodes = 1, .depth = 0};

	assert_ok(guard_check(BYTES_LIT("\xa3xyz"), &limits));
	assert_err(guard_check(BYTES_LIT("\xa4wxyz"), &limits), ERR_TOOBIG);
}

/* ---- spans ---- */

static void spans_of_a_map_are_its_pairs_one_behind_the_other(UNUSED_STATE)
{
	struct bytes rest = BYTES_LIT("\x82\xa1k\x92\x01\x81\x02\x03\x05\xc0");
	size_t count = 0;

	assert_true(guard_enter_map(&rest, &count));
	assert_int_equal(count, 2);
	struct guard_span key = guard_next(&rest);
	struct guard_span value = guard_next(&rest);

	assert_int_equal(key.bytes.len, 2);
	assert_int_equal(key.nodes, 1);
	assert_int_equal(value.bytes.len, 5);
	assert_int_equal(value.nodes, 5);
	assert_int_equal(rest.len, 2);
	assert_false(guard_enter_array(&rest, &count));
	assert_int_equal(rest.len, 2);
}

/* ---- chance ---- */

/* Bytes that look like msgpack more often than not. */
static size_t random_message(struct rand *r, uint8_t *data, size_t max)
{
	size_t len = 1 + (size_t)rand_below(r, max);

	rand_fill(r, data, len);
	for (size_t i = 0; i < len; i += 2)
		data[i] = (uint8_t)(0x80 + rand_below(r, 0x60));
	return len;
}

static void whatever_passes_decodes_and_its_spans_fill_it(UNUSED_STATE)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	const struct node *root;
	struct rand r;
	uint64_t seed = rand_u64(rand_system());
	size_t passed = 0;

	print_message("seed %llu\n", (unsigned long long)seed);
	rand_seeded_init(&r, seed);
	for (int i = 0; i < 300000; i++) {
		uint8_t data[24];
		struct bytes message = bytes_of(data, random_message(&r, data, sizeof data));

		if (guard_check(message, &guard_wire) != ERR_OK)
			continue;
		passed++;
		assert_ok(unpacker_read(u, message, &root));
		assert_int_equal(guard_next(&message).nodes != 0, 1);
		assert_int_equal(message.len, 0);
	}
	assert_true(passed > 1000);
}

/* ---- memory: in a child that may not have more ---- */

#define ROOM_BYTES ((rlim_t)64 << 20)

/* Address space in use now, in bytes. */
static rlim_t space_used(void)
{
	char line[128] = "";
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_non_null(fgets(line, sizeof line, f));
	(void)fclose(f);
	return (rlim_t)strtoul(line, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* What `run` says in a child that may use 64 MiB more than now. */
static int run_in_little_memory(int (*run)(struct bytes), struct bytes message)
{
	rlim_t room = space_used() + ROOM_BYTES;
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		const struct rlimit limit = {room, room};

		_exit(setrlimit(RLIMIT_AS, &limit) == 0 ? run(message) : 99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int run_guarded(struct bytes message)
{
	return (int)guard_check(message, &guard_wire);
}

static int run_unguarded(struct bytes message)
{
	msgpack_unpacked result;

	msgpack_unpacked_init(&result);
	return msgpack_unpack_next(&result, (const char *)message.data, message.len, NULL) ==
			       MSGPACK_UNPACK_NOMEM_ERROR
		       ? 77
		       : 0;
}

static void five_bytes_cost_no_memory_guarded_and_all_of_it_unguarded(UNUSED_STATE)
{
	struct bytes hostile = BYTES_LIT("\xdd\xff\xff\xff\xff");

	if (IS_SANITIZED)
		skip();

	assert_int_equal(run_in_little_memory(run_guarded, hostile), ERR_PROTO);
	assert_int_equal(run_in_little_memory(run_unguarded, hostile), 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_format_passes),
		cmocka_unit_test(every_format_cut_anywhere_is_refused),
		cmocka_unit_test(every_format_with_a_byte_behind_it_is_refused),
		cmocka_unit_test(what_passes_is_what_msgpack_decodes),
		cmocka_unit_test(the_byte_msgpack_does_not_use_is_refused),
		cmocka_unit_test(five_bytes_that_announce_giants_are_refused),
		cmocka_unit_test(giants_inside_small_containers_are_refused),
		cmocka_unit_test(nested_containers_cannot_share_the_same_bytes),
		cmocka_unit_test(a_map_needs_two_bytes_a_pair),
		cmocka_unit_test(nothing_at_all_is_refused),
		cmocka_unit_test(depth_passes_at_the_limit_and_not_beyond),
		cmocka_unit_test(values_pass_at_the_limit_and_not_beyond),
		cmocka_unit_test(strings_pass_at_the_limit_and_not_beyond),
		cmocka_unit_test(messages_pass_at_the_limit_and_not_beyond),
		cmocka_unit_test(spans_of_a_map_are_its_pairs_one_behind_the_other),
		cmocka_unit_test(whatever_passes_decodes_and_its_spans_fill_it),
		cmocka_unit_test(five_bytes_cost_no_memory_guarded_and_all_of_it_unguarded),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
