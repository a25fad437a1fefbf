#include <stdio.h>

#include "client/vault_internal.h"
#include "common/base/check.h"
#include "proto/changeset.h"

/* One walk over the vault; the invariants C1 to C10 are those of docs/client-store.md. */
struct walk {
	struct vault *vault;
	vault_problem_fn problem;
	void *arg;
	size_t records;
};

static void say(struct walk *w, const char *invariant, const char *text)
{
	w->problem(w->arg, invariant, text);
}

enum err vault_check_file(struct vault *v, vault_problem_fn problem, void *arg)
{
	return vault_db_quick_check(v, problem, arg);
}

static enum err read_two(struct vault *v, enum vault_sql sql, int64_t ret[2])
{
	AUTO(query_end) struct query q = {0};
	bool has_row = false;
	enum err e = query_start(v, sql, &q);

	if (e == ERR_OK)
		e = query_row(&q, &has_row);
	if (e != ERR_OK)
		return e;
	ret[0] = query_int(&q, 0);
	ret[1] = sql == SQL_CHECK_WAITING ? query_int(&q, 1) : 0;
	return ERR_OK;
}

static enum err check_numbers(struct walk *w)
{
	int64_t n[2];
	enum err e = read_two(w->vault, SQL_CHECK_ORPHAN_CHANGES, n);

	if (e != ERR_OK)
		return e;
	if (n[0] != 0)
		say(w, "C4", "a change has no record");
	e = read_two(w->vault, SQL_CHECK_WAITING, n);
	if (e != ERR_OK)
		return e;
	if (n[0] != 0)
		say(w, "C5", "a change is waiting although a receipt covers it");
	if (n[1] != 0)
		say(w, "C6", "a change has a number that was never sealed");
	e = read_two(w->vault, SQL_CHECK_DOUBLE_NUMBERS, n);
	if (e == ERR_OK && n[0] != 0)
		say(w, "C6", "two changes have one number");
	return e;
}

static enum err on_record(void *arg, const struct vault_record *r)
{
	struct walk *w = arg;

	w->records++;
	if (r->body.count == 0)
		say(w, "C3", "a record without fields");
	if (!r->is_same && r->sync != VAULT_DRAFT && r->sync != VAULT_WAITING &&
	    r->sync != VAULT_REFUSED)
		say(w, "C4", "a record differs from the office's without a change of ours");
	return ERR_OK;
}

/* What is kept is one unbroken chain up to the last number sealed. */
static enum err check_set(struct walk *w, const struct vault_set *set, const struct vault_set *last)
{
	AUTO(arena_clear) struct arena a = {0};
	struct changeset_opened opened;

	if (changeset_open(&a, set->wire, NULL, &opened) != ERR_OK) {
		say(w, "C7", "a change-set of the outbox cannot be read");
		return ERR_OK;
	}
	if ((int64_t)opened.set.first != set->first || (int64_t)opened.set.count != set->count ||
	    !crypt_equal(opened.set.chain.bytes, set->before.bytes, HASH_LEN) ||
	    !crypt_equal(opened.set.head.bytes, set->head.bytes, HASH_LEN))
		say(w, "C7", "a change-set of the outbox is not what its row says");
	if (last != NULL && (last->first + last->count != set->first ||
			     !crypt_equal(last->head.bytes, set->before.bytes, HASH_LEN)))
		say(w, "C7", "the outbox has a gap");
	return ERR_OK;
}

static enum err check_outbox(struct walk *w)
{
	AUTO(arena_clear) struct arena a = {0};
	const struct vault_state *state = vault_state(w->vault);
	struct vault_sets sets = {0};
	enum err e = vault_outbox_load(w->vault, &a, 0, SIZE_MAX, SIZE_MAX, &sets);

	for (size_t i = 0; i < sets.count && e == ERR_OK; i++)
		e = check_set(w, &sets.items[i], i != 0 ? &sets.items[i - 1] : NULL);
	if (e != ERR_OK)
		return e;
	const struct vault_set *last = sets.count != 0 ? &sets.items[sets.count - 1] : NULL;

	if (last != NULL && (last->first + last->count - 1 != state->number ||
			     !crypt_equal(last->head.bytes, state->chain.bytes, HASH_LEN)))
		say(w, "C7", "the outbox does not end at the last number sealed");
	if (last == NULL && state->acked != state->number)
		say(w, "C8", "numbers without receipt are no longer kept");
	if (sets.count != 0 && sets.items[0].first > state->backed_up + 1)
		say(w, "C8", "a change-set was dropped before it was backed up");
	return ERR_OK;
}

struct receipts {
	struct walk *walk;
	struct vault_identity identity;
	struct vault_former *formers;
	size_t former_count;
	int64_t number;
};

static bool is_former(const struct receipts *r, uint32_t device)
{
	for (size_t i = 0; i < r->former_count; i++)
		if (r->formers[i].device == device)
			return true;
	return false;
}

static enum err on_receipt(void *arg, struct bytes wire)
{
	AUTO(arena_clear) struct arena a = {0};
	struct receipts *r = arg;
	struct msg_receipt receipt;

	if (msg_receipt_decode(&a, wire, &r->identity.daemon_key, &receipt) != ERR_OK)
		say(r->walk, "C9", "a receipt is not signed by the office");
	else if (receipt.device == r->identity.device)
		r->number = (int64_t)receipt.number;
	else if (!is_former(r, receipt.device))
		say(r->walk, "C9", "a receipt is for a device this home never was");
	return ERR_OK;
}

static enum err check_receipts(struct walk *w)
{
	AUTO(arena_clear) struct arena a = {0};
	struct receipts r = {.walk = w};
	enum err e = vault_identity_load(w->vault, &a, &r.identity);

	crypt_wipe(r.identity.seed, sizeof r.identity.seed);
	if (e == ERR_OK)
		e = vault_formers_load(w->vault, &a, &r.formers, &r.former_count);
	if (e == ERR_OK)
		e = vault_receipt_each(w->vault, on_receipt, &r);
	/* After a gap that was mended without a new epoch the state may lie before it. */
	if (e == ERR_OK && vault_state(w->vault)->acked > r.number)
		say(w, "C9", "numbers are marked as sent that no receipt covers");
	return e;
}

static enum err check_find(struct walk *w)
{
	size_t wrong = 0;
	enum err e = vault_find_check(w->vault, &wrong);

	if (e == ERR_OK && wrong != 0)
		say(w, "C10", "what search looks through differs from the records");
	if (e != ERR_CORRUPT)
		return e;
	say(w, "C10", "what search looks through cannot be compared with the records");
	return ERR_OK;
}

enum err vault_check(struct vault *v, vault_problem_fn problem, void *arg)
{
	struct walk w = {.vault = v, .problem = problem, .arg = arg};
	enum err e = check_numbers(&w);

	REQUIRE(vault_is_unlocked(v));
	if (e == ERR_OK)
		e = vault_record_each(v, on_record, &w);
	if (e == ERR_CORRUPT) {
		say(&w, "C2", "a record does not open");
		e = ERR_OK;
	}
	if (e == ERR_OK)
		e = check_outbox(&w);
	if (e == ERR_CORRUPT) {
		say(&w, "C2", "a change-set does not open");
		e = ERR_OK;
	}
	if (e == ERR_OK)
		e = check_find(&w);
	return e == ERR_OK ? check_receipts(&w) : e;
}
