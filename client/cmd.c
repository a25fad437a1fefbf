#define LOG_TAG "ctxh"

#include "client/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/agent.h"
#include "client/passphrase.h"
#include "common/base/check.h"
#include "common/base/log.h"
#include "common/model/vntext.h"

#define PREFIX_MIN   8u
#define UNLOCK_TRIES 3
#define CODES_SHOWN  12u /* of a list, in an error */
#define AGE_DIGITS   3
#define VIETNAM_MS   (INT64_C(7) * 3600000)
#define WRONG_PASS_VI                                                                                                          \
	"sai mật khẩu, dữ liệu vẫn nguyên trên máy. Nếu quên hẳn: mọi thứ đã gửi văn phòng vẫn " \
	"giữ, phần chưa gửi nằm niêm phong ở đây; hãy đăng ký lại ở thư mục khác (--home), đừng " \
	"xóa thư mục này"
#define WRONG_PASS_EN                                                                           \
	"wrong passphrase; the data here is untouched. If it is forgotten: the office has all " \
	"that was sent, unsent work stays sealed here; enrol anew in another folder (--home) "  \
	"and delete nothing"

int cmd_fail(const char *vi, const char *en)
{
	fprintf(stderr, "ctxh: %s / %s\n", vi, en);
	return ARGS_EXIT_FAILED;
}

static int exit_of(enum err e)
{
	return err_class(e) == ERR_CLASS_RETRY && e != ERR_FULL ? ARGS_EXIT_UNREACHABLE
								: ARGS_EXIT_FAILED;
}

/* The file gets a name of its own, so that the next run cannot write over it. */
static int fail_damaged(struct cmd *c)
{
	char when[CLOCK_ISO_LEN];
	char name[VAULT_PATH_MAX];

	clock_print_iso(clock_wall_ms(c->clock), when);
	if (c->vault != NULL)
		vault_close(MOVE(c->vault));
	if (vault_set_aside(c->home, when, name) != ERR_OK) {
		fprintf(stderr,
			"ctxh: kho dữ liệu hỏng và chưa cất riêng được (%s); hãy chép cả thư mục đi "
			"và báo văn phòng / the vault is damaged and could not be set aside (%s); "
			"copy the whole folder and tell the office\n",
			log_last_detail(), log_last_detail());
		return ARGS_EXIT_FAILED;
	}
	fprintf(stderr,
		"ctxh: kho dữ liệu bị hỏng, đã cất riêng thành %s; không có gì bị xóa. Hãy giữ tệp "
		"đó, báo văn phòng, đăng ký lại / the vault is damaged and was set aside as %s; "
		"nothing was deleted. Keep that file, tell the office, enrol anew\n",
		name, name);
	return ARGS_EXIT_FAILED;
}

int cmd_fail_err(struct cmd *c, enum err e, const char *what_vi, const char *what_en)
{
	char detail[256];

	snprintf(detail, sizeof detail, "%s", log_last_detail());
	if (e == ERR_CORRUPT && c->vault == NULL)
		return fail_damaged(c);
	if (e == ERR_AGAIN)
		fprintf(stderr,
			"ctxh: %s: một lệnh ctxh khác đang dùng thư mục này; chưa ghi gì, hãy thử "
			"lại / %s: another ctxh is using this folder; nothing was written, try "
			"again\n",
			what_vi, what_en);
	else if (e == ERR_FULL)
		fprintf(stderr,
			"ctxh: %s: máy hết chỗ (%s); những gì đã ghi trước vẫn còn, hãy dọn chỗ rồi "
			"thử lại / %s: no space left (%s); what was saved before is kept, make room "
			"and try again\n",
			what_vi, detail, what_en, detail);
	else
		fprintf(stderr,
			"ctxh: %s: %s; những gì đã ghi trước vẫn còn / %s: %s; what was saved "
			"before is kept\n",
			what_vi, detail, what_en, detail);
	return exit_of(e);
}

int cmd_fail_file(const char *kept_vi, const char *kept_en)
{
	fprintf(stderr,
		"ctxh: chưa ghi được tệp (%s); %s; dưới tên đó là tệp cũ còn nguyên hoặc tệp mới "
		"trọn vẹn, hãy chạy lại / the file was not written (%s); %s; under its name is the "
		"older file or the whole new one; run this again\n",
		log_last_detail(), kept_vi, log_last_detail(), kept_en);
	return ARGS_EXIT_FAILED;
}

int cmd_usage(struct cmd *c, const char *vi, const char *en)
{
	AUTO(buf_clear) struct buf out = {0};

	args_complain(c->args, &out, vi, en);
	cmd_complain(&out);
	return ARGS_EXIT_USAGE;
}

void cmd_complain(const struct buf *text)
{
	fprintf(stderr, "%.*s", BYTES_FMT(buf_bytes(text)));
}

void cmd_clear(struct cmd *c)
{
	vault_close(c->vault);
	schema_free(c->schema);
	arena_clear(&c->arena);
}

/* ---- opening ---- */

static enum err unlock(struct cmd *c)
{
	uint8_t key[SEAL_KEY_LEN];
	enum err e = agent_ask(c->home, key);

	if (e == ERR_OK)
		e = vault_unlock_with_key(c->vault, key);
	crypt_wipe(key, sizeof key);
	if (e == ERR_OK)
		return ERR_OK;
	bool is_from_file = getenv("CTXH_PASSPHRASE_FILE") != NULL;

	for (int i = 0; i < UNLOCK_TRIES; i++) {
		AUTO(passphrase_clear) struct buf text = {0};

		e = passphrase_read("Mật khẩu / Passphrase: ", &text);
		if (e != ERR_OK)
			return e;
		e = vault_unlock(c->vault, buf_bytes(&text));
		if (e != ERR_AUTH || is_from_file)
			return e;
		fprintf(stderr, "Sai mật khẩu, xin nhập lại. / Wrong passphrase, once more.\n");
	}
	return e;
}

bool cmd_open_vault(struct cmd *c, int *ret_exit)
{
	enum err e = vault_open(c->home, c->rand, &c->vault);

	if (e == ERR_NOTFOUND) {
		*ret_exit =
			cmd_fail("máy này chưa đăng ký ở thư mục này; hãy chạy ctxh enrol THƯ_MỜI",
				 "this folder is not enrolled yet; run ctxh enrol INVITATION");
		return false;
	}
	if (e != ERR_OK) {
		*ret_exit = cmd_fail_err(c, e, "mở kho dữ liệu", "opening the vault");
		return false;
	}
	e = unlock(c);
	if (e == ERR_OK)
		return true;
	if (e == ERR_AUTH)
		*ret_exit = cmd_fail(WRONG_PASS_VI, WRONG_PASS_EN);
	else if (e == ERR_NOTFOUND)
		*ret_exit = cmd_fail(
			"cần mật khẩu: hãy chạy ctxh unlock, hoặc đặt CTXH_PASSPHRASE_FILE",
			"a passphrase is needed: run ctxh unlock, or set "
			"CTXH_PASSPHRASE_FILE");
	else
		*ret_exit = cmd_fail_err(c, e, "mở khóa", "unlocking");
	return false;
}

bool cmd_is_enrolled(struct cmd *c)
{
	struct vault_identity identity = {0};
	enum err e = vault_identity_load(c->vault, &c->arena, &identity);

	crypt_wipe(identity.seed, sizeof identity.seed);
	return e == ERR_OK && !id_is_zero(&identity.daemon);
}

int cmd_fail_unenrolled(void)
{
	return cmd_fail("đăng ký chưa xong; hãy chạy lại ctxh enrol với thư mời khi có mạng",
			"enrolment is not finished; run ctxh enrol with the invitation again when "
			"there is a network");
}

static int fail_schemaless(struct cmd *c)
{
	if (!cmd_is_enrolled(c))
		return cmd_fail_unenrolled();
	return cmd_fail("chưa có danh mục biểu mẫu; hãy chạy ctxh sync khi có mạng",
			"the record types are not here yet; run ctxh sync when there is a network");
}

static enum err keep_compiled(struct cmd *c, struct bytes compiled)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(c->vault);

	if (e != ERR_OK)
		return e;
	txn = c->vault;
	e = vault_doc_put(c->vault, VAULT_DOC_COMPILED, compiled);
	return e == ERR_OK ? vault_commit(c->vault) : e;
}

/* Reading the bundle's YAML takes longer than all else a command does, so it is done once. */
static enum err load_schema(struct cmd *c, struct bytes bundle)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf fresh = {0};
	char error[SCHEMA_ERROR_LEN];
	struct bytes compiled;
	enum err e = vault_doc_load(c->vault, &a, VAULT_DOC_COMPILED, &compiled);

	if (e == ERR_OK)
		e = schema_load_compiled(compiled, bundle, &c->schema);
	if (e == ERR_OK)
		return e;
	e = schema_load_bundle(bundle, &c->schema, error);
	/* What cannot be kept is made again the next time. */
	if (e == ERR_OK && schema_compile(bundle, &fresh) == ERR_OK &&
	    keep_compiled(c, buf_bytes(&fresh)) != ERR_OK)
		log_debug("the compiled schema could not be kept");
	return e;
}

bool cmd_open(struct cmd *c, int *ret_exit)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes bundle;

	if (!cmd_open_vault(c, ret_exit))
		return false;
	enum err e = vault_doc_load(c->vault, &a, VAULT_DOC_SCHEMA, &bundle);

	if (e == ERR_NOTFOUND) {
		*ret_exit = fail_schemaless(c);
		return false;
	}
	if (e == ERR_OK)
		e = load_schema(c, bundle);
	if (e != ERR_OK)
		*ret_exit = cmd_fail_err(c, e, "đọc biểu mẫu", "reading the record types");
	return e == ERR_OK;
}

bool cmd_open_entry(struct cmd *c, struct entry_context *ret_ctx, int *ret_exit)
{
	if (!cmd_open(c, ret_exit))
		return false;
	enum err e = entry_context_load(ret_ctx, c->vault, c->schema, c->clock, &c->arena);

	if (e != ERR_OK)
		*ret_exit = cmd_fail_err(c, e, "đọc kho dữ liệu", "reading the vault");
	return e == ERR_OK;
}

bool cmd_read_format(struct cmd *c, int *ret_exit)
{
	const char *text = args_value(c->args, "format", "table");

	if (table_format_parse(bytes_str(text), &c->format) == ERR_OK)
		return true;
	*ret_exit =
		cmd_usage(c, "--format là table, json hoặc csv", "--format is table, json or csv");
	return false;
}

/* ---- ids, types, values ---- */

enum err cmd_resolve_id(struct cmd *c, struct bytes text, struct id *ret_id)
{
	struct id found[2];
	size_t count = 0;

	if (id_parse(text, ret_id) == ERR_OK)
		return ERR_OK;
	if (text.len < PREFIX_MIN)
		return err_raise(ERR_NOTFOUND, "an id or 8 or more of its first digits");
	enum err e = vault_record_match(c->vault, text, found, &count);

	if (e == ERR_INVAL || (e == ERR_OK && count == 0))
		return err_raise(ERR_NOTFOUND, "no record here begins with these digits");
	if (e != ERR_OK)
		return e;
	if (count > 1)
		return err_raise(ERR_CONFLICT, "several records begin with these digits");
	*ret_id = found[0];
	return ERR_OK;
}

bool cmd_find_id(struct cmd *c, const char *text, struct id *ret_id, int *ret_exit)
{
	enum err e = cmd_resolve_id(c, bytes_str(text), ret_id);

	if (e == ERR_NOTFOUND)
		*ret_exit = cmd_fail("không có hồ sơ nào mang mã này ở đây; mã gõ đủ 32 chữ số "
				     "hoặc từ 8 chữ số đầu; tìm bằng ctxh search",
				     "no record here has this id; type all 32 digits or its first "
				     "8 or more; find it with ctxh search");
	else if (e == ERR_CONFLICT)
		*ret_exit = cmd_fail("có nhiều hồ sơ bắt đầu bằng các chữ số này; hãy gõ thêm",
				     "several records begin with these digits; type more of them");
	else if (e != ERR_OK)
		*ret_exit = cmd_fail_err(c, e, "đọc kho dữ liệu", "reading the vault");
	return e == ERR_OK;
}

bool cmd_find_type(struct cmd *c, const char *name, const struct schema_type **ret_type,
		   int *ret_exit)
{
	*ret_type = schema_find_type_any(c->schema, bytes_str(name));
	if (*ret_type == NULL)
		*ret_exit = cmd_usage(c, "không có loại hồ sơ này; xem ctxh types",
				      "there is no such record type; see ctxh types");
	return *ret_type != NULL;
}

static enum err say_invalid(const struct schema_field *f, struct finding *ret_finding,
			    const char *vi, const char *en)
{
	*ret_finding = (struct finding){.verdict = VERDICT_BAD_FORMAT, .field = f->name};
	snprintf(ret_finding->text, sizeof ret_finding->text, "%.*s: %s / %.*s: %s",
		 BYTES_FMT(f->label.vi), vi, BYTES_FMT(f->name), en);
	return err_raise(ERR_INVAL, "%.*s", BYTES_FMT(f->name));
}

/* How people write such a value; NULL: nothing to add. */
static const char *example_of(enum field_type type)
{
	switch (type) {
	case FIELD_INTEGER: return "120";
	case FIELD_DECIMAL: return "12,5";
	case FIELD_MONEY: return "1.234.567 · 1,5 triệu";
	case FIELD_BOOL: return "có · không";
	case FIELD_DATE: return "31/12/2020";
	case FIELD_PARTIAL_DATE: return "31/12/1950 · 12/1950 · 1950 · 70 tuổi";
	case FIELD_TIME: return "31/12/2020 07:30";
	case FIELD_TEXT:
	case FIELD_LONG_TEXT:
	case FIELD_CODE:
	case FIELD_CODE_SET:
	case FIELD_REFERENCE:
	case FIELD_UNIT: return NULL;
	}
	UNREACHABLE();
}

static void append_codes(struct buf *out, const struct schema_type *type,
			 const struct schema_list *list)
{
	if (list->count > CODES_SHOWN) {
		buf_printf(out, "; xem / see: ctxh types show %.*s", BYTES_FMT(type->name));
		return;
	}
	for (size_t i = 0; i < list->count; i++)
		buf_printf(out, "%s%.*s (%.*s)", i == 0 ? "; dùng / use: " : ", ",
			   BYTES_FMT(list->codes[i].code), BYTES_FMT(list->codes[i].label.vi));
}

int cmd_fail_finding(const struct schema_type *type, const struct finding *finding)
{
	AUTO(buf_clear) struct buf out = {0};
	const struct schema_field *f =
		type != NULL ? schema_find_field(type, finding->field) : NULL;

	buf_printf(&out, "ctxh: chưa ghi gì / nothing was saved: %s", finding->text);
	if (f != NULL && finding->verdict == VERDICT_NO_SUCH_CODE && f->list != NULL)
		append_codes(&out, type, f->list);
	else if (f != NULL && finding->verdict == VERDICT_BAD_FORMAT && example_of(f->type) != NULL)
		buf_printf(&out, "; viết như / write as: %s", example_of(f->type));
	buf_append_str(&out, "\n");
	cmd_complain(&out);
	return ARGS_EXIT_FAILED;
}

static enum err parse_reference(struct cmd *c, struct arena *a, const struct schema_field *f,
				struct bytes text, struct value *ret_value,
				struct finding *ret_finding)
{
	struct id id;
	enum err e = cmd_resolve_id(c, text, &id);

	if (e == ERR_NOTFOUND)
		return say_invalid(f, ret_finding, "không có hồ sơ nào mang mã này",
				   "no record has this id");
	if (e == ERR_CONFLICT)
		return say_invalid(f, ret_finding, "nhiều hồ sơ bắt đầu như vậy, hãy gõ thêm",
				   "several records begin so, type more");
	if (e == ERR_OK)
		*ret_value = value_bytes(arena_copy(a, bytes_of(id.bytes, ID_LEN)));
	return e;
}

/* "~70" and "70 tuổi" are said of today; anything else stays as it is. */
static struct bytes date_of_age(struct cmd *c, struct arena *a, struct bytes text)
{
	AUTO(buf_clear) struct buf key = {0};
	char today[CLOCK_ISO_LEN];
	char *end;

	if (vntext_key(text, VNTEXT_FOLD, &key) != ERR_OK)
		return text;
	const char *at = buf_cstr(&key);
	bool is_about = *at == '~';

	at += is_about;
	if (*at < '0' || *at > '9')
		return text;
	long age = strtol(at, &end, 10);
	bool is_age = strcmp(end, " tuoi") == 0 || (is_about && *end == '\0');

	if (!is_age || end - at > AGE_DIGITS)
		return text;
	clock_print_iso(clock_wall_ms(c->clock) + VIETNAM_MS, today);
	return arena_printf(a, "~%ld@%.10s", age, today);
}

enum err cmd_parse_value(struct cmd *c, struct arena *a, const struct schema_field *f,
			 struct bytes text, struct value *ret_value, struct finding *ret_finding)
{
	int64_t unit;

	if (text.len != 0 && f->type == FIELD_REFERENCE)
		return parse_reference(c, a, f, text, ret_value, ret_finding);
	if (text.len != 0 && f->type == FIELD_UNIT) {
		if (cmd_unit_find(c, text, &unit) != ERR_OK)
			return say_invalid(f, ret_finding, "không có đơn vị mang mã này",
					   "no unit has this code");
		*ret_value = value_int(unit);
		return ERR_OK;
	}
	if (f->type == FIELD_PARTIAL_DATE)
		text = date_of_age(c, a, text);
	enum verdict v = validate_parse(a, f, text, ret_value, ret_finding);

	return v == VERDICT_OK ? ERR_OK : err_raise(ERR_INVAL, "%s", verdict_name(v));
}

struct bytes cmd_print_value(struct cmd *c, struct arena *a, const struct schema_field *f,
			     const struct value *v)
{
	if (v->kind == VALUE_NULL)
		return BYTES_NONE;
	if (f->type == FIELD_UNIT && v->kind == VALUE_INT)
		return cmd_unit_code(c, a, v->integer);
	return validate_print(a, f, v);
}

/* ---- output ---- */

void cmd_write(struct bytes text)
{
	if (text.len != 0 && fwrite(text.data, 1, text.len, stdout) != text.len && errno == EPIPE)
		exit(ARGS_EXIT_FAILED);
}

void cmd_printf(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
}

void cmd_print_table(struct cmd *c, const struct table *t)
{
	AUTO(buf_clear) struct buf out = {0};
	struct table_style style = table_style_of(STDOUT_FILENO);

	table_print(t, c->format, &style, &out);
	cmd_write(buf_bytes(&out));
}
