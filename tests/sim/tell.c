#include "tests/sim/tell.h"

#include <stdio.h>

#include "daemon/fold.h"
#include "tests/sim/ledger.h"

#define ROWS_MAX 100000u

struct bytes tell_value(struct arena *a, const struct value *v)
{
	char hex[ID_HEX_LEN];
	struct id id;

	switch (v->kind) {
	case VALUE_NULL: return BYTES_LIT("nothing");
	case VALUE_BOOL: return v->boolean ? BYTES_LIT("true") : BYTES_LIT("false");
	case VALUE_INT: return arena_printf(a, "%lld", (long long)v->integer);
	case VALUE_TEXT: return v->bytes;
	case VALUE_BYTES: break;
	}
	if (v->bytes.len != ID_LEN)
		return BYTES_LIT("bytes");
	memcpy(id.bytes, v->bytes.data, ID_LEN);
	id_print(&id, hex);
	return arena_copy(a, bytes_str(hex + 20));
}

static void tell_id(const struct id *id)
{
	char hex[ID_HEX_LEN];

	id_print(id, hex);
	printf(" %s", hex + 20);
}

static void tell_writes(struct arena *a, const struct change *c)
{
	tell_id(&c->id);
	for (size_t i = 0; i < c->count; i++)
		printf(" %.*s=%.*s", BYTES_FMT(c->writes[i].name),
		       BYTES_FMT(tell_value(a, &c->writes[i].value)));
	printf(", base %llu\n", (unsigned long long)c->base);
}

static void tell_row(struct world *w, struct arena *a, uint64_t log)
{
	struct fold_source source;
	struct log_row row;

	world_must(w, store_load_log(w->store, a, log, &row), "log");
	world_must(w, fold_open(a, &row, &source), "open a log row");
	printf("log %llu: kind %d device %u number %llu shift %lld%s\n", (unsigned long long)log,
	       (int)row.kind, row.device, (unsigned long long)row.first,
	       (long long)row.repair.shift_ms, row.base_cut != 0 ? " bases cut" : "");
	for (size_t i = 0; i < source.count; i++) {
		printf("   %llx", (unsigned long long)source.clocks[i]);
		tell_writes(a, &source.changes[i]);
	}
	for (size_t i = 0; i < row.verdict_count; i++)
		printf("   number %llu: %.*s\n", (unsigned long long)row.verdicts[i].number,
		       BYTES_FMT(row.verdicts[i].code));
}

static void tell_side(struct arena *a, const char *what, const struct field *f)
{
	printf(" %s %.*s by %u at %llx log %llu", what, BYTES_FMT(tell_value(a, &f->value)),
	       f->stamp.device, (unsigned long long)f->stamp.clock, (unsigned long long)f->log);
}

static void tell_conflicts(struct world *w, struct arena *a)
{
	const struct store_range all = {.limit = ROWS_MAX};
	struct conflict_row *rows = NULL;
	size_t count = 0;

	world_must(w, store_load_conflicts(w->store, a, &all, &rows, &count), "conflicts");
	for (size_t i = 0; i < count; i++) {
		printf("conflict %llu %.*s:", (unsigned long long)rows[i].conflict,
		       BYTES_FMT(rows[i].state));
		tell_id(&rows[i].id);
		printf(" %.*s:", BYTES_FMT(rows[i].kept.name));
		tell_side(a, "kept", &rows[i].kept);
		tell_side(a, "lost", &rows[i].lost);
		printf("\n");
	}
}

static void tell_quarantine(struct world *w, struct arena *a)
{
	const struct store_range all = {.limit = ROWS_MAX};
	struct quarantine_row *rows = NULL;
	struct change change;
	size_t count = 0;

	world_must(w, store_load_quarantine(w->store, a, &all, &rows, &count), "quarantine");
	for (size_t i = 0; i < count; i++) {
		printf("quarantine %.*s: device %u number %llu log %llu %.*s",
		       BYTES_FMT(rows[i].state), rows[i].device, (unsigned long long)rows[i].number,
		       (unsigned long long)rows[i].log, BYTES_FMT(rows[i].reason));
		if (change_decode(a, rows[i].bytes, &change) == ERR_OK)
			tell_writes(a, &change);
		else
			printf("\n");
	}
}

static void tell_notes(const struct world *w, struct arena *a)
{
	const struct ledger *l = w->ledger;

	for (size_t i = 0; i < l->count; i++) {
		const struct note *n = &l->notes[i];

		printf("note of client %u, step %d:", n->client, n->step);
		tell_id(&n->id);
		printf(" %.*s=%.*s over %.*s%s%s%s\n", BYTES_FMT(n->field),
		       BYTES_FMT(tell_value(a, &n->value)), BYTES_FMT(tell_value(a, &n->seen)),
		       n->is_in_scope ? "" : " out of scope", n->is_gone ? " gone" : "",
		       n->is_disk_lost ? " disk lost" : "");
	}
}

void tell_world(struct world *w)
{
	AUTO(arena_clear) struct arena a = {0};
	uint64_t last = 0;

	world_must(w, store_last_log(w->store, &last), "last log");
	for (uint64_t log = 1; log <= last; log++)
		tell_row(w, &a, log);
	tell_conflicts(w, &a);
	tell_quarantine(w, &a);
	tell_notes(w, &a);
}
