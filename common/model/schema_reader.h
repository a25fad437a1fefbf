/*
 * schema_reader - what the parts of the loader share. Inside common/model/ only.
 *
 * The loader reads every file into trees, collects the definitions by name with the
 * extensions that later files make, and builds lists, then types, then indicators.
 * Trees live in `scratch`; what is kept is copied to the schema's own memory.
 */
#pragma once

#include "common/model/schema.h"
#include "common/model/schema_yaml.h"

/* A part of a definition: the first is the definition, the others extend it. */
struct schema_part {
	const struct yaml_tree *node;
	const char *file;
	struct schema_part *next;
};

struct schema_definition {
	struct bytes name;
	struct schema_part *parts; /* NULL when only extensions were found so far */
	struct schema_part *extensions;
	struct schema_part *last_extension;
};

enum schema_section {
	SECTION_TYPES,
	SECTION_LISTS,
	SECTION_QUERIES,
	SECTION_INDICATORS,
	SECTION_COUNT,
};

struct schema_definitions {
	struct schema_definition *items; /* types and lists sorted by name, others as found */
	size_t count;
	size_t cap;
};

struct schema_reader {
	struct arena *memory; /* the schema's */
	struct arena scratch;
	struct schema *schema;
	struct schema_definitions sections[SECTION_COUNT];
	const char *file;   /* where an error is */
	struct bytes owner; /* "person", and inside a field or code "full_name" */
	struct bytes part;
	char *error;
};

void schema_reader_init(struct schema_reader *r, struct schema *s, char *error);
void schema_reader_clear(struct schema_reader *r);
static inline void schema_reader_clear_auto(struct schema_reader *r)
{
	schema_reader_clear(r);
}

/* The steps of loading (schema_load.c): errors are of this file from now on; the definitions
 * of one file's tree; the schema of all that was collected. */
void schema_enter_file(struct schema_reader *r, const char *name);
enum err schema_collect_tree(struct schema_reader *r, const struct yaml_tree *tree);
enum err schema_build(struct schema_reader *r, const char *first_file);
/* From its source. */
void schema_set_version(struct schema *s);
/* Takes one "file NAME LENGTH\n…\n" off the front of a bundle. */
bool schema_bundle_next(struct bytes *rest, struct arena *a, struct schema_source *ret_source);

/* Writes "file:line: owner.part: text" and returns ERR_INVAL. */
enum err schema_fail(struct schema_reader *r, size_t line, const char *fmt, ...) PRINTF(3, 4);

/* The node is a map and all its keys are among `keys` (NULL-terminated). */
enum err schema_expect_map(struct schema_reader *r, const struct yaml_tree *node,
			   const char *const *keys);
/* Entries of a map. Copied to the schema's memory. */
enum err schema_read_label(struct schema_reader *r, const struct yaml_tree *map,
			   struct label *ret_label);
/* The node is text and not empty. */
enum err schema_read_text(struct schema_reader *r, const struct yaml_tree *node,
			  struct bytes *ret_text);
/* Absent entries leave the result as it is. */
enum err schema_read_bool(struct schema_reader *r, const struct yaml_tree *map, const char *key,
			  bool *ret_flag);
enum err schema_read_integer(struct schema_reader *r, const struct yaml_tree *map, const char *key,
			     bool *ret_is_there, int64_t *ret_number);
enum err schema_read_sensitivity(struct schema_reader *r, const struct yaml_tree *map,
				 enum sensitivity *ret_sensitivity);
enum err schema_read_date(struct schema_reader *r, const struct yaml_tree *map, const char *key,
			  struct bytes *ret_date);

/* snake_case, short, and neither SQL's nor ours. schema_names.c. */
bool schema_is_identifier(struct bytes name);
bool schema_is_reserved(struct bytes name);
bool schema_is_table_reserved(struct bytes name);

struct schema_definition *schema_find_definition(const struct schema_reader *r,
						 enum schema_section section, struct bytes name);

enum err schema_build_lists(struct schema_reader *r);
/* Needs the lists. */
enum err schema_build_types(struct schema_reader *r);
/* Needs the lists. */
enum err schema_build_indicators(struct schema_reader *r);

/* schema_match.c: `line` is for the error. */
enum err schema_compile_pattern(struct schema_reader *r, size_t line, struct schema_field *f);
void schema_free_matcher(struct schema_matcher *m);
