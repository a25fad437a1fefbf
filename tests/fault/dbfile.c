#include "tests/fault/dbfile.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/check.h"

#define PATH_LEN 512u

static const char *const endings[] = {"", "-wal", "-journal", "-shm"};
#define ENDINGS (sizeof endings / sizeof endings[0])

void dbfile_remove(const char *path)
{
	char name[PATH_LEN];

	for (size_t i = 0; i < ENDINGS; i++) {
		(void)snprintf(name, sizeof name, "%s%s", path, endings[i]);
		(void)unlink(name);
	}
}

static void copy_file(const char *from, const char *to)
{
	static uint8_t block[65536];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out;
	ssize_t len;

	if (in < 0)
		return;
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	REQUIRE(out >= 0);
	while ((len = read(in, block, sizeof block)) > 0) {
		ssize_t done = write(out, block, (size_t)len);

		REQUIRE(done == len);
	}
	(void)close(in);
	(void)close(out);
}

void dbfile_copy(const char *path, const char *copy)
{
	char from[PATH_LEN];
	char to[PATH_LEN];

	dbfile_remove(copy);
	for (size_t i = 0; i + 1 < ENDINGS; i++) {
		(void)snprintf(from, sizeof from, "%s%s", path, endings[i]);
		(void)snprintf(to, sizeof to, "%s%s", copy, endings[i]);
		copy_file(from, to);
	}
}

void dbfile_read(const char *path, const char *ending, struct buf *out)
{
	char name[PATH_LEN];
	ssize_t len;
	int fd;

	(void)snprintf(name, sizeof name, "%s%s", path, ending);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((len = read(fd, buf_reserve(out, 65536), 65536)) > 0)
		out->len += (size_t)len;
	(void)close(fd);
}

/* ---- what a store holds ---- */

static void append_column(sqlite3_stmt *row, int i, struct buf *all)
{
	const void *data = sqlite3_column_blob(row, i);
	int len = sqlite3_column_bytes(row, i);

	buf_printf(all, "|%d:%d:", sqlite3_column_type(row, i), len);
	if (len != 0)
		buf_append(all, data, (size_t)len);
}

static bool append_rows(sqlite3 *db, const char *table, struct buf *all)
{
	AUTO(buf_clear) struct buf text = {0};
	sqlite3_stmt *row = NULL;
	int rc;

	buf_printf(&text, "SELECT * FROM \"%s\"", table);
	buf_printf(all, "\n%s", table);
	rc = sqlite3_prepare_v2(db, buf_cstr(&text), -1, &row, NULL);
	while (rc == SQLITE_OK || rc == SQLITE_ROW) {
		rc = sqlite3_step(row);
		if (rc != SQLITE_ROW)
			break;
		for (int i = 0; i < sqlite3_column_count(row); i++)
			append_column(row, i, all);
	}
	(void)sqlite3_finalize(row);
	return rc == SQLITE_DONE;
}

static bool append_tables(sqlite3 *db, struct buf *all)
{
	sqlite3_stmt *table = NULL;
	bool is_good = true;
	int rc = sqlite3_prepare_v2(db,
				    "SELECT name FROM sqlite_schema WHERE type = 'table'"
				    " AND name NOT LIKE 'sqlite_%' ORDER BY name",
				    -1, &table, NULL);

	while (is_good && (rc == SQLITE_OK || rc == SQLITE_ROW)) {
		rc = sqlite3_step(table);
		if (rc == SQLITE_ROW)
			is_good = append_rows(db, (const char *)sqlite3_column_text(table, 0), all);
	}
	(void)sqlite3_finalize(table);
	return is_good && rc == SQLITE_DONE;
}

bool dbfile_digest(const char *path, struct hash *ret_hash)
{
	AUTO(buf_clear) struct buf all = {0};
	sqlite3 *db = NULL;
	bool is_good = true;

	if (access(path, F_OK) == 0) {
		int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, "unix");

		is_good = rc == SQLITE_OK && append_tables(db, &all);
		(void)sqlite3_close(db);
	}
	*ret_hash = hash_of(buf_bytes(&all));
	return is_good;
}

void dbfile_make_folder(char ret_path[64])
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	(void)snprintf(ret_path, 64, "%s/ctxh-fault-XXXXXX", base);
	REQUIRE(mkdtemp(ret_path) != NULL);
}

static int on_file(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void dbfile_remove_folder(const char *path)
{
	(void)nftw(path, on_file, 8, FTW_DEPTH | FTW_PHYS);
}

void dbfile_use_vfs(const char *name)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(name);
	int rc;

	REQUIRE(vfs != NULL);
	rc = sqlite3_vfs_register(vfs, 1);
	REQUIRE(rc == SQLITE_OK);
}
