#define LOG_TAG "admin"

#include "daemon/admin_changes.h"

#include "daemon/admin_names.h"

/* With a reason the value is shown, and the audit says whose it was. */
static bool is_shown_with_reason(struct admin_call *call, const struct id *id)
{
	json_t *records;
	char hex[ID_HEX_LEN];

	if (!admin_is_cleared(call, "read restricted"))
		return false;
	records = json_object_get(call->audit_detail, "records");
	id_print(id, hex);
	for (size_t i = 0; i < json_array_size(records); i++) {
		if (bytes_is(bytes_of(hex, ID_HEX_LEN - 1),
			     json_string_value(json_array_get(records, i))))
			return true;
	}
	json_array_append_new(records, json_string(hex));
	return true;
}

enum err admin_hides_record(struct admin_call *call, struct bytes type, const struct id *id,
			    bool *ret_is_hidden)
{
	bool is_restricted = true;
	enum err e = admin_is_restricted(call, type, id, &is_restricted);

	if (e == ERR_OK)
		*ret_is_hidden = is_restricted && !is_shown_with_reason(call, id);
	return e;
}

bool admin_hides_value(struct admin_call *call, struct bytes type, const struct id *id,
		       struct bytes field, const struct value *value)
{
	return admin_is_value_restricted(call, type, field, value) &&
	       !is_shown_with_reason(call, id);
}

static json_t *change_json(struct admin_call *call, const struct history_entry *e,
			   const struct history_write *w, bool is_hidden)
{
	json_t *row = json_object();
	char raw[CLOCK_ISO_LEN];

	/* A dead clock's 1970 is a time here, not the lack of one. */
	clock_print_iso(STAMP_CLOCK_MS(e->raw_clock), raw);
	if (!is_hidden && w != NULL)
		is_hidden = admin_hides_value(call, e->type, &e->id, w->field, &w->new) ||
			    admin_hides_value(call, e->type, &e->id, w->field, &w->old);
	json_object_set_new(row, "record", admin_json_hex(bytes_of(e->id.bytes, ID_LEN)));
	json_object_set_new(row, "type", is_hidden ? json_null() : admin_json_text(e->type));
	json_object_set_new(row, "field",
			    is_hidden || w == NULL ? json_null() : admin_json_text(w->field));
	json_object_set_new(row, "old",
			    is_hidden || w == NULL
				    ? json_null()
				    : admin_json_field(call, e->type, w->field, &w->old));
	json_object_set_new(row, "new",
			    is_hidden || w == NULL
				    ? json_null()
				    : admin_json_field(call, e->type, w->field, &w->new));
	json_object_set_new(row, "result", admin_json_text(e->result));
	json_object_set_new(row, "kept", json_boolean(w != NULL && w->is_kept));
	json_object_set_new(row, "quarantined", json_boolean(e->is_quarantined));
	json_object_set_new(row, "hidden", json_boolean(is_hidden));
	json_object_set_new(row, "device", json_integer(e->device));
	json_object_set_new(row, "author", admin_json_text(e->author));
	json_object_set_new(row, "number", json_integer((json_int_t)e->number));
	json_object_set_new(row, "log", json_integer((json_int_t)e->log));
	/* What the office writes comes in none. */
	json_object_set_new(row, "session",
			    e->session != 0 ? json_integer((json_int_t)e->session) : json_null());
	json_object_set_new(row, "at", admin_json_time(STAMP_CLOCK_MS(e->stamp.clock)));
	json_object_set_new(row, "raw_at", json_string(raw));
	json_object_set_new(row, "clock_flagged", json_boolean(e->is_clock_flagged));
	json_object_set_new(row, "received_at", admin_json_time(e->received_ms));
	return row;
}

enum err admin_append_changes(struct admin_call *call, const struct history_entry *entry,
			      json_t *rows)
{
	bool is_hidden = true;
	enum err e = admin_hides_record(call, entry->type, &entry->id, &is_hidden);

	if (e != ERR_OK)
		return e;
	/* A change that could not be read has no writes, and still is a row. */
	if (entry->write_count == 0)
		json_array_append_new(rows, change_json(call, entry, NULL, is_hidden));
	for (size_t i = 0; i < entry->write_count; i++)
		json_array_append_new(rows, change_json(call, entry, &entry->writes[i], is_hidden));
	return ERR_OK;
}
