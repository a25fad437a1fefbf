/* cmd_log - the sync log, one session, and the log as it grows. */
#define LOG_TAG "cmd"

#include <poll.h>
#include <signal.h>
#include <string.h>

#include "admin/commands.h"
#include "admin/labels.h"
#include "admin/listing.h"
#include "common/base/mem.h"

#define COUNT(array)     (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO        __attribute__((cleanup(ctl_json_release_auto)))
#define FOLLOW_PAUSE_MS  1000
#define FOLLOW_PAGE      1000
#define FOLLOW_MISSES    30 /* seconds a restarting daemon may be away */
#define FOLLOW_SEEN_MOST 10000u

/* Narrow on purpose: a session is one line of a terminal of 80 columns. */
static const struct listing_column log_columns[] = {
	{"session", "Lần", "No.", LISTING_NUMBER, false},
	{"device", "Máy", "Dev", LISTING_NUMBER, false},
	{"unit", "Xã", "Unit", LISTING_WORD, false},
	{"author", "Người ghi", "Author", LISTING_TEXT, false},
	{"started_at", "Bắt đầu", "Started", LISTING_MINUTE, false},
	{"ended_at", NULL, NULL, LISTING_TIME, true},
	{"transport", NULL, NULL, LISTING_TEXT, true},
	{"address", NULL, NULL, LISTING_TEXT, true},
	{"client_version", NULL, NULL, LISTING_TEXT, true},
	{"bytes_in", NULL, NULL, LISTING_NUMBER, true},
	{"bytes_out", NULL, NULL, LISTING_NUMBER, true},
	{"changesets", NULL, NULL, LISTING_NUMBER, true},
	{"applied", "Nhận", "In", LISTING_NUMBER, false},
	{"conflicts", "Xung đột", "Conflict", LISTING_NUMBER, false},
	{"quarantined", "Giữ lại", "Held", LISTING_NUMBER, false},
	{"records_out", "Gửi về", "Out", LISTING_NUMBER, false},
	{"evictions", NULL, NULL, LISTING_NUMBER, true},
	{"clock_offset_ms", NULL, NULL, LISTING_NUMBER, true},
	{"outcome", "Kết quả", "Outcome", LISTING_TEXT, false},
	{"error", NULL, NULL, LISTING_TEXT, true},
};

static const struct listing_column session_columns[] = {
	{"session", "Lần đồng bộ", "Session", LISTING_TEXT, false},
	{"device", "Máy", "Device", LISTING_TEXT, false},
	{"unit", "Đơn vị", "Unit", LISTING_TEXT, false},
	{"author", "Người ghi", "Author", LISTING_TEXT, false},
	{"started_at", "Bắt đầu", "Started", LISTING_TIME, false},
	{"ended_at", "Kết thúc", "Ended", LISTING_TIME, false},
	{"transport", "Đường truyền", "Transport", LISTING_TEXT, false},
	{"address", "Địa chỉ", "Address", LISTING_TEXT, false},
	{"client_version", "Phiên bản", "Version", LISTING_TEXT, false},
	{"bytes_in", "Byte nhận vào", "Bytes in", LISTING_TEXT, false},
	{"bytes_out", "Byte gửi ra", "Bytes out", LISTING_TEXT, false},
	{"changesets", "Gói thay đổi", "Change-sets", LISTING_TEXT, false},
	{"applied", "Thay đổi đã nhận", "Changes applied", LISTING_TEXT, false},
	{"conflicts", "Xung đột", "Conflicts", LISTING_TEXT, false},
	{"quarantined", "Bị giữ lại", "Quarantined", LISTING_TEXT, false},
	{"records_out", "Hồ sơ gửi về", "Records sent", LISTING_TEXT, false},
	{"evictions", "Hồ sơ rút khỏi máy", "Evicted", LISTING_TEXT, false},
	{"clock_offset_ms", "Lệch giờ", "Clock off", LISTING_OFFSET, false},
	{"outcome", "Kết quả", "Outcome", LISTING_TEXT, false},
	{"error", "Lỗi", "Error", LISTING_TEXT, false},
};

static const struct listing_column change_columns[] = {
	{"record", "Hồ sơ", "Record", LISTING_ID, false},
	{"type", "Loại", "Type", LISTING_TEXT, false},
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"old", "Cũ", "Old", LISTING_TEXT, false},
	{"new", "Mới", "New", LISTING_TEXT, false},
	{"result", "Kết quả", "Result", LISTING_TEXT, false},
	{"author", "Người ghi", "Author", LISTING_TEXT, false},
	{"number", NULL, NULL, LISTING_NUMBER, true},
	{"at", "Lúc", "At", LISTING_MINUTE, false},
	{"raw_at", NULL, NULL, LISTING_TIME, true},
	{"clock_flagged", NULL, NULL, LISTING_TEXT, true},
	{"received_at", NULL, NULL, LISTING_TIME, true},
	{"device", NULL, NULL, LISTING_NUMBER, true},
	{"session", NULL, NULL, LISTING_NUMBER, true},
	{"log", NULL, NULL, LISTING_NUMBER, true},
	{"kept", NULL, NULL, LISTING_TEXT, true},
	{"quarantined", NULL, NULL, LISTING_NUMBER, true},
	{"hidden", NULL, NULL, LISTING_TEXT, true},
};

/* Of one record: which it is stands above, who it was is wanted. */
static const struct listing_column history_columns[] = {
	{"at", "Lúc", "At", LISTING_TIME, false},
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"old", "Cũ", "Old", LISTING_TEXT, false},
	{"new", "Mới", "New", LISTING_TEXT, false},
	{"result", "Kết quả", "Result", LISTING_TEXT, false},
	{"author", "Người ghi", "Author", LISTING_TEXT, false},
	{"device", "Máy", "Dev", LISTING_NUMBER, false},
	{"session", "Lần", "No.", LISTING_NUMBER, false},
};

/* For people the error stands behind the outcome, and a session that goes on says so. */
static void mend_outcome(json_t *row)
{
	AUTO(buf_clear) struct buf text = {0};
	const char *outcome = json_string_value(json_object_get(row, "outcome"));
	const char *error = json_string_value(json_object_get(row, "error"));

	buf_append_str(&text, outcome != NULL ? labels_word(outcome) : "đang chạy");
	if (error != NULL)
		buf_printf(&text, ": %s", error);
	json_object_set_new(row, "outcome", json_string(buf_cstr(&text)));
}

static json_t *log_for_people(const json_t *rows)
{
	json_t *shown = json_deep_copy(rows);

	for (size_t i = 0; i < json_array_size(shown); i++)
		mend_outcome(json_array_get(shown, i));
	return shown;
}

/* What --follow has printed, beyond the last session before the first that is still open. */
struct follow {
	const struct ctl *ctl;
	json_t *filter; /* its own; `after` is kept in it */
	json_int_t *seen;
	size_t seen_count;
	bool is_first; /* the heading is still to come */
};

static bool is_seen(const struct follow *f, json_int_t session)
{
	for (size_t i = 0; i < f->seen_count; i++) {
		if (f->seen[i] == session)
			return true;
	}
	return false;
}

static bool is_ended(const json_t *row)
{
	return json_is_string(json_object_get(row, "outcome"));
}

static json_int_t session_of(const json_t *row)
{
	return json_integer_value(json_object_get(row, "session"));
}

/*
 * A session is printed once, when its outcome is known. Rows come oldest first; `after`
 * moves up to the first one still open, ended ones behind it are remembered.
 */
static void take_rows(struct follow *f, const json_t *rows, json_t *fresh)
{
	bool is_contiguous = true;
	json_int_t after = json_integer_value(json_object_get(f->filter, "after"));
	size_t kept = 0;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		is_contiguous = is_contiguous && is_ended(row);
		if (is_ended(row) && !is_seen(f, session_of(row))) {
			json_array_append(fresh, row);
			if (f->seen_count < FOLLOW_SEEN_MOST)
				f->seen[f->seen_count++] = session_of(row);
		}
		if (is_contiguous)
			after = session_of(row);
	}
	for (size_t i = 0; i < f->seen_count; i++) {
		if (f->seen[i] > after)
			f->seen[kept++] = f->seen[i];
	}
	f->seen_count = kept;
	json_object_set_new(f->filter, "after", json_integer(after));
}

#define FOLLOW_WIDE 110u /* columns of a terminal that has room for whole names */

/* Rows printed one by one stand under each other only when the headings are as wide as they. */
static void widen(struct listing_column *columns, const struct table_style *style)
{
	static const struct {
		const char *key;
		const char *wide;
		const char *narrow;
	} labels[] = {
		{"session", "    No.", "  No."},
		{"started_at", "Started         ", "Started         "},
		{"author", "Author                  ", "Author    "},
		{"outcome", "Outcome               ", "Outcome "},
	};
	const bool is_narrow = style->width != 0 && style->width < FOLLOW_WIDE;

	for (size_t i = 0; i < COUNT(log_columns); i++)
		for (size_t k = 0; k < COUNT(labels); k++)
			if (strcmp(columns[i].key, labels[k].key) == 0)
				columns[i].label_en = is_narrow ? labels[k].narrow : labels[k].wide;
}

static int print_rows(struct follow *f, const json_t *rows)
{
	struct listing_column columns[COUNT(log_columns)];
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *shown = NULL;
	struct ctl ctl = *f->ctl;

	if (json_array_size(rows) == 0 && !f->is_first)
		return ARGS_EXIT_DONE;
	shown = ctl.format == TABLE_TABLE ? log_for_people(rows) : json_deep_copy(rows);
	ctl.style.is_headingless = !f->is_first;
	memcpy(columns, log_columns, sizeof columns);
	widen(columns, &ctl.style);
	listing_print_more(&ctl, columns, COUNT(columns), shown, &out);
	f->is_first = false;
	return ctl_print(&out);
}

/* Newest first as `log` gives them; a listing that grows has the newest last. */
static json_t *reversed(const json_t *rows)
{
	json_t *turned = json_array();

	for (size_t i = json_array_size(rows); i > 0; i--)
		json_array_append(turned, json_array_get(rows, i - 1));
	return turned;
}

/* Until something is known to be behind us, rows come newest first. */
static int follow_step(struct follow *f)
{
	const bool is_begin = json_integer_value(json_object_get(f->filter, "after")) == 0;
	JSON_AUTO json_t *rows = NULL;
	JSON_AUTO json_t *fresh = json_array();
	JSON_AUTO json_t *ordered = NULL;
	int code = ctl_call(f->ctl, "log", json_incref(f->filter), CTL_TIMEOUT_MS, &rows);

	if (rows == NULL)
		return code;
	ordered = is_begin ? reversed(rows) : json_incref(rows);
	take_rows(f, ordered, fresh);
	return print_rows(f, fresh);
}

static volatile sig_atomic_t is_stopped;

static void on_stop(int number)
{
	(void)number;
	is_stopped = 1;
}

static int follow(const struct ctl *ctl, json_t *take_filter)
{
	struct follow f = {.ctl = ctl, .filter = take_filter, .is_first = true};
	struct sigaction stop = {.sa_handler = on_stop};
	int misses = 0;
	int code;

	f.seen = mem_alloc_array(FOLLOW_SEEN_MOST, sizeof *f.seen);
	(void)sigaction(SIGINT, &stop, NULL);
	(void)sigaction(SIGTERM, &stop, NULL);
	/* One still open may end as the outcome that is asked for, behind others that were shown.
	 */
	json_object_set_new(f.filter, "open", json_true());
	code = follow_step(&f);
	json_object_set_new(f.filter, "limit", json_integer(FOLLOW_PAGE));
	while (code == ARGS_EXIT_DONE && !is_stopped) {
		(void)poll(NULL, 0, FOLLOW_PAUSE_MS);
		if (is_stopped)
			break;
		code = follow_step(&f);
		/* A daemon that restarts is no reason to stop watching. */
		misses = code == ARGS_EXIT_UNREACHABLE ? misses + 1 : 0;
		if (code == ARGS_EXIT_UNREACHABLE && misses < FOLLOW_MISSES)
			code = ARGS_EXIT_DONE;
	}
	mem_free(f.seen);
	json_decref(f.filter);
	return code;
}

static int print_log(const struct ctl *ctl, json_t *take_call)
{
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *rows = NULL;
	JSON_AUTO json_t *shown = NULL;
	int code = ctl_call(ctl, "log", take_call, CTL_TIMEOUT_MS, &rows);

	if (rows == NULL)
		return code;
	shown = ctl->format == TABLE_TABLE ? log_for_people(rows) : json_incref(rows);
	listing_print(ctl, log_columns, COUNT(log_columns), shown, &out);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

int cmd_log(void *context, const struct args *args)
{
	json_t *call = json_object();
	int code = ctl_put_number(call, args, "device", 0, UINT32_MAX);

	if (code == ARGS_EXIT_DONE)
		code = ctl_put_number(call, args, "limit", 1, 100000);
	if (code != ARGS_EXIT_DONE) {
		json_decref(call);
		return code;
	}
	ctl_put_option(call, args, "unit", "unit");
	ctl_put_option(call, args, "since", "since");
	ctl_put_option(call, args, "until", "until");
	ctl_put_option(call, args, "outcome", "outcome");
	if (args_has(args, "follow"))
		return follow(context, call);
	return print_log(context, call);
}

/* The author of every change is the session's, as a rule: then the column says nothing. */
static bool is_by_one(const json_t *session)
{
	const json_t *changes = json_object_get(session, "changes");
	const json_t *author = json_object_get(session, "author");

	for (size_t i = 0; i < json_array_size(changes); i++)
		if (!json_equal(json_object_get(json_array_get(changes, i), "author"), author))
			return false;
	return true;
}

/*
 * A time that was mended would stand there as if somebody had seen it on a clock: for people
 * the device's own time stands behind the result.
 */
static json_t *changes_for_people(const json_t *rows)
{
	json_t *shown = json_deep_copy(rows);

	for (size_t i = 0; i < json_array_size(shown); i++) {
		AUTO(buf_clear) struct buf text = {0};
		json_t *row = json_array_get(shown, i);
		const char *result = json_string_value(json_object_get(row, "result"));

		if (!json_is_true(json_object_get(row, "clock_flagged")))
			continue;
		buf_append_str(&text, result != NULL ? labels_word(result) : "-");
		buf_append_str(&text, "; đồng hồ máy / device's clock: ");
		listing_append_value(&text, json_object_get(row, "raw_at"), LISTING_MINUTE);
		json_object_set_new(row, "result", json_string(buf_cstr(&text)));
	}
	return shown;
}

static void print_changes(const struct ctl *ctl, const json_t *session, struct buf *out)
{
	const json_t *changes = json_object_get(session, "changes");
	struct listing_column columns[COUNT(change_columns)];
	JSON_AUTO json_t *shown =
		ctl->format == TABLE_TABLE ? changes_for_people(changes) : json_deep_copy(changes);

	memcpy(columns, change_columns, sizeof columns);
	for (size_t i = 0; i < COUNT(columns); i++)
		if (strcmp(columns[i].key, "author") == 0)
			columns[i].is_csv_only = is_by_one(session);
	listing_print(ctl, columns, COUNT(columns), shown, out);
}

int cmd_log_show(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	json_t *call = json_object();
	int code = ctl_put_positional_number(call, args, 0, "session");

	if (code != ARGS_EXIT_DONE) {
		json_decref(call);
		return code;
	}
	ctl_put_option(call, args, "reason", "reason");
	code = ctl_call(ctl, "log show", call, CTL_TIMEOUT_MS, &result);
	if (result == NULL)
		return code;
	if (ctl->format != TABLE_CSV)
		listing_print_object(ctl, session_columns, COUNT(session_columns), result, &out);
	if (ctl->format == TABLE_TABLE)
		buf_append_str(&out, "\n");
	if (ctl->format != TABLE_JSON)
		print_changes(ctl, result, &out);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

/* ---- one record ---- */

static const struct listing_column record_columns[] = {
	{"id", "Mã", "Id", LISTING_WHOLE_ID, false},
	{"type", "Loại", "Type", LISTING_TEXT, false},
	{"unit", "Đơn vị", "Unit", LISTING_TEXT, false},
	{"unit_name", "Tên đơn vị", "Unit name", LISTING_TEXT, false},
	{"deleted", "Đã xóa", "Deleted", LISTING_TEXT, false},
	{"voided", "Đã hủy", "Voided", LISTING_TEXT, false},
	{"merged_into", "Nhập vào", "Joined to", LISTING_WHOLE_ID, false},
	{"stands", "Hồ sơ được tính", "Record that counts", LISTING_WHOLE_ID, false},
	{"hidden", "Bị ẩn (hạn chế)", "Hidden (restricted)", LISTING_TEXT, false},
};

static const struct listing_column field_columns[] = {
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"value", "Giá trị", "Value", LISTING_TEXT, false},
	{"at", "Lúc", "At", LISTING_TIME, false},
	{"author", "Người ghi", "Author", LISTING_TEXT, false},
	{"device", "Máy", "Dev", LISTING_NUMBER, false},
	{"log", "Nhật ký", "Log", LISTING_NUMBER, false},
};

/* For people, where a reference leads now: the record it names was joined to another. */
static json_t *shown_value(const struct ctl *ctl, const json_t *one)
{
	json_t *value = json_object_get(one, "value");
	const char *resolved = json_string_value(json_object_get(one, "resolved"));

	if (ctl->format != TABLE_TABLE || resolved == NULL || !json_is_string(value))
		return json_incref(value);
	return json_sprintf("%s → %s", json_string_value(value), resolved);
}

static json_t *field_rows(const struct ctl *ctl, const json_t *type, json_t *fields)
{
	json_t *rows = json_array();
	const char *name;
	json_t *one;

	json_object_foreach(fields, name, one)
	{
		const json_t *stamp = json_object_get(one, "stamp");

		json_array_append_new(rows,
				      json_pack("{s:O?, s:s, s:o?, s:O?, s:O?, s:O?, s:O?}", "type",
						type, "field", name, "value", shown_value(ctl, one),
						"at", json_object_get(stamp, "at"), "author",
						json_object_get(one, "author"), "device",
						json_object_get(stamp, "device"), "log",
						json_object_get(one, "log")));
	}
	return rows;
}

int cmd_record_show(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	JSON_AUTO json_t *fields = NULL;
	JSON_AUTO json_t *history = NULL;
	json_t *call = json_object();
	int code;

	json_object_set_new(call, "record", json_string(args_positional(args, 0)));
	ctl_put_option(call, args, "reason", "reason");
	code = ctl_call(ctl, "record show", call, CTL_TIMEOUT_MS, &result);
	if (result == NULL)
		return code;
	fields =
		field_rows(ctl, json_object_get(result, "type"), json_object_get(result, "fields"));
	if (ctl->format != TABLE_CSV)
		listing_print_object(ctl, record_columns, COUNT(record_columns), result, &out);
	if (ctl->format == TABLE_TABLE)
		buf_append_str(&out, "\n");
	if (ctl->format != TABLE_JSON)
		listing_print(ctl, field_columns, COUNT(field_columns), fields, &out);
	if (ctl->format == TABLE_TABLE) {
		history = changes_for_people(json_object_get(result, "history"));
		buf_append_str(&out, "\nLịch sử, mới nhất trước / History, newest first\n");
		listing_print(ctl, history_columns, COUNT(history_columns), history, &out);
	}
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
