#include "tests/fault/faultvfs.h"

#include <sqlite3.h>
#include <stddef.h>
#include <string.h>

#include "common/base/attr.h"
#include "common/base/check.h"

struct handle {
	sqlite3_file base;
	sqlite3_file *real; /* behind this struct */
	const char *path;   /* SQLite's, until it is closed; NULL: a temporary file */
};

static sqlite3_vfs *under;
static struct faultvfs_state now;

static bool is_meant(const char *path)
{
	const char *wanted = now.plan.path;

	return wanted == NULL || (path != NULL && strncmp(path, wanted, strlen(wanted)) == 0);
}

static bool fails_at(enum fault_call call, const char *path)
{
	const struct faultvfs_plan *plan = &now.plan;

	if (!is_meant(path))
		return false;
	uint64_t n = ++now.counts[call];
	bool is_it = plan->at != 0 && plan->call == call &&
		     (n == plan->at || (plan->is_forever && n > plan->at));

	now.has_fired = now.has_fired || is_it;
	return is_it;
}

static int code(int io_error)
{
	return now.plan.is_full ? SQLITE_FULL : io_error;
}

static sqlite3_file *real_of(sqlite3_file *f)
{
	return CONTAINER_OF(f, struct handle, base)->real;
}

static bool fails(enum fault_call call, sqlite3_file *f)
{
	return fails_at(call, CONTAINER_OF(f, struct handle, base)->path);
}

static int on_close(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);

	return real->pMethods->xClose(real);
}

static int on_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
	sqlite3_file *real = real_of(f);

	return fails(FAULT_READ, f) ? SQLITE_IOERR_READ : real->pMethods->xRead(real, to, len, at);
}

static int on_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 at)
{
	sqlite3_file *real = real_of(f);

	if (!fails(FAULT_WRITE, f))
		return real->pMethods->xWrite(real, data, len, at);
	/* The disk took the first half before it said so. */
	if (len > 1)
		(void)real->pMethods->xWrite(real, data, len / 2, at);
	return code(SQLITE_IOERR_WRITE);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 len)
{
	sqlite3_file *real = real_of(f);

	return fails(FAULT_TRUNCATE, f) ? SQLITE_IOERR_TRUNCATE
					: real->pMethods->xTruncate(real, len);
}

static int on_sync(sqlite3_file *f, int flags)
{
	sqlite3_file *real = real_of(f);

	return fails(FAULT_SYNC, f) ? code(SQLITE_IOERR_FSYNC) : real->pMethods->xSync(real, flags);
}

static int on_size(sqlite3_file *f, sqlite3_int64 *ret_len)
{
	sqlite3_file *real = real_of(f);

	return fails(FAULT_SIZE, f) ? SQLITE_IOERR_FSTAT : real->pMethods->xFileSize(real, ret_len);
}

static int on_lock(sqlite3_file *f, int level)
{
	sqlite3_file *real = real_of(f);

	return fails(FAULT_LOCK, f) ? SQLITE_IOERR_LOCK : real->pMethods->xLock(real, level);
}

static int on_unlock(sqlite3_file *f, int level)
{
	sqlite3_file *real = real_of(f);

	return real->pMethods->xUnlock(real, level);
}

static int on_check_reserved(sqlite3_file *f, int *ret_is_locked)
{
	sqlite3_file *real = real_of(f);

	return real->pMethods->xCheckReservedLock(real, ret_is_locked);
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
	sqlite3_file *real = real_of(f);

	return real->pMethods->xFileControl(real, op, arg);
}

static int on_sector_size(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);

	return real->pMethods->xSectorSize(real);
}

static int on_characteristics(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);

	return real->pMethods->xDeviceCharacteristics(real);
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret_data)
{
	sqlite3_file *real = real_of(f);

	return fails(FAULT_SHM, f) ? SQLITE_IOERR_SHMMAP
				   : real->pMethods->xShmMap(real, page, size, extend, ret_data);
}

static int on_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	sqlite3_file *real = real_of(f);

	return real->pMethods->xShmLock(real, offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
	sqlite3_file *real = real_of(f);

	real->pMethods->xShmBarrier(real);
}

static int on_shm_unmap(sqlite3_file *f, int is_delete)
{
	sqlite3_file *real = real_of(f);

	return real->pMethods->xShmUnmap(real, is_delete);
}

static const sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = on_close,
	.xRead = on_read,
	.xWrite = on_write,
	.xTruncate = on_truncate,
	.xSync = on_sync,
	.xFileSize = on_size,
	.xLock = on_lock,
	.xUnlock = on_unlock,
	.xCheckReservedLock = on_check_reserved,
	.xFileControl = on_control,
	.xSectorSize = on_sector_size,
	.xDeviceCharacteristics = on_characteristics,
	.xShmMap = on_shm_map,
	.xShmLock = on_shm_lock,
	.xShmBarrier = on_shm_barrier,
	.xShmUnmap = on_shm_unmap,
};

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
	struct handle *h = CONTAINER_OF(f, struct handle, base);
	int rc;

	(void)vfs;
	h->base.pMethods = NULL;
	h->real = (sqlite3_file *)(void *)(h + 1);
	h->path = path;
	if (fails_at(FAULT_OPEN, path))
		return SQLITE_CANTOPEN;
	memset(h->real, 0, (size_t)under->szOsFile);
	rc = under->xOpen(under, path, h->real, flags, ret_flags);
	if (rc == SQLITE_OK)
		h->base.pMethods = &methods;
	return rc;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int is_folder_synced)
{
	(void)vfs;
	return fails_at(FAULT_DELETE, path) ? SQLITE_IOERR_DELETE
					    : under->xDelete(under, path, is_folder_synced);
}

static int on_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret_is_so)
{
	(void)vfs;
	return under->xAccess(under, path, flags, ret_is_so);
}

static int on_full_path(sqlite3_vfs *vfs, const char *path, int len, char *to)
{
	(void)vfs;
	return under->xFullPathname(under, path, len, to);
}

void faultvfs_install(const char *name_under)
{
	static sqlite3_vfs vfs;
	int rc;

	if (vfs.zName != NULL)
		(void)sqlite3_vfs_unregister(&vfs);
	under = sqlite3_vfs_find(name_under);
	REQUIRE(under != NULL);
	vfs = *under;
	vfs.zName = FAULTVFS_NAME;
	vfs.pNext = NULL;
	vfs.szOsFile = (int)sizeof(struct handle) + under->szOsFile;
	vfs.xOpen = on_open;
	vfs.xDelete = on_delete;
	vfs.xAccess = on_access;
	vfs.xFullPathname = on_full_path;
	rc = sqlite3_vfs_register(&vfs, 0);
	REQUIRE(rc == SQLITE_OK);
}

const char *fault_call_name(enum fault_call call)
{
	static const char *const names[] = {"write",  "sync", "read", "truncate", "open",
					    "delete", "size", "shm",  "lock"};

	REQUIRE(call < FAULT_CALLS);
	return names[call];
}

void faultvfs_start(const struct faultvfs_plan *p)
{
	now = (struct faultvfs_state){.plan = *p};
}

void faultvfs_heal(void)
{
	now.plan.at = 0;
}

bool faultvfs_has_fired(void)
{
	return now.has_fired;
}

uint64_t faultvfs_count(enum fault_call call)
{
	return now.counts[call];
}

struct faultvfs_state faultvfs_take(void)
{
	struct faultvfs_state taken = now;

	now = (struct faultvfs_state){0};
	return taken;
}

void faultvfs_put_back(const struct faultvfs_state *state)
{
	now = *state;
}
