/* The statements of a record type's table, each prepared when it is first used; batches. */
#include <sqlite3.h>

#include "common/base/check.h"
#include "daemon/schema_sql.h"
#include "daemon/store_private.h"

static void print_statement(const struct table *t, enum table_statement which, struct buf *out)
{
	switch (which) {
	case STATEMENT_LOAD: schema_sql_print_load(t, out); break;
	case STATEMENT_LOAD_BATCH: schema_sql_print_load_batch(t, out); break;
	case STATEMENT_PAGE: schema_sql_print_page(t, out); break;
	case STATEMENT_ROWS: schema_sql_print_rows(t, out); break;
	case STATEMENT_INSERT: schema_sql_print_insert(t, out); break;
	case STATEMENT_UPDATE: schema_sql_print_update(t, true, out); break;
	case STATEMENT_UPDATE_PLAIN: schema_sql_print_update(t, false, out); break;
	case STATEMENT_CHANGED: schema_sql_print_changed(t, out); break;
	case STATEMENT_PASSED: schema_sql_print_passed(t, out); break;
	}
}

static struct sql **slot_of(struct table *t, enum table_statement which)
{
	switch (which) {
	case STATEMENT_LOAD: return &t->load;
	case STATEMENT_LOAD_BATCH: return &t->load_batch;
	case STATEMENT_PAGE: return &t->page;
	case STATEMENT_ROWS: return &t->rows;
	case STATEMENT_INSERT: return &t->insert;
	case STATEMENT_UPDATE: return &t->update;
	case STATEMENT_UPDATE_PLAIN: return &t->update_plain;
	case STATEMENT_CHANGED: return &t->changed;
	case STATEMENT_PASSED: return &t->passed;
	}
	UNREACHABLE();
}

enum err store_use_table(struct store *s, struct table *t, enum table_statement which,
			 struct sql **ret_sql)
{
	struct sql **slot = slot_of(t, which);

	if (*slot == NULL) {
		AUTO(buf_clear) struct buf text = {0};
		enum err e;

		print_statement(t, which, &text);
		e = store_prepare(s, buf_bytes(&text), slot);
		if (e != ERR_OK)
			return e;
	}
	REQUIRE(!(*slot)->is_busy);
	(*slot)->is_busy = true;
	(*slot)->bind_rc = SQLITE_OK;
	*ret_sql = *slot;
	return ERR_OK;
}

enum err store_need_table(struct store *s, struct bytes type, struct table **table)
{
	if (*table == NULL || !bytes_equal((*table)->type, type))
		*table = store_find_table(s, type);
	return *table != NULL ? ERR_OK : err_raise(ERR_NOTFOUND, "no table %.*s", BYTES_FMT(type));
}

enum err store_run_batch(struct store *s, struct arena *a, struct batch *b, batch_run *run)
{
	bool *is_done = arena_alloc_array(a, s->table_count, sizeof *is_done);
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < b->count; i++) {
		const size_t table = (size_t)(b->rows[i].table - s->tables);

		if (is_done[table])
			continue;
		is_done[table] = true;
		b->table = &s->tables[table];
		s->batch = b;
		e = run(s, a, b, &s->tables[table]);
		s->batch = NULL;
	}
	return e;
}
