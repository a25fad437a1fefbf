/* Indicators: SQL with {name} written out. */
#include "common/model/schema_reader.h"

#define NESTING_MOST 6u /* queries in queries */

static void append_literal(struct buf *out, struct bytes text)
{
	buf_append_byte(out, '\'');
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\'')
			buf_append_byte(out, '\'');
		buf_append_byte(out, text.data[i]);
	}
	buf_append_byte(out, '\'');
}

/* A code list as rows. */
static void append_list(struct buf *out, const struct schema_list *l)
{
	buf_append_str(out, "(SELECT column1 AS code, column2 AS vi, column3 AS en, "
			    "column4 AS sensitivity, column5 AS position FROM (VALUES ");
	for (size_t i = 0; i < l->count; i++) {
		const struct schema_code *c = &l->codes[i];

		buf_append_str(out, i == 0 ? "(" : ", (");
		append_literal(out, c->code);
		buf_append_byte(out, ',');
		append_literal(out, c->label.vi);
		buf_append_byte(out, ',');
		append_literal(out, c->label.en);
		buf_printf(out, ",'%s',%zu)", sensitivity_name(c->sensitivity), i);
	}
	buf_append_str(out, "))");
}

static enum err expand(struct schema_reader *r, const struct yaml_tree *node, struct bytes sql,
		       size_t depth, struct buf *out);

static enum err expand_name(struct schema_reader *r, const struct yaml_tree *node,
			    struct bytes name, size_t depth, struct buf *out)
{
	const struct schema_definition *query = schema_find_definition(r, SECTION_QUERIES, name);
	const struct schema_list *list = schema_find_list(r->schema, name);
	enum err e;

	if (list != NULL) {
		append_list(out, list);
		return ERR_OK;
	}
	if (query == NULL)
		return schema_fail(r, node->line, "sql: {%.*s} is neither a query nor a list",
				   BYTES_FMT(name));
	if (depth == NESTING_MOST)
		return schema_fail(r, node->line, "sql: {%.*s} is nested too deep",
				   BYTES_FMT(name));
	buf_append_byte(out, '(');
	e = expand(r, node, query->parts->node->text, depth + 1, out);
	buf_append_byte(out, ')');
	return e;
}

/* NOLINTNEXTLINE(misc-no-recursion): bounded by NESTING_MOST */
static enum err expand(struct schema_reader *r, const struct yaml_tree *node, struct bytes sql,
		       size_t depth, struct buf *out)
{
	bool is_literal = false;
	enum err e = ERR_OK;

	for (size_t i = 0; i < sql.len && e == ERR_OK; i++) {
		const uint8_t *end = NULL;

		if (out->len > SCHEMA_SQL_BYTES)
			return schema_fail(r, node->line, "sql: longer than %zu bytes written out",
					   SCHEMA_SQL_BYTES);
		if (sql.data[i] == '\'')
			is_literal = !is_literal;
		if (sql.data[i] == '{' && !is_literal)
			end = memchr(sql.data + i, '}', sql.len - i);
		if (end == NULL) {
			buf_append_byte(out, sql.data[i]);
			continue;
		}
		size_t len = (size_t)(end - sql.data) - i - 1;

		e = expand_name(r, node, bytes_of(sql.data + i + 1, len), depth, out);
		i += len + 1;
	}
	return e;
}

static bool is_indicator_id(struct bytes id)
{
	size_t letters = 0;

	while (letters < id.len && id.data[letters] >= 'A' && id.data[letters] <= 'Z')
		letters++;
	if (letters < 2 || letters > 3 || id.len != letters + 2)
		return false;
	for (size_t i = letters; i < id.len; i++)
		if (id.data[i] < '0' || id.data[i] > '9')
			return false;
	return true;
}

static bool starts_with_word(struct bytes sql, const char *word)
{
	size_t len = strlen(word);

	return sql.len > len && memcmp(sql.data, word, len) == 0 &&
	       (sql.data[len] == ' ' || sql.data[len] == '\n');
}

static enum err read_sql(struct schema_reader *r, const struct yaml_tree *map,
			 struct schema_indicator *ind)
{
	const struct yaml_tree *node = yaml_find(map, "sql");
	AUTO(buf_clear) struct buf sql = {0};
	enum err e;

	if (node == NULL || node->kind != YAML_TEXT)
		return schema_fail(r, map->line, "has no sql");
	if (!starts_with_word(node->text, "SELECT") && !starts_with_word(node->text, "WITH"))
		return schema_fail(r, node->line, "sql: must begin with SELECT or WITH");
	e = expand(r, node, node->text, 0, &sql);
	if (e == ERR_OK)
		ind->sql = arena_copy(r->memory, buf_bytes(&sql));
	return e;
}

static enum err build_indicator(struct schema_reader *r, const struct schema_definition *d,
				struct schema_indicator *ind)
{
	static const char *const keys[] = {"vi",      "en",          "source", "section",
					   "percent", "sensitivity", "sql",    NULL};
	const struct yaml_tree *node = d->parts->node;
	const struct yaml_tree *entry;
	enum err e;

	if (!is_indicator_id(d->name))
		return schema_fail(r, node->line, "an indicator is called like CT01 or CTH01");
	ind->id = arena_copy(r->memory, d->name);
	if ((e = schema_expect_map(r, node, keys)) != ERR_OK ||
	    (e = schema_read_label(r, node, &ind->label)) != ERR_OK ||
	    (e = schema_read_bool(r, node, "percent", &ind->is_percent)) != ERR_OK ||
	    (e = schema_read_sensitivity(r, node, &ind->sensitivity)) != ERR_OK)
		return e;
	entry = yaml_find(node, "section");
	if (entry == NULL)
		return schema_fail(r, node->line, "has no section");
	if ((e = schema_read_text(r, entry, &ind->section)) != ERR_OK)
		return e;
	if (!schema_is_identifier(ind->section))
		return schema_fail(r, entry->line, "section: must be a name of a-z, 0-9 and _");
	entry = yaml_find(node, "source");
	if (entry != NULL && (e = schema_read_text(r, entry, &ind->source)) != ERR_OK)
		return e;
	return read_sql(r, node, ind);
}

static enum err check_queries(struct schema_reader *r)
{
	const struct schema_definitions *d = &r->sections[SECTION_QUERIES];

	for (size_t i = 0; i < d->count; i++) {
		const struct schema_definition *q = &d->items[i];

		r->file = q->parts->file;
		r->owner = q->name;
		if (q->parts->node->kind != YAML_TEXT)
			return schema_fail(r, q->parts->node->line, "a query is text");
		if (schema_find_list(r->schema, q->name) != NULL)
			return schema_fail(r, q->parts->node->line, "a list has this name too");
	}
	return ERR_OK;
}

enum err schema_build_indicators(struct schema_reader *r)
{
	const struct schema_definitions *d = &r->sections[SECTION_INDICATORS];
	struct schema *s = r->schema;
	enum err e;

	r->part = BYTES_NONE;
	e = check_queries(r);
	s->indicators = arena_alloc_array(r->memory, d->count, sizeof *s->indicators);
	for (size_t i = 0; i < d->count && e == ERR_OK; i++) {
		r->file = d->items[i].parts->file;
		r->owner = d->items[i].name;
		e = build_indicator(r, &d->items[i], &s->indicators[i]);
		if (e == ERR_OK)
			s->indicator_count++;
	}
	return e;
}
