#include "tests/unit/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/search.h"
#include "client/vault_internal.h"
#include "proto/changeset.h"
#include "tests/support/client_home.h"

#define NAME  "Điểu Kanh Xuân Trừng"
#define OTHER "Thị Mré Ở Lại"
#define GONE  7 /* the child's exit code: it did what it should, and then was gone */

static int setup(void **state)
{
	struct client_home *h = calloc(1, sizeof *h);

	client_home_init(h);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	client_home_clear(*state);
	free(*state);
	return 0;
}

static struct id add_person(struct client_home *h, const char *name)
{
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", name));
	return id;
}

static void erase(struct client_home *h, const struct id *id)
{
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_erase(h->vault, id));
	assert_ok(vault_commit(h->vault));
}

static bool owes(struct client_home *h)
{
	bool is = false;

	assert_ok(vault_doc_is_there(h->vault, VAULT_DOC_SWEEP, &is));
	return is;
}

static enum err count_hit(void *arg, const struct vault_record *r)
{
	size_t *count = arg;

	(void)r;
	++*count;
	return ERR_OK;
}

static size_t hits(struct client_home *h, const char *text)
{
	size_t count = 0;
	const struct search s = {.vault = h->vault,
				 .schema = h->schema,
				 .text = bytes_str(text),
				 .type = BYTES_NONE,
				 .limit = 50};

	assert_ok(search_run(&s, count_hit, &count));
	return count;
}

/* Whether a set of the outbox, opened, holds the text. */
static bool outbox_holds(struct client_home *h, const char *text)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_sets sets = {0};
	bool is = false;

	assert_ok(vault_outbox_load(h->vault, &a, 0, SIZE_MAX, SIZE_MAX, &sets));
	for (size_t i = 0; i < sets.count; i++)
		is = is || memmem(sets.items[i].wire.data, sets.items[i].wire.len, text,
				  strlen(text)) != NULL;
	return is;
}

static void seal(struct client_home *h)
{
	assert_ok(sync_seal(&h->sync));
}

static size_t changes_of(struct client_home *h, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_change *changes = NULL;
	size_t count = 0;

	assert_ok(vault_changes_of(h->vault, &a, id, &changes, &count));
	return count;
}

/* Sent, waiting in a set with others, and a draft on top. */
static void everything_of_it_goes_and_nothing_else(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, NAME);

	assert_ok(client_home_sync(h));
	(void)add_person(h, OTHER);
	assert_ok(client_home_edit(h, "person", &id, "full_name", NAME " hai"));
	seal(h);
	assert_ok(client_home_edit(h, "person", &id, "full_name", NAME " ba"));
	assert_true(outbox_holds(h, NAME) && outbox_holds(h, OTHER));
	assert_int_equal(hits(h, "xuan trung"), 1);
	assert_int_equal(changes_of(h, &id), 2);

	erase(h, &id);

	assert_false(client_home_has(h, &id));
	assert_int_equal(changes_of(h, &id), 0);
	assert_int_equal(hits(h, "xuan trung"), 0);
	assert_int_equal(hits(h, "o lai"), 1);
	assert_false(outbox_holds(h, NAME));
	assert_true(outbox_holds(h, OTHER));
	assert_int_equal(client_home_problems(h), 0);
}

static void a_set_that_was_cut_is_signed_and_chained_as_before(void **state)
{
	struct client_home *h = *state;
	AUTO(arena_clear) struct arena a = {0};
	struct id id = add_person(h, NAME);
	struct vault_identity identity;
	struct sign_pair key;
	struct vault_sets before = {0};
	struct vault_sets after = {0};
	struct changeset_opened whole;
	struct changeset_opened cut;

	(void)add_person(h, OTHER);
	seal(h);
	assert_ok(vault_identity_load(h->vault, &a, &identity));
	sign_pair_from_seed(identity.seed, &key);
	assert_ok(vault_outbox_load(h->vault, &a, 0, SIZE_MAX, SIZE_MAX, &before));
	assert_ok(changeset_open(&a, before.items[0].wire, &key.public_key, &whole));

	erase(h, &id);

	assert_ok(vault_outbox_load(h->vault, &a, 0, SIZE_MAX, SIZE_MAX, &after));
	assert_int_equal(after.count, before.count);
	assert_ok(changeset_open(&a, after.items[0].wire, &key.public_key, &cut));
	assert_memory_equal(&cut.set.head, &whole.set.head, sizeof cut.set.head);
	assert_int_equal(cut.set.count, 2);
	assert_true(cut.set.changes[0].is_cut);
	assert_int_equal(cut.set.changes[0].count, 0);
	assert_false(cut.set.changes[1].is_cut);
	assert_int_equal(cut.set.changes[1].count, whole.set.changes[1].count);
	/* A second time there is nothing left to cut. */
	erase(h, &id);
	assert_ok(vault_outbox_load(h->vault, &a, 0, SIZE_MAX, SIZE_MAX, &before));
	assert_int_equal(before.items[0].wire.len, after.items[0].wire.len);
	assert_memory_equal(before.items[0].wire.data, after.items[0].wire.data,
			    after.items[0].wire.len);
}

static void what_the_inbox_says_of_it_goes(void **state)
{
	struct client_home *h = *state;
	AUTO(arena_clear) struct arena a = {0};
	struct id id = add_person(h, NAME);
	struct id other = add_person(h, OTHER);
	struct vault_notice *notices = NULL;
	size_t count = 0;

	assert_ok(vault_begin(h->vault));
	for (int i = 0; i < 2; i++) {
		const struct vault_notice n = {.notice = i + 1,
					       .kind = BYTES_LIT("conflict"),
					       .type = BYTES_LIT("person"),
					       .id = i == 0 ? id : other,
					       .field = BYTES_LIT("full_name"),
					       .lost = value_text(BYTES_LIT(NAME))};

		assert_ok(vault_notice_put(h->vault, &n));
	}
	assert_ok(vault_commit(h->vault));

	erase(h, &id);

	assert_ok(vault_notices(h->vault, &a, true, &notices, &count));
	assert_int_equal(count, 1);
	assert_int_equal(id_compare(&notices[0].id, &other), 0);
}

static void what_is_rolled_back_is_still_there_and_nothing_is_owed(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, NAME);

	seal(h);
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_erase(h->vault, &id));
	vault_rollback(h->vault);

	assert_true(client_home_has(h, &id));
	assert_true(outbox_holds(h, NAME));
	assert_int_equal(hits(h, "xuan trung"), 1);
	assert_false(owes(h));
	assert_int_equal(client_home_problems(h), 0);
}

static void a_sweep_is_owed_until_it_is_done(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, NAME);

	assert_ok(vault_sweep(h->vault));
	assert_false(owes(h));
	erase(h, &id);
	assert_true(owes(h));
	assert_ok(vault_sweep(h->vault));
	assert_false(owes(h));
	assert_int_equal(client_home_problems(h), 0);
}

static void who_hears_of_an_erasure_at_a_sync_owes_nothing_after_it(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, NAME);

	assert_ok(client_home_sync(h));
	h->office->evictions[h->office->eviction_count++] = (struct msg_evict){
		.type = BYTES_LIT("person"), .id = id, .unit = OFFICE_UNIT, .is_erased = true};
	assert_ok(client_home_sync(h));

	assert_false(client_home_has(h, &id));
	assert_false(owes(h));
}

/* ---- what is left in the files ---- */

struct canaries {
	struct buf record;
	struct buf change;
	struct buf set;
};

static void read_blob(sqlite3 *db, const char *sql, struct buf *out)
{
	sqlite3_stmt *stmt = NULL;

	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
	buf_append(out, sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_true(out->len > 32);
}

/* As they lie in the file: sealed, and whoever has the passphrase opens them. No vault has it
 * open. */
static void take_canaries(struct client_home *h, struct canaries *ret)
{
	char path[128];
	sqlite3 *db = NULL;

	snprintf(path, sizeof path, "%s/vault.db", h->path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	read_blob(db, "SELECT body FROM record ORDER BY key LIMIT 1", &ret->record);
	read_blob(db, "SELECT body FROM change ORDER BY seq LIMIT 1", &ret->change);
	read_blob(db, "SELECT wire FROM outbox ORDER BY first LIMIT 1", &ret->set);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void clear_canaries(struct canaries *c)
{
	buf_clear(&c->record);
	buf_clear(&c->change);
	buf_clear(&c->set);
}

static bool file_holds(struct client_home *h, const char *name, const struct buf *what)
{
	AUTO(buf_clear) struct buf file = {0};
	char path[128];
	size_t got = 1;

	snprintf(path, sizeof path, "%s/%s", h->path, name);
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		return false;
	for (; got != 0; file.len += got)
		got = fread(buf_reserve(&file, 65536), 1, 65536, f);
	fclose(f);
	/* Its last bytes: a page that was freed may have lost the first ones. */
	return memmem(file.data, file.len, what->data + what->len - 32, 32) != NULL;
}

static bool files_hold(struct client_home *h, const struct canaries *c)
{
	const struct buf *all[] = {&c->record, &c->change, &c->set};
	bool is = false;

	for (size_t i = 0; i < 3; i++)
		is = is || file_holds(h, "vault.db", all[i]) ||
		     file_holds(h, "vault.db-wal", all[i]);
	return is;
}

static void erase_and_vanish(struct client_home *h, const struct id *id)
{
	struct vault *v = NULL;

	if (vault_open(h->path, &h->rand, &v) != ERR_OK ||
	    vault_unlock(v, BYTES_LIT("mật khẩu")) != ERR_OK || vault_begin(v) != ERR_OK ||
	    vault_record_erase(v, id) != ERR_OK || vault_commit(v) != ERR_OK)
		_exit(1);
	_exit(GONE);
}

static void who_dies_before_the_sweep_has_it_done_at_the_next_opening(void **state)
{
	struct client_home *h = *state;
	struct canaries canaries = {0};
	struct id id = add_person(h, NAME);
	struct vault *locked = NULL;
	int status = 0;

	seal(h);
	(void)add_person(h, OTHER);
	vault_close(h->vault);
	h->vault = NULL;
	take_canaries(h, &canaries);

	pid_t child = fork();

	if (child == 0)
		erase_and_vanish(h, &id);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), GONE);
	assert_true(files_hold(h, &canaries)); /* control: else the search finds nothing */

	/* Without the passphrase: whoever opens the home does it. */
	assert_ok(vault_open(h->path, &h->rand, &locked));
	assert_false(files_hold(h, &canaries));
	vault_close(locked);
	assert_false(files_hold(h, &canaries));

	client_home_reopen(h);
	assert_false(owes(h));
	assert_false(client_home_has(h, &id));
	assert_int_equal(hits(h, "o lai"), 1);
	assert_int_equal(client_home_problems(h), 0);
	clear_canaries(&canaries);
}

static void a_vault_that_was_let_go_meanwhile_is_swept_when_it_is_taken_again(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, NAME);

	erase(h, &id);
	vault_pause(h->vault);
	assert_ok(vault_resume(h->vault));

	assert_false(owes(h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(everything_of_it_goes_and_nothing_else),
		CASE(a_set_that_was_cut_is_signed_and_chained_as_before),
		CASE(what_the_inbox_says_of_it_goes),
		CASE(what_is_rolled_back_is_still_there_and_nothing_is_owed),
		CASE(a_sweep_is_owed_until_it_is_done),
		CASE(who_hears_of_an_erasure_at_a_sync_owes_nothing_after_it),
		CASE(who_dies_before_the_sweep_has_it_done_at_the_next_opening),
		CASE(a_vault_that_was_let_go_meanwhile_is_swept_when_it_is_taken_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
