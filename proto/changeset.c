#define LOG_TAG "changeset"

#include "proto/changeset.h"

#include "common/base/check.h"
#include "proto/change.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/pack.h"
#include "proto/parts.h"
#include "proto/plain.h"
#include "proto/unpack.h"

#define CHANGESET_VERSION 1u
#define CHANGESET_PARTS   2u
#define CUT_PARTS         4u

/* Beside the body: the array, the body's head, the signature with its own. */
#define FRAME_BYTES (1u + 5u + 2u + SIGN_LEN)

enum {
	KEY_VERSION = 0,
	KEY_DAEMON = 1,
	KEY_DEVICE = 2,
	KEY_FIRST = 3,
	KEY_COUNT = 4,
	KEY_CHAIN = 5,
	KEY_AUTHORS = 6,
	KEY_CHANGES = 7,
	KEYS_REQUIRED = 8,
	KEY_EPOCH = 8, /* absent: not said */
	KEYS = 9,
};

struct hash changeset_chain(const struct hash *previous, struct bytes body,
			    const struct changeset_cut *cut)
{
	struct hash hash = cut != NULL && cut->is_cut ? cut->body_hash : hash_of(body);

	return hash_of_two(bytes_of(previous->bytes, HASH_LEN), bytes_of(hash.bytes, HASH_LEN));
}

bool changeset_is_signed(const struct sign_public *key, struct bytes body,
			 const struct signature *signature, const struct changeset_cut *cut)
{
	return cut->is_cut ? sign_is_valid_of_hash(key, &cut->signed_hash, signature)
			   : sign_is_valid(key, CHANGESET_CONTEXT, body, signature);
}

void changeset_frame(struct bytes body, const struct signature *signature,
		     const struct changeset_cut *cut, struct buf *out)
{
	struct packer p;

	packer_init(&p, out, PACK_UNBOUNDED);
	packer_array(&p, cut->is_cut ? CUT_PARTS : CHANGESET_PARTS);
	packer_bin(&p, body);
	packer_bin(&p, bytes_of(signature->bytes, sizeof signature->bytes));
	if (cut->is_cut) {
		packer_bin(&p, bytes_of(cut->body_hash.bytes, HASH_LEN));
		packer_bin(&p, bytes_of(cut->signed_hash.bytes, HASH_LEN));
	}
	packer_done(&p);
}

/* ---- sealing ---- */

static void pack_head(struct packer *p, const struct changeset_head *head)
{
	packer_map(p, KEYS_REQUIRED + !id_is_zero(&head->epoch));
	packer_uint(p, KEY_VERSION);
	packer_uint(p, CHANGESET_VERSION);
	packer_uint(p, KEY_DAEMON);
	packer_bin(p, bytes_of(head->daemon.bytes, ID_LEN));
	packer_uint(p, KEY_DEVICE);
	packer_uint(p, head->device);
	packer_uint(p, KEY_FIRST);
	packer_uint(p, head->first);
	packer_uint(p, KEY_COUNT);
	packer_uint(p, head->count);
	packer_uint(p, KEY_CHAIN);
	packer_bin(p, bytes_of(head->chain.bytes, HASH_LEN));
}

/* Authors stand before the changes, and are known only behind them: so changes first. */
static enum err encode_body(const struct changeset_head *head, const struct change *changes,
			    struct buf *out)
{
	const size_t max_bytes = LIMIT_CHANGESET_BYTES - FRAME_BYTES;
	AUTO(buf_clear) struct buf packed = {0};
	struct change_authors authors = {.count = 0};
	struct packer p;
	enum err e;

	packer_init(&p, &packed, max_bytes);
	for (size_t i = 0; i < head->count; i++)
		change_pack(&p, &changes[i], &authors);
	e = packer_finish(&p);
	if (e != ERR_OK)
		return e;

	packer_init(&p, out, max_bytes);
	pack_head(&p, head);
	packer_uint(&p, KEY_AUTHORS);
	packer_array(&p, authors.count);
	for (size_t i = 0; i < authors.count; i++)
		packer_text(&p, authors.names[i]);
	packer_uint(&p, KEY_CHANGES);
	packer_array(&p, head->count);
	packer_packed(&p, buf_bytes(&packed));
	if (!id_is_zero(&head->epoch)) {
		packer_uint(&p, KEY_EPOCH);
		packer_bin(&p, bytes_of(head->epoch.bytes, ID_LEN));
	}
	return packer_finish(&p);
}

enum err changeset_seal(const struct changeset_head *head, const struct change *changes,
			const struct sign_pair *key, struct buf *out, struct hash *ret_head)
{
	AUTO(buf_clear) struct buf body = {0};
	const struct changeset_cut whole = {0};
	enum err e;

	REQUIRE(head->count != 0 && head->first != 0);
	REQUIRE(head->first <= INT64_MAX - LIMIT_CHANGES);
	if (head->count > LIMIT_CHANGES)
		return err_raise(ERR_TOOBIG, "change-set of %llu changes",
				 (unsigned long long)head->count);
	e = encode_body(head, changes, &body);
	if (e != ERR_OK)
		return e;

	struct signature sig = sign_make(key, CHANGESET_CONTEXT, buf_bytes(&body));

	changeset_frame(buf_bytes(&body), &sig, &whole, out);
	*ret_head = changeset_chain(&head->chain, buf_bytes(&body), NULL);
	return ERR_OK;
}

/* ---- opening ---- */

/* A body's parts as they lie, before anything large is decoded. */
struct body {
	struct changeset_head head;
	struct bytes values[KEYS]; /* the msgpack of each key's value; empty: not there */
	struct bytes changes;      /* the changes one behind the other */
};

/* Where each key's value lies. Unknown keys are passed over. */
static enum err find_values(struct unpacker *u, struct bytes bytes, struct body *b)
{
	size_t count;

	if (!guard_enter_map(&bytes, &count))
		return err_raise(ERR_PROTO, "change-set body is not a map");
	for (size_t i = 0; i < count; i++) {
		struct guard_span key_span = guard_next(&bytes);
		struct guard_span value = guard_next(&bytes);
		const struct node *n;
		uint64_t key;

		if (key_span.nodes != 1)
			continue;
		enum err e = unpacker_read(u, key_span.bytes, &n);

		if (e != ERR_OK)
			return e;
		if (!node_uint(n, &key) || key >= KEYS)
			continue;
		if (b->values[key].len != 0)
			return err_raise(ERR_PROTO, "key %u is there twice", (unsigned)key);
		b->values[key] = value.bytes;
	}
	for (size_t key = 0; key < KEYS_REQUIRED; key++) {
		if (b->values[key].len == 0)
			return err_raise(ERR_PROTO, "key %zu is missing", key);
	}
	return ERR_OK;
}

static enum err read_number(struct unpacker *u, const struct body *b, unsigned key, uint64_t max,
			    uint64_t *ret_number)
{
	const struct node *n;
	uint64_t number;
	enum err e = unpacker_read(u, b->values[key], &n);

	if (e != ERR_OK)
		return e;
	if (!node_uint(n, &number) || number > max)
		return err_raise(ERR_PROTO, "key %u is not a number in range", key);
	*ret_number = number;
	return ERR_OK;
}

static enum err read_fixed(struct unpacker *u, const struct body *b, unsigned key, void *ret_data,
			   size_t len)
{
	const struct node *n;
	enum err e = unpacker_read(u, b->values[key], &n);

	if (e != ERR_OK)
		return e;
	if (!node_fixed(n, ret_data, len))
		return err_raise(ERR_PROTO, "key %u is not %zu bytes", key, len);
	return ERR_OK;
}

/* The changes themselves are only counted here. */
static enum err check_count(struct body *b)
{
	size_t count;

	b->changes = b->values[KEY_CHANGES];
	if (!guard_enter_array(&b->changes, &count) || count != b->head.count || count == 0)
		return err_raise(ERR_PROTO, "the changes are not as many as announced");
	if (count > LIMIT_CHANGES)
		return err_raise(ERR_TOOBIG, "change-set of %zu changes", count);
	if (b->head.first == 0 || b->head.first > INT64_MAX - count)
		return err_raise(ERR_PROTO, "numbers out of range");
	return ERR_OK;
}

static enum err read_head(struct unpacker *u, struct body *b)
{
	struct changeset_head *head = &b->head;
	uint64_t number;
	enum err e = read_number(u, b, KEY_VERSION, UINT64_MAX, &number);

	if (e == ERR_OK && number != CHANGESET_VERSION)
		return err_raise(ERR_INVAL, "change-set of version %llu",
				 (unsigned long long)number);
	if (e == ERR_OK)
		e = read_fixed(u, b, KEY_DAEMON, head->daemon.bytes, ID_LEN);
	if (e == ERR_OK)
		e = read_number(u, b, KEY_DEVICE, UINT32_MAX, &number);
	if (e != ERR_OK)
		return e;
	head->device = (uint32_t)number;
	e = read_number(u, b, KEY_FIRST, INT64_MAX, &head->first);
	if (e == ERR_OK)
		e = read_number(u, b, KEY_COUNT, INT64_MAX, &head->count);
	if (e == ERR_OK)
		e = read_fixed(u, b, KEY_CHAIN, head->chain.bytes, HASH_LEN);
	if (e == ERR_OK && b->values[KEY_EPOCH].len != 0)
		e = read_fixed(u, b, KEY_EPOCH, head->epoch.bytes, ID_LEN);
	if (e == ERR_OK)
		e = check_count(b);
	return e;
}

static enum err read_authors(struct unpacker *u, const struct body *b,
			     struct change_authors *ret_authors)
{
	const struct node *n;
	size_t count;
	enum err e = unpacker_read(u, b->values[KEY_AUTHORS], &n);

	if (e != ERR_OK)
		return e;
	if (!node_array(n, &count))
		return err_raise(ERR_PROTO, "the authors are not an array");
	if (count > LIMIT_AUTHORS)
		return err_raise(ERR_TOOBIG, "%zu authors", count);
	for (size_t i = 0; i < count; i++) {
		struct bytes *name = &ret_authors->names[i];

		if (!node_text(node_item(n, i), name) || !plain_is_utf8(*name))
			return err_raise(ERR_PROTO, "author %zu is not a text", i);
		if (name->len > LIMIT_AUTHOR_BYTES)
			return err_raise(ERR_TOOBIG, "author of %zu bytes", name->len);
	}
	ret_authors->count = count;
	return ERR_OK;
}

/* Its first byte says how many parts it has; anything else is none. */
static bool is_cut_frame(struct bytes wire)
{
	return wire.len != 0 && wire.data[0] == (0x90u | CUT_PARTS);
}

static enum err open_frame(struct unpacker *u, struct bytes wire, struct changeset *set)
{
	const struct node *array;
	bool is_cut = is_cut_frame(wire);
	enum err e = parts_open(u, wire, LIMIT_CHANGESET_BYTES + (is_cut ? LIMIT_CUT_BYTES : 0),
				is_cut ? CUT_PARTS : CHANGESET_PARTS, &array);

	if (e == ERR_OK)
		e = parts_bin(array, 0, &set->body);
	if (e == ERR_OK)
		e = parts_signature(array, 1, &set->signature);
	if (e == ERR_OK && is_cut)
		e = parts_hash(array, 2, &set->cut.body_hash);
	if (e == ERR_OK && is_cut)
		e = parts_hash(array, 3, &set->cut.signed_hash);
	set->cut.is_cut = is_cut;
	return e;
}

/* The outer layer and the body's head: bounded work before any signature. */
static enum err open_body(struct unpacker *u, struct bytes wire, struct changeset *set,
			  struct body *ret_body)
{
	struct guard_limits limits = guard_wire;
	enum err e = open_frame(u, wire, set);

	if (e != ERR_OK)
		return e;
	limits.bytes = LIMIT_CHANGESET_BYTES + LIMIT_CUT_BYTES;
	e = guard_check(set->body, &limits);
	if (e == ERR_OK)
		e = find_values(u, set->body, ret_body);
	if (e == ERR_OK)
		e = read_head(u, ret_body);
	return e;
}

enum err changeset_peek(struct bytes wire, struct changeset_head *ret_head)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	struct changeset set = {0};
	struct body body = {0};
	enum err e = open_body(u, wire, &set, &body);

	if (e == ERR_OK)
		*ret_head = body.head;
	return e;
}

/* Odd changes are few or the device is broken: their list grows by doubling. */
static void odd_append(struct arena *a, struct changeset_opened *opened, struct changeset_odd odd)
{
	size_t count = opened->odd_count;

	if ((count & (count - 1)) == 0) {
		struct changeset_odd *more =
			arena_alloc_array(a, count != 0 ? count * 2 : 1, sizeof *more);

		if (count != 0)
			memcpy(more, opened->odd, count * sizeof *more);
		opened->odd = more;
	}
	opened->odd[opened->odd_count++] = odd;
}

static void read_changes(struct unpacker *u, struct arena *a, struct bytes changes,
			 const struct change_authors *authors, struct changeset_opened *opened)
{
	struct changeset *set = &opened->set;
	struct changeset_odd odd;

	set->changes = arena_alloc_array(a, set->count, sizeof *set->changes);
	for (size_t i = 0; i < set->count; i++) {
		struct change *c = &set->changes[i];

		struct guard_span span = guard_next(&changes);
		bool is_sound = change_read(u, a, span, authors, c, &odd);

		/* Nobody signs a change that is cut. */
		if (is_sound && c->is_cut && !set->cut.is_cut) {
			odd = (struct changeset_odd){.raw = span.bytes,
						     .reason = CHANGESET_ODD_CHANGE};
			c->is_cut = false;
			is_sound = false;
		}
		if (!is_sound) {
			odd.change = i;
			odd_append(a, opened, odd);
		}
		c->number = set->first + i;
	}
}

enum err changeset_open(struct arena *a, struct bytes wire, const struct sign_public *key,
			struct changeset_opened *ret_opened)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	struct changeset_opened opened = {0};
	struct changeset *set = &opened.set;
	struct change_authors authors = {.count = 0};
	struct body body = {0};
	enum err e = open_body(u, wire, set, &body);

	if (e != ERR_OK)
		return e;
	if (key != NULL && !changeset_is_signed(key, set->body, &set->signature, &set->cut))
		return err_raise(ERR_AUTH, "change-set of device %u is not signed by its key",
				 (unsigned)body.head.device);
	e = read_authors(u, &body, &authors);
	if (e != ERR_OK)
		return e;
	set->daemon = body.head.daemon;
	set->epoch = body.head.epoch;
	set->device = body.head.device;
	set->first = body.head.first;
	set->chain = body.head.chain;
	set->count = (size_t)body.head.count;
	set->head = changeset_chain(&set->chain, set->body, &set->cut);
	read_changes(u, a, body.changes, &authors, &opened);
	*ret_opened = opened;
	return ERR_OK;
}

/* ---- cutting ---- */

/* Every value of the body's map as it is, but for the changes. */
static enum err copy_values(struct unpacker *u, struct bytes bytes, struct bytes changes,
			    struct packer *p)
{
	size_t count;

	if (!guard_enter_map(&bytes, &count))
		return err_raise(ERR_PROTO, "change-set body is not a map");
	packer_map(p, count);
	for (size_t i = 0; i < count; i++) {
		struct guard_span key_span = guard_next(&bytes);
		struct guard_span value = guard_next(&bytes);
		const struct node *n;
		uint64_t key = KEYS;
		enum err e = ERR_OK;

		if (key_span.nodes == 1)
			e = unpacker_read(u, key_span.bytes, &n);
		if (e != ERR_OK)
			return e;
		if (key_span.nodes == 1 && !node_uint(n, &key))
			key = KEYS;
		packer_packed(p, key_span.bytes);
		packer_packed(p, key == KEY_CHANGES ? changes : value.bytes);
	}
	return packer_finish(p);
}

static enum err cut_body(const struct changeset *set, const bool *is_cut, struct buf *out)
{
	AUTO(unpacker_free) struct unpacker *u = unpacker_new();
	AUTO(buf_clear) struct buf changes = {0};
	struct change_authors authors = {.count = 0};
	struct body body = {0};
	struct packer p;
	enum err e = find_values(u, set->body, &body);

	if (e == ERR_OK)
		e = read_head(u, &body);
	if (e == ERR_OK)
		e = read_authors(u, &body, &authors);
	if (e != ERR_OK)
		return e;
	packer_init(&p, &changes, PACK_UNBOUNDED);
	packer_array(&p, set->count);
	for (size_t i = 0; i < set->count; i++) {
		struct guard_span span = guard_next(&body.changes);

		if (is_cut[i])
			change_pack_cut(&p, &set->changes[i], &authors);
		else
			packer_packed(&p, span.bytes);
	}
	e = packer_finish(&p);
	if (e != ERR_OK)
		return e;
	packer_init(&p, out, PACK_UNBOUNDED);
	return copy_values(u, set->body, buf_bytes(&changes), &p);
}

enum err changeset_cut(const struct changeset *set, const bool *is_cut, struct buf *out,
		       struct changeset_cut *ret_cut)
{
	struct changeset_cut cut = set->cut;
	enum err e = cut_body(set, is_cut, out);

	if (e != ERR_OK)
		return e;
	if (!cut.is_cut) {
		cut.is_cut = true;
		cut.body_hash = hash_of(set->body);
		cut.signed_hash = sign_hash(CHANGESET_CONTEXT, set->body);
	}
	*ret_cut = cut;
	return ERR_OK;
}
