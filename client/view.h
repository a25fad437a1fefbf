/* view - a record as people and programs see it: JSON, title, rows. */
#pragma once

#include "client/cmd.h"

/* First digits of an id, as tables show it; commands take them. */
#define VIEW_ID_LEN 17u
void view_short_id(const struct id *id, char ret_text[VIEW_ID_LEN]);
/* "22/11/2026 10:44:05" in Viet Nam. */
#define VIEW_TIME_LEN 20u
void view_time(int64_t wall_ms, char ret_text[VIEW_TIME_LEN]);
/* "đã gửi", ... */
const char *view_sync(enum vault_sync s);

/* A value for people's eyes: labels, 31/12/2020, 1.234.567, the title of what is referred to,
 * a unit with its name. `f` NULL: a field of ours or one the schema does not know. */
struct bytes view_value(struct cmd *c, struct arena *a, const struct schema_field *f,
			const struct value *v);
/* "25195 Phường Tân Phú" */
struct bytes view_unit(struct cmd *c, struct arena *a, int64_t unit);

/* Appends the JSON object of docs/cli.md, on one line. */
void view_json(struct cmd *c, const struct vault_record *r, struct buf *out);
/* What a list shows of it: its title fields. Into `a`. */
struct bytes view_title(struct cmd *c, struct arena *a, const struct record *r);
/* Vietnamese and English label over a value, line by line, for `show`. */
void view_people(struct cmd *c, const struct vault_record *r, struct buf *out);

/* Lists and searches: id, title, unit, sync of each record. */
void view_table_init(struct table *t);
void view_table_add(struct cmd *c, struct table *t, const struct vault_record *r);
/* Says so when there is none. */
void view_table_print(struct cmd *c, const struct table *t);
