#include "tests/sim/law.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "daemon/admin.h"
#include "daemon/erasures.h"
#include "daemon/store_admin.h"
#include "daemon/store_erase.h"
#include "tests/fault/dbfile.h"
#include "tests/sim/faults.h"
#include "tests/sim/ledger.h"
#include "tests/support/vault_text.h"

#define MARK     "vet-"
#define ROWS_MAX 1000000u

struct bytes law_text(const struct world *w, struct arena *a, uint64_t number)
{
	return arena_printf(a, w->has_erasures ? MARK "%llu;" : "v%llu",
			    (unsigned long long)number);
}

static bool is_drawn(struct world *w, unsigned percent)
{
	return rand_below(&w->fate, 100) < percent;
}

/* ---- one order ---- */

static void note_erased(struct world *w, const struct admin_call *call)
{
	const json_t *ids = json_object_get(call->result, "records");

	for (size_t i = 0; i < json_array_size(ids); i++) {
		const char *hex = json_string_value(json_array_get(ids, i));
		struct id id;

		REQUIRE(hex != NULL);
		world_must(w, id_parse(bytes_str(hex), &id), "an erased id");
		ledger_note_erased(w->ledger, &id);
		world_trace(w, "office: %s is erased", hex + 20);
	}
}

static json_t *print_order(const struct id *id, bool is_with_events)
{
	char hex[ID_HEX_LEN];

	id_print(id, hex);
	return json_pack("{s:s, s:s, s:s, s:b}", "record", hex, "why", "Người được ghi yêu cầu",
			 "basis", "Luật 91/2025/QH15", "with_events", (int)is_with_events);
}

/* As handle_admin.c. True: it is erased. */
static bool erase(struct world *w, const struct id *id, bool is_with_events)
{
	AUTO(arena_clear) struct arena a = {0};
	const struct admin_command *command = admin_find("erase");
	json_t *args = print_order(id, is_with_events);
	struct admin_call call = {.ctx = &w->ctx,
				  .store = w->store,
				  .caller = {0, "uid:0"},
				  .args = args,
				  .arena = &a};
	struct faults_window window;

	faults_begin(w, FAULTS_WRITING, &window);
	enum err e = store_begin(w->store);

	if (e == ERR_OK)
		e = admin_run(command, &call);
	if (e == ERR_OK && !w->is_healed && is_drawn(w, 10)) {
		world_crash_daemon(w);
		e = ERR_NET;
	}
	bool is_done = faults_end_committing(w, &window, e, "erase");

	if (is_done)
		note_erased(w, &call);
	w->law.erasures += is_done;
	admin_call_clear(&call);
	json_decref(args);
	return is_done;
}

/* Somebody asks for what the office has of it, and that is in the audit then. */
static void ask(struct world *w, struct bytes type, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct store_state state = {.record = {.type = type, .id = *id}};
	size_t at = 0;

	world_must(w, store_load_states(w->store, &a, &state, 1), "a record");
	while (at < state.record.count && state.record.fields[at].value.kind != VALUE_TEXT)
		at++;
	if (at == state.record.count)
		return;
	world_must(w, store_begin(w->store), "begin");
	world_must(w,
		   store_put_audit(w->store, w->clock.wall, BYTES_LIT("uid:0"), BYTES_LIT("query"),
				   arena_printf(&a, "{\"sql\":\"… = '%.*s'\"}",
						BYTES_FMT(state.record.fields[at].value.bytes))),
		   "audit");
	(void)faults_commit(w, "commit an audit row");
}

void law_act(struct world *w)
{
	struct bytes type;
	struct id id;

	if (!ledger_pick(w->ledger, &w->fate, &type, &id))
		return;
	if (is_drawn(w, 20))
		ask(w, type, &id);
	(void)erase(w, &id, is_drawn(w, 25));
	if (is_drawn(w, 70))
		law_start(w);
}

/* ---- the sweep and the list ---- */

static bool is_erased_here(struct world *w, const struct id *id)
{
	bool is_erased = false;

	world_must(w, store_is_erased(w->store, id, &is_erased), "erased");
	return is_erased;
}

/* It was written: what it named before stays in it (daemon/erasures.h). The look is ours, and no
 * disk of the daemon's fails under it. */
static void note_listed(struct world *w)
{
	struct ledger *l = w->ledger;
	struct faults_window window;

	faults_begin_none(&window);
	for (size_t i = 0; i < l->record_count; i++)
		if (l->records[i].is_erased && !l->records[i].is_listed)
			l->records[i].is_listed = is_erased_here(w, &l->records[i].id);
	faults_end_none(&window);
}

static void note_list_lost(struct world *w)
{
	for (size_t i = 0; i < w->ledger->record_count; i++)
		w->ledger->records[i].is_listed = false;
}

/* As daemon/sweep.c: a list that cannot be written now is written by the next sweep; a disk that
 * failed over it ends the daemon with whatever comes next. */
static enum err sweep(struct world *w, bool *ret_was_owed)
{
	enum err e = store_owes_sweep(w->store, ret_was_owed);

	if (e != ERR_OK)
		return e;
	e = erasures_write(w->store, w->folder, &w->ctx.daemon, &w->ctx.key);
	if (err_class(e) == ERR_CLASS_FATAL)
		return e;
	if (e == ERR_OK)
		note_listed(w);
	e = *ret_was_owed ? store_sweep(w->store, w->folder) : ERR_OK;
	return e == ERR_AGAIN ? ERR_OK : e;
}

void law_start(struct world *w)
{
	struct faults_window window;
	bool was_owed = false;

	if (!w->has_erasures)
		return;
	faults_begin(w, FAULTS_WRITING, &window);
	enum err e = sweep(w, &was_owed);

	if (faults_end(w, &window, e, "sweep") == ERR_OK)
		w->law.sweeps += was_owed;
}

/* ---- restores ---- */

/* What the list names is erased, whatever the backup had. */
static void check_list(struct world *w)
{
	const struct ledger *l = w->ledger;

	for (size_t i = 0; i < l->record_count; i++) {
		char hex[ID_HEX_LEN];

		if (!l->records[i].is_listed || is_erased_here(w, &l->records[i].id))
			continue;
		id_print(&l->records[i].id, hex);
		world_fail(w, "O11: restored with the list, and %s is not erased", hex);
	}
}

void law_restore(struct world *w)
{
	char path[128];
	uint64_t records = 0;

	if (!w->has_erasures)
		return;
	(void)snprintf(path, sizeof path, "%s/" ERASURES_FILE, w->folder);
	if (is_drawn(w, 15)) {
		world_trace(w, "office: restored without the list of erasures");
		(void)unlink(path);
		note_list_lost(w);
	}
	enum err e =
		erasures_apply(w->store, path, &w->ctx.daemon, &w->ctx.key.public_key, &records);

	if (e != ERR_NOTFOUND)
		world_must(w, e, "erase again by the list");
	check_list(w);
	world_trace(w, "office: %llu records erased again", (unsigned long long)records);
	w->law.again += records;
}

bool law_settle(struct world *w)
{
	const struct ledger *l = w->ledger;
	bool has_any = false;

	for (size_t i = 0; w->has_erasures && i < l->record_count; i++) {
		if (!l->records[i].is_erased || is_erased_here(w, &l->records[i].id) ||
		    !erase(w, &l->records[i].id, false))
			continue;
		has_any = true;
		w->law.again++;
	}
	law_start(w);
	return has_any;
}

/* ---- O11 ---- */

struct search {
	struct world *w;
	bool *is_erased; /* by the number of a text */
	uint64_t count;
};

static void find_marks(struct search *s, struct bytes where, const char *what, uint64_t number)
{
	const size_t len = strlen(MARK);
	const uint8_t *end = where.data + where.len;
	const uint8_t *at = where.data;

	while (at != NULL && end > at && (at = memmem(at, (size_t)(end - at), MARK, len)) != NULL) {
		uint64_t text = 0;

		for (at += len; at < end && *at >= '0' && *at <= '9' && text < s->count; at++)
			text = text * 10 + (uint64_t)(*at - '0');
		if (at < end && *at == ';' && text < s->count && s->is_erased[text])
			world_fail(s->w, "O11: erased, and still there: " MARK "%llu; in %s %llu",
				   (unsigned long long)text, what, (unsigned long long)number);
	}
}

static void learn(struct search *s, struct arena *a)
{
	const struct ledger *l = s->w->ledger;

	s->count = l->next + 1;
	s->is_erased = arena_alloc_array(a, s->count, sizeof *s->is_erased);
	memset(s->is_erased, 0, s->count * sizeof *s->is_erased);
	for (size_t i = 0; i < l->count; i++) {
		const struct note *n = &l->notes[i];
		const size_t len = strlen(MARK);

		if (!n->is_erased || n->value.kind != VALUE_TEXT || n->value.bytes.len <= len ||
		    memcmp(n->value.bytes.data, MARK, len) != 0)
			continue;
		s->is_erased[strtoull((const char *)n->value.bytes.data + len, NULL, 10)] = true;
	}
}

static void search_log(struct search *s)
{
	struct world *w = s->w;
	uint64_t last = 0;

	world_must(w, store_last_log(w->store, &last), "last log");
	for (uint64_t log = 1; log <= last; log++) {
		AUTO(arena_clear) struct arena a = {0};
		struct log_row row;

		world_must(w, store_load_log(w->store, &a, log, &row), "log");
		find_marks(s, row.body, "log", log);
	}
}

/* What is packed in the file is only the log. */
static void search_file(struct search *s)
{
	AUTO(buf_clear) struct buf raw = {0};
	struct world *w = s->w;
	bool is_owed = true;

	world_must(w, store_owes_sweep(w->store, &is_owed), "owed");
	if (is_owed)
		world_fail(w, "O11: a sweep is owed for ever");
	dbfile_read(w->path, "", &raw);
	dbfile_read(w->path, "-wal", &raw);
	find_marks(s, buf_bytes(&raw), "the daemon's file, byte", raw.len);
}

static void search_vault(struct search *s, struct client *c)
{
	AUTO(buf_clear) struct buf text = {0};
	const struct ledger *l = s->w->ledger;

	world_must(s->w, vault_text(c->vault, &text), "text of a vault");
	find_marks(s, buf_bytes(&text), "the vault of client", c->index);
	for (size_t i = 0; i < l->record_count; i++) {
		AUTO(arena_clear) struct arena a = {0};
		struct vault_record r;
		char hex[ID_HEX_LEN];

		if (!l->records[i].is_erased ||
		    vault_record_load(c->vault, &a, &l->records[i].id, &r) == ERR_NOTFOUND)
			continue;
		id_print(&l->records[i].id, hex);
		world_fail(s->w, "O11: client %u has %s, which is erased", c->index, hex);
	}
}

void law_check(struct world *w)
{
	AUTO(arena_clear) struct arena a = {0};
	struct search s = {.w = w};

	if (!w->has_erasures)
		return;
	learn(&s, &a);
	search_log(&s);
	search_file(&s);
	for (unsigned i = 0; i < w->client_count; i++)
		if (!w->clients[i].is_torn)
			search_vault(&s, &w->clients[i]);
}
