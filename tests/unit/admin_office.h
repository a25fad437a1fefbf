/*
 * admin_office - an office that administrators ask, for tests of their commands: two devices of
 * one commune, change-sets through ingest, the sync log. One office a program.
 */
#pragma once

#include "common/base/clock.h"
#include "daemon/config.h"
#include "daemon/enrol.h"
#include "daemon/ingest.h"
#include "daemon/session.h"
#include "daemon/store_sql.h"
#include "tests/unit/office.h"

#define DAY_2021 "2021-04-13"

struct device {
	uint32_t number;
	struct sign_pair key;
	uint64_t next;
	struct hash chain;
	uint64_t clock;
	const char *author;
};

static struct office office;
static struct device an;
static struct device be;
static struct config *config;

/* ---- the world ---- */

/* What somebody alters behind our back. */
static inline void change(const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(store_begin(office.writer));
	/* Found again by its address, so each has one of its own. */
	assert_ok(sql_use(office.writer, arena_strdup(&office.arena, bytes_str(text)), &q));
	assert_ok(sql_run(q));
	office_commit(&office);
}

static inline struct device enrol(const char *code, const char *author, bool is_cleared)
{
	int64_t unit = office_unit(&office, code, DAY_2021);
	struct enrol_invite invite = {.units = &unit,
				      .unit_count = 1,
				      .author = bytes_str(author),
				      .is_cleared = is_cleared,
				      .now_ms = OFFICE_NOW};
	struct device d = {.next = 1, .clock = STAMP_CLOCK_OF(OFFICE_NOW), .author = author};
	struct msg_enrol message = {.name = BYTES_LIT("máy"),
				    .client_version = BYTES_LIT("0.1.0"),
				    .sent_ms = OFFICE_NOW};
	struct registry_device registered;
	struct invitation invitation;
	struct msg_enrolled enrolled;

	sign_pair_new(rand_system(), &d.key);
	message.key = d.key.public_key;
	assert_ok(store_begin(office.writer));
	assert_ok(enrol_invite(&office.ctx, office.writer, &invite, &invitation));
	memcpy(message.code, invitation.code, sizeof message.code);
	assert_ok(enrol_run(&office.ctx, office.writer, &office.arena, &message, &enrolled,
			    &registered));
	office_commit(&office);
	registry_put(office.ctx.registry, &registered);
	d.number = registered.number;
	return d;
}

static inline int setup(UNUSED_STATE)
{
	char error[CONFIG_ERROR_LEN];

	office_open(&office);
	config = config_new();
	assert_ok(config_finish(config, error));
	atomic_store(&office.ctx.config, config);
	office.ctx.registry = registry_new();
	office.ctx.daemon = id_new(&office.clock.clock, rand_system());
	office.ctx.epoch = id_new(&office.clock.clock, rand_system());
	office.ctx.started_ms = OFFICE_NOW;
	sign_pair_new(rand_system(), &office.ctx.key);
	snprintf(office.ctx.address, sizeof office.ctx.address, "10.0.0.5:8443");
	assert_ok(store_begin(office.writer));
	assert_ok(enrol_office(&office.ctx, office.writer));
	office_commit(&office);
	office_import(&office,
		      office_read("tests/data/units/units_binhphuoc_2021.csv", &office.arena),
		      "2021-02-01");
	an = enrol("25195", "Lê Văn An", false);
	be = enrol("25195", "Trần Thị Bé", false);
	return 0;
}

static inline int teardown(UNUSED_STATE)
{
	registry_free(office.ctx.registry);
	config_free(config);
	office_close(&office);
	return 0;
}

/* One change of one record. */
struct edit {
	const char *type;
	struct id id;
	struct write writes[8];
	size_t count;
	uint64_t base;
};

/* Sends edits as one change-set in one session, as the edge does. */
static inline struct ingest_result push(struct device *d, const struct edit *edits, size_t count,
					uint64_t *ret_session)
{
	struct changeset_head head = {.daemon = office.ctx.daemon,
				      .device = d->number,
				      .first = d->next,
				      .count = count,
				      .chain = d->chain};
	struct session_start start = {.device = d->number,
				      .author = bytes_str(d->author),
				      .transport = BYTES_LIT("network"),
				      .address = BYTES_LIT("127.0.0.1"),
				      .client_version = BYTES_LIT("0.1.0"),
				      .bytes_in = 500,
				      .counter = d->next,
				      .sent_ms = OFFICE_NOW,
				      .now_ms = OFFICE_NOW};
	struct session_finish finish = {.now_ms = OFFICE_NOW + 20, .bytes_out = 300};
	struct ingest_request request = {
		.device = d->number, .set_count = 1, .sent_ms = OFFICE_NOW, .now_ms = OFFICE_NOW};
	struct change changes[8] = {0};
	struct changeset_opened opened;
	struct ingest_result result;
	struct buf wire = {0};

	for (size_t i = 0; i < count; i++) {
		changes[i] = (struct change){.type = bytes_str(edits[i].type),
					     .id = edits[i].id,
					     .number = d->next + i,
					     .clock = ++d->clock,
					     .base = edits[i].base,
					     .author = bytes_str(d->author),
					     .count = edits[i].count};
		changes[i].writes = arena_alloc_array(&office.arena, 8, sizeof *changes[i].writes);
		memcpy(changes[i].writes, edits[i].writes, sizeof edits[i].writes);
		assert_true(change_sort(&changes[i]));
	}
	assert_ok(changeset_seal(&head, changes, &d->key, &wire, &d->chain));
	d->next += count;
	assert_ok(changeset_open(&office.arena, arena_copy(&office.arena, buf_bytes(&wire)),
				 &d->key.public_key, &opened));
	buf_clear(&wire);
	request.sets = &opened;
	assert_ok(store_begin(office.writer));
	assert_ok(session_begin(office.writer, &start, &request.session));
	assert_ok(ingest_run(&office.ctx, office.writer, &office.arena, &request, &result));
	assert_ok(session_merged(office.writer, request.session, &result));
	assert_ok(session_end(office.writer, request.session, &finish));
	office_commit(&office);
	if (ret_session != NULL)
		*ret_session = request.session;
	return result;
}

static inline struct id push_new(struct device *d, const char *type, const struct write *writes,
				 size_t count)
{
	struct edit edit = {.type = type, .count = count + 1};

	edit.id = id_new(&office.clock.clock, rand_system());
	memcpy(edit.writes, writes, count * sizeof *writes);
	edit.writes[count] = (struct write){BYTES_LIT("unit"),
					    value_int(office_unit(&office, "25195", DAY_2021))};
	push(d, &edit, 1, NULL);
	return edit.id;
}

#define PUSH_NEW(d, type, ...)                                     \
	push_new((d), (type), (const struct write[]){__VA_ARGS__}, \
		 sizeof((const struct write[]){__VA_ARGS__}) / sizeof(struct write))

static inline void push_edit(struct device *d, const char *type, struct id id, uint64_t base,
			     struct write write)
{
	struct edit edit = {.type = type, .id = id, .writes = {write}, .count = 1, .base = base};

	push(d, &edit, 1, NULL);
}

/* ---- asking ---- */

struct asked {
	struct admin_call call;
	json_t *args;
	enum err e;
};

/* Runs a command as handle_admin.c does. */
static inline struct asked ask(const char *command, const char *args)
{
	const struct admin_command *c = admin_find(command);
	struct asked a = {.call = {.ctx = &office.ctx,
				   .caller = {.uid = 1000, .name = "uid:1000"},
				   .arena = &office.arena}};

	assert_non_null(c);
	a.args = json_loads(args, 0, NULL);
	assert_non_null(a.args);
	a.call.args = a.args;
	assert_ok(admin_prepare(c, &a.call));
	a.call.store = c->is_write ? office.writer : office.reader;
	assert_ok(store_begin(a.call.store));
	a.e = admin_run(c, &a.call);
	if (c->is_write && a.e == ERR_OK && !a.call.is_undone)
		office_commit(&office);
	else
		store_rollback(a.call.store);
	if (!c->is_write && admin_wants_finish(&a.call)) {
		enum err finished;

		a.call.store = office.writer;
		assert_ok(store_begin(office.writer));
		finished = admin_finish(&a.call, a.e);
		assert_true(a.e != ERR_OK || finished == ERR_OK);
		office_commit(&office);
	}
	if (c->is_write && a.e == ERR_OK && c->committed != NULL)
		c->committed(&a.call);
	return a;
}

static inline void asked_clear(struct asked *a)
{
	admin_call_clear(&a->call);
	json_decref(a->args);
}

static inline json_t *result_of(const char *command, const char *args)
{
	struct asked a = ask(command, args);
	json_t *result;

	if (a.e != ERR_OK)
		print_error("%s: %s\n", command, a.call.error);
	assert_ok(a.e);
	result = json_incref(a.call.result);
	asked_clear(&a);
	return result;
}

static inline void assert_refused(const char *command, const char *args, enum err want,
				  const char *word)
{
	struct asked a = ask(command, args);

	assert_err(a.e, want);
	assert_null(a.call.result);
	/* Both languages, and never empty. */
	assert_non_null(strstr(a.call.error, " / "));
	if (strstr(a.call.error, word) == NULL)
		print_error("%s: %s\n", command, a.call.error);
	assert_non_null(strstr(a.call.error, word));
	asked_clear(&a);
}

/* Every key of the list is there, in any order. */
static inline void assert_has_keys(const json_t *object, const char *keys)
{
	char copy[512];
	char *rest = NULL;

	snprintf(copy, sizeof copy, "%s", keys);
	for (char *key = strtok_r(copy, " ", &rest); key != NULL;
	     key = strtok_r(NULL, " ", &rest)) {
		if (json_object_get(object, key) == NULL)
			print_error("no key %s\n", key);
		assert_non_null(json_object_get(object, key));
	}
}

static inline const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static inline json_int_t int_of(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static inline struct asked ask_record(const char *command, const char *key, struct id id,
				      size_t digits, const char *reason)
{
	char hex[ID_HEX_LEN];
	char args[160];

	id_print(&id, hex);
	snprintf(args, sizeof args, "{\"%s\":\"%.*s\"%s%s%s}", key, (int)digits, hex,
		 reason != NULL ? ",\"reason\":\"" : "", reason != NULL ? reason : "",
		 reason != NULL ? "\"" : "");
	return ask(command, args);
}

static inline size_t audit_count(const char *what)
{
	json_t *rows = result_of("audit list", "{\"limit\":1000}");
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(rows); i++)
		count += strcmp(text_of(json_array_get(rows, i), "what"), what) == 0;
	json_decref(rows);
	return count;
}
