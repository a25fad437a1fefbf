#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#include "client/bundle.h"
#include "tests/support/client_home.h"
#include "tests/support/courier.h"

static int setup(void **state)
{
	struct client_home *h = calloc(1, sizeof *h);

	client_home_init(h);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	client_home_clear(*state);
	free(*state);
	return 0;
}

static struct id add_person(struct client_home *h, const char *name)
{
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", name));
	return id;
}

/* ---- the courier ---- */

static void make(struct client_home *h, struct buf *out)
{
	struct sync s = h->sync;
	struct bundle_made made;

	s.is_by_file = true;
	buf_reset(out);
	assert_ok(bundle_make(&s, &h->rand, out, &made));
}

static struct bundle_taken take(struct client_home *h, struct bytes file, enum err want)
{
	struct sync s = h->sync;
	struct bundle_taken taken;

	s.is_by_file = true;
	assert_err(bundle_take(&s, file, &taken), want);
	return taken;
}

static struct sign_pair device_key(struct client_home *h)
{
	struct arena a = {0};
	struct vault_identity identity;
	struct sign_pair key;

	assert_ok(vault_identity_load(h->vault, &a, &identity));
	sign_pair_from_seed(identity.seed, &key);
	arena_clear(&a);
	return key;
}

static void write_return(struct client_home *h, const struct bundle_return *b, struct buf *out)
{
	buf_reset(out);
	courier_return(h->office, &h->rand, b, out);
}

static void office_take(struct client_home *h, struct bytes file, struct buf *out)
{
	const struct sign_pair key = device_key(h);

	buf_reset(out);
	courier_carry(h->office, &key, &h->rand, file, out);
}

static void carry(struct client_home *h)
{
	struct buf out = {0};
	struct buf back = {0};

	make(h, &out);
	office_take(h, buf_bytes(&out), &back);
	assert_int_equal(take(h, buf_bytes(&back), ERR_OK).outcome, BUNDLE_TAKEN);
	buf_clear(&out);
	buf_clear(&back);
}

/* ---- as it should be ---- */

static void an_entry_is_sent_once_its_return_file_is_read(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Điểu K'Ré");
	struct buf out = {0};
	struct buf back = {0};

	make(h, &out);
	assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
	office_take(h, buf_bytes(&out), &back);
	assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
	struct bundle_taken taken = take(h, buf_bytes(&back), ERR_OK);

	assert_int_equal(taken.outcome, BUNDLE_TAKEN);
	assert_int_equal(taken.report.changes_sent, 1);
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	/* How long it was under way says nothing of this machine's clock. */
	assert_int_equal(vault_state(h->vault)->has_clock_offset, 0);
	assert_int_equal(client_home_problems(h), 0);
	buf_clear(&out);
	buf_clear(&back);
}

static void the_next_file_holds_what_a_lost_one_held(void **state)
{
	struct client_home *h = *state;
	struct id first = add_person(h, "Một");
	struct buf lost = {0};

	make(h, &lost);
	struct id second = add_person(h, "Hai");

	carry(h);
	assert_int_equal(client_home_standing(h, &first), VAULT_SENT);
	assert_int_equal(client_home_standing(h, &second), VAULT_SENT);
	buf_clear(&lost);
}

static void a_return_file_read_again_changes_nothing(void **state)
{
	struct client_home *h = *state;
	struct buf out = {0};
	struct buf back = {0};
	struct id id = add_person(h, "Một");

	make(h, &out);
	office_take(h, buf_bytes(&out), &back);
	(void)take(h, buf_bytes(&back), ERR_OK);
	struct vault_state before = *vault_state(h->vault);

	assert_int_equal(take(h, buf_bytes(&back), ERR_OK).outcome, BUNDLE_TAKEN);
	assert_memory_equal(&before, vault_state(h->vault), sizeof before);
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	assert_int_equal(client_home_problems(h), 0);
	buf_clear(&out);
	buf_clear(&back);
}

static void an_older_return_file_is_named_so_and_left(void **state)
{
	struct client_home *h = *state;
	struct buf out = {0};
	struct buf back = {0};
	struct id id = add_person(h, "Một");

	make(h, &out);
	office_take(h, buf_bytes(&out), &back);
	office_write(h->office, "person", &id, "phone", value_text(BYTES_LIT("0912345678")),
		     h->clock.wall + 1000);
	assert_ok(client_home_sync(h));
	struct vault_state before = *vault_state(h->vault);

	assert_int_equal(take(h, buf_bytes(&back), ERR_OK).outcome, BUNDLE_SUPERSEDED);
	assert_memory_equal(&before, vault_state(h->vault), sizeof before);
	assert_string_equal(client_home_value(h, &id, "phone"), "0912345678");
	buf_clear(&out);
	buf_clear(&back);
}

/* ---- as it should not be ---- */

static void a_return_file_that_leaves_a_hole_is_refused(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct buf back = {0};
	struct buf message = {0};
	struct msg_cursor beyond = {.unit = OFFICE_UNIT, .log = 5};
	const struct msg_synced answer = {.epoch = h->office->epoch, .now_ms = 1};

	msg_synced_encode(&answer, &message);
	struct bytes part = buf_bytes(&message);
	const struct bundle_return b = {.number = 9,
					.log = 9,
					.epoch = h->office->epoch,
					.cursors = &beyond,
					.cursor_count = 1,
					.parts = &part,
					.part_count = 1};

	write_return(h, &b, &back);
	assert_int_equal(take(h, buf_bytes(&back), ERR_OK).outcome, BUNDLE_AHEAD);
	buf_clear(&back);
	buf_clear(&message);
	arena_clear(&a);
}

static uint64_t cursor_of_vault(struct client_home *h)
{
	struct arena a = {0};
	struct msg_cursor *cursors = NULL;
	size_t count = 0;

	assert_ok(vault_cursors_load(h->vault, &a, &cursors, &count));
	const uint64_t log = count != 0 ? cursors[0].log : 0;

	arena_clear(&a);
	return log;
}

/* Asked when this device had nothing, answered when it had something: what that was, and whether it
 * is to be forgotten, the office could not know. */
static void a_return_file_asked_from_before_leaves_its_states_to_the_next(void **state)
{
	struct client_home *h = *state;
	struct buf early = {0};
	struct buf out = {0};
	struct buf back = {0};
	struct id id = add_person(h, "Một");

	make(h, &early);
	assert_ok(client_home_sync(h));
	const uint64_t reached = cursor_of_vault(h);
	assert_true(reached != 0);
	office_write(h->office, "person", &id, "phone", value_text(BYTES_LIT("0912345678")),
		     h->clock.wall + 1000);
	office_take(h, buf_bytes(&early), &back);

	const struct bundle_taken overtaken = take(h, buf_bytes(&back), ERR_OK);

	assert_int_equal(overtaken.outcome, BUNDLE_TAKEN);
	assert_true(overtaken.is_overtaken);
	assert_string_not_equal(client_home_value(h, &id, "phone"), "0912345678");
	assert_int_equal(cursor_of_vault(h), reached);

	make(h, &out);
	office_take(h, buf_bytes(&out), &back);
	assert_false(take(h, buf_bytes(&back), ERR_OK).is_overtaken);
	assert_string_equal(client_home_value(h, &id, "phone"), "0912345678");
	assert_true(cursor_of_vault(h) > reached);
	buf_clear(&early);
	buf_clear(&out);
	buf_clear(&back);
}

static void no_lie_in_a_receipt_marks_anything_as_sent(void **state)
{
	static const enum office_lie lies[] = {OFFICE_SIGNATURE, OFFICE_CHAIN, OFFICE_DEVICE_NUMBER,
					       OFFICE_EPOCH, OFFICE_TOO_FAR};
	struct client_home *h = *state;
	struct buf out = {0};
	struct buf back = {0};
	struct id id = add_person(h, "Không tin");

	for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
		make(h, &out);
		h->office->lie = lies[i];
		office_take(h, buf_bytes(&out), &back);
		(void)take(h, buf_bytes(&back), ERR_PROTO);
		assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
		assert_int_equal(vault_state(h->vault)->acked, 0);
		buf_reset(&back);
	}
	h->office->lie = OFFICE_HONEST;
	carry(h);
	assert_int_equal(client_home_standing(h, &id), VAULT_SENT);
	buf_clear(&out);
	buf_clear(&back);
}

static void files_of_others_are_told_apart(void **state)
{
	struct client_home *h = *state;
	struct sign_pair own = device_key(h);
	struct buf file = {0};
	struct vault_state before = *vault_state(h->vault);
	struct bundle_return b = {.number = 1, .refusal = BYTES_LIT("\x81\x01\xa3gap")};
	struct bundle_writer w = {.head = {.kind = BUNDLE_RETURN,
					   .device = OFFICE_DEVICE + 1,
					   .daemon = h->office->daemon},
				  .key = &h->office->key,
				  .reader = &h->office->device_key,
				  .rand = &h->rand};

	assert_ok(bundle_write_return(&w, &b, &file));
	assert_int_equal(take(h, buf_bytes(&file), ERR_OK).flaw, BUNDLE_OTHER_DEVICE);
	buf_reset(&file);
	w.head.device = OFFICE_DEVICE;
	w.head.daemon.bytes[3] ^= 1;
	assert_ok(bundle_write_return(&w, &b, &file));
	assert_int_equal(take(h, buf_bytes(&file), ERR_OK).flaw, BUNDLE_ELSEWHERE);
	buf_reset(&file);
	w.head.daemon = h->office->daemon;
	w.key = &own;
	assert_ok(bundle_write_return(&w, &b, &file));
	assert_int_equal(take(h, buf_bytes(&file), ERR_OK).flaw, BUNDLE_FORGED);
	make(h, &file);
	before.counter = vault_state(h->vault)->counter;
	assert_int_equal(take(h, buf_bytes(&file), ERR_OK).flaw, BUNDLE_WRONG_WAY);
	assert_int_equal(take(h, BYTES_LIT("%PDF-1.7"), ERR_OK).flaw, BUNDLE_STRANGE);
	assert_memory_equal(&before, vault_state(h->vault), sizeof before);
	buf_clear(&file);
}

static void a_file_without_sense_is_unreadable(void **state)
{
	struct client_home *h = *state;
	struct buf back = {0};
	struct bytes part = BYTES_LIT("\x80");
	struct bundle_return b = {.number = 1, .parts = &part, .part_count = 1};

	write_return(h, &b, &back);
	assert_int_equal(take(h, buf_bytes(&back), ERR_OK).flaw, BUNDLE_UNREADABLE);
	b.part_count = 0;
	write_return(h, &b, &back);
	assert_int_equal(take(h, buf_bytes(&back), ERR_OK).flaw, BUNDLE_UNREADABLE);
	b.refusal = BYTES_LIT("\x80");
	write_return(h, &b, &back);
	assert_int_equal(take(h, buf_bytes(&back), ERR_OK).flaw, BUNDLE_UNREADABLE);
	buf_clear(&back);
}

/* ---- refusals and accidents ---- */

static void what_a_restored_office_lacks_goes_with_the_next_file(void **state)
{
	struct client_home *h = *state;
	struct office *backup = malloc(sizeof *backup);
	struct buf out = {0};
	struct buf back = {0};

	*backup = *h->office;
	struct id lost = add_person(h, "Bị mất");

	carry(h);
	assert_int_equal(client_home_standing(h, &lost), VAULT_SENT);
	office_restore(h->office, backup);
	struct id after = add_person(h, "Sau đó");

	make(h, &out);
	office_take(h, buf_bytes(&out), &back);
	struct bundle_taken taken = take(h, buf_bytes(&back), ERR_OK);

	assert_string_equal(taken.report.refusal, "gap");
	assert_int_equal(client_home_standing(h, &lost), VAULT_WAITING);
	carry(h);
	assert_int_equal(client_home_standing(h, &lost), VAULT_SENT);
	assert_int_equal(client_home_standing(h, &after), VAULT_SENT);
	assert_int_equal(vault_state(h->vault)->generation, 1);
	/* Of the epoch that ended. */
	assert_int_equal(client_home_problems(h), 0);
	free(backup);
	buf_clear(&out);
	buf_clear(&back);
}

static void a_device_that_was_revoked_keeps_everything(void **state)
{
	struct client_home *h = *state;
	struct buf out = {0};
	struct buf back = {0};
	struct id id = add_person(h, "Giữ lại");

	make(h, &out);
	h->office->refuse = "revoked";
	office_take(h, buf_bytes(&out), &back);
	(void)take(h, buf_bytes(&back), ERR_AUTH);
	assert_int_equal(vault_state(h->vault)->standing, VAULT_STANDING_REVOKED);
	assert_int_equal(client_home_standing(h, &id), VAULT_WAITING);
	buf_clear(&out);
	buf_clear(&back);
}

static void a_schema_that_does_not_load_is_not_kept(void **state)
{
	struct client_home *h = *state;
	struct arena a = {0};
	struct buf back = {0};
	struct buf message = {0};
	struct bytes schema = BYTES_NONE;
	const struct msg_synced answer = {.epoch = h->office->epoch, .now_ms = 1};

	msg_synced_encode(&answer, &message);
	struct bytes part = buf_bytes(&message);
	const struct bundle_return b = {.number = 9,
					.epoch = h->office->epoch,
					.parts = &part,
					.part_count = 1,
					.schema = BYTES_LIT("not: [a schema")};

	write_return(h, &b, &back);
	(void)take(h, buf_bytes(&back), ERR_INVAL);
	assert_err(vault_doc_load(h->vault, &a, VAULT_DOC_SCHEMA, &schema), ERR_NOTFOUND);
	buf_clear(&back);
	buf_clear(&message);
	arena_clear(&a);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_entry_is_sent_once_its_return_file_is_read),
		CASE(the_next_file_holds_what_a_lost_one_held),
		CASE(a_return_file_read_again_changes_nothing),
		CASE(an_older_return_file_is_named_so_and_left),
		CASE(a_return_file_that_leaves_a_hole_is_refused),
		CASE(a_return_file_asked_from_before_leaves_its_states_to_the_next),
		CASE(no_lie_in_a_receipt_marks_anything_as_sent),
		CASE(files_of_others_are_told_apart),
		CASE(a_file_without_sense_is_unreadable),
		CASE(what_a_restored_office_lacks_goes_with_the_next_file),
		CASE(a_device_that_was_revoked_keeps_everything),
		CASE(a_schema_that_does_not_load_is_not_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
