#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/enrol.h"
#include "daemon/session.h"
#include "daemon/store_sql.h"
#include "tests/support/ground.h"

static struct ground g;

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

static struct invitation invite(bool is_cleared)
{
	struct enrol_invite in = {.units = &g.north,
				  .unit_count = 1,
				  .author = BYTES_LIT("Chị Hoa"),
				  .is_cleared = is_cleared,
				  .now_ms = g.clock.wall};
	struct invitation out;

	assert_ok(store_begin(g.store));
	assert_ok(enrol_invite(&g.ctx, g.store, &in, &out));
	assert_ok(store_commit(g.store));
	return out;
}

/* In a transaction. */
static enum err ask(const struct invitation *i, uint8_t key, struct msg_enrolled *ret_enrolled,
		    struct registry_device *ret_device)
{
	struct msg_enrol m = {.name = BYTES_LIT("Máy xã"), .client_version = BYTES_LIT("0.1.0")};
	uint8_t seed[32] = {0x40, key};
	struct sign_pair pair;

	sign_pair_from_seed(seed, &pair);
	m.key = pair.public_key;
	memcpy(m.code, i->code, sizeof m.code);
	return enrol_run(&g.ctx, g.store, &g.a, &m, ret_enrolled, ret_device);
}

static enum err enrol(const struct invitation *i, uint8_t key, struct msg_enrolled *ret_enrolled,
		      struct registry_device *ret_device)
{
	enum err e;

	assert_ok(store_begin(g.store));
	e = ask(i, key, ret_enrolled, ret_device);
	assert_ok(store_commit(g.store));
	return e;
}

static void an_invitation_enrols_a_device(UNUSED_STATE)
{
	struct invitation i = invite(true);
	struct msg_enrolled m;
	struct registry_device d;
	struct store_device row;

	assert_ok(enrol(&i, 1, &m, &d));

	assert_int_equal(d.number, 1);
	assert_int_equal(d.state, DEVICE_ACTIVE);
	assert_true(d.is_cleared);
	assert_int_equal(m.device, 1);
	assert_int_equal(m.unit_count, 1);
	assert_int_equal(m.units[0], g.north);
	assert_true(bytes_is(m.author, "Chị Hoa"));
	assert_memory_equal(m.daemon.bytes, g.ctx.daemon.bytes, ID_LEN);
	assert_memory_equal(m.daemon_key.bytes, g.ctx.key.public_key.bytes, SIGN_PUBLIC_LEN);
	assert_ok(store_load_device(g.store, &g.a, 1, &row));
	assert_true(bytes_is(row.name, "Máy xã"));
	assert_int_equal(row.enrolled_ms, g.clock.wall);
}

/* What was enrolled after the backup has those numbers, and is forgotten here. */
static void numbers_are_not_given_again_after_a_restore(UNUSED_STATE)
{
	struct invitation i[3] = {invite(false), invite(false), invite(false)};
	struct msg_enrolled m;
	struct registry_device d;
	const struct id epoch = {{0}};

	assert_ok(enrol(&i[0], 1, &m, &d));
	assert_int_equal(d.number, 1);
	assert_ok(store_begin(g.store));
	assert_ok(enrol_leave_gap(g.store, &epoch));
	assert_ok(enrol_leave_gap(g.store, &epoch));
	assert_ok(store_commit(g.store));

	assert_ok(enrol(&i[1], 2, &m, &d));
	assert_int_equal(d.number, 2 + 2 * ENROL_GAP);
	assert_ok(enrol(&i[2], 3, &m, &d));
	assert_int_equal(d.number, 3 + 2 * ENROL_GAP);
}

#define LIVES 201u

static int by_number(const void *a, const void *b)
{
	const uint32_t *left = a;
	const uint32_t *right = b;

	return (*left > *right) - (*left < *right);
}

/*
 * One backup may be restored twice: the second life knows nothing of whom the first enrolled. Two
 * hundred lives of one backup, ten devices each: hardly two meet. (Some twenty would, were there a
 * thousand places to begin at.)
 */
static void restores_of_one_backup_give_other_numbers(UNUSED_STATE)
{
	struct invitation i = invite(false);
	static uint32_t given[LIVES];
	struct msg_enrolled m;
	struct registry_device d;
	size_t meetings = 0;

	for (size_t k = 0; k < LIVES; k++) {
		const struct id epoch = id_new(&g.clock.clock, &g.rand);

		assert_ok(store_begin(g.store));
		assert_ok(enrol_leave_gap(g.store, &epoch));
		assert_ok(ask(&i, 1, &m, &d));
		store_rollback(g.store);
		given[k] = d.number;
		assert_true(d.number > ENROL_GAP);
	}

	qsort(given, LIVES, sizeof *given, by_number);
	for (size_t k = 1; k < LIVES; k++)
		meetings += given[k] < given[k - 1] + 10;
	assert_in_range(meetings, 0, 2);
}

static void a_code_works_once(UNUSED_STATE)
{
	struct invitation i = invite(false);
	struct msg_enrolled m;
	struct registry_device d;

	assert_ok(enrol(&i, 1, &m, &d));

	assert_err(enrol(&i, 2, &m, &d), ERR_AUTH);
}

static void the_same_key_may_ask_again(UNUSED_STATE)
{
	struct invitation i = invite(false);
	struct msg_enrolled m;
	struct registry_device first;
	struct registry_device second;

	assert_ok(enrol(&i, 1, &m, &first));
	g.clock.wall += ENROL_EXPIRES_MS * 2;
	assert_ok(enrol(&i, 1, &m, &second));

	assert_int_equal(first.number, second.number);
}

static void a_code_expires(UNUSED_STATE)
{
	struct invitation i = invite(false);
	struct msg_enrolled m;
	struct registry_device d;

	g.clock.wall += ENROL_EXPIRES_MS;

	assert_err(enrol(&i, 1, &m, &d), ERR_AUTH);
}

static void a_key_belongs_to_one_device(UNUSED_STATE)
{
	struct invitation first = invite(false);
	struct invitation second = invite(false);
	struct msg_enrolled m;
	struct registry_device d;

	assert_ok(enrol(&first, 1, &m, &d));
	assert_err(enrol(&second, 1, &m, &d), ERR_CONFLICT);
	/* The second code was not used up by it. */
	assert_ok(enrol(&second, 2, &m, &d));
	assert_int_equal(d.number, 2);
}

static void wrong_codes_are_counted_and_then_refused(UNUSED_STATE)
{
	struct invitation good = invite(false);
	struct invitation bad = good;
	struct msg_enrolled m;
	struct registry_device d;

	bad.code[0] ^= 1;
	for (unsigned i = 0; i < ENROL_TRIES_HOUR; i++)
		assert_err(enrol(&bad, 1, &m, &d), ERR_AUTH);

	assert_err(enrol(&bad, 1, &m, &d), ERR_AGAIN);
	g.clock.wall += 3600000;
	assert_err(enrol(&bad, 1, &m, &d), ERR_AUTH);
}

/* Or anybody could keep a whole province from enrolling. */
static void guessing_does_not_keep_a_right_code_out(UNUSED_STATE)
{
	struct invitation good = invite(false);
	struct invitation bad = good;
	struct msg_enrolled m;
	struct registry_device d;

	bad.code[0] ^= 1;
	for (unsigned i = 0; i <= ENROL_TRIES_HOUR; i++)
		(void)enrol(&bad, 1, &m, &d);

	assert_ok(enrol(&good, 1, &m, &d));
}

/* The answer was not lost, then: whoever asks again copied the request. */
static void a_device_that_spoke_is_not_enrolled_again(UNUSED_STATE)
{
	struct invitation i = invite(false);
	const struct session_start start = {.device = 1, .counter = 1, .now_ms = 1};
	struct msg_enrolled m;
	struct registry_device d;
	uint64_t session;

	assert_ok(enrol(&i, 1, &m, &d));
	assert_ok(session_begin(g.store, &start, &session));

	assert_err(enrol(&i, 1, &m, &d), ERR_AUTH);
}

static void a_revoked_device_is_not_enrolled_again(UNUSED_STATE)
{
	struct invitation i = invite(false);
	struct msg_enrolled m;
	struct registry_device d;

	assert_ok(enrol(&i, 1, &m, &d));
	assert_ok(enrol_revoke(g.store, 1, BYTES_LIT("mất máy"), 1, &d));

	assert_err(enrol(&i, 1, &m, &d), ERR_AUTH);
}

/* A request that was refused after its counter was taken must not be taken after a restart. */
static void a_refused_contact_keeps_its_counter(UNUSED_STATE)
{
	struct invitation i = invite(false);
	const struct session_start start = {.device = 1, .counter = 9, .now_ms = 1};
	const struct session_start forged = {.device = 1, .counter = 99, .now_ms = 1};
	struct store_device row;
	struct msg_enrolled m;
	struct registry_device d;
	uint64_t session;

	assert_ok(enrol(&i, 1, &m, &d));
	assert_ok(session_refused(g.store, &start, true, BYTES_LIT("full"), 0, &session));
	assert_ok(
		session_refused(g.store, &forged, false, BYTES_LIT("unknown_device"), 0, &session));

	assert_ok(store_load_device(g.store, &g.a, 1, &row));
	assert_int_equal(row.id.counter, 9);
}

static void codes_are_not_in_the_store(UNUSED_STATE)
{
	struct invitation i = invite(false);
	AUTO(sql_done) struct sql *q = NULL;
	static const char sql[] = "SELECT code FROM invitation";

	assert_ok(sql_use(g.store, sql, &q));
	assert_ok(sql_run_row(q));

	assert_int_equal(sql_blob(q, 0).len, HASH_LEN);
	assert_true(memcmp(sql_blob(q, 0).data, i.code, sizeof i.code) != 0);
	struct hash plain = hash_of(bytes_of(i.code, sizeof i.code));
	assert_true(memcmp(sql_blob(q, 0).data, plain.bytes, HASH_LEN) != 0);
}

static void an_invitation_needs_a_unit(UNUSED_STATE)
{
	struct enrol_invite in = {.now_ms = g.clock.wall};
	struct invitation out;

	assert_ok(store_begin(g.store));
	assert_err(enrol_invite(&g.ctx, g.store, &in, &out), ERR_INVAL);
	assert_ok(store_commit(g.store));
}

static void a_revoked_device_stays_revoked(UNUSED_STATE)
{
	struct invitation i = invite(false);
	struct msg_enrolled m;
	struct registry_device d;
	struct store_device row;

	assert_ok(enrol(&i, 1, &m, &d));
	assert_ok(store_begin(g.store));
	assert_ok(enrol_revoke(g.store, 1, BYTES_LIT("mất máy"), g.clock.wall, &d));
	assert_int_equal(d.state, DEVICE_REVOKED);
	assert_err(enrol_revoke(g.store, 9, BYTES_LIT("?"), 0, &d), ERR_NOTFOUND);
	assert_err(enrol_revoke(g.store, 0, BYTES_LIT("?"), 0, &d), ERR_INVAL);
	assert_ok(store_commit(g.store));

	assert_ok(store_load_device(g.store, &g.a, 1, &row));
	assert_true(bytes_is(row.why, "mất máy"));
	assert_int_equal(row.revoked_ms, g.clock.wall);
}

/* ---- devices set aside ---- */

/* Device 1, of key 1, cleared, in both communes' province; then set aside. */
static void make_forked(void)
{
	struct invitation i = invite(true);
	struct msg_enrolled m;
	struct registry_device d;
	struct store_device row;

	assert_ok(enrol(&i, 1, &m, &d));
	assert_ok(store_load_device(g.store, &g.a, 1, &row));
	row.id.state = DEVICE_FORKED;
	row.last_number = 7;
	row.seen_number = 7;
	row.chain.bytes[0] = 0xc7;
	assert_ok(store_begin(g.store));
	assert_ok(store_put_device(g.store, &row));
	assert_ok(store_commit(g.store));
}

static enum err release(uint32_t number, struct invitation *ret_invitation)
{
	enum err e;

	assert_ok(store_begin(g.store));
	e = enrol_release(&g.ctx, g.store, number, g.clock.wall, 0, ret_invitation);
	assert_ok(store_commit(g.store));
	return e;
}

static uint64_t home_notice; /* what the home says it was told */
static struct id home_epoch; /* and in which epoch */

/* The home of key `former` asks for another identity, with key `key`. */
static enum err enrol_home(const struct invitation *i, uint8_t former, uint8_t key,
			   struct msg_enrolled *ret_enrolled)
{
	struct msg_enrol m = {.name = BYTES_LIT("Máy xã")};
	struct registry_device d;
	uint8_t seed[32] = {0x40, key};
	struct sign_pair pair;
	enum err e;

	sign_pair_from_seed(seed, &pair);
	m.key = pair.public_key;
	memcpy(m.code, i->code, sizeof m.code);
	seed[1] = former;
	sign_pair_from_seed(seed, &pair);
	msg_enrol_vouch(&m, &g.ctx.daemon, &pair);
	m.notice = home_notice;
	m.epoch = home_epoch;
	assert_ok(store_begin(g.store));
	e = enrol_run(&g.ctx, g.store, &g.a, &m, ret_enrolled, &d);
	assert_ok(store_commit(g.store));
	return e;
}

static void a_released_device_goes_on_under_another_number(UNUSED_STATE)
{
	struct invitation i;
	struct msg_enrolled m;
	struct store_device row;
	struct enrol_released *rows = NULL;
	size_t count = 0;

	make_forked();
	assert_ok(release(1, &i));
	assert_ok(enrol_home(&i, 1, 2, &m));

	assert_int_equal(m.device, 2);
	assert_int_equal(m.former, 1);
	assert_int_equal(m.former_number, 7);
	assert_int_equal(m.former_chain.bytes[0], 0xc7);
	assert_true(m.is_cleared);
	assert_true(bytes_is(m.author, "Chị Hoa"));
	assert_int_equal(m.unit_count, 1);
	assert_int_equal(m.units[0], g.north);
	assert_ok(store_load_device(g.store, &g.a, 2, &row));
	assert_int_equal(row.former, 1);
	assert_int_equal(row.id.state, DEVICE_ACTIVE);
	assert_ok(store_load_device(g.store, &g.a, 1, &row));
	assert_int_equal(row.id.state, DEVICE_FORKED);
	assert_ok(enrol_load_released(g.store, &g.a, 1, &rows, &count));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].successor, 2);
	assert_int_equal(rows[0].at_ms, g.clock.wall);
}

/* The answer was lost; or the home was copied once more before it asked. */
static void each_release_serves_one_copy_of_a_disk(UNUSED_STATE)
{
	struct invitation first;
	struct invitation second;
	struct msg_enrolled m;

	make_forked();
	assert_ok(release(1, &first));
	assert_ok(release(1, &second));
	assert_ok(enrol_home(&first, 1, 2, &m));
	assert_ok(enrol_home(&first, 1, 2, &m));
	assert_int_equal(m.device, 2);
	assert_int_equal(m.former, 1);
	assert_err(enrol_home(&first, 1, 3, &m), ERR_AUTH);

	assert_ok(enrol_home(&second, 1, 3, &m));
	assert_int_equal(m.device, 3);
	assert_int_equal(m.former, 1);
}

static void a_release_is_for_the_home_that_holds_the_key(UNUSED_STATE)
{
	struct invitation i;
	struct invitation ordinary;
	struct msg_enrolled m;
	struct registry_device d;

	make_forked();
	ordinary = invite(false);
	assert_ok(release(1, &i));

	/* A new folder; another device's; one that only says it is that home. */
	assert_err(enrol(&i, 2, &m, &d), ERR_INVAL);
	assert_err(enrol_home(&i, 9, 2, &m), ERR_INVAL);
	g.ctx.daemon.bytes[0] ^= 1;
	struct msg_enrol forged = {.former = g.ctx.key.public_key};
	g.ctx.daemon.bytes[0] ^= 1;
	memcpy(forged.code, i.code, sizeof forged.code);
	assert_err(enrol_run(&g.ctx, g.store, &g.a, &forged, &m, &d), ERR_INVAL);
	/* An ordinary invitation would hide whose changes those are. */
	assert_err(enrol_home(&ordinary, 1, 2, &m), ERR_INVAL);
	/* None of it used anything up. */
	assert_ok(enrol_home(&i, 1, 2, &m));
	assert_ok(enrol(&ordinary, 3, &m, &d));
}

static void assert_told(uint32_t device, const char *texts)
{
	AUTO(buf_clear) struct buf got = {0};
	struct notice_row *rows = NULL;
	size_t count = 0;

	assert_ok(store_load_notices(g.store, &g.a, device, &(struct store_range){.limit = 100},
				     &rows, &count));
	for (size_t i = 0; i < count; i++)
		buf_printf(&got, "%llu%.*s ", (unsigned long long)rows[i].notice,
			   BYTES_FMT(rows[i].text));
	assert_string_equal(buf_cstr(&got), texts);
}

static void tell(uint32_t device, const char *text)
{
	struct notice_row row = {
		.device = device, .kind = BYTES_LIT("conflict"), .text = bytes_str(text)};

	assert_ok(store_begin(g.store));
	assert_ok(store_notify(g.store, &row));
	assert_ok(store_commit(g.store));
}

/* Of what it wrote under the old number it hears all the same, from whenever it is told. */
static void what_the_former_is_told_reaches_its_successors(UNUSED_STATE)
{
	struct invitation i;
	struct msg_enrolled m;

	make_forked();
	tell(1, "seen");
	tell(1, "unseen");
	home_notice = 1;
	assert_ok(release(1, &i));
	assert_ok(enrol_home(&i, 1, 2, &m));
	tell(1, "late");
	home_notice = 0;
	assert_ok(release(1, &i));
	assert_ok(enrol_home(&i, 1, 3, &m));
	tell(2, "own");

	assert_told(1, "1seen 2unseen 3late ");
	assert_told(2, "1unseen 2late 3own ");
	assert_told(3, "1seen 2unseen 3late ");
}

/* After a restore numbers are given again, to other notices. */
static void what_was_told_in_another_epoch_counts_for_nothing(UNUSED_STATE)
{
	struct invitation i;
	struct msg_enrolled m;

	make_forked();
	tell(1, "new");
	home_notice = 5;
	home_epoch = g.ctx.daemon;
	assert_ok(release(1, &i));
	assert_ok(enrol_home(&i, 1, 2, &m));
	home_notice = 1;
	home_epoch = g.ctx.epoch;
	assert_ok(release(1, &i));
	assert_ok(enrol_home(&i, 1, 3, &m));
	home_notice = 0;
	home_epoch = (struct id){0};

	assert_told(2, "1new ");
	assert_told(3, "");
}

/* Restored from an older backup: the office does not know the device any more. */
static void a_home_nobody_here_knows_uses_any_invitation(UNUSED_STATE)
{
	struct invitation i = invite(false);
	struct msg_enrolled m;

	assert_ok(enrol_home(&i, 9, 2, &m));

	assert_int_equal(m.former, 0);
}

static void what_is_not_set_aside_is_not_released(UNUSED_STATE)
{
	struct invitation i = invite(false);
	struct invitation out;
	struct msg_enrolled m;
	struct registry_device d;
	struct store_device row;

	assert_ok(enrol(&i, 1, &m, &d));

	assert_err(release(1, &out), ERR_INVAL);
	assert_err(release(9, &out), ERR_NOTFOUND);
	assert_err(release(0, &out), ERR_INVAL);
	/* Numbers of it are lost: it can send nothing more, which is as good as set aside. */
	assert_ok(store_load_device(g.store, &g.a, 1, &row));
	row.seen_number = 3;
	assert_ok(store_put_device(g.store, &row));
	assert_ok(release(1, &out));
	assert_ok(enrol_home(&out, 1, 2, &m));
	assert_ok(store_load_device(g.store, &g.a, 1, &row));
	assert_int_equal(row.id.state, DEVICE_FORKED);
}

static void a_revoked_device_is_not_released(UNUSED_STATE)
{
	struct invitation i;
	struct invitation late;
	struct msg_enrolled m;
	struct registry_device d;

	make_forked();
	assert_ok(release(1, &i));
	assert_ok(enrol_revoke(g.store, 1, BYTES_LIT("mất máy"), 1, &d));

	assert_err(release(1, &late), ERR_INVAL);
	assert_err(enrol_home(&i, 1, 2, &m), ERR_AUTH);
	assert_err(store_load_device(g.store, &g.a, 2, &(struct store_device){0}), ERR_NOTFOUND);
}

static void the_registry_gets_every_device_but_the_office(UNUSED_STATE)
{
	struct invitation i = invite(false);
	struct msg_enrolled m;
	struct registry_device d;
	AUTO(registry_free) struct registry *r = registry_new();

	assert_ok(enrol(&i, 1, &m, &d));
	assert_ok(enrol_load_registry(g.store, r));

	assert_int_equal(registry_count(r), 1);
	assert_ok(registry_find(r, 1, &d));
	assert_err(registry_find(r, STAMP_DEVICE_OFFICE, &d), ERR_NOTFOUND);
}

/* ---- the sync log ---- */

static struct session_start start_of(uint32_t device)
{
	return (struct session_start){.device = device,
				      .author = BYTES_LIT("Chị Hoa"),
				      .transport = BYTES_LIT("network"),
				      .address = BYTES_LIT("127.0.0.1:1"),
				      .client_version = BYTES_LIT("0.1.0"),
				      .bytes_in = 100,
				      .counter = 7,
				      .sent_ms = g.clock.wall + 2000,
				      .now_ms = g.clock.wall};
}

static struct session_row run_session(struct ground_device *d, const struct ingest_result *result,
				      const struct session_finish *finish)
{
	struct session_start start = start_of(d->number);
	struct session_row row;
	uint64_t session;

	assert_ok(store_begin(g.store));
	assert_ok(session_begin(g.store, &start, &session));
	assert_ok(session_merged(g.store, session, result));
	assert_ok(session_end(g.store, session, finish));
	assert_ok(store_commit(g.store));
	assert_ok(session_load(g.store, &g.a, session, &row));
	return row;
}

static void a_session_has_every_figure(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct ingest_result result = {.changeset_count = 2, .applied = 30};
	struct session_finish finish = {.now_ms = g.clock.wall + 50,
					.bytes_out = 900,
					.stats = {.records = 5, .evictions = 1}};
	struct store_device device;

	struct session_row row = run_session(d, &result, &finish);

	assert_int_equal(row.device, d->number);
	assert_true(row.is_device_known);
	assert_int_equal(row.unit, g.north);
	assert_true(bytes_is(row.author, "Chị Hoa"));
	assert_int_equal(row.started_ms, g.clock.wall);
	assert_int_equal(row.ended_ms, g.clock.wall + 50);
	assert_true(bytes_is(row.transport, "network"));
	assert_true(bytes_is(row.address, "127.0.0.1:1"));
	assert_int_equal(row.bytes_in, 100);
	assert_int_equal(row.bytes_out, 900);
	assert_int_equal(row.changesets, 2);
	assert_int_equal(row.applied, 30);
	assert_int_equal(row.records_out, 5);
	assert_int_equal(row.evictions, 1);
	assert_int_equal(row.clock_offset_ms, 2000);
	assert_int_equal(row.outcome, SESSION_OK);
	assert_ok(store_load_device(g.store, &g.a, d->number, &device));
	assert_int_equal(device.last_contact_ms, g.clock.wall);
	assert_int_equal(device.clock_offset_ms, 2000);
	assert_int_equal(device.id.counter, 7);
	assert_true(bytes_is(device.client_version, "0.1.0"));
}

static void outcomes_are_told_apart(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct session_finish finish = {.now_ms = g.clock.wall};
	struct session_finish failed = {
		.now_ms = g.clock.wall, .is_failed = true, .error = BYTES_LIT("net")};
	struct ingest_result quarantined = {.quarantined = 1};
	struct ingest_result conflicts = {.conflicts = 1};
	struct ingest_result gap = {.outcome = INGEST_GAP};
	struct ingest_result forked = {.outcome = INGEST_FORKED};
	struct ingest_result fine = {0};

	assert_int_equal(run_session(d, &quarantined, &finish).outcome, SESSION_PARTIAL);
	assert_int_equal(run_session(d, &conflicts, &finish).outcome, SESSION_PARTIAL);
	assert_int_equal(run_session(d, &gap, &finish).outcome, SESSION_PARTIAL);
	assert_int_equal(run_session(d, &forked, &finish).outcome, SESSION_REFUSED);
	struct session_row row = run_session(d, &fine, &failed);
	assert_int_equal(row.outcome, SESSION_FAILED);
	assert_true(bytes_is(row.error, "net"));
}

static void an_unended_session_is_mended_at_start(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, g.north, false);
	struct session_start start = start_of(d->number);
	struct session_row row;
	uint64_t session;

	assert_ok(store_begin(g.store));
	assert_ok(session_begin(g.store, &start, &session));
	assert_ok(store_commit(g.store));
	ground_reopen(&g);
	assert_ok(store_begin(g.store));
	assert_ok(session_mend(g.store, g.clock.wall + 9));
	assert_ok(store_commit(g.store));

	assert_ok(session_load(g.store, &g.a, session, &row));
	assert_int_equal(row.outcome, SESSION_FAILED);
	assert_true(bytes_is(row.error, "interrupted"));
}

static void the_log_is_filtered(UNUSED_STATE)
{
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.south, false);
	struct session_finish finish = {.now_ms = g.clock.wall};
	struct ingest_result fine = {0};
	struct session_start stranger;
	struct session_row *rows = NULL;
	size_t count = 0;
	uint64_t refused;

	(void)run_session(a, &fine, &finish);
	g.clock.wall += 1000;
	(void)run_session(b, &fine, &finish);
	stranger = start_of(77);
	assert_ok(store_begin(g.store));
	assert_ok(session_refused(g.store, &stranger, false, BYTES_LIT("unknown_device"), 60,
				  &refused));
	assert_ok(store_commit(g.store));

	assert_ok(session_list(g.store, &g.a, &(struct session_filter){0}, &rows, &count));
	assert_int_equal(count, 3);
	assert_int_equal(rows[0].session, 3);
	assert_int_equal(rows[0].outcome, SESSION_REFUSED);
	assert_false(rows[0].is_device_known);
	assert_ok(session_list(g.store, &g.a, &(struct session_filter){.unit = g.south}, &rows,
			       &count));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0].device, b->number);
	assert_ok(session_list(g.store, &g.a,
			       &(struct session_filter){.has_device = true, .device = 1}, &rows,
			       &count));
	assert_int_equal(count, 1);
	assert_ok(session_list(g.store, &g.a,
			       &(struct session_filter){.since_ms = GROUND_START + 1}, &rows,
			       &count));
	assert_int_equal(count, 2);
	assert_ok(session_list(
		g.store, &g.a,
		&(struct session_filter){.has_outcome = true, .outcome = SESSION_REFUSED}, &rows,
		&count));
	assert_int_equal(count, 1);
	assert_ok(session_list(g.store, &g.a, &(struct session_filter){.after = 1}, &rows, &count));
	assert_int_equal(count, 2);
	assert_int_equal(rows[0].session, 2);
	assert_ok(session_list(g.store, &g.a, &(struct session_filter){.limit = 1}, &rows, &count));
	assert_int_equal(count, 1);
	struct session_row row;
	assert_err(session_load(g.store, &g.a, 99, &row), ERR_NOTFOUND);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_invitation_enrols_a_device),
		CASE(numbers_are_not_given_again_after_a_restore),
		CASE(restores_of_one_backup_give_other_numbers),
		CASE(a_code_works_once),
		CASE(the_same_key_may_ask_again),
		CASE(a_code_expires),
		CASE(a_key_belongs_to_one_device),
		CASE(wrong_codes_are_counted_and_then_refused),
		CASE(guessing_does_not_keep_a_right_code_out),
		CASE(a_device_that_spoke_is_not_enrolled_again),
		CASE(a_revoked_device_is_not_enrolled_again),
		CASE(a_refused_contact_keeps_its_counter),
		CASE(codes_are_not_in_the_store),
		CASE(an_invitation_needs_a_unit),
		CASE(a_revoked_device_stays_revoked),
		CASE(a_released_device_goes_on_under_another_number),
		CASE(each_release_serves_one_copy_of_a_disk),
		CASE(a_release_is_for_the_home_that_holds_the_key),
		CASE(what_the_former_is_told_reaches_its_successors),
		CASE(what_was_told_in_another_epoch_counts_for_nothing),
		CASE(a_home_nobody_here_knows_uses_any_invitation),
		CASE(what_is_not_set_aside_is_not_released),
		CASE(a_revoked_device_is_not_released),
		CASE(the_registry_gets_every_device_but_the_office),
		CASE(a_session_has_every_figure),
		CASE(outcomes_are_told_apart),
		CASE(an_unended_session_is_mended_at_start),
		CASE(the_log_is_filtered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
