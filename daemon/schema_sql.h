/*
 * schema_sql - one STRICT table a record type, one typed column a field.
 *
 * A table only grows: fields a newer schema drops keep their column and their
 * values. Besides the fields each table has
 *
 *   row INTEGER PRIMARY KEY, id BLOB (unique index), unit, log, deleted, voided (what
 *   counts now: 0 or 1), merged_into, touched, stamps, extra, made_log (its log when the
 *   row was inserted; 0: before the store kept it; index unit, made_log)
 *
 * and beside it a table TYPE__changed(in_unit, at_log, of_row): where a row was updated
 * since. A row with log <> made_log has its entry (unit, log, row) there.
 *
 * so that a report reads the data with plain SQL. Only store*.c uses this.
 */
#pragma once

#include "common/base/buf.h"
#include "common/model/schema.h"
#include "daemon/store_private.h"

/* Result columns of load and page; a parameter of insert and update is its column + 2. */
enum {
	SCHEMA_SQL_ROW,
	SCHEMA_SQL_ID,
	SCHEMA_SQL_LOG,
	SCHEMA_SQL_TOUCHED,
	SCHEMA_SQL_STAMPS,
	SCHEMA_SQL_EXTRA,
	SCHEMA_SQL_UNIT,
	SCHEMA_SQL_MERGED_INTO,
	SCHEMA_SQL_FIELDS, /* the first of them */
};

/* Parameters of insert and update that are no result columns. */
enum {
	SCHEMA_SQL_SET_ROW_OR_ID = 1, /* insert: id; update: the row */
	SCHEMA_SQL_SET_LOG,
	SCHEMA_SQL_SET_TOUCHED,
	SCHEMA_SQL_SET_STAMPS,
	SCHEMA_SQL_SET_EXTRA,
	SCHEMA_SQL_SET_DELETED,
	SCHEMA_SQL_SET_VOIDED,
	SCHEMA_SQL_SET_UNIT,
	SCHEMA_SQL_SET_MERGED_INTO,
	SCHEMA_SQL_SET_FIELDS,
};

/*
 * Whether the names can be tables and columns here: no clash with the store's own.
 * ERR_INVAL; `ret_error` names type and field.
 */
enum err schema_sql_check(const struct schema *schema, char ret_error[SCHEMA_ERROR_LEN]);

void schema_sql_print_create(const struct table *t, struct buf *out);
/* The index of one field. */
void schema_sql_print_index(struct bytes type, struct bytes field, struct buf *out);
/* The column of a field a table lacks yet. */
void schema_sql_print_column(struct bytes type, struct bytes field, enum column_kind kind,
			     struct buf *out);
/* The column `corrects` for the table of an event of before it had one. */
void schema_sql_print_corrects(struct bytes type, struct buf *out);
/* The column `made_log`, its index and TYPE__changed, for a table of before there were any. */
void schema_sql_print_made_log(struct bytes type, struct buf *out);
void schema_sql_print_load(const struct table *t, struct buf *out);
/* Those of the batch (store_private.h); behind the fields the rowid of _batch. */
void schema_sql_print_load_batch(const struct table *t, struct buf *out);
/* unit = ?1, log above ?2 up to ?3, by log and row. */
void schema_sql_print_page(const struct table *t, struct buf *out);
/* Rows above ?1, by row; unit, deleted and voided again behind the fields. */
void schema_sql_print_rows(const struct table *t, struct buf *out);
/* The ids of rows whose column is ?1. */
void schema_sql_print_find(const struct table *t, const struct column *c, struct buf *out);
/* Deletes the row whose id is ?1. */
void schema_sql_print_remove(const struct table *t, struct buf *out);
/* What the batch has. */
void schema_sql_print_insert(const struct table *t, struct buf *out);
void schema_sql_print_update(const struct table *t, bool is_with_indexed, struct buf *out);
/* Row ?3 was updated: it is in unit ?1, at log ?2. */
void schema_sql_print_changed(const struct table *t, struct buf *out);
/* Row ?3 was in unit ?1, at log ?2, and is no more. */
void schema_sql_print_passed(const struct table *t, struct buf *out);
