/*
 * labels - what the daemon says in names and codes, in the words of people who read tables.
 *
 * Types, fields and codes by the schema in force, asked of the daemon; states, outcomes and results
 * by a table here. Only for tables: JSON and CSV have the names and codes, which never change.
 * What is not known stays as it is.
 */
#pragma once

#include <jansson.h>

#include "admin/ctl.h"
#include "common/text/table.h"

struct labels {
	json_t *types; /* of the command `types`; NULL: not asked for */
};

/* Asks whatever the rows are. */
void labels_ask(const struct ctl *ctl, struct labels *ret_labels);
/* Asks only when one of the rows (or the one object) names a type or a field. */
void labels_load(const struct ctl *ctl, const json_t *rows, struct labels *ret_labels);
void labels_clear(struct labels *l);
static inline void labels_clear_auto(struct labels *l)
{
	labels_clear(l);
}

/* A copy of a row or object with words in place of names and codes. The caller releases it. */
json_t *labels_row(const struct labels *l, const json_t *row);

/* What a type is called; its name where that is not known. */
const char *labels_type(const struct labels *l, const char *name);
/* "partial" -> "một phần"; `code` itself when it is no such word. */
const char *labels_word(const char *code);
/* Whether a state, as a word or a code (with more behind a colon), is good or bad news. */
enum table_tone labels_tone(struct bytes text);
