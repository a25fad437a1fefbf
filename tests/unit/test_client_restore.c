#include "tests/unit/test.h"

#include <stdlib.h>

#include "client/restore.h"
#include "tests/support/client_home.h"

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

/* ---- what the cases share ---- */

static int64_t drafts(struct client_home *h)
{
	struct vault_counts counts;

	assert_ok(vault_count(h->vault, &counts));
	return counts.drafts;
}

static struct id sent_person(struct client_home *h, const char *name)
{
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", name));
	assert_ok(client_home_sync(h));
	return id;
}

static struct vault_notice conflict(const char *type, const struct id *id, const char *field,
				    struct value lost)
{
	return (struct vault_notice){.notice = 5,
				     .kind = BYTES_LIT("conflict"),
				     .type = bytes_str(type),
				     .id = *id,
				     .field = bytes_str(field),
				     .lost = lost};
}

static void keep_notice(struct client_home *h, struct vault_notice notice)
{
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_notice_put(h->vault, &notice));
	assert_ok(vault_commit(h->vault));
}

static enum vault_notice_state state_of_notice(struct client_home *h)
{
	struct arena a = {0};
	struct vault_notice n;

	assert_ok(vault_notice_load(h->vault, &a, 5, &n));
	arena_clear(&a);
	return n.state;
}

static enum err restore(struct client_home *h, enum restore_outcome *ret_outcome)
{
	struct arena a = {0};
	struct entry_context ctx;
	struct finding finding = {0};
	enum err e;

	assert_ok(entry_context_load(&ctx, h->vault, h->schema, &h->clock.clock, &a));
	assert_ok(vault_begin(h->vault));
	e = restore_notice(&ctx, &a, 5, ret_outcome, &finding);
	if (e == ERR_OK)
		assert_ok(vault_commit(h->vault));
	else
		vault_rollback(h->vault);
	arena_clear(&a);
	return e;
}

static void assert_outcome(struct client_home *h, enum restore_outcome want)
{
	enum restore_outcome outcome = RESTORE_TYPE;

	assert_ok(restore(h, &outcome));
	assert_int_equal(outcome, want);
}

/* ---- cases ---- */

static void the_lost_value_is_written_as_a_draft_and_the_notice_marked(void **state)
{
	struct client_home *h = *state;
	struct id id = sent_person(h, "Lan");

	keep_notice(h, conflict("person", &id, "full_name", value_text(BYTES_LIT("Lam"))));
	assert_outcome(h, RESTORE_DONE);

	assert_string_equal(client_home_value(h, &id, "full_name"), "Lam");
	assert_int_equal(drafts(h), 1);
	assert_int_equal(state_of_notice(h), VAULT_NOTICE_RESTORED);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_second_time_writes_nothing(void **state)
{
	struct client_home *h = *state;
	struct id id = sent_person(h, "Lan");

	keep_notice(h, conflict("person", &id, "full_name", value_text(BYTES_LIT("Lam"))));
	assert_outcome(h, RESTORE_DONE);
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Liên"));
	assert_outcome(h, RESTORE_BEFORE);

	assert_string_equal(client_home_value(h, &id, "full_name"), "Liên");
}

static void what_stands_already_is_only_marked(void **state)
{
	struct client_home *h = *state;
	struct id id = sent_person(h, "Lan");

	keep_notice(h, conflict("person", &id, "full_name", value_text(BYTES_LIT("Lan"))));
	assert_outcome(h, RESTORE_STANDS);

	assert_int_equal(drafts(h), 0);
	assert_int_equal(state_of_notice(h), VAULT_NOTICE_RESTORED);
}

/* Putting it away does not unmark it, nor does the office's sending it again. */
static void a_restored_notice_stays_restored(void **state)
{
	struct client_home *h = *state;
	struct id id = sent_person(h, "Lan");
	struct vault_notice n = conflict("person", &id, "full_name", value_text(BYTES_LIT("Lam")));

	keep_notice(h, n);
	assert_outcome(h, RESTORE_DONE);
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_notice_accept(h->vault, 5));
	assert_ok(vault_commit(h->vault));
	keep_notice(h, n);

	assert_int_equal(state_of_notice(h), VAULT_NOTICE_RESTORED);
}

static void a_value_the_schema_refuses_now_changes_nothing(void **state)
{
	struct client_home *h = *state;
	struct id id = sent_person(h, "Lan");
	enum restore_outcome outcome = RESTORE_DONE;

	keep_notice(h, conflict("person", &id, "identity_number", value_text(BYTES_LIT("12"))));
	assert_err(restore(h, &outcome), ERR_INVAL);

	assert_int_equal(drafts(h), 0);
	assert_int_equal(state_of_notice(h), VAULT_NOTICE_OPEN);
}

static void what_is_no_conflict_or_not_here_is_told_apart(void **state)
{
	struct client_home *h = *state;
	struct id id = sent_person(h, "Lan");
	struct id gone = client_home_new_id(h);
	struct vault_notice other = conflict("person", &id, "full_name", VALUE_NONE);
	enum restore_outcome outcome = RESTORE_DONE;

	assert_err(restore(h, &outcome), ERR_NOTFOUND);
	other.kind = BYTES_LIT("quarantine");
	keep_notice(h, other);
	assert_outcome(h, RESTORE_NO_CONFLICT);
	keep_notice(h, conflict("person", &gone, "full_name", value_text(BYTES_LIT("Lam"))));
	assert_outcome(h, RESTORE_GONE);
	keep_notice(h, conflict("no_such_type", &id, "full_name", value_text(BYTES_LIT("Lam"))));
	assert_outcome(h, RESTORE_TYPE);

	assert_int_equal(drafts(h), 0);
	assert_int_equal(state_of_notice(h), VAULT_NOTICE_OPEN);
}

static void an_event_is_refused_but_not_its_deletion(void **state)
{
	struct client_home *h = *state;
	struct id id = client_home_new_id(h);
	const char *event = NULL;
	struct field unit = {.name = BYTES_LIT(RECORD_UNIT), .value = value_int(OFFICE_UNIT)};
	struct vault_record record = {.body = {.id = id, .fields = &unit, .count = 1},
				      .is_same = true};

	for (size_t i = 0; i < h->schema->type_count; i++)
		if (h->schema->types[i].kind == SCHEMA_EVENT)
			event = arena_strdup(h->schema->memory, h->schema->types[i].name);
	assert_non_null(event);
	record.body.type = bytes_str(event);
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_put(h->vault, &record));
	assert_ok(vault_commit(h->vault));
	keep_notice(h, conflict(event, &id, "amount", value_int(7)));

	assert_outcome(h, RESTORE_EVENT);

	keep_notice(h, conflict(event, &id, RECORD_DELETED, value_text(BYTES_LIT("nhầm"))));
	assert_outcome(h, RESTORE_DONE);
}

/* The reason is in the record still, but an edit outlived it: deleting again is news. */
static void a_deletion_that_an_edit_outlived_deletes_again(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct id id = sent_person(h, "Lan");
	struct write w = {BYTES_LIT(RECORD_DELETED), value_text(BYTES_LIT("nhập nhầm"))};
	struct change gone = {.type = BYTES_LIT("person"), .id = id, .writes = &w, .count = 1};
	struct vault_record r;

	assert_ok(client_home_make(h, &gone));
	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lam"));
	assert_ok(client_home_sync(h));
	assert_ok(vault_record_load(h->vault, &a, &id, &r));
	assert_false(record_is_deleted(&r.body));
	keep_notice(h, conflict("person", &id, RECORD_DELETED, w.value));

	assert_outcome(h, RESTORE_DONE);

	assert_ok(vault_record_load(h->vault, &a, &id, &r));
	assert_true(record_is_deleted(&r.body));
	assert_int_equal(drafts(h), 1);
	arena_clear(&a);
}

static void an_edit_that_lost_to_a_deletion_brings_the_record_back(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct id id = sent_person(h, "Lan");
	struct write w = {BYTES_LIT(RECORD_DELETED), value_text(BYTES_LIT("nhập nhầm"))};
	struct change gone = {.type = BYTES_LIT("person"), .id = id, .writes = &w, .count = 1};
	struct vault_record r;

	assert_ok(client_home_make(h, &gone));
	assert_ok(client_home_sync(h));
	keep_notice(h, conflict("person", &id, RECORD_DELETED, VALUE_NONE));

	assert_outcome(h, RESTORE_DONE);

	assert_ok(vault_record_load(h->vault, &a, &id, &r));
	assert_false(record_is_deleted(&r.body));
	arena_clear(&a);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_lost_value_is_written_as_a_draft_and_the_notice_marked),
		CASE(a_second_time_writes_nothing),
		CASE(what_stands_already_is_only_marked),
		CASE(a_restored_notice_stays_restored),
		CASE(a_value_the_schema_refuses_now_changes_nothing),
		CASE(what_is_no_conflict_or_not_here_is_told_apart),
		CASE(an_event_is_refused_but_not_its_deletion),
		CASE(a_deletion_that_an_edit_outlived_deletes_again),
		CASE(an_edit_that_lost_to_a_deletion_brings_the_record_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
