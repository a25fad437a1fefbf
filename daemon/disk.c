#define LOG_TAG "app"

#include "daemon/disk.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "common/base/attr.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/config.h"
#include "daemon/keys.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"

#define EVERY_MS INT64_C(10000)

struct disk {
	struct context *ctx;
	struct task task;
	char store[KEYS_PATH_LEN];
	struct stat opened; /* the store's file, as it was opened */
	int64_t looked_ms;
	uint64_t free_bytes;
	bool is_running;
	bool is_known; /* free_bytes */
	bool is_gone;  /* another file, or none, has the store's name */
	bool was_low;
};

struct disk *disk_new(struct context *ctx)
{
	struct disk *d = mem_alloc_zero(sizeof *d);

	d->ctx = ctx;
	return d;
}

void disk_free(struct disk *d)
{
	mem_free(d);
}

enum err disk_check_store(const char *path)
{
	char wal[KEYS_PATH_LEN];
	struct stat st;

	if ((size_t)snprintf(wal, sizeof wal, "%s-wal", path) >= sizeof wal)
		return err_raise(ERR_INVAL, "path too long: %s", path);
	if (stat(path, &st) == 0 || errno != ENOENT || stat(wal, &st) != 0 || st.st_size == 0)
		return ERR_OK;
	return err_raise(ERR_INVAL,
			 "%s is not there, but what was written last is, in %s. Nothing was "
			 "touched. Put the file back beside it; or restore a backup into a new "
			 "folder",
			 path, wal);
}

void disk_remember_store(struct disk *d, const char *path)
{
	(void)snprintf(d->store, sizeof d->store, "%s", path);
	if (stat(path, &d->opened) != 0)
		d->store[0] = '\0'; /* nothing to compare with */
}

/* What cannot be looked at is not gone. */
static bool is_gone(const struct disk *d)
{
	struct stat st;

	if (d->store[0] == '\0')
		return false;
	if (stat(d->store, &st) != 0)
		return errno == ENOENT;
	return st.st_dev != d->opened.st_dev || st.st_ino != d->opened.st_ino;
}

static void look(struct task *t)
{
	struct disk *d = CONTAINER_OF(t, struct disk, task);
	struct statvfs st;

	d->is_known = statvfs(d->ctx->state, &st) == 0;
	if (d->is_known)
		d->free_bytes = (uint64_t)st.f_bavail * st.f_frsize;
	d->is_gone = is_gone(d);
}

static void tell_room(struct disk *d, bool is_low)
{
	if (is_low == d->was_low)
		return;
	d->was_low = is_low;
	if (is_low)
		log_err("disk free=%llu effect=\"pushes are refused\"",
			(unsigned long long)d->free_bytes);
	else
		log_notice("disk free=%llu effect=\"pushes are taken again\"",
			   (unsigned long long)d->free_bytes);
}

static void tell_gone(struct disk *d)
{
	if (d->is_gone == atomic_exchange(&d->ctx->is_store_gone, d->is_gone))
		return;
	if (d->is_gone)
		log_err("store file=%s gone=yes effect=\"pushes are refused; do not restart, put "
			"the file back\"",
			d->store);
	else
		log_notice("store file=%s gone=no effect=\"pushes are taken again\"", d->store);
}

static void on_seen(struct task *t)
{
	struct disk *d = CONTAINER_OF(t, struct disk, task);
	struct context *ctx = d->ctx;
	const struct config *c = atomic_load(&ctx->config);

	d->is_running = false;
	tell_gone(d);
	if (d->is_known) {
		metrics_set(ctx->metrics, disk_free_bytes, d->free_bytes);
		atomic_store(&ctx->is_disk_known, true);
		tell_room(d, d->free_bytes < (uint64_t)c->limits.disk_free);
	}
	atomic_store(&ctx->is_disk_low, d->was_low || d->is_gone);
}

void disk_tick(struct disk *d, int64_t now_ms)
{
	if (d->is_running || (d->looked_ms != 0 && now_ms - d->looked_ms < EVERY_MS))
		return;
	d->looked_ms = now_ms;
	d->is_running = true;
	d->task = (struct task){.run = look, .done = on_seen};
	loop_work(d->ctx->loop, &d->task);
}
