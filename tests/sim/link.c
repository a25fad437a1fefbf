#include "tests/sim/link.h"

#include <string.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "daemon/compare.h"
#include "daemon/enrol.h"
#include "daemon/ingest.h"
#include "daemon/outgoing.h"
#include "daemon/session.h"
#include "daemon/units.h"
#include "tests/sim/clocks.h"
#include "tests/sim/faults.h"
#include "tests/sim/homes.h"
#include "tests/sim/people.h"

/* ---- one request at the daemon ---- */

struct asked {
	struct world *w;
	struct arena arena;
	struct msg_envelope envelope;
	struct registry_device device;
	struct msg_sync message;
	struct changeset_opened *sets;
	uint64_t session;
	struct ingest_result result;
	const char *refusal; /* code; NULL: not refused */
	uint64_t expected;
	bool is_counter_taken;
	bool is_stranger;
	struct outgoing_stats stats;
};

static int64_t now_of(const struct asked *q)
{
	return clock_wall_ms(q->w->ctx.clock);
}

static int refuse(struct asked *q, struct buf *answer)
{
	AUTO(buf_clear) struct buf message = {0};
	bool is_busy = strcmp(q->refusal, "busy") == 0;
	bool is_full = strcmp(q->refusal, "full") == 0;
	struct msg_refusal r = {.code = bytes_str(q->refusal),
				.text = BYTES_LIT("thử; a test"),
				.expected = q->expected,
				.retry_after_s = is_busy   ? 5
						 : is_full ? 600
							   : 0};

	world_trace(q->w, "daemon refuses: %s, expected %llu", q->refusal,
		    (unsigned long long)q->expected);
	if (q->result.outcome == INGEST_GAP)
		r.chain = q->result.chain;
	msg_refusal_encode(&r, &message);
	msg_answer_seal(buf_bytes(&message), answer);
	if (strcmp(q->refusal, "unknown_device") == 0)
		return 401;
	if (is_full)
		return 507;
	return is_busy ? 503 : 409;
}

/* A row that nobody waits for: without room it is not written. */
static void write_aside(struct asked *q, enum err (*write)(struct asked *q), const char *what)
{
	struct world *w = q->w;
	struct faults_window window;

	faults_begin(w, FAULTS_WRITING, &window);
	enum err e = store_begin(w->store);

	if (e == ERR_OK)
		e = write(q);
	if (e == ERR_OK)
		e = store_commit(w->store);
	(void)faults_end(w, &window, e, what);
}

static enum err put_refused(struct asked *q)
{
	struct session_start start = {.device = q->is_stranger ? 0 : q->envelope.device,
				      .transport = BYTES_LIT("network"),
				      .counter = q->is_counter_taken ? q->envelope.counter : 0,
				      .now_ms = now_of(q)};
	uint64_t session;

	return session_refused(q->w->store, &start, !q->is_stranger, bytes_str(q->refusal), 0,
			       &session);
}

static void log_refused(struct asked *q)
{
	write_aside(q, put_refused, "a refused session");
}

static enum err open_sets(struct asked *q)
{
	const struct msg_sync *m = &q->message;

	q->sets = arena_alloc_array(&q->arena, m->changeset_count, sizeof *q->sets);
	for (size_t i = 0; i < m->changeset_count; i++) {
		enum err e =
			changeset_open(&q->arena, m->changesets[i], &q->device.key, &q->sets[i]);

		if (e != ERR_OK)
			return e;
	}
	return ERR_OK;
}

/* What a pool thread checks. */
static void check(struct asked *q, struct bytes body)
{
	struct world *w = q->w;
	struct registry_device now;
	struct bytes message;

	world_must(w, msg_envelope_open(body, &q->envelope), "envelope");
	q->is_stranger = registry_find(w->ctx.registry, q->envelope.device, &q->device) != ERR_OK ||
			 !msg_envelope_is_valid(&q->envelope, &w->ctx.daemon, &q->device.key);
	if (q->is_stranger && w->restores == 0)
		world_fail(w, "a request of device %u is not signed by it", q->envelope.device);
	if (q->is_stranger) {
		q->refusal = "unknown_device";
		return;
	}
	q->is_counter_taken =
		registry_take_counter(w->ctx.registry, q->device.number, q->envelope.counter);
	if (!q->is_counter_taken) {
		world_must(w, registry_find(w->ctx.registry, q->device.number, &now), "device");
		q->refusal = "replay";
		q->expected = now.counter + 1;
		return;
	}
	world_must(w, msg_unpack(&q->arena, q->envelope.packing, q->envelope.payload, &message),
		   "unpack");
	world_must(w, msg_sync_decode(&q->arena, message, &q->message), "decode");
	world_must(w, open_sets(q), "change-sets");
	if (!w->is_healed && world_chance(w, 2))
		q->refusal = "busy";
}

static const char *code_of(enum ingest_outcome outcome)
{
	/* Nobody is revoked here. */
	switch (outcome) {
	case INGEST_OK: return NULL;
	case INGEST_GAP: return "gap";
	case INGEST_FORKED:
	case INGEST_REFUSED: return "forked";
	}
	UNREACHABLE();
}

/* What the writer's thread does, inside its transaction. */
static enum err merge(struct asked *q)
{
	struct world *w = q->w;
	struct session_start start = {.device = q->device.number,
				      .author = q->message.author,
				      .transport = BYTES_LIT("network"),
				      .client_version = q->message.client_version,
				      .counter = q->envelope.counter,
				      .sent_ms = q->message.sent_ms,
				      .now_ms = now_of(q)};
	struct ingest_request request = {.device = q->device.number,
					 .sets = q->sets,
					 .set_count = q->message.changeset_count,
					 .sent_ms = q->message.sent_ms,
					 .now_ms = now_of(q),
					 .sealed = q->message.sealed,
					 .counter = q->envelope.counter};
	struct session_finish finish = {.now_ms = now_of(q)};
	enum err e = session_begin(w->store, &start, &q->session);

	request.session = q->session;
	if (e == ERR_OK)
		e = ingest_run(&w->ctx, w->store, &q->arena, &request, &q->result);
	if (e == ERR_OK)
		e = session_merged(w->store, q->session, &q->result);
	if (e != ERR_OK)
		return e;
	q->refusal = code_of(q->result.outcome);
	q->expected = q->result.expected;
	if (q->refusal == NULL)
		return ERR_OK;
	finish.error = bytes_str(q->refusal);
	return session_end(w->store, q->session, &finish);
}

static enum err put_receipt(struct asked *q, struct store *reader, struct buf *wire)
{
	struct world *w = q->w;
	struct store_device device;
	enum err e = store_load_device(reader, &q->arena, q->device.number, &device);

	if (e != ERR_OK)
		return e;
	struct msg_receipt receipt = {
		.daemon = w->ctx.daemon,
		.epoch = w->ctx.epoch,
		.device = q->device.number,
		.number = q->result.number,
		.chain = q->result.chain,
		.backed_up =
			device.backed_up < q->result.number ? device.backed_up : q->result.number,
		.log = q->result.log,
		.at_ms = now_of(q),
		.repairs = q->result.repairs,
		.repair_count = q->result.repair_count,
	};

	msg_receipt_encode(&receipt, &w->ctx.key, wire);
	return ERR_OK;
}

static void trace_answer(struct asked *q, const struct msg_synced *m)
{
	struct world *w = q->w;
	char hex[ID_HEX_LEN];
	struct record r;

	if (!world_is_told(w))
		return;
	for (size_t i = 0; i < q->message.cursor_count; i++)
		world_trace(w, "  has unit %lld to %llu", (long long)q->message.cursors[i].unit,
			    (unsigned long long)q->message.cursors[i].log);
	for (size_t i = 0; i < m->record_count; i++) {
		world_must(w, record_decode(&q->arena, m->records[i], &r), "a record sent");
		id_print(&r.id, hex);
		world_trace(w, "  gets %s, %zu fields, log %llu", hex + 20, r.count,
			    (unsigned long long)record_last_log(&r));
	}
	for (size_t i = 0; i < m->eviction_count; i++) {
		id_print(&m->evictions[i].id, hex);
		world_trace(w, "  forgets %s of unit %lld", hex + 20,
			    (long long)m->evictions[i].unit);
	}
	for (size_t i = 0; i < m->cursor_count; i++)
		world_trace(w, "  gets unit %lld to %llu", (long long)m->cursors[i].unit,
			    (unsigned long long)m->cursors[i].log);
}

/* O9: what a device holds where it has everything is what the daemon holds. */
static enum err compare(struct asked *q, struct store *reader,
			const struct outgoing_request *request, struct outgoing *owed)
{
	struct world *w = q->w;
	struct compared found = {0};
	enum err e = compare_run(&w->ctx, reader, &q->arena, request, owed, &found);

	if (e == ERR_OK && found.unit_count != 0 && !homes_is_torn(w, q->device.number))
		world_fail(w, "O9: device %u differs: %s", q->device.number, found.text);
	return e;
}

/* Out of a snapshot, which may hold more than was merged here. */
static enum err collect(struct asked *q, struct store *reader, struct buf *answer)
{
	struct world *w = q->w;
	AUTO(buf_clear) struct buf receipt = {0};
	AUTO(buf_clear) struct buf message = {0};
	const struct outgoing_request request = {
		.device = q->device.number, .sync = &q->message, .own = &q->result.own};
	struct outgoing owed;
	enum err e = outgoing_build(&w->ctx, reader, &q->arena, &request, &owed);

	if (e == ERR_OK)
		e = compare(q, reader, &request, &owed);
	if (e == ERR_OK && q->result.number > 0)
		e = put_receipt(q, reader, &receipt);
	if (e != ERR_OK)
		return e;
	owed.answer.receipt = buf_bytes(&receipt);
	owed.answer.results = q->result.results;
	owed.answer.result_count = q->result.result_count;
	q->stats = owed.stats;
	trace_answer(q, &owed.answer);
	if (w->bug == WORLD_BUG_LOST_EVICTION && owed.answer.eviction_count != 0)
		owed.answer.eviction_count--;
	msg_synced_encode(&owed.answer, &message);
	msg_answer_seal(buf_bytes(&message), answer);
	return ERR_OK;
}

static enum err end_session(struct asked *q)
{
	struct session_finish finish = {.now_ms = now_of(q), .stats = q->stats};

	return session_end(q->w->store, q->session, &finish);
}

/* While one request is between commit and answer, others come. */
static void let_others_by(struct world *w, const struct client *waiting)
{
	if (w->is_healed || w->depth > 1 || !world_chance(w, 15))
		return;
	w->depth++;
	struct client *other = &w->clients[rand_below(&w->rand, w->client_count)];

	if (other != waiting && !other->is_busy)
		(void)world_sync(other);
	w->depth--;
}

static enum err no_answer(struct world *w)
{
	world_crash_daemon(w);
	return err_raise(ERR_NET, "the daemon is gone");
}

static enum err commit(struct asked *q, struct buf *answer)
{
	struct world *w = q->w;
	bool is_crash = !w->is_healed && world_chance(w, 4);

	if (w->bug == WORLD_BUG_RECEIPT_FIRST && q->refusal == NULL)
		world_must(w, collect(q, w->store, answer), "collect");
	if (!is_crash)
		return store_commit(w->store);
	if (w->bug == WORLD_BUG_RECEIPT_FIRST && answer->len != 0) {
		world_crash_daemon(w);
		return ERR_OK;
	}
	return no_answer(w);
}

/* ERR_OK: it is on the disk, or refused. */
static enum err take_in(struct asked *q, struct buf *answer)
{
	struct world *w = q->w;
	struct faults_window window;

	if (w->bug == WORLD_BUG_RECEIPT_FIRST)
		faults_begin_none(&window);
	else
		faults_begin(w, FAULTS_WRITING, &window);
	enum err e = store_begin(w->store);

	if (e == ERR_OK)
		e = merge(q);
	if (e == ERR_OK)
		e = commit(q, answer);
	e = faults_end(w, &window, e, "merge");
	if (e == ERR_IO)
		return err_raise(ERR_NET, "the daemon is gone");
	if (e != ERR_FULL)
		return e;
	q->result = (struct ingest_result){0};
	q->refusal = "full";
	q->expected = 0;
	log_refused(q);
	return ERR_OK;
}

static enum err give_out(struct asked *q, struct buf *answer)
{
	struct world *w = q->w;
	struct faults_window window;

	faults_begin(w, FAULTS_READING, &window);
	enum err e = store_begin(w->reader);

	if (e == ERR_OK)
		e = collect(q, w->reader, answer);
	store_rollback(w->reader);
	e = faults_end(w, &window, e, "collect");
	return e == ERR_IO ? err_raise(ERR_NET, "the daemon is gone") : e;
}

static enum err answer_sync(struct asked *q, const struct client *c, int *ret_status,
			    struct buf *answer)
{
	struct world *w = q->w;
	uint64_t life = w->daemon_life;
	enum err e = take_in(q, answer);

	if (e != ERR_OK)
		return e;
	*ret_status = 200;
	if (q->refusal != NULL) {
		*ret_status = refuse(q, answer);
		return ERR_OK;
	}
	let_others_by(w, c);
	if (w->has_clocks && !w->is_healed && rand_below(&w->fate, 100) < 2)
		clocks_jump_daemon(w);
	if (!w->is_healed && world_chance(w, 4))
		return no_answer(w);
	/* It crashed while others came by: this request was in its memory. */
	if (answer->len != 0)
		return ERR_OK;
	if (life != w->daemon_life)
		return err_raise(ERR_NET, "the daemon is gone");
	e = give_out(q, answer);
	if (e != ERR_OK)
		return e;
	if (world_chance(w, 90))
		write_aside(q, end_session, "end a session");
	return ERR_OK;
}

static enum err take_sync(struct world *w, const struct client *c, struct bytes body,
			  int *ret_status, struct buf *answer)
{
	struct asked q = {.w = w};
	enum err e = ERR_OK;

	check(&q, body);
	if (q.refusal != NULL) {
		log_refused(&q);
		*ret_status = refuse(&q, answer);
	} else {
		e = answer_sync(&q, c, ret_status, answer);
	}
	arena_clear(&q.arena);
	return e;
}

/* ---- the other endpoints ---- */

/* As handle_enrol.c: what it is called, and the count of tries stays. */
static int refuse_enrol(struct world *w, enum err e, struct buf *answer)
{
	struct asked q = {.w = w, .refusal = "full"};

	if (e == ERR_FULL)
		return refuse(&q, answer);
	world_must(w, store_commit(w->store), "commit");
	q.refusal = e == ERR_CONFLICT ? "key_known" : e == ERR_INVAL ? "other_home" : "code_used";
	return refuse(&q, answer);
}

static void put_devices(struct world *w, const struct registry_device *device, uint32_t former)
{
	struct registry_device old;

	registry_put(w->ctx.registry, device);
	if (former == 0 || registry_find(w->ctx.registry, former, &old) != ERR_OK)
		return;
	old.state = DEVICE_FORKED;
	registry_put(w->ctx.registry, &old);
}

static enum err take_enrol(struct world *w, struct bytes body, int *ret_status, struct buf *answer)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf message = {0};
	struct msg_enrol enrol;
	struct msg_enrolled enrolled;
	struct registry_device device;
	struct faults_window window;

	world_must(w, msg_enrol_decode(&a, body, &enrol), "enrolment");
	faults_begin(w, FAULTS_WRITING, &window);
	enum err e = store_begin(w->store);

	if (e == ERR_OK)
		e = enrol_run(&w->ctx, w->store, &a, &enrol, &enrolled, &device);
	if (e == ERR_OK)
		e = !w->is_healed && world_chance(w, 4) ? no_answer(w) : store_commit(w->store);
	e = faults_end(w, &window, e, "enrol");
	if (e == ERR_NET || e == ERR_IO)
		return err_raise(ERR_NET, "the daemon is gone");
	if (e != ERR_OK) {
		*ret_status = refuse_enrol(w, e, answer);
		return ERR_OK;
	}
	put_devices(w, &device, enrolled.former);
	msg_enrolled_encode(&enrolled, &message);
	msg_answer_seal(buf_bytes(&message), answer);
	*ret_status = 200;
	return ERR_OK;
}

static void take_units(struct world *w, int *ret_status, struct buf *answer)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf message = {0};
	struct msg_unit *units = NULL;
	size_t count = 0;
	uint64_t version = 0;

	world_must(w, units_load_message(w->store, &a, &units, &count), "units");
	world_must(w, units_version(w->store, &version), "version of the units");
	msg_units_encode(units, count, version, &message);
	msg_answer_seal(buf_bytes(&message), answer);
	*ret_status = 200;
}

static enum err take(struct world *w, const struct client *c, const char *path, struct bytes body,
		     int *ret_status, struct buf *answer)
{
	if (strcmp(path, "/v1/sync") == 0)
		return take_sync(w, c, body, ret_status, answer);
	*ret_status = 200;
	if (strcmp(path, "/v1/enrol") == 0)
		return take_enrol(w, body, ret_status, answer);
	if (strcmp(path, "/v1/units") == 0)
		take_units(w, ret_status, answer);
	else
		msg_answer_seal(buf_bytes(&w->schemas[w->schema]->source), answer);
	return ERR_OK;
}

/* ---- detours ---- */

static void send_later(struct client *c, struct bytes body)
{
	struct world *w = c->world;

	for (unsigned i = 0; i < WORLD_PARCELS_MAX; i++) {
		struct parcel *p = &w->parcels[i];

		if (p->body.len != 0)
			continue;
		buf_append_bytes(&p->body, body);
		p->client = c->index;
		p->due = w->step + (int)rand_below(&w->rand, 40);
		return;
	}
}

/* Nobody waits for the answer of a delayed request. */
static void arrive(struct world *w, struct parcel *p)
{
	AUTO(buf_clear) struct buf answer = {0};
	struct buf body = p->body;
	struct client *c = &w->clients[p->client];
	int status;

	p->body = (struct buf){0};
	world_trace(w, "an old request of client %u arrives", c->index);
	w->depth++;
	if (take(w, c, "/v1/sync", buf_bytes(&body), &status, &answer) != ERR_OK)
		world_trace(w, "no answer to an old request");
	w->depth--;
	buf_clear(&body);
}

void link_deliver(struct world *w, bool is_all)
{
	for (unsigned i = 0; i < WORLD_PARCELS_MAX; i++)
		if (w->parcels[i].body.len != 0 && (is_all || w->parcels[i].due <= w->step))
			arrive(w, &w->parcels[i]);
}

/* ---- the client's end ---- */

/* Signed by the daemon, and wrong: another chain, or further than the truth. */
static void falsify(struct client *c, struct buf *answer)
{
	struct world *w = c->world;
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};
	AUTO(buf_clear) struct buf encoded = {0};
	struct msg_receipt r;
	struct msg_synced m;
	struct bytes message;

	world_must(w, msg_answer_open(&a, buf_bytes(answer), &message), "answer");
	world_must(w, msg_synced_decode(&a, message, &m), "answer");
	if (m.receipt.len == 0)
		return;
	world_must(w, msg_receipt_decode(&a, m.receipt, &w->ctx.key.public_key, &r), "receipt");
	r.chain.bytes[7] ^= 1;
	msg_receipt_encode(&r, &w->ctx.key, &wire);
	m.receipt = buf_bytes(&wire);
	msg_synced_encode(&m, &encoded);
	buf_reset(answer);
	msg_answer_seal(buf_bytes(&encoded), answer);
	c->was_lied = true;
	world_trace(w, "client %u gets a false receipt", c->index);
}

/* The vault is let go while the network is slow: a second program writes an entry. */
static enum err wait_in_line(struct client *c)
{
	struct world *w = c->world;

	vault_pause(c->vault);
	if (!w->is_healed && world_chance(w, 10)) {
		struct faults_window window;

		faults_begin_none(&window);
		people_write_aside(c);
		faults_end_none(&window);
	}
	return vault_resume(c->vault);
}

static enum err pass(struct client *c, const char *path, struct bytes body, int *ret_status,
		     struct buf *answer)
{
	struct world *w = c->world;
	bool is_sync = strcmp(path, "/v1/sync") == 0;

	if (w->is_healed)
		return take(w, c, path, body, ret_status, answer);
	if (is_sync && world_chance(w, 6))
		send_later(c, body);
	if (world_chance(w, 6)) {
		/* Lost, or only late. */
		if (is_sync && world_chance(w, 50))
			send_later(c, body);
		return err_raise(ERR_NET, "the request is lost");
	}
	enum err e = take(w, c, path, body, ret_status, answer);

	if (e != ERR_OK)
		return e;
	if (is_sync && world_chance(w, 4)) {
		AUTO(buf_clear) struct buf second = {0};
		int status;

		if (take(w, c, path, body, &status, &second) != ERR_OK)
			return err_raise(ERR_NET, "the daemon is gone");
	}
	if (world_chance(w, 6))
		return err_raise(ERR_TIMEOUT, "the answer is lost");
	return ERR_OK;
}

enum err link_request(struct sync_transport *t, const char *path, struct bytes body,
		      int *ret_status, struct buf *ret_answer)
{
	struct client *c = CONTAINER_OF(t, struct client, link);
	struct world *w = c->world;
	bool is_enrolled = c->device != 0;

	enum err e = is_enrolled ? wait_in_line(c) : ERR_OK;

	/* A sweep that is owed is made there, too, and commits. */
	if (e != ERR_OK && !faults_have_fired() && !c->is_trap_sprung)
		world_fail(w, "client %u cannot open its vault again", c->index);
	if (e != ERR_OK)
		return e;
	e = pass(c, path, body, ret_status, ret_answer);

	if (e != ERR_OK)
		buf_reset(ret_answer);
	if (is_enrolled && !w->is_healed && world_chance(w, 3)) {
		c->is_dying = true;
		return err_raise(ERR_CANCELED, "the client dies while it waits");
	}
	if (e == ERR_OK && *ret_status == 200 && strcmp(path, "/v1/sync") == 0 && !w->is_healed &&
	    world_chance(w, 3))
		falsify(c, ret_answer);
	return e;
}
