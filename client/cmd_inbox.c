#include <stdio.h>
#include <stdlib.h>

#include "client/cmd.h"
#include "client/restore.h"
#include "client/view.h"
#include "common/base/check.h"

static const struct table_column inbox_columns[] = {
	{.key = "id", .label_vi = "Số", .label_en = "Number"},
	{.key = "kind", .label_vi = "Loại", .label_en = "Kind"},
	{.key = "record", .label_vi = "Hồ sơ", .label_en = "Record"},
	{.key = "type", .label_vi = "Loại hồ sơ", .label_en = "Record type"},
	{.key = "field", .label_vi = "Trường", .label_en = "Field"},
	{.key = "kept", .label_vi = "Giữ", .label_en = "Kept"},
	{.key = "lost", .label_vi = "Bị thay", .label_en = "Lost"},
	{.key = "by", .label_vi = "Người ghi", .label_en = "By"},
	{.key = "at", .label_vi = "Lúc", .label_en = "At"},
	{.key = "text", .label_vi = "Nội dung", .label_en = "Text"},
	{.key = "state", .label_vi = "Tình trạng", .label_en = "State"},
};

/* Our own notices are numbered after the change: "c12", or are of none: "o1"; the office's: "12";
 * those that came to this home's n-th former number: "n.c12", "n.12". */
static struct bytes print_number(struct arena *a, int64_t notice)
{
	int64_t nth = notice < 0 ? -notice / VAULT_FORMER_SPAN : 0;
	int64_t n = notice < 0 ? -notice % VAULT_FORMER_SPAN : notice;
	bool is_own = notice < 0 && n < VAULT_FORMER_SPAN / 2;

	if (notice < VAULT_NOTICE_OWN)
		return arena_printf(a, "o%lld", (long long)(VAULT_NOTICE_OWN - notice));
	if (nth != 0 && !is_own)
		n -= VAULT_FORMER_SPAN / 2;
	return nth == 0 ? arena_printf(a, "%s%lld", is_own ? "c" : "", (long long)n)
			: arena_printf(a, "%lld.%s%lld", (long long)nth, is_own ? "c" : "",
				       (long long)n);
}

static bool parse_number(const char *text, int64_t *ret_notice)
{
	bool is_of_none = *text == 'o';
	long long nth = 0;
	bool is_own;
	char *end;
	long long n = strtoll(text + is_of_none, &end, 10);

	if (*end == '.' && !is_of_none) {
		nth = n;
		text = end + 1;
		if (nth <= 0 || nth > VAULT_FORMERS_MAX)
			return false;
	}
	is_own = *text == 'c';
	n = strtoll(text + (is_own || is_of_none), &end, 10);
	if (n <= 0 || n >= VAULT_FORMER_SPAN / 2 || *end != '\0')
		return false;
	*ret_notice = is_own ? -n : is_of_none ? VAULT_NOTICE_OWN - n : n;
	if (nth != 0)
		*ret_notice = -nth * VAULT_FORMER_SPAN - (is_own ? 0 : VAULT_FORMER_SPAN / 2) - n;
	return true;
}

static struct value shown(struct cmd *c, const struct vault_notice *n, const struct value *v)
{
	const struct schema_type *t = schema_find_type(c->schema, n->type);
	const struct schema_field *f = t != NULL ? schema_find_field(t, n->field) : NULL;

	/* Programs get a unit's code, as everywhere. */
	if (v->kind == VALUE_INT && bytes_is(n->field, RECORD_UNIT))
		return value_text(cmd_unit_code(c, &c->arena, v->integer));
	if (v->kind == VALUE_NULL || f == NULL)
		return *v;
	return value_text(cmd_print_value(c, &c->arena, f, v));
}

static void add_notice(struct cmd *c, struct table *t, const struct vault_notice *n)
{
	char id[ID_HEX_LEN];
	char at[CLOCK_ISO_LEN];

	id_print(&n->id, id);
	clock_print_iso(n->at_ms, at);
	const struct value cells[] = {
		value_text(print_number(&c->arena, n->notice)),
		value_text(n->kind),
		id_is_zero(&n->id) ? VALUE_NONE : value_text(bytes_str(id)),
		value_text(n->type),
		n->field.len != 0 ? value_text(n->field) : VALUE_NONE,
		shown(c, n, &n->kept),
		shown(c, n, &n->lost),
		n->by.len != 0 ? value_text(n->by) : VALUE_NONE,
		value_text(bytes_str(at)),
		n->text.len != 0 ? value_text(n->text) : VALUE_NONE,
		value_text(bytes_str(vault_notice_state_name(n->state))),
	};

	table_add(t, cells);
}

/* ---- for people ---- */

static const struct table_column people_columns[] = {
	{.key = "id", .label_vi = "Số", .label_en = "No.", .is_whole = true},
	{.key = "at", .label_vi = "Lúc", .label_en = "At", .is_whole = true},
	{.key = "kind", .label_vi = "Việc", .label_en = "Kind", .is_whole = true},
	{.key = "record", .label_vi = "Hồ sơ", .label_en = "Record"},
	{.key = "text", .label_vi = "Nội dung", .label_en = "Text"},
};

static struct bytes kind_for_people(struct bytes kind)
{
	static const struct {
		struct bytes kind;
		struct bytes vi;
	} names[] = {
		{BYTES_LIT("conflict"), BYTES_LIT("hai người sửa")},
		{BYTES_LIT("quarantine"), BYTES_LIT("bị giữ lại")},
		{BYTES_LIT("decided"), BYTES_LIT("đã quyết định")},
		{BYTES_LIT("reopened"), BYTES_LIT("xem xét lại")},
		{BYTES_LIT("landed"), BYTES_LIT("sửa sau khi chuyển")},
		{BYTES_LIT("duplicate"), BYTES_LIT("có thể trùng")},
		{BYTES_LIT("stray"), BYTES_LIT("chỉ còn ở máy này")},
		{BYTES_LIT("digest"), BYTES_LIT("so khớp thấy khác")},
		{BYTES_LIT("digest_missing"), BYTES_LIT("văn phòng không có")},
	};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (bytes_equal(names[i].kind, kind))
			return names[i].vi;
	return kind;
}

static const struct schema_field *field_of(struct cmd *c, const struct vault_notice *n)
{
	const struct schema_type *t = schema_find_type(c->schema, n->type);

	return t != NULL ? schema_find_field(t, n->field) : NULL;
}

static struct bytes field_label(struct cmd *c, const struct vault_notice *n)
{
	/* Those no schema names. */
	static const struct {
		const char *name;
		struct bytes vi;
	} own[] = {
		{RECORD_UNIT, BYTES_LIT("Đơn vị")},
		{RECORD_DELETED, BYTES_LIT("Xóa")},
		{RECORD_VOIDED, BYTES_LIT("Hủy bỏ")},
		{RECORD_MERGED_INTO, BYTES_LIT("Nhập vào")},
		{RECORD_CORRECTS, BYTES_LIT("Thay cho")},
	};
	const struct schema_field *f = field_of(c, n);

	for (size_t i = 0; f == NULL && i < sizeof own / sizeof *own; i++)
		if (bytes_is(n->field, own[i].name))
			return own[i].vi;
	return f != NULL ? f->label.vi : n->field;
}

static struct bytes type_label(struct cmd *c, const struct vault_notice *n)
{
	const struct schema_type *t = schema_find_type(c->schema, n->type);

	return t != NULL ? t->label.vi : n->type;
}

static struct bytes state_for_people(const struct vault_notice *n)
{
	switch (n->state) {
	case VAULT_NOTICE_OPEN: return BYTES_LIT("chưa xem");
	case VAULT_NOTICE_ACCEPTED: return BYTES_LIT("đã cất");
	case VAULT_NOTICE_RESTORED: return BYTES_LIT("đã ghi lại");
	}
	UNREACHABLE();
}

/* Of our own system fields only `unit` is a number, and it is a unit's. */
static struct bytes value_for_people(struct cmd *c, const struct vault_notice *n,
				     const struct value *v)
{
	if (v->kind == VALUE_NULL && bytes_is(n->field, RECORD_DELETED))
		return BYTES_LIT("không xóa");
	if (v->kind == VALUE_NULL)
		return BYTES_LIT("(trống)");
	if (v->kind == VALUE_INT && bytes_is(n->field, RECORD_UNIT))
		return view_unit(c, &c->arena, v->integer);
	return view_value(c, &c->arena, field_of(c, n), v);
}

static struct bytes record_for_people(struct cmd *c, const struct vault_notice *n)
{
	struct vault_record r;
	char id[VIEW_ID_LEN];

	if (id_is_zero(&n->id))
		return BYTES_LIT("-");
	if (vault_record_load(c->vault, &c->arena, &n->id, &r) == ERR_OK) {
		struct bytes title = view_title(c, &c->arena, &r.body);

		if (title.len != 0)
			return title;
	}
	view_short_id(&n->id, id);
	return arena_copy(&c->arena, bytes_str(id));
}

/* The Vietnamese half of "vi / en". */
static struct bytes vietnamese_half(struct bytes text)
{
	const uint8_t *cut = text.len != 0 ? memmem(text.data, text.len, " / ", 3) : NULL;

	return cut != NULL ? bytes_of(text.data, (size_t)(cut - text.data)) : text;
}

/* A value that lost, or the office's decision of one; without values where they may not be told. */
static bool has_values(const struct vault_notice *n)
{
	if (restore_has_value(n))
		return true;
	return bytes_is(n->kind, "decided") &&
	       (n->kept.kind != VALUE_NULL || n->lost.kind != VALUE_NULL);
}

static struct bytes text_for_people(struct cmd *c, const struct vault_notice *n)
{
	const char *restored = n->state == VAULT_NOTICE_RESTORED ? " (đã ghi lại)" : "";

	if (!has_values(n))
		return vietnamese_half(n->text);
	struct bytes kept = value_for_people(c, n, &n->kept);
	struct bytes lost = value_for_people(c, n, &n->lost);

	return arena_printf(&c->arena, "%.*s: giữ “%.*s”, “%.*s” bị thay%s",
			    BYTES_FMT(field_label(c, n)), BYTES_FMT(kept), BYTES_FMT(lost),
			    restored);
}

static void print_people(struct cmd *c, const struct vault_notice *notices, size_t count)
{
	AUTO(table_clear) struct table t = {0};

	if (count == 0) {
		cmd_printf("Không có thông báo. / No notices.\n");
		return;
	}
	table_init(&t, people_columns, sizeof people_columns / sizeof *people_columns);
	for (size_t i = 0; i < count; i++) {
		const struct vault_notice *n = &notices[i];
		char at[VIEW_TIME_LEN];

		view_time(n->at_ms, at);
		const struct value cells[] = {
			value_text(print_number(&c->arena, n->notice)),
			/* Seconds are for `inbox show`. */
			value_text(bytes_of(at, strlen(at) - 3)),
			value_text(kind_for_people(n->kind)),
			value_text(record_for_people(c, n)),
			value_text(text_for_people(c, n)),
		};

		table_add(&t, cells);
	}
	cmd_print_table(c, &t);
	fflush(stdout);
	fprintf(stderr,
		"Xem cả thông báo: ctxh inbox show SỐ; đã xem: ctxh inbox accept SỐ; lấy lại giá "
		"trị bị thay: ctxh inbox restore SỐ / the whole notice: inbox show N; put it "
		"away: inbox accept N; have a replaced value back: inbox restore N\n");
}

int cmd_inbox(void *context, const struct args *args)
{
	AUTO(table_clear) struct table t = {0};
	struct cmd *c = context;
	struct vault_notice *notices = NULL;
	size_t count = 0;
	int exit;

	if (!cmd_read_format(c, &exit) || !cmd_open(c, &exit))
		return exit;
	enum err e = vault_notices(c->vault, &c->arena, args_has(args, "all"), &notices, &count);

	if (e != ERR_OK)
		return cmd_fail_err(c, e, "đọc hộp thư", "reading the inbox");
	if (c->format == TABLE_TABLE) {
		print_people(c, notices, count);
		return ARGS_EXIT_DONE;
	}
	table_init(&t, inbox_columns, sizeof inbox_columns / sizeof *inbox_columns);
	for (size_t i = 0; i < count; i++)
		add_notice(c, &t, &notices[i]);
	cmd_print_table(c, &t);
	return ARGS_EXIT_DONE;
}

static bool load_notice(struct cmd *c, const struct args *args, struct vault_notice *ret_notice,
			int *ret_exit)
{
	int64_t number;
	enum err e;

	if (!parse_number(args_positional(args, 0), &number)) {
		*ret_exit = cmd_usage(c, "phải là số của một thông báo; xem ctxh inbox",
				      "must be the number of a notice; see ctxh inbox");
		return false;
	}
	e = vault_notice_load(c->vault, &c->arena, number, ret_notice);
	if (e == ERR_NOTFOUND)
		*ret_exit = cmd_fail("không có thông báo số này; xem ctxh inbox",
				     "there is no notice of this number; see ctxh inbox");
	else if (e != ERR_OK)
		*ret_exit = cmd_fail_err(c, e, "đọc hộp thư", "reading the inbox");
	return e == ERR_OK;
}

static bool find_notice(struct cmd *c, const struct args *args, struct vault_notice *ret_notice,
			int *ret_exit)
{
	return cmd_open(c, ret_exit) && load_notice(c, args, ret_notice, ret_exit);
}

static void line(const char *vi, const char *en, struct bytes value)
{
	if (value.len != 0)
		cmd_printf("%s / %s: %.*s\n", vi, en, BYTES_FMT(value));
}

/* What the person can do now; nothing with a record that left. */
static void print_advice(struct cmd *c, const struct vault_notice *n)
{
	struct vault_record r;
	char id[VIEW_ID_LEN];

	if (vault_record_load(c->vault, &c->arena, &n->id, &r) != ERR_OK)
		return;
	view_short_id(&n->id, id);
	if (bytes_is(n->kind, "quarantine"))
		cmd_printf("\nHồ sơ vẫn còn trên máy này. Sửa rồi gửi lại: ctxh edit %s trường=giá "
			   "trị; ctxh sync\nThe record is still here. Mend it and send it again: "
			   "ctxh edit %s field=value; ctxh sync\n",
			   id, id);
	if (restore_has_value(n) && n->state != VAULT_NOTICE_RESTORED) {
		const struct bytes number = print_number(&c->arena, n->notice);

		cmd_printf("\nMuốn lấy lại giá trị đã bị thay: ctxh inbox restore %.*s; ctxh sync\n"
			   "To have the replaced value back: ctxh inbox restore %.*s; ctxh sync\n",
			   BYTES_FMT(number), BYTES_FMT(number));
	}
}

static void show_people(struct cmd *c, const struct vault_notice *n)
{
	bool is_conflict = has_values(n);
	char id[ID_HEX_LEN];
	char at[VIEW_TIME_LEN];

	id_print(&n->id, id);
	view_time(n->at_ms, at);
	line("Số", "Number", print_number(&c->arena, n->notice));
	line("Việc", "Kind", kind_for_people(n->kind));
	line("Lúc", "At", bytes_str(at));
	line("Hồ sơ", "Record", record_for_people(c, n));
	line("Mã", "Id", id_is_zero(&n->id) ? BYTES_NONE : bytes_str(id));
	line("Loại hồ sơ", "Record type", type_label(c, n));
	if (n->field.len != 0)
		line("Trường", "Field",
		     arena_printf(&c->arena, "%.*s (%.*s)", BYTES_FMT(field_label(c, n)),
				  BYTES_FMT(n->field)));
	line("Giá trị được giữ", "Value kept",
	     is_conflict ? value_for_people(c, n, &n->kept) : BYTES_NONE);
	line("Người ghi giá trị đó", "Written by", n->by);
	line("Giá trị bị thay", "Value replaced",
	     is_conflict ? value_for_people(c, n, &n->lost) : BYTES_NONE);
	line("Nội dung", "Text", n->text);
	line("Tình trạng", "State", state_for_people(n));
	print_advice(c, n);
}

int cmd_inbox_show(void *context, const struct args *args)
{
	AUTO(table_clear) struct table t = {0};
	AUTO(buf_clear) struct buf out = {0};
	struct cmd *c = context;
	struct vault_notice n;
	int exit;

	if (!cmd_read_format(c, &exit) || !find_notice(c, args, &n, &exit))
		return exit;
	table_init(&t, inbox_columns, sizeof inbox_columns / sizeof *inbox_columns);
	add_notice(c, &t, &n);
	if (c->format == TABLE_JSON) {
		table_print_json_line(&t, 0, &out);
		cmd_write(buf_bytes(&out));
		return ARGS_EXIT_DONE;
	}
	if (c->format == TABLE_CSV) {
		cmd_print_table(c, &t);
		return ARGS_EXIT_DONE;
	}
	show_people(c, &n);
	return ARGS_EXIT_DONE;
}

int cmd_inbox_accept(void *context, const struct args *args)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct cmd *c = context;
	struct vault_notice n;
	int exit;

	if (!find_notice(c, args, &n, &exit))
		return exit;
	enum err e = vault_begin(c->vault);

	if (e == ERR_OK) {
		txn = c->vault;
		e = vault_notice_accept(c->vault, n.notice);
	}
	if (e == ERR_OK)
		e = vault_commit(c->vault);
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "ghi nhận thông báo", "accepting the notice");
	cmd_printf("Đã cất thông báo %s; xem lại: ctxh inbox --all. / Put away; see it again: ctxh "
		   "inbox --all.\n",
		   args_positional(args, 0));
	return ARGS_EXIT_DONE;
}

/* ---- restore ---- */

static enum err restore(struct cmd *c, const struct entry_context *ctx, int64_t notice,
			enum restore_outcome *ret_outcome, struct finding *finding)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(c->vault);

	if (e != ERR_OK)
		return e;
	txn = c->vault;
	e = restore_notice(ctx, &c->arena, notice, ret_outcome, finding);
	return e == ERR_OK ? vault_commit(c->vault) : e;
}

static int say_restored(const struct vault_notice *n, enum restore_outcome outcome)
{
	char id[VIEW_ID_LEN];

	view_short_id(&n->id, id);
	switch (outcome) {
	case RESTORE_DONE:
		cmd_printf(
			"Đã ghi lại giá trị bị thay của hồ sơ %s; gửi bằng: ctxh sync / the value is "
			"written again, record %s; send it: ctxh sync\n",
			id, id);
		return ARGS_EXIT_DONE;
	case RESTORE_STANDS:
		cmd_printf(
			"Hồ sơ %s đang có đúng giá trị đó; không ghi gì thêm / record %s has that "
			"value already; nothing was written\n",
			id, id);
		return ARGS_EXIT_DONE;
	case RESTORE_BEFORE:
		return cmd_fail(
			"thông báo này đã được khôi phục trước đây; không ghi gì thêm; muốn sửa "
			"nữa: ctxh edit",
			"this notice was restored before; nothing was written; to change "
			"the record again: ctxh edit");
	case RESTORE_NO_CONFLICT:
		return cmd_fail(
			"thông báo này không có giá trị bị thay; chưa ghi gì; xem: ctxh inbox "
			"show SỐ",
			"no value was replaced in this notice; nothing was written; see "
			"ctxh inbox show N");
	case RESTORE_GONE:
		return cmd_fail(
			"hồ sơ không còn ở địa bàn của máy này; chưa ghi gì; văn phòng làm được: "
			"ctxhctl conflict restore",
			"the record has left this device's area; nothing was written; the "
			"office can do it: ctxhctl conflict restore");
	case RESTORE_EVENT:
		return cmd_fail("sự kiện chỉ ghi một lần; chưa ghi gì; hãy ghi sự kiện mới với "
				"corrects=ID, hoặc ctxh void ID --why …",
				"an event is written once; nothing was written; add a new one with "
				"corrects=ID, or ctxh void ID --why TEXT");
	case RESTORE_TYPE: break;
	}
	return cmd_fail(
		"biểu mẫu hiện dùng không có loại hồ sơ này; chưa ghi gì; hãy ctxh sync rồi làm "
		"lại",
		"the present schema does not have this record type; nothing was written; "
		"ctxh sync and try again");
}

int cmd_inbox_restore(void *context, const struct args *args)
{
	struct cmd *c = context;
	enum restore_outcome outcome = RESTORE_DONE;
	struct entry_context ctx;
	struct finding finding = {0};
	struct vault_notice n;
	int exit;

	if (!cmd_open_entry(c, &ctx, &exit) || !load_notice(c, args, &n, &exit))
		return exit;
	enum err e = restore(c, &ctx, n.notice, &outcome, &finding);

	if (e == ERR_INVAL)
		return cmd_fail_finding(schema_find_type(c->schema, n.type), &finding);
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "khôi phục giá trị", "restoring the value");
	return say_restored(&n, outcome);
}
