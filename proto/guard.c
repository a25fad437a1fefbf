#define LOG_TAG "guard"

#include "proto/guard.h"

#include "common/base/check.h"
#include "proto/limits.h"

const struct guard_limits guard_wire = {
	.bytes = LIMIT_PLAIN_BYTES,
	.string = LIMIT_STRING_BYTES,
	.nodes = LIMIT_NODES,
	.depth = LIMIT_DEPTH,
};

enum kind {
	KIND_SCALAR, /* `len` bytes follow: number, str, bin, ext */
	KIND_STRING,
	KIND_ARRAY, /* `len` values follow */
	KIND_MAP,   /* `len` pairs follow */
	KIND_UNUSED,
};

/* What the first byte says: how the length is found, and of what. */
struct lead {
	uint8_t kind;
	uint8_t prefix; /* bytes of big-endian length behind it */
	uint8_t fixed;  /* added to that length: ext's type byte, a number's bytes */
};

/* 0xc0 to 0xdf; the other first bytes carry their length in themselves. */
static const struct lead leads[32] = {
	[0x00] = {KIND_SCALAR, 0, 0}, /* nil */
	[0x01] = {KIND_UNUSED, 0, 0}, /* never used */
	[0x02] = {KIND_SCALAR, 0, 0}, /* false */
	[0x03] = {KIND_SCALAR, 0, 0}, /* true */
	[0x04] = {KIND_STRING, 1, 0}, /* bin 8, 16, 32 */
	[0x05] = {KIND_STRING, 2, 0}, [0x06] = {KIND_STRING, 4, 0},
	[0x07] = {KIND_STRING, 1, 1}, /* ext 8, 16, 32 */
	[0x08] = {KIND_STRING, 2, 1}, [0x09] = {KIND_STRING, 4, 1},
	[0x0a] = {KIND_SCALAR, 0, 4},                               /* float 32, 64 */
	[0x0b] = {KIND_SCALAR, 0, 8}, [0x0c] = {KIND_SCALAR, 0, 1}, /* uint 8, 16, 32, 64 */
	[0x0d] = {KIND_SCALAR, 0, 2}, [0x0e] = {KIND_SCALAR, 0, 4},
	[0x0f] = {KIND_SCALAR, 0, 8}, [0x10] = {KIND_SCALAR, 0, 1}, /* int 8, 16, 32, 64 */
	[0x11] = {KIND_SCALAR, 0, 2}, [0x12] = {KIND_SCALAR, 0, 4},
	[0x13] = {KIND_SCALAR, 0, 8}, [0x14] = {KIND_STRING, 0, 2}, /* fixext 1, 2, 4, 8, 16 */
	[0x15] = {KIND_STRING, 0, 3}, [0x16] = {KIND_STRING, 0, 5},
	[0x17] = {KIND_STRING, 0, 9}, [0x18] = {KIND_STRING, 0, 17},
	[0x19] = {KIND_STRING, 1, 0}, /* str 8, 16, 32 */
	[0x1a] = {KIND_STRING, 2, 0}, [0x1b] = {KIND_STRING, 4, 0},
	[0x1c] = {KIND_ARRAY, 2, 0},                             /* array 16, 32 */
	[0x1d] = {KIND_ARRAY, 4, 0},  [0x1e] = {KIND_MAP, 2, 0}, /* map 16, 32 */
	[0x1f] = {KIND_MAP, 4, 0},
};

struct head {
	enum kind kind;
	size_t len;  /* bytes of the head itself */
	size_t body; /* bytes that follow it; 0 for array and map */
	size_t count;
};

/* Reads the head of the first value; false when it is cut short. */
static bool head_read(struct bytes rest, struct head *ret_head)
{
	if (rest.len == 0)
		return false;
	uint8_t first = rest.data[0];

	*ret_head = (struct head){.kind = KIND_SCALAR, .len = 1};
	if (first < 0x80 || first >= 0xe0)
		return true;
	if (first < 0xa0) {
		ret_head->kind = first < 0x90 ? KIND_MAP : KIND_ARRAY;
		ret_head->count = first & 0x0f;
		return true;
	}
	if (first < 0xc0) {
		ret_head->kind = KIND_STRING;
		ret_head->body = first & 0x1f;
		return true;
	}

	const struct lead *lead = &leads[first - 0xc0];
	size_t len = 0;

	if (rest.len - 1 < lead->prefix)
		return false;
	for (size_t i = 0; i < lead->prefix; i++)
		len = len << 8 | rest.data[1 + i];
	ret_head->kind = lead->kind;
	ret_head->len = 1u + lead->prefix;
	if (lead->kind == KIND_ARRAY || lead->kind == KIND_MAP)
		ret_head->count = len;
	else
		ret_head->body = len + lead->fixed;
	return true;
}

/* The open containers of a walk: how many values each still owes. */
struct walk {
	size_t owed[GUARD_DEPTH_MAX + 1];
	unsigned depth;
	size_t owed_total; /* over all of them: each needs a byte at least */
	size_t nodes;
};

static void walk_close_finished(struct walk *w)
{
	while (w->depth != 0 && w->owed[w->depth] == 0)
		w->depth--;
}

static void walk_value(struct walk *w)
{
	w->nodes++;
	if (w->depth != 0) {
		w->owed[w->depth]--;
		w->owed_total--;
	}
}

static void walk_open(struct walk *w, size_t values)
{
	w->owed[++w->depth] = values;
	w->owed_total += values;
}

/* One value's head against what is left and what is allowed. */
static enum err value_check(const struct head *head, size_t left, const struct walk *w,
			    const struct guard_limits *limits)
{
	if (head->kind == KIND_UNUSED)
		return err_raise(ERR_PROTO, "a byte msgpack does not use");
	if (head->body > left || w->owed_total > left - head->body)
		return err_raise(ERR_PROTO, "%zu bytes left, %zu announced", left, head->body);
	if (head->kind == KIND_STRING && head->body > limits->string)
		return err_raise(ERR_TOOBIG, "string of %zu bytes", head->body);
	if (w->nodes > limits->nodes)
		return err_raise(ERR_TOOBIG, "more than %zu values", limits->nodes);
	return ERR_OK;
}

/* `left` bytes follow the head. Comparing before adding: a count is up to 2^32 - 1. */
static enum err container_check(const struct head *head, size_t left, const struct walk *w,
				const struct guard_limits *limits)
{
	size_t values = head->kind == KIND_MAP ? head->count * 2 : head->count;

	if (values > left || w->owed_total > left - values)
		return err_raise(ERR_PROTO, "%zu bytes left for %zu values", left, values);
	if (w->depth + 1 > limits->depth)
		return err_raise(ERR_TOOBIG, "deeper than %u", limits->depth);
	if (values > limits->nodes - w->nodes)
		return err_raise(ERR_TOOBIG, "more than %zu values", limits->nodes);
	return ERR_OK;
}

enum err guard_check(struct bytes message, const struct guard_limits *limits)
{
	struct walk w = {0};
	size_t at = 0;

	REQUIRE(limits->depth <= GUARD_DEPTH_MAX);
	if (message.len > limits->bytes)
		return err_raise(ERR_TOOBIG, "message of %zu bytes", message.len);
	do {
		struct head head;
		enum err e;

		if (!head_read(bytes_of(message.data + at, message.len - at), &head))
			return err_raise(ERR_PROTO, "cut short at byte %zu", at);
		at += head.len;
		walk_value(&w);
		e = value_check(&head, message.len - at, &w, limits);
		if (e != ERR_OK)
			return e;
		at += head.body;
		if (head.kind == KIND_ARRAY || head.kind == KIND_MAP) {
			e = container_check(&head, message.len - at, &w, limits);
			if (e != ERR_OK)
				return e;
			walk_open(&w, head.kind == KIND_MAP ? head.count * 2 : head.count);
		}
		walk_close_finished(&w);
	} while (w.depth != 0);
	if (at != message.len)
		return err_raise(ERR_PROTO, "%zu bytes behind the message", message.len - at);
	return ERR_OK;
}

struct guard_span guard_next(struct bytes *rest)
{
	size_t owed = 1;
	size_t at = 0;
	size_t nodes = 0;

	while (owed != 0) {
		struct head head;
		bool is_whole = head_read(bytes_of(rest->data + at, rest->len - at), &head);

		REQUIRE(is_whole); /* the caller guards first */
		at += head.len + head.body;
		REQUIRE(at <= rest->len);
		owed += head.kind == KIND_MAP ? head.count * 2 : head.count;
		owed--;
		nodes++;
	}

	struct guard_span span = {.bytes = {rest->data, at}, .nodes = nodes};

	*rest = bytes_of(rest->data + at, rest->len - at);
	return span;
}

static bool enter(struct bytes *rest, enum kind kind, size_t *ret_count)
{
	struct head head;

	if (!head_read(*rest, &head) || head.kind != kind)
		return false;
	*rest = bytes_of(rest->data + head.len, rest->len - head.len);
	*ret_count = head.count;
	return true;
}

bool guard_enter_array(struct bytes *rest, size_t *ret_count)
{
	return enter(rest, KIND_ARRAY, ret_count);
}

bool guard_enter_map(struct bytes *rest, size_t *ret_count)
{
	return enter(rest, KIND_MAP, ret_count);
}
