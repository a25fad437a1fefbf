/*
 * kill_io - kill -9 at a chosen point, to be preloaded into the daemon or a client.
 *
 * Every call that changes what is on the disk or on the line is three points: before it, half of it
 * done (writes alone), after it. The file named by CTXH_KILL is shared memory between the test and
 * the program: the points passed so far, the one to be killed at, and what it was. Between two
 * points nothing can be seen from outside, so the points are all the moments at which a kill can
 * differ.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#define EXPORT   __attribute__((visibility("default")))
#define REAL(fn) ((__typeof__(&(fn)))real(#fn))

/* As tests/integration/killing.py reads it. */
struct shared {
	_Atomic uint64_t count; /* points passed */
	_Atomic uint64_t at;    /* the point to be killed at; 0: none */
	char only[64];          /* a file's name: other files are no points; "": all are */
	char what[112];
};

static struct shared *shared;

__attribute__((constructor)) static void start(void)
{
	const char *path = getenv("CTXH_KILL");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *at;

	if (fd < 0)
		return;
	at = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (at != MAP_FAILED)
		shared = at;
}

static void *real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

static void name_file(int fd, char name[64])
{
	char link[64];
	char path[4096];
	const char *base;
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	if (len < 0)
		len = 0;
	path[len] = '\0';
	base = strncmp(path, "socket:", 7) != 0 ? strrchr(path, '/') : "/socket";
	snprintf(name, 64, "%.63s", base != NULL ? base + 1 : path);
}

/* Is this one it? What SQLite shares between processes is gone with the last of them: no point. */
static bool is_point(const char *name)
{
	const char *end = strrchr(name, '-');
	uint64_t n;

	if (shared == NULL || (end != NULL && strcmp(end, "-shm") == 0))
		return false;
	if (shared->only[0] != '\0' && strcmp(shared->only, name) != 0)
		return false;
	n = atomic_fetch_add(&shared->count, 1) + 1;
	return n == atomic_load(&shared->at);
}

static void die(const char *when, const char *call, const char *name)
{
	snprintf(shared->what, sizeof shared->what, "%s %s %s", when, call, name);
	kill(getpid(), SIGKILL);
	for (;;)
		pause();
}

static void point(const char *when, const char *call, int fd)
{
	char name[64];

	if (shared == NULL)
		return;
	name_file(fd, name);
	if (is_point(name))
		die(when, call, name);
}

static void point_path(const char *when, const char *call, const char *path)
{
	const char *base = strrchr(path, '/');
	const char *name = base != NULL ? base + 1 : path;

	if (is_point(name))
		die(when, call, name);
}

/* A page of which only the first half was written. */
static void point_half(int fd, const void *data, size_t len, off64_t at)
{
	char name[64];

	if (shared == NULL || len < 2)
		return;
	name_file(fd, name);
	if (!is_point(name))
		return;
	(void)REAL(pwrite64)(fd, data, len / 2, at);
	die("half", "pwrite", name);
}

/* Not what wakes threads, not the log. */
static bool is_watched(int fd)
{
	struct stat st;

	return fd > STDERR_FILENO && fstat(fd, &st) == 0 &&
	       (S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* The names of the declarations are reserved ones. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
EXPORT ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	ssize_t n;

	point("before", "pwrite", fd);
	point_half(fd, data, len, at);
	n = REAL(pwrite64)(fd, data, len, at);
	point("after", "pwrite", fd);
	return n;
}

EXPORT ssize_t write(int fd, const void *data, size_t len)
{
	bool is_seen = is_watched(fd);
	ssize_t n;

	if (is_seen)
		point("before", "write", fd);
	n = REAL(write)(fd, data, len);
	if (is_seen)
		point("after", "write", fd);
	return n;
}

EXPORT ssize_t send(int fd, const void *data, size_t len, int flags)
{
	ssize_t n;

	point("before", "send", fd);
	n = REAL(send)(fd, data, len, flags);
	point("after", "send", fd);
	return n;
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t n;

	point("before", "send", fd);
	n = REAL(sendmsg)(fd, msg, flags);
	point("after", "send", fd);
	return n;
}

EXPORT int fdatasync(int fd)
{
	int rc;

	point("before", "sync", fd);
	rc = REAL(fdatasync)(fd);
	point("after", "sync", fd);
	return rc;
}

EXPORT int fsync(int fd)
{
	int rc;

	point("before", "sync", fd);
	rc = REAL(fsync)(fd);
	point("after", "sync", fd);
	return rc;
}

EXPORT int ftruncate64(int fd, off64_t len)
{
	int rc;

	point("before", "truncate", fd);
	rc = REAL(ftruncate64)(fd, len);
	point("after", "truncate", fd);
	return rc;
}

EXPORT int unlink(const char *path)
{
	int rc;

	point_path("before", "unlink", path);
	rc = REAL(unlink)(path);
	point_path("after", "unlink", path);
	return rc;
}

EXPORT int rename(const char *from, const char *to)
{
	int rc;

	point_path("before", "rename", to);
	rc = REAL(rename)(from, to);
	point_path("after", "rename", to);
	return rc;
}

EXPORT int mkdir(const char *path, mode_t mode)
{
	int rc;

	point_path("before", "mkdir", path);
	rc = REAL(mkdir)(path, mode);
	point_path("after", "mkdir", path);
	return rc;
}

static int open_at_point(int (*how)(const char *, int, ...), const char *path, int flags,
			 mode_t mode)
{
	int fd;

	if ((flags & O_CREAT) == 0)
		return how(path, flags, mode);
	point_path("before", "create", path);
	fd = how(path, flags, mode);
	point_path("after", "create", path);
	return fd;
}

EXPORT int open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return open_at_point(REAL(open64), path, flags, mode);
}

EXPORT int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	va_start(args, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(args, mode_t);
	va_end(args);
	return open_at_point(REAL(open), path, flags, mode);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
