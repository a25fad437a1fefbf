#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/enrol.h"
#include "proto/changeset.h"
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

static struct id add_person(struct client_home *h, const char *name)
{
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", name));
	return id;
}

static void assert_office_has(struct client_home *h, const struct id *id, const char *field,
			      const char *want)
{
	const struct record *r = office_find(h->office, id);
	struct value v;

	assert_non_null(r);
	v = record_value(r, field);
	assert_int_equal(v.kind, VALUE_TEXT);
	if (!bytes_is(v.bytes, want))
		print_error("%s is %.*s\n", field, BYTES_FMT(v.bytes));
	assert_true(bytes_is(v.bytes, want));
}

static uint32_t device_of(struct client_home *h)
{
	struct arena a = {0};
	struct vault_identity identity;

	assert_ok(vault_identity_load(h->vault, &a, &identity));
	uint32_t device = identity.device;

	arena_clear(&a);
	return device;
}

/* As `ctxh enrol` does it: the key first, then the office. */
static enum err enrol_anew(struct client_home *h, struct succession *ret_done)
{
	struct arena a = {0};
	struct vault_identity successor;
	static const uint8_t none[32];
	struct sync_report report;

	assert_ok(vault_successor_load(h->vault, &a, &successor));
	if (memcmp(successor.seed, none, sizeof none) == 0)
		rand_fill(&h->rand, successor.seed, sizeof successor.seed);
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_successor_put(h->vault, &successor));
	assert_ok(vault_commit(h->vault));
	arena_clear(&a);
	return sync_enrol_anew(&h->sync, &report, ret_done);
}

static void set_aside(struct client_home *h, uint64_t numbers_of_the_copy)
{
	office_fork(h->office, numbers_of_the_copy);
	assert_err(client_home_sync(h), ERR_AUTH);
	assert_int_equal(vault_state(h->vault)->standing, VAULT_STANDING_FORKED);
	assert_true(enrol_may_ask_anew(vault_state(h->vault)));
}

static struct vault_counts counts_of(struct client_home *h)
{
	struct vault_counts counts = {0};

	assert_ok(vault_count(h->vault, &counts));
	return counts;
}

static enum err count_receipt(void *arg, struct bytes wire)
{
	(void)wire;
	(*(size_t *)arg)++;
	return ERR_OK;
}

static size_t receipts(struct client_home *h)
{
	size_t count = 0;

	assert_ok(vault_receipt_each(h->vault, count_receipt, &count));
	return count;
}

static struct vault_sets outbox(struct client_home *h, struct arena *a)
{
	struct vault_sets sets = {0};

	assert_ok(vault_outbox_load(h->vault, a, 0, SIZE_MAX, SIZE_MAX, &sets));
	return sets;
}

/* ---- a copied disk ---- */

static void a_home_set_aside_goes_on_and_loses_nothing(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct id old = add_person(h, "Trước");
	struct arena a = {0};
	struct vault_former *formers = NULL;
	size_t count = 0;

	assert_ok(client_home_sync(h));
	struct id waiting = add_person(h, "Đang chờ");
	assert_ok(client_home_edit(h, "person", &old, "hamlet", "Thôn 1"));
	set_aside(h, 3);
	struct id draft = add_person(h, "Nháp");
	size_t kept = receipts(h);

	assert_ok(enrol_anew(h, &done));

	assert_int_equal(done.former, OFFICE_DEVICE);
	assert_int_equal(done.device, OFFICE_DEVICE + 1);
	assert_int_equal(done.resent, 2);
	assert_int_equal(done.missing, 0);
	assert_int_equal(device_of(h), OFFICE_DEVICE + 1);
	assert_int_equal(vault_state(h->vault)->standing, VAULT_STANDING_OK);
	assert_int_equal(client_home_problems(h), 0);
	assert_int_equal(client_home_standing(h, &waiting), VAULT_WAITING);
	assert_int_equal(client_home_standing(h, &old), VAULT_WAITING);
	assert_int_equal(client_home_standing(h, &draft), VAULT_DRAFT);
	assert_int_equal(receipts(h), kept);
	assert_ok(vault_formers_load(h->vault, &a, &formers, &count));
	assert_int_equal(count, 1);
	assert_int_equal(formers[0].device, OFFICE_DEVICE);
	assert_int_equal(formers[0].acked, 1);
	arena_clear(&a);

	client_home_reopen(h);
	assert_ok(client_home_sync(h));
	assert_office_has(h, &old, "hamlet", "Thôn 1");
	assert_office_has(h, &waiting, "full_name", "Đang chờ");
	assert_office_has(h, &draft, "full_name", "Nháp");
	assert_int_equal(h->office->number, 3);
	assert_int_equal(client_home_standing(h, &draft), VAULT_SENT);
	assert_true(receipts(h) > kept);
	assert_int_equal(client_home_problems(h), 0);
}

static void what_is_sealed_anew_is_what_was_made(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct arena a = {0};
	struct changeset_opened before;
	struct changeset_opened after;
	struct id id = add_person(h, "Trước");

	assert_ok(client_home_sync(h));
	office_write(h->office, "person", &id, "hamlet", value_text(BYTES_LIT("Ấp 2")),
		     h->clock.wall);
	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Sau"));
	(void)add_person(h, "Mới");
	set_aside(h, 1);
	struct vault_sets was = outbox(h, &a);
	assert_ok(changeset_open(&a, was.items[was.count - 1].wire, NULL, &before));

	assert_ok(enrol_anew(h, &done));

	struct vault_sets is = outbox(h, &a);
	assert_int_equal(is.count, 1);
	assert_ok(changeset_open(&a, is.items[0].wire, &h->office->device_key, &after));
	assert_int_equal(after.set.first, 1);
	assert_int_equal(after.set.device, OFFICE_DEVICE + 1);
	assert_memory_equal(after.set.epoch.bytes, before.set.epoch.bytes, ID_LEN);
	assert_int_equal(after.set.count, before.set.count);
	for (size_t i = 0; i < after.set.count; i++) {
		const struct change *x = &before.set.changes[i];
		const struct change *y = &after.set.changes[i];

		assert_int_equal(id_compare(&x->id, &y->id), 0);
		assert_int_equal(x->clock, y->clock);
		assert_int_equal(x->base, y->base);
		assert_true(bytes_equal(x->author, y->author));
		assert_int_equal(x->count, y->count);
	}
	assert_true(before.set.changes[0].base != 0);
	arena_clear(&a);
}

static void a_lost_answer_is_asked_for_again(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct id id = add_person(h, "Trước");

	set_aside(h, 0);
	h->office->lose_answers = 1;
	assert_err(enrol_anew(h, &done), ERR_TIMEOUT);
	assert_int_equal(device_of(h), OFFICE_DEVICE);
	assert_int_equal(client_home_problems(h), 0);
	client_home_reopen(h);

	assert_ok(enrol_anew(h, &done));

	assert_int_equal(device_of(h), OFFICE_DEVICE + 1);
	assert_ok(client_home_sync(h));
	assert_office_has(h, &id, "full_name", "Trước");
}

/* It was kept because no receipt told of a change of it: that one is sent again, under the new
 * number, and then there is a receipt. */
static void a_change_of_what_left_our_scope_is_sent_again_too(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct succession done;
	struct vault_record record;
	struct id gone = add_person(h, "Đã chuyển đi");
	struct id here = add_person(h, "Còn ở đây");

	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &gone, "hamlet", "Thôn 1"));
	assert_ok(client_home_edit(h, "person", &here, "hamlet", "Thôn 1"));
	h->office->lose_answers = 1;
	assert_err(client_home_sync(h), ERR_TIMEOUT);
	assert_ok(vault_record_load(h->vault, &a, &gone, &record));
	record.is_evicted = true;
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_put(h->vault, &record));
	assert_ok(vault_commit(h->vault));
	set_aside(h, 0);

	assert_ok(enrol_anew(h, &done));

	assert_int_equal(done.resent, 2);
	assert_ok(vault_record_load(h->vault, &a, &gone, &record));
	assert_true(record.is_evicted);
	assert_ok(client_home_sync(h));
	assert_office_has(h, &gone, "hamlet", "Thôn 1");
	assert_office_has(h, &here, "hamlet", "Thôn 1");
	assert_int_equal(client_home_problems(h), 0);
	arena_clear(&a);
}

static void a_home_at_work_stays_who_it_is(void **state)
{
	struct client_home *h = *state;
	struct succession done;

	(void)add_person(h, "Trước");
	assert_ok(client_home_sync(h));
	assert_false(enrol_may_ask_anew(vault_state(h->vault)));
	/* And no office gives it another number. */
	assert_err(enrol_anew(h, &done), ERR_AUTH);
	assert_int_equal(device_of(h), OFFICE_DEVICE);

	h->office->refuse = "revoked";
	assert_err(client_home_sync(h), ERR_AUTH);
	assert_false(enrol_may_ask_anew(vault_state(h->vault)));
}

static void an_answer_for_another_home_changes_nothing(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct sync_report report;
	struct msg_enrolled m = {.daemon = h->office->daemon,
				 .epoch = h->office->epoch,
				 .device = 9,
				 .former = OFFICE_DEVICE + 5};
	struct vault_identity former = office_identity(h->office, (const uint8_t[32]){42});
	struct vault_identity successor = {.seed = {7}};

	(void)add_person(h, "Trước");
	set_aside(h, 0);
	(void)report;
	assert_ok(vault_begin(h->vault));
	assert_err(succession_run(&h->sync, &former, &successor, &m, &done), ERR_PROTO);
	m.former = OFFICE_DEVICE;
	m.device = OFFICE_DEVICE;
	assert_err(succession_run(&h->sync, &former, &successor, &m, &done), ERR_PROTO);
	m.device = 9;
	m.daemon.bytes[0] ^= 1;
	assert_err(succession_run(&h->sync, &former, &successor, &m, &done), ERR_PROTO);
	vault_rollback(h->vault);
	assert_int_equal(device_of(h), OFFICE_DEVICE);
	assert_int_equal(client_home_problems(h), 0);
}

/* ---- what stays of the old number ---- */

static void messages_and_refused_changes_stay_under_numbers_of_their_own(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct arena a = {0};
	struct vault_notice *notices = NULL;
	size_t count = 0;
	struct id id = client_home_new_id(h);

	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Bị giữ lại"));
	h->office->notices[0] = (struct msg_notice){
		.notice = 1, .kind = BYTES_LIT("conflict"), .text = BYTES_LIT("của số cũ")};
	h->office->notice_count = 1;
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	assert_int_equal(counts_of(h).inbox, 2);
	set_aside(h, 1);

	assert_ok(enrol_anew(h, &done));

	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	assert_int_equal(counts_of(h).inbox, 2);
	assert_int_equal(client_home_problems(h), 0);
	/* The same numbers again, of the new device. */
	h->office->notices[0] = (struct msg_notice){
		.notice = 1, .kind = BYTES_LIT("conflict"), .text = BYTES_LIT("của số mới")};
	h->office->notice_count = 1;
	struct id other = add_person(h, "Cũng bị giữ lại");
	assert_ok(client_home_sync(h));
	assert_int_equal(counts_of(h).refused, 2);
	assert_int_equal(counts_of(h).inbox, 4);
	assert_ok(vault_notices(h->vault, &a, true, &notices, &count));
	assert_int_equal(count, 4);
	assert_int_equal(notices[0].notice, -1);
	assert_int_equal(notices[1].notice, 1);
	assert_true(bytes_is(notices[1].text, "của số mới"));
	assert_int_equal(notices[2].notice, -VAULT_FORMER_SPAN - 1);
	assert_int_equal(notices[3].notice, -VAULT_FORMER_SPAN - VAULT_FORMER_SPAN / 2 - 1);
	assert_true(bytes_is(notices[3].text, "của số cũ"));
	assert_int_equal(client_home_problems(h), 0);
	/* Mended, the refused change goes along with the next edit. */
	h->office->refuse_type = BYTES_NONE;
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 1"));
	assert_ok(client_home_sync(h));
	assert_office_has(h, &id, "full_name", "Bị giữ lại");
	assert_int_equal(client_home_standing(h, &other), VAULT_REFUSED);
	arena_clear(&a);

	/* And once more: three identities. */
	set_aside(h, 1);
	assert_ok(enrol_anew(h, &done));
	assert_int_equal(counts_of(h).inbox, 4);
	assert_int_equal(client_home_problems(h), 0);
}

static void what_was_backed_up_stays_backed_up(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct id saved = add_person(h, "Đã sao lưu");

	assert_ok(client_home_sync(h));
	h->office->backed_up = h->office->number;
	assert_ok(client_home_sync(h));
	struct id sent = add_person(h, "Đã gửi");
	assert_ok(client_home_sync(h));
	set_aside(h, 1);

	assert_ok(enrol_anew(h, &done));

	assert_int_equal(done.resent, 0);
	assert_int_equal(client_home_standing(h, &saved), VAULT_BACKED_UP);
	assert_int_equal(client_home_standing(h, &sent), VAULT_SENT);
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &saved), VAULT_BACKED_UP);
	assert_int_equal(client_home_problems(h), 0);
}

/* ---- numbers that are lost ---- */

static void values_of_numbers_nobody_keeps_are_written_again(void **state)
{
	struct client_home *h = *state;
	struct office *older = calloc(1, sizeof *older);
	struct succession done;
	struct id first = add_person(h, "Một");

	assert_ok(client_home_sync(h));
	office_init(older, &h->clock.clock, h->schema);
	older->log = h->office->log;
	older->number = h->office->number;
	older->chain = h->office->chain;
	older->floor = h->office->floor;
	older->record_count = 1;
	older->records[0] = record_copy(&older->arena, &h->office->records[0]);
	assert_ok(client_home_edit(h, "person", &first, "hamlet", "Thôn 9"));
	struct id second = add_person(h, "Hai");
	assert_ok(client_home_sync(h));
	h->office->backed_up = h->office->number;
	assert_ok(client_home_sync(h));
	assert_int_equal(counts_of(h).outbox, 0);
	office_restore(h->office, older);
	assert_err(client_home_sync(h), ERR_PROTO);
	assert_int_equal(h->report.missing, 2);
	assert_int_equal(vault_state(h->vault)->standing, VAULT_STANDING_GAP);
	assert_true(enrol_may_ask_anew(vault_state(h->vault)));

	h->office->is_aside = true;
	assert_ok(enrol_anew(h, &done));

	assert_int_equal(done.missing, 2);
	assert_int_equal(done.rescued, 3); /* both of the first record's, and the second's */
	assert_int_equal(client_home_problems(h), 0);
	assert_int_equal(client_home_standing(h, &second), VAULT_WAITING);
	assert_ok(client_home_sync(h));
	assert_office_has(h, &first, "hamlet", "Thôn 9");
	assert_office_has(h, &second, "full_name", "Hai");
	assert_int_equal(client_home_standing(h, &second), VAULT_SENT);
	assert_int_equal(client_home_problems(h), 0);
	office_clear(older);
	free(older);
}

/* The answer that said so was lost: what the office made of a change is not known here. */
static void a_refusal_nobody_told_is_learned_under_the_new_number(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct id taken = add_person(h, "Đã nhận");

	assert_ok(client_home_sync(h));
	h->office->refuse_type = BYTES_LIT("person");
	struct id refused = add_person(h, "Bị giữ lại");

	h->office->lose_answers = 1;
	assert_err(client_home_sync(h), ERR_TIMEOUT);
	set_aside(h, 0);
	assert_ok(enrol_anew(h, &done));

	assert_int_equal(done.resent, 1);
	assert_int_equal(client_home_standing(h, &refused), VAULT_WAITING);
	assert_ok(client_home_sync(h));
	assert_int_equal(client_home_standing(h, &refused), VAULT_REFUSED);
	assert_int_equal(client_home_standing(h, &taken), VAULT_SENT);
	assert_int_equal(client_home_problems(h), 0);
}

/* An office of before what the home wrote since; the caller frees it. */
static struct office *copy_empty_office(struct client_home *h)
{
	struct office *older = calloc(1, sizeof *older);

	office_init(older, &h->clock.clock, h->schema);
	older->log = h->office->log;
	older->number = h->office->number;
	older->chain = h->office->chain;
	older->floor = h->office->floor;
	return older;
}

/* It is in no state, and its change-set is not kept any more; the refused change itself is. */
static void a_refused_change_of_a_lost_number_is_sent_again(void **state)
{
	struct client_home *h = *state;
	struct office *older = copy_empty_office(h);
	struct succession done;

	h->office->refuse_type = BYTES_LIT("person");
	struct id id = add_person(h, "Bị giữ lại");

	assert_ok(client_home_sync(h));
	h->office->backed_up = h->office->number;
	assert_ok(client_home_sync(h));
	assert_int_equal(counts_of(h).outbox, 0);
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	office_restore(h->office, older);
	assert_err(client_home_sync(h), ERR_PROTO);

	h->office->is_aside = true;
	assert_ok(enrol_anew(h, &done));

	assert_int_equal(done.rescued, 1);
	assert_int_equal(client_home_problems(h), 0);
	assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
	h->office->refuse_type = BYTES_NONE;
	assert_ok(client_home_sync(h));
	assert_office_has(h, &id, "full_name", "Bị giữ lại");
	assert_int_equal(client_home_problems(h), 0);
	office_clear(older);
	free(older);
}

/* The office was restored, and then a copy of the disk went on: its last number lies inside a set
 * of ours, so it is no number of our history, however long ago it was told that we had it. */
static void a_number_inside_a_set_of_ours_is_of_another_history(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct id first = add_person(h, "Cả hai có");

	assert_ok(client_home_sync(h));
	struct office *older = copy_empty_office(h);
	struct id alone = add_person(h, "Một mình một gói");

	assert_ok(client_home_sync(h));
	struct id one = add_person(h, "Hai trong một gói");
	struct id two = add_person(h, "Hai trong một gói");

	assert_ok(client_home_sync(h));
	office_restore(h->office, older);
	set_aside(h, 2);

	assert_ok(enrol_anew(h, &done));

	assert_int_equal(done.missing, 0);
	assert_int_equal(done.resent, 4);
	assert_ok(client_home_sync(h));
	assert_office_has(h, &first, "full_name", "Cả hai có");
	assert_office_has(h, &alone, "full_name", "Một mình một gói");
	assert_office_has(h, &one, "full_name", "Hai trong một gói");
	assert_office_has(h, &two, "full_name", "Hai trong một gói");
	assert_int_equal(client_home_problems(h), 0);
	office_clear(older);
	free(older);
}

/* Restored to before the device was enrolled; what the office had is gone, and was kept here. */
static void an_office_that_forgot_the_device_gets_all_that_is_kept(void **state)
{
	struct client_home *h = *state;
	struct office *empty = calloc(1, sizeof *empty);
	struct succession done;
	struct id sent = add_person(h, "Đã gửi");

	office_init(empty, &h->clock.clock, h->schema);
	assert_ok(client_home_sync(h));
	/* Under the second number nothing is backed up either. */
	set_aside(h, 1);
	assert_ok(enrol_anew(h, &done));
	assert_int_equal(done.resent, 0);
	struct id later = add_person(h, "Gửi với số mới");
	assert_ok(client_home_sync(h));
	office_restore(h->office, empty);
	h->office->refuse = "unknown_device";
	assert_err(client_home_sync(h), ERR_AUTH);
	assert_int_equal(vault_state(h->vault)->standing, VAULT_STANDING_UNKNOWN);

	h->office->is_aside = true;
	h->office->is_forgetful = true;
	assert_ok(enrol_anew(h, &done));

	assert_int_equal(done.resent, 2);
	assert_int_equal(client_home_problems(h), 0);
	assert_ok(client_home_sync(h));
	assert_office_has(h, &sent, "full_name", "Đã gửi");
	assert_office_has(h, &later, "full_name", "Gửi với số mới");
	assert_int_equal(client_home_standing(h, &sent), VAULT_SENT);
	assert_int_equal(client_home_problems(h), 0);
	office_clear(empty);
	free(empty);
}

/* The law's erasure reaches what is kept of a former number, too. */
static void what_is_kept_of_a_former_number_is_erased_with_its_record(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct arena a = {0};
	struct changeset_opened opened;
	struct bytes wire;
	struct id id = add_person(h, "Bị xóa theo luật");

	assert_ok(client_home_sync(h));
	set_aside(h, 1);
	assert_ok(enrol_anew(h, &done));

	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_erase(h->vault, &id));
	assert_ok(vault_commit(h->vault));

	assert_ok(vault_former_kept(h->vault, &a, OFFICE_DEVICE, 1, &wire));
	assert_null(memmem(wire.data, wire.len, "luật", strlen("luật")));
	assert_ok(changeset_open(&a, wire, NULL, &opened));
	assert_true(opened.set.changes[0].is_cut);
	assert_int_equal(client_home_problems(h), 0);
	arena_clear(&a);
}

static void what_is_kept_of_a_former_number_goes_with_the_first_backup_of_the_new(void **state)
{
	struct client_home *h = *state;
	struct succession done;
	struct arena a = {0};
	struct vault_former *formers = NULL;
	size_t count = 0;
	struct bytes wire;

	(void)add_person(h, "Đã gửi");
	assert_ok(client_home_sync(h));
	set_aside(h, 1);
	assert_ok(enrol_anew(h, &done));
	assert_ok(vault_formers_load(h->vault, &a, &formers, &count));
	assert_int_equal(formers[0].kept_count, 1);
	assert_int_equal(formers[0].kept[0], 1);
	assert_ok(vault_former_kept(h->vault, &a, OFFICE_DEVICE, 1, &wire));
	(void)add_person(h, "Mới");
	assert_ok(client_home_sync(h));
	assert_ok(vault_former_kept(h->vault, &a, OFFICE_DEVICE, 1, &wire));

	h->office->backed_up = h->office->number;
	assert_ok(client_home_sync(h));

	assert_ok(vault_formers_load(h->vault, &a, &formers, &count));
	assert_int_equal(formers[0].kept_count, 0);
	assert_err(vault_former_kept(h->vault, &a, OFFICE_DEVICE, 1, &wire), ERR_CORRUPT);
	assert_int_equal(client_home_problems(h), 0);
	arena_clear(&a);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_home_set_aside_goes_on_and_loses_nothing),
		CASE(what_is_sealed_anew_is_what_was_made),
		CASE(a_lost_answer_is_asked_for_again),
		CASE(a_change_of_what_left_our_scope_is_sent_again_too),
		CASE(a_home_at_work_stays_who_it_is),
		CASE(an_answer_for_another_home_changes_nothing),
		CASE(messages_and_refused_changes_stay_under_numbers_of_their_own),
		CASE(what_was_backed_up_stays_backed_up),
		CASE(values_of_numbers_nobody_keeps_are_written_again),
		CASE(a_refusal_nobody_told_is_learned_under_the_new_number),
		CASE(a_refused_change_of_a_lost_number_is_sent_again),
		CASE(a_number_inside_a_set_of_ours_is_of_another_history),
		CASE(an_office_that_forgot_the_device_gets_all_that_is_kept),
		CASE(what_is_kept_of_a_former_number_is_erased_with_its_record),
		CASE(what_is_kept_of_a_former_number_goes_with_the_first_backup_of_the_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
