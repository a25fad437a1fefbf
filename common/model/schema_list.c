/* Code lists: from trees to struct schema_list. */
#include "common/model/schema_reader.h"

/* Letters, digits and "_.-", so that "A,B" can hold a set and SQL a literal. */
static bool is_code(struct bytes text)
{
	if (text.len == 0 || text.len > SCHEMA_CODE_LEN)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.data[i];
		bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			       (c >= '0' && c <= '9') || c == '_';

		if (!is_word && (i == 0 || (c != '.' && c != '-')))
			return false;
	}
	return true;
}

static struct schema_code *find_code(const struct schema_list *l, struct bytes code)
{
	for (size_t i = 0; i < l->count; i++)
		if (bytes_equal(l->codes[i].code, code))
			return &l->codes[i];
	return NULL;
}

static enum err check_dates(struct schema_reader *r, size_t line, const struct schema_code *c)
{
	if (c->valid_from.len != 0 && c->valid_until.len != 0 &&
	    bytes_compare(c->valid_from, c->valid_until) >= 0)
		return schema_fail(r, line, "until: not after from");
	return ERR_OK;
}

static enum err add_code(struct schema_reader *r, struct schema_list *l,
			 const struct yaml_tree *node)
{
	static const char *const keys[] = {"vi", "en", "from", "until", "sensitivity", NULL};
	struct schema_code *c = &l->codes[l->count];
	enum err e;

	if (!is_code(node->key))
		return schema_fail(r, node->line, "a code is 1 to %u letters, digits and _ . -",
				   SCHEMA_CODE_LEN);
	if ((e = schema_expect_map(r, node, keys)) != ERR_OK ||
	    (e = schema_read_label(r, node, &c->label)) != ERR_OK ||
	    (e = schema_read_date(r, node, "from", &c->valid_from)) != ERR_OK ||
	    (e = schema_read_date(r, node, "until", &c->valid_until)) != ERR_OK ||
	    (e = check_dates(r, node->line, c)) != ERR_OK ||
	    (e = schema_read_sensitivity(r, node, &c->sensitivity)) != ERR_OK)
		return e;
	for (size_t i = 0; i < l->count; i++) {
		/* People choose by label. */
		if (bytes_equal(l->codes[i].label.vi, c->label.vi))
			return schema_fail(r, node->line, "vi: label of the code %.*s too",
					   BYTES_FMT(l->codes[i].code));
	}
	c->code = arena_copy(r->memory, node->key);
	l->count++;
	if (c->sensitivity == SENSITIVITY_RESTRICTED)
		l->has_restricted = true;
	return ERR_OK;
}

/* A later file may end a code; what it means never changes. */
static enum err end_code(struct schema_reader *r, struct schema_code *c,
			 const struct yaml_tree *node)
{
	enum err e;

	if (node->kind != YAML_MAP || node->count != 1 || yaml_find(node, "until") == NULL)
		return schema_fail(r, node->line,
				   "this code exists: an extension may only give it \"until\"");
	e = schema_read_date(r, node, "until", &c->valid_until);
	return e == ERR_OK ? check_dates(r, node->line, c) : e;
}

static enum err read_codes(struct schema_reader *r, struct schema_list *l,
			   const struct schema_part *part, bool is_extension)
{
	const struct yaml_tree *codes = yaml_find(part->node, "codes");
	enum err e = ERR_OK;

	r->part = BYTES_NONE;
	if (codes == NULL || codes->kind != YAML_MAP || codes->count == 0)
		return schema_fail(r, part->node->line, "has no codes");
	for (const struct yaml_tree *n = codes->first; n != NULL && e == ERR_OK; n = n->next) {
		struct schema_code *old = find_code(l, n->key);

		r->part = n->key;
		if (old != NULL && is_extension)
			e = end_code(r, old, n);
		else if (old != NULL)
			e = schema_fail(r, n->line, "code is there twice");
		else if (l->count == SCHEMA_CODES)
			e = schema_fail(r, n->line, "more than %u codes", SCHEMA_CODES);
		else
			e = add_code(r, l, n);
	}
	return e;
}

static size_t count_codes(const struct schema_part *part)
{
	size_t count = 0;

	for (; part != NULL; part = part->next) {
		const struct yaml_tree *codes =
			part->node->kind == YAML_MAP ? yaml_find(part->node, "codes") : NULL;

		count += codes != NULL ? codes->count : 0;
	}
	return count;
}

static enum err build_list(struct schema_reader *r, const struct schema_definition *d,
			   struct schema_list *l)
{
	static const char *const keys[] = {"vi", "en", "codes", NULL};
	static const char *const more_keys[] = {"extend", "codes", NULL};
	enum err e;

	r->file = d->parts->file;
	r->owner = d->name;
	r->part = BYTES_NONE;
	l->name = arena_copy(r->memory, d->name);
	l->codes = arena_alloc_array(r->memory, count_codes(d->parts) + count_codes(d->extensions),
				     sizeof *l->codes);
	if ((e = schema_expect_map(r, d->parts->node, keys)) != ERR_OK ||
	    (e = schema_read_label(r, d->parts->node, &l->label)) != ERR_OK ||
	    (e = read_codes(r, l, d->parts, false)) != ERR_OK)
		return e;
	for (const struct schema_part *p = d->extensions; p != NULL && e == ERR_OK; p = p->next) {
		r->file = p->file;
		r->part = BYTES_NONE;
		e = schema_expect_map(r, p->node, more_keys);
		if (e == ERR_OK)
			e = read_codes(r, l, p, true);
	}
	return e;
}

enum err schema_build_lists(struct schema_reader *r)
{
	const struct schema_definitions *d = &r->sections[SECTION_LISTS];
	enum err e = ERR_OK;

	r->schema->lists = arena_alloc_array(r->memory, d->count, sizeof *r->schema->lists);
	for (size_t i = 0; i < d->count && e == ERR_OK; i++) {
		e = build_list(r, &d->items[i], &r->schema->lists[i]);
		if (e == ERR_OK)
			r->schema->list_count++;
	}
	return e;
}
