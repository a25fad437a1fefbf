#define LOG_TAG "store"

#include "daemon/store_before.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/crypt.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/store_private.h"

#define PIECE_LEN ((size_t)1 << 20)
#define MARK      ".before-"
#define PART      ".part"

static void close_file(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}
#define AUTO_FILE __attribute__((cleanup(close_file)))

/* The folder of `path`, or "." */
static void folder_of(const char *path, char ret_folder[STORE_BEFORE_PATH_LEN])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	(void)snprintf(ret_folder, STORE_BEFORE_PATH_LEN, "%.*s", (int)len, path);
	if (slash == NULL)
		(void)snprintf(ret_folder, STORE_BEFORE_PATH_LEN, ".");
}

/* ---- the store as it stands ---- */

/* Opening moves what a kill left in the WAL into the file, closing leaves none: then the file is
 * all there is. */
static enum err read_version(const char *path, bool is_check, uint64_t *ret_version)
{
	AUTO(store_close) struct store *s = NULL;
	AUTO(store_finalize) struct sql *q = NULL;
	enum err e = store_open_as_is(path, &s);

	if (e == ERR_OK)
		e = store_read_version(s, ret_version);
	if (e != ERR_OK || !is_check)
		return e;
	e = store_prepare(s, BYTES_LIT("PRAGMA integrity_check(1)"), &q);
	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK && !bytes_is(sql_text(q, 0), "ok"))
		e = err_raise(ERR_CORRUPT, "%s: %.*s; nothing was altered", path,
			      BYTES_FMT(sql_text(q, 0)));
	return e;
}

static enum err check_wal(const char *path)
{
	char wal[STORE_BEFORE_PATH_LEN];
	struct stat st;

	(void)snprintf(wal, sizeof wal, "%s-wal", path);
	if (stat(wal, &st) != 0 && errno == ENOENT)
		return ERR_OK;
	return err_raise(ERR_FULL, "%s could not be moved into the store: is the disk full?", wal);
}

static enum err check_room(const char *path)
{
	char folder[STORE_BEFORE_PATH_LEN];
	struct statvfs fs;
	struct stat st;
	uint64_t room;

	folder_of(path, folder);
	if (stat(path, &st) != 0 || statvfs(folder, &fs) != 0)
		return err_raise(ERR_IO, "%s: %s", path, strerror(errno));
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room < (uint64_t)st.st_size)
		return err_raise(ERR_FULL,
				 "%s: the new version copies the store before it alters it, which "
				 "wants %" PRIu64 " bytes, and %" PRIu64
				 " are free; make room and start again, nothing was altered",
				 folder, (uint64_t)st.st_size, room);
	return ERR_OK;
}

/* ---- the copy ---- */

static enum err failed_to(const char *doing, const char *path)
{
	/* A limit of this process is as good as a full disk. */
	bool is_full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	return err_raise(is_full ? ERR_FULL : ERR_IO, "%s %s: %s", doing, path, strerror(errno));
}

static enum err write_all(int fd, const uint8_t *data, size_t len, const char *path)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed_to("write", path);
		data += n;
		len -= (size_t)n;
	}
	return ERR_OK;
}

/* Reads `in` to its end; `out` gets the same bytes unless it is -1. */
static enum err pass(int in, int out, const char *path, struct hash *ret_hash)
{
	AUTO(buf_clear) struct buf piece = {0};
	struct hasher hasher;
	enum err e = ERR_OK;

	buf_reserve(&piece, PIECE_LEN);
	hasher_start(&hasher);
	while (e == ERR_OK) {
		ssize_t n = read(in, piece.data, PIECE_LEN);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_raise(ERR_IO, "read %s: %s", path, strerror(errno));
		if (n == 0)
			break;
		hasher_add(&hasher, bytes_of(piece.data, (size_t)n));
		if (out >= 0)
			e = write_all(out, piece.data, (size_t)n, path);
	}
	*ret_hash = hasher_end(&hasher);
	return e;
}

/* Written, synced, and out of the page cache, so that reading it back asks the disk. */
static enum err settle(int fd, const char *path)
{
	int rc;

	if (fsync(fd) != 0)
		return failed_to("fsync", path);
	rc = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	if (rc != 0)
		return err_raise(ERR_IO, "posix_fadvise %s: %s", path, strerror(rc));
	return ERR_OK;
}

static enum err copy_file(const char *path, const char *part)
{
	AUTO_FILE int in = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	AUTO_FILE int out = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct hash written;
	struct hash found;
	enum err e;

	if (in < 0 || out < 0)
		return err_raise(ERR_IO, "open %s: %s", in < 0 ? path : part, strerror(errno));
	e = pass(in, out, part, &written);
	if (e == ERR_OK)
		e = settle(out, part);
	if (e == ERR_OK && lseek(out, 0, SEEK_SET) != 0)
		e = err_raise(ERR_IO, "lseek %s: %s", part, strerror(errno));
	if (e == ERR_OK)
		e = pass(out, -1, part, &found);
	if (e == ERR_OK && memcmp(written.bytes, found.bytes, HASH_LEN) != 0)
		e = err_raise(ERR_IO, "%s: the disk gives back other bytes than were written",
			      part);
	return e;
}

static enum err check_copy(const char *part, uint64_t version)
{
	uint64_t found = 0;
	enum err e = read_version(part, true, &found);

	if (e == ERR_OK && found != version)
		e = err_raise(ERR_IO, "%s has version %" PRIu64 ", not %" PRIu64, part, found,
			      version);
	return e;
}

static enum err sync_folder_of(const char *path)
{
	char folder[STORE_BEFORE_PATH_LEN];

	folder_of(path, folder);

	AUTO_FILE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fsync(fd) != 0)
		return err_raise(ERR_IO, "fsync %s: %s", folder, strerror(errno));
	return ERR_OK;
}

static enum err make_copy(const char *path, struct store_before *b)
{
	char part[STORE_BEFORE_PATH_LEN + sizeof PART];
	int len = snprintf(b->path, sizeof b->path, "%s" MARK "%" PRIu64, path, b->from);
	enum err e;

	if (len < 0 || (size_t)len >= sizeof b->path)
		return err_raise(ERR_INVAL, "path too long: %s", path);
	(void)snprintf(part, sizeof part, "%s" PART, b->path);
	/* Left by a kill. */
	(void)unlink(part);
	e = copy_file(path, part);
	if (e == ERR_OK)
		e = check_copy(part, b->from);
	if (e == ERR_OK && rename(part, b->path) != 0)
		e = err_raise(ERR_IO, "rename %s: %s", part, strerror(errno));
	if (e == ERR_OK)
		e = sync_folder_of(path);
	if (e != ERR_OK)
		(void)unlink(part);
	return e;
}

enum err store_keep_before(const char *path, struct store_before *ret_before)
{
	struct store_before b = {.to = store_newest_version()};
	struct stat st;
	enum err e;

	*ret_before = (struct store_before){0};
	if (stat(path, &st) != 0 && errno == ENOENT)
		return ERR_OK;
	e = read_version(path, false, &b.from);
	if (e != ERR_OK || b.from == 0 || b.from == b.to)
		return e;
	if (b.from > b.to)
		return store_refuse_newer(b.from);
	e = check_wal(path);
	if (e == ERR_OK)
		e = check_room(path);
	if (e == ERR_OK)
		e = make_copy(path, &b);
	if (e != ERR_OK)
		return e;
	b.is_kept = true;
	*ret_before = b;
	return ERR_OK;
}

void store_drop_before(const char *path)
{
	char folder[STORE_BEFORE_PATH_LEN];
	char begin[STORE_BEFORE_PATH_LEN];
	const char *slash = strrchr(path, '/');
	const struct dirent *entry;

	folder_of(path, folder);
	(void)snprintf(begin, sizeof begin, "%s" MARK, slash != NULL ? slash + 1 : path);

	DIR *dir = opendir(folder);

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, begin, strlen(begin)) != 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			log_notice("removed file=%s/%s", folder, entry->d_name);
		else
			log_warn("unlink %s/%s: %s", folder, entry->d_name, strerror(errno));
	}
	(void)closedir(dir);
}
