#define LOG_TAG "vault"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "client/vault_internal.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define LOCK_FILE        "lock"
#define LOCK_WAIT_MS     10000
#define LOCK_POLL_MS     20
#define LOCK_SAY_MS      500
#define ANEW_BYTES       ((size_t)64 << 10)
#define TMPFS_MAGIC_TYPE 0x01021994

/*
 * The lock file's one byte is '1' while a vault is open, else '0'. Who finds a '1' knows
 * that the one before did not end well, perhaps because the disk failed: then the
 * page cache may hold bytes that never reached the disk, and is thrown away first.
 * The byte needs no fsync: after a power cut the cache is gone as well. It stays in the file,
 * so that no room is needed to open a vault on a full disk.
 */
#define MARK_OPEN   "1"
#define MARK_CLOSED "0"

static void pause_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&ts, NULL);
}

static enum err wait_for_lock(int fd)
{
	for (long waited = 0; flock(fd, LOCK_EX | LOCK_NB) != 0; waited += LOCK_POLL_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_raise(ERR_IO, "flock: %s", strerror(errno));
		if (waited >= LOCK_WAIT_MS)
			return err_raise(ERR_AGAIN, "another ctxh has the vault open");
		if (waited == LOCK_SAY_MS)
			log_notice("chờ một lệnh ctxh khác xong; waiting for another ctxh");
		pause_ms(LOCK_POLL_MS);
	}
	return ERR_OK;
}

static bool is_on_tmpfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC_TYPE;
}

/* How many pages of the file the kernel still holds. */
static size_t resident_pages(int fd, size_t len)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t count = (len + page - 1) / page;
	size_t resident = 0;
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return 0;
	AUTO(mem_free) unsigned char *seen = mem_alloc_zero(count);

	if (mincore(map, len, seen) == 0)
		for (size_t i = 0; i < count; i++)
			resident += seen[i] & 1u;
	munmap(map, len);
	return resident;
}

/*
 * Pages that will not go (somebody holds them in memory) are made true instead: what the kernel
 * shows goes to the disk once more. A failure here is told, and then the vault stays shut. Cut
 * off half way it leaves the file as before in places, which the log, itself checked, mends.
 */
static enum err write_anew(int fd, const char *path, size_t size)
{
	AUTO(mem_free) uint8_t *chunk = mem_alloc_zero(ANEW_BYTES);

	for (size_t at = 0; at < size;) {
		ssize_t n = pread(fd, chunk, ANEW_BYTES, (off_t)at);

		if (n <= 0 || pwrite(fd, chunk, (size_t)n, (off_t)at) != n)
			return err_raise(ERR_IO, "%s: %s", path, strerror(errno));
		at += (size_t)n;
	}
	if (fdatasync(fd) != 0)
		return err_raise(ERR_IO, "fdatasync %s: %s", path, strerror(errno));
	return ERR_OK;
}

static enum err drop_cache(int fd, const char *path)
{
	struct stat st;

	if (fdatasync(fd) != 0)
		return err_raise(ERR_IO, "fdatasync %s: %s", path, strerror(errno));
	if (is_on_tmpfs(fd) || fstat(fd, &st) != 0 || st.st_size == 0)
		return ERR_OK;
	/* Some pages stay when another program reads the file just now: once more. */
	for (int i = 0; i < 3; i++) {
		(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		if (resident_pages(fd, (size_t)st.st_size) == 0)
			return ERR_OK;
		pause_ms(LOCK_POLL_MS);
	}
	return write_anew(fd, path, (size_t)st.st_size);
}

enum err vault_distrust_cache(const char *path)
{
	static const char *const suffixes[] = {"", "-wal"};
	char name[VAULT_PATH_MAX + 8];

	for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
		snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
		int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

		if (fd < 0)
			continue;
		enum err e = drop_cache(fd, name);

		/* No lock of SQLite is held yet, so closing breaks none. */
		close(fd);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err vault_lock(struct vault *v)
{
	char path[VAULT_PATH_MAX];
	char mark;

	REQUIRE(v->lock_fd < 0);
	snprintf(path, sizeof path, "%s/%s", v->home, LOCK_FILE);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_raise(ERR_IO, "%s: %s", path, strerror(errno));
	enum err e = wait_for_lock(fd);

	if (e == ERR_OK && pread(fd, &mark, 1, 0) == 1 && mark == *MARK_OPEN) {
		snprintf(path, sizeof path, "%s/%s", v->home, VAULT_FILE);
		e = vault_distrust_cache(path);
	}
	if (e == ERR_OK && pwrite(fd, MARK_OPEN, 1, 0) != 1)
		e = err_raise(errno == ENOSPC ? ERR_FULL : ERR_IO, "%s/" LOCK_FILE ": %s", v->home,
			      strerror(errno));
	if (e != ERR_OK) {
		close(fd);
		return e;
	}
	v->lock_fd = fd;
	v->is_cache_suspect = false;
	return ERR_OK;
}

void vault_unlock_file(struct vault *v, bool is_clean)
{
	if (v->lock_fd < 0)
		return;
	/* If it cannot be written, the next one only takes more care than needed. */
	if (is_clean && pwrite(v->lock_fd, MARK_CLOSED, 1, 0) != 1)
		log_debug("lock file: %s", strerror(errno));
	close(v->lock_fd);
	v->lock_fd = -1;
}

enum err vault_set_aside(const char *home, const char *when, char ret_name[VAULT_PATH_MAX])
{
	char from[VAULT_PATH_MAX + 16];
	char to[VAULT_PATH_MAX + 64];
	int len = snprintf(ret_name, VAULT_PATH_MAX, "%s/%s.damaged-%s", home, VAULT_FILE, when);

	if (len < 0 || (size_t)len >= VAULT_PATH_MAX)
		return err_raise(ERR_INVAL, "path of the home folder is too long");
	snprintf(from, sizeof from, "%s/%s", home, VAULT_FILE);
	if (access(ret_name, F_OK) == 0 || rename(from, ret_name) != 0)
		return err_raise(ERR_IO, "%s: %s", from, strerror(errno));
	/* The log belongs to the file: what it holds may be all that is left of an entry. */
	snprintf(from, sizeof from, "%s/%s-wal", home, VAULT_FILE);
	snprintf(to, sizeof to, "%s-wal", ret_name);
	if (access(from, F_OK) == 0 && rename(from, to) != 0)
		return err_raise(ERR_IO, "%s: %s", from, strerror(errno));
	return ERR_OK;
}
