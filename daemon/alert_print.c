#include "daemon/alert_print.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/crypt.h"
#include "common/model/vntext.h"

#define VIETNAM_MS INT64_C(25200000)
#define DAY_MS     INT64_C(86400000)

const char *alert_sort_name(enum alert_sort sort)
{
	switch (sort) {
	case ALERT_DAILY: return "daily";
	case ALERT_URGENT: return "urgent";
	case ALERT_TEST: return "test";
	}
	return "";
}

/* ---- pieces ---- */

/* "22/11/2026 07:00" */
static void print_time(int64_t at_ms, struct buf *out)
{
	char iso[CLOCK_ISO_LEN];

	clock_print_iso(at_ms + VIETNAM_MS, iso);
	buf_printf(out, "%.2s/%.2s/%.4s %.5s", iso + 8, iso + 5, iso, iso + 11);
}

static void print_day(int64_t day, struct buf *out)
{
	char iso[CLOCK_ISO_LEN];

	clock_print_iso(day * DAY_MS, iso);
	buf_printf(out, "%.10s", iso);
}

/* "12,3 GB", of whatever size. */
static void print_size(uint64_t bytes, struct buf *out)
{
	const uint64_t tenths = bytes / UINT64_C(100000000);

	if (tenths == 0)
		buf_printf(out, "%" PRIu64 " MB", bytes / 1000000);
	else
		buf_printf(out, "%" PRIu64 ",%" PRIu64 " GB", tenths / 10, tenths % 10);
}

/* ---- text ---- */

void alert_print_title(const struct alert_head *head, const struct alert *alert, struct buf *out)
{
	char iso[CLOCK_ISO_LEN];

	clock_print_iso(head->day * DAY_MS, iso);
	buf_append_str(out, "[ctxh] ");
	switch (head->sort) {
	case ALERT_DAILY:
		buf_printf(out, "Bản tin ngày %.2s/%.2s/%.4s: ", iso + 8, iso + 5, iso);
		if (alert->item_count == 0)
			buf_append_str(out, "không có việc gì phải xem");
		else
			buf_printf(out, "%zu việc phải xem", alert->item_count);
		return;
	case ALERT_URGENT:
		buf_append_str(out, "KHẨN: ");
		for (size_t i = 0; i < alert->item_count; i++)
			buf_printf(out, "%s%s", i != 0 ? "; " : "",
				   alert_kind_vi(alert->items[i].kind));
		return;
	case ALERT_TEST: buf_append_str(out, "Thử gửi bản tin / a test"); return;
	}
}

static void print_who(const struct alert_row *r, struct buf *out)
{
	if (r->unit.len != 0) {
		buf_printf(out, "%.*s ", BYTES_FMT(r->unit));
		vntext_show(r->unit_name, out);
	} else if (r->device != 0) {
		buf_printf(out, "máy %" PRIu32 " (", r->device);
		vntext_show(r->device_name, out);
		buf_append_str(out, ")");
	}
	if (r->text.len != 0)
		vntext_show(r->text, out);
}

static void print_row(enum alert_kind kind, const struct alert_row *r, struct buf *out)
{
	buf_append_str(out, "    - ");
	print_who(r, out);
	switch (kind) {
	case ALERT_missing:
	case ALERT_quarantine:
	case ALERT_conflicts:
	case ALERT_placing: buf_printf(out, ": %" PRIu64, r->count); break;
	case ALERT_quiet:
	case ALERT_released:
		buf_append_str(out, kind == ALERT_quiet ? ": từ / since " : ": hạn / until ");
		print_time(r->at_ms, out);
		break;
	case ALERT_backup_failed:
	case ALERT_backup_old:
	case ALERT_disk:
	case ALERT_forked:
	case ALERT_undelivered:
	case ALERT_never:
	case ALERT_clocks: break;
	}
	buf_append_str(out, "\n");
}

static bool is_counted(enum alert_kind kind)
{
	return kind != ALERT_backup_failed && kind != ALERT_backup_old && kind != ALERT_disk;
}

static void print_item(const struct alert_item *item, struct buf *out)
{
	buf_printf(out, "%s %s / %s", alert_kind_is_urgent(item->kind) ? "!!" : " *",
		   alert_kind_vi(item->kind), alert_kind_en(item->kind));
	if (is_counted(item->kind))
		buf_printf(out, ": %" PRIu64, item->count);
	if (item->oldest_ms != 0) {
		buf_append_str(out, ", lâu nhất từ / the oldest since ");
		print_time(item->oldest_ms, out);
	}
	buf_append_str(out, "\n");
	if (item->detail.len != 0) {
		buf_append_str(out, "    ");
		vntext_show(item->detail, out);
		buf_append_str(out, "\n");
	}
	for (size_t i = 0; i < item->row_count; i++)
		print_row(item->kind, &item->rows[i], out);
	if (item->row_total > item->row_count)
		buf_printf(out, "    … và %zu nữa / and %zu more\n",
			   item->row_total - item->row_count, item->row_total - item->row_count);
	buf_printf(out, "    → %s\n", alert_kind_advice(item->kind));
}

static void print_state(const struct alert *alert, struct buf *out)
{
	buf_printf(out,
		   "Tình hình chung / In general\n"
		   "    Xã có liên lạc gần đây / communes heard of: %" PRIu64 " / %" PRIu64 "\n",
		   alert->fresh, alert->communes);
	buf_append_str(out, "    Sao lưu cuối / last backup: ");
	if (alert->backup_ms != 0)
		print_time(alert->backup_ms, out);
	else
		buf_append_str(out, "chưa có / none");
	if (alert->is_disk_known) {
		buf_append_str(out, "\n    Đĩa còn trống / free on the disk: ");
		print_size(alert->disk_free, out);
	}
	buf_printf(out, "\n    Số nhật ký / log number: %" PRIu64 "\n", alert->log);
}

void alert_print_text(const struct alert_head *head, const struct alert *alert, struct buf *out)
{
	alert_print_title(head, alert, out);
	buf_printf(out, "\nctxhd %s, ", head->office);
	print_time(alert->at_ms, out);
	buf_append_str(out, "\n\n");
	if (head->sort == ALERT_TEST) {
		buf_append_str(out, "Nếu đọc được dòng này thì đường gửi bản tin đang hoạt động.\n"
				    "If you can read this, alerts arrive.\n");
		return;
	}
	for (size_t i = 0; i < alert->item_count; i++)
		print_item(&alert->items[i], out);
	if (alert->item_count == 0)
		buf_append_str(out, "Không có việc gì phải xem. / Nothing to look at.\n");
	buf_append_str(out, "\n");
	print_state(alert, out);
	if (head->sort == ALERT_DAILY)
		buf_append_str(out,
			       "\nBản tin đến mỗi ngày một lần; ngày nào không thấy, hãy xem máy "
			       "chủ.\nOne comes every day; when none does, look at the server.\n");
}

/* ---- JSON ---- */

static json_t *json_of(struct bytes text)
{
	AUTO(buf_clear) struct buf line = {0};

	if (text.len == 0)
		return json_null();
	vntext_show(text, &line);
	return json_stringn((const char *)line.data, line.len);
}

static json_t *json_of_time(int64_t at_ms)
{
	char iso[CLOCK_ISO_LEN];

	if (at_ms == 0)
		return json_null();
	clock_print_iso(at_ms, iso);
	return json_string(iso);
}

static json_t *row_json(const struct alert_row *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "unit", json_of(r->unit),
			 "unit_name", json_of(r->unit_name), "device",
			 r->device != 0 ? json_integer(r->device) : json_null(), "device_name",
			 json_of(r->device_name), "text", json_of(r->text), "count",
			 (json_int_t)r->count, "at", json_of_time(r->at_ms));
}

static json_t *item_json(const struct alert_item *item)
{
	json_t *rows = json_array();

	for (size_t i = 0; i < item->row_count; i++)
		json_array_append_new(rows, row_json(&item->rows[i]));
	return json_pack("{s:s, s:s, s:s, s:b, s:I, s:o, s:o, s:s, s:o, s:I}", "kind",
			 alert_kind_name(item->kind), "label", alert_kind_vi(item->kind),
			 "label_en", alert_kind_en(item->kind), "urgent",
			 (int)alert_kind_is_urgent(item->kind), "count", (json_int_t)item->count,
			 "oldest", json_of_time(item->oldest_ms), "detail", json_of(item->detail),
			 "advice", alert_kind_advice(item->kind), "rows", rows, "more",
			 (json_int_t)(item->row_total - item->row_count));
}

json_t *alert_json(const struct alert_head *head, const struct alert *alert)
{
	AUTO(buf_clear) struct buf id = {0};
	AUTO(buf_clear) struct buf day = {0};
	AUTO(buf_clear) struct buf title = {0};
	AUTO(buf_clear) struct buf text = {0};
	char daemon[2 * ID_LEN + 1];
	json_t *items = json_array();

	alert_print_id(head, alert, &id);
	print_day(head->day, &day);
	alert_print_title(head, alert, &title);
	alert_print_text(head, alert, &text);
	hex_print(head->daemon.bytes, ID_LEN, daemon);
	for (size_t i = 0; i < alert->item_count; i++)
		json_array_append_new(items, item_json(&alert->items[i]));
	return json_pack("{s:s, s:s, s:o, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:s}",
			 "id", buf_cstr(&id), "alert", alert_sort_name(head->sort), "at",
			 json_of_time(alert->at_ms), "day", buf_cstr(&day), "office", head->office,
			 "daemon", daemon, "title", buf_cstr(&title), "log", (json_int_t)alert->log,
			 "communes", (json_int_t)alert->communes, "fresh", (json_int_t)alert->fresh,
			 "last_backup", json_of_time(alert->backup_ms), "disk_free",
			 alert->is_disk_known ? json_integer((json_int_t)alert->disk_free)
					      : json_null(),
			 "items", items, "text", buf_cstr(&text));
}

void alert_print_id(const struct alert_head *head, const struct alert *alert, struct buf *out)
{
	char daemon[2 * ID_LEN + 1];

	hex_print(head->daemon.bytes, ID_LEN, daemon);
	buf_printf(out, "%s-", alert_sort_name(head->sort));
	print_day(head->day, out);
	if (head->sort != ALERT_DAILY)
		buf_printf(out, "-%" PRId64, alert->at_ms);
	buf_printf(out, "-%.16s", daemon);
}

/* ---- mail ---- */

#define WORD_BYTES     42u /* of UTF-8 in one encoded word: 75 characters at most (RFC 2047) */
#define LINE_MAX_BYTES 78u /* of a header */
#define LINE_BYTES     57u /* in one line of base64: 76 characters (RFC 2045) */

/* A character is never cut in two: each word must stand alone. */
static size_t word_len(struct bytes rest)
{
	size_t len = rest.len < WORD_BYTES ? rest.len : WORD_BYTES;

	while (len > 1 && len < rest.len && (rest.data[len] & 0xc0) == 0x80)
		len--;
	return len;
}

static void print_subject(struct bytes title, struct buf *out)
{
	buf_append_str(out, "Subject:");
	for (size_t at = 0; at < title.len;) {
		const struct bytes rest = bytes_of(title.data + at, title.len - at);
		const size_t len = word_len(rest);

		buf_append_str(out, at == 0 ? " =?UTF-8?B?" : "\n =?UTF-8?B?");
		crypt_print_base64(bytes_of(rest.data, len), out);
		buf_append_str(out, "?=");
		at += len;
	}
	buf_append_str(out, "\n");
}

static void print_date(int64_t at_ms, struct buf *out)
{
	static const char days[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
	static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	const int64_t local = at_ms + VIETNAM_MS;
	const int64_t day = local / DAY_MS;
	char iso[CLOCK_ISO_LEN];
	int64_t year = 0;
	int month = 1;
	int date = 1;

	clock_print_iso(local, iso);
	clock_civil_from_days(day, &year, &month, &date);
	buf_printf(out, "Date: %s, %d %s %04" PRId64 " %.8s +0700\n", days[day % 7], date,
		   months[month - 1], year, iso + 11);
}

/* Folded behind commas: a header's line has its end (RFC 5322 2.1.1). */
static void print_addresses(const char *name, const char *list, struct buf *out)
{
	size_t column = strlen(name);

	buf_append_str(out, name);
	while (*list != '\0') {
		const size_t len = strcspn(list, ",") + 1;
		const size_t taken = list[len - 1] != '\0' ? len : len - 1;

		if (column + taken > LINE_MAX_BYTES && column > strlen(name)) {
			buf_append_str(out, "\n ");
			column = 1;
		}
		buf_append(out, list, taken);
		column += taken;
		list += taken;
	}
	buf_append_str(out, "\n");
}

void alert_print_mail(const struct alert_mail *mail, struct buf *out)
{
	print_addresses("From: ", mail->from, out);
	print_addresses("To: ", mail->to, out);
	print_subject(mail->title, out);
	print_date(mail->at_ms, out);
	buf_printf(out,
		   "Message-ID: <%.*s@ctxhd>\n"
		   "Auto-Submitted: auto-generated\n"
		   "MIME-Version: 1.0\n"
		   "Content-Type: text/plain; charset=utf-8\n"
		   "Content-Transfer-Encoding: base64\n\n",
		   BYTES_FMT(mail->id));
	for (size_t at = 0; at < mail->text.len; at += LINE_BYTES) {
		const size_t left = mail->text.len - at;

		crypt_print_base64(
			bytes_of(mail->text.data + at, left < LINE_BYTES ? left : LINE_BYTES), out);
		buf_append_str(out, "\n");
	}
}
