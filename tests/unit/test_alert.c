/* The daily alert: what is told, from how many on, and what must never be in it. */
#include "daemon/alert_print.h"
#include "tests/unit/admin_office.h"

#define DAYS(n) (INT64_C(86400000) * (n))

static struct alert alert;
static struct alert_facts facts;

static int begin(UNUSED_STATE)
{
	setup(NULL);
	facts = (struct alert_facts){.now_ms = OFFICE_NOW};
	return 0;
}

static void collect(void)
{
	assert_ok(store_begin(office.reader));
	assert_ok(alert_collect(office.reader, &office.arena, &config->alert, &facts, &alert));
	store_rollback(office.reader);
}

/* NULL: not told. */
static const struct alert_item *item_of(enum alert_kind kind)
{
	collect();
	for (size_t i = 0; i < alert.item_count; i++)
		if (alert.items[i].kind == kind)
			return &alert.items[i];
	return NULL;
}

static uint64_t told(enum alert_kind kind)
{
	const struct alert_item *item = item_of(kind);

	return item != NULL ? item->count : 0;
}

/* ---- what is told ---- */

static void a_fresh_office_tells_of_communes_never_heard_of_and_nothing_else(UNUSED_STATE)
{
	const struct alert_item *item = item_of(ALERT_never);

	assert_int_equal(alert.item_count, 1);
	assert_int_equal(item->count, 111);
	assert_int_equal(item->row_count, ALERT_ROWS_MAX);
	assert_int_equal(item->row_total, 111);
	assert_int_equal(alert.communes, 111);
	assert_int_equal(alert.fresh, 0);
}

static void a_commune_goes_quiet_after_the_days_that_are_set(UNUSED_STATE)
{
	const struct alert_item *item;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	config->alert.quiet_ms = DAYS(10);
	facts.now_ms = OFFICE_NOW + DAYS(10);
	assert_int_equal(told(ALERT_quiet), 0);
	assert_int_equal(alert.fresh, 1);
	facts.now_ms++;
	item = item_of(ALERT_quiet);

	assert_non_null(item);
	assert_true(bytes_is(item->rows[0].unit, "25195"));
	assert_true(bytes_is(item->rows[0].unit_name, "Phường Tân Phú"));
	assert_int_equal(item->rows[0].at_ms, OFFICE_NOW);
	assert_int_equal(told(ALERT_never), 110);
	config->alert.quiet_ms = 0;
	assert_int_equal(told(ALERT_quiet), 0);
	assert_int_equal(told(ALERT_never), 0);
}

static void numbers_that_are_missing_are_told_by_device(UNUSED_STATE)
{
	const struct alert_item *item;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	change("UPDATE device SET seen_number = last_number + 4 WHERE number = 1");
	item = item_of(ALERT_missing);

	assert_non_null(item);
	assert_int_equal(item->count, 4);
	assert_int_equal(item->rows[0].device, 1);
	assert_true(bytes_is(item->rows[0].device_name, "máy"));
	config->alert.missing = 5;
	assert_int_equal(told(ALERT_missing), 0);
	config->alert.missing = 4;
	assert_int_equal(told(ALERT_missing), 4);
	/* It goes on under another number: what it lacked is that one's to send. */
	change("UPDATE device SET former = 1 WHERE number = 2");
	assert_int_equal(told(ALERT_missing), 0);
}

static void what_waits_for_a_person_is_told_with_its_communes(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	const struct alert_item *item;

	push_edit(&an, "person", id, 1, (struct write)OFFICE_TEXT("hamlet", "Ấp 1"));
	push_edit(&be, "person", id, 1, (struct write)OFFICE_TEXT("hamlet", "Sóc Bù Nho"));
	push_edit(&be, "person", id, 3, (struct write)OFFICE_TEXT("sex", "neither"));
	item = item_of(ALERT_quarantine);
	assert_non_null(item);
	assert_int_equal(item->count, 1);
	assert_true(bytes_is(item->rows[0].unit, "25195"));
	assert_true(item->oldest_ms > 0);
	assert_int_equal(told(ALERT_conflicts), 1);
	config->alert.quarantine = 2;
	config->alert.conflicts = 0;
	assert_int_equal(told(ALERT_quarantine), 0);
	assert_int_equal(told(ALERT_conflicts), 0);
	config->alert.conflicts = 1;
	json_decref(result_of("conflict keep", "{\"conflict\":1}"));
	assert_int_equal(told(ALERT_conflicts), 0);
}

static void clocks_and_devices_set_aside_are_told(UNUSED_STATE)
{
	const struct alert_item *item;
	uint32_t *numbers = NULL;
	size_t count = 0;

	change("UPDATE device SET is_clock_flagged = 1 WHERE number = 1");
	change("UPDATE device SET state = 1 WHERE number = 2");
	assert_int_equal(told(ALERT_clocks), 1);
	item = item_of(ALERT_forked);
	assert_non_null(item);
	assert_int_equal(item->rows[0].device, 2);
	assert_ok(alert_load_forked(office.writer, &office.arena, &numbers, &count));
	assert_int_equal(count, 1);
	assert_int_equal(numbers[0], 2);

	/* Released: it is the commune's turn. */
	json_decref(result_of("device release", "{\"device\":2}"));
	assert_int_equal(told(ALERT_forked), 0);
	assert_int_equal(told(ALERT_released), 1);
	/* Not used in time: the office's again. */
	facts.now_ms = OFFICE_NOW + DAYS(4);
	assert_int_equal(told(ALERT_forked), 1);
	assert_int_equal(told(ALERT_released), 0);
	change("UPDATE device SET former = 2 WHERE number = 1");
	assert_int_equal(told(ALERT_forked), 0);
	assert_ok(alert_load_forked(office.writer, &office.arena, &numbers, &count));
	assert_int_equal(count, 0);
}

static void revoked_devices_are_told_of_no_more(UNUSED_STATE)
{
	change("UPDATE device SET is_clock_flagged = 1, state = 2 WHERE number = 1");
	assert_int_equal(told(ALERT_clocks), 0);
	assert_int_equal(told(ALERT_forked), 0);
}

static void a_backup_that_is_too_old_or_failed_is_told(UNUSED_STATE)
{
	const struct alert_item *item;

	/* Nothing to lose yet. */
	facts.now_ms = OFFICE_NOW + DAYS(400);
	assert_int_equal(told(ALERT_backup_old), 0);
	facts.now_ms = OFFICE_NOW;
	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	assert_int_equal(told(ALERT_backup_old), 0);
	facts.now_ms = OFFICE_NOW + DAYS(3);
	assert_int_equal(told(ALERT_backup_old), 1);
	change("INSERT INTO backup(path, at, log, bytes, hash, verified_at)"
	       " VALUES('x', 1795305600000 + 86400000, 1, 1, x'00', 1)");
	assert_int_equal(told(ALERT_backup_old), 0);
	assert_int_equal(alert.backup_ms, OFFICE_NOW + DAYS(1));
	facts.now_ms = OFFICE_NOW + DAYS(4);
	assert_int_equal(told(ALERT_backup_old), 1);
	config->alert.backup_age_ms = 0;
	assert_int_equal(told(ALERT_backup_old), 0);

	facts.is_backup_failed = true;
	facts.backup_error = "no room";
	item = item_of(ALERT_backup_failed);
	assert_non_null(item);
	assert_true(bytes_is(item->detail, "no room"));
	assert_int_equal(item - alert.items, 0); /* the gravest first */
}

static void a_disk_is_told_below_what_is_set(UNUSED_STATE)
{
	facts.disk_free = (uint64_t)config->alert.disk_free - 1;
	assert_int_equal(told(ALERT_disk), 0); /* not looked at so far */
	facts.is_disk_known = true;
	assert_int_equal(told(ALERT_disk), 1);
	facts.disk_free++;
	assert_int_equal(told(ALERT_disk), 0);
}

static void a_way_that_failed_is_told_by_the_others(UNUSED_STATE)
{
	const struct alert_row row = {.text = BYTES_LIT("mail: refused"), .count = 1};

	facts.undelivered = &row;
	facts.undelivered_count = 1;
	assert_int_equal(told(ALERT_undelivered), 1);
}

/* ---- how it reads ---- */

/* Cut in the middle of a character, or of no alphabet at all. */
static void what_a_program_said_never_spoils_the_whole_alert(UNUSED_STATE)
{
	const struct alert_row row = {.text = BYTES_LIT("mail: h\xe1\xbb, \xff"), .count = 1};
	const struct alert_head head = {.sort = ALERT_DAILY, .office = "10.0.0.5:8443"};
	AUTO(buf_clear) struct buf text = {0};
	json_t *j;

	facts.undelivered = &row;
	facts.undelivered_count = 1;
	facts.is_backup_failed = true;
	facts.backup_error = "ổ \xc4";
	collect();
	j = alert_json(&head, &alert);
	assert_non_null(j);
	json_decref(j);
	alert_print_text(&head, &alert, &text);

	assert_non_null(strstr(buf_cstr(&text), "mail: h\xef\xbf\xbd"));
}

static const struct alert_head daily = {
	.sort = ALERT_DAILY, .office = "10.0.0.5:8443", .day = 20779};

static const char *text_of_alert(const struct alert_head *head)
{
	struct buf out = {0};
	const char *copy;

	alert_print_text(head, &alert, &out);
	copy = arena_strdup(&office.arena, buf_bytes(&out));
	buf_clear(&out);
	return copy;
}

static void no_word_of_a_record_is_in_it(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"),
				OFFICE_TEXT("hamlet", "Sóc Bù Nho"));
	AUTO(mem_free) char *json = NULL;
	const char *text;
	json_t *j;

	push_edit(&an, "person", id, 1, (struct write)OFFICE_TEXT("hamlet", "Ấp Một"));
	push_edit(&be, "person", id, 1, (struct write)OFFICE_TEXT("hamlet", "Ấp Hai"));
	push_edit(&be, "person", id, 3, (struct write)OFFICE_TEXT("sex", "neither"));
	collect();
	text = text_of_alert(&daily);
	j = alert_json(&daily, &alert);
	json = json_dumps(j, JSON_COMPACT);
	json_decref(j);

	/* The author is a collaborator, and not in it either. */
	static const char *const words[] = {"Điểu", "K'Ré",    "Sóc",    "Ấp",
					    "Hai",  "neither", "hamlet", "Lê Văn An"};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		assert_null(strstr(text, words[i]));
		assert_null(strstr(json, words[i]));
	}
	/* The control: what should be there is. */
	assert_non_null(strstr(text, "Xung đột chờ quyết định / Conflicts open: 1"));
	assert_non_null(strstr(text, "25195 Phường Tân Phú: 1"));
}

static void a_device_cannot_write_lines_of_its_own(UNUSED_STATE)
{
	change("UPDATE device SET is_clock_flagged = 1, name = 'x' || char(10) || ' * Sao lưu'"
	       " WHERE number = 1");
	collect();
	assert_non_null(strstr(text_of_alert(&daily), "máy 1 (x  * Sao lưu)\n"));
}

static void the_title_says_how_much_there_is(UNUSED_STATE)
{
	struct alert_head head = daily;

	collect();
	assert_non_null(
		strstr(text_of_alert(&head), "[ctxh] Bản tin ngày 22/11/2026: 1 việc phải xem\n"));
	config->alert.quiet_ms = 0;
	collect();
	assert_non_null(strstr(text_of_alert(&head), "không có việc gì phải xem\n"));
	assert_non_null(strstr(text_of_alert(&head), "Nothing to look at."));
	head.sort = ALERT_URGENT;
	facts.is_backup_failed = true;
	facts.backup_error = "no room";
	collect();
	assert_non_null(strstr(text_of_alert(&head), "[ctxh] KHẨN: Sao lưu không thành\n"));
	assert_non_null(strstr(text_of_alert(&head), "    no room\n"));
	head.sort = ALERT_TEST;
	assert_non_null(strstr(text_of_alert(&head), "alerts arrive"));
}

static void the_id_is_the_same_for_one_day(UNUSED_STATE)
{
	struct buf one = {0};
	struct buf other = {0};

	collect();
	alert_print_id(&daily, &alert, &one);
	facts.now_ms += 60000;
	collect();
	alert_print_id(&daily, &alert, &other);
	assert_string_equal(buf_cstr(&one), buf_cstr(&other));
	buf_clear(&one);
	buf_clear(&other);
}

/* ---- the mail ---- */

static const char *mail_to = "a@soyte.example,b@soyte.example";

static const char *mail_of(const char *title, const char *text)
{
	const struct alert_mail mail = {.from = "ctxhd@soyte.example",
					.to = mail_to,
					.id = BYTES_LIT("daily-2026-11-22-00"),
					.title = bytes_str(title),
					.text = bytes_str(text),
					.at_ms = OFFICE_NOW};
	struct buf out = {0};
	const char *copy;

	alert_print_mail(&mail, &out);
	copy = arena_strdup(&office.arena, buf_bytes(&out));
	buf_clear(&out);
	return copy;
}

static void a_mail_has_its_headers_and_short_ascii_lines(UNUSED_STATE)
{
	const char *mail;
	size_t column = 0;

	collect();
	mail = mail_of("[ctxh] Bản tin ngày 22/11/2026: 12 việc phải xem, sắp đầy đĩa và hơn nữa",
		       text_of_alert(&daily));

	assert_non_null(
		strstr(mail, "From: ctxhd@soyte.example\nTo: a@soyte.example,b@soyte.example\n"));
	assert_non_null(strstr(mail, "Date: Sun, 22 Nov 2026 07:00:00 +0700\n"));
	assert_non_null(strstr(mail, "Message-ID: <daily-2026-11-22-00@ctxhd>\n"));
	for (const char *p = mail; *p != '\0'; p++) {
		assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
		column = *p == '\n' ? 0 : column + 1;
		assert_true(column <= 78);
	}
}

/* A line of a header may have 998 bytes (RFC 5322); an office may have more addresses than that. */
static void many_addresses_stand_on_many_lines(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf to = {0};
	const char *before = mail_to;
	const char *at;
	size_t count = 0;

	for (unsigned i = 0; i < 100; i++)
		buf_printf(&to, "%scongtacvien%02u@soyte.example", i != 0 ? "," : "", i);
	mail_to = buf_cstr(&to);
	at = strstr(mail_of("x", "y"), "To: ");
	mail_to = before;
	assert_non_null(at);
	/* Until the next header: what begins with a blank goes on. */
	for (size_t column = 0; *at != '\n' || at[1] == ' '; at++) {
		column = *at == '\n' ? 0 : column + 1;
		assert_true(column <= 78);
		count += *at == '@';
	}

	assert_int_equal(count, 100);
}

static void a_subject_is_cut_between_characters_only(UNUSED_STATE)
{
	/* Each word decodes alone: 42 bytes of three-byte characters, one byte before them. */
	const char *mail = mail_of("xữữữữữữữữữữữữữữữữữữữữ", "");

	assert_non_null(strstr(mail,
			       "Subject: =?UTF-8?B?eOG7r+G7r+G7r+G7r+G7r+G7r+G7r+G7r+G7r+G7r+G7"
			       "r+G7r+G7rw==?=\n =?UTF-8?B?4buv"));
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, begin, teardown)
	const struct CMUnitTest tests[] = {
		T(a_fresh_office_tells_of_communes_never_heard_of_and_nothing_else),
		T(a_commune_goes_quiet_after_the_days_that_are_set),
		T(numbers_that_are_missing_are_told_by_device),
		T(what_waits_for_a_person_is_told_with_its_communes),
		T(clocks_and_devices_set_aside_are_told),
		T(revoked_devices_are_told_of_no_more),
		T(a_backup_that_is_too_old_or_failed_is_told),
		T(a_disk_is_told_below_what_is_set),
		T(a_way_that_failed_is_told_by_the_others),
		T(what_a_program_said_never_spoils_the_whole_alert),
		T(no_word_of_a_record_is_in_it),
		T(a_device_cannot_write_lines_of_its_own),
		T(the_title_says_how_much_there_is),
		T(the_id_is_the_same_for_one_day),
		T(a_mail_has_its_headers_and_short_ascii_lines),
		T(many_addresses_stand_on_many_lines),
		T(a_subject_is_cut_between_characters_only),
	};

	return cmocka_run_group_tests_name("alert", tests, NULL, NULL);
}
