#include "tests/unit/test.h"

#include <stdio.h>
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

static struct id add_person(struct client_home *h, const char *name)
{
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", name));
	return id;
}

static const char *office_text(struct client_home *h, const struct id *id, const char *field)
{
	static char text[256];
	const struct record *r = office_find(h->office, id);

	text[0] = '\0';
	if (r != NULL && record_value(r, field).kind == VALUE_TEXT)
		snprintf(text, sizeof text, "%.*s", BYTES_FMT(record_value(r, field).bytes));
	return text;
}

static void an_entry_arrives_and_is_sent(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Điểu K'Ré");

	assert_int_equal(client_home_standing(h, &id), VAULT_DRAFT);
	assert_ok(client_home_sync(h));

	assert_string_equal(office_text(h, &id, "full_name"), "Điểu K'Ré");
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_int_equal(h->report.changes_sent, 1);
	assert_int_equal(h->report.rounds, 1);
	assert_int_equal(client_home_problems(h), 0);
}

static void what_is_in_a_backup_is_backed_up_and_leaves_the_outbox(void **state)
{
	struct client_home *h = *state;
	struct vault_counts counts;
	struct id id = add_person(h, "Lê Văn Tám");

	assert_ok(client_home_sync(h));
	assert_ok(vault_count(h->vault, &counts));
	assert_int_equal(counts.outbox, 1);
	h->office->backed_up = h->office->number;
	assert_ok(client_home_sync(h));

	assert_int_equal(client_home_standing(h, &id), VAULT_BACKED_UP);
	assert_ok(vault_count(h->vault, &counts));
	assert_int_equal(counts.outbox, 0);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_lost_request_leaves_it_waiting(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Thị Bé");

	h->office->lose_requests = 1;
	assert_err(client_home_sync(h), ERR_NET);
	assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
	client_home_reopen(h);
	assert_ok(client_home_sync(h));

	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
}

static void a_lost_answer_is_mended_by_the_repeat(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Thị Bé");

	h->office->lose_answers = 1;
	assert_err(client_home_sync(h), ERR_TIMEOUT);
	assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
	assert_int_equal(h->office->record_count, 1);
	assert_ok(client_home_sync(h));

	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_int_equal(h->office->number, 1);
	assert_int_equal(h->office->first_seen[0], h->office->first_seen[1]);
	assert_int_equal(client_home_problems(h), 0);
}

/* Both sides must hold the same bytes: the digest of the canonical form. */
static void assert_same_state(struct client_home *h, const struct id *id)
{
	struct arena a = {0};
	struct buf here = {0};
	struct buf there = {0};
	struct vault_record r;

	assert_ok(vault_record_load(h->vault, &a, id, &r));
	assert_true(r.is_same);
	record_canonical(&r.body, &here);
	record_canonical(office_find(h->office, id), &there);
	assert_int_equal(here.len, there.len);
	assert_memory_equal(here.data, there.data, here.len);
	buf_clear(&here);
	buf_clear(&there);
	arena_clear(&a);
}

static void a_wrong_clock_is_mended_alike_on_both_sides(void **state)
{
	struct client_home *h = *state;
	struct clock_fake truth;
	static const int64_t years[] = {20, -20};

	clock_fake_init(&truth, h->clock.wall);
	h->office->clock = &truth.clock;
	for (size_t i = 0; i < 2; i++) {
		h->clock.wall = truth.wall + years[i] * 365 * INT64_C(86400000);
		struct id a = add_person(h, "Một");
		struct id b = add_person(h, "Hai");

		assert_ok(client_home_edit(h, "person", &a, "hamlet", "Thôn 1"));
		assert_ok(client_home_sync(h));
		assert_same_state(h, &a);
		assert_same_state(h, &b);
		truth.wall += 60000;
	}
	/* and once all is told, the hybrid clock is back in the office's time */
	assert_true(STAMP_CLOCK_MS((uint64_t)vault_state(h->vault)->hlc) <= truth.wall);
}

static void a_newer_write_of_another_device_wins_here_too(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	h->clock.wall += 10000;
	office_write(h->office, "person", &id, "full_name", value_text(BYTES_LIT("Lan Anh")),
		     h->clock.wall);
	assert_ok(client_home_sync(h));

	assert_string_equal(client_home_value(h, &id, "full_name"), "Lan Anh");
	assert_same_state(h, &id);
}

static void an_unsent_edit_stays_on_top_of_what_is_pulled(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	office_write(h->office, "person", &id, "hamlet", value_text(BYTES_LIT("Thôn 2")),
		     h->clock.wall + 1);
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lan Em"));
	assert_ok(client_home_sync(h));

	assert_string_equal(client_home_value(h, &id, "hamlet"), "Thôn 2");
	assert_string_equal(office_text(h, &id, "full_name"), "Lan Em");
	assert_same_state(h, &id);
}

static struct id made_meanwhile;

static void edit_meanwhile(struct office *o)
{
	struct client_home *h = o->on_request_arg;

	o->on_request = NULL;
	made_meanwhile = client_home_new_id(h);
	assert_ok(client_home_edit(h, "person", &made_meanwhile, "full_name", "Giữa chừng"));
}

static void an_entry_made_while_the_network_is_busy_is_kept(void **state)
{
	struct client_home *h = *state;

	(void)add_person(h, "Trước");
	h->office->on_request = edit_meanwhile;
	h->office->on_request_arg = h;
	assert_ok(client_home_sync(h));

	assert_int_equal(client_home_standing(h, &made_meanwhile), VAULT_DRAFT);
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &made_meanwhile), VAULT_SENT);
}

static void no_lie_in_a_receipt_marks_anything_as_sent(void **state)
{
	static const enum office_lie lies[] = {OFFICE_SIGNATURE,     OFFICE_CHAIN,
					       OFFICE_DEVICE_NUMBER, OFFICE_EPOCH,
					       OFFICE_TOO_FAR,       OFFICE_GARBAGE};
	struct client_home *h = *state;
	struct id id = add_person(h, "Không tin");

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		h->office->lie = lies[i];
		assert_err(client_home_sync(h), ERR_PROTO);
		assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
		assert_int_equal(vault_state(h->vault)->acked, 0);
		assert_int_equal(vault_state(h->vault)->last_receipt_ms, 0);
	}
	h->office->lie = OFFICE_HONEST;
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
}

static void the_log_of_receipts_never_falls_within_an_epoch(void **state)
{
	struct client_home *h = *state;

	(void)add_person(h, "Một");
	assert_ok(client_home_sync(h));
	int64_t receipt_ms = vault_state(h->vault)->last_receipt_ms;

	h->clock.wall += 1000;
	h->office->lie = OFFICE_LOG_BACK;
	assert_err(client_home_sync(h), ERR_PROTO);
	assert_int_equal(vault_state(h->vault)->last_receipt_ms, receipt_ms);
	h->office->lie = OFFICE_HONEST;
	assert_ok(client_home_sync(h));

	/* a restored office stands further back, in an epoch of its own */
	h->office->log--;
	h->office->epoch.bytes[1]++;
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_problems(h), 0);
}

static void a_receipt_that_ends_inside_a_set_is_not_believed(void **state)
{
	struct client_home *h = *state;

	for (int i = 0; i < 2; i++) {
		(void)add_person(h, "Một");
		struct id last = add_person(h, "Hai");

		h->office->lie = OFFICE_BETWEEN;
		/* the second time from an office that says it was restored */
		h->office->epoch.bytes[1] += (uint8_t)i;
		assert_err(client_home_sync(h), ERR_PROTO);
		assert_int_equal(client_home_standing(h, &last), VAULT_WAITING);
		h->office->lie = OFFICE_HONEST;
		assert_ok(client_home_sync(h));
		assert_int_equal(client_home_standing(h, &last), VAULT_SENT);
	}
	assert_int_equal(client_home_problems(h), 0);
}

static void states_no_office_sends_change_nothing(void **state)
{
	static const enum office_lie lies[] = {OFFICE_EMPTY_STATE, OFFICE_OTHER_TYPE};
	struct client_home *h = *state;
	struct vault_counts counts;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 2"));
	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		h->office->lie = lies[i];
		assert_err(client_home_sync(h), ERR_PROTO);
		assert_string_equal(client_home_value(h, &id, "full_name"), "Lan");
		assert_string_equal(client_home_value(h, &id, "hamlet"), "Thôn 2");
		assert_ok(vault_count(h->vault, &counts));
		assert_int_equal(counts.records, 1);
	}
	h->office->lie = OFFICE_HONEST;
	assert_ok(client_home_sync(h));
	assert_same_state(h, &id);
	assert_int_equal(client_home_problems(h), 0);
}

static void absurd_times_of_the_office_harm_nothing(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	h->office->lie = OFFICE_CLOCK;
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_true(vault_state(h->vault)->last_receipt_ms > 0);
	assert_true(vault_state(h->vault)->clock_offset_ms <= STAMP_MS_MAX);
}

static void an_office_without_end_is_left(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	h->office->lie = OFFICE_ENDLESS;
	assert_err(client_home_sync(h), ERR_AGAIN);
	assert_int_equal(h->office->requests, SYNC_ROUNDS_MAX);
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
}

static void a_counter_is_not_driven_to_its_end(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	h->office->refuse = "replay";
	h->office->refuse_expected = INT64_MAX;
	assert_err(client_home_sync(h), ERR_PROTO);
	assert_true(vault_state(h->vault)->counter < 100);
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
}

static void a_gap_nobody_can_fill_is_not_a_number_missing(void **state)
{
	struct client_home *h = *state;

	(void)add_person(h, "Một");
	(void)add_person(h, "Hai");
	h->office->refuse = "gap";
	h->office->refuse_expected = 2; /* inside the set that is about to go */
	assert_err(client_home_sync(h), ERR_PROTO);
	assert_int_equal(h->report.missing, 0);
	assert_ok(client_home_sync(h));
}

/* Whatever stamps came down, the last thing typed here is what stands here, and arrives. */
static void a_poisoned_clock_does_not_hide_later_edits(void **state)
{
	static const char *const names[] = {"Lan Một", "Lan Hai", "Lan Ba"};
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");
	struct id other = client_home_new_id(h);

	assert_ok(client_home_sync(h));
	office_write(h->office, "person", &other, "full_name", value_text(BYTES_LIT("Xa")),
		     STAMP_MS_MAX);
	h->office->records[h->office->record_count - 1].fields[0].stamp.clock = STAMP_CLOCK_MAX;
	assert_ok(client_home_sync(h));
	for (size_t i = 0; i < 3; i++) {
		assert_ok(client_home_edit(h, "person", &id, "full_name", names[i]));
		assert_string_equal(client_home_value(h, &id, "full_name"), names[i]);
		assert_ok(sync_seal(&h->sync));
	}
	assert_string_equal(client_home_value(h, &id, "full_name"), names[2]);
	assert_ok(client_home_sync(h));
	assert_string_equal(office_text(h, &id, "full_name"), names[2]);
	assert_same_state(h, &id);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_gap_is_filled_from_the_outbox(void **state)
{
	struct client_home *h = *state;
	struct office before = *h->office;
	struct id first = add_person(h, "Một");

	assert_ok(client_home_sync(h));
	struct id second = add_person(h, "Hai");

	/* the office lost the first without a new epoch */
	h->office->number = before.number;
	h->office->chain = before.chain;
	h->office->record_count = 0;
	assert_ok(client_home_sync(h));

	assert_int_equal(h->office->number, 2);
	assert_non_null(office_find(h->office, &first));
	assert_non_null(office_find(h->office, &second));
	assert_int_equal(client_home_problems(h), 0);
}

static void a_replay_moves_the_counter_on(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Một");

	h->office->counter = 1000;
	assert_ok(client_home_sync(h));

	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_true(vault_state(h->vault)->counter > 1000);
}

static void the_counter_never_goes_twice(void **state)
{
	struct client_home *h = *state;

	for (int i = 0; i < 3; i++) {
		h->office->lose_answers = 1;
		assert_err(client_home_sync(h), ERR_TIMEOUT);
		client_home_reopen(h);
	}
	assert_int_equal(h->office->counter, 3);
}

static void a_restored_office_gets_again_what_it_lost(void **state)
{
	struct client_home *h = *state;
	struct id kept = add_person(h, "Còn");

	assert_ok(client_home_sync(h));
	struct office backup = *h->office;
	struct id lost = add_person(h, "Mất");

	assert_ok(client_home_edit(h, "person", &kept, "hamlet", "Thôn 3"));
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &lost), VAULT_SENT);
	office_restore(h->office, &backup);
	h->clock.wall += 86400000;
	assert_ok(client_home_sync(h));

	assert_true(h->report.is_epoch_new);
	assert_string_equal(office_text(h, &lost, "full_name"), "Mất");
	assert_string_equal(office_text(h, &kept, "hamlet"), "Thôn 3");
	assert_int_equal(client_home_standing(h, &lost), VAULT_SENT);
	assert_same_state(h, &lost);
	assert_same_state(h, &kept);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_restored_office_with_new_work_here_answers_a_gap_first(void **state)
{
	struct client_home *h = *state;
	struct id kept = add_person(h, "Còn");

	assert_ok(client_home_sync(h));
	struct office backup = *h->office;
	struct id lost = add_person(h, "Mất");

	assert_ok(client_home_sync(h));
	struct id fresh = add_person(h, "Mới");

	assert_ok(client_home_edit(h, "person", &lost, "hamlet", "Thôn 4"));
	office_restore(h->office, &backup);
	h->clock.wall += 86400000;
	assert_ok(client_home_sync(h));

	assert_true(h->report.is_epoch_new);
	assert_int_equal(h->office->number, 4);
	assert_same_state(h, &kept);
	assert_same_state(h, &lost);
	assert_same_state(h, &fresh);
	assert_int_equal(client_home_problems(h), 0);
}

static void an_office_that_keeps_less_than_it_said_is_told(void **state)
{
	struct client_home *h = *state;
	struct office empty = *h->office;

	(void)add_person(h, "Một");
	assert_ok(client_home_sync(h));
	h->office->backed_up = h->office->number;
	assert_ok(client_home_sync(h));
	(void)add_person(h, "Hai");
	office_restore(h->office, &empty);

	assert_err(client_home_sync(h), ERR_PROTO);
	assert_int_equal(h->report.missing, 1);
}

static void busy_is_only_later(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Một");

	h->office->refuse = "busy";
	assert_err(client_home_sync(h), ERR_AGAIN);
	assert_int_equal(h->report.retry_after_s, 5);
	assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
}

static void a_revoked_or_forked_device_keeps_everything(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Một");

	h->office->refuse = "revoked";
	assert_err(client_home_sync(h), ERR_AUTH);
	assert_int_equal(vault_state(h->vault)->standing, VAULT_STANDING_REVOKED);
	h->office->refuse = "forked";
	assert_err(client_home_sync(h), ERR_AUTH);
	assert_int_equal(vault_state(h->vault)->standing, VAULT_STANDING_FORKED);
	assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
	assert_ok(client_home_sync(h));
	assert_int_equal(vault_state(h->vault)->standing, VAULT_STANDING_OK);
}

static void a_refused_change_is_shown_and_can_be_mended(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice *notices;
	size_t count;
	struct id id = add_person(h, "Ngoài phạm vi");

	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));
	assert_int_equal(h->report.quarantined, 1);
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Ngoài phạm vi");
	assert_ok(vault_notices(h->vault, &a, false, &notices, &count));
	assert_int_equal(count, 1);
	assert_true(bytes_is(notices[0].kind, "quarantine"));
	arena_clear(&a);
	h->office->refuse_type = BYTES_NONE;
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 9"));
	assert_ok(client_home_sync(h));

	/* the mended change brought the refused one along */
	assert_string_equal(office_text(h, &id, "full_name"), "Ngoài phạm vi");
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_notice_that_a_record_was_erased_takes_it_away(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice *notices;
	size_t count;
	struct id id = add_person(h, "Chỉ bị giữ lại");

	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	h->office->notices[h->office->notice_count++] = (struct msg_notice){
		.notice = 1, .kind = BYTES_LIT("erased"), .type = BYTES_LIT("person"), .id = id};
	assert_ok(client_home_sync(h));

	assert_string_equal(client_home_value(h, &id, "full_name"), "");
	assert_ok(vault_notices(h->vault, &a, true, &notices, &count));
	assert_int_equal(count, 1);
	assert_true(bytes_is(notices[0].kind, "erased"));
	arena_clear(&a);
	assert_int_equal(client_home_problems(h), 0);
}

/* The next edit of the record is made by someone who sees the other's value. */
static void a_refused_value_that_lost_meanwhile_does_not_go_along(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");

	assert_ok(client_home_sync(h));
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Bị giữ lại"));
	assert_ok(client_home_edit(h, "person", &id, "note", "cũng vậy"));
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	h->office->refuse_type = BYTES_NONE;
	h->clock.wall += 60000;
	office_write(h->office, "person", &id, "hamlet", value_text(BYTES_LIT("Của người khác")),
		     h->clock.wall);
	assert_ok(client_home_sync(h));
	assert_string_equal(client_home_value(h, &id, "hamlet"), "Của người khác");

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Lan Anh"));
	assert_ok(client_home_sync(h));

	assert_string_equal(office_text(h, &id, "hamlet"), "Của người khác");
	assert_string_equal(office_text(h, &id, "note"), "cũng vậy");
	assert_string_equal(office_text(h, &id, "full_name"), "Lan Anh");
	assert_int_equal(client_home_problems(h), 0);
}

static void an_evicted_record_goes_but_not_its_unsent_edit(void **state)
{
	struct client_home *h = *state;
	struct id gone = add_person(h, "Đi");
	struct id edited = add_person(h, "Sửa rồi đi");

	assert_ok(client_home_sync(h));
	h->office->evictions[0] =
		(struct msg_evict){.type = BYTES_LIT("person"), .id = gone, .unit = OFFICE_UNIT};
	h->office->evictions[1] =
		(struct msg_evict){.type = BYTES_LIT("person"), .id = edited, .unit = OFFICE_UNIT};
	h->office->eviction_count = 2;
	/* made while the answer is on its way: not in the request */
	assert_ok(sync_seal(&h->sync));
	h->office->on_request = edit_meanwhile;
	h->office->on_request_arg = h;
	assert_ok(client_home_edit(h, "person", &edited, "hamlet", "Thôn 5"));
	h->office->refuse = "busy";
	assert_err(client_home_sync(h), ERR_AGAIN);
	assert_ok(client_home_sync(h));

	assert_false(client_home_has(h, &gone));
	assert_string_equal(office_text(h, &edited, "hamlet"), "Thôn 5");
	assert_int_equal(client_home_problems(h), 0);
}

static void more_to_come_is_asked_for_until_it_is_all_here(void **state)
{
	struct client_home *h = *state;
	struct id ids[25];

	for (size_t i = 0; i < 25; i++) {
		ids[i] = client_home_new_id(h);
		office_write(h->office, "person", &ids[i], "full_name",
			     value_text(BYTES_LIT("Người khác")), h->clock.wall);
	}
	h->office->page = 4;
	assert_ok(client_home_sync(h));

	for (size_t i = 0; i < 25; i++)
		assert_true(client_home_has(h, &ids[i]));
	assert_int_equal(vault_state(h->vault)->is_pull_complete, 1);
	assert_true(h->report.rounds > 5);
}

static void a_long_backlog_is_sealed_in_sets_that_fit(void **state)
{
	struct client_home *h = *state;

	for (int i = 0; i < 1203; i++)
		(void)add_person(h, "Nhiều");
	assert_ok(client_home_sync(h));

	assert_int_equal(h->office->number, 1203);
	assert_int_equal(h->office->changesets_seen, 13);
	assert_int_equal(h->office->first_seen[2], 201);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_spent_budget_leaves_the_rest_to_the_next_contact(void **state)
{
	struct client_home *h = *state;
	uint64_t before = 0;

	for (int i = 0; i < 400; i++)
		(void)add_person(h, "Nhiều");
	h->sync.budget = 20000;
	do {
		assert_ok(client_home_sync(h));
		assert_true(h->report.bytes_out + h->report.bytes_in <= h->sync.budget);
		assert_true(h->office->number > before);
		before = h->office->number;
		assert_int_equal(h->report.is_spent, before < 400);
	} while (before < 400);

	assert_true(h->office->changesets_seen > 4);
	assert_int_equal(client_home_problems(h), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(a_spent_budget_leaves_the_rest_to_the_next_contact),
		CASE(an_entry_arrives_and_is_sent),
		CASE(what_is_in_a_backup_is_backed_up_and_leaves_the_outbox),
		CASE(a_lost_request_leaves_it_waiting),
		CASE(a_lost_answer_is_mended_by_the_repeat),
		CASE(a_wrong_clock_is_mended_alike_on_both_sides),
		CASE(a_newer_write_of_another_device_wins_here_too),
		CASE(an_unsent_edit_stays_on_top_of_what_is_pulled),
		CASE(an_entry_made_while_the_network_is_busy_is_kept),
		CASE(no_lie_in_a_receipt_marks_anything_as_sent),
		CASE(the_log_of_receipts_never_falls_within_an_epoch),
		CASE(a_receipt_that_ends_inside_a_set_is_not_believed),
		CASE(states_no_office_sends_change_nothing),
		CASE(absurd_times_of_the_office_harm_nothing),
		CASE(an_office_without_end_is_left),
		CASE(a_poisoned_clock_does_not_hide_later_edits),
		CASE(a_counter_is_not_driven_to_its_end),
		CASE(a_gap_nobody_can_fill_is_not_a_number_missing),
		CASE(a_gap_is_filled_from_the_outbox),
		CASE(a_replay_moves_the_counter_on),
		CASE(the_counter_never_goes_twice),
		CASE(a_restored_office_gets_again_what_it_lost),
		CASE(a_restored_office_with_new_work_here_answers_a_gap_first),
		CASE(an_office_that_keeps_less_than_it_said_is_told),
		CASE(busy_is_only_later),
		CASE(a_revoked_or_forked_device_keeps_everything),
		CASE(a_refused_change_is_shown_and_can_be_mended),
		CASE(a_notice_that_a_record_was_erased_takes_it_away),
		CASE(a_refused_value_that_lost_meanwhile_does_not_go_along),
		CASE(an_evicted_record_goes_but_not_its_unsent_edit),
		CASE(more_to_come_is_asked_for_until_it_is_all_here),
		CASE(a_long_backlog_is_sealed_in_sets_that_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
