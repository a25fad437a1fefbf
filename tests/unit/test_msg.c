/* Every message, made as stored and read as made. Limits: test_msg_limits.c. */
#include "common/model/digest.h"
#include "proto/limits.h"
#include "tests/unit/msg_samples.h"
#include "tests/unit/vectors.h"

/* The encoded bytes against the vector, and the vector for decoding. */
static struct bytes through_vector(struct fixture *f, const char *name)
{
	vector_check(name, buf_bytes(&f->out));
	vector_load(name, &f->stored);
	return buf_bytes(&f->stored);
}

#define assert_bytes(got, literal) assert_true(bytes_equal((got), BYTES_LIT(literal)))
#define assert_array(got, want)    assert_memory_equal((got), (want), sizeof(want))

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

/* Key 10 came later: the stored vector is without it, and stays readable. */
static void an_epoch_goes_with_a_release(void **state)
{
	struct fixture *f = *state;
	struct msg_enrol want = sample_enrol(f);
	struct msg_enrol got;

	msg_enrol_vouch(&want, &f->daemon, &f->daemon_key);
	want.notice = 12;
	want.epoch = f->epoch;
	msg_enrol_encode(&want, &f->device_key, &f->out);
	assert_ok(msg_enrol_decode(&f->arena, buf_bytes(&f->out), &got));
	assert_int_equal(got.notice, 12);
	assert_array(got.epoch.bytes, f->epoch.bytes);
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
		CASE(an_epoch_goes_with_a_release),
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
		CASE(a_receipt_of_another_key_is_refused_and_without_a_key_only_read),
		CASE(the_largest_receipt_fits),
		CASE(an_enrolment_not_signed_by_the_key_it_brings_is_refused),
	};

	vectors_arguments(argc, argv);
	assert_ok(crypt_init());
	return cmocka_run_group_tests_name("msg", tests, NULL, NULL);
}
