#include "tests/unit/test.h"

#include <stdlib.h>

#include "client/stray.h"
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

/* Another device's record, which this one has pulled and the backup has not. */
static struct id pulled(struct client_home *h, const char *name, struct office *backup)
{
	struct id id = client_home_new_id(h);

	*backup = *h->office;
	office_write(h->office, "person", &id, "full_name", value_text(bytes_str(name)),
		     h->clock.wall);
	assert_ok(client_home_sync(h));
	assert_true(client_home_has(h, &id));
	return id;
}

/* Inbox items of a kind about a record, accepted ones too. */
static size_t items(struct client_home *h, const char *kind, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_notice *notices = NULL;
	size_t count = 0;
	size_t found = 0;

	assert_ok(vault_notices(h->vault, &a, true, &notices, &count));
	for (size_t i = 0; i < count; i++)
		found += bytes_is(notices[i].kind, kind) && id_compare(&notices[i].id, id) == 0;
	return found;
}

static int64_t strays(struct client_home *h)
{
	int64_t count = 0;

	assert_ok(stray_count(h->vault, &count));
	return count;
}

static void tell_decided(struct client_home *h, const struct id *id, uint64_t number)
{
	h->office->notices[0] = (struct msg_notice){.notice = 1,
						    .kind = BYTES_LIT("decided"),
						    .type = BYTES_LIT("person"),
						    .id = *id,
						    .number = number};
	h->office->notice_count = 1;
}

/* ---- the inbox ---- */

static void tell_two(struct client_home *h, const struct id *id, const char *second)
{
	for (size_t i = 0; i < 2; i++)
		h->office->notices[i] = (struct msg_notice){.notice = i + 1,
							    .kind = BYTES_LIT("conflict"),
							    .type = BYTES_LIT("person"),
							    .id = *id,
							    .field = BYTES_LIT("full_name"),
							    .text = BYTES_LIT("một")};
	h->office->notices[1].text = bytes_str(second);
	h->office->notice_count = 2;
}

static enum vault_notice_state state_of(struct client_home *h, int64_t number)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_notice n;

	assert_ok(vault_notice_load(h->vault, &a, number, &n));
	return n.state;
}

/* The restored office tells everything again; under a number it had given it may tell other things.
 */
static void what_was_put_away_stays_so_unless_it_says_other_things(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	tell_two(h, &id, "hai");
	assert_ok(client_home_sync(h));
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_notice_accept(h->vault, 1));
	assert_ok(vault_notice_mark_restored(h->vault, 2));
	assert_ok(vault_commit(h->vault));
	office_restore(h->office, &backup);
	tell_two(h, &id, "hai");
	assert_ok(client_home_sync(h));
	assert_int_equal(state_of(h, 1), VAULT_NOTICE_ACCEPTED);
	assert_int_equal(state_of(h, 2), VAULT_NOTICE_RESTORED);

	office_restore(h->office, &backup);
	tell_two(h, &id, "khác");
	assert_ok(client_home_sync(h));

	assert_int_equal(state_of(h, 1), VAULT_NOTICE_ACCEPTED);
	assert_int_equal(state_of(h, 2), VAULT_NOTICE_OPEN);
}

/* The office's notices are these values that lost, numbered from 1. */
static void tell_lost(struct client_home *h, const struct id *id, const char *const *lost,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		h->office->notices[i] = (struct msg_notice){.notice = i + 1,
							    .kind = BYTES_LIT("conflict"),
							    .type = BYTES_LIT("person"),
							    .id = *id,
							    .field = BYTES_LIT("full_name"),
							    .lost = value_text(bytes_str(lost[i]))};
	h->office->notice_count = count;
}

/* Open ones that say this value lost. */
static size_t told_lost(struct client_home *h, const char *lost)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_notice *notices = NULL;
	size_t count = 0;
	size_t found = 0;

	assert_ok(vault_notices(h->vault, &a, false, &notices, &count));
	for (size_t i = 0; i < count; i++)
		found += bytes_is(notices[i].lost.bytes, lost);
	return found;
}

/* The winner comes back behind what was written over it: nobody tells of this conflict again. */
static void an_unread_loss_stays_when_its_number_says_another_one(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	tell_lost(h, &id, (const char *const[]){"Điểu A", "Điểu B"}, 2);
	assert_ok(client_home_sync(h));
	office_restore(h->office, &backup);
	tell_lost(h, &id, (const char *const[]){"Điểu C", "Điểu D"}, 2);
	assert_ok(client_home_sync(h));

	assert_int_equal(told_lost(h, "Điểu A"), 1);
	assert_int_equal(told_lost(h, "Điểu B"), 1);
	assert_int_equal(told_lost(h, "Điểu C"), 1);
	assert_int_equal(told_lost(h, "Điểu D"), 1);
}

static void one_that_is_told_again_in_another_place_is_told_once(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	tell_lost(h, &id, (const char *const[]){"Điểu A", "Điểu B", "Điểu C"}, 3);
	assert_ok(client_home_sync(h));
	office_restore(h->office, &backup);
	tell_lost(h, &id, (const char *const[]){"Điểu C", "Điểu A", "Điểu B"}, 3);
	assert_ok(client_home_sync(h));

	assert_int_equal(items(h, "conflict", &id), 3);
	assert_int_equal(told_lost(h, "Điểu A"), 1);
	assert_int_equal(told_lost(h, "Điểu B"), 1);
	assert_int_equal(told_lost(h, "Điểu C"), 1);
}

static void one_that_was_put_away_is_not_kept(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	tell_lost(h, &id, (const char *const[]){"Điểu A"}, 1);
	assert_ok(client_home_sync(h));
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_notice_accept(h->vault, 1));
	assert_ok(vault_commit(h->vault));
	office_restore(h->office, &backup);
	tell_lost(h, &id, (const char *const[]){"Điểu B"}, 1);
	assert_ok(client_home_sync(h));

	assert_int_equal(items(h, "conflict", &id), 1);
	assert_int_equal(told_lost(h, "Điểu B"), 1);
}

/* ---- strays ---- */

static void what_a_restored_office_lost_is_kept_and_shown(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	office_restore(h->office, &backup);
	assert_ok(client_home_sync(h));

	assert_string_equal(client_home_value(h, &id, "full_name"), "Điểu K’Ré");
	assert_int_equal(items(h, STRAY_KIND, &id), 1);
	assert_int_equal(strays(h), 1);
	/* told once, however often it syncs */
	assert_ok(client_home_sync(h));
	client_home_reopen(h);
	assert_ok(client_home_sync(h));
	assert_int_equal(items(h, STRAY_KIND, &id), 1);
	assert_int_equal(client_home_problems(h), 0);
}

static void it_is_asked_about_in_the_same_contact(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	office_restore(h->office, &backup);
	h->office->requests = 0;
	assert_ok(client_home_sync(h));

	assert_int_equal(h->office->requests, 2);
	assert_int_equal(h->office->stray_count, 1);
	assert_memory_equal(h->office->stray.bytes, id.bytes, ID_LEN);
}

static void a_stray_that_comes_again_is_none_any_more(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	office_restore(h->office, &backup);
	assert_ok(client_home_sync(h));
	office_write(h->office, "person", &id, "full_name", value_text(BYTES_LIT("Điểu K’Ré")),
		     h->clock.wall);
	assert_ok(client_home_sync(h));

	assert_int_equal(items(h, STRAY_KIND, &id), 0);
	assert_int_equal(strays(h), 0);
	h->office->stray_count = 0;
	assert_ok(client_home_sync(h));
	assert_int_equal(h->office->stray_count, 0);
}

static void pretend_to_have_all(struct client_home *h)
{
	const struct msg_cursor cursor = {.unit = OFFICE_UNIT, .log = h->office->log};

	assert_ok(vault_begin(h->vault));
	assert_ok(vault_cursors_put(h->vault, &cursor, 1));
	assert_ok(vault_commit(h->vault));
}

/* It is an answer's newer part of a record whose older part never came here. */
static void a_part_does_not_take_the_place_of_a_stray(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	office_restore(h->office, &backup);
	assert_ok(client_home_sync(h));
	office_write(h->office, "person", &id, "full_name", value_text(BYTES_LIT("Điểu K’Ré")),
		     h->clock.wall);
	pretend_to_have_all(h);
	h->office->ignores_strays = true;
	office_write(h->office, "person", &id, "hamlet", value_text(BYTES_LIT("Thôn 2")),
		     h->clock.wall + 1);
	assert_ok(client_home_sync(h));

	assert_string_equal(client_home_value(h, &id, "hamlet"), "Thôn 2");
	assert_string_equal(client_home_value(h, &id, "full_name"), "Điểu K’Ré");
	assert_int_equal(strays(h), 1);
	assert_int_equal(items(h, STRAY_KIND, &id), 1);
}

static void a_stray_the_office_evicts_goes_with_its_item(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);

	office_restore(h->office, &backup);
	assert_ok(client_home_sync(h));
	h->office->evictions[0] =
		(struct msg_evict){.type = BYTES_LIT("person"), .id = id, .unit = OFFICE_UNIT};
	h->office->eviction_count = 1;
	assert_ok(client_home_sync(h));

	assert_false(client_home_has(h, &id));
	assert_int_equal(items(h, STRAY_KIND, &id), 0);
}

static void what_is_outside_the_scope_goes_with_the_pull(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id here = pulled(h, "Ở lại", &backup);
	struct id gone = pulled(h, "Xã khác", &backup);

	office_write(h->office, "person", &gone, RECORD_UNIT, value_int(OFFICE_UNIT + 1),
		     h->clock.wall);
	assert_ok(client_home_sync(h));
	office_restore(h->office, &backup);
	assert_ok(client_home_sync(h));

	assert_false(client_home_has(h, &gone));
	assert_int_equal(items(h, STRAY_KIND, &gone), 0);
	assert_true(client_home_has(h, &here));
	assert_int_equal(strays(h), 0);
	assert_int_equal(client_home_problems(h), 0);
}

static struct id edited_meanwhile;

static void edit_meanwhile(struct office *o)
{
	struct client_home *h = o->on_request_arg;

	o->on_request = NULL;
	assert_ok(client_home_edit(h, "person", &edited_meanwhile, "hamlet", "Thôn 2"));
}

static void an_unsent_edit_keeps_what_is_outside_the_scope(void **state)
{
	struct client_home *h = *state;
	struct office backup;

	edited_meanwhile = pulled(h, "Xã khác", &backup);
	office_write(h->office, "person", &edited_meanwhile, RECORD_UNIT,
		     value_int(OFFICE_UNIT + 1), h->clock.wall);
	assert_ok(client_home_sync(h));
	office_restore(h->office, &backup);
	h->office->on_request = edit_meanwhile;
	h->office->on_request_arg = h;
	/* its answer is a refusal: the person has it to mend */
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));

	assert_string_equal(client_home_value(h, &edited_meanwhile, "hamlet"), "Thôn 2");
	assert_int_equal(client_home_standing(h, &edited_meanwhile), VAULT_REFUSED);
	assert_int_equal(strays(h), 0);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_pull_that_breaks_off_decides_nothing(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id first = pulled(h, "Một", &backup);
	struct id second = pulled(h, "Hai", &backup);
	struct id lost = pulled(h, "Ba", &backup);

	office_restore(h->office, &backup);
	h->office->page = 1;
	h->office->is_cut_short = true;
	assert_err(client_home_sync(h), ERR_NET);
	assert_int_equal(strays(h), 0);
	assert_int_equal(items(h, STRAY_KIND, &second), 0);
	client_home_reopen(h);
	assert_ok(client_home_sync(h));

	assert_int_equal(items(h, STRAY_KIND, &first), 0);
	assert_int_equal(items(h, STRAY_KIND, &second), 0);
	assert_int_equal(items(h, STRAY_KIND, &lost), 1);
}

static void a_second_restore_begins_anew(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id id = pulled(h, "Điểu K’Ré", &backup);
	struct office full = *h->office;

	office_restore(h->office, &backup);
	assert_ok(client_home_sync(h));
	assert_int_equal(items(h, STRAY_KIND, &id), 1);
	full.epoch = h->office->epoch;
	office_restore(h->office, &full);
	assert_ok(client_home_sync(h));

	assert_int_equal(items(h, STRAY_KIND, &id), 0);
	assert_int_equal(strays(h), 0);
}

static uint64_t base_of_edit(struct client_home *h, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_change *changes = NULL;
	size_t count = 0;

	assert_ok(client_home_edit(h, "person", id, "hamlet", "Thôn 7"));
	assert_ok(vault_changes_of(h->vault, &a, id, &changes, &count));
	assert_int_equal(count, 1);
	return changes[0].change.base;
}

/* What became of a stray in this epoch its editor has not seen, whatever the cursor says. */
static void an_edit_of_a_stray_has_seen_nothing(void **state)
{
	struct client_home *h = *state;
	struct office backup;
	struct id stray = pulled(h, "Điểu K’Ré", &backup);
	struct id known = client_home_new_id(h);

	office_restore(h->office, &backup);
	office_write(h->office, "person", &known, "full_name", value_text(BYTES_LIT("Thị B")),
		     h->clock.wall);
	assert_ok(client_home_sync(h));

	assert_int_equal(base_of_edit(h, &stray), 0);
	assert_int_equal(base_of_edit(h, &known), h->office->log);
}

static void the_first_pull_of_all_makes_no_strays(void **state)
{
	struct client_home *h = *state;
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Của tôi"));
	assert_ok(client_home_sync(h));

	assert_int_equal(strays(h), 0);
	assert_int_equal(h->report.rounds, 1);
}

/* ---- decided ---- */

static void a_change_let_in_later_waits_no_more(void **state)
{
	struct client_home *h = *state;
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Điểu K’Ré"));
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	/* let in, and written over by somebody who saw it */
	office_write(h->office, "person", &id, "full_name", value_text(BYTES_LIT("Điểu Ré")),
		     h->clock.wall + 1000);
	tell_decided(h, &id, 1);
	assert_ok(client_home_sync(h));

	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Điểu Ré");
	assert_int_equal(items(h, "decided", &id), 1);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_decision_about_another_change_ends_nothing(void **state)
{
	struct client_home *h = *state;
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Điểu K’Ré"));
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));
	tell_decided(h, &id, 2);
	assert_ok(client_home_sync(h));

	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
}

static void what_was_only_a_discarded_change_goes(void **state)
{
	struct client_home *h = *state;
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Nhầm xã"));
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));
	tell_decided(h, &id, 1);
	assert_ok(client_home_sync(h));

	assert_false(client_home_has(h, &id));
	assert_int_equal(client_home_problems(h), 0);
}

/* Lost by the restore, refused when it came again, and given up there. */
static void a_stray_whose_resending_was_discarded_is_shown(void **state)
{
	struct client_home *h = *state;
	struct office backup = *h->office;
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Điểu K’Ré"));
	assert_ok(client_home_sync(h));
	office_restore(h->office, &backup);
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	tell_decided(h, &id, 1);
	assert_ok(client_home_sync(h));

	assert_true(client_home_has(h, &id));
	assert_int_equal(items(h, STRAY_KIND, &id), 1);
	assert_int_equal(client_home_problems(h), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_put_away_stays_so_unless_it_says_other_things),
		CASE(an_unread_loss_stays_when_its_number_says_another_one),
		CASE(one_that_is_told_again_in_another_place_is_told_once),
		CASE(one_that_was_put_away_is_not_kept),
		CASE(what_a_restored_office_lost_is_kept_and_shown),
		CASE(it_is_asked_about_in_the_same_contact),
		CASE(a_stray_that_comes_again_is_none_any_more),
		CASE(a_part_does_not_take_the_place_of_a_stray),
		CASE(a_stray_the_office_evicts_goes_with_its_item),
		CASE(what_is_outside_the_scope_goes_with_the_pull),
		CASE(an_unsent_edit_keeps_what_is_outside_the_scope),
		CASE(a_pull_that_breaks_off_decides_nothing),
		CASE(a_second_restore_begins_anew),
		CASE(an_edit_of_a_stray_has_seen_nothing),
		CASE(the_first_pull_of_all_makes_no_strays),
		CASE(a_change_let_in_later_waits_no_more),
		CASE(a_decision_about_another_change_ends_nothing),
		CASE(what_was_only_a_discarded_change_goes),
		CASE(a_stray_whose_resending_was_discarded_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
