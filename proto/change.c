#define LOG_TAG "change"

#include "proto/change.h"

#include "common/base/check.h"
#include "proto/plain.h"

enum {
	KEY_TYPE = 1,
	KEY_ID = 2,
	KEY_CLOCK = 3,
	KEY_BASE = 4,
	KEY_AUTHOR_INDEX = 5,
	KEY_WRITES = 6,
	KEY_NUMBER = 7,
	KEY_AUTHOR = 8,
	KEY_CUT = 9,
};

/* ---- encoding ---- */

static bool is_long(const struct value *v)
{
	return (v->kind == VALUE_TEXT || v->kind == VALUE_BYTES) &&
	       v->bytes.len > LIMIT_VALUE_BYTES;
}

static void pack_writes(struct packer *p, const struct change *c)
{
	packer_uint(p, KEY_WRITES);
	packer_map(p, c->count);
	for (size_t i = 0; i < c->count; i++) {
		REQUIRE(i == 0 || bytes_compare(c->writes[i - 1].name, c->writes[i].name) < 0);
		packer_text(p, c->writes[i].name);
		packer_value(p, &c->writes[i].value);
	}
}

static void pack_common(struct packer *p, const struct change *c)
{
	packer_uint(p, KEY_TYPE);
	packer_text(p, c->type);
	packer_uint(p, KEY_ID);
	packer_bin(p, bytes_of(c->id.bytes, ID_LEN));
	packer_uint(p, KEY_CLOCK);
	packer_uint(p, c->clock);
	if (c->base != 0) {
		packer_uint(p, KEY_BASE);
		packer_uint(p, c->base);
	}
}

/* What the daemon would call odd is refused where it can still be mended. */
static enum err check_writes(const struct change *c)
{
	if (c->count > LIMIT_WRITES)
		return err_raise(ERR_TOOBIG, "change of %zu fields", c->count);
	for (size_t i = 0; i < c->count; i++) {
		const struct value *v = &c->writes[i].value;

		if (!plain_is_name(c->writes[i].name))
			return err_raise(ERR_INVAL, "field %zu has no name for the wire", i);
		if (is_long(v))
			return err_raise(ERR_TOOBIG, "value of %zu bytes", v->bytes.len);
		if (v->kind == VALUE_TEXT && !plain_is_utf8(v->bytes))
			return err_raise(ERR_INVAL, "field %zu is not UTF-8", i);
	}
	return ERR_OK;
}

static enum err check_change(const struct change *c)
{
	if (!plain_is_name(c->type))
		return err_raise(ERR_INVAL, "the type has no name for the wire");
	if (c->author.len > LIMIT_AUTHOR_BYTES)
		return err_raise(ERR_TOOBIG, "author of %zu bytes", c->author.len);
	if (!plain_is_utf8(c->author))
		return err_raise(ERR_INVAL, "the author is not UTF-8");
	if (c->clock > STAMP_CLOCK_MAX || c->base > INT64_MAX)
		return err_raise(ERR_INVAL, "clock or base beyond 63 bits");
	return check_writes(c);
}

/* The author's place among the set's, at the end if new. */
static enum err author_index(struct change_authors *authors, struct bytes author, size_t *ret_index)
{
	size_t i = 0;

	while (i < authors->count && !bytes_equal(authors->names[i], author))
		i++;
	if (i == LIMIT_AUTHORS)
		return err_raise(ERR_TOOBIG, "more than %u authors", LIMIT_AUTHORS);
	if (i == authors->count)
		authors->names[authors->count++] = author;
	*ret_index = i;
	return ERR_OK;
}

static void pack_cut(struct packer *p, const struct change *c)
{
	if (!c->is_cut)
		return;
	packer_uint(p, KEY_CUT);
	packer_bool(p, true);
}

void change_pack(struct packer *p, const struct change *c, struct change_authors *authors)
{
	size_t index = 0;
	enum err e = check_change(c);

	if (e == ERR_OK && c->author.len != 0)
		e = author_index(authors, c->author, &index);
	if (e != ERR_OK) {
		packer_fail(p, e);
		return;
	}
	packer_map(p, 4u + (c->base != 0) + (c->author.len != 0) + c->is_cut);
	pack_common(p, c);
	if (c->author.len != 0) {
		packer_uint(p, KEY_AUTHOR_INDEX);
		packer_uint(p, index);
	}
	pack_writes(p, c);
	pack_cut(p, c);
}

void change_pack_cut(struct packer *p, const struct change *c, struct change_authors *authors)
{
	const struct change cut = {.type = c->type.len != 0 ? c->type : BYTES_LIT("unreadable"),
				   .id = c->id,
				   .clock = c->clock,
				   .base = c->base,
				   .author = c->author,
				   .is_cut = true};

	change_pack(p, &cut, authors);
}

void change_encode(const struct change *c, struct buf *out)
{
	struct packer p;

	packer_init(&p, out, PACK_UNBOUNDED);
	packer_map(&p, 4u + (c->base != 0) + (c->number != 0) + (c->author.len != 0) + c->is_cut);
	pack_common(&p, c);
	pack_writes(&p, c);
	if (c->number != 0) {
		packer_uint(&p, KEY_NUMBER);
		packer_uint(&p, c->number);
	}
	if (c->author.len != 0) {
		packer_uint(&p, KEY_AUTHOR);
		packer_text(&p, c->author);
	}
	pack_cut(&p, c);
	packer_done(&p);
}

/* ---- decoding ---- */

/* What one change is read with and into. */
struct reading {
	struct arena *arena;
	const struct change_authors *authors;
	struct bytes raw;
	struct change *change;
	struct changeset_odd *odd;
	const struct node *writes; /* the map; NULL before its key came */
	size_t writes_at;          /* which pair of the change it is */
	unsigned seen;             /* keys, as bits */
};

/* The change itself is at fault; false, for `return`. */
static bool fault(struct reading *r, const char *reason)
{
	r->change->writes = NULL;
	r->change->count = 0;
	*r->odd = (struct changeset_odd){.raw = r->raw, .reason = reason};
	return false;
}

/* The first value at fault is the one told. */
static void fault_value(struct reading *r, struct bytes field, const char *reason)
{
	if (r->odd->reason == NULL)
		*r->odd = (struct changeset_odd){.field = field, .raw = r->raw, .reason = reason};
}

/* The bytes of the value of write `i`, found by walking: values are seldom odd. */
static struct bytes raw_value(const struct reading *r, size_t i)
{
	struct bytes rest = r->raw;
	struct guard_span span = {0};
	size_t count;
	bool is_map = guard_enter_map(&rest, &count);

	REQUIRE(is_map && r->writes_at < count);
	for (size_t pair = 0; pair < r->writes_at; pair++) {
		(void)guard_next(&rest);
		(void)guard_next(&rest);
	}
	(void)guard_next(&rest); /* the key itself */
	is_map = guard_enter_map(&rest, &count);
	REQUIRE(is_map && i < count);
	for (size_t value = 0; value < 2 * i + 2; value++)
		span = guard_next(&rest);
	return span.bytes;
}

static bool read_author(struct reading *r, const struct node *n)
{
	uint64_t index;

	if (!node_uint(n, &index) || index >= r->authors->count)
		return false;
	r->change->author = r->authors->names[index];
	return true;
}

static bool read_number(const struct node *n, uint64_t max, uint64_t *ret_number)
{
	uint64_t number;

	if (!node_uint(n, &number) || number > max)
		return false;
	*ret_number = number;
	return true;
}

static bool read_text(const struct node *n, size_t max, struct bytes *ret_text)
{
	struct bytes text;

	if (!node_text(n, &text) || text.len > max || !plain_is_utf8(text))
		return false;
	*ret_text = text;
	return true;
}

static bool read_type(const struct node *n, struct bytes *ret_type)
{
	struct bytes type;

	if (!node_text(n, &type) || !plain_is_name(type))
		return false;
	*ret_type = type;
	return true;
}

static bool read_writes(struct reading *r, size_t pair, const struct node *n)
{
	size_t count;

	if (!node_map(n, &count))
		return false;
	r->writes = n;
	r->writes_at = pair;
	return true;
}

/* One pair of the change's map; false: it is there twice or of a wrong kind. */
static bool read_pair(struct reading *r, size_t pair, uint64_t key, const struct node *n)
{
	struct change *c = r->change;

	if (key > KEY_CUT)
		return true;
	if ((r->seen & 1u << key) != 0)
		return false;
	r->seen |= 1u << key;
	switch (key) {
	case KEY_TYPE: return read_type(n, &c->type);
	case KEY_ID: return node_fixed(n, c->id.bytes, ID_LEN);
	case KEY_CLOCK: return read_number(n, STAMP_CLOCK_MAX, &c->clock);
	case KEY_BASE: return read_number(n, INT64_MAX, &c->base);
	case KEY_AUTHOR_INDEX: return read_author(r, n);
	case KEY_WRITES: return read_writes(r, pair, n);
	case KEY_NUMBER: return read_number(n, INT64_MAX, &c->number);
	case KEY_AUTHOR: return read_text(n, LIMIT_AUTHOR_BYTES, &c->author);
	case KEY_CUT: return node_bool(n, &c->is_cut);
	}
	return true; /* key 0: a later version's */
}

static bool read_map(struct reading *r, const struct node *map)
{
	const unsigned required =
		1u << KEY_TYPE | 1u << KEY_ID | 1u << KEY_CLOCK | 1u << KEY_WRITES;
	bool is_sound = true;
	uint64_t key;
	size_t count;

	if (!node_map(map, &count))
		return false;
	/* Reads on behind a fault: an administrator is helped by all that can be read. */
	for (size_t i = 0; i < count; i++) {
		if (node_uint(node_key(map, i), &key) && !read_pair(r, i, key, node_at(map, i)))
			is_sound = false;
	}
	return is_sound && (r->seen & required) == required;
}

static void read_value(struct reading *r, size_t i, struct write *w)
{
	const struct node *n = node_at(r->writes, i);
	const char *reason = NULL;

	if (!node_value(n, &w->value))
		reason = CHANGESET_ODD_KIND;
	else if (is_long(&w->value))
		reason = CHANGESET_ODD_LONG;
	else if (w->value.kind == VALUE_TEXT && !plain_is_utf8(w->value.bytes))
		reason = CHANGESET_ODD_TEXT;
	if (reason == NULL)
		return;
	w->value = value_bytes(raw_value(r, i));
	fault_value(r, w->name, reason);
}

/* The writes in the order of their names, as record.h promises; false: an odd change. */
static bool read_fields(struct reading *r)
{
	struct change *c = r->change;
	bool is_sorted = true;
	size_t count = 0;

	if (!node_map(r->writes, &count))
		return fault(r, CHANGESET_ODD_CHANGE);
	if (c->is_cut && count != 0)
		return fault(r, CHANGESET_ODD_CHANGE);
	if (count > LIMIT_WRITES)
		return fault(r, CHANGESET_ODD_MANY);
	c->writes = arena_alloc_array(r->arena, count, sizeof *c->writes);
	for (size_t i = 0; i < count; i++) {
		struct write *w = &c->writes[i];

		if (!node_text(node_key(r->writes, i), &w->name) || !plain_is_name(w->name))
			return fault(r, CHANGESET_ODD_NAME);
		if (i != 0 && bytes_compare(c->writes[i - 1].name, w->name) >= 0)
			is_sorted = false;
		read_value(r, i, w);
	}
	c->count = count;
	if (!is_sorted && !change_sort(c))
		return fault(r, CHANGESET_ODD_TWICE);
	return r->odd->reason == NULL;
}

bool change_read(struct unpacker *u, struct arena *a, struct guard_span span,
		 const struct change_authors *authors, struct change *ret_change,
		 struct changeset_odd *ret_odd)
{
	struct reading r = {
		.arena = a,
		.authors = authors,
		.raw = span.bytes,
		.change = ret_change,
		.odd = ret_odd,
	};
	const struct node *root;

	*ret_change = (struct change){0};
	*ret_odd = (struct changeset_odd){0};
	if (span.nodes > LIMIT_CHANGE_NODES)
		return fault(&r, CHANGESET_ODD_MANY);
	if (unpacker_read(u, span.bytes, &root) != ERR_OK || !read_map(&r, root))
		return fault(&r, CHANGESET_ODD_CHANGE);
	return read_fields(&r);
}

enum err change_decode(struct arena *a, struct bytes bytes, struct change *ret_change)
{
	const struct change_authors nobody = {.count = 0};
	struct changeset_odd odd;
	struct change change;
	struct guard_limits limits = guard_wire;
	enum err e;

	limits.bytes = LIMIT_CHANGESET_BYTES;
	e = guard_check(bytes, &limits);
	if (e != ERR_OK)
		return e;

	AUTO(unpacker_free) struct unpacker *u = unpacker_new();

	if (!change_read(u, a, guard_next(&bytes), &nobody, &change, &odd))
		return err_raise(ERR_PROTO, "change: %s", odd.reason);
	*ret_change = change;
	return ERR_OK;
}
