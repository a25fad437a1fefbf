#define LOG_TAG "web"

#include "daemon/web_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/arena.h"
#include "common/base/crypt.h"
#include "common/base/id.h"
#include "common/base/mem.h"

#define DISK_PATH_MAX 4096u
#define DEPTH_MAX     4u
#define TAG_BYTES     16u

struct web_files {
	struct web_file files[WEB_FILES_MAX]; /* sorted by path once all are read */
	size_t count;
	size_t bytes;
	size_t lacking; /* libraries that are not installed */
	struct arena memory;
};

/* clang-format off */
static const struct kind {
	const char *end;
	const char *type;
} kinds[] = {
	{".html",  "text/html; charset=utf-8"},
	{".css",   "text/css; charset=utf-8"},
	{".js",    "text/javascript; charset=utf-8"},
	{".mjs",   "text/javascript; charset=utf-8"},
	{".json",  "application/json; charset=utf-8"},
	{".svg",   "image/svg+xml"},
	{".png",   "image/png"},
	{".ico",   "image/x-icon"},
	{".woff2", "font/woff2"},
	{".txt",   "text/plain; charset=utf-8"},
	{".webmanifest", "application/manifest+json"},
};

/* Where Debian's libjs-bootstrap5 and libjs-chart.js put them; the path is ours. */
static const struct library {
	const char *path;
	const char *disk;
} libraries_served[] = {
	{"lib/bootstrap.min.css", "bootstrap5/css/bootstrap.min.css"},
	{"lib/chart.mjs", "chart.js/chart.mjs"},
	{"lib/chunks/helpers.segment.mjs", "chart.js/chunks/helpers.segment.mjs"},
};
/* clang-format on */

#define LIBRARIES (sizeof libraries_served / sizeof libraries_served[0])

static const char *type_of(const char *path)
{
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot != NULL && i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].end, dot) == 0)
			return kinds[i].type;
	return NULL;
}

static enum err read_content(struct web_files *w, const char *disk, size_t size,
			     struct bytes *ret_content)
{
	FILE *f = fopen(disk, "rb");
	uint8_t *data;
	size_t got;

	if (f == NULL)
		return err_raise(ERR_IO, "%s: %s", disk, strerror(errno));
	data = arena_alloc(&w->memory, size + 1);
	got = fread(data, 1, size + 1, f);
	(void)fclose(f);
	/* Written to while we read: half of a page is worse than none. */
	if (got != size)
		return err_raise(ERR_IO, "%s: its size changed while it was read", disk);
	*ret_content = bytes_of(data, size);
	return ERR_OK;
}

static enum err add_file(struct web_files *w, const char *disk, const char *path, size_t size)
{
	struct web_file *f = &w->files[w->count];
	struct hash hash;
	enum err e;

	if (w->count == WEB_FILES_MAX || size > WEB_FILES_BYTES - w->bytes)
		return err_raise(ERR_TOOBIG, "%s: more than %u files or %zu bytes of pages", disk,
				 WEB_FILES_MAX, WEB_FILES_BYTES);
	f->type = type_of(path);
	e = read_content(w, disk, size, &f->content);
	if (e != ERR_OK)
		return e;
	snprintf(f->path, sizeof f->path, "%s", path);
	hash = hash_of(f->content);
	f->tag[0] = '"';
	hex_print(hash.bytes, TAG_BYTES, f->tag + 1);
	memcpy(f->tag + 1 + (size_t)2 * TAG_BYTES, "\"", 2);
	w->bytes += size;
	w->count++;
	return ERR_OK;
}

struct place {
	const char *disk; /* folder */
	const char *path; /* what stands before names in it: "" or "shared/" */
	unsigned depth;
};

static enum err read_folder(struct web_files *w, const struct place *at);

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX folders deep */
static enum err read_entry(struct web_files *w, const struct place *at, const char *name)
{
	char disk[DISK_PATH_MAX];
	char path[WEB_FILES_PATH_MAX];
	struct stat st;
	int len = snprintf(disk, sizeof disk, "%s/%s", at->disk, name);

	if (name[0] == '.')
		return ERR_OK;
	if (len < 0 || (size_t)len >= sizeof disk || stat(disk, &st) != 0)
		return err_raise(ERR_IO, "%s/%s: %s", at->disk, name, strerror(errno));
	len = snprintf(path, sizeof path, "%s%s%s", at->path, name, S_ISDIR(st.st_mode) ? "/" : "");
	if (len < 0 || (size_t)len >= sizeof path)
		return err_raise(ERR_TOOBIG, "%s: the path is too long", disk);
	if (S_ISDIR(st.st_mode)) {
		if (at->depth == DEPTH_MAX)
			return err_raise(ERR_TOOBIG, "%s: too deep", disk);
		return read_folder(w, &(struct place){disk, path, at->depth + 1});
	}
	if (!S_ISREG(st.st_mode) || type_of(name) == NULL)
		return ERR_OK;
	return add_file(w, disk, path, (size_t)st.st_size);
}

/* NOLINTNEXTLINE(misc-no-recursion): DEPTH_MAX folders deep */
static enum err read_folder(struct web_files *w, const struct place *at)
{
	DIR *d = opendir(at->disk);
	const struct dirent *entry;
	enum err e = ERR_OK;

	if (d == NULL)
		return err_raise(errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s: %s", at->disk,
				 strerror(errno));
	while (e == ERR_OK && (entry = readdir(d)) != NULL)
		e = read_entry(w, at, entry->d_name);
	(void)closedir(d);
	return e;
}

static int path_order(const void *a, const void *b)
{
	return strcmp(((const struct web_file *)a)->path, ((const struct web_file *)b)->path);
}

static enum err read_libraries(struct web_files *w, const char *folder)
{
	char disk[DISK_PATH_MAX];
	struct stat st;
	enum err e = ERR_OK;

	w->lacking = folder == NULL ? LIBRARIES : 0;
	for (size_t i = 0; folder != NULL && e == ERR_OK && i < LIBRARIES; i++) {
		int len = snprintf(disk, sizeof disk, "%s/%s", folder, libraries_served[i].disk);

		if (len < 0 || (size_t)len >= sizeof disk || stat(disk, &st) != 0 ||
		    !S_ISREG(st.st_mode))
			w->lacking++;
		else
			e = add_file(w, disk, libraries_served[i].path, (size_t)st.st_size);
	}
	return e;
}

enum err web_files_load(const char *folder, const char *libraries, struct web_files **ret_files)
{
	AUTO(web_files_free) struct web_files *w = mem_alloc_zero(sizeof *w);
	char disk[DISK_PATH_MAX];
	enum err e;

	snprintf(disk, sizeof disk, "%s/console", folder);
	e = read_folder(w, &(struct place){disk, "", 0});
	if (e != ERR_OK)
		return e;
	snprintf(disk, sizeof disk, "%s/shared", folder);
	e = read_folder(w, &(struct place){disk, "shared/", 0});
	if (e == ERR_OK || e == ERR_NOTFOUND)
		e = read_libraries(w, libraries);
	if (e != ERR_OK)
		return e;
	if (w->count != 0)
		qsort(w->files, w->count, sizeof w->files[0], path_order);
	*ret_files = MOVE(w);
	return ERR_OK;
}

void web_files_free(struct web_files *w)
{
	arena_clear(&w->memory);
	mem_free(w);
}

static const struct web_file *find(const struct web_files *w, const char *path)
{
	struct web_file wanted;

	if (w->count == 0 || strlen(path) >= sizeof wanted.path)
		return NULL;
	snprintf(wanted.path, sizeof wanted.path, "%s", path);
	return bsearch(&wanted, w->files, w->count, sizeof w->files[0], path_order);
}

const struct web_file *web_files_find(const struct web_files *w, const char *path)
{
	char other[WEB_FILES_PATH_MAX];
	size_t len = strlen(path);
	const struct web_file *f = find(w, path);

	if (f != NULL || len + sizeof "index.html" > sizeof other)
		return f;
	snprintf(other, sizeof other, "%s%s", path,
		 len == 0 || path[len - 1] == '/' ? "index.html" : ".html");
	return find(w, other);
}

size_t web_files_count(const struct web_files *w)
{
	return w->count;
}

size_t web_files_lacking(const struct web_files *w)
{
	return w->lacking;
}
