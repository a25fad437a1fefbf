#define LOG_TAG "rebuild"

#include "daemon/rebuild.h"

#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "daemon/context.h"

#define PREFIX       "rebuild-"
#define PATH_LEN_MAX 4096u
#define GROUP_LOGS   500u /* log rows folded in one transaction */
#define WAL_PAGES    4096u

static void remove_files(struct buf *path)
{
	static const char *const endings[] = {"", "-wal", "-shm", "-journal"};
	const size_t len = path->len;

	for (size_t i = 0; len != 0 && i < sizeof endings / sizeof endings[0]; i++) {
		path->len = len;
		buf_append_str(path, endings[i]);
		(void)unlink(buf_cstr(path));
	}
}

void rebuild_close(struct rebuild *r)
{
	store_close(r->store);
	remove_files(&r->path);
	buf_clear(&r->path);
	r->store = NULL;
}

enum err rebuild_open(const struct context *ctx, const char *folder, const struct store *live,
		      struct rebuild *ret_rebuild)
{
	AUTO(rebuild_close) struct rebuild r = {0};
	uint8_t random[8];
	char hex[sizeof random * 2 + 1];
	enum err e;

	/* A name of its own: two runs at once must not meet. */
	rand_fill(ctx->rand, random, sizeof random);
	hex_print(random, sizeof random, hex);
	buf_printf(&r.path, "%s/" PREFIX "%s.db", folder, hex);
	if (r.path.len >= PATH_LEN_MAX)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	e = store_open_writer(buf_cstr(&r.path), NULL, &r.store);
	if (e == ERR_OK)
		e = store_make_like(r.store, live);
	if (e != ERR_OK)
		return e;
	*ret_rebuild = r;
	r = (struct rebuild){0};
	return ERR_OK;
}

static bool is_skipped(const struct log_row *row, uint64_t number)
{
	for (size_t i = 0; i < row->verdict_count; i++) {
		if (row->verdicts[i].number == number && log_verdict_is_skipped(&row->verdicts[i]))
			return true;
	}
	return false;
}

enum err rebuild_take(struct rebuild *r, struct arena *a, const struct log_row *row,
		      struct fold_source *source, size_t *ret_without_table)
{
	struct fold fold;
	enum err e = ERR_OK;

	*ret_without_table = 0;
	fold_init(&fold, r->store, a);
	if (source->erasure != NULL)
		e = fold_erase(r->store, row->log, source->erasure);
	if (e == ERR_OK)
		e = fold_begin(&fold, source);
	for (size_t i = 0; e == ERR_OK && i < source->count; i++) {
		const struct change *c = &source->changes[i];
		struct fold_entry *entry;
		struct fold_applied applied;

		if (c->is_cut || (row->kind == LOG_CHANGESET && is_skipped(row, c->number)))
			continue;
		entry = fold_find(&fold, c->type, &c->id);
		if (entry == NULL)
			++*ret_without_table;
		else
			e = fold_apply(&fold, entry, i, &applied);
	}
	return e == ERR_OK ? fold_end(&fold) : e;
}

static enum err take_group(struct rebuild *r, struct store *live, uint64_t first, uint64_t last)
{
	enum err e = store_begin(r->store);

	if (e != ERR_OK)
		return e;
	for (uint64_t log = first; e == ERR_OK && log <= last; log++) {
		AUTO(arena_clear) struct arena a = {0};
		struct fold_source source;
		struct log_row row;
		size_t without_table;

		e = store_load_log(live, &a, log, &row);
		if (e == ERR_OK)
			e = fold_open(&a, &row, &source);
		if (e == ERR_OK)
			e = rebuild_take(r, &a, &row, &source, &without_table);
	}
	if (e != ERR_OK) {
		store_rollback(r->store);
		return e;
	}
	return store_commit(r->store);
}

enum err rebuild_until(struct rebuild *r, struct store *live, uint64_t log)
{
	enum err e = ERR_OK;

	for (uint64_t first = 1; e == ERR_OK && first <= log; first += GROUP_LOGS) {
		const uint64_t last = first + GROUP_LOGS - 1;

		e = take_group(r, live, first, last < log ? last : log);
		if (e == ERR_OK && store_wal_pages(r->store) > WAL_PAGES)
			e = store_checkpoint(r->store);
	}
	if (e != ERR_OK)
		return e;
	/* Indicators run on connections that only read. */
	store_close(r->store);
	r->store = NULL;
	return store_open_reader(buf_cstr(&r->path), store_schema(live), &r->store);
}

void rebuild_clear(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, PREFIX, sizeof PREFIX - 1) != 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			log_notice("removed file=%s", entry->d_name);
	}
	if (dir != NULL)
		(void)closedir(dir);
}
