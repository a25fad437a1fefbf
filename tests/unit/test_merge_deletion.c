/* Deletions that meet edits, other deletions and their own undoing. */
#include "tests/unit/merge_scene.h"

static void a_deleted_record_comes_back_by_a_later_edit(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, ANA, 20, 1, RECORD_DELETED, text("moved away"));
	assert_true(record_is_deleted(&s.record));
	put(&s, BINH, 30, 2, "phone", text("2"));
	assert_false(record_is_deleted(&s.record));
	assert_int_equal(s.last.conflict_count, 0);
	put(&s, ANA, 40, 3, RECORD_DELETED, text("moved away"));
	assert_true(record_is_deleted(&s.record));
	put(&s, ANA, 50, 4, RECORD_DELETED, VALUE_NONE);
	assert_false(record_is_deleted(&s.record));
	end(&s);
}

static void a_deletion_of_an_edited_record_is_told_when_it_wins(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, "phone", text("1"));
	put(&s, BINH, 20, 0, RECORD_DELETED, text("moved away"));
	assert_true(record_is_deleted(&s.record));
	assert_conflict(&s, RECORD_DELETED, "moved away", NULL, false);
	assert_int_equal(s.last.conflicts[0].lost.stamp.device, ANA);
	assert_int_equal(s.last.conflicts[0].lost.log, 1);
	assert_false(s.last.is_parallel);
	end(&s);
}

static void a_deletion_of_an_edited_record_is_told_when_it_loses(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 20, 0, "phone", text("1"));
	put(&s, BINH, 10, 0, RECORD_DELETED, text("moved away"));
	assert_false(record_is_deleted(&s.record));
	assert_conflict(&s, RECORD_DELETED, NULL, "moved away", true);
	assert_int_equal(s.last.conflicts[0].kept.stamp.device, ANA);
	end(&s);
}

static void an_edit_of_a_deleted_record_is_told_when_it_wins(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, BINH, 10, 0, RECORD_DELETED, text("moved away"));
	put(&s, ANA, 20, 0, "phone", text("1"));
	assert_false(record_is_deleted(&s.record));
	assert_conflict(&s, RECORD_DELETED, NULL, "moved away", false);
	assert_false(s.last.is_parallel);
	end(&s);
}

static void an_edit_of_a_deleted_record_is_told_when_it_loses(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, BINH, 20, 0, RECORD_DELETED, text("moved away"));
	put(&s, ANA, 10, 0, "phone", text("1"));
	assert_true(record_is_deleted(&s.record));
	assert_text(&s, "phone", "1");
	assert_conflict(&s, RECORD_DELETED, "moved away", NULL, true);
	end(&s);
}

static void a_deletion_is_told_once_for_each_change_it_hides(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put_two(&s, ANA, 10, 0,
		(struct write[]){{BYTES_LIT("note"), text("1")}, {BYTES_LIT("phone"), text("1")}});
	put(&s, BINH, 12, 0, "address", text("2"));
	put(&s, CHI, 20, 0, RECORD_DELETED, text("double"));
	assert_int_equal(s.last.conflict_count, 2);
	assert_int_equal(s.last.conflicts[0].lost.stamp.device, ANA);
	assert_int_equal(s.last.conflicts[1].lost.stamp.device, BINH);
	end(&s);
}

/* Both the field and the record's being there are disputed. */
static void a_deletion_that_also_edits_tells_both(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put_two(&s, ANA, 10, 0,
		(struct write[]){{BYTES_LIT("note"), text("1")}, {BYTES_LIT("phone"), text("1")}});
	put_two(&s, BINH, 20, 0,
		(struct write[]){{BYTES_LIT(RECORD_DELETED), text("gone")},
				 {BYTES_LIT("phone"), text("2")}});
	assert_int_equal(s.last.conflict_count, 2);
	assert_true(bytes_is(s.last.conflicts[0].field, "phone"));
	assert_true(bytes_is(s.last.conflicts[0].lost.value.bytes, "1"));
	assert_true(bytes_is(s.last.conflicts[1].field, RECORD_DELETED));
	end(&s);
}

static void two_deletions_conflict_only_in_their_reasons(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put_two(&s, ANA, 10, 0,
		(struct write[]){{BYTES_LIT(RECORD_DELETED), text("gone")},
				 {BYTES_LIT("note"), text("1")}});
	put(&s, BINH, 20, 0, RECORD_DELETED, text("double"));
	assert_conflict(&s, RECORD_DELETED, "double", "gone", false);
	put(&s, CHI, 30, 0, RECORD_DELETED, text("double"));
	assert_int_equal(s.last.conflict_count, 1); /* with the note of a change that lost */
	end(&s);
}

static void an_undeletion_and_an_edit_are_no_conflict(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, RECORD_DELETED, VALUE_NONE);
	put(&s, BINH, 20, 0, "phone", text("1"));
	assert_int_equal(s.last.conflict_count, 0);
	assert_true(s.last.is_parallel);
	put(&s, CHI, 30, 0, RECORD_DELETED, VALUE_NONE);
	assert_int_equal(s.last.conflict_count, 0);
	end(&s);
}

static void an_undeletion_against_an_unseen_deletion_is_a_conflict(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 10, 0, RECORD_DELETED, text("gone"));
	put_two(&s, BINH, 20, 0,
		(struct write[]){{BYTES_LIT(RECORD_DELETED), VALUE_NONE},
				 {BYTES_LIT("phone"), text("1")}});
	assert_conflict(&s, RECORD_DELETED, NULL, "gone", false);
	end(&s);
}

/* Nothing of it stands: its own conflict says so, the deletion has no part in it. */
static void an_edit_that_lost_everything_does_not_meet_the_deletion(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 30, 0, "phone", text("1"));
	put(&s, ANA, 40, 0, RECORD_DELETED, text("gone"));
	put(&s, BINH, 10, 0, "phone", text("2"));
	assert_conflict(&s, "phone", "1", "2", true);
	end(&s);
}

static void a_deletion_that_a_bad_clock_put_too_early_is_told(UNUSED_STATE)
{
	struct scene s;

	begin(&s, MERGE_REGISTER);
	put(&s, ANA, 20, 0, "phone", text("1"));
	put(&s, BINH, 10, 1, RECORD_DELETED, text("gone"));
	assert_false(record_is_deleted(&s.record));
	assert_conflict(&s, RECORD_DELETED, NULL, "gone", true);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_deleted_record_comes_back_by_a_later_edit),
		cmocka_unit_test(a_deletion_of_an_edited_record_is_told_when_it_wins),
		cmocka_unit_test(a_deletion_of_an_edited_record_is_told_when_it_loses),
		cmocka_unit_test(an_edit_of_a_deleted_record_is_told_when_it_wins),
		cmocka_unit_test(an_edit_of_a_deleted_record_is_told_when_it_loses),
		cmocka_unit_test(a_deletion_is_told_once_for_each_change_it_hides),
		cmocka_unit_test(a_deletion_that_also_edits_tells_both),
		cmocka_unit_test(two_deletions_conflict_only_in_their_reasons),
		cmocka_unit_test(an_undeletion_and_an_edit_are_no_conflict),
		cmocka_unit_test(an_undeletion_against_an_unseen_deletion_is_a_conflict),
		cmocka_unit_test(an_edit_that_lost_everything_does_not_meet_the_deletion),
		cmocka_unit_test(a_deletion_that_a_bad_clock_put_too_early_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
