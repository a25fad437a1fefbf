#define LOG_TAG "admin"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/log.h"
#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/backup.h"
#include "daemon/backup_check.h"
#include "daemon/backup_key.h"
#include "daemon/keys.h"
#include "daemon/store_sql.h"

/* {} -> {run, started_at}: ask for "backup state" until `ended` has reached it; a daemon that was
 * started at another time knows nothing of it. */
enum err admin_backup_now(struct admin_call *call)
{
	if (call->ctx->backup == NULL)
		return admin_fail(call, ERR_INVAL,
				  "Ở đây không sao lưu được / no backups can be made here");
	admin_note(call, "backup now", NULL);
	call->result = json_object();
	return ERR_OK;
}

/* Behind the commit of its audit row, which so is in the backup. */
void admin_backup_begin(struct admin_call *call)
{
	json_object_set_new(call->result, "run",
			    json_integer((json_int_t)backup_begin(call->ctx->backup)));
	admin_put_started(call);
}

static json_t *last_json(const struct backup_state *s)
{
	return json_pack("{s:b, s:s, s:I, s:s, s:o, s:I, s:I, s:I, s:I, s:b, s:b}", "done",
			 (int)s->is_done, "error", s->error, "backup", (json_int_t)s->backup,
			 "path", s->path, "at", admin_json_time(s->at_ms), "log",
			 (json_int_t)s->log, "bytes", (json_int_t)s->bytes, "ms",
			 (json_int_t)s->took_ms, "longest_step_ms", (json_int_t)s->longest_step_ms,
			 "key_here", (int)s->is_key_here, "same_disk", (int)s->is_same_disk);
}

/* {} -> {run, ended, phase, pages, left, last, started_at} */
enum err admin_backup_state(struct admin_call *call)
{
	struct backup_state *s = arena_alloc(call->arena, sizeof *s);

	if (call->ctx->backup == NULL)
		return admin_fail(call, ERR_INVAL,
				  "Ở đây không sao lưu được / no backups can be made here");
	backup_look(call->ctx->backup, s);
	call->result =
		json_pack("{s:I, s:I, s:s, s:I, s:I, s:o}", "run", (json_int_t)s->run, "ended",
			  (json_int_t)s->ended, "phase", s->phase, "pages", (json_int_t)s->pages,
			  "left", (json_int_t)s->left, "last", last_json(s));
	/* A path that is not UTF-8. */
	if (call->result == NULL)
		return err_raise(ERR_INVAL, "unprintable state");
	admin_put_started(call);
	return ERR_OK;
}

static const char query_list[] =
	"SELECT backup, at, path, bytes, log, hash, verified_at FROM backup ORDER BY backup DESC";

/* {} -> [{backup, at, path, bytes, log, hash, verified_at, there}], newest first */
enum err admin_backup_list(struct admin_call *call)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(call->store, query_list, &q);

	call->result = json_array();
	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		const char *path = arena_strdup(call->arena, sql_text(q, 2));
		struct stat st;
		json_t *row = json_object();

		json_object_set_new(row, "backup", json_integer(sql_int(q, 0)));
		json_object_set_new(row, "at", admin_json_time(sql_int(q, 1)));
		json_object_set_new(row, "path", json_string(path));
		json_object_set_new(row, "bytes", json_integer(sql_int(q, 3)));
		json_object_set_new(row, "log", json_integer(sql_int(q, 4)));
		json_object_set_new(row, "hash", admin_json_hex(sql_blob(q, 5)));
		json_object_set_new(row, "verified_at", admin_json_time(sql_int(q, 6)));
		json_object_set_new(row, "there", json_boolean(stat(path, &st) == 0));
		json_array_append_new(call->result, row);
	}
	return e;
}

/* ---- verify ---- */

struct row {
	const char *path;
	struct archive_mark mark;
};

static enum err load_row(struct admin_call *call, int64_t number, struct row *ret_row)
{
	static const char text[] = "SELECT path, bytes, hash FROM backup WHERE backup = ?";
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(call->store, text, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, number);
	e = sql_run_row(q);
	if (e == ERR_NOTFOUND)
		return admin_fail(call, e, "Không có bản sao lưu %" PRId64 " / no backup %" PRId64,
				  number, number);
	if (e != ERR_OK)
		return e;
	if (sql_blob(q, 2).len != HASH_LEN)
		return err_raise(ERR_INVAL, "the hash of backup %" PRId64 " is cut short", number);
	ret_row->path = arena_strdup(call->arena, sql_text(q, 0));
	ret_row->mark.bytes = (uint64_t)sql_int(q, 1);
	memcpy(ret_row->mark.hash.bytes, sql_blob(q, 2).data, HASH_LEN);
	return ERR_OK;
}

/* `key`: text of a key file; else the one in the state folder. Neither: *ret_is_there stays. */
static enum err find_pair(struct admin_call *call, struct box_pair *ret_pair, bool *ret_is_there)
{
	struct bytes text = BYTES_NONE;
	enum err e = admin_want_text(call, "key", &text);

	if (e != ERR_OK)
		return e;
	if (text.len == 0) {
		*ret_is_there = backup_read_pair_of(call->ctx->state, ret_pair) == ERR_OK;
		return ERR_OK;
	}
	if (box_pair_parse(text, ret_pair) != ERR_OK)
		return admin_fail(
			call, ERR_INVAL,
			"Đó không phải tệp khóa sao lưu / that is no key file of backups");
	*ret_is_there = true;
	return ERR_OK;
}

static enum err open_it(struct admin_call *call, const struct row *row, const struct box_pair *pair,
			bool *ret_is_opened)
{
	uint8_t header[BOX_HEADER_LEN];
	uint8_t key[BOX_KEY_LEN];
	uint8_t random[8];
	char hex[2 * sizeof random + 1];
	char folder[KEYS_PATH_LEN];
	struct backup_checked checked;
	enum err e = archive_read_header(row->path, header);

	if (e == ERR_OK)
		e = box_find_key(header, pair, key);
	if (e == ERR_AUTH && !admin_has(call, "key"))
		return ERR_OK; /* sealed to another one than the key that happens to be here */
	if (e == ERR_AUTH)
		return admin_fail(
			call, e,
			"Khóa này không mở được bản sao lưu ấy: nó niêm phong cho khóa "
			"khác; tệp vẫn nguyên như khi được kiểm tra; hãy dùng đúng khóa / "
			"this key does not open that backup, which is sealed to another "
			"one; the file is as it was verified; give the right key");
	if (e != ERR_OK)
		return e;
	rand_fill(call->ctx->rand, random, sizeof random);
	hex_print(random, sizeof random, hex);
	snprintf(folder, sizeof folder, "%s/verify-%s.tmp", call->ctx->state, hex);

	const struct backup_order order = {.path = row->path, .key = key, .folder = folder};

	e = backup_check(call->ctx, &order, call->arena, &checked);
	crypt_wipe(key, sizeof key);
	if (e != ERR_OK)
		return e;
	*ret_is_opened = true;
	json_object_set_new(call->result, "log", json_integer((json_int_t)checked.log));
	json_object_set_new(call->result, "records", json_integer((json_int_t)checked.records));
	return ERR_OK;
}

static enum err measure(const struct row *row)
{
	struct archive_mark mark;
	enum err e = archive_measure(row->path, NULL, &mark);

	if (e != ERR_OK)
		return e;
	if (mark.bytes != row->mark.bytes ||
	    !crypt_equal(mark.hash.bytes, row->mark.hash.bytes, HASH_LEN))
		return err_raise(ERR_CONFLICT, "the file is not the one that was verified");
	return ERR_OK;
}

static enum err check(struct admin_call *call, const struct row *row, bool *ret_is_opened)
{
	struct box_pair pair = {0};
	bool is_there = false;
	enum err e = find_pair(call, &pair, &is_there);

	if (e == ERR_OK)
		e = measure(row);
	if (e == ERR_OK && is_there)
		e = open_it(call, row, &pair, ret_is_opened);
	crypt_wipe(&pair, sizeof pair);
	return e;
}

static enum err fail_bad(struct admin_call *call, int64_t number, enum err e)
{
	const char *why = e == ERR_CONFLICT ? "tệp không còn là tệp đã được kiểm tra, hoặc dữ "
					      "liệu bên trong không toàn vẹn"
			  : e == ERR_AUTH ? "bên trong bị sửa hoặc bị cụt"
					  : "không đọc được tệp";

	return admin_fail(call, ERR_CONFLICT,
			  "Bản sao lưu %" PRId64 " không tốt: %s; hãy sao lưu lại ngay / backup "
			  "%" PRId64 " is not good: %s; make a new one now",
			  number, why, number, log_last_detail());
}

/*
 * {backup, key?} -> {backup, path, bytes, opened, log?, records?}: `opened` when a key was at
 * hand, so that what is inside was checked too.
 */
enum err admin_backup_verify(struct admin_call *call)
{
	int64_t number = 0;
	bool is_opened = false;
	struct row row = {0};
	enum err e = admin_need_int(call, "backup", 1, INT64_MAX, &number);

	if (e == ERR_OK)
		e = load_row(call, number, &row);
	if (e != ERR_OK)
		return e;
	call->result = json_object();
	json_object_set_new(call->result, "backup", json_integer(number));
	json_object_set_new(call->result, "path", json_string(row.path));
	json_object_set_new(call->result, "bytes", json_integer((json_int_t)row.mark.bytes));
	e = check(call, &row, &is_opened);
	json_object_set_new(call->result, "opened", json_boolean(is_opened));
	/* The key was not one, or another: nothing is wrong with the backup. */
	if (e == ERR_OK || call->error[0] != '\0')
		return e;
	log_err("verify backup=%" PRId64 " error=%s detail=\"%s\"", number, err_name(e),
		log_last_detail());
	return fail_bad(call, number, e);
}
