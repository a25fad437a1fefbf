#include "common/model/schema_reader.h"

#include <stdarg.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/model/vntext.h"

enum err schema_fail(struct schema_reader *r, size_t line, const char *fmt, ...)
{
	char what[SCHEMA_ERROR_LEN];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(what, sizeof what, fmt, args);
	va_end(args);

	AUTO(buf_clear) struct buf text = {0};

	buf_printf(&text, "%s:%zu: ", r->file, line);
	if (r->owner.len != 0)
		buf_printf(&text, "%.*s", BYTES_FMT(r->owner));
	if (r->owner.len != 0 && r->part.len != 0)
		buf_printf(&text, ".%.*s", BYTES_FMT(r->part));
	if (r->owner.len != 0)
		buf_append_str(&text, ": ");
	buf_append_str(&text, what);
	/* Names come from the file and may be long. */
	(void)snprintf(r->error, SCHEMA_ERROR_LEN, "%s", buf_cstr(&text));
	return err_raise(ERR_INVAL, "schema: %s", r->error);
}

enum err schema_expect_map(struct schema_reader *r, const struct yaml_tree *node,
			   const char *const *keys)
{
	if (node->kind != YAML_MAP)
		return schema_fail(r, node->line, "must be a map of names and values");
	for (const struct yaml_tree *e = node->first; e != NULL; e = e->next) {
		size_t i = 0;

		while (keys[i] != NULL && !bytes_is(e->key, keys[i]))
			i++;
		if (keys[i] == NULL)
			return schema_fail(r, e->line, "unknown key \"%.*s\"", BYTES_FMT(e->key));
	}
	return ERR_OK;
}

enum err schema_read_text(struct schema_reader *r, const struct yaml_tree *node,
			  struct bytes *ret_text)
{
	if (node->kind != YAML_TEXT)
		return schema_fail(r, node->line, "%.*s: must be text", BYTES_FMT(node->key));
	if (node->text.len == 0)
		return schema_fail(r, node->line, "%.*s: is empty", BYTES_FMT(node->key));
	*ret_text = arena_copy(r->memory, node->text);
	return ERR_OK;
}

static enum err read_one_label(struct schema_reader *r, const struct yaml_tree *map,
			       const char *key, struct bytes *ret_text)
{
	const struct yaml_tree *node = yaml_find(map, key);

	if (node == NULL)
		return schema_fail(r, map->line, "has no label \"%s\"", key);
	if (node->kind != YAML_TEXT)
		return schema_fail(r, node->line, "%s: must be text", key);

	/* A label of blanks is no label; one with blanks around it would not be found. */
	struct bytes text = node->text;

	if (text.len == 0 || text.data[0] == ' ' || text.data[text.len - 1] == ' ')
		return schema_fail(r, node->line, "%s: label is empty or has blanks around it",
				   key);
	if (memchr(text.data, '\n', text.len) != NULL)
		return schema_fail(r, node->line, "%s: label has more than one line", key);
	if (vntext_length(text) > SCHEMA_LABEL_CHARS)
		return schema_fail(r, node->line, "%s: label is longer than %u characters", key,
				   SCHEMA_LABEL_CHARS);
	*ret_text = arena_copy(r->memory, text);
	return ERR_OK;
}

enum err schema_read_label(struct schema_reader *r, const struct yaml_tree *map,
			   struct label *ret_label)
{
	enum err e = read_one_label(r, map, "vi", &ret_label->vi);

	return e == ERR_OK ? read_one_label(r, map, "en", &ret_label->en) : e;
}

enum err schema_read_bool(struct schema_reader *r, const struct yaml_tree *map, const char *key,
			  bool *ret_flag)
{
	const struct yaml_tree *node = yaml_find(map, key);

	if (node == NULL)
		return ERR_OK;
	if (node->kind == YAML_TEXT && bytes_is(node->text, "true")) {
		*ret_flag = true;
		return ERR_OK;
	}
	if (node->kind == YAML_TEXT && bytes_is(node->text, "false")) {
		*ret_flag = false;
		return ERR_OK;
	}
	return schema_fail(r, node->line, "%s: must be true or false", key);
}

enum err schema_read_integer(struct schema_reader *r, const struct yaml_tree *map, const char *key,
			     bool *ret_is_there, int64_t *ret_number)
{
	const struct yaml_tree *node = yaml_find(map, key);
	int64_t number = 0;

	if (node == NULL)
		return ERR_OK;

	bool is_negative =
		node->kind == YAML_TEXT && node->text.len > 1 && node->text.data[0] == '-';
	size_t at = is_negative ? 1 : 0;

	/* 18 digits: any of them fits. */
	if (node->kind != YAML_TEXT || node->text.len == 0 || node->text.len - at > 18)
		return schema_fail(r, node->line, "%s: must be a whole number", key);
	for (; at < node->text.len; at++) {
		uint8_t c = node->text.data[at];

		if (c < '0' || c > '9')
			return schema_fail(r, node->line, "%s: must be a whole number", key);
		number = number * 10 + (c - '0');
	}
	*ret_is_there = true;
	*ret_number = is_negative ? -number : number;
	return ERR_OK;
}

enum err schema_read_sensitivity(struct schema_reader *r, const struct yaml_tree *map,
				 enum sensitivity *ret_sensitivity)
{
	const struct yaml_tree *node = yaml_find(map, "sensitivity");

	if (node == NULL)
		return ERR_OK;
	for (enum sensitivity s = SENSITIVITY_PUBLIC; s <= SENSITIVITY_RESTRICTED; s++) {
		if (node->kind == YAML_TEXT && bytes_is(node->text, sensitivity_name(s))) {
			*ret_sensitivity = s;
			return ERR_OK;
		}
	}
	return schema_fail(r, node->line,
			   "sensitivity: must be public, basic, sensitive or restricted");
}

enum err schema_read_date(struct schema_reader *r, const struct yaml_tree *map, const char *key,
			  struct bytes *ret_date)
{
	const struct yaml_tree *node = yaml_find(map, key);
	int64_t when;

	if (node == NULL)
		return ERR_OK;
	if (node->kind != YAML_TEXT || node->text.len != strlen("2020-12-31") ||
	    clock_parse_iso((const char *)node->text.data, node->text.len, &when) != ERR_OK)
		return schema_fail(r, node->line, "%s: must be a date like 2020-12-31", key);
	*ret_date = arena_copy(r->memory, node->text);
	return ERR_OK;
}

struct schema_definition *schema_find_definition(const struct schema_reader *r,
						 enum schema_section section, struct bytes name)
{
	const struct schema_definitions *d = &r->sections[section];

	for (size_t i = 0; i < d->count; i++)
		if (bytes_equal(d->items[i].name, name))
			return &d->items[i];
	return NULL;
}
