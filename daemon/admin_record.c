#define LOG_TAG "admin"

#include <string.h>

#include "daemon/admin_call.h"
#include "daemon/admin_changes.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/store_admin.h"

#define CANDIDATES 6u

static enum err fail_ambiguous(struct admin_call *call, const struct store_found *found,
			       size_t count)
{
	AUTO(buf_clear) struct buf text = {0};

	buf_append_str(&text,
		       "Nhiều bản ghi bắt đầu như vậy, hãy cho thêm chữ số / several records "
		       "begin so, give more digits:");
	for (size_t i = 0; i < count; i++) {
		char hex[ID_HEX_LEN];

		id_print(&found[i].id, hex);
		buf_printf(&text, " %s", hex);
	}
	return admin_fail(call, ERR_CONFLICT, "%s", buf_cstr(&text));
}

static enum err find_record(struct admin_call *call, struct store_found *ret_found)
{
	struct store_found *found = NULL;
	struct id range[2];
	size_t count = 0;
	enum err e = admin_need_id(call, "record", &range[0], &range[1]);

	if (e == ERR_OK)
		e = store_find_ids(call->store, call->arena, range, CANDIDATES, &found, &count);
	if (e != ERR_OK)
		return e;
	if (count == 0)
		return admin_fail(
			call, ERR_NOTFOUND,
			"Không có bản ghi nào như vậy ở đây; có thể nó chưa được đồng bộ, "
			"xem “ctxhctl missing” / no such record here; it may not be "
			"synced yet, see “ctxhctl missing”");
	if (count > 1)
		return fail_ambiguous(call, found, count);
	*ret_found = found[0];
	return ERR_OK;
}

static enum err put_field(struct admin_call *call, const struct record *r, const struct field *f,
			  bool is_hidden, json_t *fields)
{
	struct bytes author = BYTES_NONE;
	json_t *one;
	enum err e = history_author(call->store, call->arena, r, f, &author);

	if (e != ERR_OK)
		return e;
	is_hidden = is_hidden || admin_hides_value(call, r->type, &r->id, f->name, &f->value);
	one = json_object();
	json_object_set_new(one, "value",
			    is_hidden ? json_null()
				      : admin_json_field(call, r->type, f->name, &f->value));
	json_object_set_new(one, "stamp", admin_json_stamp(&f->stamp));
	json_object_set_new(one, "author", admin_json_text(author));
	json_object_set_new(one, "log", json_integer((json_int_t)f->log));
	if (is_hidden)
		json_object_set_new(one, "hidden", json_true());
	json_object_set_new(fields, arena_strdup(call->arena, f->name), one);
	return ERR_OK;
}

static void put_head(struct admin_call *call, const struct record *r, bool is_hidden)
{
	const struct value merged = record_value(r, RECORD_MERGED_INTO);
	json_t *to = call->result;

	json_object_set_new(to, "id", admin_json_hex(bytes_of(r->id.bytes, ID_LEN)));
	json_object_set_new(to, "type", is_hidden ? json_null() : admin_json_text(r->type));
	json_object_set_new(to, "unit", admin_json_unit(call, record_unit(r)));
	json_object_set_new(to, "unit_name", admin_json_unit_name(call, record_unit(r)));
	json_object_set_new(to, "deleted", json_boolean(record_is_deleted(r)));
	json_object_set_new(to, "voided", json_boolean(record_is_voided(r)));
	json_object_set_new(to, "merged_into", admin_json_value(&merged));
	json_object_set_new(to, "hidden", json_boolean(is_hidden));
}

static enum err put_history(struct admin_call *call, const struct record *r)
{
	struct history_entry *entries = NULL;
	json_t *rows = json_array();
	size_t count = 0;
	enum err e =
		history_load_record(call->store, call->arena, r->type, &r->id, &entries, &count);

	json_object_set_new(call->result, "history", rows);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = admin_append_changes(call, &entries[i], rows);
	return e;
}

/* {record, reason?} -> {id, type, unit, …, fields: {name: {value, stamp, author, log}}, history} */
enum err admin_record_show(struct admin_call *call)
{
	struct store_found found = {0};
	struct store_state state = {0};
	json_t *fields;
	bool is_hidden = true;
	enum err e = find_record(call, &found);

	if (e != ERR_OK)
		return e;
	state.record = (struct record){.type = found.type, .id = found.id};
	e = store_load_states(call->store, call->arena, &state, 1);
	if (e == ERR_OK)
		e = admin_hides_record(call, found.type, &found.id, &is_hidden);
	if (e != ERR_OK)
		return e;
	call->result = json_object();
	put_head(call, &state.record, is_hidden);
	fields = json_object();
	json_object_set_new(call->result, "fields", fields);
	for (size_t i = 0; e == ERR_OK && i < state.record.count; i++)
		e = put_field(call, &state.record, &state.record.fields[i], is_hidden, fields);
	if (e == ERR_OK)
		e = put_history(call, &state.record);
	return e;
}
