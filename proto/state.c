/* state - the record half of changeset.h: one record's state as msgpack and back. */
#define LOG_TAG "state"

#include "common/base/check.h"
#include "common/base/mem.h"
#include "proto/changeset.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/pack.h"
#include "proto/plain.h"
#include "proto/unpack.h"

/*
 * A record is mostly written at once: its fields share one stamp and log number, so
 * the distinct ones stand once, in a list, and fields point into it. With a single
 * one there is nothing to point at.
 */
enum {
	KEY_TYPE = 1,
	KEY_ID = 2,
	KEY_STAMPS = 3, /* clock, device, log of each, one behind the other */
	KEY_FIELDS = 4, /* {name: value} */
	KEY_INDEX = 5,  /* per field, in the same order; absent with one stamp */
};

#define STAMP_PARTS 3u

static const struct guard_limits record_limits = {
	.bytes = LIMIT_RECORD_BYTES,
	.string = LIMIT_STRING_BYTES,
	/* stamps, names, values and index, and some keys of later versions */
	.nodes = LIMIT_FIELDS * (STAMP_PARTS + 3) + 64,
	.depth = LIMIT_DEPTH,
};

/* ---- encoding ---- */

/* The fields that travel, and which of them first bears each distinct stamp. */
struct chosen {
	size_t *fields; /* indices into the record */
	size_t count;
	size_t *bearers; /* indices into the record */
	size_t stamp_count;
	size_t *stamps; /* of each chosen field: index into bearers */
};

static bool has_same_stamp(const struct field *a, const struct field *b)
{
	return a->stamp.clock == b->stamp.clock && a->stamp.device == b->stamp.device &&
	       a->log == b->log;
}

static void choose(const struct record *r, uint64_t newer_than_log, struct chosen *c)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct field *f = &r->fields[i];
		size_t stamp = 0;

		REQUIRE(i == 0 || bytes_compare(f[-1].name, f->name) < 0);
		if (newer_than_log != 0 && f->log <= newer_than_log)
			continue;
		while (stamp < c->stamp_count && !has_same_stamp(&r->fields[c->bearers[stamp]], f))
			stamp++;
		if (stamp == c->stamp_count)
			c->bearers[c->stamp_count++] = i;
		c->fields[c->count] = i;
		c->stamps[c->count] = stamp;
		c->count++;
	}
}

static void pack_stamps(struct packer *p, const struct record *r, const struct chosen *c)
{
	packer_uint(p, KEY_STAMPS);
	packer_array(p, c->stamp_count * STAMP_PARTS);
	for (size_t i = 0; i < c->stamp_count; i++) {
		const struct field *f = &r->fields[c->bearers[i]];

		packer_uint(p, f->stamp.clock);
		packer_uint(p, f->stamp.device);
		packer_uint(p, f->log);
	}
}

static void pack_fields(struct packer *p, const struct record *r, const struct chosen *c)
{
	packer_uint(p, KEY_FIELDS);
	packer_map(p, c->count);
	for (size_t i = 0; i < c->count; i++) {
		const struct field *f = &r->fields[c->fields[i]];

		packer_text(p, f->name);
		packer_value(p, &f->value);
	}
}

void record_encode(const struct record *r, uint64_t newer_than_log, struct buf *out)
{
	AUTO(mem_free) size_t *room = mem_alloc_array(r->count * 3 + 1, sizeof *room);
	struct chosen c = {
		.fields = room, .bearers = room + r->count, .stamps = room + 2 * r->count};
	struct packer p;

	choose(r, newer_than_log, &c);
	packer_init(&p, out, PACK_UNBOUNDED);
	packer_map(&p, 4u + (c.stamp_count > 1));
	packer_uint(&p, KEY_TYPE);
	packer_text(&p, r->type);
	packer_uint(&p, KEY_ID);
	packer_bin(&p, bytes_of(r->id.bytes, ID_LEN));
	pack_stamps(&p, r, &c);
	pack_fields(&p, r, &c);
	if (c.stamp_count > 1) {
		packer_uint(&p, KEY_INDEX);
		packer_array(&p, c.count);
		for (size_t i = 0; i < c.count; i++)
			packer_uint(&p, c.stamps[i]);
	}
	packer_done(&p);
}

/* ---- decoding ---- */

static enum err malformed(const char *what)
{
	return err_raise(ERR_PROTO, "record: %s", what);
}

static enum err read_stamp(const struct node *stamps, size_t at, struct field *f)
{
	uint64_t device;

	if (!node_uint(node_item(stamps, at), &f->stamp.clock) || f->stamp.clock > STAMP_CLOCK_MAX)
		return malformed("a clock out of range");
	if (!node_uint(node_item(stamps, at + 1), &device) || device > UINT32_MAX)
		return malformed("a device out of range");
	if (!node_uint(node_item(stamps, at + 2), &f->log) || f->log > INT64_MAX)
		return malformed("a log number out of range");
	f->stamp.device = (uint32_t)device;
	return ERR_OK;
}

static enum err read_value(const struct node *n, struct value *ret_value)
{
	struct value v;

	if (!node_value(n, &v))
		return malformed("a value of no kind we know");
	if (v.kind == VALUE_TEXT && !plain_is_utf8(v.bytes))
		return malformed("a text that is not UTF-8");
	if ((v.kind == VALUE_TEXT || v.kind == VALUE_BYTES) && v.bytes.len > LIMIT_VALUE_BYTES)
		return err_raise(ERR_TOOBIG, "record: value of %zu bytes", v.bytes.len);
	*ret_value = v;
	return ERR_OK;
}

/* The three lists of a record, seen to fit each other. */
struct lists {
	const struct node *stamps;
	const struct node *fields;
	const struct node *index; /* NULL: all fields bear the first stamp */
	size_t stamp_count;
	size_t field_count;
};

static enum err read_lists(const struct node *root, struct lists *ret_lists)
{
	struct lists l = {
		.stamps = node_find(root, KEY_STAMPS),
		.fields = node_find(root, KEY_FIELDS),
		.index = node_find(root, KEY_INDEX),
	};
	size_t parts;
	size_t indices;

	if (l.stamps == NULL || !node_array(l.stamps, &parts) || parts % STAMP_PARTS != 0)
		return malformed("no stamps");
	if (l.fields == NULL || !node_map(l.fields, &l.field_count))
		return malformed("no fields");
	l.stamp_count = parts / STAMP_PARTS;
	if (l.field_count > LIMIT_FIELDS || l.stamp_count > l.field_count)
		return err_raise(ERR_TOOBIG, "record of %zu fields, %zu stamps", l.field_count,
				 l.stamp_count);
	if (l.field_count != 0 && l.stamp_count == 0)
		return malformed("fields without a stamp");
	if (l.index != NULL && (!node_array(l.index, &indices) || indices != l.field_count))
		return malformed("an index that does not fit the fields");
	if (l.index == NULL && l.stamp_count > 1)
		return malformed("several stamps and no index");
	*ret_lists = l;
	return ERR_OK;
}

static enum err read_field(const struct lists *l, size_t i, struct field *f)
{
	uint64_t stamp = 0;
	enum err e;

	if (!node_text(node_key(l->fields, i), &f->name) || !plain_is_name(f->name))
		return malformed("a field without a name");
	if (i != 0 && bytes_compare(f[-1].name, f->name) >= 0)
		return malformed("fields out of order");
	if (l->index != NULL &&
	    (!node_uint(node_item(l->index, i), &stamp) || stamp >= l->stamp_count))
		return malformed("an index out of range");
	e = read_stamp(l->stamps, (size_t)stamp * STAMP_PARTS, f);
	if (e != ERR_OK)
		return e;
	return read_value(node_at(l->fields, i), &f->value);
}

static enum err read_record(struct arena *a, const struct node *root, struct record *r)
{
	const struct node *type = node_find(root, KEY_TYPE);
	const struct node *id = node_find(root, KEY_ID);
	struct lists lists = {0};
	enum err e;

	if (type == NULL || !node_text(type, &r->type) || !plain_is_name(r->type))
		return malformed("no type");
	if (id == NULL || !node_fixed(id, r->id.bytes, ID_LEN))
		return malformed("no id");
	e = read_lists(root, &lists);
	if (e != ERR_OK)
		return e;
	r->count = lists.field_count;
	r->fields = arena_alloc_array(a, r->count, sizeof *r->fields);
	for (size_t i = 0; i < r->count; i++) {
		e = read_field(&lists, i, &r->fields[i]);
		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

enum err record_decode(struct arena *a, struct bytes bytes, struct record *ret_record)
{
	const struct node *root;
	struct record r = {0};
	enum err e = guard_check(bytes, &record_limits);

	if (e != ERR_OK)
		return e;

	AUTO(unpacker_free) struct unpacker *u = unpacker_new();

	e = unpacker_read(u, bytes, &root);
	if (e == ERR_OK)
		e = read_record(a, root, &r);
	if (e == ERR_OK)
		*ret_record = r;
	return e;
}
