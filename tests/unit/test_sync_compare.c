#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/stray.h"
#include "client/sync_compare.h"
#include "tests/support/client_home.h"

#define DAY_MS INT64_C(86400000)

static int setup(void **state)
{
	struct client_home *h = calloc(1, sizeof *h);

	client_home_init(h);
	h->sync.compare = SYNC_COMPARE_ALWAYS;
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

/* Some people both sides have. */
static struct id add_people(struct client_home *h, size_t count)
{
	struct id last = {{0}};
	char name[32];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof name, "Người %zu", i);
		last = add_person(h, name);
	}
	assert_ok(client_home_sync(h));
	return last;
}

/* Somebody alters the office's copy, or ours, behind the back of its program. */
static struct record *office_record(struct client_home *h, const struct id *id)
{
	for (size_t i = 0; i < h->office->record_count; i++)
		if (id_compare(&h->office->records[i].id, id) == 0)
			return &h->office->records[i];
	fail_msg("the office has no such record");
	return NULL;
}

static struct field *field_of(struct record *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (bytes_is(r->fields[i].name, name))
			return &r->fields[i];
	fail_msg("no field %s", name);
	return NULL;
}

static struct field *office_field(struct client_home *h, const struct id *id, const char *name)
{
	return field_of(office_record(h, id), name);
}

static void office_forget(struct client_home *h, const struct id *id)
{
	struct record *r = office_record(h, id);

	*r = h->office->records[--h->office->record_count];
}

typedef void (*alter_fn)(struct vault_record *r);

static void alter_here(struct client_home *h, const struct id *id, alter_fn alter)
{
	struct arena a = {0};
	struct vault_record r;

	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_load(h->vault, &a, id, &r));
	r.office = record_copy(&a, &r.office);
	r.body = record_copy(&a, &r.body);
	alter(&r);
	assert_ok(vault_record_put(h->vault, &r));
	assert_ok(vault_commit(h->vault));
	arena_clear(&a);
}

static void forget_here(struct client_home *h, const struct id *id)
{
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_remove(h->vault, id));
	assert_ok(vault_commit(h->vault));
}

static void alter_name(struct vault_record *r)
{
	field_of(&r->office, "full_name")->value = value_text(BYTES_LIT("Hỏng"));
	field_of(&r->body, "full_name")->value = value_text(BYTES_LIT("Hỏng"));
}

static void alter_stamp(struct vault_record *r)
{
	field_of(&r->office, "full_name")->stamp.clock -= 5;
	field_of(&r->body, "full_name")->stamp.clock -= 5;
}

/* Every digest of both sides, worked out by the functions others use. */
static void assert_equal_to_office(struct client_home *h)
{
	struct digest here;
	struct digest there = {0};

	assert_ok(sync_compare_digest(h->vault, h->schema, OFFICE_UNIT, &here));
	for (size_t i = 0; i < h->office->record_count; i++)
		digest_add(&there, &h->office->records[i]);
	assert_memory_equal(digest_root(&here).bytes, digest_root(&there).bytes, HASH_LEN);
	assert_int_equal(client_home_problems(h), 0);
}

/* A comparison once more: nothing is left to find. */
static void assert_healed(struct client_home *h)
{
	assert_int_equal(h->report.still_differing, 0);
	assert_ok(client_home_sync(h));
	assert_int_equal(h->report.compared, 1);
	assert_int_equal(h->report.differing, 0);
	assert_int_equal(h->report.rounds, 1);
	assert_equal_to_office(h);
}

static size_t notices_of(struct client_home *h, const char *kind, const struct id *id,
			 struct vault_notice *ret_last, struct arena *a)
{
	struct vault_notice *all = NULL;
	size_t count = 0;
	size_t found = 0;

	assert_ok(vault_notices(h->vault, a, false, &all, &count));
	for (size_t i = 0; i < count; i++) {
		if (!bytes_is(all[i].kind, kind) || id_compare(&all[i].id, id) != 0)
			continue;
		*ret_last = all[i];
		found++;
	}
	return found;
}

static const struct id no_id;

/* Of the contact under way: digests, buckets, then the strays. */
static void lose_third(struct office *o)
{
	o->lose_answers = o->strays_seen == 0 && o->buckets_sent == 1;
}

/* ---- all is well ---- */

static void what_was_sent_is_the_same_in_one_round_trip(void **state)
{
	struct client_home *h = *state;

	(void)add_people(h, 20);

	assert_int_equal(h->report.rounds, 1);
	assert_int_equal(h->report.compared, 1);
	assert_int_equal(h->report.differing, 0);
	assert_int_equal(h->office->buckets_sent, 0);
	assert_equal_to_office(h);
}

static void what_is_not_sent_does_not_matter(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 5);

	h->office->lose_requests = 1;
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Chưa gửi"));
	assert_err(client_home_sync(h), ERR_NET);
	assert_equal_to_office(h);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Chưa gửi");
}

static void no_digest_is_no_difference(void **state)
{
	struct client_home *h = *state;

	h->office->has_no_time = true;
	(void)add_people(h, 5);

	assert_int_equal(h->report.compared, 0);
	assert_int_equal(h->report.differing, 0);
	assert_int_equal(h->report.rounds, 1);
}

static void a_pull_in_pages_is_compared_at_its_end(void **state)
{
	struct client_home *h = *state;
	char name[32];

	for (size_t i = 0; i < 10; i++) {
		struct id id = client_home_new_id(h);

		snprintf(name, sizeof name, "Của máy khác %zu", i);
		office_write(h->office, "person", &id, "full_name",
			     value_text(arena_copy(&h->office->arena, bytes_str(name))),
			     h->clock.wall);
		office_write(h->office, "person", &id, "unit", value_int(OFFICE_UNIT),
			     h->clock.wall + 1);
	}
	h->office->page = 3;
	assert_ok(client_home_sync(h));

	assert_true(h->report.rounds > 2);
	assert_int_equal(h->report.compared, 1);
	assert_int_equal(h->report.differing, 0);
	assert_equal_to_office(h);
}

/* ---- when ---- */

static void by_itself_it_compares_once_a_day_and_not_in_a_first_pull(void **state)
{
	struct client_home *h = *state;

	h->sync.compare = SYNC_COMPARE_DAILY;
	(void)add_people(h, 3);
	assert_int_equal(h->office->compared, 0);
	assert_ok(client_home_sync(h));
	assert_int_equal(h->office->compared, 1);
	assert_int_equal(h->report.compared, 1);
	assert_int_equal(h->report.rounds, 1);
	assert_ok(client_home_sync(h));
	h->clock.wall += DAY_MS - 1;
	assert_ok(client_home_sync(h));
	assert_int_equal(h->office->compared, 1);
	h->clock.wall += 1;
	assert_ok(client_home_sync(h));
	assert_int_equal(h->office->compared, 2);
	/* The clock was a year ahead, and is set right. */
	h->clock.wall -= 365 * DAY_MS;
	assert_ok(client_home_sync(h));
	assert_int_equal(h->office->compared, 3);
}

static void an_office_without_time_is_asked_again_at_the_next_contact(void **state)
{
	struct client_home *h = *state;

	h->sync.compare = SYNC_COMPARE_DAILY;
	(void)add_people(h, 3);
	h->office->has_no_time = true;
	assert_ok(client_home_sync(h));
	assert_ok(client_home_sync(h));
	assert_int_equal(h->office->compared, 2);
}

static void never_and_a_small_budget_ask_nothing(void **state)
{
	struct client_home *h = *state;

	h->sync.compare = SYNC_COMPARE_DAILY;
	(void)add_people(h, 3);
	h->sync.max_bytes = 1000;
	assert_ok(client_home_sync(h));
	h->sync.max_bytes = 0;
	h->sync.compare = SYNC_COMPARE_NEVER;
	assert_ok(client_home_sync(h));
	assert_int_equal(h->office->compared, 0);
}

/* ---- what differs is repaired ---- */

static void another_value_here_becomes_the_offices(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice n;
	struct id id = add_people(h, 40);

	alter_here(h, &id, alter_name);
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.differing, 1);
	assert_int_equal(h->report.repaired, 1);
	assert_int_equal(h->office->buckets_sent, 1);
	assert_int_equal(h->report.rounds, 2);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Người 39");
	/* Whichever of the two was right, neither is gone. */
	assert_int_equal(notices_of(h, "digest", &id, &n, &a), 1);
	assert_true(bytes_is(n.field, "full_name"));
	assert_true(bytes_is(n.lost.bytes, "Hỏng"));
	assert_true(bytes_is(n.kept.bytes, "Người 39"));
	assert_int_equal(notices_of(h, "digest", &no_id, &n, &a), 1);
	assert_healed(h);
	arena_clear(&a);
}

static void another_stamp_here_becomes_the_offices_without_a_value_lost(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice n;
	struct id id = add_people(h, 10);

	alter_here(h, &id, alter_stamp);
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.repaired, 1);
	assert_int_equal(h->report.lost_values, 0);
	assert_int_equal(notices_of(h, "digest", &id, &n, &a), 0);
	assert_int_equal(notices_of(h, "digest", &no_id, &n, &a), 1);
	assert_healed(h);
	arena_clear(&a);
}

static void a_record_missing_here_comes(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);

	forget_here(h, &id);
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.repaired, 1);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Người 9");
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_healed(h);
}

static void a_value_altered_at_the_office_is_taken_and_ours_kept_in_the_inbox(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice n;
	struct id id = add_people(h, 10);

	/* Under the same stamp, and greater: merging would take it silently, lesser not at all. */
	office_field(h, &id, "full_name")->value = value_text(BYTES_LIT("zzz"));
	assert_ok(client_home_sync(h));
	assert_int_equal(notices_of(h, "digest", &id, &n, &a), 1);
	assert_true(bytes_is(n.lost.bytes, "Người 9"));
	office_field(h, &id, "full_name")->value = value_text(BYTES_LIT("A"));
	assert_ok(client_home_sync(h));

	assert_int_equal(notices_of(h, "digest", &id, &n, &a), 2);
	assert_string_equal(client_home_value(h, &id, "full_name"), "A");
	assert_healed(h);
	arena_clear(&a);
}

static void a_field_the_office_lost_is_kept_in_the_inbox(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice n;
	struct id id = add_people(h, 3);

	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 3"));
	assert_ok(client_home_sync(h));
	struct record *r = office_record(h, &id);
	struct field *f = office_field(h, &id, "hamlet");

	memmove(f, f + 1, (size_t)(r->fields + r->count - (f + 1)) * sizeof *f);
	r->count--;
	assert_ok(client_home_sync(h));

	assert_int_equal(notices_of(h, "digest", &id, &n, &a), 1);
	assert_true(bytes_is(n.lost.bytes, "Thôn 3"));
	assert_int_equal(n.kept.kind, VALUE_NULL);
	assert_healed(h);
	arena_clear(&a);
}

static void a_write_the_office_has_not_and_that_is_newer_is_kept_in_the_inbox(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice n;
	struct id id = add_people(h, 3);
	struct field *f = office_field(h, &id, "full_name");

	f->value = value_text(BYTES_LIT("Cũ"));
	f->stamp.clock -= 100;
	assert_ok(client_home_sync(h));

	assert_int_equal(notices_of(h, "digest", &id, &n, &a), 1);
	assert_true(bytes_is(n.lost.bytes, "Người 2"));
	assert_healed(h);
	arena_clear(&a);
}

static void an_update_that_did_not_come_is_no_value_lost(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice n;
	struct id id = add_people(h, 3);
	struct field *f = office_field(h, &id, "full_name");

	f->value = value_text(BYTES_LIT("Mới hơn"));
	f->stamp.clock += 100;
	assert_ok(client_home_sync(h));

	assert_string_equal(client_home_value(h, &id, "full_name"), "Mới hơn");
	assert_int_equal(notices_of(h, "digest", &id, &n, &a), 0);
	assert_healed(h);
	arena_clear(&a);
}

/* What waits is laid over what comes, and arrives at the next contact. */
static void own_unsent_changes_survive_the_repair(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);

	alter_here(h, &id, alter_name);
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 8"));
	/* Made while the contact is under way: it is not in it. */
	h->office->refuse = "busy";
	assert_err(client_home_sync(h), ERR_AGAIN);
	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));
	assert_int_equal(h->report.repaired, 1);
	assert_int_equal(client_home_standing(h, &id), VAULT_REFUSED);
	assert_string_equal(client_home_value(h, &id, "hamlet"), "Thôn 8");
	assert_string_equal(client_home_value(h, &id, "full_name"), "Người 9");
	h->office->refuse_type = BYTES_NONE;
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 9"));
	assert_ok(client_home_sync(h));

	assert_true(bytes_is(office_field(h, &id, "hamlet")->value.bytes, "Thôn 9"));
	assert_healed(h);
}

static void buckets_that_come_one_by_one_are_all_repaired(void **state)
{
	struct client_home *h = *state;

	(void)add_people(h, 30);
	for (size_t i = 0; i < h->office->record_count; i++) {
		const struct id id = h->office->records[i].id;

		alter_here(h, &id, alter_stamp);
	}
	h->office->buckets_most = 1;
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.repaired, 30);
	assert_int_equal(h->office->records_sent, 30);
	assert_int_equal(h->report.rounds, h->office->buckets_sent + 1);
	assert_healed(h);
}

static void a_bucket_too_large_for_an_answer_is_mended_by_pulling_anew(void **state)
{
	struct client_home *h = *state;
	struct id altered = add_people(h, 30);
	struct id forgotten = h->office->records[3].id;
	struct id draft;

	alter_here(h, &altered, alter_name);
	forget_here(h, &forgotten);
	draft = add_person(h, "Chưa gửi");
	assert_ok(client_home_edit(h, "person", &altered, "hamlet", "Thôn 9"));
	h->office->has_big_buckets = true;
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.differing, 1);
	assert_int_equal(h->office->buckets_sent, 0);
	assert_string_equal(client_home_value(h, &altered, "full_name"), "Người 29");
	assert_string_equal(client_home_value(h, &altered, "hamlet"), "Thôn 9");
	assert_true(client_home_has(h, &forgotten));
	assert_int_equal(client_home_standing(h, &draft), VAULT_SENT);
	assert_healed(h);
}

static void a_record_only_here_in_such_a_bucket_is_kept_and_asked_about(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 30);

	office_forget(h, &id);
	h->office->has_big_buckets = true;
	assert_ok(client_home_sync(h));

	assert_true(client_home_has(h, &id));
	assert_int_equal(h->office->stray_count, 1);
	assert_int_equal(id_compare(&h->office->stray, &id), 0);
	assert_int_equal(client_home_problems(h), 0);
}

static bool says(struct client_home *h, const struct id *id, const char *words, size_t *ret_items)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_notice *notices = NULL;
	size_t count = 0;
	bool is_said = false;

	*ret_items = 0;
	assert_ok(vault_notices(h->vault, &a, true, &notices, &count));
	for (size_t i = 0; i < count; i++) {
		AUTO(buf_clear) struct buf text = {0};

		if (!bytes_is(notices[i].kind, STRAY_KIND) || id_compare(&notices[i].id, id) != 0)
			continue;
		++*ret_items;
		buf_append_bytes(&text, notices[i].text);
		is_said = is_said || strstr(buf_cstr(&text), words) != NULL;
	}
	return is_said;
}

/* Nobody restored the office, and its device will not send the record again. */
static void such_a_record_is_told_in_words_that_are_true(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 30);
	size_t items;

	office_forget(h, &id);
	h->office->has_big_buckets = true;
	assert_ok(client_home_sync(h));

	assert_true(says(h, &id, "So khớp thấy khác", &items));
	assert_int_equal(items, 1);
	assert_false(says(h, &id, "khôi phục", &items));
	/* The next difference pulls once more; it is told once all the same. */
	assert_ok(client_home_sync(h));
	(void)says(h, &id, "", &items);
	assert_int_equal(items, 1);
}

static unsigned requests_left;

static void cut_the_line(struct office *o)
{
	o->is_cut_short = --requests_left == 0;
}

/* Digest, buckets, a page of the new pull, and then the line breaks: the next contact goes on. */
static void pulling_anew_goes_on_after_a_break(void **state)
{
	struct client_home *h = *state;
	struct id altered;

	(void)add_people(h, 10);
	(void)add_people(h, 10);
	altered = add_people(h, 10);
	alter_here(h, &altered, alter_name);
	h->office->has_big_buckets = true;
	h->office->page = 7;
	h->office->on_request = cut_the_line;
	requests_left = 3;
	assert_int_not_equal(client_home_sync(h), ERR_OK);
	h->office->on_request = NULL;
	assert_int_equal(vault_state(h->vault)->is_pull_complete, 0);
	client_home_reopen(h);
	h->sync.compare = SYNC_COMPARE_ALWAYS;
	assert_ok(client_home_sync(h));

	assert_string_equal(client_home_value(h, &altered, "full_name"), "Người 9");
	assert_healed(h);
}

static void an_office_whose_large_bucket_keeps_differing_is_left(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);
	struct record *r = office_record(h, &id);

	r->type = BYTES_LIT("collaborator");
	h->office->has_big_buckets = true;
	(void)!client_home_sync(h);

	assert_true(h->report.rounds < 10);
	assert_true(client_home_has(h, &id));
}

/* The bucket comes again and again as it is: that must end. */
static void an_office_that_does_not_agree_with_itself_is_left(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);
	struct record *r = office_record(h, &id);

	/* The client has no such type of this id and does not take it. */
	r->type = BYTES_LIT("collaborator");
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.differing, 1);
	assert_true(h->report.rounds < 10);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Người 9");
}

static void a_bucket_with_a_record_of_another_is_not_believed(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);
	struct record *r = office_record(h, &id);

	/* Of another unit than the bucket's. */
	field_of(r, "unit")->value = value_int(OFFICE_UNIT + 1);
	assert_err(client_home_sync(h), ERR_PROTO);

	assert_string_equal(client_home_value(h, &id, "full_name"), "Người 9");
	assert_int_equal(client_home_problems(h), 0);
}

/* ---- strays ---- */

static void a_record_the_office_lost_is_kept_and_told_once(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice n;
	struct id id = add_people(h, 10);

	office_forget(h, &id);
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.strays, 1);
	assert_int_equal(h->report.missing_records, 1);
	assert_int_equal(h->report.still_differing, 0);
	assert_int_equal(h->office->strays_seen, 1);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Người 9");
	assert_int_equal(notices_of(h, "digest_missing", &id, &n, &a), 1);
	/* The next comparison is equal, tells the office again, and people not again. */
	assert_ok(client_home_sync(h));
	assert_int_equal(h->report.differing, 0);
	assert_int_equal(h->office->strays_seen, 2);
	assert_int_equal(notices_of(h, "digest_missing", &id, &n, &a), 1);
	assert_equal_to_office(h);
	arena_clear(&a);
}

static void the_next_edit_of_a_record_the_office_lost_sends_all_of_it(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);

	assert_ok(client_home_edit(h, "person", &id, "sex", "female"));
	assert_ok(client_home_sync(h));
	office_forget(h, &id);
	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "Thôn 2"));
	assert_int_equal(client_home_standing(h, &id), VAULT_DRAFT);
	assert_ok(client_home_sync(h));

	assert_true(bytes_is(office_field(h, &id, "full_name")->value.bytes, "Người 9"));
	assert_true(bytes_is(office_field(h, &id, "sex")->value.bytes, "female"));
	assert_true(bytes_is(office_field(h, &id, "hamlet")->value.bytes, "Thôn 2"));
	assert_int_equal(office_field(h, &id, "unit")->value.integer, OFFICE_UNIT);
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_healed(h);
}

static void a_record_that_left_the_scope_unnoticed_goes(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);

	office_forget(h, &id);
	h->office->evicts_strays = true;
	assert_ok(client_home_sync(h));

	assert_false(client_home_has(h, &id));
	assert_int_equal(h->report.missing_records, 0);
	assert_healed(h);
}

static void a_record_the_office_lost_and_has_again_counts_again(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);
	struct record copy = *office_record(h, &id);

	office_forget(h, &id);
	assert_ok(client_home_sync(h));
	assert_int_equal(h->report.missing_records, 1);
	h->office->records[h->office->record_count++] = copy;
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.missing_records, 0);
	assert_healed(h);
}

/* The repair is on the disk before the office is asked about strays: nothing depends on the answer.
 */
static void a_stray_whose_answer_is_lost_is_asked_about_again(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct vault_notice n;
	struct id id = add_people(h, 10);

	office_forget(h, &id);
	h->office->on_request = lose_third;
	assert_err(client_home_sync(h), ERR_TIMEOUT);
	assert_int_equal(h->report.strays, 1);
	assert_int_equal(notices_of(h, "digest_missing", &id, &n, &a), 0);
	h->office->on_request = NULL;
	client_home_reopen(h);
	h->sync.compare = SYNC_COMPARE_ALWAYS;
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.missing_records, 1);
	assert_int_equal(notices_of(h, "digest_missing", &id, &n, &a), 1);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Người 9");
	arena_clear(&a);
}

static void it_survives_the_end_of_the_program(void **state)
{
	struct client_home *h = *state;
	struct id id = add_people(h, 10);

	office_forget(h, &id);
	assert_ok(client_home_sync(h));
	client_home_reopen(h);
	h->sync.compare = SYNC_COMPARE_ALWAYS;
	assert_ok(client_home_sync(h));

	assert_int_equal(h->report.differing, 0);
	assert_int_equal(h->report.missing_records, 1);
	assert_string_equal(client_home_value(h, &id, "full_name"), "Người 9");
	assert_int_equal(client_home_problems(h), 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_sent_is_the_same_in_one_round_trip),
		CASE(what_is_not_sent_does_not_matter),
		CASE(no_digest_is_no_difference),
		CASE(a_pull_in_pages_is_compared_at_its_end),
		CASE(by_itself_it_compares_once_a_day_and_not_in_a_first_pull),
		CASE(an_office_without_time_is_asked_again_at_the_next_contact),
		CASE(never_and_a_small_budget_ask_nothing),
		CASE(another_value_here_becomes_the_offices),
		CASE(another_stamp_here_becomes_the_offices_without_a_value_lost),
		CASE(a_record_missing_here_comes),
		CASE(a_value_altered_at_the_office_is_taken_and_ours_kept_in_the_inbox),
		CASE(a_field_the_office_lost_is_kept_in_the_inbox),
		CASE(a_write_the_office_has_not_and_that_is_newer_is_kept_in_the_inbox),
		CASE(an_update_that_did_not_come_is_no_value_lost),
		CASE(own_unsent_changes_survive_the_repair),
		CASE(buckets_that_come_one_by_one_are_all_repaired),
		CASE(a_bucket_too_large_for_an_answer_is_mended_by_pulling_anew),
		CASE(a_record_only_here_in_such_a_bucket_is_kept_and_asked_about),
		CASE(such_a_record_is_told_in_words_that_are_true),
		CASE(pulling_anew_goes_on_after_a_break),
		CASE(an_office_whose_large_bucket_keeps_differing_is_left),
		CASE(an_office_that_does_not_agree_with_itself_is_left),
		CASE(a_bucket_with_a_record_of_another_is_not_believed),
		CASE(a_record_the_office_lost_is_kept_and_told_once),
		CASE(the_next_edit_of_a_record_the_office_lost_sends_all_of_it),
		CASE(a_record_that_left_the_scope_unnoticed_goes),
		CASE(a_record_the_office_lost_and_has_again_counts_again),
		CASE(a_stray_whose_answer_is_lost_is_asked_about_again),
		CASE(it_survives_the_end_of_the_program),
	};

	return cmocka_run_group_tests_name("sync_compare", tests, NULL, NULL);
}
