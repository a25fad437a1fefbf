#include "tests/support/office.h"

#include <stdio.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/mem.h"
#include "common/model/digest.h"
#include "proto/changeset.h"

static enum merge_kind kind_of(const struct office *o, struct bytes type)
{
	const struct schema_type *t = schema_find_type(o->schema, type);

	return t != NULL && t->kind == SCHEMA_EVENT ? MERGE_EVENT : MERGE_REGISTER;
}

static struct record *find(struct office *o, const struct id *id)
{
	for (size_t i = 0; i < o->record_count; i++)
		if (id_compare(&o->records[i].id, id) == 0)
			return &o->records[i];
	return NULL;
}

const struct record *office_find(const struct office *o, const struct id *id)
{
	for (size_t i = 0; i < o->record_count; i++)
		if (id_compare(&o->records[i].id, id) == 0)
			return &o->records[i];
	return NULL;
}

static struct merge_result merge(struct office *o, const struct change *c, struct stamp stamp)
{
	struct record *there = find(o, &c->id);
	struct merge_result r =
		merge_change(&o->arena, kind_of(o, c->type), there, c, stamp, o->log);

	if (there == NULL) {
		INVARIANT(o->record_count < OFFICE_RECORD_MAX);
		there = &o->records[o->record_count++];
	}
	*there = record_copy(&o->arena, &r.after);
	return r;
}

void office_write(struct office *o, const char *type, const struct id *id, const char *field,
		  struct value value, int64_t wall_ms)
{
	struct write writes[2] = {{bytes_str(field), value},
				  {BYTES_LIT(RECORD_UNIT), value_int(OFFICE_UNIT)}};
	struct change c = {.type = bytes_str(type),
			   .id = *id,
			   .base = o->log,
			   .writes = writes,
			   .count = find(o, id) == NULL ? 2 : 1};
	bool is_sound = change_sort(&c);

	REQUIRE(is_sound);
	o->log++;
	(void)merge(o, &c, (struct stamp){STAMP_CLOCK_OF(wall_ms), OFFICE_OTHER});
}

/* ---- taking ---- */

struct taking {
	struct arena *arena;
	struct msg_result results[2048];
	size_t result_count;
	struct msg_repair repairs[64];
	size_t repair_count;
};

static void take_set(struct office *o, struct taking *t, const struct changeset *set,
		     int64_t sent_ms)
{
	struct repair repair =
		repair_for_network(sent_ms, clock_wall_ms(o->clock), o->tolerance_ms, o->floor);
	uint64_t prev = repair.floor;

	o->log++;
	t->repairs[t->repair_count++] = (struct msg_repair){set->first, set->count, repair, o->log};
	REQUIRE(o->repair_count < sizeof o->repairs / sizeof *o->repairs);
	o->repairs[o->repair_count++] = t->repairs[t->repair_count - 1];
	for (size_t i = 0; i < set->count; i++) {
		const struct change *c = &set->changes[i];
		uint64_t clock = stamp_effective(&repair, c->clock, &prev);

		if (o->refuse_type.len != 0 && bytes_equal(c->type, o->refuse_type)) {
			t->results[t->result_count++] =
				(struct msg_result){.number = c->number,
						    .code = BYTES_LIT("out_of_scope"),
						    .text = BYTES_LIT("ngoài phạm vi"),
						    .is_quarantined = true};
			continue;
		}
		struct merge_result r = merge(o, c, (struct stamp){clock, o->device});

		if (r.conflict_count != 0)
			t->results[t->result_count++] = (struct msg_result){
				.number = c->number, .code = BYTES_LIT("conflict")};
	}
	o->floor = prev;
	o->number = set->first + set->count - 1;
	o->chain = set->head;
}

static void tell_again(const struct office *o, struct taking *t, uint64_t first)
{
	/* The latest: a restored office takes the same numbers anew. */
	for (size_t i = o->repair_count; i-- > 0;) {
		if (o->repairs[i].first == first) {
			t->repairs[t->repair_count++] = o->repairs[i];
			return;
		}
	}
}

/* "gap" or NULL. Repeats are known by their numbers and change nothing. */
static const char *take_sets(struct office *o, struct taking *t, const struct msg_sync *m)
{
	for (size_t i = 0; i < m->changeset_count; i++) {
		struct changeset_opened opened;
		enum err e = changeset_open(t->arena, m->changesets[i], &o->device_key, &opened);

		REQUIRE(e == ERR_OK);
		if (o->changesets_seen < 64)
			o->first_seen[o->changesets_seen] = opened.set.first;
		o->changesets_seen++;
		if (opened.set.first + opened.set.count - 1 <= o->number) {
			tell_again(o, t, opened.set.first);
			continue;
		}
		if (opened.set.first != o->number + 1 ||
		    memcmp(opened.set.chain.bytes, o->chain.bytes, HASH_LEN) != 0)
			return "gap";
		take_set(o, t, &opened.set, m->sent_ms);
	}
	return NULL;
}

/* ---- giving ---- */

static uint64_t cursor_of(const struct office *o, const struct msg_sync *m)
{
	if (memcmp(m->epoch.bytes, o->epoch.bytes, ID_LEN) != 0)
		return 0;
	for (size_t i = 0; i < m->cursor_count; i++)
		if (m->cursors[i].unit == OFFICE_UNIT)
			return m->cursors[i].log;
	return 0;
}

static void give_records(struct office *o, struct taking *t, const struct msg_sync *m,
			 struct msg_synced *answer, struct msg_cursor *cursor)
{
	uint64_t since = cursor_of(o, m);
	size_t page = o->page != 0 ? o->page : OFFICE_RECORD_MAX;

	answer->records = arena_alloc_array(t->arena, OFFICE_RECORD_MAX, sizeof(struct bytes));
	*cursor = (struct msg_cursor){.unit = OFFICE_UNIT, .log = o->log};
	/* Pages go by log number, so that the cursor of a page says what was given. */
	for (uint64_t log = since + 1; log <= o->log; log++) {
		if (answer->record_count >= page) {
			cursor->log = log - 1;
			answer->has_more = true;
			break;
		}
		for (size_t i = 0; i < o->record_count; i++) {
			struct buf out = {0};

			if (record_last_log(&o->records[i]) != log)
				continue;
			record_encode(&o->records[i], since, &out);
			answer->records[answer->record_count++] =
				arena_copy(t->arena, buf_bytes(&out));
			buf_clear(&out);
		}
	}
	answer->is_complete = !answer->has_more;
	answer->cursors = cursor;
	answer->cursor_count = 1;
}

/* ---- comparing ---- */

static void digest_records(const struct office *o, struct digest *ret_digest)
{
	*ret_digest = (struct digest){0};
	for (size_t i = 0; i < o->record_count; i++)
		digest_add(ret_digest, &o->records[i]);
}

static void give_bucket(struct office *o, struct taking *t, size_t bucket,
			struct msg_synced *answer)
{
	struct msg_bucket *b = &answer->buckets[answer->bucket_count++];

	*b = (struct msg_bucket){.unit = OFFICE_UNIT, .log = o->log, .bucket = bucket};
	b->records = arena_alloc_array(t->arena, o->record_count, sizeof *b->records);
	for (size_t i = 0; i < o->record_count; i++) {
		struct buf out = {0};

		if (digest_bucket(&o->records[i].id) != bucket)
			continue;
		record_encode(&o->records[i], 0, &out);
		b->records[b->record_count++] = arena_copy(t->arena, buf_bytes(&out));
		buf_clear(&out);
	}
	o->buckets_sent++;
	o->records_sent += b->record_count;
}

static void give_buckets(struct office *o, struct taking *t, const struct msg_sync *m,
			 struct msg_synced *answer)
{
	const size_t most = o->buckets_most != 0 ? o->buckets_most : DIGEST_BUCKETS;
	bool differs[DIGEST_BUCKETS];
	struct digest d;

	digest_records(o, &d);
	answer->buckets = arena_alloc_array(t->arena, DIGEST_BUCKETS, sizeof *answer->buckets);
	if (m->bucket_count == 0 || m->buckets[0].unit != OFFICE_UNIT ||
	    digest_compare(&d, m->buckets[0].wire.data, differs) == 0)
		return;
	if (o->has_big_buckets) {
		answer->oversized = arena_alloc_array(t->arena, 1, sizeof *answer->oversized);
		answer->oversized[answer->oversized_count++] = OFFICE_UNIT;
		return;
	}
	for (size_t i = 0; i < DIGEST_BUCKETS; i++)
		if (differs[i] && answer->bucket_count < most)
			give_bucket(o, t, i, answer);
}

static void answer_strays(struct office *o, struct taking *t, const struct msg_sync *m,
			  struct msg_synced *answer)
{
	answer->missing = arena_alloc_array(t->arena, m->stray_count, sizeof *answer->missing);
	for (size_t i = 0; i < m->stray_count && !o->ignores_strays; i++) {
		struct buf out = {0};
		const struct record *r = office_find(o, &m->strays[i].id);

		if (o->evicts_strays) {
			answer->evictions[answer->eviction_count++] = (struct msg_evict){
				.type = m->strays[i].type, .id = m->strays[i].id};
		} else if (r == NULL) {
			answer->missing[answer->missing_count++] = m->strays[i];
		} else {
			record_encode(r, 0, &out);
			answer->records[answer->record_count++] =
				arena_copy(t->arena, buf_bytes(&out));
		}
		buf_clear(&out);
	}
	o->strays_seen += m->stray_count;
}

static void compare(struct office *o, struct taking *t, const struct msg_sync *m,
		    struct msg_synced *answer)
{
	struct digest d;

	o->compared += m->wants_digests;
	answer_strays(o, t, m, answer);
	if (answer->has_more || o->has_no_time)
		return;
	give_buckets(o, t, m, answer);
	if (!m->wants_digests)
		return;
	digest_records(o, &d);
	answer->digests = arena_alloc_array(t->arena, 1, sizeof *answer->digests);
	answer->digests[0] = (struct msg_digest){OFFICE_UNIT, o->log, digest_root(&d)};
	answer->digest_count = 1;
}

/* States as no office sends them. */
static void lie_of_records(struct office *o, struct taking *t, struct msg_synced *answer)
{
	struct buf out = {0};

	if (o->record_count == 0)
		return;
	struct record r = o->records[0];

	if (o->lie == OFFICE_EMPTY_STATE) {
		r.id.bytes[0] ^= 1;
		r.count = 0;
	}
	if (o->lie == OFFICE_OTHER_TYPE)
		r.type = BYTES_LIT("collaborator");
	record_encode(&r, 0, &out);
	answer->records[0] = arena_copy(t->arena, buf_bytes(&out));
	answer->record_count = 1;
	answer->has_more = o->lie == OFFICE_ENDLESS;
	buf_clear(&out);
}

static void seal_receipt(struct office *o, struct taking *t, struct buf *out)
{
	struct msg_receipt r = {.daemon = o->daemon,
				.epoch = o->epoch,
				.device = o->device,
				.number = o->number,
				.chain = o->chain,
				.backed_up = o->backed_up,
				.log = o->log,
				.at_ms = clock_wall_ms(o->clock),
				.repairs = t->repairs,
				.repair_count = t->repair_count};
	struct sign_pair key = o->key;
	static const uint8_t other_seed[32] = {99};

	if (o->lie == OFFICE_SIGNATURE)
		sign_pair_from_seed(other_seed, &key);
	if (o->lie == OFFICE_CHAIN)
		r.chain.bytes[0] ^= 1;
	if (o->lie == OFFICE_DEVICE_NUMBER)
		r.device++;
	if (o->lie == OFFICE_EPOCH)
		r.epoch.bytes[0] ^= 1;
	if (o->lie == OFFICE_TOO_FAR)
		r.number += 10;
	if (o->lie == OFFICE_LOG_BACK)
		r.log--;
	if (o->lie == OFFICE_BETWEEN)
		r.number--;
	if (o->lie == OFFICE_CLOCK)
		r.at_ms = INT64_MIN;
	msg_receipt_encode(&r, &key, out);
}

static int refuse(struct office *o, const char *code, uint64_t expected, struct buf *answer)
{
	struct buf message = {0};
	struct msg_refusal r = {.code = bytes_str(code),
				.text = BYTES_LIT("thử; a test"),
				.expected = expected,
				.chain = o->chain,
				.retry_after_s = strcmp(code, "busy") == 0 ? 5 : 0};

	msg_refusal_encode(&r, &message);
	msg_answer_seal(buf_bytes(&message), answer);
	buf_clear(&message);
	return strcmp(code, "busy") == 0 ? 503 : 409;
}

static int answer_sync(struct office *o, struct taking *t, const struct msg_sync *m,
		       struct buf *answer)
{
	const char *problem = take_sets(o, t, m);

	if (m->stray_count != 0) {
		o->stray_count = m->stray_count;
		o->stray = m->strays[0].id;
	}
	struct buf receipt = {0};
	struct buf message = {0};
	struct msg_cursor cursor;
	int64_t unit = OFFICE_UNIT;

	if (problem != NULL)
		return refuse(o, problem, o->number + 1, answer);
	if (o->number != 0)
		seal_receipt(o, t, &receipt);
	struct msg_synced s = {.epoch = o->epoch,
			       .now_ms = clock_wall_ms(o->clock),
			       .receipt = buf_bytes(&receipt),
			       .results = t->results,
			       .result_count = t->result_count,
			       .evictions = o->evictions,
			       .eviction_count = o->eviction_count,
			       .notices = o->notices,
			       .notice_count = o->notice_count,
			       .units = &unit,
			       .unit_count = 1,
			       .included = o->number,
			       .units_version = m->units_version};

	memcpy(s.schema_version, m->schema_version, sizeof s.schema_version);
	give_records(o, t, m, &s, &cursor);
	compare(o, t, m, &s);
	if (o->lie == OFFICE_EMPTY_STATE || o->lie == OFFICE_OTHER_TYPE || o->lie == OFFICE_ENDLESS)
		lie_of_records(o, t, &s);
	if (o->lie == OFFICE_CLOCK)
		s.now_ms = INT64_MIN;
	msg_synced_encode(&s, &message);
	msg_answer_seal(buf_bytes(&message), answer);
	if (o->lie == OFFICE_GARBAGE)
		memset(answer->data, 0xc1, answer->len);
	buf_clear(&message);
	buf_clear(&receipt);
	o->notice_count = 0;
	o->eviction_count = 0;
	return 200;
}

static int take_request(struct office *o, struct bytes body, struct buf *answer)
{
	struct arena a = {0};
	struct taking *t = mem_alloc_zero(sizeof *t);
	struct msg_envelope envelope;
	struct bytes message;
	struct msg_sync m;
	enum err e = msg_envelope_open(body, &envelope);

	t->arena = &a;
	REQUIRE(e == ERR_OK);
	REQUIRE(msg_envelope_is_valid(&envelope, &o->daemon, &o->device_key));
	e = msg_unpack(&a, envelope.packing, envelope.payload, &message);
	if (e == ERR_OK)
		e = msg_sync_decode(&a, message, &m);
	REQUIRE(e == ERR_OK);
	int status;

	if (o->is_aside) {
		status = refuse(o, "forked", 0, answer);
	} else if (o->refuse != NULL) {
		status = refuse(o, o->refuse, o->refuse_expected, answer);
		o->refuse = NULL;
	} else if (envelope.counter <= o->counter) {
		status = refuse(o, "replay", o->counter + 1, answer);
	} else {
		o->counter = envelope.counter;
		status = answer_sync(o, t, &m, answer);
	}
	mem_free(t);
	arena_clear(&a);
	return status;
}

static void take_place(struct office *o, const struct msg_enrol *m)
{
	o->former = o->is_forgetful ? 0 : o->device;
	o->former_number = o->is_forgetful ? 0 : o->number;
	o->former_chain = o->is_forgetful ? (struct hash){0} : o->chain;
	o->device++;
	o->device_key = m->key;
	o->number = 0;
	o->chain = (struct hash){0};
	o->counter = 0;
	o->floor = 0;
	o->backed_up = 0;
	o->repair_count = 0;
	o->is_aside = false;
	o->is_forgetful = false;
}

/* The same key again gets the same answer; any other only when the device is set aside. */
static int take_enrolment(struct office *o, struct bytes body, struct buf *answer)
{
	struct arena a = {0};
	struct buf message = {0};
	struct msg_enrol m;
	int64_t unit = OFFICE_UNIT;
	enum err e = msg_enrol_decode(&a, body, &m);
	int status = 200;

	REQUIRE(e == ERR_OK);
	if (memcmp(m.key.bytes, o->device_key.bytes, SIGN_PUBLIC_LEN) != 0) {
		if (!o->is_aside || !msg_enrol_is_vouched(&m, &o->daemon) ||
		    memcmp(m.former.bytes, o->device_key.bytes, SIGN_PUBLIC_LEN) != 0)
			status = refuse(o, "other_home", 0, answer);
		else
			take_place(o, &m);
	}
	if (status == 200) {
		const struct msg_enrolled enrolled = {.daemon = o->daemon,
						      .epoch = o->epoch,
						      .device = o->device,
						      .daemon_key = o->key.public_key,
						      .units = &unit,
						      .unit_count = 1,
						      .now_ms = clock_wall_ms(o->clock),
						      .former = o->former,
						      .former_number = o->former_number,
						      .former_chain = o->former_chain};

		msg_enrolled_encode(&enrolled, &message);
		msg_answer_seal(buf_bytes(&message), answer);
	}
	buf_clear(&message);
	arena_clear(&a);
	return status;
}

static enum err request(struct sync_transport *link, const char *path, struct bytes body,
			int *ret_status, struct buf *answer)
{
	struct office *o = CONTAINER_OF(link, struct office, link);

	o->requests++;
	bool is_enrolment = strcmp(path, "/v1/enrol") == 0;

	REQUIRE(is_enrolment || strcmp(path, "/v1/sync") == 0);
	if (o->on_request != NULL)
		o->on_request(o);
	if (o->lose_requests != 0) {
		o->lose_requests--;
		return err_raise(ERR_NET, "the request is lost");
	}
	if (o->is_cut) {
		o->is_cut = false;
		return err_raise(ERR_NET, "the network is gone");
	}
	o->is_cut = o->is_cut_short;
	o->is_cut_short = false;
	*ret_status =
		is_enrolment ? take_enrolment(o, body, answer) : take_request(o, body, answer);
	if (o->lose_answers != 0) {
		o->lose_answers--;
		buf_reset(answer);
		return err_raise(ERR_TIMEOUT, "the answer is lost");
	}
	return ERR_OK;
}

void office_init(struct office *o, const struct clock *clock, const struct schema *schema)
{
	static const uint8_t seed[32] = {1, 2, 3};

	memset(o, 0, sizeof *o);
	o->link.request = request;
	o->clock = clock;
	o->schema = schema;
	o->tolerance_ms = STAMP_TOLERANCE_MS;
	o->daemon.bytes[0] = 0xd0;
	o->epoch.bytes[0] = 0xe0;
	o->device = OFFICE_DEVICE;
	sign_pair_from_seed(seed, &o->key);
}

void office_clear(struct office *o)
{
	arena_clear(&o->arena);
}

struct vault_identity office_identity(struct office *o, const uint8_t seed[32])
{
	struct vault_identity identity = {
		.daemon = o->daemon, .device = OFFICE_DEVICE, .daemon_key = o->key.public_key};
	struct sign_pair key;

	memcpy(identity.seed, seed, sizeof identity.seed);
	sign_pair_from_seed(seed, &key);
	o->device_key = key.public_key;
	return identity;
}

void office_fork(struct office *o, uint64_t count)
{
	o->is_aside = true;
	o->number += count;
	if (count != 0)
		o->chain.bytes[0] ^= 0xff;
}

void office_restore(struct office *o, const struct office *backup)
{
	memcpy(o->records, backup->records, sizeof o->records);
	o->record_count = backup->record_count;
	o->log = backup->log;
	o->number = backup->number;
	o->chain = backup->chain;
	o->floor = backup->floor;
	o->backed_up = backup->backed_up;
	o->epoch.bytes[1]++;
}
