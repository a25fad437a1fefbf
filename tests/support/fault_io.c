/*
 * fault_io - a disk that fails on demand, to be preloaded into a program.
 *
 * The file named by CTXH_FAULT says which calls fail with EIO, by name: "fdatasync", "pwrite",
 * "pread". "stall": whoever syncs waits, until the file says something else; FILE.stalled tells
 * that somebody does. Only calls on the store's files (ctxhd.db and what belongs to it) do.
 *
 * The file named by CTXH_FAULT_NTH is shared memory between the test and the program: of the calls
 * that open, write, sync, rename or make something below a folder the n-th fails.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define EXPORT   __attribute__((visibility("default")))
#define REAL(fn) ((__typeof__(&(fn)))dlsym(RTLD_NEXT, #fn))

#define PATH_LEN 4096

enum how {
	HOW_EIO,   /* the n-th fails with EIO */
	HOW_FULL,  /* the n-th, if it is a write, does half; from then on there is no room */
	HOW_SHORT, /* the n-th, if it is a write, does half; nothing fails */
};

/* As tests/integration/plain_files.py reads it. */
struct shared {
	_Atomic uint64_t count; /* calls so far */
	_Atomic uint64_t at;    /* the one that fails, from 1; 0: none */
	_Atomic uint64_t hits;  /* calls that failed, or did half */
	uint64_t how;
	char under[256]; /* files whose path begins so */
	char what[256];  /* the first of `hits` */
};

static struct shared *shared;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("CTXH_FAULT_NTH");
	int fd = path != NULL ? REAL(open)(path, O_RDWR | O_CLOEXEC) : -1;
	void *at;

	if (fd < 0)
		return;
	at = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		shared = at;
}

static bool path_of(int fd, char path[PATH_LEN])
{
	char link[64];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_LEN - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return true;
}

static bool is_store(int fd)
{
	char path[PATH_LEN];

	return path_of(fd, path) && strstr(path, "/ctxhd.db") != NULL;
}

/* ---- the n-th ---- */

enum fate {
	FATE_NONE,
	FATE_FAIL, /* errno is set */
	FATE_HALF,
};

static enum fate hit(const char *call, const char *path, enum fate fate, int error)
{
	if (atomic_fetch_add(&shared->hits, 1) == 0)
		snprintf(shared->what, sizeof shared->what, "%s %.200s", call, path);
	errno = error;
	return fate;
}

/* `takes_room`: on a full disk this call cannot be done. */
static enum fate fate_of(const char *call, const char *path, bool takes_room, bool is_write)
{
	const uint64_t at = shared != NULL ? atomic_load(&shared->at) : 0;
	const char *end = strrchr(path, '-');
	uint64_t n;

	if (at == 0 || strncmp(path, shared->under, strlen(shared->under)) != 0)
		return FATE_NONE;
	/* What SQLite shares between processes: nothing of it is kept. */
	if (end != NULL && strcmp(end, "-shm") == 0)
		return FATE_NONE;
	n = atomic_fetch_add(&shared->count, 1) + 1;
	switch ((enum how)shared->how) {
	case HOW_EIO: return n == at ? hit(call, path, FATE_FAIL, EIO) : FATE_NONE;
	case HOW_FULL:
		if (n < at || !takes_room)
			return FATE_NONE;
		return hit(call, path, is_write && n == at ? FATE_HALF : FATE_FAIL, ENOSPC);
	case HOW_SHORT: return n == at && is_write ? hit(call, path, FATE_HALF, 0) : FATE_NONE;
	}
	return FATE_NONE;
}

static enum fate fate_of_fd(const char *call, int fd, bool takes_room, bool is_write)
{
	char path[PATH_LEN];

	return shared != NULL && path_of(fd, path) ? fate_of(call, path, takes_room, is_write)
						   : FATE_NONE;
}

/* Making a file takes room, opening one does not. */
static bool fails_to_open(const char *path, int flags)
{
	struct stat st;

	return fate_of("open", path, (flags & O_CREAT) != 0 && stat(path, &st) != 0, false) ==
	       FATE_FAIL;
}

static bool fails(const char *call, int fd)
{
	const char *path = getenv("CTXH_FAULT");
	char wanted[32] = "";
	int file;
	ssize_t len;

	if (path == NULL)
		return false;
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return false;
	len = read(file, wanted, sizeof wanted - 1);
	close(file);
	return len > 0 && strcmp(wanted, call) == 0 && is_store(fd);
}

static void stall(int fd)
{
	char told[4096];

	if (!fails("stall", fd))
		return;
	snprintf(told, sizeof told, "%s.stalled", getenv("CTXH_FAULT"));
	close(REAL(open)(told, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	while (fails("stall", fd))
		usleep(10000);
}

static int fail(void)
{
	errno = EIO;
	return -1;
}

/* The names of the declarations are reserved ones. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
EXPORT int fdatasync(int fd)
{
	stall(fd);
	if (fails("fdatasync", fd))
		return fail();
	return fate_of_fd("sync", fd, true, false) == FATE_FAIL ? -1 : REAL(fdatasync)(fd);
}

EXPORT int fsync(int fd)
{
	stall(fd);
	if (fails("fdatasync", fd))
		return fail();
	return fate_of_fd("sync", fd, true, false) == FATE_FAIL ? -1 : REAL(fsync)(fd);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	if (fails("pwrite", fd))
		return fail();
	switch (fate_of_fd("pwrite", fd, true, len > 1)) {
	case FATE_FAIL: return -1;
	case FATE_HALF: return REAL(pwrite64)(fd, data, len / 2, at);
	case FATE_NONE: break;
	}
	return REAL(pwrite64)(fd, data, len, at);
}

EXPORT ssize_t pread64(int fd, void *data, size_t len, off64_t at)
{
	return fails("pread", fd) ? fail() : REAL(pread64)(fd, data, len, at);
}

EXPORT ssize_t write(int fd, const void *data, size_t len)
{
	switch (fate_of_fd("write", fd, true, len > 1)) {
	case FATE_FAIL: return -1;
	case FATE_HALF: return REAL(write)(fd, data, len / 2);
	case FATE_NONE: break;
	}
	return REAL(write)(fd, data, len);
}

EXPORT int ftruncate64(int fd, off64_t len)
{
	return fate_of_fd("truncate", fd, false, false) == FATE_FAIL ? -1
								     : REAL(ftruncate64)(fd, len);
}

EXPORT int rename(const char *from, const char *to)
{
	return fate_of("rename", to, true, false) == FATE_FAIL ? -1 : REAL(rename)(from, to);
}

EXPORT int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return fate_of("rename", to, true, false) == FATE_FAIL
		       ? -1
		       : REAL(renameat2)(from_fd, from, to_fd, to, flags);
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	return fate_of("mkdir", path, true, false) == FATE_FAIL ? -1 : REAL(mkdir)(path, mode);
}

EXPORT int mkostemp(char *path, int flags)
{
	return fails_to_open(path, flags | O_CREAT) ? -1 : REAL(mkostemp)(path, flags);
}

EXPORT int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return fails_to_open(path, flags) ? -1 : REAL(open64)(path, flags, mode);
}

EXPORT int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return fails_to_open(path, flags) ? -1 : REAL(open)(path, flags, mode);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
