#define LOG_TAG "outfile"

#include "common/base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define BUFFER_BYTES ((size_t)64 << 10)

struct outfile {
	char *path;
	char *beside; /* where it grows; NULL: at `path` itself */
	struct buf waiting;
	enum err e;
	int fd;
	bool is_new; /* nothing is replaced */
};

static enum err fail(const char *doing, const char *path)
{
	const int why = errno;

	return err_raise(why == ENOSPC || why == EDQUOT ? ERR_FULL : ERR_IO, "%s %s: %s", doing,
			 path, strerror(why));
}

static bool is_special(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static bool is_link(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

/* The new name takes the old one's place: behind a link that is the place it leads to. */
static enum err choose_path(struct outfile *f, const char *path)
{
	if (f->is_new || !is_link(path) || is_special(path)) {
		f->path = mem_strdup(path);
		return ERR_OK;
	}
	f->path = realpath(path, NULL);
	return f->path != NULL ? ERR_OK : fail("follow", path);
}

static enum err create(struct outfile *f)
{
	AUTO(buf_clear) struct buf beside = {0};

	if (!f->is_new && is_special(f->path)) {
		f->fd = open(f->path, O_WRONLY | O_CLOEXEC);
		return f->fd >= 0 ? ERR_OK : fail("open", f->path);
	}
	buf_printf(&beside, "%s.XXXXXX", f->path);
	f->beside = mem_strdup(buf_cstr(&beside));
	f->fd = mkostemp(f->beside, O_CLOEXEC);
	if (f->fd >= 0)
		return ERR_OK;
	mem_free(f->beside);
	f->beside = NULL;
	return fail("create", f->path);
}

static enum err begin(const char *path, bool is_new, struct outfile **ret_file)
{
	AUTO(outfile_drop) struct outfile *f = mem_alloc_zero(sizeof *f);
	enum err e;

	f->fd = -1;
	f->is_new = is_new;
	e = choose_path(f, path);
	if (e == ERR_OK)
		e = create(f);
	if (e == ERR_OK)
		*ret_file = MOVE(f);
	return e;
}

enum err outfile_open(const char *path, struct outfile **ret_file)
{
	return begin(path, false, ret_file);
}

static enum err write_all(const struct outfile *f, struct bytes data)
{
	while (data.len != 0) {
		ssize_t n = write(f->fd, data.data, data.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail("write", f->path);
		data = bytes_of(data.data + n, data.len - (size_t)n);
	}
	return ERR_OK;
}

static enum err flush(struct outfile *f)
{
	if (f->e == ERR_OK)
		f->e = write_all(f, buf_bytes(&f->waiting));
	buf_reset(&f->waiting);
	return f->e;
}

enum err outfile_put(struct outfile *f, struct bytes piece)
{
	if (f->e == ERR_OK)
		buf_append_bytes(&f->waiting, piece);
	return f->waiting.len >= BUFFER_BYTES ? flush(f) : f->e;
}

/* Some file systems of sticks cannot sync a folder; then the name is as safe as they make it. */
static bool cannot_sync(void)
{
	return errno == EINVAL || errno == ENOTSUP || errno == EROFS || errno == EACCES;
}

/* The name is on the disk, too, before the stick is pulled. */
static enum err sync_folder(const struct outfile *f)
{
	AUTO(mem_free) char *copy = mem_strdup(f->path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	enum err e = ERR_OK;

	if ((fd < 0 || fsync(fd) != 0) && !cannot_sync())
		e = fail("sync the folder of", f->path);
	/* Whoever is told that it failed may do it again. */
	if (e != ERR_OK && f->is_new)
		(void)unlink(f->path);
	if (fd >= 0)
		(void)close(fd);
	return e;
}

static enum err take_name(const struct outfile *f)
{
	int rc;

	if (!f->is_new)
		return rename(f->beside, f->path) == 0 ? ERR_OK : fail("rename to", f->path);
	rc = renameat2(AT_FDCWD, f->beside, AT_FDCWD, f->path, RENAME_NOREPLACE);
	/* Not every file system can; those have links. */
	if (rc != 0 && errno == EINVAL && (rc = link(f->beside, f->path)) == 0)
		(void)unlink(f->beside);
	if (rc != 0 && errno == EEXIST)
		return err_raise(ERR_CONFLICT, "%s: %s", f->path, strerror(errno));
	return rc == 0 ? ERR_OK : fail("rename to", f->path);
}

static enum err settle(struct outfile *f)
{
	enum err e = flush(f);

	/* What is no file has no disk to be on. */
	if (e != ERR_OK || f->beside == NULL)
		return e;
	if (fsync(f->fd) != 0)
		return fail("sync", f->path);
	e = take_name(f);
	if (e != ERR_OK)
		return e;
	mem_free(f->beside);
	f->beside = NULL;
	return sync_folder(f);
}

enum err outfile_finish(struct outfile *f)
{
	enum err e = settle(f);

	outfile_drop(f);
	return e;
}

void outfile_drop(struct outfile *f)
{
	if (f == NULL)
		return;
	if (f->fd >= 0)
		(void)close(f->fd);
	if (f->beside != NULL)
		(void)unlink(f->beside);
	mem_free(f->beside);
	mem_free(f->path);
	buf_clear(&f->waiting);
	mem_free(f);
}

static enum err write_at_once(const char *path, struct bytes content, bool is_new)
{
	struct outfile *f = NULL;
	enum err e = begin(path, is_new, &f);

	if (e != ERR_OK)
		return e;
	f->e = write_all(f, content);
	return outfile_finish(f);
}

enum err outfile_write(const char *path, struct bytes content)
{
	return write_at_once(path, content, false);
}

enum err outfile_write_new(const char *path, struct bytes content)
{
	return write_at_once(path, content, true);
}
