#include "common/base/mem.h"
#include "common/model/digest.h"
#include "proto/limits.h"
#include "proto/msg.h"
#include "proto/pack.h"
#include "tests/unit/vectors.h"

/* ---- what most tests begin with ---- */

struct fixture {
	struct arena arena;
	struct buf out;
	struct buf stored;
	struct sign_pair device_key;
	struct sign_pair daemon_key;
	struct id daemon;
	struct id epoch;
};

static int setup(void **state)
{
	struct fixture *f = mem_alloc_zero(sizeof *f);
	uint8_t seed[32];

	memset(seed, 3, sizeof seed);
	sign_pair_from_seed(seed, &f->device_key);
	memset(seed, 4, sizeof seed);
	sign_pair_from_seed(seed, &f->daemon_key);
	memset(f->daemon.bytes, 0xda, ID_LEN);
	memset(f->epoch.bytes, 0xe0, ID_LEN);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_clear(&f->arena);
	buf_clear(&f->out);
	buf_clear(&f->stored);
	mem_free(f);
	return 0;
}

#define NOW_MS INT64_C(1795315919123)

/* The encoded bytes against the vector, and the vector for decoding. */
static struct bytes through_vector(struct fixture *f, const char *name)
{
	vector_check(name, buf_bytes(&f->out));
	vector_load(name, &f->stored);
	return buf_bytes(&f->stored);
}

#define assert_bytes(got, literal) assert_true(bytes_equal((got), BYTES_LIT(literal)))
#define assert_array(got, want)    assert_memory_equal((got), (want), sizeof(want))

/* ---- samples, one of each message ---- */

static struct msg_enrol sample_enrol(const struct fixture *f)
{
	struct msg_enrol m = {
		.key = f->device_key.public_key,
		.name = BYTES_LIT("Máy xã Lộc Thạnh"),
		.author = BYTES_LIT("Lê Văn Tám"),
		.client_version = BYTES_LIT("ctxh 0.1.0"),
		.sent_ms = NOW_MS,
	};

	memset(m.code, 0x0c, sizeof m.code);
	return m;
}

static int64_t sample_units[] = {25195, 25198, 25201};

static struct msg_enrolled sample_enrolled(const struct fixture *f)
{
	return (struct msg_enrolled){
		.daemon = f->daemon,
		.epoch = f->epoch,
		.device = 12,
		.daemon_key = f->daemon_key.public_key,
		.units = sample_units,
		.unit_count = 3,
		.is_cleared = true,
		.author = BYTES_LIT("Lê Văn Tám"),
		.now_ms = NOW_MS,
	};
}

static struct msg_cursor sample_cursors[] = {{25195, 70000, 0}, {25198, 0, 0}};
static struct bytes sample_changesets[] = {BYTES_LIT("\x92\xc4\x00\xc4\x00"), BYTES_LIT("other")};

static struct msg_sync sample_sync(const struct fixture *f)
{
	return (struct msg_sync){
		.epoch = f->epoch,
		.sent_ms = NOW_MS,
		.client_version = BYTES_LIT("ctxh 0.1.0"),
		.author = BYTES_LIT("Lê Văn Tám"),
		.max_bytes = 65536,
		.schema_version = {1, 2, 3, 4, 5, 6, 7, 8},
		.units_version = 5,
		.notice = 9,
		.is_first_pull = true,
		.cursors = sample_cursors,
		.cursor_count = 2,
		.changesets = sample_changesets,
		.changeset_count = 2,
	};
}

static struct msg_repair sample_repairs[] = {
	{.first = 41, .count = 2, .log = 70001},
	{.first = 43,
	 .count = 100,
	 .repair = {.shift_ms = -86400000,
		    .ceiling = UINT64_MAX,
		    .floor = STAMP_CLOCK_OF(NOW_MS),
		    .is_flagged = true},
	 .log = 70002},
};

static struct msg_receipt sample_receipt(const struct fixture *f)
{
	struct msg_receipt m = {
		.daemon = f->daemon,
		.epoch = f->epoch,
		.device = 12,
		.number = 142,
		.backed_up = 40,
		.log = 70002,
		.at_ms = NOW_MS,
		.repairs = sample_repairs,
		.repair_count = 2,
	};

	memset(m.chain.bytes, 0xcc, HASH_LEN);
	return m;
}

static struct msg_result sample_results[] = {
	{.number = 41, .code = BYTES_LIT("conflict"), .field = BYTES_LIT("birth")},
	{.number = 42,
	 .code = BYTES_LIT("missing"),
	 .field = BYTES_LIT("full_name"),
	 .text = BYTES_LIT("Thiếu họ tên; full name is missing"),
	 .is_quarantined = true},
};
static struct bytes sample_records[] = {BYTES_LIT("\x80"), BYTES_LIT("\x81\x01\xc0")};
static struct msg_evict sample_evictions[] = {
	{.type = BYTES_LIT("person"), .id = {{1, 2, 3}}, .unit = 25198},
};
static struct msg_notice sample_notices[] = {
	{.notice = 10,
	 .kind = BYTES_LIT("conflict"),
	 .type = BYTES_LIT("person"),
	 .id = {{1, 2, 3}},
	 .field = BYTES_LIT("birth"),
	 .kept = {.kind = VALUE_TEXT, .bytes = BYTES_LIT("1957")},
	 .lost = {.kind = VALUE_INT, .integer = -7},
	 .by = BYTES_LIT("Người khác"),
	 .at_ms = NOW_MS,
	 .text = BYTES_LIT("Hai người cùng sửa; two people edited this")},
	{.notice = 11, .kind = BYTES_LIT("duplicate")},
};

static struct msg_synced sample_synced(const struct fixture *f)
{
	return (struct msg_synced){
		.epoch = f->epoch,
		.now_ms = NOW_MS,
		.receipt = BYTES_LIT("receipt"),
		.results = sample_results,
		.result_count = 2,
		.records = sample_records,
		.record_count = 2,
		.evictions = sample_evictions,
		.eviction_count = 1,
		.notices = sample_notices,
		.notice_count = 2,
		.cursors = sample_cursors,
		.cursor_count = 2,
		.units = sample_units,
		.unit_count = 3,
		.included = 142,
		.has_more = true,
		.is_complete = true,
		.schema_version = {1, 2, 3, 4, 5, 6, 7, 8},
		.units_version = 6,
	};
}

static struct msg_refusal sample_refusal(void)
{
	struct msg_refusal m = {
		.code = BYTES_LIT("gap"),
		.text = BYTES_LIT("Thiếu thay đổi ở giữa; changes are missing in between"),
		.expected = 41,
		.retry_after_s = 30,
	};

	memset(m.chain.bytes, 0xcc, HASH_LEN);
	return m;
}

static const struct msg_unit sample_unit_list[] = {
	{.unit = 70,
	 .code = BYTES_LIT("70"),
	 .name = BYTES_LIT("Bình Phước"),
	 .kind = BYTES_LIT("Tỉnh")},
	{.unit = 25195,
	 .code = BYTES_LIT("25195"),
	 .name = BYTES_LIT("Lộc Thạnh"),
	 .kind = BYTES_LIT("Xã"),
	 .parent = 70,
	 .valid_from = BYTES_LIT("2021-02-01"),
	 .valid_until = BYTES_LIT("2025-07-01")},
};

/* ---- every message: made as stored, read as made ---- */

static void enrol_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_enrol want = sample_enrol(f);
	struct msg_enrol got;

	msg_enrol_encode(&want, &f->device_key, &f->out);
	assert_ok(msg_enrol_decode(&f->arena, through_vector(f, "v1-enrol"), &got));
	assert_array(got.code, want.code);
	assert_array(got.key.bytes, want.key.bytes);
	assert_true(bytes_equal(got.name, want.name));
	assert_true(bytes_equal(got.author, want.author));
	assert_true(bytes_equal(got.client_version, want.client_version));
	assert_int_equal(got.sent_ms, want.sent_ms);
}

static void enrolled_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_enrolled want = sample_enrolled(f);
	struct msg_enrolled got;

	msg_enrolled_encode(&want, &f->out);
	assert_ok(msg_enrolled_decode(&f->arena, through_vector(f, "v1-enrolled"), &got));
	assert_array(got.daemon.bytes, want.daemon.bytes);
	assert_array(got.epoch.bytes, want.epoch.bytes);
	assert_int_equal(got.device, 12);
	assert_array(got.daemon_key.bytes, want.daemon_key.bytes);
	assert_int_equal(got.unit_count, 3);
	assert_array(got.units, sample_units);
	assert_true(got.is_cleared);
	assert_true(bytes_equal(got.author, want.author));
	assert_int_equal(got.now_ms, NOW_MS);
}

/* A home that was set aside asks for another identity. */
static void a_release_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_enrol want = sample_enrol(f);
	struct msg_enrol got;

	assert_false(msg_enrol_has_former(&want));
	assert_false(msg_enrol_is_vouched(&want, &f->daemon));
	msg_enrol_vouch(&want, &f->daemon, &f->daemon_key);
	want.notice = 12;
	msg_enrol_encode(&want, &f->device_key, &f->out);
	assert_ok(msg_enrol_decode(&f->arena, through_vector(f, "v1-enrol-released"), &got));
	assert_array(got.former.bytes, f->daemon_key.public_key.bytes);
	assert_true(msg_enrol_has_former(&got));
	assert_int_equal(got.notice, 12);
	assert_true(msg_enrol_is_vouched(&got, &f->daemon));

	/* For this daemon, this code and this key alone. */
	assert_false(msg_enrol_is_vouched(&got, &f->epoch));
	got.code[0] ^= 1;
	assert_false(msg_enrol_is_vouched(&got, &f->daemon));
	got.code[0] ^= 1;
	got.key.bytes[0] ^= 1;
	assert_false(msg_enrol_is_vouched(&got, &f->daemon));
	got.key.bytes[0] ^= 1;
	got.former = got.key;
	assert_false(msg_enrol_is_vouched(&got, &f->daemon));
}

static void a_successor_is_told_where_the_former_stands(void **state)
{
	struct fixture *f = *state;
	struct msg_enrolled want = sample_enrolled(f);
	struct msg_enrolled got;

	want.former = 7;
	want.former_number = 41;
	memset(want.former_chain.bytes, 0xc7, HASH_LEN);
	msg_enrolled_encode(&want, &f->out);
	assert_ok(msg_enrolled_decode(&f->arena, through_vector(f, "v1-enrolled-released"), &got));
	assert_int_equal(got.former, 7);
	assert_int_equal(got.former_number, 41);
	assert_array(got.former_chain.bytes, want.former_chain.bytes);
}

static void sync_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_sync want = sample_sync(f);
	struct msg_sync got;

	msg_sync_encode(&want, &f->out);
	assert_ok(msg_sync_decode(&f->arena, through_vector(f, "v1-sync"), &got));
	assert_array(got.epoch.bytes, want.epoch.bytes);
	assert_int_equal(got.sent_ms, NOW_MS);
	assert_true(bytes_equal(got.client_version, want.client_version));
	assert_true(bytes_equal(got.author, want.author));
	assert_int_equal(got.max_bytes, 65536);
	assert_array(got.schema_version, want.schema_version);
	assert_int_equal(got.units_version, 5);
	assert_int_equal(got.notice, 9);
	assert_true(got.is_first_pull);
	assert_int_equal(got.cursor_count, 2);
	assert_array(got.cursors, sample_cursors);
	assert_int_equal(got.changeset_count, 2);
	assert_true(bytes_equal(got.changesets[0], sample_changesets[0]));
	assert_true(bytes_equal(got.changesets[1], sample_changesets[1]));
}

/* Comparing what both hold: keys that came later, which older programs pass over. */
static void a_comparison_is_asked_for_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	uint8_t wire[DIGEST_WIRE_LEN];
	struct msg_buckets buckets[] = {{25195, {wire, sizeof wire}}};
	struct msg_stray strays[] = {{BYTES_LIT("person"), {{1, 2, 3}}},
				     {BYTES_LIT("aid"), {{4, 5, 6}}}};
	struct msg_sync want = {.sent_ms = NOW_MS,
				.wants_digests = true,
				.buckets = buckets,
				.bucket_count = 1,
				.strays = strays,
				.stray_count = 2,
				.sealed = 43};
	struct msg_sync got;

	for (size_t i = 0; i < sizeof wire; i++)
		wire[i] = (uint8_t)(i * 7);
	msg_sync_encode(&want, &f->out);
	assert_ok(msg_sync_decode(&f->arena, through_vector(f, "v1-sync-compare"), &got));
	assert_true(got.wants_digests);
	assert_int_equal(got.sealed, 43);
	assert_int_equal(got.bucket_count, 1);
	assert_int_equal(got.buckets[0].unit, 25195);
	assert_true(bytes_equal(got.buckets[0].wire, bytes_of(wire, sizeof wire)));
	assert_int_equal(got.stray_count, 2);
	assert_bytes(got.strays[1].type, "aid");
	assert_array(got.strays[1].id.bytes, strays[1].id.bytes);
}

static void a_comparison_is_answered_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_digest digests[] = {{25195, 70000, {{9, 8, 7}}}, {25198, 12, {{0}}}};
	struct msg_bucket buckets[] = {{25195, 70000, 255, sample_records, 2},
				       {25198, 12, 0, NULL, 0}};
	struct msg_stray missing[] = {{BYTES_LIT("person"), {{1, 2, 3}}}};
	struct msg_synced want = {.epoch = f->epoch,
				  .now_ms = NOW_MS,
				  .missing = missing,
				  .missing_count = 1,
				  .digests = digests,
				  .digest_count = 2,
				  .buckets = buckets,
				  .bucket_count = 2};
	struct msg_synced got;

	msg_synced_encode(&want, &f->out);
	assert_ok(msg_synced_decode(&f->arena, through_vector(f, "v1-synced-compare"), &got));
	assert_int_equal(got.digest_count, 2);
	assert_int_equal(got.digests[0].unit, 25195);
	assert_int_equal(got.digests[0].log, 70000);
	assert_array(got.digests[0].root.bytes, digests[0].root.bytes);
	assert_int_equal(got.bucket_count, 2);
	assert_int_equal(got.buckets[0].bucket, 255);
	assert_int_equal(got.buckets[0].log, 70000);
	assert_int_equal(got.buckets[0].record_count, 2);
	assert_true(bytes_equal(got.buckets[0].records[1], sample_records[1]));
	assert_int_equal(got.buckets[1].bucket, 0);
	assert_int_equal(got.buckets[1].record_count, 0);
	assert_int_equal(got.missing_count, 1);
	assert_bytes(got.missing[0].type, "person");
	assert_array(got.missing[0].id.bytes, missing[0].id.bytes);
}

static void assert_same_repair(const struct msg_repair *got, const struct msg_repair *want)
{
	assert_int_equal(got->first, want->first);
	assert_int_equal(got->count, want->count);
	assert_int_equal(got->repair.shift_ms, want->repair.shift_ms);
	assert_true(got->repair.ceiling == want->repair.ceiling);
	assert_true(got->repair.floor == want->repair.floor);
	assert_int_equal(got->repair.is_flagged, want->repair.is_flagged);
	assert_int_equal(got->log, want->log);
}

static void receipt_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_receipt want = sample_receipt(f);
	struct msg_receipt got;

	msg_receipt_encode(&want, &f->daemon_key, &f->out);
	assert_ok(msg_receipt_decode(&f->arena, through_vector(f, "v1-receipt"),
				     &f->daemon_key.public_key, &got));
	assert_array(got.daemon.bytes, want.daemon.bytes);
	assert_array(got.epoch.bytes, want.epoch.bytes);
	assert_int_equal(got.device, 12);
	assert_int_equal(got.number, 142);
	assert_array(got.chain.bytes, want.chain.bytes);
	assert_int_equal(got.backed_up, 40);
	assert_int_equal(got.log, 70002);
	assert_int_equal(got.at_ms, NOW_MS);
	assert_int_equal(got.repair_count, 2);
	assert_same_repair(&got.repairs[0], &sample_repairs[0]);
	assert_same_repair(&got.repairs[1], &sample_repairs[1]);
}

static void assert_same_notice(const struct msg_notice *got, const struct msg_notice *want)
{
	assert_int_equal(got->notice, want->notice);
	assert_true(bytes_equal(got->kind, want->kind));
	assert_true(bytes_equal(got->type, want->type));
	assert_array(got->id.bytes, want->id.bytes);
	assert_true(bytes_equal(got->field, want->field));
	assert_true(value_equal(&got->kept, &want->kept));
	assert_true(value_equal(&got->lost, &want->lost));
	assert_true(bytes_equal(got->by, want->by));
	assert_int_equal(got->at_ms, want->at_ms);
	assert_true(bytes_equal(got->text, want->text));
}

static void assert_same_result(const struct msg_result *got, const struct msg_result *want)
{
	assert_int_equal(got->number, want->number);
	assert_true(bytes_equal(got->code, want->code));
	assert_true(bytes_equal(got->field, want->field));
	assert_true(bytes_equal(got->text, want->text));
	assert_int_equal(got->is_quarantined, want->is_quarantined);
}

static void synced_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_synced want = sample_synced(f);
	struct msg_synced got;

	msg_synced_encode(&want, &f->out);
	assert_ok(msg_synced_decode(&f->arena, through_vector(f, "v1-synced"), &got));
	assert_array(got.epoch.bytes, want.epoch.bytes);
	assert_int_equal(got.now_ms, NOW_MS);
	assert_bytes(got.receipt, "receipt");
	assert_int_equal(got.result_count, 2);
	assert_same_result(&got.results[0], &sample_results[0]);
	assert_same_result(&got.results[1], &sample_results[1]);
	assert_int_equal(got.record_count, 2);
	assert_true(bytes_equal(got.records[1], sample_records[1]));
	assert_int_equal(got.eviction_count, 1);
	assert_bytes(got.evictions[0].type, "person");
	assert_array(got.evictions[0].id.bytes, sample_evictions[0].id.bytes);
	assert_int_equal(got.evictions[0].unit, 25198);
	assert_int_equal(got.notice_count, 2);
	assert_same_notice(&got.notices[0], &sample_notices[0]);
	assert_same_notice(&got.notices[1], &sample_notices[1]);
	assert_array(got.cursors, sample_cursors);
	assert_array(got.units, sample_units);
	assert_int_equal(got.included, 142);
	assert_true(got.has_more);
	assert_true(got.is_complete);
	assert_array(got.schema_version, want.schema_version);
	assert_int_equal(got.units_version, 6);
}

static void refusal_is_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_refusal want = sample_refusal();
	struct msg_refusal got;

	msg_refusal_encode(&want, &f->out);
	assert_ok(msg_refusal_decode(&f->arena, through_vector(f, "v1-refusal"), &got));
	assert_bytes(got.code, "gap");
	assert_true(bytes_equal(got.text, want.text));
	assert_int_equal(got.expected, 41);
	assert_array(got.chain.bytes, want.chain.bytes);
	assert_int_equal(got.retry_after_s, 30);
}

static void units_are_made_and_read_as_stored(void **state)
{
	struct fixture *f = *state;
	struct msg_unit *units;
	uint64_t version;
	size_t count;

	msg_units_encode(sample_unit_list, 2, 6, &f->out);
	assert_ok(msg_units_decode(&f->arena, through_vector(f, "v1-units"), &units, &count,
				   &version));
	assert_int_equal(version, 6);
	assert_int_equal(count, 2);
	assert_int_equal(units[0].unit, 70);
	assert_int_equal(units[0].parent, 0);
	assert_int_equal(units[0].valid_from.len, 0);
	assert_int_equal(units[1].unit, 25195);
	assert_bytes(units[1].code, "25195");
	assert_bytes(units[1].name, "Lộc Thạnh");
	assert_bytes(units[1].kind, "Xã");
	assert_int_equal(units[1].parent, 70);
	assert_bytes(units[1].valid_from, "2021-02-01");
	assert_bytes(units[1].valid_until, "2025-07-01");
}

static void an_empty_message_is_read_as_empty(void **state)
{
	struct fixture *f = *state;
	struct msg_sync want = {.sent_ms = 1};
	struct msg_sync got;

	msg_sync_encode(&want, &f->out);
	assert_bytes(buf_bytes(&f->out), "\x81\x02\x01");
	assert_ok(msg_sync_decode(&f->arena, buf_bytes(&f->out), &got));
	assert_int_equal(got.cursor_count, 0);
	assert_int_equal(got.changeset_count, 0);
	assert_true(id_is_zero(&got.epoch));
}

/* ---- strictness ---- */

struct bad_sync {
	const char *what;
	struct bytes bytes;
	enum err want;
};

static const struct bad_sync bad_syncs[] = {
	{"not a map", BYTES_LIT("\x90"), ERR_PROTO},
	{"required key missing", BYTES_LIT("\x80"), ERR_PROTO},
	{"wrong kind", BYTES_LIT("\x81\x02\xa1x"), ERR_PROTO},
	{"float for an integer", BYTES_LIT("\x81\x02\xca\x00\x00\x00\x00"), ERR_PROTO},
	{"beyond int64", BYTES_LIT("\x81\x02\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), ERR_PROTO},
	{"key twice", BYTES_LIT("\x82\x02\x01\x02\x01"), ERR_PROTO},
	{"number beyond 63 bits", BYTES_LIT("\x82\x02\x01\x05\xcf\x80\x00\x00\x00\x00\x00\x00\x00"),
	 ERR_PROTO},
	{"negative number", BYTES_LIT("\x82\x02\x01\x05\xff"), ERR_PROTO},
	{"id too short", BYTES_LIT("\x82\x01\xc4\x01x\x02\x01"), ERR_PROTO},
	{"text as bin", BYTES_LIT("\x82\x02\x01\x03\xc4\x01x"), ERR_PROTO},
	{"text not UTF-8", BYTES_LIT("\x82\x02\x01\x03\xa1\xff"), ERR_PROTO},
	{"text with a surrogate", BYTES_LIT("\x82\x02\x01\x03\xa3\xed\xa0\x80"), ERR_PROTO},
	{"bool as number", BYTES_LIT("\x82\x02\x01\x09\x01"), ERR_PROTO},
	{"list as map", BYTES_LIT("\x82\x02\x01\x0a\x80"), ERR_PROTO},
	{"item not a map", BYTES_LIT("\x82\x02\x01\x0a\x91\x01"), ERR_PROTO},
	{"item without its key", BYTES_LIT("\x82\x02\x01\x0a\x91\x80"), ERR_PROTO},
	{"change-set as text", BYTES_LIT("\x82\x02\x01\x0b\x91\xa1x"), ERR_PROTO},
	{"bytes behind", BYTES_LIT("\x81\x02\x01\x00"), ERR_PROTO},
	{"too deep", BYTES_LIT("\x82\x02\x01\x20\x91\x91\x91\x91\x91\x91\x91\x91\xc0"), ERR_TOOBIG},
};

static void what_is_out_of_form_is_refused(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;

	for (size_t i = 0; i < sizeof bad_syncs / sizeof bad_syncs[0]; i++) {
		print_message("%s\n", bad_syncs[i].what);
		assert_err(msg_sync_decode(&f->arena, bad_syncs[i].bytes, &got), bad_syncs[i].want);
	}
}

static void keys_of_later_versions_are_passed_over(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;

	assert_ok(msg_sync_decode(
		&f->arena,
		BYTES_LIT("\x84\x02\x07\x21\x81\x01\x90\xa1x\xc0\xcc\xff\xca\x00\x00\x00\x00"),
		&got));
	assert_int_equal(got.sent_ms, 7);
}

static void nothing_is_written_on_failure(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got = {.sent_ms = 77};

	assert_err(msg_sync_decode(&f->arena, BYTES_LIT("\x82\x02\x01\x09\x01"), &got), ERR_PROTO);
	assert_int_equal(got.sent_ms, 77);
}

/* ---- limits of lists and texts ---- */

/* {2: 1, `key`: [`count` times `item`]} */
static struct bytes list_of(struct fixture *f, uint8_t key, size_t count, struct bytes item)
{
	struct packer p;

	buf_reset(&f->out);
	packer_init(&p, &f->out, PACK_UNBOUNDED);
	packer_map(&p, 2);
	packer_uint(&p, 2);
	packer_uint(&p, 1);
	packer_uint(&p, key);
	packer_array(&p, count);
	for (size_t i = 0; i < count; i++)
		packer_packed(&p, item);
	packer_done(&p);
	return buf_bytes(&f->out);
}

static void cursors_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes cursor = BYTES_LIT("\x81\x01\x01");

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 10, LIMIT_CURSORS, cursor), &got));
	assert_int_equal(got.cursor_count, LIMIT_CURSORS);
	assert_err(msg_sync_decode(&f->arena, list_of(f, 10, LIMIT_CURSORS + 1, cursor), &got),
		   ERR_TOOBIG);
}

static void changesets_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes set = BYTES_LIT("\xc4\x01x");

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 11, LIMIT_CHANGESETS, set), &got));
	assert_err(msg_sync_decode(&f->arena, list_of(f, 11, LIMIT_CHANGESETS + 1, set), &got),
		   ERR_TOOBIG);
}

static struct bytes letters(struct fixture *f, size_t len)
{
	char *text = arena_alloc(&f->arena, len);

	memset(text, 'a', len);
	return bytes_of(text, len);
}

static struct bytes packed_bin(struct fixture *f, size_t len)
{
	AUTO(buf_clear) struct buf out = {0};
	struct packer p;

	packer_init(&p, &out, PACK_UNBOUNDED);
	packer_bin(&p, letters(f, len));
	packer_done(&p);
	return arena_copy(&f->arena, buf_bytes(&out));
}

static void one_changeset_passes_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes at = packed_bin(f, LIMIT_CHANGESET_BYTES + LIMIT_CUT_BYTES);
	struct bytes beyond = packed_bin(f, LIMIT_CHANGESET_BYTES + LIMIT_CUT_BYTES + 1);

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 11, 1, at), &got));
	assert_err(msg_sync_decode(&f->arena, list_of(f, 11, 1, beyond), &got), ERR_TOOBIG);
}

/* {2: 1, `key`: text of `len`} */
static struct bytes text_of(struct fixture *f, uint8_t key, size_t len)
{
	struct packer p;

	buf_reset(&f->out);
	packer_init(&p, &f->out, PACK_UNBOUNDED);
	packer_map(&p, 2);
	packer_uint(&p, 2);
	packer_uint(&p, 1);
	packer_uint(&p, key);
	packer_text(&p, letters(f, len));
	packer_done(&p);
	return buf_bytes(&f->out);
}

/* {1: 7, 2: bin of `len`} */
static struct bytes buckets_of(struct fixture *f, size_t len)
{
	AUTO(buf_clear) struct buf out = {0};
	struct packer p;

	packer_init(&p, &out, PACK_UNBOUNDED);
	packer_map(&p, 2);
	packer_uint(&p, 1);
	packer_uint(&p, 7);
	packer_uint(&p, 2);
	packer_bin(&p, letters(f, len));
	packer_done(&p);
	return arena_copy(&f->arena, buf_bytes(&out));
}

static void buckets_of_units_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes whole = buckets_of(f, DIGEST_WIRE_LEN);
	struct bytes less = buckets_of(f, DIGEST_WIRE_LEN - 1);
	struct bytes more = buckets_of(f, DIGEST_WIRE_LEN + 1);

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 13, LIMIT_DIGEST_UNITS, whole), &got));
	assert_err(msg_sync_decode(&f->arena, list_of(f, 13, LIMIT_DIGEST_UNITS + 1, whole), &got),
		   ERR_TOOBIG);
	assert_err(msg_sync_decode(&f->arena, list_of(f, 13, 1, less), &got), ERR_PROTO);
	assert_err(msg_sync_decode(&f->arena, list_of(f, 13, 1, more), &got), ERR_TOOBIG);
}

static void strays_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;
	struct bytes stray = BYTES_LIT("\x82\x01\xa1p\x02\xc4\x10"
				       "0123456789abcdef");

	assert_ok(msg_sync_decode(&f->arena, list_of(f, 14, LIMIT_STRAYS, stray), &got));
	assert_int_equal(got.stray_count, LIMIT_STRAYS);
	assert_err(msg_sync_decode(&f->arena, list_of(f, 14, LIMIT_STRAYS + 1, stray), &got),
		   ERR_TOOBIG);
}

static void missing_records_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_synced want = {.now_ms = NOW_MS, .missing_count = LIMIT_STRAYS};
	struct msg_synced got;

	want.missing = arena_alloc_array(&f->arena, LIMIT_STRAYS, sizeof *want.missing);
	for (size_t i = 0; i < LIMIT_STRAYS; i++)
		want.missing[i] = (struct msg_stray){.type = BYTES_LIT("person")};
	msg_synced_encode(&want, &f->out);
	assert_ok(msg_synced_decode(&f->arena, buf_bytes(&f->out), &got));
	assert_int_equal(got.missing_count, LIMIT_STRAYS);
	/* One more: the list's head is array 16 with its length in two bytes. */
	uint8_t *head = memmem(f->out.data, f->out.len, "\x11\xdc\x03\xe8", 4);

	assert_non_null(head);
	head[3]++;
	buf_append_str(&f->out, "\x82\x01\xa1p\x02\xc4\x10"
				"0123456789abcdef");
	assert_err(msg_synced_decode(&f->arena, buf_bytes(&f->out), &got), ERR_TOOBIG);
}

static void buckets_in_an_answer_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_synced got;
	struct bytes last = BYTES_LIT("\x83\x01\x07\x02\x09\x03\xcc\xff");
	struct bytes beyond = BYTES_LIT("\x83\x01\x07\x02\x09\x03\xcd\x01\x00");
	struct bytes head = BYTES_LIT("\x83\x01\xc4\x10"
				      "0123456789abcdef");

	for (size_t i = 0; i < 3; i++) {
		const size_t count = LIMIT_DIGEST_BUCKETS + (i == 1);
		const struct bytes item = i == 2 ? beyond : last;
		/* list_of() writes a map of two: its first byte goes, an epoch comes before it. */
		struct bytes rest = list_of(f, 16, i == 2 ? 1 : count, item);
		struct buf all = {0};

		buf_append_bytes(&all, head);
		buf_append(&all, rest.data + 1, rest.len - 1);
		assert_err(msg_synced_decode(&f->arena, buf_bytes(&all), &got),
			   i == 0   ? ERR_OK
			   : i == 1 ? ERR_TOOBIG
				    : ERR_PROTO);
		buf_clear(&all);
	}
}

static void texts_pass_at_their_limits_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct msg_sync got;

	assert_ok(msg_sync_decode(&f->arena, text_of(f, 3, LIMIT_VERSION_BYTES), &got));
	assert_err(msg_sync_decode(&f->arena, text_of(f, 3, LIMIT_VERSION_BYTES + 1), &got),
		   ERR_TOOBIG);
	assert_ok(msg_sync_decode(&f->arena, text_of(f, 4, LIMIT_AUTHOR_BYTES), &got));
	assert_err(msg_sync_decode(&f->arena, text_of(f, 4, LIMIT_AUTHOR_BYTES + 1), &got),
		   ERR_TOOBIG);
}

static void what_the_largest_lists_hold_is_read_back(void **state)
{
	struct fixture *f = *state;
	struct msg_synced want = sample_synced(f);
	struct msg_synced got;

	want.notice_count = LIMIT_NOTICES;
	want.notices = arena_alloc_array(&f->arena, LIMIT_NOTICES, sizeof *want.notices);
	for (size_t i = 0; i < LIMIT_NOTICES; i++)
		want.notices[i] = sample_notices[0];
	want.eviction_count = LIMIT_EVICTIONS;
	want.evictions = arena_alloc_array(&f->arena, LIMIT_EVICTIONS, sizeof *want.evictions);
	for (size_t i = 0; i < LIMIT_EVICTIONS; i++)
		want.evictions[i] = sample_evictions[0];
	msg_synced_encode(&want, &f->out);
	assert_ok(msg_synced_decode(&f->arena, buf_bytes(&f->out), &got));
	assert_int_equal(got.notice_count, LIMIT_NOTICES);
	assert_int_equal(got.eviction_count, LIMIT_EVICTIONS);
}

static void all_units_of_the_country_fit_one_message(void **state)
{
	struct fixture *f = *state;
	struct msg_unit *units = arena_alloc_array(&f->arena, LIMIT_UNITS, sizeof *units);
	struct msg_unit *got;
	uint64_t version;
	size_t count;

	for (size_t i = 0; i < LIMIT_UNITS; i++)
		units[i] = sample_unit_list[1];
	msg_units_encode(units, LIMIT_UNITS, 1, &f->out);
	assert_ok(msg_units_decode(&f->arena, buf_bytes(&f->out), &got, &count, &version));
	assert_int_equal(count, LIMIT_UNITS);
}

static void text_for_people_is_cut_between_two_characters(void **state)
{
	struct fixture *f = *state;
	struct msg_refusal want = {.code = BYTES_LIT("x")};
	struct msg_refusal got;
	AUTO(buf_clear) struct buf text = {0};

	buf_append_str(&text, "a");
	while (text.len <= LIMIT_TEXT_BYTES)
		buf_append_str(&text, "ế");
	want.text = buf_bytes(&text);
	msg_refusal_encode(&want, &f->out);
	assert_ok(msg_refusal_decode(&f->arena, buf_bytes(&f->out), &got));
	/* 1 + 3 * 333 = 1000 exactly; one byte more to cut would split a letter. */
	assert_int_equal(got.text.len, LIMIT_TEXT_BYTES);
	want.text = bytes_of(text.data + 1, text.len - 1);
	buf_reset(&f->out);
	msg_refusal_encode(&want, &f->out);
	assert_ok(msg_refusal_decode(&f->arena, buf_bytes(&f->out), &got));
	assert_int_equal(got.text.len, 999);
}

/* ---- signatures ---- */

static void a_receipt_of_another_key_is_refused_and_without_a_key_only_read(void **state)
{
	struct fixture *f = *state;
	struct msg_receipt want = sample_receipt(f);
	struct msg_receipt got;

	msg_receipt_encode(&want, &f->daemon_key, &f->out);
	assert_err(
		msg_receipt_decode(&f->arena, buf_bytes(&f->out), &f->device_key.public_key, &got),
		ERR_AUTH);
	assert_ok(msg_receipt_decode(&f->arena, buf_bytes(&f->out), NULL, &got));
}

static void the_largest_receipt_fits(void **state)
{
	struct fixture *f = *state;
	struct msg_receipt want = sample_receipt(f);
	struct msg_receipt got;
	struct msg_repair repairs[LIMIT_CHANGESETS];

	for (size_t i = 0; i < LIMIT_CHANGESETS; i++)
		repairs[i] = (struct msg_repair){
			.first = INT64_MAX,
			.count = INT64_MAX,
			.repair = {INT64_MIN, UINT64_MAX, UINT64_MAX, true},
			.log = INT64_MAX,
		};
	want.repairs = repairs;
	want.repair_count = LIMIT_CHANGESETS;
	msg_receipt_encode(&want, &f->daemon_key, &f->out);
	assert_true(f->out.len <= LIMIT_RECEIPT_BYTES);
	assert_ok(
		msg_receipt_decode(&f->arena, buf_bytes(&f->out), &f->daemon_key.public_key, &got));
	assert_same_repair(&got.repairs[LIMIT_CHANGESETS - 1], &repairs[0]);
}

static void an_enrolment_not_signed_by_the_key_it_brings_is_refused(void **state)
{
	struct fixture *f = *state;
	struct msg_enrol want = sample_enrol(f);
	struct msg_enrol got;

	msg_enrol_encode(&want, &f->daemon_key, &f->out);
	assert_err(msg_enrol_decode(&f->arena, buf_bytes(&f->out), &got), ERR_AUTH);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(enrol_is_made_and_read_as_stored),
		CASE(enrolled_is_made_and_read_as_stored),
		CASE(a_release_is_made_and_read_as_stored),
		CASE(a_successor_is_told_where_the_former_stands),
		CASE(sync_is_made_and_read_as_stored),
		CASE(a_comparison_is_asked_for_and_read_as_stored),
		CASE(a_comparison_is_answered_and_read_as_stored),
		CASE(receipt_is_made_and_read_as_stored),
		CASE(synced_is_made_and_read_as_stored),
		CASE(refusal_is_made_and_read_as_stored),
		CASE(units_are_made_and_read_as_stored),
		CASE(an_empty_message_is_read_as_empty),
		CASE(what_is_out_of_form_is_refused),
		CASE(keys_of_later_versions_are_passed_over),
		CASE(nothing_is_written_on_failure),
		CASE(cursors_pass_at_the_limit_and_not_beyond),
		CASE(changesets_pass_at_the_limit_and_not_beyond),
		CASE(one_changeset_passes_at_the_limit_and_not_beyond),
		CASE(buckets_of_units_pass_at_the_limit_and_not_beyond),
		CASE(strays_pass_at_the_limit_and_not_beyond),
		CASE(missing_records_pass_at_the_limit_and_not_beyond),
		CASE(buckets_in_an_answer_pass_at_the_limit_and_not_beyond),
		CASE(texts_pass_at_their_limits_and_not_beyond),
		CASE(what_the_largest_lists_hold_is_read_back),
		CASE(all_units_of_the_country_fit_one_message),
		CASE(text_for_people_is_cut_between_two_characters),
		CASE(a_receipt_of_another_key_is_refused_and_without_a_key_only_read),
		CASE(the_largest_receipt_fits),
		CASE(an_enrolment_not_signed_by_the_key_it_brings_is_refused),
	};

	vectors_arguments(argc, argv);
	assert_ok(crypt_init());
	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
