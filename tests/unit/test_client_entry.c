#include "tests/unit/test.h"

#include <stdlib.h>

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

static int64_t drafts(struct client_home *h)
{
	struct vault_counts counts;

	assert_ok(vault_count(h->vault, &counts));
	return counts.drafts;
}

static struct id add_person(struct client_home *h, const char *name)
{
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", name));
	return id;
}

static void edits_of_one_draft_are_one_change(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 1"));
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lan Anh"));
	assert_int_equal(drafts(h), 1);
	assert_ok(client_home_sync(h));

	assert_int_equal(h->office->number, 1);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Lan Anh");
	assert_string_equal(client_home_value(h, &id, "hamlet"), "Thôn 1");
}

static void saying_the_same_again_makes_no_change(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lan"));

	assert_int_equal(drafts(h), 0);
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
}

static void an_edit_taken_back_leaves_nothing_to_send(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lam"));
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lan"));

	assert_int_equal(drafts(h), 0);
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_int_equal(client_home_problems(h), 0);
}

/* The office sends it away with the next answer. */
static void evict(struct client_home *h, const struct id *id)
{
	h->office->evictions[0] =
		(struct msg_evict){.type = BYTES_LIT("person"), .id = *id, .unit = OFFICE_UNIT};
	h->office->eviction_count = 1;
}

static void a_record_that_left_goes_when_its_refused_edit_is_taken_back(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lam"));
	evict(h, &id);
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lan"));

	assert_false(client_home_has(h, &id));
	assert_int_equal(drafts(h), 0);
	assert_int_equal(client_home_problems(h), 0);
}

static void what_came_below_a_refused_value_has_not_been_seen(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_change *list;
	size_t count;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	assert_ok(client_home_sync(h));
	office_write(h->office, "person", &id, "hamlet", value_text(BYTES_LIT("Của người khác")),
		     h->clock.wall);
	h->clock.wall += 60000;
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Bị giữ lại"));
	assert_ok(vault_drafts(h->vault, &a, 100, &list, &count));
	uint64_t base = list[0].change.base;

	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	assert_string_equal(client_home_value(h, &id, "hamlet"), "Bị giữ lại");
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Đã sửa"));

	assert_ok(vault_drafts(h->vault, &a, 100, &list, &count));
	assert_int_equal(count, 1);
	assert_int_equal(list[0].change.base, base);
	arena_clear(&a);
}

static void edit_meanwhile(struct office *o)
{
	struct client_home *h = o->on_request_arg;

	o->on_request = NULL;
	assert_ok(client_home_edit(h, "person", &h->office->evictions[0].id, "full_name", "Lam"));
}

static void a_record_that_left_goes_when_its_draft_is_taken_back(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	evict(h, &id);
	h->office->on_request = edit_meanwhile;
	h->office->on_request_arg = h;
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_DRAFT);

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lan"));

	assert_false(client_home_has(h, &id));
	assert_int_equal(drafts(h), 0);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_value_out_of_its_field_is_refused_and_nothing_kept(void **state)
{
	struct client_home *h = *state;
	struct id id = client_home_new_id(h);

	assert_err(client_home_edit(h, "person", &id, "identity_number", "12"), ERR_INVAL);

	assert_false(client_home_has(h, &id));
	assert_int_equal(drafts(h), 0);
	assert_int_equal(vault_state(h->vault)->hlc, 0);
}

static void clocks_rise_with_the_numbers_whatever_is_edited_again(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_change *list;
	size_t count;
	struct id first = add_person(h, "Một");

	(void)add_person(h, "Hai");
	assert_ok(client_home_edit(h, "person", &first, "hamlet", "Thôn 1"));
	h->clock.wall -= INT64_C(3600000);
	(void)add_person(h, "Ba");

	assert_ok(vault_drafts(h->vault, &a, 100, &list, &count));
	assert_int_equal(count, 3);
	for (size_t i = 1; i < count; i++)
		assert_true(list[i - 1].change.clock < list[i].change.clock);
	arena_clear(&a);
}

static void move(struct client_home *h, const struct id *id, int64_t unit)
{
	struct write w = {BYTES_LIT(RECORD_UNIT), value_int(unit)};
	struct change c = {.type = BYTES_LIT("person"), .id = *id, .writes = &w, .count = 1};

	assert_ok(client_home_make(h, &c));
}

static void an_edit_behind_a_transfer_has_seen_what_the_old_unit_showed(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_change *list;
	size_t count;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	assert_ok(client_home_sync(h));
	move(h, &id, OFFICE_UNIT + 1);
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 1"));

	assert_ok(vault_drafts(h->vault, &a, 100, &list, &count));
	assert_int_equal(count, 1);
	assert_true(list[0].change.base > 0);
	arena_clear(&a);
}

static void a_record_moved_before_it_was_sent_is_made_in_its_first_unit(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_change *list;
	size_t count;
	struct id id = add_person(h, "Lan");

	move(h, &id, OFFICE_UNIT + 1);

	assert_ok(vault_drafts(h->vault, &a, 100, &list, &count));
	assert_int_equal(count, 2);
	assert_int_equal(change_find(&list[0].change, BYTES_LIT(RECORD_UNIT))->value.integer,
			 OFFICE_UNIT);
	assert_int_equal(change_find(&list[1].change, BYTES_LIT(RECORD_UNIT))->value.integer,
			 OFFICE_UNIT + 1);
	assert_int_equal(client_home_problems(h), 0);
	arena_clear(&a);
}

static void a_deleted_record_comes_back_with_undelete(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_record r;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &id, RECORD_DELETED, "nhập nhầm"));
	assert_ok(client_home_sync(h));
	assert_ok(vault_record_load(h->vault, &a, &id, &r));
	assert_true(record_is_deleted(&r.body));
	assert_true(record_is_deleted(office_find(h->office, &id)));
	arena_clear(&a);
}

static void an_event_may_be_edited_until_it_is_sealed(void **state)
{
	struct client_home *h = *state;
	struct id id = client_home_new_id(h);
	struct write writes[] = {
		{BYTES_LIT("held_on"), value_text(BYTES_LIT("2026-03-25"))},
		{BYTES_LIT("inspected"), value_text(BYTES_LIT("Trạm y tế"))},
		{BYTES_LIT(RECORD_UNIT), value_int(OFFICE_UNIT)},
	};
	struct change c = {
		.type = BYTES_LIT("supervision"), .id = id, .writes = writes, .count = 3};

	assert_ok(client_home_make(h, &c));
	assert_ok(client_home_edit(h, "supervision", &id, "inspected", "Trường học"));
	assert_string_equal(client_home_value(h, &id, "inspected"), "Trường học");
	assert_ok(client_home_sync(h));

	assert_err(client_home_edit(h, "supervision", &id, "inspected", "Khác"), ERR_INVAL);
	assert_string_equal(client_home_value(h, &id, "inspected"), "Trường học");
	assert_ok(client_home_edit(h, "supervision", &id, RECORD_VOIDED, "ghi nhầm"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(edits_of_one_draft_are_one_change),
		CASE(saying_the_same_again_makes_no_change),
		CASE(an_edit_taken_back_leaves_nothing_to_send),
		CASE(a_record_that_left_goes_when_its_refused_edit_is_taken_back),
		CASE(a_record_that_left_goes_when_its_draft_is_taken_back),
		CASE(what_came_below_a_refused_value_has_not_been_seen),
		CASE(a_value_out_of_its_field_is_refused_and_nothing_kept),
		CASE(clocks_rise_with_the_numbers_whatever_is_edited_again),
		CASE(an_edit_behind_a_transfer_has_seen_what_the_old_unit_showed),
		CASE(a_record_moved_before_it_was_sent_is_made_in_its_first_unit),
		CASE(a_deleted_record_comes_back_with_undelete),
		CASE(an_event_may_be_edited_until_it_is_sealed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
