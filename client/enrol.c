#define LOG_TAG "enrol"

#include "client/enrol.h"

#include "client/sync_apply.h"

#define PATH_ENROL "/v1/enrol"

/* ---- asking ---- */

/* What an enrolment is asked with. */
struct asking {
	const struct vault_identity *identity; /* whose key and code */
	const struct vault_identity *former;   /* NULL: this home has none */
	struct bytes author;
};

static void encode(struct sync *s, const struct asking *ask, struct buf *out)
{
	struct msg_enrol m = {.name = ask->identity->name,
			      .author = ask->author,
			      .client_version = bytes_str(s->client_version),
			      .sent_ms = clock_wall_ms(s->clock)};
	struct sign_pair key;
	struct sign_pair former;

	sign_pair_from_seed(ask->identity->seed, &key);
	m.key = key.public_key;
	memcpy(m.code, ask->identity->code, sizeof m.code);
	if (ask->former != NULL) {
		sign_pair_from_seed(ask->former->seed, &former);
		msg_enrol_vouch(&m, &ask->former->daemon, &former);
		crypt_wipe(&former, sizeof former);
		m.notice = (uint64_t)vault_state(s->vault)->notice;
		m.epoch = vault_state(s->vault)->epoch;
	}
	msg_enrol_encode(&m, &key, out);
	crypt_wipe(&key, sizeof key);
}

static enum err ask_office(struct sync *s, struct arena *a, const struct asking *ask,
			   struct sync_report *report, struct msg_enrolled *ret_enrolled)
{
	AUTO(buf_clear) struct buf request = {0};
	AUTO(buf_clear) struct buf answer = {0};
	struct msg_refusal refusal;
	struct bytes message;
	int status = 0;

	encode(s, ask, &request);
	enum err e = s->transport->request(s->transport, PATH_ENROL, buf_bytes(&request), &status,
					   &answer);

	if (e != ERR_OK)
		return e;
	if (status != 200) {
		if (sync_read_refusal(a, arena_copy(a, buf_bytes(&answer)), &refusal) == ERR_OK)
			sync_keep_refusal(report, &refusal);
		return err_raise(report->retry_after_s != 0 || status >= 500 ? ERR_AGAIN : ERR_AUTH,
				 "enrolment refused: %s", report->refusal);
	}
	e = msg_answer_open(a, arena_copy(a, buf_bytes(&answer)), &message);
	return e == ERR_OK ? msg_enrolled_decode(a, message, ret_enrolled) : e;
}

/* ---- the first time ---- */

static enum err keep_enrolment(struct sync *s, struct vault_identity *identity,
			       const struct msg_enrolled *m, struct bytes author)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	struct vault_state state = *vault_state(s->vault);
	struct bytes name = author.len != 0 ? author : m->author;
	enum err e = vault_begin(s->vault);

	if (e != ERR_OK)
		return e;
	txn = s->vault;
	identity->daemon = m->daemon;
	identity->device = m->device;
	identity->daemon_key = m->daemon_key;
	identity->is_cleared = m->is_cleared;
	crypt_wipe(identity->code, sizeof identity->code);
	state.epoch = m->epoch;
	state.has_clock_offset = 1;
	state.clock_offset_ms = sync_clock_offset(clock_wall_ms(s->clock), m->now_ms);
	e = vault_identity_put(s->vault, identity);
	if (e == ERR_OK)
		e = vault_scope_put(s->vault, m->units, m->unit_count);
	if (e == ERR_OK && name.len != 0)
		e = vault_authors_put(s->vault, &name, 1);
	if (e == ERR_OK)
		e = vault_state_put(s->vault, &state);
	return e == ERR_OK ? vault_commit(s->vault) : e;
}

enum err sync_enrol(struct sync *s, struct bytes author, struct sync_report *report)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity identity;
	struct msg_enrolled m;

	*report = (struct sync_report){0};
	enum err e = vault_identity_load(s->vault, &a, &identity);

	if (e == ERR_OK)
		e = ask_office(s, &a, &(struct asking){.identity = &identity, .author = author},
			       report, &m);
	if (e == ERR_OK)
		e = keep_enrolment(s, &identity, &m, author);
	crypt_wipe(identity.seed, sizeof identity.seed);
	return e;
}

/* ---- anew ---- */

bool enrol_may_ask_anew(const struct vault_state *state)
{
	return state->standing == VAULT_STANDING_FORKED || state->standing == VAULT_STANDING_GAP ||
	       state->standing == VAULT_STANDING_UNKNOWN;
}

static enum err take_place(struct sync *s, const struct vault_identity *former,
			   struct vault_identity *successor, const struct msg_enrolled *m,
			   struct succession *ret_done)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(s->vault);

	if (e != ERR_OK)
		return e;
	txn = s->vault;
	e = succession_run(s, former, successor, m, ret_done);
	return e == ERR_OK ? vault_commit(s->vault) : e;
}

enum err sync_enrol_anew(struct sync *s, struct sync_report *report, struct succession *ret_done)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_identity former = {0};
	struct vault_identity successor = {0};
	struct msg_enrolled m;

	*report = (struct sync_report){0};
	enum err e = vault_identity_load(s->vault, &a, &former);

	if (e == ERR_OK)
		e = vault_successor_load(s->vault, &a, &successor);
	if (e == ERR_OK)
		e = ask_office(s, &a, &(struct asking){.identity = &successor, .former = &former},
			       report, &m);
	if (e == ERR_OK)
		e = take_place(s, &former, &successor, &m, ret_done);
	crypt_wipe(former.seed, sizeof former.seed);
	crypt_wipe(successor.seed, sizeof successor.seed);
	return e;
}
