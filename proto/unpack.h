/*
 * unpack - guarded msgpack as a tree of nodes, read strictly.
 *
 * msgpack-c builds the tree in a zone that is kept and used again for the next
 * message, so that a change-set of a thousand changes costs one allocation, not a
 * thousand. Text and bytes are not copied: they lie in the message.
 *
 * Only bytes that guard_check() has passed may come here. Readers return false,
 * and leave the result alone, when the node is of another kind. Pure.
 */
#pragma once

#include <stdbool.h>

#include "common/base/attr.h"
#include "common/base/bytes.h"
#include "common/base/err.h"
#include "common/model/value.h"

struct node; /* lives until the next unpacker_read() of its unpacker */
struct unpacker;

struct unpacker *unpacker_new(void);
void unpacker_free(struct unpacker *u);
DEFINE_AUTO(struct unpacker *, unpacker_free)

/* The one value that fills `guarded`; nodes of the call before are gone. ERR_PROTO. */
enum err unpacker_read(struct unpacker *u, struct bytes guarded, const struct node **ret_node);

bool node_uint(const struct node *n, uint64_t *ret_number);
bool node_int(const struct node *n, int64_t *ret_number);
bool node_bool(const struct node *n, bool *ret_boolean);
bool node_text(const struct node *n, struct bytes *ret_text);
bool node_bin(const struct node *n, struct bytes *ret_data);
/* A bin of exactly `len` bytes, copied. */
bool node_fixed(const struct node *n, void *ret_data, size_t len);
/* Any of the five kinds a field can hold; floats, arrays, maps and exts are none. */
bool node_value(const struct node *n, struct value *ret_value);

/* Items are asked for within the count only. */
bool node_array(const struct node *n, size_t *ret_count);
bool node_map(const struct node *n, size_t *ret_count);
const struct node *node_item(const struct node *array, size_t i);
const struct node *node_key(const struct node *map, size_t i);
const struct node *node_at(const struct node *map, size_t i);
/* The value under an integer key of a map, the first if there are several; NULL. */
const struct node *node_find(const struct node *map, uint64_t key);
