/*
 * frozen - reports kept as they were printed.
 *
 * What is kept are the bytes themselves, in every format there was when the report was frozen: a
 * later version of this program prints otherwise, and must not print these otherwise. They hold
 * figures and names of units, never a person; small counts of restricted groups are "<5" in them.
 * Never changed, never removed. Tables report_frozen and report_document, invariant S14 of
 * docs/storage.md. Inside the caller's transaction. Thread: the store's.
 *
 * hash = BLAKE2b-256( "ctxh-frozen-v1" ‖ 00 ‖ for each document, by name of its format:
 *        len8(format) ‖ format ‖ len8(bytes) ‖ bytes )
 */
#pragma once

#include <jansson.h>

#include "common/base/arena.h"
#include "common/base/crypt.h"
#include "common/report/format.h"

struct store;

/* 111 communes and every indicator: 200 KB in the longest format. */
#define FROZEN_DOCUMENT_MAX ((size_t)16 << 20)

struct frozen {
	uint64_t frozen; /* its number; set by frozen_put() */
	struct bytes report;
	struct bytes unit_code;
	struct bytes unit_name;
	struct bytes from; /* "2020-01-01" */
	struct bytes to;
	struct bytes on;
	uint64_t log; /* as of which it was computed */
	int64_t at_ms;
	struct bytes who;
	struct hash hash;
};

struct frozen_documents {
	struct bytes of[REPORT_FORMATS]; /* data NULL: there is none of this format */
};

/* Every format of a report, and their hash. Errors of report_print(). */
enum err frozen_print(struct arena *a, const json_t *report, struct frozen_documents *ret_documents,
		      struct hash *ret_hash);

/* Writer. */
enum err frozen_put(struct store *s, struct frozen *row, const struct frozen_documents *documents);
/* Newest first. */
enum err frozen_list(struct store *s, struct arena *a, struct frozen **ret_rows, size_t *ret_count);
/* ERR_NOTFOUND. */
enum err frozen_load(struct store *s, struct arena *a, uint64_t frozen, struct frozen *ret_row);
/*
 * One document, after all of them were hashed again. ERR_NOTFOUND: there is none of that format.
 * ERR_CONFLICT: they are not what was frozen.
 */
enum err frozen_load_document(struct store *s, struct arena *a, const struct frozen *row,
			      enum report_format format, struct bytes *ret_bytes);
/* S14 of one; *ret_breach is NULL, or what is wrong. */
enum err frozen_check(struct store *s, const struct frozen *row, const char **ret_breach);
