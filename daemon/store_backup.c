#define LOG_TAG "store"

#include "daemon/store_backup.h"

#include <sqlite3.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "daemon/store_private.h"

struct store_copy {
	struct sqlite3 *db;
	struct sqlite3_backup *backup;
};

/* Whatever ails it, it ails the copy: never of the FATAL class, that would stop the daemon. */
static enum err failed(struct store_copy *c, const char *doing, int rc)
{
	if (rc == SQLITE_BUSY || rc == SQLITE_LOCKED)
		return ERR_AGAIN;
	return err_raise(ERR_FULL, "%s: %s (%s)", doing, sqlite3_errmsg(c->db), sqlite3_errstr(rc));
}

/* Synced and checked as a whole later, so SQLite need not care: it is thrown away if we fall. */
static int settle(struct store_copy *c)
{
	return sqlite3_exec(c->db, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF", NULL, NULL,
			    NULL);
}

enum err store_copy_begin(struct store *s, const char *path)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXCLUSIVE |
			  SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	struct store_copy *c;
	int rc;

	REQUIRE(s->is_writer && !s->is_in_transaction && s->copy == NULL);
	c = s->copy = mem_alloc_zero(sizeof *c);
	rc = sqlite3_open_v2(path, &c->db, flags, NULL);
	if (rc == SQLITE_OK)
		rc = settle(c);
	if (rc == SQLITE_OK)
		c->backup = sqlite3_backup_init(c->db, "main", s->db, "main");
	if (rc == SQLITE_OK && c->backup != NULL)
		return ERR_OK;

	enum err e = failed(c, path, rc != SQLITE_OK ? rc : sqlite3_errcode(c->db));

	store_copy_end(s);
	return e;
}

enum err store_copy_step(struct store *s, int pages, struct store_copy_progress *ret_progress)
{
	struct store_copy *c = s->copy;
	int rc;

	REQUIRE(c != NULL && !s->is_in_transaction);
	rc = sqlite3_backup_step(c->backup, pages);
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		return failed(c, "copying", rc);
	*ret_progress = (struct store_copy_progress){
		.pages = (uint64_t)sqlite3_backup_pagecount(c->backup),
		.left = (uint64_t)sqlite3_backup_remaining(c->backup),
		.is_done = rc == SQLITE_DONE,
	};
	return ERR_OK;
}

void store_copy_end(struct store *s)
{
	struct store_copy *c = MOVE(s->copy);

	if (c == NULL)
		return;
	/* Its errors were told by the steps. */
	(void)sqlite3_backup_finish(c->backup);
	(void)sqlite3_close(c->db);
	mem_free(c);
}
