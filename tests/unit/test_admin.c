/*
 * The administrators' commands over a real store: enrolled devices, change-sets through ingest, the
 * sync log; every command's keys as the command reference gives them.
 */
#include "tests/unit/test.h"

#include "common/base/clock.h"
#include "daemon/config.h"
#include "daemon/enrol.h"
#include "daemon/ingest.h"
#include "daemon/session.h"
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

static struct device enrol(const char *code, const char *author, bool is_cleared)
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

static int setup(UNUSED_STATE)
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

static int teardown(UNUSED_STATE)
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
static struct ingest_result push(struct device *d, const struct edit *edits, size_t count,
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

static struct id push_new(struct device *d, const char *type, const struct write *writes,
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

static void push_edit(struct device *d, const char *type, struct id id, uint64_t base,
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
static struct asked ask(const char *command, const char *args)
{
	const struct admin_command *c = admin_find(command);
	struct asked a = {
		.call = {.ctx = &office.ctx, .caller = {1000, "uid:1000"}, .arena = &office.arena}};

	assert_non_null(c);
	a.args = json_loads(args, 0, NULL);
	assert_non_null(a.args);
	a.call.args = a.args;
	a.call.store = c->is_write ? office.writer : office.reader;
	assert_ok(store_begin(a.call.store));
	a.e = admin_run(c, &a.call);
	if (c->is_write && a.e == ERR_OK)
		office_commit(&office);
	else
		store_rollback(a.call.store);
	if (!c->is_write && admin_wants_audit(&a.call)) {
		a.call.store = office.writer;
		assert_ok(store_begin(office.writer));
		assert_ok(admin_leave_audit(&a.call));
		office_commit(&office);
	}
	if (c->is_write && a.e == ERR_OK && c->committed != NULL)
		c->committed(&a.call);
	return a;
}

static void asked_clear(struct asked *a)
{
	admin_call_clear(&a->call);
	json_decref(a->args);
}

static json_t *result_of(const char *command, const char *args)
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

static void assert_refused(const char *command, const char *args, enum err want, const char *word)
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
static void assert_has_keys(const json_t *object, const char *keys)
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

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static json_int_t int_of(const json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

static struct asked ask_record(const char *command, const char *key, struct id id, size_t digits,
			       const char *reason)
{
	char hex[ID_HEX_LEN];
	char args[160];

	id_print(&id, hex);
	snprintf(args, sizeof args, "{\"%s\":\"%.*s\"%s%s%s}", key, (int)digits, hex,
		 reason != NULL ? ",\"reason\":\"" : "", reason != NULL ? reason : "",
		 reason != NULL ? "\"" : "");
	return ask(command, args);
}

static size_t audit_count(const char *what)
{
	json_t *rows = result_of("audit list", "{\"limit\":1000}");
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(rows); i++)
		count += strcmp(text_of(json_array_get(rows, i), "what"), what) == 0;
	json_decref(rows);
	return count;
}

/* ---- status, units, devices ---- */

static void status_says_how_everything_stands(UNUSED_STATE)
{
	json_t *status;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	status = result_of("status", "{}");

	assert_has_keys(status,
			"version epoch log devices records last_backup quarantine conflicts "
			"communes schema_version started_at");
	assert_int_equal(int_of(status, "devices"), 2);
	assert_int_equal(int_of(status, "log"), 1);
	assert_int_equal(int_of(json_object_get(status, "records"), "person"), 1);
	assert_int_equal(int_of(json_object_get(status, "communes"), "fresh"), 1);
	assert_int_equal(int_of(json_object_get(status, "communes"), "never"), 110);
	assert_int_equal(int_of(json_object_get(status, "communes"), "stale"), 0);
	assert_true(json_is_null(json_object_get(status, "last_backup")));
	json_decref(status);
}

static void a_commune_goes_stale_after_thirty_days(UNUSED_STATE)
{
	json_t *status;
	json_t *devices;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	office.clock.wall = OFFICE_NOW + INT64_C(31) * 86400000;
	status = result_of("status", "{}");
	devices = result_of("device list", "{}");

	assert_int_equal(int_of(json_object_get(status, "communes"), "stale"), 1);
	assert_string_equal(text_of(json_array_get(devices, 0), "state"), "stale");
	json_decref(devices);
	json_decref(status);
}

static void unit_list_has_the_communes_of_a_day(UNUSED_STATE)
{
	json_t *rows = result_of("unit list", "{\"province\":\"70\",\"on\":\"13/04/2021\"}");

	assert_int_equal(json_array_size(rows), 111);
	assert_has_keys(json_array_get(rows, 0), "code name type province_code from until unit");
	assert_string_equal(text_of(json_array_get(rows, 0), "code"), "25195");
	assert_string_equal(text_of(json_array_get(rows, 0), "name"), "Phường Tân Phú");
	assert_string_equal(text_of(json_array_get(rows, 0), "from"), "2021-02-01");
	json_decref(rows);

	rows = result_of("unit list", "{\"on\":\"2020-12-31\"}");
	assert_int_equal(json_array_size(rows), 0);
	json_decref(rows);
}

static void unit_import_tells_what_it_did_and_is_audited(UNUSED_STATE)
{
	json_t *result = result_of(
		"unit import",
		"{\"csv\":\"code,name,type,province_code,province_name\\n00004,Phường Ba "
		"Đình,Phường,01,Thành phố Hà Nội\\n\",\"from\":\"2025-07-01\",\"file\":\"x.csv\"}");

	assert_has_keys(result, "communes added renamed ended");
	assert_int_equal(int_of(result, "communes"), 1);
	assert_int_equal(audit_count("unit import"), 1);
	json_decref(result);
}

static bool sees(const struct device *d, const char *on, int64_t unit)
{
	int64_t *units = NULL;
	size_t count = 0;
	int64_t day;

	assert_ok(units_parse_day(bytes_str(on), &day));
	assert_ok(units_load_scope(office.reader, &office.arena, d->number, day, &units, &count));
	return units_scope_has(units, count, unit);
}

/* The 111 communes of Bình Phước become 40; 25195 is a commune before and another one after. */
static void a_succession_gives_the_new_communes_what_the_old_ones_had(UNUSED_STATE)
{
	struct asked a = {.args = json_object()};
	struct bytes map = office_read("tests/data/units/units_map_binhphuoc.csv", &office.arena);
	int64_t old = office_unit(&office, "25195", DAY_2021);
	int64_t neighbour = office_unit(&office, "25198", DAY_2021);

	office_import(&office, office_read("tests/data/units/units_2025.csv", &office.arena),
		      "2025-07-01");
	int64_t new = office_unit(&office, "25195", "2025-07-01");
	json_object_set_new(a.args, "csv", json_stringn((const char *)map.data, map.len));
	json_object_set_new(a.args, "on", json_string("2025-07-01"));
	char *text = json_dumps(a.args, 0);
	json_t *done = result_of("unit succession", text);
	json_t *again = result_of("unit succession", text);
	json_t *waiting = result_of("unit placing", "{}");

	assert_int_not_equal(old, new);
	assert_int_equal(int_of(done, "rows"), 111);
	assert_int_equal(int_of(done, "known"), 0);
	assert_int_equal(int_of(again, "known"), int_of(again, "whole") + int_of(again, "partial"));
	assert_true(sees(&an, "2025-07-01", new));
	assert_true(sees(&an, "2025-07-01", old));
	assert_true(sees(&an, "2025-07-01", neighbour));
	assert_false(sees(&an, "2025-06-30", neighbour));
	assert_int_equal(json_array_size(waiting) != 0, int_of(done, "partial") != 0);
	for (size_t i = 0; i < json_array_size(waiting); i++)
		assert_has_keys(json_array_get(waiting, i), "unit code name into records");
	assert_int_equal(audit_count("unit succession"), 2);
	assert_refused("unit succession",
		       "{\"csv\":\"old_code,new_code,part\\n99999,25195,whole\\n\","
		       "\"on\":\"2025-07-01\"}",
		       ERR_INVAL, "99999");
	free(text);
	json_decref(a.args);
	json_decref(done);
	json_decref(again);
	json_decref(waiting);
}

static void unit_import_of_a_wrong_list_changes_nothing(UNUSED_STATE)
{
	json_t *rows;

	assert_refused("unit import",
		       "{\"csv\":\"code,name,type,province_code,province_name\\nabc,,Phường,01,Hà "
		       "Nội\\n\",\"from\":\"2025-07-01\"}",
		       ERR_INVAL, "2:");
	assert_refused("unit import",
		       "{\"csv\":\"x\",\"from\":\"2025-07-01\",\"until\":\"2025-01-01\"}",
		       ERR_INVAL, "--until");
	assert_refused("unit import", "{\"csv\":\"x\",\"from\":\"31/02/2025\"}", ERR_INVAL, "from");

	rows = result_of("unit list", "{\"on\":\"2025-07-02\"}");
	assert_int_equal(json_array_size(rows), 111);
	assert_int_equal(audit_count("unit import"), 0);
	json_decref(rows);
}

static void device_invite_gives_one_line_and_keeps_the_code_out_of_the_audit(UNUSED_STATE)
{
	json_t *result =
		result_of("device invite", "{\"units\":[\"25195\",\"25198\"],\"on\":\"2021-04-13\","
					   "\"author\":\"Lê Văn An\",\"expires\":\"24h\"}");
	json_t *audit = result_of("audit list", "{}");
	struct invitation invitation;
	char *text = json_dumps(audit, 0);
	const char *code;

	assert_ok(invitation_parse(bytes_str(text_of(result, "invitation")), &invitation));
	assert_string_equal(invitation.address, "10.0.0.5:8443");
	assert_string_equal(text_of(result, "expires_at"), "2026-11-23T00:00:00.000Z");
	code = strrchr(text_of(result, "invitation"), '/') + 1;
	assert_null(strstr(text, code));
	assert_string_equal(text_of(json_array_get(audit, 0), "what"), "device invite");
	assert_string_equal(text_of(json_array_get(audit, 0), "who"), "uid:1000");
	free(text);
	json_decref(audit);
	json_decref(result);
}

static void device_invite_refuses_what_it_does_not_understand(UNUSED_STATE)
{
	assert_refused("device invite", "{\"units\":[]}", ERR_INVAL, "unit codes");
	assert_refused("device invite", "{\"units\":[\"99999\"]}", ERR_NOTFOUND, "99999");
	assert_refused("device invite", "{\"units\":[\"25195\"],\"expires\":\"never\"}", ERR_INVAL,
		       "expires");
	assert_refused("device invite", "{\"units\":[\"25195\"],\"expires\":\"31d\"}", ERR_INVAL,
		       "expires");
	assert_refused("device invite", "{\"units\":[\"25195\"],\"clearance\":\"all\"}", ERR_INVAL,
		       "clearance");
	assert_refused("device invite", "{\"units\":[\"25195\"],\"on\":\"2020-01-01\"}",
		       ERR_NOTFOUND, "2020-01-01");
}

static void device_list_has_the_keys_of_the_reference(UNUSED_STATE)
{
	json_t *rows = result_of("device list", "{}");
	const json_t *first = json_array_get(rows, 0);

	assert_int_equal(json_array_size(rows), 2);
	assert_has_keys(first, "number name units enrolled_at revoked_at last_contact last_number "
			       "missing clock_offset_ms client_version state");
	assert_string_equal(json_string_value(json_array_get(json_object_get(first, "units"), 0)),
			    "25195");
	assert_int_equal(int_of(first, "number"), an.number);
	json_decref(rows);
}

static void a_revoked_device_may_not_speak_from_the_next_request_on(UNUSED_STATE)
{
	char args[64];
	struct registry_device d;
	json_t *result;

	snprintf(args, sizeof args, "{\"device\":%u,\"why\":\"mất máy\"}", an.number);
	result = result_of("device revoke", args);
	assert_string_equal(text_of(result, "state"), "revoked");
	json_decref(result);

	assert_ok(registry_find(office.ctx.registry, an.number, &d));
	assert_int_equal(d.state, DEVICE_REVOKED);
	assert_int_equal(audit_count("device revoke"), 1);
	assert_refused("device revoke", args, ERR_CONFLICT, "revoked");
	assert_refused("device revoke", "{\"device\":2}", ERR_INVAL, "why");
	assert_refused("device show", "{\"device\":999}", ERR_NOTFOUND, "999");
	result = result_of("device show", args);
	assert_string_equal(text_of(result, "why"), "mất máy");
	assert_string_equal(text_of(result, "state"), "revoked");
	json_decref(result);
}

static void a_device_set_aside_is_released(UNUSED_STATE)
{
	char args[64];
	struct store_device d;
	json_t *result;

	snprintf(args, sizeof args, "{\"device\":%u}", an.number);
	assert_refused("device release", args, ERR_CONFLICT, "at work");
	assert_ok(store_load_device(office.writer, &office.arena, an.number, &d));
	d.id.state = DEVICE_FORKED;
	assert_ok(store_begin(office.writer));
	assert_ok(store_put_device(office.writer, &d));
	office_commit(&office);

	result = result_of("device release", args);
	assert_int_equal(strncmp(text_of(result, "invitation"), "ctxh://", 7), 0);
	assert_int_equal(int_of(result, "number"), an.number);
	assert_string_equal(text_of(result, "expires_at"), "2026-11-25T00:00:00.000Z");
	json_decref(result);
	assert_int_equal(audit_count("device release"), 1);
	result = result_of("device show", args);
	assert_string_equal(text_of(result, "state"), "forked");
	assert_string_equal(text_of(result, "released_at"), "2026-11-22T00:00:00.000Z");
	assert_string_equal(text_of(result, "release_expires_at"), "2026-11-25T00:00:00.000Z");
	assert_int_equal(json_array_size(json_object_get(result, "successors")), 0);
	json_decref(result);

	d.id.state = DEVICE_REVOKED;
	assert_ok(store_begin(office.writer));
	assert_ok(store_put_device(office.writer, &d));
	office_commit(&office);
	assert_refused("device release", args, ERR_CONFLICT, "was revoked");
	assert_refused("device release", "{\"device\":999}", ERR_NOTFOUND, "999");
}

/* ---- the log ---- */

static const char log_keys[] =
	"session device unit author started_at ended_at transport address client_version bytes_in "
	"bytes_out changesets applied conflicts quarantined records_out evictions clock_offset_ms "
	"outcome error";

static void log_has_the_keys_of_the_reference(UNUSED_STATE)
{
	json_t *rows;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	PUSH_NEW(&be, "person", OFFICE_TEXT("full_name", "Thị Bé"));
	rows = result_of("log", "{}");

	assert_int_equal(json_array_size(rows), 2);
	assert_has_keys(json_array_get(rows, 0), log_keys);
	/* Newest first. */
	assert_int_equal(int_of(json_array_get(rows, 0), "device"), be.number);
	assert_string_equal(text_of(json_array_get(rows, 0), "outcome"), "ok");
	assert_string_equal(text_of(json_array_get(rows, 0), "unit"), "25195");
	assert_string_equal(text_of(json_array_get(rows, 0), "started_at"),
			    "2026-11-22T00:00:00.000Z");
	json_decref(rows);
}

static size_t log_count(const char *args)
{
	json_t *rows = result_of("log", args);
	size_t count = json_array_size(rows);

	json_decref(rows);
	return count;
}

static void log_filters_narrow_it(UNUSED_STATE)
{
	char args[64];

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	PUSH_NEW(&be, "person", OFFICE_TEXT("full_name", "Thị Bé"));
	snprintf(args, sizeof args, "{\"device\":%u}", an.number);

	assert_int_equal(log_count(args), 1);
	assert_int_equal(log_count("{\"unit\":\"25195\"}"), 2);
	assert_int_equal(log_count("{\"unit\":\"25198\"}"), 0);
	assert_int_equal(log_count("{\"outcome\":\"ok\"}"), 2);
	assert_int_equal(log_count("{\"outcome\":\"refused\"}"), 0);
	assert_int_equal(log_count("{\"limit\":1}"), 1);
	assert_int_equal(log_count("{\"after\":1}"), 1);
	/* Midnight UTC is seven in the morning of the 22nd in Viet Nam. */
	assert_int_equal(log_count("{\"since\":\"2026-11-22\",\"until\":\"2026-11-22\"}"), 2);
	assert_int_equal(log_count("{\"until\":\"2026-11-21\"}"), 0);
	assert_int_equal(log_count("{\"since\":\"22/11/2026\"}"), 2);
	assert_int_equal(log_count("{\"since\":\"2026-11-22T00:00:01Z\"}"), 0);
	assert_refused("log", "{\"outcome\":\"good\"}", ERR_INVAL, "outcome");
	assert_refused("log", "{\"since\":\"yesterday\"}", ERR_INVAL, "since");
	assert_refused("log", "{\"unit\":\"99999\"}", ERR_NOTFOUND, "99999");
}

static void log_show_has_every_change_with_old_and_new(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"),
				OFFICE_TEXT("phone", "0912345678"));
	json_t *shown;
	const json_t *change;
	char hex[ID_HEX_LEN];

	push_edit(&an, "person", id, 1, (struct write)OFFICE_TEXT("phone", "0987654321"));
	shown = result_of("log show", "{\"session\":2}");
	change = json_array_get(json_object_get(shown, "changes"), 0);
	id_print(&id, hex);

	assert_has_keys(shown, log_keys);
	assert_int_equal(json_array_size(json_object_get(shown, "changes")), 1);
	assert_has_keys(change, "record type field old new result author");
	assert_string_equal(text_of(change, "record"), hex);
	assert_string_equal(text_of(change, "type"), "person");
	assert_string_equal(text_of(change, "field"), "phone");
	assert_string_equal(text_of(change, "old"), "0912345678");
	assert_string_equal(text_of(change, "new"), "0987654321");
	assert_string_equal(text_of(change, "result"), "applied");
	json_decref(shown);
	assert_refused("log show", "{\"session\":99}", ERR_NOTFOUND, "99");
}

static void log_show_names_units_by_code(UNUSED_STATE)
{
	json_t *shown;
	const json_t *changes;
	bool is_there = false;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	shown = result_of("log show", "{\"session\":1}");
	changes = json_object_get(shown, "changes");
	for (size_t i = 0; i < json_array_size(changes); i++) {
		const json_t *c = json_array_get(changes, i);

		if (strcmp(text_of(c, "field"), "unit") == 0)
			is_there = strcmp(text_of(c, "new"), "25195") == 0;
	}

	assert_true(is_there);
	json_decref(shown);
}

/* ---- records ---- */

static void record_show_has_fields_with_stamps_and_authors_and_history(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"),
				OFFICE_TEXT("phone", "0912345678"));
	struct asked a;
	const json_t *phone;
	const json_t *history;

	push_edit(&be, "person", id, 1, (struct write)OFFICE_TEXT("phone", "0987654321"));
	a = ask_record("record show", "record", id, 32, NULL);
	assert_ok(a.e);
	phone = json_object_get(json_object_get(a.call.result, "fields"), "phone");
	history = json_object_get(a.call.result, "history");

	assert_has_keys(a.call.result, "id type unit deleted fields history");
	assert_string_equal(text_of(a.call.result, "unit"), "25195");
	assert_string_equal(text_of(phone, "value"), "0987654321");
	assert_string_equal(text_of(phone, "author"), "Trần Thị Bé");
	assert_int_equal(int_of(json_object_get(phone, "stamp"), "device"), be.number);
	assert_has_keys(json_object_get(phone, "stamp"), "at counter device");
	/* Newest first. */
	assert_string_equal(text_of(json_array_get(history, 0), "new"), "0987654321");
	assert_string_equal(text_of(json_array_get(history, 0), "author"), "Trần Thị Bé");
	assert_int_equal(json_array_size(history), 4);
	assert_false(admin_wants_audit(&a.call));
	asked_clear(&a);
}

static void record_show_takes_a_prefix_and_says_when_it_is_not_enough(UNUSED_STATE)
{
	struct id first = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	struct id second = PUSH_NEW(&an, "household", OFFICE_TEXT("head_name", "Điểu K'Ré"));
	struct asked a = ask_record("record show", "record", first, 30, NULL);

	assert_ok(a.e);
	asked_clear(&a);

	/* Made in the same millisecond: the first digits are the clock. */
	a = ask_record("record show", "record", second, 8, NULL);
	assert_err(a.e, ERR_CONFLICT);
	asked_clear(&a);

	a = ask_record("record show", "record", first, 7, NULL);
	assert_err(a.e, ERR_INVAL);
	asked_clear(&a);
	assert_refused("record show", "{\"record\":\"ffffffffffff\"}", ERR_NOTFOUND, "missing");
	assert_refused("record show", "{\"record\":\"xyzxyzxyz\"}", ERR_INVAL, "record");
}

static void restricted_records_are_hidden_until_a_reason_is_given(UNUSED_STATE)
{
	struct id person = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	struct device cleared = enrol("25195", "Phạm Thị Cúc", true);
	struct id id;
	struct asked a;
	json_t *shown;

	id = PUSH_NEW(&cleared, "person_category",
		      {BYTES_LIT("person"), value_bytes(bytes_of(person.bytes, ID_LEN))},
		      OFFICE_TEXT("scheme", "hiv"));
	a = ask_record("record show", "record", id, 32, NULL);
	assert_ok(a.e);
	assert_true(json_is_true(json_object_get(a.call.result, "hidden")));
	assert_true(json_is_null(json_object_get(a.call.result, "type")));
	shown = json_object_get(json_object_get(a.call.result, "fields"), "scheme");
	assert_true(json_is_null(json_object_get(shown, "value")));
	shown = json_array_get(json_object_get(a.call.result, "history"), 0);
	assert_true(json_is_null(json_object_get(shown, "new")));
	assert_true(json_is_null(json_object_get(shown, "field")));
	asked_clear(&a);
	assert_int_equal(audit_count("read restricted"), 0);

	a = ask_record("record show", "record", id, 32, "thanh tra");
	assert_ok(a.e);
	shown = json_object_get(json_object_get(a.call.result, "fields"), "scheme");
	assert_string_equal(text_of(shown, "value"), "hiv");
	assert_string_equal(text_of(a.call.audit_detail, "reason"), "thanh tra");
	assert_int_equal(json_array_size(json_object_get(a.call.audit_detail, "records")), 1);
	asked_clear(&a);
	assert_int_equal(audit_count("read restricted"), 1);
}

/* ---- what waits for a person ---- */

static void conflicts_have_the_keys_of_the_reference(UNUSED_STATE)
{
	struct id id = PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	json_t *rows;
	json_t *shown;
	const json_t *row;
	char args[64];

	push_edit(&an, "person", id, 1, (struct write)OFFICE_TEXT("occupation", "giáo viên"));
	be.clock += 1000;
	push_edit(&be, "person", id, 1, (struct write)OFFICE_TEXT("occupation", "thợ may"));
	rows = result_of("conflict list", "{\"open\":true}");
	row = json_array_get(rows, 0);

	assert_int_equal(json_array_size(rows), 1);
	assert_has_keys(row, "conflict record type field kept lost kept_by lost_by at state");
	assert_string_equal(text_of(row, "field"), "occupation");
	assert_string_equal(text_of(row, "kept"), "thợ may");
	assert_string_equal(text_of(row, "lost"), "giáo viên");
	assert_string_equal(text_of(row, "kept_by"), "Trần Thị Bé");
	assert_string_equal(text_of(row, "lost_by"), "Lê Văn An");
	assert_string_equal(text_of(row, "state"), "open");
	snprintf(args, sizeof args, "{\"conflict\":%lld}", (long long)int_of(row, "conflict"));
	shown = result_of("conflict show", args);
	assert_has_keys(shown, "conflict kept_stamp lost_stamp log");
	json_decref(shown);
	json_decref(rows);
	assert_refused("conflict show", "{\"conflict\":99}", ERR_NOTFOUND, "99");
}

static void quarantine_shows_the_whole_change(UNUSED_STATE)
{
	json_t *rows;
	json_t *shown;
	char args[64];

	PUSH_NEW(&an, "person", {BYTES_LIT("full_name"), value_int(7)});
	rows = result_of("quarantine list", "{\"open\":true}");
	assert_int_equal(json_array_size(rows), 1);
	assert_has_keys(json_array_get(rows, 0), "quarantine device number reason field at state");
	assert_string_equal(text_of(json_array_get(rows, 0), "reason"), "wrong_type");
	assert_string_equal(text_of(json_array_get(rows, 0), "field"), "full_name");

	snprintf(args, sizeof args, "{\"quarantine\":%lld}",
		 (long long)int_of(json_array_get(rows, 0), "quarantine"));
	shown = result_of("quarantine show", args);
	assert_int_equal(int_of(json_object_get(shown, "fields"), "full_name"), 7);
	assert_string_equal(text_of(shown, "type"), "person");
	assert_string_equal(text_of(shown, "author"), "Lê Văn An");
	json_decref(shown);
	json_decref(rows);
	assert_refused("quarantine show", "{\"quarantine\":99}", ERR_NOTFOUND, "99");
}

static void a_quarantined_change_is_merged_once_its_cause_is_gone(UNUSED_STATE)
{
	int64_t other = office_unit(&office, "25198", DAY_2021);
	struct edit edit = {.type = "person",
			    .id = id_new(&office.clock.clock, rand_system()),
			    .writes = {OFFICE_TEXT("full_name", "Người Xã Bên"),
				       {BYTES_LIT("unit"), value_int(other)}},
			    .count = 2};
	struct notice_row *notices = NULL;
	size_t count = 0;

	assert_int_equal(push(&an, &edit, 1, NULL).quarantined, 1);
	assert_refused("quarantine replay", "{\"quarantine\":1}", ERR_INVAL, "out_of_scope");
	assert_ok(store_begin(office.writer));
	assert_ok(store_add_device_unit(office.writer, an.number, other));
	office_commit(&office);
	json_t *done = result_of("quarantine replay", "{\"quarantine\":1}");

	struct store_state stored = {.record = {.type = BYTES_LIT("person"), .id = edit.id}};
	assert_ok(store_load_states(office.writer, &office.arena, &stored, 1));
	assert_int_equal(record_unit(&stored.record), other);
	assert_int_equal(record_last_stamp(&stored.record).device, an.number);
	assert_int_equal(record_last_stamp(&stored.record).clock, an.clock);
	assert_string_equal(text_of(done, "state"), "replayed");
	assert_ok(store_load_notices(office.writer, &office.arena, an.number,
				     &(struct store_range){.limit = 10}, &notices, &count));
	assert_int_equal(count, 2);
	assert_true(bytes_is(notices[1].kind, "decided"));
	assert_refused("quarantine replay", "{\"quarantine\":1}", ERR_CONFLICT, "replayed");
	assert_int_equal(audit_count("quarantine replayed"), 1);
	/* The log still makes the same states. */
	json_t *verified = result_of("verify", "{}");
	assert_int_equal(json_array_size(json_object_get(verified, "differences")), 0);
	json_decref(verified);
	json_decref(done);
}

static void a_discarded_change_is_kept_with_its_reason(UNUSED_STATE)
{
	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu B"), OFFICE_TEXT("sex", "x"));
	assert_refused("quarantine discard", "{\"quarantine\":1}", ERR_INVAL, "why");
	json_t *done = result_of("quarantine discard", "{\"quarantine\":1,\"why\":\"nhầm\"}");
	json_t *shown = result_of("quarantine show", "{\"quarantine\":1}");

	assert_string_equal(text_of(done, "state"), "discarded");
	assert_string_equal(text_of(shown, "why"), "nhầm");
	assert_non_null(json_object_get(shown, "fields"));
	assert_refused("quarantine replay", "{\"quarantine\":1}", ERR_CONFLICT, "discarded");
	assert_refused("quarantine discard", "{\"quarantine\":9,\"why\":\"x\"}", ERR_NOTFOUND, "9");
	json_decref(done);
	json_decref(shown);
}

static void a_quarantined_restricted_code_is_hidden(UNUSED_STATE)
{
	json_t *shown;

	/* Refused for its date; the restricted code in it is no less restricted for that. */
	PUSH_NEW(&an, "person_category", OFFICE_TEXT("scheme", "hiv"),
		 OFFICE_TEXT("since_on", "hôm qua"));
	shown = result_of("quarantine show", "{\"quarantine\":1}");

	assert_true(json_is_true(json_object_get(shown, "hidden")));
	assert_true(json_is_null(json_object_get(shown, "fields")));
	json_decref(shown);
}

static void missing_numbers_are_shown_as_such(UNUSED_STATE)
{
	struct asked a = ask("missing", "{}");
	struct store_device d;
	const json_t *row;

	assert_ok(a.e);
	assert_int_equal(json_array_size(a.call.result), 0);
	assert_int_equal(a.call.exit_code, 0);
	asked_clear(&a);

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	assert_ok(store_begin(office.writer));
	assert_ok(store_load_device(office.writer, &office.arena, an.number, &d));
	d.seen_number = 5;
	assert_ok(store_put_device(office.writer, &d));
	office_commit(&office);

	a = ask("missing", "{}");
	row = json_array_get(a.call.result, 0);
	assert_int_equal(a.call.exit_code, 4);
	assert_has_keys(row, "device units held missing last_contact");
	assert_string_equal(text_of(row, "held"), "1-1");
	assert_string_equal(text_of(row, "missing"), "2-5");
	asked_clear(&a);
}

/* ---- reports, audit, verify ---- */

static void report_run_has_the_keys_of_the_reference(UNUSED_STATE)
{
	json_t *report =
		result_of("report run", "{\"id\":\"CT02\",\"unit\":\"70\",\"from\":\"01/01/2020\","
					"\"to\":\"31/12/2020\",\"on\":\"2021-04-13\"}");

	assert_has_keys(report, "as_of stale_units quarantined rows");
	assert_has_keys(json_array_get(json_object_get(report, "rows"), 0),
			"indicator unit value numerator denominator code label");
	json_decref(report);
	assert_int_equal(audit_count("report run"), 0);
	assert_refused("report run",
		       "{\"id\":\"CT99\",\"unit\":\"70\",\"from\":\"2020-01-01\",\"to\":\"2020-12-"
		       "31\"}",
		       ERR_NOTFOUND, "CT99");
	assert_refused("report run",
		       "{\"id\":\"CT02\",\"unit\":\"70\",\"from\":\"2021-01-01\",\"to\":\"2020-12-"
		       "31\"}",
		       ERR_INVAL, "ends before");
	assert_refused("report run",
		       "{\"id\":\"CT02\",\"unit\":\"99\",\"from\":\"2020-01-01\",\"to\":\"2020-12-"
		       "31\"}",
		       ERR_NOTFOUND, "--on");
}

static void restricted_reports_are_audited(UNUSED_STATE)
{
	json_t *report =
		result_of("report run", "{\"id\":\"CTH10\",\"unit\":\"70\",\"from\":\"2020-01-01\","
					"\"to\":\"2020-12-31\",\"on\":\"2021-04-13\"}");

	json_decref(report);
	assert_int_equal(audit_count("report run"), 1);
}

static void queries_are_audited(UNUSED_STATE)
{
	json_t *result = result_of("query", "{\"sql\":\"SELECT 1 AS a\"}");

	json_decref(result);
	assert_int_equal(audit_count("query"), 1);
	assert_refused("query", "{\"sql\":\"DELETE FROM person\"}", ERR_AUTH, "SELECT");
	assert_int_equal(audit_count("query"), 2);
}

static void audit_list_is_newest_first(UNUSED_STATE)
{
	json_t *rows;

	json_decref(result_of("query", "{\"sql\":\"SELECT 1 AS a\"}"));
	json_decref(result_of("query", "{\"sql\":\"SELECT 2 AS a\"}"));
	rows = result_of("audit list", "{\"limit\":1}");

	assert_int_equal(json_array_size(rows), 1);
	assert_has_keys(json_array_get(rows, 0), "entry at who what detail hash");
	assert_string_equal(text_of(json_object_get(json_array_get(rows, 0), "detail"), "sql"),
			    "SELECT 2 AS a");
	json_decref(rows);
}

static void verify_finds_nothing_in_a_sound_store(UNUSED_STATE)
{
	struct asked a;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	a = ask("verify", "{}");
	assert_ok(a.e);

	assert_has_keys(a.call.result,
			"log changesets changes records invariants found differences");
	assert_int_equal(int_of(a.call.result, "found"), 0);
	assert_int_equal(int_of(a.call.result, "records"), 1);
	assert_int_equal(a.call.exit_code, 0);
	asked_clear(&a);
}

static void verify_finds_a_record_the_log_does_not_have(UNUSED_STATE)
{
	struct asked a;

	PUSH_NEW(&an, "person", OFFICE_TEXT("full_name", "Điểu K'Ré"));
	assert_ok(store_begin(office.writer));
	OFFICE_PUT(&office, "person", office_unit(&office, "25195", DAY_2021),
		   OFFICE_TEXT("full_name", "Ai đó"));
	office_commit(&office);
	a = ask("verify", "{}");
	assert_ok(a.e);

	assert_true(int_of(a.call.result, "found") > 0);
	assert_has_keys(json_array_get(json_object_get(a.call.result, "differences"), 0),
			"invariant table key text");
	assert_int_equal(a.call.exit_code, 4);
	asked_clear(&a);
}

static void an_unknown_command_is_none(UNUSED_STATE)
{
	assert_null(admin_find("device"));
	assert_null(admin_find("conflict keep 1"));
	assert_null(admin_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(status_says_how_everything_stands),
		T(a_commune_goes_stale_after_thirty_days),
		T(unit_list_has_the_communes_of_a_day),
		T(unit_import_tells_what_it_did_and_is_audited),
		T(unit_import_of_a_wrong_list_changes_nothing),
		T(a_succession_gives_the_new_communes_what_the_old_ones_had),
		T(device_invite_gives_one_line_and_keeps_the_code_out_of_the_audit),
		T(device_invite_refuses_what_it_does_not_understand),
		T(device_list_has_the_keys_of_the_reference),
		T(a_revoked_device_may_not_speak_from_the_next_request_on),
		T(a_device_set_aside_is_released),
		T(log_has_the_keys_of_the_reference),
		T(log_filters_narrow_it),
		T(log_show_has_every_change_with_old_and_new),
		T(log_show_names_units_by_code),
		T(record_show_has_fields_with_stamps_and_authors_and_history),
		T(record_show_takes_a_prefix_and_says_when_it_is_not_enough),
		T(restricted_records_are_hidden_until_a_reason_is_given),
		T(conflicts_have_the_keys_of_the_reference),
		T(quarantine_shows_the_whole_change),
		T(a_quarantined_change_is_merged_once_its_cause_is_gone),
		T(a_discarded_change_is_kept_with_its_reason),
		T(a_quarantined_restricted_code_is_hidden),
		T(missing_numbers_are_shown_as_such),
		T(report_run_has_the_keys_of_the_reference),
		T(restricted_reports_are_audited),
		T(queries_are_audited),
		T(audit_list_is_newest_first),
		T(verify_finds_nothing_in_a_sound_store),
		T(verify_finds_a_record_the_log_does_not_have),
		T(an_unknown_command_is_none),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
