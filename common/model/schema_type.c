/* Record types: from trees to struct schema_type. */
#include "common/model/schema_reader.h"

static enum err read_field_type(struct schema_reader *r, const struct yaml_tree *map,
				enum field_type *ret_type)
{
	const struct yaml_tree *node = yaml_find(map, "type");

	if (node == NULL)
		return schema_fail(r, map->line, "has no type");
	for (enum field_type t = FIELD_TEXT; t <= FIELD_UNIT; t++) {
		if (node->kind == YAML_TEXT && bytes_is(node->text, field_type_name(t))) {
			*ret_type = t;
			return ERR_OK;
		}
	}
	return schema_fail(r, node->line, "type: no such field type");
}

static bool takes_list(enum field_type t)
{
	return t == FIELD_CODE || t == FIELD_CODE_SET;
}

static bool takes_length(enum field_type t)
{
	return t == FIELD_TEXT || t == FIELD_LONG_TEXT;
}

static bool takes_range(enum field_type t)
{
	return t == FIELD_INTEGER || t == FIELD_DECIMAL || t == FIELD_MONEY || takes_length(t);
}

/* A key that says nothing for this type of field would be a misunderstanding. */
static enum err check_keys(struct schema_reader *r, const struct yaml_tree *map, enum field_type t)
{
	const struct {
		const char *key;
		bool is_allowed;
	} rules[] = {
		{"list", takes_list(t)}, {"target", t == FIELD_REFERENCE}, {"min", takes_range(t)},
		{"max", takes_range(t)}, {"pattern", t == FIELD_TEXT},
	};

	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
		const struct yaml_tree *node = yaml_find(map, rules[i].key);

		if (node != NULL && !rules[i].is_allowed)
			return schema_fail(r, node->line, "%s: not for a field of type %s",
					   rules[i].key, field_type_name(t));
	}
	if (takes_list(t) && yaml_find(map, "list") == NULL)
		return schema_fail(r, map->line, "has no list");
	return ERR_OK;
}

static enum err read_list(struct schema_reader *r, const struct yaml_tree *map,
			  struct schema_field *f)
{
	const struct yaml_tree *node = yaml_find(map, "list");

	if (node == NULL)
		return ERR_OK;
	if (node->kind == YAML_TEXT)
		f->list = schema_find_list(r->schema, node->text);
	if (f->list == NULL)
		return schema_fail(r, node->line, "list: no such list");
	return ERR_OK;
}

static enum err read_target(struct schema_reader *r, const struct yaml_tree *map,
			    struct schema_field *f)
{
	const struct yaml_tree *node = yaml_find(map, "target");

	if (node == NULL)
		return ERR_OK;
	if (node->kind != YAML_TEXT || schema_find_definition(r, SECTION_TYPES, node->text) == NULL)
		return schema_fail(r, node->line, "target: no such type");
	f->target = arena_copy(r->memory, node->text);
	return ERR_OK;
}

static enum err read_range(struct schema_reader *r, const struct yaml_tree *map,
			   struct schema_field *f)
{
	enum err e = schema_read_integer(r, map, "min", &f->has_min, &f->min);

	if (e == ERR_OK)
		e = schema_read_integer(r, map, "max", &f->has_max, &f->max);
	if (e != ERR_OK)
		return e;
	if (f->has_min && f->has_max && f->min > f->max)
		return schema_fail(r, map->line, "min: greater than max");
	if (takes_length(f->type) && ((f->has_min && f->min < 0) ||
				      (f->has_max && (f->max < 1 || f->max > SCHEMA_MOST_CHARS))))
		return schema_fail(r, map->line, "min, max: a text has 1 to %d characters",
				   SCHEMA_MOST_CHARS);
	return ERR_OK;
}

static enum err read_pattern(struct schema_reader *r, const struct yaml_tree *map,
			     struct schema_field *f)
{
	const struct yaml_tree *node = yaml_find(map, "pattern");
	enum err e;

	if (node == NULL)
		return ERR_OK;
	e = schema_read_text(r, node, &f->pattern);
	return e == ERR_OK ? schema_compile_pattern(r, node->line, f) : e;
}

static enum err build_field(struct schema_reader *r, const struct yaml_tree *node,
			    enum sensitivity of_type, struct schema_field *f)
{
	static const char *const keys[] = {"type",    "vi",    "en",          "list", "target",
					   "min",     "max",   "pattern",     "when", "required",
					   "indexed", "title", "sensitivity", NULL};
	enum err e;

	if (!schema_is_identifier(node->key))
		return schema_fail(r, node->line, "a name is a-z, then up to %u of a-z, 0-9 and _",
				   SCHEMA_NAME_LEN - 1);
	if (schema_is_reserved(node->key))
		return schema_fail(r, node->line, "the name is reserved");
	f->name = arena_copy(r->memory, node->key);
	f->sensitivity = of_type;
	if ((e = schema_expect_map(r, node, keys)) != ERR_OK ||
	    (e = read_field_type(r, node, &f->type)) != ERR_OK ||
	    (e = check_keys(r, node, f->type)) != ERR_OK ||
	    (e = schema_read_label(r, node, &f->label)) != ERR_OK ||
	    (e = schema_read_sensitivity(r, node, &f->sensitivity)) != ERR_OK ||
	    (e = read_list(r, node, f)) != ERR_OK || (e = read_target(r, node, f)) != ERR_OK ||
	    (e = read_range(r, node, f)) != ERR_OK || (e = read_pattern(r, node, f)) != ERR_OK ||
	    (e = schema_read_bool(r, node, "required", &f->is_required)) != ERR_OK ||
	    (e = schema_read_bool(r, node, "indexed", &f->is_indexed)) != ERR_OK)
		return e;
	return schema_read_bool(r, node, "title", &f->is_title);
}

static enum err add_field(struct schema_reader *r, struct schema_type *t,
			  const struct yaml_tree *node)
{
	struct schema_field *f = &t->fields[t->count];
	enum err e;

	r->part = node->key;
	if (t->count == SCHEMA_FIELDS)
		return schema_fail(r, node->line, "more than %u fields", SCHEMA_FIELDS);
	if (schema_find_field(t, node->key) != NULL)
		return schema_fail(r, node->line, "field is there twice");
	/* Counted first: schema_free() has to find the pattern of a field that failed later. */
	t->count++;
	e = build_field(r, node, t->sensitivity, f);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i + 1 < t->count; i++) {
		if (bytes_equal(t->fields[i].label.vi, f->label.vi))
			return schema_fail(r, node->line, "vi: label of the field %.*s too",
					   BYTES_FMT(t->fields[i].name));
	}
	if (f->sensitivity == SENSITIVITY_RESTRICTED ||
	    (f->list != NULL && f->list->has_restricted))
		t->may_be_restricted = true;
	return ERR_OK;
}

static enum err read_fields(struct schema_reader *r, struct schema_type *t,
			    const struct schema_part *part)
{
	const struct yaml_tree *fields = yaml_find(part->node, "fields");
	enum err e = ERR_OK;

	if (fields == NULL || fields->kind != YAML_MAP || fields->count == 0)
		return schema_fail(r, part->node->line, "has no fields");
	for (const struct yaml_tree *n = fields->first; n != NULL && e == ERR_OK; n = n->next)
		e = add_field(r, t, n);
	return e;
}

static enum err read_condition_codes(struct schema_reader *r, const struct yaml_tree *codes,
				     const struct schema_list *list, struct schema_condition *c)
{
	if (codes->kind != YAML_LIST || codes->count == 0)
		return schema_fail(r, codes->line, "when: must be {field: [code, ...]}");
	c->codes = arena_alloc_array(r->memory, codes->count, sizeof *c->codes);
	for (const struct yaml_tree *n = codes->first; n != NULL; n = n->next) {
		if (n->kind != YAML_TEXT || schema_find_code(list, n->text) == NULL)
			return schema_fail(r, n->line, "when: no such code in %.*s",
					   BYTES_FMT(list->name));
		c->codes[c->count++] = arena_copy(r->memory, n->text);
	}
	return ERR_OK;
}

static enum err read_condition(struct schema_reader *r, const struct schema_type *t,
			       const struct yaml_tree *field_node, struct schema_field *f)
{
	const struct yaml_tree *node = yaml_find(field_node, "when");
	const struct schema_field *other;

	if (node == NULL)
		return ERR_OK;
	r->part = f->name;
	if (node->kind != YAML_MAP || node->count != 1)
		return schema_fail(r, node->line, "when: must be {field: [code, ...]}");
	other = schema_find_field(t, node->first->key);
	if (other == NULL || other == f)
		return schema_fail(r, node->line, "when: no such field \"%.*s\"",
				   BYTES_FMT(node->first->key));
	if (other->list == NULL)
		return schema_fail(r, node->line, "when: \"%.*s\" is not a code",
				   BYTES_FMT(other->name));
	f->when.field = other->name;
	return read_condition_codes(r, node->first, other->list, &f->when);
}

/* After all fields are known: conditions may name any of them. */
static enum err read_conditions(struct schema_reader *r, struct schema_type *t,
				const struct schema_part *part)
{
	const struct yaml_tree *fields = yaml_find(part->node, "fields");
	enum err e = ERR_OK;

	for (const struct yaml_tree *n = fields->first; n != NULL && e == ERR_OK; n = n->next) {
		for (size_t i = 0; i < t->count; i++) {
			if (bytes_equal(t->fields[i].name, n->key))
				e = read_condition(r, t, n, &t->fields[i]);
			if (e != ERR_OK)
				return e;
		}
	}
	return e;
}

static enum err read_kind(struct schema_reader *r, const struct yaml_tree *map,
			  enum schema_kind *ret_kind)
{
	const struct yaml_tree *node = yaml_find(map, "kind");

	if (node != NULL && node->kind == YAML_TEXT && bytes_is(node->text, "register"))
		*ret_kind = SCHEMA_REGISTER;
	else if (node != NULL && node->kind == YAML_TEXT && bytes_is(node->text, "event"))
		*ret_kind = SCHEMA_EVENT;
	else
		return schema_fail(r, node != NULL ? node->line : map->line,
				   "kind: must be register or event");
	return ERR_OK;
}

static enum err read_date_field(struct schema_reader *r, const struct yaml_tree *map,
				struct schema_type *t)
{
	const struct yaml_tree *node = yaml_find(map, "date");

	if (node == NULL)
		return ERR_OK;
	r->part = BYTES_NONE;
	if (node->kind == YAML_TEXT)
		t->date = schema_find_field(t, node->text);
	if (t->date == NULL || (t->date->type != FIELD_DATE && t->date->type != FIELD_TIME))
		return schema_fail(r, node->line, "date: must name a field of type date or time");
	return ERR_OK;
}

static enum err read_head(struct schema_reader *r, const struct yaml_tree *node,
			  struct schema_type *t)
{
	static const char *const keys[] = {"vi",   "en",     "kind", "sensitivity",
					   "date", "fields", NULL};
	enum err e;

	if (schema_is_reserved(t->name) || schema_is_table_reserved(t->name))
		return schema_fail(r, node->line, "the name is reserved");
	if ((e = schema_expect_map(r, node, keys)) != ERR_OK ||
	    (e = schema_read_label(r, node, &t->label)) != ERR_OK ||
	    (e = read_kind(r, node, &t->kind)) != ERR_OK)
		return e;
	/* Not left to a default: somebody has to have thought of it. */
	if (yaml_find(node, "sensitivity") == NULL)
		return schema_fail(r, node->line, "has no sensitivity");
	e = schema_read_sensitivity(r, node, &t->sensitivity);
	t->may_be_restricted = t->sensitivity == SENSITIVITY_RESTRICTED;
	return e;
}

static size_t count_fields(const struct schema_part *part)
{
	size_t count = 0;

	for (; part != NULL; part = part->next) {
		const struct yaml_tree *fields =
			part->node->kind == YAML_MAP ? yaml_find(part->node, "fields") : NULL;

		count += fields != NULL ? fields->count : 0;
	}
	return count;
}

static enum err read_extensions(struct schema_reader *r, struct schema_type *t,
				const struct schema_definition *d)
{
	static const char *const keys[] = {"extend", "fields", NULL};
	enum err e = ERR_OK;

	for (const struct schema_part *p = d->extensions; p != NULL && e == ERR_OK; p = p->next) {
		r->file = p->file;
		r->part = BYTES_NONE;
		e = schema_expect_map(r, p->node, keys);
		if (e == ERR_OK)
			e = read_fields(r, t, p);
		if (e == ERR_OK)
			e = read_conditions(r, t, p);
	}
	return e;
}

static enum err build_type(struct schema_reader *r, const struct schema_definition *d,
			   struct schema_type *t)
{
	const struct yaml_tree *node = d->parts->node;
	enum err e;

	r->file = d->parts->file;
	r->owner = d->name;
	r->part = BYTES_NONE;
	t->name = arena_copy(r->memory, d->name);
	if ((e = read_head(r, node, t)) != ERR_OK)
		return e;
	t->fields = arena_alloc_array(
		r->memory, count_fields(d->parts) + count_fields(d->extensions), sizeof *t->fields);
	if ((e = read_fields(r, t, d->parts)) != ERR_OK ||
	    (e = read_conditions(r, t, d->parts)) != ERR_OK ||
	    (e = read_date_field(r, node, t)) != ERR_OK)
		return e;
	return read_extensions(r, t, d);
}

enum err schema_build_types(struct schema_reader *r)
{
	const struct schema_definitions *d = &r->sections[SECTION_TYPES];
	enum err e = ERR_OK;

	r->schema->types = arena_alloc_array(r->memory, d->count, sizeof *r->schema->types);
	for (size_t i = 0; i < d->count && e == ERR_OK; i++) {
		/* Counted first, as fields are. */
		r->schema->type_count++;
		e = build_type(r, &d->items[i], &r->schema->types[i]);
	}
	return e;
}
