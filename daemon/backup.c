#define LOG_TAG "backup"

#include "daemon/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/folder.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/backup_check.h"
#include "daemon/backup_keep.h"
#include "daemon/backup_key.h"
#include "daemon/config.h"
#include "daemon/context.h"
#include "daemon/keys.h"
#include "daemon/loop.h"
#include "daemon/store_backup.h"
#include "daemon/store_before.h"
#include "daemon/store_sql.h"
#include "daemon/writer.h"

/*
 * What one step of the copy takes from the writer: others wait so long. 512 pages are 2 MiB.
 */
#define STEP_PAGES 512

#define STORE_NAME "ctxhd.db"
#define TMP_NAME   "backup.tmp"

/* The copy, the unpacked one with the one `verify` builds beside it, the file itself. */
#define ROOM_TIMES 3u

#define FIRST_AFTER_MS INT64_C(60000)  /* of the start: not while everybody comes back */
#define NEW_AFTER_MS   INT64_C(600000) /* the same when there is none at all yet */
#define RETRY_AFTER_MS INT64_C(900000)

/* One run; only the thread whose turn it is touches it. */
struct run {
	struct arena arena;
	enum err e;
	char error[BACKUP_TEXT_LEN];
	const struct config *config;
	char folder[BACKUP_PATH_LEN];
	char tmp[BACKUP_PATH_LEN];
	char copy[BACKUP_PATH_LEN];
	char part[BACKUP_PATH_LEN];
	char path[BACKUP_PATH_LEN];
	struct box_public to;
	bool is_key_here;
	bool is_same_disk;
	bool is_copying;
	struct store_copy_progress progress;
	int64_t at_ms; /* the moment it shows */
	int64_t began_ms;
	int64_t longest_step_ms;
	uint8_t key[BOX_KEY_LEN]; /* of the stream; wiped when it was read back */
	struct archive_mark mark;
	struct backup_checked checked;
	int64_t backup;
	const char **expired; /* files of rows that are gone */
	size_t expired_count;
};

struct backup {
	struct context *ctx;
	struct task task;
	struct writer_job job;
	struct run *run;                  /* NULL: idle */
	void (*resume)(struct backup *b); /* the writer's queue was full: by the next tick */
	atomic_bool is_stopping;
	bool is_wanted_again;
	bool was_any;
	int64_t last_ms;  /* wall, of the latest one */
	int64_t due_ms;   /* monotonic: not before; after a failure, after a start */
	int64_t start_ms; /* monotonic */

	pthread_mutex_t lock;
	struct backup_state state; /* under it */
};

/* ---- what others see ---- */

void backup_look(struct backup *b, struct backup_state *ret_state)
{
	(void)pthread_mutex_lock(&b->lock);
	*ret_state = b->state;
	(void)pthread_mutex_unlock(&b->lock);
}

static void show(struct backup *b, const char *phase)
{
	(void)pthread_mutex_lock(&b->lock);
	b->state.phase = phase;
	b->state.pages = b->run->progress.pages;
	b->state.left = b->run->progress.left;
	(void)pthread_mutex_unlock(&b->lock);
}

static void show_end(struct backup *b)
{
	const struct run *r = b->run;
	struct backup_state *s = &b->state;

	(void)pthread_mutex_lock(&b->lock);
	s->phase = "idle";
	s->ended = s->run;
	s->is_done = r->e == ERR_OK;
	snprintf(s->error, sizeof s->error, "%s", r->e == ERR_OK ? "" : r->error);
	snprintf(s->path, sizeof s->path, "%s", r->path);
	s->backup = r->backup;
	s->at_ms = r->at_ms;
	s->log = r->checked.log;
	s->bytes = r->mark.bytes;
	s->took_ms = clock_monotonic_ms(b->ctx->clock) - r->began_ms;
	s->longest_step_ms = r->longest_step_ms;
	s->is_key_here = r->is_key_here;
	s->is_same_disk = r->is_same_disk;
	(void)pthread_mutex_unlock(&b->lock);
}

/* On the thread the error was born on: its detail is kept there. */
static void keep_error(struct run *r, enum err e)
{
	r->e = e;
	if (e != ERR_OK)
		snprintf(r->error, sizeof r->error, "%s",
			 log_last_detail()[0] != '\0' ? log_last_detail() : err_text(e));
}

/* ---- pool: prepare ---- */

static enum err make_folder(const char *path)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_raise(ERR_FULL, "mkdir %s: %s", path, strerror(errno));
	return ERR_OK;
}

static enum err join(char ret_path[BACKUP_PATH_LEN], const char *folder, const char *name)
{
	if ((size_t)snprintf(ret_path, BACKUP_PATH_LEN, "%s/%s", folder, name) >= BACKUP_PATH_LEN)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	return ERR_OK;
}

/* "ctxh-20261122T021259Z.backup"; a second one within the second gets a number. */
static enum err choose_name(struct run *r)
{
	char iso[CLOCK_ISO_LEN];
	char name[64];

	clock_print_iso(r->at_ms, iso);
	for (unsigned i = 1; i < 1000; i++) {
		char tail[16] = "";
		enum err e;

		if (i > 1)
			snprintf(tail, sizeof tail, "-%u", i);
		snprintf(name, sizeof name, "ctxh-%.4s%.2s%.2sT%.2s%.2s%.2sZ%s.backup", iso,
			 iso + 5, iso + 8, iso + 11, iso + 14, iso + 17, tail);
		e = join(r->path, r->folder, name);
		if (e != ERR_OK || access(r->path, F_OK) != 0)
			return e;
	}
	return err_raise(ERR_FULL, "%s has a thousand backups of this second", r->folder);
}

/* A backup must not take the room pushes need. */
static enum err check_room(struct backup *b, struct run *r)
{
	char path[BACKUP_PATH_LEN];
	struct statvfs fs;
	struct stat st;
	uint64_t room;
	uint64_t want;
	enum err e = join(path, b->ctx->state, STORE_NAME);

	if (e != ERR_OK)
		return e;
	if (stat(path, &st) != 0 || statvfs(b->ctx->state, &fs) != 0)
		return err_raise(ERR_FULL, "%s: %s", path, strerror(errno));
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	want = ROOM_TIMES * (uint64_t)st.st_size + (uint64_t)r->config->limits.disk_free;
	if (room < want)
		return err_raise(ERR_FULL, "%s has %" PRIu64 " bytes free, a backup wants %" PRIu64,
				 b->ctx->state, room, want);
	return ERR_OK;
}

static void look_around(struct backup *b, struct run *r)
{
	struct box_pair pair;
	struct stat here;
	struct stat there;

	r->is_key_here = backup_read_pair_of(b->ctx->state, &pair) == ERR_OK;
	crypt_wipe(&pair, sizeof pair);
	r->is_same_disk = stat(b->ctx->state, &here) == 0 && stat(r->folder, &there) == 0 &&
			  here.st_dev == there.st_dev;
}

static enum err prepare_run(struct backup *b, struct run *r)
{
	const char *folder = r->config->backup.folder;
	enum err e = folder != NULL ? join(r->folder, folder, "")
				    : join(r->folder, b->ctx->state, "backup");

	if (e == ERR_OK && folder != NULL)
		r->folder[strlen(r->folder) - 1] = '\0';
	if (e == ERR_OK)
		e = join(r->tmp, b->ctx->state, TMP_NAME);
	if (e == ERR_OK)
		e = join(r->copy, r->tmp, STORE_NAME);
	if (e == ERR_OK)
		e = make_folder(r->folder);
	if (e == ERR_OK)
		e = backup_find_recipient(b->ctx->state, r->config->backup.recipient, b->ctx->rand,
					  &r->to);
	if (e == ERR_OK)
		e = check_room(b, r);
	if (e != ERR_OK)
		return e;
	look_around(b, r);
	/* Left by a kill. */
	archive_remove_folder(r->tmp);
	return make_folder(r->tmp);
}

/* ---- pool: pack, read back, check ---- */

static enum err sync_folder(const char *folder)
{
	const int failed = folder_sync(folder);

	return failed == 0 ? ERR_OK : err_raise(ERR_FULL, "fsync %s: %s", folder, strerror(failed));
}

static enum err write_file(struct backup *b, struct run *r)
{
	const struct config *c = r->config;
	char id[BACKUP_PATH_LEN];
	char sign[BACKUP_PATH_LEN];
	char key[BACKUP_PATH_LEN];
	char certificate[BACKUP_PATH_LEN];
	enum err e = join(id, b->ctx->state, "id");

	if (e == ERR_OK)
		e = join(sign, b->ctx->state, "sign.key");
	if (e == ERR_OK)
		e = join(key, b->ctx->state, "tls.key");
	if (e == ERR_OK)
		e = join(certificate, b->ctx->state, "tls.crt");
	if (e == ERR_OK)
		e = choose_name(r);
	if (e == ERR_OK &&
	    (size_t)snprintf(r->part, sizeof r->part, "%s.part", r->path) >= sizeof r->part)
		e = err_raise(ERR_INVAL, "path too long: %s", r->path);
	if (e != ERR_OK)
		return e;

	/* Devices have pinned the key in force, wherever it lies. */
	const struct archive_entry entries[] = {
		{"id", id},
		{"sign.key", sign},
		{"tls.key", c->tls_key != NULL ? c->tls_key : key},
		{"tls.crt", c->tls_certificate != NULL ? c->tls_certificate : certificate},
		{ARCHIVE_STORE, r->copy},
	};

	const struct archive_order order = {
		.path = r->part,
		.entries = entries,
		.count = sizeof entries / sizeof entries[0],
		.to = r->to,
		.rand = b->ctx->rand,
		.is_stopping = &b->is_stopping,
	};

	(void)unlink(r->part);
	return archive_write(&order, r->key, &r->mark);
}

static enum err read_back(struct backup *b, struct run *r)
{
	char check[BACKUP_PATH_LEN];
	enum err e = join(check, b->ctx->state, TMP_NAME ".check");

	if (e != ERR_OK)
		return e;
	archive_remove_folder(check);

	const struct backup_order order = {
		.path = r->part, .key = r->key, .folder = check, .is_stopping = &b->is_stopping};

	e = backup_check(b->ctx, &order, &r->arena, &r->checked);
	crypt_wipe(r->key, sizeof r->key);
	if (e == ERR_OK && (r->checked.mark.bytes != r->mark.bytes ||
			    !crypt_equal(r->checked.mark.hash.bytes, r->mark.hash.bytes, HASH_LEN)))
		e = err_raise(ERR_CONFLICT, "%s is not what was written", r->part);
	return e;
}

static enum err pack_run(struct backup *b, struct run *r)
{
	enum err e = write_file(b, r);

	/* Its room is needed for the next step. */
	(void)unlink(r->copy);
	if (e == ERR_OK)
		e = read_back(b, r);
	if (e == ERR_OK && rename(r->part, r->path) != 0)
		e = err_raise(ERR_FULL, "rename %s: %s", r->path, strerror(errno));
	if (e == ERR_OK)
		e = sync_folder(r->folder);
	if (e != ERR_OK)
		(void)unlink(r->part);
	return e;
}

/* ---- writer: copy, record ---- */

/* Alone, outside a transaction. What ails the copy never ends the daemon: ERR_OK. */
static enum err copy_some(struct writer_job *job, struct store *store)
{
	struct backup *b = CONTAINER_OF(job, struct backup, job);
	struct run *r = b->run;
	int64_t began = clock_monotonic_ms(b->ctx->clock);
	enum err e = ERR_OK;
	int64_t took;

	if (!r->is_copying) {
		store_copy_end(store); /* left by a run that was cut short */
		e = store_copy_begin(store, r->copy);
	}
	r->is_copying = e == ERR_OK;
	if (e == ERR_OK)
		e = store_copy_step(store, STEP_PAGES, &r->progress);
	if (e == ERR_AGAIN)
		e = ERR_OK;
	if (e == ERR_OK && atomic_load(&b->is_stopping))
		e = ERR_CANCELED;
	if (e != ERR_OK || r->progress.is_done)
		store_copy_end(store);
	r->at_ms = clock_wall_ms(b->ctx->clock);
	took = clock_monotonic_ms(b->ctx->clock) - began;
	if (took > r->longest_step_ms)
		r->longest_step_ms = took;
	keep_error(r, e);
	return ERR_OK;
}

static const char query_insert[] =
	"INSERT INTO backup(path, at, log, bytes, hash, verified_at) VALUES(?, ?, ?, ?, ?, ?)";
static const char query_raise[] =
	"UPDATE device SET backed_up = ?2 WHERE number = ?1 AND backed_up < ?2";
static const char query_rows[] =
	"SELECT backup, at, path FROM backup ORDER BY at DESC, backup DESC";
static const char query_delete[] = "DELETE FROM backup WHERE backup = ?";

static enum err insert_row(struct backup *b, struct run *r, struct store *store)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(store, query_insert, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, bytes_str(r->path));
	sql_bind_int(q, 2, r->at_ms);
	sql_bind_int(q, 3, (int64_t)r->checked.log);
	sql_bind_int(q, 4, (int64_t)r->mark.bytes);
	sql_bind_blob(q, 5, bytes_of(r->mark.hash.bytes, HASH_LEN));
	sql_bind_int(q, 6, clock_wall_ms(b->ctx->clock));
	e = sql_run(q);
	if (e == ERR_OK)
		r->backup = sql_last_row(store);
	return e;
}

/* From now on receipts say so, and devices may forget what they sent. */
static enum err raise_devices(const struct run *r, struct store *store)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < r->checked.device_count; i++) {
		const struct store_device *d = &r->checked.devices[i];
		AUTO(sql_done) struct sql *q = NULL;

		if (d->last_number == 0)
			continue;
		e = sql_use(store, query_raise, &q);
		if (e != ERR_OK)
			return e;
		sql_bind_int(q, 1, d->id.number);
		sql_bind_int(q, 2, (int64_t)d->last_number);
		e = sql_run(q);
	}
	return e;
}

struct rows {
	int64_t *backups;
	const char **paths;
	int64_t *at;
	size_t count;
	size_t cap;
};

static void *grow(struct arena *a, const void *list, size_t count, size_t cap, size_t size)
{
	void *more = arena_alloc_array(a, cap, size);

	if (count != 0)
		memcpy(more, list, count * size);
	return more;
}

static void add_row(struct run *r, struct sql *q, struct rows *rows)
{
	size_t n = rows->count;

	if (n == rows->cap) {
		rows->cap = rows->cap * 2 + 64;
		rows->backups = grow(&r->arena, rows->backups, n, rows->cap, sizeof *rows->backups);
		rows->paths = grow(&r->arena, rows->paths, n, rows->cap, sizeof *rows->paths);
		rows->at = grow(&r->arena, rows->at, n, rows->cap, sizeof *rows->at);
	}
	rows->backups[n] = sql_int(q, 0);
	rows->at[n] = sql_int(q, 1);
	rows->paths[n] = arena_strdup(&r->arena, sql_text(q, 2));
	rows->count++;
}

static enum err load_rows(struct run *r, struct store *store, struct rows *rows)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(store, query_rows, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row)
		add_row(r, q, rows);
	return e;
}

static enum err delete_row(struct store *store, int64_t backup)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(store, query_delete, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, backup);
	return sql_run(q);
}

static enum err expire(struct run *r, struct store *store)
{
	const struct config_backup *c = &r->config->backup;
	const struct backup_rule rule = {c->keep_days, c->keep_weeks, c->keep_months};
	struct rows rows = {0};
	enum err e = load_rows(r, store, &rows);
	bool *keep = arena_alloc_array(&r->arena, rows.count + 1, sizeof *keep);

	if (e != ERR_OK)
		return e;
	backup_keep(&rule, rows.at, rows.count, keep);
	r->expired = arena_alloc_array(&r->arena, rows.count + 1, sizeof *r->expired);
	for (size_t i = 0; e == ERR_OK && i < rows.count; i++) {
		if (keep[i] || rows.backups[i] == r->backup)
			continue;
		r->expired[r->expired_count++] = rows.paths[i];
		e = delete_row(store, rows.backups[i]);
	}
	return e;
}

static enum err record(struct writer_job *job, struct store *store)
{
	struct backup *b = CONTAINER_OF(job, struct backup, job);
	struct run *r = b->run;
	enum err e = insert_row(b, r, store);

	if (e == ERR_OK)
		e = raise_devices(r, store);
	if (e == ERR_OK)
		e = expire(r, store);
	return e;
}

/* ---- pool: clean ---- */

/* The store passed every check as the new version left it, and lies sealed elsewhere. */
static void drop_copies(const struct backup *b)
{
	char path[BACKUP_PATH_LEN];

	if (join(path, b->ctx->state, STORE_NAME) == ERR_OK)
		store_drop_before(path);
}

static void clean(struct task *t)
{
	struct backup *b = CONTAINER_OF(t, struct backup, task);
	struct run *r = b->run;

	if (r->e == ERR_OK)
		drop_copies(b);

	for (size_t i = 0; i < r->expired_count && r->e == ERR_OK; i++)
		if (unlink(r->expired[i]) != 0 && errno != ENOENT)
			log_warn("unlink %s: %s", r->expired[i], strerror(errno));
	if (r->tmp[0] != '\0')
		archive_remove_folder(r->tmp);
	/* Sealed, verified, and in no row: nobody would ever find it. */
	if (r->e != ERR_OK && r->path[0] != '\0' && r->backup == 0)
		(void)unlink(r->path);
}

/* ---- loop: from step to step ---- */

static void warn(const struct backup *b, const struct run *r)
{
	if (r->is_key_here)
		log_warn("key=%s/" BACKUP_KEY_FILE
			 " effect=\"lost with this disk, and then no backup "
			 "opens; taken with it, all do: move it away\"",
			 b->ctx->state);
	if (r->is_same_disk)
		log_warn("folder=%s effect=\"on the disk of the store, lost with it: set "
			 "backup.folder\"",
			 r->folder);
}

static void on_clean(struct task *t)
{
	struct backup *b = CONTAINER_OF(t, struct backup, task);
	struct run *r = b->run;

	if (r->e == ERR_OK) {
		b->was_any = true;
		b->last_ms = r->at_ms;
		log_notice("backup=%" PRId64 " log=%" PRIu64 " bytes=%" PRIu64 " ms=%" PRId64
			   " longest_step_ms=%" PRId64 " path=%s",
			   r->backup, r->checked.log, r->mark.bytes,
			   clock_monotonic_ms(b->ctx->clock) - r->began_ms, r->longest_step_ms,
			   r->path);
		warn(b, r);
	} else {
		b->due_ms = clock_monotonic_ms(b->ctx->clock) + RETRY_AFTER_MS;
		if (r->e != ERR_CANCELED)
			log_err("failed error=%s detail=\"%s\"", err_name(r->e), r->error);
	}
	show_end(b);
	crypt_wipe(r->key, sizeof r->key);
	arena_clear(&r->arena);
	mem_free(MOVE(b->run));
	if (b->is_wanted_again && !atomic_load(&b->is_stopping)) {
		b->is_wanted_again = false;
		(void)backup_begin(b);
	}
}

static void begin_clean(struct backup *b)
{
	show(b, "clean");
	b->task = (struct task){.run = clean, .done = on_clean};
	if (!atomic_load(&b->is_stopping)) {
		loop_work(b->ctx->loop, &b->task);
		return;
	}
	/* Nobody waits for tasks any more. */
	clean(&b->task);
	on_clean(&b->task);
}

/* ERR_AGAIN: the queue is full, and pushes go first. */
static void submit(struct backup *b, bool is_alone, void (*resume)(struct backup *b))
{
	enum err e = is_alone ? writer_submit_alone(b->ctx->writer, &b->job)
			      : writer_submit(b->ctx->writer, &b->job);

	if (e == ERR_OK)
		return;
	if (e == ERR_AGAIN && !atomic_load(&b->is_stopping)) {
		b->resume = resume;
		return;
	}
	keep_error(b->run, ERR_CANCELED);
	begin_clean(b);
}

static void on_recorded(struct writer_job *job, enum err e)
{
	struct backup *b = CONTAINER_OF(job, struct backup, job);

	if (e != ERR_OK) {
		b->run->backup = 0;
		keep_error(b->run, e);
	}
	begin_clean(b);
}

static void begin_record(struct backup *b)
{
	show(b, "record");
	b->job = (struct writer_job){.run = record, .done = on_recorded};
	submit(b, false, begin_record);
}

static void on_packed(struct task *t)
{
	struct backup *b = CONTAINER_OF(t, struct backup, task);

	if (b->run->e == ERR_OK)
		begin_record(b);
	else
		begin_clean(b);
}

static void pack(struct task *t)
{
	struct backup *b = CONTAINER_OF(t, struct backup, task);

	keep_error(b->run, pack_run(b, b->run));
}

static void on_copied(struct writer_job *job, enum err e);

static void copy_more(struct backup *b)
{
	show(b, "copy");
	b->job = (struct writer_job){.run = copy_some, .done = on_copied};
	submit(b, true, copy_more);
}

static void on_copied(struct writer_job *job, enum err e)
{
	struct backup *b = CONTAINER_OF(job, struct backup, job);
	struct run *r = b->run;

	if (e == ERR_OK && atomic_load(&b->is_stopping))
		e = ERR_CANCELED;
	if (e != ERR_OK)
		keep_error(r, e);
	if (r->e != ERR_OK) {
		begin_clean(b);
		return;
	}
	if (!r->progress.is_done) {
		copy_more(b);
		return;
	}
	show(b, "pack");
	b->task = (struct task){.run = pack, .done = on_packed};
	loop_work(b->ctx->loop, &b->task);
}

static void prepare(struct task *t)
{
	struct backup *b = CONTAINER_OF(t, struct backup, task);

	keep_error(b->run, prepare_run(b, b->run));
}

static void on_prepared(struct task *t)
{
	struct backup *b = CONTAINER_OF(t, struct backup, task);

	if (b->run->e == ERR_OK && atomic_load(&b->is_stopping))
		keep_error(b->run, ERR_CANCELED);
	if (b->run->e == ERR_OK)
		copy_more(b);
	else
		begin_clean(b);
}

uint64_t backup_begin(struct backup *b)
{
	uint64_t run;

	(void)pthread_mutex_lock(&b->lock);
	run = b->state.run + 1;
	if (b->run == NULL)
		b->state.run = run;
	(void)pthread_mutex_unlock(&b->lock);
	if (b->run != NULL) {
		b->is_wanted_again = true;
		return run;
	}
	b->run = mem_alloc_zero(sizeof *b->run);
	b->run->config = atomic_load(&b->ctx->config);
	b->run->began_ms = clock_monotonic_ms(b->ctx->clock);
	show(b, "prepare");
	b->task = (struct task){.run = prepare, .done = on_prepared};
	loop_work(b->ctx->loop, &b->task);
	return run;
}

/* ---- by the clock ---- */

void backup_tick(struct backup *b)
{
	const struct config *c = atomic_load(&b->ctx->config);
	const int64_t every = c->backup.every_ms;
	const int64_t up = clock_monotonic_ms(b->ctx->clock) - b->start_ms;
	const int64_t now = clock_wall_ms(b->ctx->clock);
	const int64_t after = b->was_any ? FIRST_AFTER_MS : NEW_AFTER_MS;
	void (*resume)(struct backup * b) = MOVE(b->resume);

	if (resume != NULL) {
		resume(b);
		return;
	}
	if (every == 0 || b->run != NULL || atomic_load(&b->is_stopping))
		return;
	if (up < (every < after ? every : after) || clock_monotonic_ms(b->ctx->clock) < b->due_ms)
		return;
	/* A clock that was set back must not put it off for years. */
	if (b->was_any && now >= b->last_ms && now - b->last_ms < every)
		return;
	(void)backup_begin(b);
}

enum err backup_remember(struct backup *b, struct store *store)
{
	static const char text[] = "SELECT max(at) FROM backup";
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(store, text, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	b->was_any = sql_kind(q, 0) == SQL_INT;
	b->last_ms = sql_int(q, 0);
	return ERR_OK;
}

void backup_stop(struct backup *b)
{
	atomic_store(&b->is_stopping, true);
}

struct backup *backup_new(struct context *ctx)
{
	struct backup *b = mem_alloc_zero(sizeof *b);
	int rc = pthread_mutex_init(&b->lock, NULL);

	INVARIANT(rc == 0);
	b->ctx = ctx;
	b->state.phase = "idle";
	b->start_ms = clock_monotonic_ms(ctx->clock);
	return b;
}

void backup_free(struct backup *b)
{
	/* A run that a stop cut short between two steps. */
	if (b->run != NULL) {
		crypt_wipe(b->run->key, sizeof b->run->key);
		arena_clear(&b->run->arena);
		mem_free(b->run);
	}
	(void)pthread_mutex_destroy(&b->lock);
	mem_free(b);
}
