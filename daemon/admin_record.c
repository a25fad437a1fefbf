#define LOG_TAG "admin"

#include <string.h>

#include "daemon/admin_call.h"
#include "daemon/admin_changes.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/joined.h"
#include "daemon/store_admin.h"

/* A reference to a record that was joined to another means that one (M6). */
static enum err put_resolved(struct admin_call *call, const struct record *r, const struct field *f,
			     json_t *to)
{
	const struct schema_type *t = schema_find_type(store_schema(call->store), r->type);
	const struct schema_field *known = t != NULL ? schema_find_field(t, f->name) : NULL;
	bool is_event = false;
	struct joined joined;
	struct id id;
	enum err e;

	if (known == NULL || known->type != FIELD_REFERENCE || f->value.kind != VALUE_BYTES ||
	    f->value.bytes.len != ID_LEN || !store_has_type(call->store, known->target, &is_event))
		return ERR_OK;
	memcpy(id.bytes, f->value.bytes.data, ID_LEN);
	e = joined_find(call->store, call->arena, known->target, &id, &joined);
	if (e == ERR_OK && id_compare(&id, &joined.id) != 0)
		json_object_set_new(to, "resolved",
				    admin_json_hex(bytes_of(joined.id.bytes, ID_LEN)));
	return e;
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
	return is_hidden ? ERR_OK : put_resolved(call, r, f, one);
}

static enum err put_head(struct admin_call *call, const struct record *r, bool is_hidden)
{
	const struct value merged = record_value(r, RECORD_MERGED_INTO);
	json_t *to = call->result;
	struct joined joined;
	enum err e = joined_find(call->store, call->arena, r->type, &r->id, &joined);

	if (e != ERR_OK)
		return e;
	json_object_set_new(to, "id", admin_json_hex(bytes_of(r->id.bytes, ID_LEN)));
	json_object_set_new(to, "type", is_hidden ? json_null() : admin_json_text(r->type));
	json_object_set_new(to, "unit", admin_json_unit(call, record_unit(r)));
	json_object_set_new(to, "unit_name", admin_json_unit_name(call, record_unit(r)));
	json_object_set_new(to, "deleted", json_boolean(record_is_deleted(r)));
	json_object_set_new(to, "voided", json_boolean(record_is_voided(r)));
	json_object_set_new(to, "merged_into", admin_json_value(&merged));
	json_object_set_new(to, "stands", admin_json_hex(bytes_of(joined.id.bytes, ID_LEN)));
	json_object_set_new(to, "hidden", json_boolean(is_hidden));
	return ERR_OK;
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
	enum err e = admin_find_record(call, "record", &found);

	if (e != ERR_OK)
		return e;
	state.record = (struct record){.type = found.type, .id = found.id};
	e = store_load_states(call->store, call->arena, &state, 1);
	if (e == ERR_OK)
		e = admin_hides_record(call, found.type, &found.id, &is_hidden);
	if (e != ERR_OK)
		return e;
	call->result = json_object();
	fields = json_object();
	e = put_head(call, &state.record, is_hidden);
	json_object_set_new(call->result, "fields", fields);
	for (size_t i = 0; e == ERR_OK && i < state.record.count; i++)
		e = put_field(call, &state.record, &state.record.fields[i], is_hidden, fields);
	if (e == ERR_OK)
		e = put_history(call, &state.record);
	return e;
}
