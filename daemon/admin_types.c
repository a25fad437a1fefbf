#define LOG_TAG "admin"

#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"

static json_t *codes_json(const struct schema_list *list)
{
	json_t *codes = json_object();

	for (size_t i = 0; i < list->count; i++)
		json_object_setn_new(codes, (const char *)list->codes[i].code.data,
				     list->codes[i].code.len,
				     admin_json_text(list->codes[i].label.vi));
	return codes;
}

static json_t *field_json(const struct schema_field *f)
{
	json_t *field = json_object();

	json_object_set_new(field, "vi", admin_json_text(f->label.vi));
	json_object_set_new(field, "en", admin_json_text(f->label.en));
	if (f->list != NULL)
		json_object_set_new(field, "codes", codes_json(f->list));
	return field;
}

static json_t *type_json(const struct schema_type *t)
{
	json_t *type = json_object();
	json_t *fields = json_object();

	for (size_t i = 0; i < t->count; i++)
		json_object_setn_new(fields, (const char *)t->fields[i].name.data,
				     t->fields[i].name.len, field_json(&t->fields[i]));
	json_object_set_new(type, "vi", admin_json_text(t->label.vi));
	json_object_set_new(type, "en", admin_json_text(t->label.en));
	json_object_set_new(type, "fields", fields);
	return type;
}

/* {} -> {types: {name: {vi, en, fields: {name: {vi, en, codes?: {code: label}}}}}}: what pages call
 * things; no data. */
enum err admin_types(struct admin_call *call)
{
	const struct schema *schema = store_schema(call->store);
	json_t *types = json_object();

	for (size_t i = 0; i < schema->type_count; i++)
		json_object_setn_new(types, (const char *)schema->types[i].name.data,
				     schema->types[i].name.len, type_json(&schema->types[i]));
	call->result = json_pack("{s:o}", "types", types);
	return ERR_OK;
}
