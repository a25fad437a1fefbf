#include "tests/fault/crashvfs.h"

#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/attr.h"
#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/base/rand.h"
#include "tests/fault/crashlock.h"

#define NAMES_MAX 8u
#define PATH_LEN  512u

/* ---- the disk ---- */

struct image {
	uint8_t *data;
	size_t len;
	size_t cap;
};

struct pending {
	struct pending *next;
	bool is_truncate;
	bool is_lost; /* a sync of it failed: looks clean, is not on the platter */
	size_t at;    /* of a truncation: the new length */
	size_t len;
	uint8_t data[];
};

/* A file without its name. Kept until the disk is made anew. */
struct node {
	struct node *next;
	struct image seen;
	struct image platter;
	struct pending *first;
	struct pending **last;
	enum crash_pattern pattern; /* this file's, under CRASH_MIXED */
};

struct name {
	char path[PATH_LEN]; /* "": free */
	struct node *seen;   /* NULL: there is no such file */
	struct node *platter;
	struct sharing sharing; /* by connections */
};

static struct disk {
	struct crashvfs_plan plan;
	struct rand rand;
	uint64_t operations;
	uint64_t fail_sync;
	bool has_failed_sync;
	bool is_cut;
	bool is_settled; /* what remains has been chosen */
	struct node *nodes;
	struct name names[NAMES_MAX];
} disk;

static void image_clear(struct image *i)
{
	mem_free(i->data);
	*i = (struct image){0};
}

static void image_resize(struct image *i, size_t len)
{
	if (len > i->cap) {
		size_t cap = i->cap != 0 ? i->cap : 65536;

		while (cap < len)
			cap *= 2;
		i->data = mem_realloc(i->data, cap);
		i->cap = cap;
	}
	if (len > i->len)
		memset(i->data + i->len, 0, len - i->len);
	i->len = len;
}

static void image_write(struct image *i, size_t at, const void *data, size_t len)
{
	if (len == 0)
		return;
	if (at + len > i->len)
		image_resize(i, at + len);
	memcpy(i->data + at, data, len);
}

static void image_copy(struct image *to, const struct image *from)
{
	image_resize(to, 0);
	image_write(to, 0, from->data, from->len);
}

static void apply_whole(struct image *i, const struct pending *p)
{
	if (p->is_truncate)
		image_resize(i, p->at);
	else
		image_write(i, p->at, p->data, p->len);
}

static void drop_pending(struct node *n)
{
	while (n->first != NULL) {
		struct pending *p = n->first;

		n->first = p->next;
		mem_free(p);
	}
	n->last = &n->first;
}

static struct node *node_new(void)
{
	struct node *n = mem_alloc_zero(sizeof *n);

	n->last = &n->first;
	n->pattern = (enum crash_pattern)rand_below(&disk.rand, CRASH_MIXED);
	n->next = disk.nodes;
	disk.nodes = n;
	return n;
}

static struct name *name_find(const char *path)
{
	for (size_t i = 0; i < NAMES_MAX; i++)
		if (disk.names[i].path[0] != '\0' && strcmp(disk.names[i].path, path) == 0)
			return &disk.names[i];
	return NULL;
}

static struct name *name_make(const char *path)
{
	struct name *n = name_find(path);

	for (size_t i = 0; n == NULL && i < NAMES_MAX; i++) {
		if (disk.names[i].path[0] == '\0') {
			n = &disk.names[i];
			REQUIRE(strlen(path) < sizeof n->path);
			(void)snprintf(n->path, sizeof n->path, "%s", path);
		}
	}
	REQUIRE(n != NULL);
	return n;
}

static void sync_folder(void)
{
	for (size_t i = 0; i < NAMES_MAX; i++)
		disk.names[i].platter = disk.names[i].seen;
}

/* ---- the end of the power ---- */

/* One sector of a write. */
static void settle_sector(struct image *i, size_t at, const uint8_t *data, size_t len)
{
	uint8_t garbage[CRASHVFS_SECTOR];

	switch (rand_below(&disk.rand, 4)) {
	case 0: return;
	case 1: image_write(i, at, data, len); return;
	case 2: image_write(i, at, data, (size_t)rand_below(&disk.rand, len + 1)); return;
	case 3:
		rand_fill(&disk.rand, garbage, sizeof garbage);
		image_write(i, at, garbage, len);
		return;
	}
}

static void settle_write(struct image *i, const struct pending *p, bool is_torn)
{
	size_t len;

	for (size_t at = 0; at < p->len; at += len) {
		len = CRASHVFS_SECTOR - (p->at + at) % CRASHVFS_SECTOR;
		if (len > p->len - at)
			len = p->len - at;
		if (is_torn)
			settle_sector(i, p->at + at, p->data + at, len);
		else if (rand_below(&disk.rand, 2) == 0)
			image_write(i, p->at + at, p->data + at, len);
	}
}

static void settle_node(struct node *n)
{
	enum crash_pattern pattern = disk.plan.pattern;

	if (pattern == CRASH_MIXED)
		pattern = n->pattern;
	for (const struct pending *p = n->first; p != NULL; p = p->next) {
		if (p->is_lost || pattern == CRASH_NONE)
			continue;
		if (pattern != CRASH_ALL && !p->is_truncate)
			settle_write(&n->platter, p, pattern == CRASH_TORN);
		else if (pattern == CRASH_ALL || rand_below(&disk.rand, 2) == 0)
			apply_whole(&n->platter, p);
	}
	drop_pending(n);
}

static void settle_name(struct name *n)
{
	const bool is_all = disk.plan.pattern == CRASH_ALL;

	if (n->platter == n->seen || disk.plan.pattern == CRASH_NONE)
		return;
	/* Old, none or new: each moment of the renaming is a legal one. */
	if (!is_all && rand_below(&disk.rand, 3) == 0)
		n->platter = NULL;
	else if (is_all || rand_below(&disk.rand, 2) == 0)
		n->platter = n->seen;
}

static void settle(void)
{
	if (disk.is_settled)
		return;
	disk.is_cut = true;
	disk.is_settled = true;
	for (struct node *n = disk.nodes; n != NULL; n = n->next)
		settle_node(n);
	for (size_t i = 0; i < NAMES_MAX; i++)
		settle_name(&disk.names[i]);
}

/* False: the power is off. */
static bool tick(void)
{
	if (disk.is_cut)
		return false;
	disk.operations++;
	if (disk.operations != disk.plan.at)
		return true;
	settle();
	return false;
}

/* ---- an open file ---- */

struct handle {
	sqlite3_file base;
	struct node *node;
	struct share share;
	bool syncs_folder;
};

static struct handle *handle_of(sqlite3_file *f)
{
	return CONTAINER_OF(f, struct handle, base);
}

static int on_close(sqlite3_file *f)
{
	return share_unlock(&handle_of(f)->share, SQLITE_LOCK_NONE);
}

static int on_read(sqlite3_file *f, void *to, int len, sqlite3_int64 at)
{
	const struct image *seen = &handle_of(f)->node->seen;
	size_t have = 0;

	if (disk.is_cut)
		return SQLITE_IOERR_READ;
	if ((size_t)at < seen->len)
		have = seen->len - (size_t)at;
	if (have > (size_t)len)
		have = (size_t)len;
	if (have != 0)
		memcpy(to, seen->data + at, have);
	memset((uint8_t *)to + have, 0, (size_t)len - have);
	return have == (size_t)len ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static struct pending *add_pending(struct node *n, size_t at, const void *data, size_t len)
{
	struct pending *p = mem_alloc_zero(sizeof *p + len);

	p->at = at;
	p->len = len;
	if (len != 0)
		memcpy(p->data, data, len);
	*n->last = p;
	n->last = &p->next;
	return p;
}

static int on_write(sqlite3_file *f, const void *data, int len, sqlite3_int64 at)
{
	struct node *n = handle_of(f)->node;

	if (disk.is_cut)
		return SQLITE_IOERR_WRITE;
	/* The write the power goes at may be on the platter as well as not. */
	(void)add_pending(n, (size_t)at, data, (size_t)len);
	if (!tick())
		return SQLITE_IOERR_WRITE;
	image_write(&n->seen, (size_t)at, data, (size_t)len);
	return SQLITE_OK;
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 len)
{
	struct node *n = handle_of(f)->node;

	if (disk.is_cut)
		return SQLITE_IOERR_TRUNCATE;
	add_pending(n, (size_t)len, NULL, 0)->is_truncate = true;
	if (!tick())
		return SQLITE_IOERR_TRUNCATE;
	image_resize(&n->seen, (size_t)len);
	return SQLITE_OK;
}

static bool fails_now(struct node *n)
{
	if (disk.fail_sync == 0 || --disk.fail_sync != 0)
		return false;
	disk.has_failed_sync = true;
	for (struct pending *p = n->first; p != NULL; p = p->next)
		p->is_lost = true;
	return true;
}

/* What a failed sync lost stays behind, in its order, for nobody to write. */
static void write_out(struct node *n)
{
	struct pending **at = &n->first;

	while (*at != NULL) {
		struct pending *p = *at;

		if (p->is_lost) {
			at = &p->next;
			continue;
		}
		apply_whole(&n->platter, p);
		*at = p->next;
		mem_free(p);
	}
	n->last = at;
}

static int on_sync(sqlite3_file *f, int flags)
{
	struct handle *h = handle_of(f);

	(void)flags;
	if (!tick())
		return SQLITE_IOERR_FSYNC;
	if (fails_now(h->node))
		return SQLITE_IOERR_FSYNC;
	if (disk.plan.is_lying)
		return SQLITE_OK;
	write_out(h->node);
	if (h->syncs_folder)
		sync_folder();
	h->syncs_folder = false;
	return SQLITE_OK;
}

static int on_size(sqlite3_file *f, sqlite3_int64 *ret_len)
{
	*ret_len = (sqlite3_int64)handle_of(f)->node->seen.len;
	return SQLITE_OK;
}

static int on_lock(sqlite3_file *f, int level)
{
	return share_lock(&handle_of(f)->share, level);
}

static int on_unlock(sqlite3_file *f, int level)
{
	return share_unlock(&handle_of(f)->share, level);
}

static int on_check_reserved(sqlite3_file *f, int *ret_is_locked)
{
	*ret_is_locked = handle_of(f)->share.of->reserved != NULL;
	return SQLITE_OK;
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret_data)
{
	*ret_data = share_map(&handle_of(f)->share, (size_t)page, (size_t)size, extend != 0);
	return SQLITE_OK;
}

static int on_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
	return share_lock_shm(&handle_of(f)->share, offset, n, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
	(void)f;
}

static int on_shm_unmap(sqlite3_file *f, int is_delete)
{
	(void)is_delete;
	share_unmap(&handle_of(f)->share);
	return SQLITE_OK;
}

/* SQLite asks before it obeys a pragma: [0] is the answer, [1] the name, [2] the value. */
static int hide_sync(char **pragma)
{
	if (!disk.plan.hides_sync || sqlite3_stricmp(pragma[1], "synchronous") != 0)
		return SQLITE_NOTFOUND;
	if (pragma[2] == NULL)
		pragma[0] = sqlite3_mprintf("2");
	else if (sqlite3_stricmp(pragma[2], "FULL") != 0)
		return SQLITE_NOTFOUND;
	return SQLITE_OK;
}

static int on_control(sqlite3_file *f, int op, void *arg)
{
	(void)f;
	if (op == SQLITE_FCNTL_PRAGMA)
		return hide_sync(arg);
	/* The limit in force; there is no mapping here. */
	if (op == SQLITE_FCNTL_MMAP_SIZE) {
		*(sqlite3_int64 *)arg = 0;
		return SQLITE_OK;
	}
	return op == SQLITE_FCNTL_SIZE_HINT ? SQLITE_OK : SQLITE_NOTFOUND;
}

/* As the unix VFS tells of an ordinary file. */
static int on_sector_size(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int on_characteristics(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
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

/* ---- the VFS ---- */

static sqlite3_vfs *under;

/* The product looks whether a file is there, and opens it to drop its cache: so an empty one is. */
static void make_real(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	(void)close(fd);
}

static int on_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *ret_flags)
{
	struct handle *h = handle_of(f);
	const int journals = SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL;
	struct name *n = path != NULL ? name_find(path) : NULL;

	(void)vfs;
	f->pMethods = NULL;
	if (disk.is_cut)
		return SQLITE_CANTOPEN;
	/* Temporary, gone when it is closed: nothing of it can survive. */
	if (path == NULL)
		return under->xOpen(under, path, f, flags, ret_flags);
	*h = (struct handle){0};
	if (n == NULL || n->seen == NULL) {
		if ((flags & SQLITE_OPEN_CREATE) == 0)
			return SQLITE_CANTOPEN;
		n = name_make(path);
		n->seen = node_new();
		if (!tick())
			return SQLITE_CANTOPEN;
	}
	make_real(path);
	h->share.of = &n->sharing;
	h->node = n->seen;
	h->syncs_folder = (flags & SQLITE_OPEN_CREATE) != 0 && (flags & journals) != 0;
	h->base.pMethods = &methods;
	if (ret_flags != NULL)
		*ret_flags = flags;
	return SQLITE_OK;
}

static int on_delete(sqlite3_vfs *vfs, const char *path, int is_folder_synced)
{
	struct name *n = name_find(path);

	(void)vfs;
	if (n == NULL || n->seen == NULL)
		return SQLITE_IOERR_DELETE_NOENT;
	if (disk.is_cut)
		return SQLITE_IOERR_DELETE;
	n->seen = NULL;
	(void)unlink(path);
	if (!tick())
		return SQLITE_IOERR_DELETE;
	if (is_folder_synced && !disk.plan.is_lying)
		sync_folder();
	return SQLITE_OK;
}

static int on_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret_is_so)
{
	const struct name *n = name_find(path);

	(void)vfs;
	*ret_is_so = n != NULL && n->seen != NULL;
	if (flags == SQLITE_ACCESS_EXISTS && *ret_is_so)
		*ret_is_so = n->seen->seen.len > 0;
	return SQLITE_OK;
}

void crashvfs_install(void)
{
	static sqlite3_vfs vfs;
	int rc;

	under = sqlite3_vfs_find("unix");
	REQUIRE(under != NULL);
	vfs = *under;
	vfs.zName = CRASHVFS_NAME;
	vfs.pNext = NULL;
	if (vfs.szOsFile < (int)sizeof(struct handle))
		vfs.szOsFile = sizeof(struct handle);
	vfs.xOpen = on_open;
	vfs.xDelete = on_delete;
	vfs.xAccess = on_access;
	rc = sqlite3_vfs_register(&vfs, 0);
	REQUIRE(rc == SQLITE_OK);
}

/* ---- for the test ---- */

const char *crash_pattern_name(enum crash_pattern pattern)
{
	static const char *const names[] = {"none", "all", "random", "torn", "mixed"};

	REQUIRE(pattern < CRASH_PATTERNS);
	return names[pattern];
}

void crashvfs_start(const struct crashvfs_plan *plan)
{
	while (disk.nodes != NULL) {
		struct node *n = disk.nodes;

		disk.nodes = n->next;
		drop_pending(n);
		image_clear(&n->seen);
		image_clear(&n->platter);
		mem_free(n);
	}
	for (size_t i = 0; i < NAMES_MAX; i++)
		sharing_clear(&disk.names[i].sharing);
	memset(&disk, 0, sizeof disk);
	disk.plan = *plan;
	rand_seeded_init(&disk.rand, plan->seed);
}

void crashvfs_put(const char *path, struct bytes data)
{
	struct name *n = name_make(path);

	n->seen = node_new();
	n->platter = n->seen;
	image_write(&n->seen->seen, 0, data.data, data.len);
	image_copy(&n->seen->platter, &n->seen->seen);
}

void crashvfs_cut(void)
{
	settle();
}

bool crashvfs_is_cut(void)
{
	return disk.is_cut;
}

uint64_t crashvfs_operations(void)
{
	return disk.operations;
}

static void write_real(const char *path, const struct image *i)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0);
	if (i->len != 0) {
		ssize_t n = write(fd, i->data, i->len);

		REQUIRE(n == (ssize_t)i->len);
	}
	(void)close(fd);
}

void crashvfs_survive(void)
{
	settle();
	for (size_t i = 0; i < NAMES_MAX; i++) {
		const struct name *n = &disk.names[i];

		if (n->path[0] == '\0')
			continue;
		if (n->platter == NULL)
			(void)unlink(n->path);
		else
			write_real(n->path, &n->platter->platter);
	}
}

void crashvfs_copy(const char *path, const char *copy)
{
	size_t len = strlen(path);

	for (size_t i = 0; i < NAMES_MAX; i++) {
		const struct name *n = &disk.names[i];
		char to[PATH_LEN];

		if (strncmp(n->path, path, len) != 0)
			continue;
		(void)snprintf(to, sizeof to, "%s%s", copy, n->path + len);
		const struct node *node = disk.is_settled ? n->platter : n->seen;

		if (node == NULL)
			(void)unlink(to);
		else
			write_real(to, disk.is_settled ? &node->platter : &node->seen);
	}
}

void crashvfs_fail_sync(uint64_t at)
{
	disk.fail_sync = at;
	disk.has_failed_sync = false;
}

bool crashvfs_has_failed_sync(void)
{
	return disk.has_failed_sync;
}

static void drop_cache(const char *path)
{
	struct name *n = name_find(path);

	if (n == NULL || n->seen == NULL)
		return;
	/* What was not yet synced is written first, as fdatasync() does; what was lost is gone. */
	write_out(n->seen);
	drop_pending(n->seen);
	image_copy(&n->seen->seen, &n->seen->platter);
}

/* In place of libc's: the product asks the kernel to forget the file before it opens it. The names
 * of the declaration are reserved ones. */
/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
int posix_fadvise(int fd, off_t at, off_t len, int advice)
{
	char link[64];
	char path[PATH_LEN];
	ssize_t n;

	(void)at;
	(void)len;
	(void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof path - 1);
	REQUIRE(n > 0);
	path[n] = '\0';
	if (advice == POSIX_FADV_DONTNEED && !disk.plan.keeps_cache)
		drop_cache(path);
	return 0;
}
