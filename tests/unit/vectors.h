/*
 * vectors - stored bytes of messages, compared with what the encoder makes now.
 *
 * tests/vectors/NAME.hex, lower-case hex, 32 bytes a line. They are what released
 * programs send: a difference means that those are no longer understood. A test
 * program called with --write writes them anew (tests/vectors/README.md).
 */
#pragma once

#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/id.h"

#define VECTOR_LINE_BYTES 32u

static bool vectors_write; /* set by main() for --write */

static inline void vector_path(const char *name, char *ret_path, size_t len)
{
	const char *root = getenv("CTXH_SOURCE_DIR");

	snprintf(ret_path, len, "%s/tests/vectors/%s.hex", root != NULL ? root : ".", name);
}

static inline void vector_store(const char *name, struct bytes bytes)
{
	char path[4096];
	char hex[2 * VECTOR_LINE_BYTES + 1];

	vector_path(name, path, sizeof path);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	for (size_t at = 0; at < bytes.len; at += VECTOR_LINE_BYTES) {
		size_t left = bytes.len - at;

		hex_print(bytes.data + at, left < VECTOR_LINE_BYTES ? left : VECTOR_LINE_BYTES,
			  hex);
		fprintf(f, "%s\n", hex);
	}
	assert_int_equal(fclose(f), 0);
}

/* Appends the stored bytes to `out`. */
static inline void vector_load(const char *name, struct buf *out)
{
	char path[4096];
	char line[2 * VECTOR_LINE_BYTES + 2];

	vector_path(name, path, sizeof path);
	FILE *f = fopen(path, "r");

	if (f == NULL)
		fail_msg("%s is missing: run this program with --write", path);
	while (fgets(line, sizeof line, f) != NULL) {
		size_t len = strcspn(line, "\n") / 2;
		uint8_t bytes[VECTOR_LINE_BYTES];

		assert_ok(hex_parse(bytes_of(line, strcspn(line, "\n")), bytes, len));
		buf_append(out, bytes, len);
	}
	assert_int_equal(fclose(f), 0);
}

/* Fails when `bytes` are not those stored; writes them when asked to. */
static inline void vector_check(const char *name, struct bytes bytes)
{
	AUTO(buf_clear) struct buf stored = {0};

	if (vectors_write)
		vector_store(name, bytes);
	vector_load(name, &stored);
	if (!bytes_equal(buf_bytes(&stored), bytes))
		fail_msg("%s: encoded bytes are not those of the vector", name);
}

static inline void vectors_arguments(int argc, char **argv)
{
	vectors_write = argc > 1 && strcmp(argv[1], "--write") == 0;
}
