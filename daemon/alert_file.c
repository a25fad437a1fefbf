#define LOG_TAG "alert"

#include "daemon/alert_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/folder.h"
#include "common/base/log.h"

#define PATH_LEN 4096u
#define HEAD     "ctxh-"
#define TAIL     ".txt"
#define PART     TAIL ".part"

static enum err print_path(char ret_path[PATH_LEN], const char *folder, const char *name,
			   const char *tail)
{
	if ((size_t)snprintf(ret_path, PATH_LEN, "%s/" HEAD "%s%s", folder, name, tail) >= PATH_LEN)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	return ERR_OK;
}

static bool write_all(int fd, struct bytes text)
{
	for (size_t at = 0; at < text.len;) {
		const ssize_t put = write(fd, text.data + at, text.len - at);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return false;
		at += (size_t)put;
	}
	return true;
}

/* A folder of another machine may not know how; then the name is as safe as it makes it. */
static enum err sync_folder(const char *folder)
{
	const int failed = folder_sync(folder);

	if (failed == 0 || failed == EINVAL || failed == ENOTSUP)
		return ERR_OK;
	return err_raise(ERR_FULL, "sync %s: %s", folder, strerror(failed));
}

/* One that is made has its own name on the disk, too. */
static enum err make_folder(const char *folder)
{
	char parent[PATH_LEN];

	if (mkdir(folder, 0755) == 0) {
		(void)snprintf(parent, sizeof parent, "%s/..", folder);
		return sync_folder(parent);
	}
	if (errno != EEXIST)
		return err_raise(ERR_FULL, "mkdir %s: %s", folder, strerror(errno));
	return ERR_OK;
}

static enum err write_part(const char *part, struct bytes text)
{
	const int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bool is_written = fd >= 0 && fchmod(fd, 0644) == 0 && write_all(fd, text) && fsync(fd) == 0;
	const int saved = errno;

	if (fd >= 0)
		is_written = close(fd) == 0 && is_written;
	if (is_written)
		return ERR_OK;
	(void)unlink(part);
	return err_raise(ERR_FULL, "%s: %s", part, strerror(saved));
}

/* ---- the old ones ---- */

/* "ctxh-2026-11-22….txt", or what a kill left of one: only what this program writes. */
static bool is_ours(const char *name, const char *end)
{
	const size_t len = strlen(name);
	const size_t head = sizeof HEAD - 1;
	const size_t tail = strlen(end);

	return len > head + tail && strncmp(name, HEAD, head) == 0 && name[head] >= '0' &&
	       name[head] <= '9' && strcmp(name + len - tail, end) == 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

struct names {
	struct arena memory;
	char **list;
	size_t count;
	size_t cap;
};

static void add(struct names *n, const char *name)
{
	if (n->count == n->cap) {
		char **more = arena_alloc_array(&n->memory, n->cap * 2 + 64, sizeof *more);

		if (n->count != 0)
			memcpy(more, n->list, n->count * sizeof *more);
		n->list = more;
		n->cap = n->cap * 2 + 64;
	}
	n->list[n->count++] = arena_strdup(&n->memory, bytes_str(name));
}

static void drop(DIR *dir, const char *folder, const char *name)
{
	if (unlinkat(dirfd(dir), name, 0) != 0)
		log_warn("unlink %s/%s: %s", folder, name, strerror(errno));
}

/* What cannot be removed stays: that is no reason to call the alert undelivered. */
static void drop_old(const char *folder, size_t keep)
{
	struct names names = {0};
	DIR *dir = opendir(folder);
	const struct dirent *d;

	while (dir != NULL && (d = readdir(dir)) != NULL) {
		if (is_ours(d->d_name, TAIL))
			add(&names, d->d_name);
		/* The one of this time has its name: a daemon that was killed left it. */
		if (is_ours(d->d_name, PART))
			drop(dir, folder, d->d_name);
	}
	if (names.count > keep)
		qsort(names.list, names.count, sizeof *names.list, by_name);
	for (size_t i = 0; i + keep < names.count; i++)
		drop(dir, folder, names.list[i]);
	if (dir != NULL)
		(void)closedir(dir);
	arena_clear(&names.memory);
}

enum err alert_file_write(const char *folder, const char *name, struct bytes text, size_t keep)
{
	char path[PATH_LEN];
	char part[PATH_LEN];
	enum err e = print_path(path, folder, name, TAIL);

	if (e == ERR_OK)
		e = print_path(part, folder, name, PART);
	if (e != ERR_OK)
		return e;
	e = make_folder(folder);
	if (e == ERR_OK)
		e = write_part(part, text);
	if (e != ERR_OK)
		return e;
	if (rename(part, path) != 0)
		return err_raise(ERR_FULL, "rename %s: %s", path, strerror(errno));
	e = sync_folder(folder);
	drop_old(folder, keep);
	return e;
}
