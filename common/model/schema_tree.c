/*
 * schema_tree - the trees of schema_yaml.h as bytes, which are read much faster than YAML.
 *
 * A node: kind 1 | line 4 | key len 2, key | of a text: len 4, text; else: count 4, children.
 * Integers little endian; who is in no map has an empty key.
 */
#include "common/base/check.h"
#include "common/model/schema_yaml.h"

static void put(struct buf *out, uint64_t n, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_append_byte(out, (uint8_t)(n >> (8 * i)));
}

static void put_node(const struct yaml_tree *t, struct buf *out)
{
	REQUIRE(t->key.len <= UINT16_MAX && t->text.len <= UINT32_MAX && t->line <= UINT32_MAX);
	put(out, t->kind, 1);
	put(out, t->line, 4);
	put(out, t->key.len, 2);
	buf_append_bytes(out, t->key);
	put(out, t->kind == YAML_TEXT ? t->text.len : t->count, 4);
	if (t->kind == YAML_TEXT)
		buf_append_bytes(out, t->text);
}

void yaml_tree_pack(const struct yaml_tree *tree, struct buf *out)
{
	const struct yaml_tree *open[SCHEMA_YAML_DEPTH + 1];
	size_t depth = 0;

	put_node(tree, out);
	open[0] = tree->first;
	while (true) {
		const struct yaml_tree *t = open[depth];

		if (t == NULL && depth == 0)
			return;
		if (t == NULL) {
			depth--;
			continue;
		}
		put_node(t, out);
		open[depth] = t->next;
		if (t->first != NULL) {
			REQUIRE(depth < SCHEMA_YAML_DEPTH);
			open[++depth] = t->first;
		}
	}
}

static bool take(struct bytes *rest, size_t len, struct bytes *ret)
{
	if (rest->len < len)
		return false;
	*ret = bytes_of(rest->data, len);
	*rest = bytes_of(rest->data + len, rest->len - len);
	return true;
}

static bool take_number(struct bytes *rest, size_t len, size_t *ret)
{
	struct bytes raw;
	size_t n = 0;

	if (!take(rest, len, &raw))
		return false;
	for (size_t i = len; i-- > 0;)
		n = n << 8 | raw.data[i];
	*ret = n;
	return true;
}

/* One node without its children, of which it has `left`. */
static bool take_node(struct arena *a, struct bytes *rest, struct yaml_tree **ret, size_t *ret_left)
{
	struct yaml_tree *t = arena_alloc(a, sizeof *t);
	size_t kind;
	size_t key_len;
	size_t len;

	if (!take_number(rest, 1, &kind) || kind > YAML_MAP || !take_number(rest, 4, &t->line) ||
	    !take_number(rest, 2, &key_len) || !take(rest, key_len, &t->key) ||
	    !take_number(rest, 4, &len))
		return false;
	t->kind = (enum yaml_kind)kind;
	if (kind == YAML_TEXT && !take(rest, len, &t->text))
		return false;
	*ret_left = kind == YAML_TEXT ? 0 : len;
	*ret = t;
	return *ret_left <= SCHEMA_YAML_CHILDREN;
}

static void add_child(struct yaml_tree *parent, struct yaml_tree *t)
{
	if (parent->last != NULL)
		parent->last->next = t;
	else
		parent->first = t;
	parent->last = t;
	parent->count++;
}

bool yaml_tree_unpack(struct arena *a, struct bytes *rest, struct yaml_tree **ret_tree)
{
	struct yaml_tree *open[SCHEMA_YAML_DEPTH + 1];
	size_t left[SCHEMA_YAML_DEPTH + 1];
	struct bytes from = *rest;
	size_t depth = 0;

	if (!take_node(a, &from, &open[0], &left[0]))
		return false;
	/* Every node takes bytes, so there are no more than these allow. */
	while (depth != 0 || left[0] != 0) {
		struct yaml_tree *t;
		size_t children;

		if (left[depth] == 0) {
			depth--;
			continue;
		}
		left[depth]--;
		if (!take_node(a, &from, &t, &children))
			return false;
		add_child(open[depth], t);
		if (children == 0)
			continue;
		if (depth == SCHEMA_YAML_DEPTH)
			return false;
		open[++depth] = t;
		left[depth] = children;
	}
	*rest = from;
	*ret_tree = open[0];
	return true;
}
