/*
 * fault_io - a disk that fails on demand, to be preloaded into the daemon.
 *
 * The file named by CTXH_FAULT says which calls fail with EIO, by name: "fdatasync", "pwrite",
 * "pread". Only calls on the store's files (ctxhd.db and what belongs to it) do.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static bool is_store(int fd)
{
	char link[64];
	char path[4096];
	ssize_t len;

	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof path - 1);
	if (len < 0)
		return false;
	path[len] = '\0';
	return strstr(path, "/ctxhd.db") != NULL;
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

static int fail(void)
{
	errno = EIO;
	return -1;
}

/* The names of the declarations are reserved ones. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */
EXPORT int fdatasync(int fd)
{
	static int (*real)(int fd);

	if (real == NULL)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
	return fails("fdatasync", fd) ? fail() : real(fd);
}

EXPORT int fsync(int fd)
{
	static int (*real)(int fd);

	if (real == NULL)
		real = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
	return fails("fdatasync", fd) ? fail() : real(fd);
}

EXPORT ssize_t pwrite64(int fd, const void *data, size_t len, off64_t at)
{
	static ssize_t (*real)(int fd, const void *data, size_t len, off64_t at);

	if (real == NULL)
		real = (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
	return fails("pwrite", fd) ? fail() : real(fd, data, len, at);
}

EXPORT ssize_t pread64(int fd, void *data, size_t len, off64_t at)
{
	static ssize_t (*real)(int fd, void *data, size_t len, off64_t at);

	if (real == NULL)
		real = (ssize_t(*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
	return fails("pread", fd) ? fail() : real(fd, data, len, at);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
