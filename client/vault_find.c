#define LOG_TAG "vault"

#include <stdlib.h>

#include "client/vault_internal.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"

/*
 * The table `find`: entries of find.h, those of FIND_PART_RECORDS rows of `record` in one sealed
 * piece, by the number of the row. A part is never edited: it is made anew from its records, in
 * the transaction that wrote one of them. So it cannot differ from them but by a fault of this
 * file, and a part that is not there or does not open is no loss.
 *
 * 64 records: a part of people has about 20 KB. Every entry makes one part anew, every search opens
 * them all (docs/performance.md).
 */
#define FIND_PART_RECORDS 64

static int64_t part_of(int64_t key)
{
	return key / FIND_PART_RECORDS;
}

void vault_find_touch(struct vault *v, int64_t key)
{
	struct vault_touched *t = &v->touched;
	const int64_t part = part_of(key);

	/* Rows are mostly written in the order of their numbers. */
	if (t->count != 0 && t->parts[t->count - 1] == part)
		return;
	if (t->count == t->capacity) {
		t->capacity = t->capacity != 0 ? 2 * t->capacity : 16;
		t->parts = mem_realloc(t->parts, t->capacity * sizeof *t->parts);
	}
	t->parts[t->count++] = part;
}

/* ---- one part ---- */

struct part {
	int64_t number;
	int64_t count;    /* entries */
	struct buf plain; /* version, entries */
};

/* Behind the version and its NUL. */
static struct bytes entries_of(struct bytes plain)
{
	const uint8_t *end = memchr(plain.data, 0, plain.len);

	INVARIANT(end != NULL);
	const size_t len = (size_t)(end - plain.data) + 1;

	return bytes_of(plain.data + len, plain.len - len);
}

static void part_clear(struct part *p)
{
	buf_clear(&p->plain);
}
static void part_clear_auto(struct part *p)
{
	part_clear(p);
}

/* From the records. ERR_CORRUPT: one of them does not open. */
static enum err make_part(struct vault *v, int64_t number, struct part *p)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_FIND_RECORDS, &q);

	if (e != ERR_OK)
		return e;
	p->number = number;
	p->count = 0;
	buf_reset(&p->plain);
	find_version_append(&p->plain);
	query_bind_int(&q, 1, number * FIND_PART_RECORDS);
	query_bind_int(&q, 2, (number + 1) * FIND_PART_RECORDS);
	for (e = query_row(&q, &has_row); e == ERR_OK && has_row; e = query_row(&q, &has_row)) {
		AUTO(arena_clear) struct arena a = {0};
		struct record r = {0};

		e = vault_record_open(&q, &a, 0, 1, &r);
		if (e != ERR_OK)
			return e;
		find_entry_append(&r, &p->plain);
		p->count++;
	}
	return e;
}

static enum err remove_part(struct vault *v, int64_t number)
{
	AUTO(query_end) struct query q = {0};
	enum err e = query_start(v, SQL_FIND_REMOVE, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, number);
	return query_run(&q);
}

static enum err put_part(struct vault *v, const struct part *p)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf sealed = {0};
	const struct vault_row_key key = vault_row_key(p->number);

	if (p->count == 0)
		return remove_part(v, p->number);
	enum err e = query_start(v, SQL_FIND_PUT, &q);

	if (e != ERR_OK)
		return e;
	vault_seal(v, "find", bytes_of(key.bytes, sizeof key.bytes), buf_bytes(&p->plain), &sealed);
	query_bind_int(&q, 1, p->number);
	query_bind_int(&q, 2, p->count);
	query_bind_blob(&q, 3, buf_bytes(&sealed));
	return query_run(&q);
}

static int compare_parts(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a;
	const int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

enum err vault_find_flush(struct vault *v)
{
	AUTO(part_clear) struct part p = {0};
	struct vault_touched *t = &v->touched;
	enum err e = ERR_OK;

	REQUIRE(v->is_in_transaction);
	if (t->count != 0)
		qsort(t->parts, t->count, sizeof *t->parts, compare_parts);
	for (size_t i = 0; i < t->count && e == ERR_OK; i++) {
		if (i != 0 && t->parts[i] == t->parts[i - 1])
			continue;
		e = make_part(v, t->parts[i], &p);
		/* A record that is damaged must not keep its neighbours from being written. */
		e = e == ERR_CORRUPT ? remove_part(v, t->parts[i])
		    : e == ERR_OK    ? put_part(v, &p)
				     : e;
	}
	if (e == ERR_OK)
		t->count = 0;
	return e;
}

/* ---- all of them ---- */

/* As many entries as records, or the index is not whole. */
static enum err read_whole(struct vault *v, bool *ret_is_whole)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_FIND_COUNTS, &q);

	if (e == ERR_OK)
		e = query_row(&q, &has_row);
	if (e == ERR_OK)
		*ret_is_whole = query_int(&q, 0) == query_int(&q, 1);
	return e;
}

/* The first part from `from` on that has records or should not be there. */
static enum err next_part(struct vault *v, int64_t from, int64_t *ret_number, bool *ret_has_one)
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, SQL_FIND_NEXT, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, from);
	query_bind_int(&q, 2, FIND_PART_RECORDS);
	e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	*ret_has_one = has_row && !query_is_null(&q, 0);
	*ret_number = query_int(&q, 0);
	return ERR_OK;
}

enum stored {
	STORED_NOT, /* no such row */
	STORED_BAD, /* it does not open, or is of another version */
	STORED_FINE,
};

/* The entries of a part as they lie in the table, borrowed from `a`. */
static enum err load_part(struct vault *v, struct arena *a, int64_t number, enum stored *ret_stored,
			  struct bytes *ret_entries)
{
	AUTO(query_end) struct query q = {0};
	AUTO(buf_clear) struct buf version = {0};
	const struct vault_row_key key = vault_row_key(number);
	struct bytes plain;
	bool has_row = false;
	enum err e = query_start(v, SQL_FIND_LOAD, &q);

	if (e != ERR_OK)
		return e;
	query_bind_int(&q, 1, number);
	e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	*ret_stored = has_row ? STORED_BAD : STORED_NOT;
	if (!has_row || vault_unseal(v, a, "find", bytes_of(key.bytes, sizeof key.bytes),
				     query_blob(&q, 0), &plain) != ERR_OK)
		return ERR_OK;
	find_version_append(&version);
	if (plain.len < version.len || memcmp(plain.data, version.data, version.len) != 0)
		return ERR_OK;
	*ret_entries = entries_of(plain);
	*ret_stored = STORED_FINE;
	return ERR_OK;
}

struct walk {
	struct vault *vault;
	vault_find_fn fn;
	void *arg;
	bool is_whole;
	bool is_mended; /* a part had to be made from its records */
};

static enum err walk_entries(struct walk *w, struct bytes entries)
{
	struct find_entry entry;
	enum err e = ERR_OK;

	while (e == ERR_OK && find_entry_next(&entries, &entry))
		e = w->fn(w->arg, &entry);
	return e;
}

static enum err walk_made(struct walk *w, int64_t number)
{
	AUTO(part_clear) struct part p = {0};
	enum err e = make_part(w->vault, number, &p);

	w->is_mended = true;
	return e == ERR_OK ? walk_entries(w, entries_of(buf_bytes(&p.plain))) : e;
}

static enum err walk_part(struct walk *w, int64_t number)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes entries;
	enum stored stored;
	enum err e = load_part(w->vault, &a, number, &stored, &entries);

	if (e != ERR_OK)
		return e;
	if (!w->is_whole || stored == STORED_BAD)
		return walk_made(w, number);
	return stored == STORED_FINE ? walk_entries(w, entries) : ERR_OK;
}

static enum err touch_all(struct vault *v)
{
	bool has_one = true;
	int64_t part = 0;
	enum err e = ERR_OK;

	for (int64_t from = 0; e == ERR_OK; from = part + 1) {
		e = next_part(v, from, &part, &has_one);
		if (e != ERR_OK || !has_one)
			break;
		vault_find_touch(v, part * FIND_PART_RECORDS);
	}
	return e;
}

static enum err mend(struct vault *v)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(v);

	if (e != ERR_OK)
		return e;
	txn = v;
	e = touch_all(v);
	return e == ERR_OK ? vault_commit(v) : e;
}

enum err vault_find_each(struct vault *v, vault_find_fn fn, void *arg)
{
	struct walk w = {.vault = v, .fn = fn, .arg = arg};
	int64_t part = 0;
	bool has_one = true;
	enum err e = v->is_in_transaction ? vault_find_flush(v) : ERR_OK;

	if (e == ERR_OK)
		e = read_whole(v, &w.is_whole);
	for (int64_t from = 0; e == ERR_OK; from = part + 1) {
		e = next_part(v, from, &part, &has_one);
		if (e != ERR_OK || !has_one)
			break;
		e = walk_part(&w, part);
	}
	/* Who asked has the answer; keeping it for the next is a favour. */
	if (e == ERR_OK && w.is_mended && !v->is_in_transaction && mend(v) != ERR_OK)
		log_debug("the search index could not be kept; it is made again when asked");
	return e;
}

enum err vault_find_forget(struct vault *v)
{
	AUTO(query_end) struct query q = {0};

	REQUIRE(v->is_in_transaction);
	enum err e = query_start(v, SQL_FIND_FORGET, &q);

	return e == ERR_OK ? query_run(&q) : e;
}

/* ---- check ---- */

static enum err check_part(struct vault *v, int64_t number, bool *ret_is_right)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(part_clear) struct part p = {0};
	struct bytes entries;
	enum stored stored;
	enum err e = load_part(v, &a, number, &stored, &entries);

	if (e == ERR_OK && stored == STORED_FINE)
		e = make_part(v, number, &p);
	if (e != ERR_OK)
		return e;
	*ret_is_right =
		stored == STORED_NOT ||
		(stored == STORED_FINE && bytes_equal(entries, entries_of(buf_bytes(&p.plain))));
	return ERR_OK;
}

enum err vault_find_check(struct vault *v, size_t *ret_wrong)
{
	bool has_one = true;
	size_t wrong = 0;
	int64_t part = 0;
	enum err e = ERR_OK;

	for (int64_t from = 0; e == ERR_OK; from = part + 1) {
		bool is_right = true;

		e = next_part(v, from, &part, &has_one);
		if (e != ERR_OK || !has_one)
			break;
		e = check_part(v, part, &is_right);
		wrong += !is_right;
	}
	if (e == ERR_OK)
		*ret_wrong = wrong;
	return e;
}
