#define LOG_TAG "backup"

#include "daemon/backup_check.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "daemon/context.h"
#include "daemon/keys.h"
#include "daemon/verify.h"

static enum err look_inside(const struct context *ctx, struct store *copy, const char *folder,
			    struct arena *a, struct backup_checked *c)
{
	struct verify_report report = {0};
	enum err e = verify_run(ctx, copy, folder, a, &report);

	if (e == ERR_OK && report.found != 0)
		e = err_raise(ERR_CONFLICT,
			      "the store in it differs from its log: %zu differences, the first is "
			      "%s in %.*s",
			      report.found, report.differences[0].invariant,
			      BYTES_FMT(report.differences[0].table));
	if (e == ERR_OK)
		e = store_load_devices(copy, a, &c->devices, &c->device_count);
	c->log = report.log;
	c->records = report.records;
	return e;
}

/* The backup made before an upgrade is the one that is needed after it: what was unpacked, and
 * nothing else, gets the steps it lacks. */
static enum err migrate(const char *path)
{
	AUTO(store_close) struct store *copy = NULL;

	return store_open_writer(path, NULL, &copy);
}

static enum err open_inside(const struct context *ctx, const char *folder, struct arena *a,
			    struct backup_checked *c)
{
	AUTO(store_close) struct store *copy = NULL;
	char path[KEYS_PATH_LEN];
	enum err e;

	if ((size_t)snprintf(path, sizeof path, "%s/" ARCHIVE_STORE, folder) >= sizeof path)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	e = migrate(path);
	if (e == ERR_OK)
		e = store_open_reader(path, atomic_load(&ctx->schema), &copy);
	if (e == ERR_OK)
		e = store_begin(copy);
	if (e != ERR_OK)
		return e;
	e = look_inside(ctx, copy, folder, a, c);
	store_rollback(copy);
	return e;
}

enum err backup_check(const struct context *ctx, const struct backup_order *order, struct arena *a,
		      struct backup_checked *ret_checked)
{
	const char *folder = order->folder;
	struct backup_checked c = {0};
	enum err e;

	if (mkdir(folder, 0700) != 0)
		return err_raise(errno == EEXIST ? ERR_CONFLICT : ERR_FULL, "mkdir %s: %s", folder,
				 strerror(errno));
	e = archive_read(order->path, order->key, folder, order->is_stopping, &c.mark);
	if (e == ERR_OK)
		e = open_inside(ctx, folder, a, &c);
	if (e != ERR_OK || !order->is_kept)
		archive_remove_folder(folder);
	/* A copy that cannot be read is a bad copy, not a bad disk of the store's. */
	if (err_class(e) == ERR_CLASS_FATAL)
		e = ERR_CONFLICT;
	if (e == ERR_OK)
		*ret_checked = c;
	return e;
}
