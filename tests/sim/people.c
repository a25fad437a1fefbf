#include "tests/sim/people.h"

#include <stdio.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "tests/sim/faults.h"
#include "tests/sim/law.h"
#include "tests/sim/ledger.h"

#define WRITES_MAX 6
#define IMPORT_MAX 600u

/* One entry being made. */
struct act {
	struct client *client;
	struct vault *vault; /* the client's, or another handle of the same home */
	struct arena arena;
	struct change change;
	struct write writes[WRITES_MAX];
	bool exists;
	struct vault_record record; /* as seen; with `exists` */
	int64_t *scope;
	size_t scope_count;
	int64_t accepted; /* notice taken back with it; 0: none */
};

static struct world *world_of(const struct act *a)
{
	return a->client->world;
}

static uint64_t draw(struct act *a, uint64_t bound)
{
	return rand_below(&world_of(a)->rand, bound);
}

static void put(struct act *a, const char *field, struct value value)
{
	REQUIRE(a->change.count < WRITES_MAX);
	a->writes[a->change.count++] = (struct write){bytes_str(field), value};
}

/* No two entries of a run write the same text. */
static struct value news(struct act *a)
{
	return value_text(law_text(world_of(a), &a->arena, ledger_next(world_of(a)->ledger)));
}

static bool is_in_scope(const struct act *a, int64_t unit)
{
	for (size_t i = 0; i < a->scope_count; i++)
		if (a->scope[i] == unit)
			return true;
	return false;
}

static int64_t any_unit_of_scope(struct act *a)
{
	return a->scope_count != 0 ? a->scope[draw(a, a->scope_count)] : a->client->unit;
}

/* ---- what ---- */

static void pick_person(struct act *a, struct bytes *ret_id)
{
	struct bytes type;
	struct id id = {0};

	for (int i = 0; i < 8; i++) {
		if (!ledger_pick(world_of(a)->ledger, &world_of(a)->rand, &type, &id))
			break;
		if (bytes_is(type, "person"))
			break;
	}
	*ret_id = arena_copy(&a->arena, bytes_of(id.bytes, ID_LEN));
}

static void fill_new(struct act *a)
{
	struct bytes person;
	uint64_t kind = draw(a, 10);

	a->change.id = id_new(&a->client->clock.clock, &world_of(a)->rand);
	put(a, RECORD_UNIT, value_int(any_unit_of_scope(a)));
	if (kind < 6) {
		a->change.type = BYTES_LIT("person");
		put(a, "name", news(a));
		if (draw(a, 2) == 0)
			put(a, "age", value_int((int64_t)draw(a, 151)));
	} else if (kind < 9 || schema_find_type(a->client->schema, BYTES_LIT("need")) == NULL) {
		a->change.type = BYTES_LIT("visit");
		pick_person(a, &person);
		put(a, "person", value_bytes(person));
		if (draw(a, 2) == 0)
			put(a, "text", news(a));
		if (draw(a, 4) == 0)
			put(a, RECORD_CORRECTS, value_bytes(person));
	} else {
		a->change.type = BYTES_LIT("need");
		put(a, "text", news(a));
	}
}

static void fill_person(struct act *a)
{
	switch (draw(a, 6)) {
	case 0: put(a, "name", news(a)); break;
	case 1: put(a, "note", news(a)); break;
	case 2: put(a, "poor", value_bool(draw(a, 2) == 0)); break;
	case 3: put(a, "age", value_int((int64_t)draw(a, 151))); break;
	case 4:
		put(a, "name", news(a));
		put(a, "note", news(a));
		break;
	default:
		if (schema_find_field(schema_find_type(a->client->schema, a->change.type),
				      BYTES_LIT("phone")) != NULL)
			put(a, "phone", news(a));
		else
			put(a, "note", VALUE_NONE);
		break;
	}
}

static void fill_visit(struct act *a)
{
	switch (draw(a, 4)) {
	case 0: put(a, "amount", value_int((int64_t)ledger_next(world_of(a)->ledger))); break;
	case 1: put(a, "text", news(a)); break;
	case 2:
		put(a, "kind",
		    value_text(draw(a, 3) == 0 ? BYTES_LIT("shelter") : BYTES_LIT("home")));
		break;
	default: put(a, RECORD_VOIDED, news(a)); break;
	}
}

static void fill_own_fields(struct act *a)
{
	struct bytes other;

	switch (draw(a, 8)) {
	case 0:
	case 1: put(a, RECORD_DELETED, news(a)); break;
	case 2: put(a, RECORD_DELETED, VALUE_NONE); break;
	case 3:
		pick_person(a, &other);
		put(a, RECORD_MERGED_INTO, draw(a, 3) == 0 ? VALUE_NONE : value_bytes(other));
		break;
	default:
		put(a, RECORD_UNIT,
		    value_int(world_of(a)->units[draw(a, world_of(a)->unit_count)]));
		break;
	}
}

static void fill_edit(struct act *a)
{
	if (draw(a, 10) < 3)
		fill_own_fields(a);
	else if (bytes_is(a->change.type, "person"))
		fill_person(a);
	else if (bytes_is(a->change.type, "visit"))
		fill_visit(a);
	else
		put(a, "text", news(a));
}

/* What lost in a conflict is written once more: the ordinary way to restore it. */
static bool fill_from_inbox(struct act *a)
{
	struct vault_notice *notices = NULL;
	size_t count = 0;

	world_must(world_of(a), vault_notices(a->vault, &a->arena, false, &notices, &count),
		   "inbox");
	for (size_t i = 0; i < count; i++) {
		const struct vault_notice *n = &notices[i];

		if (!bytes_is(n->kind, "conflict") || draw(a, 2) == 0 ||
		    vault_record_load(a->vault, &a->arena, &n->id, &a->record) != ERR_OK)
			continue;
		a->exists = true;
		a->change.type = n->type;
		a->change.id = n->id;
		a->writes[a->change.count++] = (struct write){n->field, n->lost};
		a->accepted = n->notice;
		return true;
	}
	return false;
}

static bool find_record(struct act *a)
{
	struct bytes type;
	struct id id;

	for (int i = 0; i < 8; i++) {
		if (!ledger_pick(world_of(a)->ledger, &world_of(a)->rand, &type, &id))
			return false;
		if (vault_record_load(a->vault, &a->arena, &id, &a->record) != ERR_OK)
			continue;
		a->exists = true;
		a->change.type = a->record.body.type;
		a->change.id = id;
		return true;
	}
	return false;
}

static void fill(struct act *a)
{
	a->change.writes = a->writes;
	if (draw(a, 20) == 0 && fill_from_inbox(a))
		return;
	if (draw(a, 4) != 0 && find_record(a))
		fill_edit(a);
	else
		fill_new(a);
}

/* ---- how ---- */

static int64_t unit_written(const struct act *a)
{
	const struct write *w = change_find(&a->change, BYTES_LIT(RECORD_UNIT));

	return w != NULL ? w->value.integer : record_unit(&a->record.body);
}

static struct ledger_entry entry_of(const struct act *a)
{
	/* Not at the office yet: there it may arrive in the unit it was moved to. */
	bool is_known = a->exists && a->record.office.count != 0;
	int64_t unit = is_known ? record_unit(&a->record.office) : unit_written(a);
	bool is_seen_in_scope = is_in_scope(a, unit);

	return (struct ledger_entry){
		.client = a->client->index,
		.change = &a->change,
		.before = a->exists ? &a->record.body : NULL,
		.is_in_scope = is_seen_in_scope && !(a->exists && a->record.is_evicted),
	};
}

static enum err make(struct act *a, enum entry_outcome *ret_outcome)
{
	struct entry_context ctx;
	struct finding finding = {0};
	enum err e = entry_context_load(&ctx, a->vault, a->client->schema, &a->client->clock.clock,
					&a->arena);

	if (e == ERR_OK)
		e = entry_make(&ctx, &a->change, ret_outcome, &finding);
	if (e == ERR_OK && a->accepted != 0)
		e = vault_notice_accept(a->vault, a->accepted);
	return e;
}

/* A failed commit leaves file and memory as they were, the clock too (M7). */
static void check_unmoved(struct act *a, const struct vault_state *before)
{
	const struct vault_state *after = vault_state(a->vault);

	if (after->hlc != before->hlc || after->number != before->number)
		world_fail(world_of(a), "client %u: an entry that failed has moved the clock",
			   a->client->index);
}

static void set_some_trap(struct act *a)
{
	if (a->vault != a->client->vault || a->client->is_busy)
		return;
	if (draw(a, 25) == 0)
		world_set_trap(a->client, (enum trap)(1 + draw(a, 3)), 0);
	faults_begin_client(a->client, 10);
}

/* The program ends at an error of its disk; what it had not said to be saved may be there. */
static void die_of_disk(struct act *a, const struct vault_state *before, struct ledger_entry *entry)
{
	world_crash_client(a->client);
	a->vault = a->client->vault;
	entry->is_gone = vault_state(a->vault)->hlc == before->hlc;
}

/* True: it was said to be saved. */
static bool commit(struct act *a, const struct vault_state *before)
{
	set_some_trap(a);
	enum trap trap = a->client->trap;
	enum err e = vault_commit(a->vault);
	struct ledger_entry entry = entry_of(a);

	if (a->client->is_busy) {
		world_must(world_of(a), e, "commit an entry");
		ledger_note(world_of(a)->ledger, &entry);
		return true;
	}
	bool is_trapped = a->client->is_trap_sprung;

	(void)world_take_trap(a->client);
	if (e == ERR_OK) {
		ledger_note(world_of(a)->ledger, &entry);
		return true;
	}
	vault_rollback(a->vault);
	world_trace(world_of(a), "trap %d", (int)trap);
	if (e == ERR_FULL) {
		check_unmoved(a, before);
		entry.is_gone = true;
	} else if (!is_trapped) {
		die_of_disk(a, before, &entry);
	} else {
		world_crash_client(a->client);
		a->vault = a->client->vault;
		entry.is_gone = trap == TRAP_BEFORE;
	}
	ledger_note(world_of(a)->ledger, &entry);
	return false;
}

static void trace(const struct act *a, enum err e, enum entry_outcome outcome)
{
	struct world *w = world_of(a);
	char hex[ID_HEX_LEN];

	if (!world_is_told(w))
		return;
	id_print(&a->change.id, hex);
	const struct value *value = &a->change.writes[0].value;

	world_trace(w, "client %u: %.*s %s %.*s=%.*s%s: %s %d", a->client->index,
		    BYTES_FMT(a->change.type), hex + 20, BYTES_FMT(a->change.writes[0].name),
		    BYTES_FMT(value->kind == VALUE_TEXT ? value->bytes : BYTES_LIT("…")),
		    a->change.count > 1 ? " …" : "", err_name(e), (int)outcome);
}

static void save(struct act *a)
{
	struct vault_state before = *vault_state(a->vault);
	enum entry_outcome outcome = ENTRY_SAME;

	ledger_take_along(world_of(a)->ledger, a->vault, &a->change.id);
	world_must(world_of(a), vault_begin(a->vault), "begin an entry");
	enum err e = make(a, &outcome);

	trace(a, e, outcome);
	if (e == ERR_OK && outcome != ENTRY_SAME) {
		(void)commit(a, &before);
		return;
	}
	vault_rollback(a->vault);
	if (e != ERR_OK && e != ERR_INVAL)
		world_fail(world_of(a), "an entry: %s: %s", err_name(e), log_last_detail());
	check_unmoved(a, &before);
}

static void start(struct act *a, struct client *c, struct vault *v)
{
	*a = (struct act){.client = c, .vault = v};
	world_must(c->world, vault_scope_load(v, &a->arena, &a->scope, &a->scope_count), "scope");
}

static void act_once(struct client *c, struct vault *v)
{
	struct act a;

	start(&a, c, v);
	fill(&a);
	save(&a);
	arena_clear(&a.arena);
}

/* Many people in one transaction: more records of one log number than a page holds. */
static void import(struct client *c)
{
	struct world *w = c->world;
	uint64_t count = 200 + rand_below(&w->rand, IMPORT_MAX - 200);

	world_trace(w, "client %u imports %llu", c->index, (unsigned long long)count);
	world_must(w, vault_begin(c->vault), "begin an import");
	for (uint64_t i = 0; i < count; i++) {
		struct act a;
		enum entry_outcome outcome;

		start(&a, c, c->vault);
		a.change.writes = a.writes;
		a.change.type = BYTES_LIT("person");
		a.change.id = id_new(&c->clock.clock, &w->rand);
		put(&a, RECORD_UNIT, value_int(c->unit));
		put(&a, "name", news(&a));
		world_must(w, make(&a, &outcome), "import");
		struct ledger_entry entry = entry_of(&a);

		ledger_note(w->ledger, &entry);
		arena_clear(&a.arena);
	}
	world_must(w, vault_commit(c->vault), "commit an import");
}

void people_act(struct client *c)
{
	if (c->schema == NULL)
		return;
	if (rand_below(&c->world->rand, 1500) == 0)
		import(c);
	else
		act_once(c, c->vault);
}

void people_write_aside(struct client *c)
{
	struct world *w = c->world;
	AUTO(vault_close) struct vault *v = NULL;

	if (c->schema == NULL)
		return;
	world_trace(w, "meanwhile, beside client %u", c->index);
	world_must(w, vault_open(c->home, &w->rand, &v), "open a vault aside");
	world_must(w, vault_unlock_with_key(v, vault_key(c->vault)), "unlock a vault aside");
	act_once(c, v);
}
