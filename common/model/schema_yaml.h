/*
 * schema_yaml - YAML text as a small tree with line numbers. Inside common/model/ only.
 *
 * A narrow dialect: one document, no anchors, no tags, keys are plain text and unique,
 * all text NFC. What goes beyond it is an error, so that a schema means the same to
 * everyone who reads it. The tree lives in the caller's arena. Pure.
 */
#pragma once

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

#define SCHEMA_YAML_DEPTH    8u
#define SCHEMA_YAML_NODES    100000u /* in one file */
#define SCHEMA_YAML_CHILDREN 2000u   /* of one map or list */

enum yaml_kind {
	YAML_TEXT,
	YAML_LIST,
	YAML_MAP
};

struct yaml_tree {
	enum yaml_kind kind;
	size_t line;            /* from 1; a map's entry has the line of its key */
	struct bytes key;       /* of an entry of a map */
	struct bytes text;      /* TEXT */
	struct yaml_tree *next; /* sibling, in the order of the file */
	struct yaml_tree *first;
	struct yaml_tree *last;
	size_t count;      /* children */
	bool is_key_taken; /* of a map while it is read: the next text is a value */
};

struct yaml_problem {
	size_t line;
	struct bytes text; /* in the arena */
};

/* *ret_tree is NULL for an empty file. ERR_INVAL with *ret_problem set. */
enum err yaml_read(struct arena *a, struct bytes text, struct yaml_tree **ret_tree,
		   struct yaml_problem *ret_problem);

/* An entry of a map; NULL when there is none. */
const struct yaml_tree *yaml_find(const struct yaml_tree *map, const char *key);

/*
 * A tree as bytes and back (schema_tree.c), for schema_compile(). Appends; false when the bytes are
 * no whole tree within the limits above. Text of a tree read back borrows from the bytes.
 */
void yaml_tree_pack(const struct yaml_tree *tree, struct buf *out);
bool yaml_tree_unpack(struct arena *a, struct bytes *rest, struct yaml_tree **ret_tree);
