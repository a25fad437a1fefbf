#define LOG_TAG "erasures"

#include "daemon/erasures.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "daemon/erase.h"
#include "daemon/keys.h"
#include "daemon/store.h"
#include "daemon/store_erase.h"
#include "daemon/store_sql.h"

#define MAGIC     "CTXHERA1"
#define MAGIC_LEN 8u
#define HEAD_LEN  (MAGIC_LEN + ID_LEN)
#define FILE_MAX  ((size_t)64 << 20)

/* ---- the file ---- */

static enum err read_file(const char *path, struct buf *out)
{
	size_t got = 1;
	bool is_read;
	FILE *f = fopen(path, "re");

	if (f == NULL)
		return err_raise(errno == ENOENT ? ERR_NOTFOUND : ERR_INVAL, "open %s: %s", path,
				 strerror(errno));
	while (got != 0 && out->len <= FILE_MAX) {
		got = fread(buf_reserve(out, 4096), 1, 4096, f);
		out->len += got;
	}
	is_read = ferror(f) == 0;
	(void)fclose(f);
	return is_read ? ERR_OK : err_raise(ERR_INVAL, "read %s", path);
}

static bool next_entry(struct bytes *entries, struct bytes *ret_entry)
{
	const uint8_t *at = entries->data;
	size_t len;

	if (entries->len < 4)
		return false;
	len = (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
	if (len > entries->len - 4)
		return false;
	*ret_entry = bytes_of(at + 4, len);
	*entries = bytes_of(at + 4 + len, entries->len - 4 - len);
	return true;
}

static bool are_whole(struct bytes entries)
{
	struct bytes entry;

	while (next_entry(&entries, &entry))
		;
	return entries.len == 0;
}

/* *ret_entries: what lies between head and signature. */
static enum err open_list(struct bytes file, const struct id *daemon, const struct sign_public *key,
			  struct bytes *ret_entries)
{
	struct signature signature;
	struct bytes rest;

	if (file.len < HEAD_LEN + SIGN_LEN || memcmp(file.data, MAGIC, MAGIC_LEN) != 0 ||
	    memcmp(file.data + MAGIC_LEN, daemon->bytes, ID_LEN) != 0)
		return err_raise(ERR_AUTH, ERASURES_FILE " is no list of this daemon");
	rest = bytes_of(file.data, file.len - SIGN_LEN);
	memcpy(signature.bytes, file.data + rest.len, SIGN_LEN);
	if (!sign_is_valid(key, ERASURES_CONTEXT, rest, &signature))
		return err_raise(ERR_AUTH, ERASURES_FILE " was altered or cut short");
	rest = bytes_of(rest.data + HEAD_LEN, rest.len - HEAD_LEN);
	if (!are_whole(rest))
		return err_raise(ERR_AUTH, ERASURES_FILE " ends inside an entry");
	*ret_entries = rest;
	return ERR_OK;
}

static void add_entry(struct buf *out, struct bytes entry)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_append_byte(out, (uint8_t)(entry.len >> shift));
	buf_append_bytes(out, entry);
}

/* ---- writing ---- */

static const char query_entries[] = "SELECT log FROM changeset WHERE kind = 3 ORDER BY log";

static enum err add_own(struct store *store, struct buf *out)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(store, query_entries, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		AUTO(arena_clear) struct arena a = {0};
		struct log_row row;

		e = store_load_log(store, &a, (uint64_t)sql_int(q, 0), &row);
		if (e == ERR_OK)
			add_entry(out, row.body);
	}
	return e;
}

/* Whether a record of it is not erased here. */
static enum err is_undone(struct store *store, const struct erasure *x, bool *ret_is)
{
	enum err e = ERR_OK;

	*ret_is = false;
	for (size_t i = 0; e == ERR_OK && i < x->count && !*ret_is; i++) {
		bool is_erased = false;

		e = store_is_erased(store, &x->records[i].id, &is_erased);
		*ret_is = !is_erased;
	}
	return e;
}

/* What an earlier life of this daemon erased and this one does not know. */
static enum err add_former(struct store *store, struct bytes entries, struct buf *out)
{
	struct bytes entry;
	enum err e = ERR_OK;

	while (e == ERR_OK && next_entry(&entries, &entry)) {
		AUTO(arena_clear) struct arena a = {0};
		struct erasure x;
		bool is = false;

		e = erasure_decode(&a, entry, &x);
		if (e == ERR_OK)
			e = is_undone(store, &x, &is);
		if (e == ERR_OK && is)
			add_entry(out, entry);
	}
	return e;
}

/* What the list that lies there says and the store does not know; none there is nothing to keep. */
static enum err keep_former(struct store *store, const char *path, const struct id *daemon,
			    const struct sign_public *key, struct buf *out)
{
	AUTO(buf_clear) struct buf before = {0};
	struct bytes entries = BYTES_NONE;
	enum err e = read_file(path, &before);

	if (e == ERR_NOTFOUND)
		return ERR_OK;
	if (e == ERR_OK)
		e = open_list(buf_bytes(&before), daemon, key, &entries);
	return e == ERR_OK ? add_former(store, entries, out) : e;
}

enum err erasures_write(struct store *store, const char *folder, const struct id *daemon,
			const struct sign_pair *key)
{
	AUTO(buf_clear) struct buf out = {0};
	char path[KEYS_PATH_LEN];
	struct signature signature;
	enum err e;

	if ((size_t)snprintf(path, sizeof path, "%s/" ERASURES_FILE, folder) >= sizeof path)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	buf_append(&out, MAGIC, MAGIC_LEN);
	buf_append(&out, daemon->bytes, ID_LEN);
	e = add_own(store, &out);
	if (e == ERR_OK && out.len != HEAD_LEN)
		e = keep_former(store, path, daemon, &key->public_key, &out);
	if (e != ERR_OK || out.len == HEAD_LEN)
		return e;
	signature = sign_make(key, ERASURES_CONTEXT, buf_bytes(&out));
	buf_append(&out, signature.bytes, SIGN_LEN);
	e = keys_write_file(folder, ERASURES_FILE, buf_bytes(&out));
	/* A folder that is away is no reason to stop. */
	return e == ERR_OK ? e : err_raise(ERR_FULL, "%s/" ERASURES_FILE " is not written", folder);
}

/* ---- once more ---- */

static enum err erase_again(struct store *store, struct arena *a, const struct erasure *x,
			    uint64_t *records)
{
	struct id *ids = arena_alloc_array(a, x->count, sizeof *ids);
	struct erase_request request = {.ids = ids,
					.count = x->count,
					.at_ms = x->at_ms,
					.who = x->who,
					.why = x->why,
					.basis = x->basis};
	struct erase_result result;
	enum err e;

	for (size_t i = 0; i < x->count; i++)
		ids[i] = x->records[i].id;
	e = erase_run(store, a, &request, &result);
	if (e == ERR_OK)
		*records += result.records;
	return e;
}

enum err erasures_apply(struct store *store, const char *path, const struct id *daemon,
			const struct sign_public *key, uint64_t *ret_records)
{
	AUTO(buf_clear) struct buf file = {0};
	struct bytes entries;
	struct bytes entry;
	uint64_t records = 0;
	enum err e = read_file(path, &file);

	if (e == ERR_OK)
		e = open_list(buf_bytes(&file), daemon, key, &entries);
	while (e == ERR_OK && next_entry(&entries, &entry)) {
		AUTO(arena_clear) struct arena a = {0};
		struct erasure x;
		bool is = false;

		e = erasure_decode(&a, entry, &x);
		if (e == ERR_OK)
			e = is_undone(store, &x, &is);
		if (e == ERR_OK && is)
			e = erase_again(store, &a, &x, &records);
	}
	if (e == ERR_OK)
		*ret_records = records;
	return e;
}
