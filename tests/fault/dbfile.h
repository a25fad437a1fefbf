/*
 * dbfile - an SQLite file as the test sees it from outside: with its journals, and what it holds.
 */
#pragma once

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/crypt.h"

/* PATH, PATH-wal, PATH-journal, PATH-shm. */
void dbfile_remove(const char *path);
/* All but the shared memory. */
void dbfile_copy(const char *path, const char *copy);
/* Appends PATH + ending; nothing when there is no such file. */
void dbfile_read(const char *path, const char *ending, struct buf *out);
/* Everything in the file, by SQLite's own VFS; the file is recovered by this. False: it cannot be
 * read. */
bool dbfile_digest(const char *path, struct hash *ret_hash);

/* In memory if there is such a place; removed with everything in it. */
void dbfile_make_folder(char ret_path[64]);
void dbfile_remove_folder(const char *path);
/* The default one from now on. */
void dbfile_use_vfs(const char *name);
