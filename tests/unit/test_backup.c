#include "tests/unit/test.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/backup_check.h"
#include "daemon/backup_keep.h"
#include "daemon/backup_key.h"
#include "daemon/epochs.h"
#include "daemon/keys.h"
#include "daemon/restore.h"
#include "daemon/store_backup.h"
#include "daemon/store_sql.h"
#include "daemon/verify.h"
#include "tests/support/ground.h"

static struct ground g;
static struct box_pair pair;
static const struct store_range open_ones = {.limit = 10, .is_open_only = true};

static int setup(UNUSED_STATE)
{
	ground_open(&g);
	box_pair_new(&g.rand, &pair);
	return 0;
}

static int teardown(UNUSED_STATE)
{
	ground_close(&g);
	return 0;
}

static const char *in_ground(const char *name)
{
	return (const char *)arena_printf(&g.a, "%s/%s%c", g.folder, name, '\0').data;
}

/* ---- the rule ---- */

#define HOUR INT64_C(3600000)
#define DAY  (24 * HOUR)

static int64_t at(const char *iso)
{
	int64_t ms;

	assert_ok(clock_parse_iso(iso, strlen(iso), &ms));
	return ms;
}

static void the_newest_of_days_weeks_and_months_stays(UNUSED_STATE)
{
	static const struct {
		const char *at;
		bool keep;
	} rows[] = {
		{"2026-11-22T03:00:00Z", true},  /* day 1, week 1, month 1 */
		{"2026-11-21T20:00:00Z", false}, /* the same day in Viet Nam */
		{"2026-11-21T10:00:00Z", true},  /* day 2 */
		{"2026-11-20T10:00:00Z", false}, /* no day any more, the same week */
		{"2026-11-15T10:00:00Z", true},  /* a Sunday: week 2 */
		{"2026-11-09T10:00:00Z", false}, /* the Monday of that week */
		{"2026-11-08T10:00:00Z", false}, /* the week before */
		{"2026-10-31T18:00:00Z", false}, /* 1 November in Viet Nam */
		{"2026-10-31T16:00:00Z", true},  /* month 2 */
		{"2026-01-01T10:00:00Z", true},  /* month 3, though none was made in between */
		{"2025-12-31T10:00:00Z", false},
	};
	const struct backup_rule rule = {.days = 2, .weeks = 2, .months = 3};
	const size_t count = sizeof rows / sizeof rows[0];
	int64_t times[sizeof rows / sizeof rows[0]];
	bool keep[sizeof rows / sizeof rows[0]];

	for (size_t i = 0; i < count; i++)
		times[i] = at(rows[i].at);
	backup_keep(&rule, times, count, keep);

	for (size_t i = 0; i < count; i++) {
		if (keep[i] != rows[i].keep)
			print_error("%s\n", rows[i].at);
		assert_int_equal(keep[i], rows[i].keep);
	}
}

static void the_newest_stays_whatever_the_rule(UNUSED_STATE)
{
	const struct backup_rule none = {0};
	const int64_t times[] = {3 * DAY, 2 * DAY, -5 * DAY};
	bool keep[3];

	backup_keep(&none, times, 3, keep);

	assert_true(keep[0] && !keep[1] && !keep[2]);
	backup_keep(&none, times, 0, keep);
}

/* ---- the copy ---- */

static void add_people(size_t count)
{
	struct ground_device *d = ground_device(&g, g.north, false);

	for (size_t i = 0; i < count; i++) {
		struct id id;
		struct change c = ground_person(&g, d, g.north, "Điểu K’Ré", &id);

		assert_int_equal(ground_push(&g, d, &c, 1).applied, 1);
	}
}

static uint64_t log_of(struct store *s)
{
	uint64_t log = 0;

	assert_ok(store_last_log(s, &log));
	return log;
}

/* What is committed between two steps is in the copy, and the copy need not start anew. */
static void a_copy_takes_what_is_written_meanwhile(UNUSED_STATE)
{
	const char *path = in_ground("copy.db");
	struct store_copy_progress p = {0};
	struct verify_report report;
	struct store *copy = NULL;
	size_t steps = 0;

	add_people(20);
	assert_ok(store_copy_begin(g.store, path));
	while (!p.is_done) {
		assert_ok(store_copy_step(g.store, 10, &p));
		if (steps++ < 3)
			add_people(5);
	}
	store_copy_end(g.store);

	assert_true(steps > 3 && steps < 100);
	assert_ok(store_open_reader(path, g.schema, &copy));
	assert_int_equal(log_of(copy), 35);
	assert_ok(store_begin(copy));
	assert_ok(verify_run(&g.ctx, copy, g.folder, &g.a, &report));
	store_rollback(copy);
	store_close(copy);
	assert_int_equal(report.found, 0);
}

static void a_copy_under_way_ends_with_the_store(UNUSED_STATE)
{
	struct store_copy_progress p;

	assert_ok(store_copy_begin(g.store, in_ground("copy.db")));
	assert_ok(store_copy_step(g.store, 1, &p));
	assert_false(p.is_done);

	ground_reopen(&g); /* the sanitizer would tell what is left */
	add_people(1);
	assert_int_equal(log_of(g.store), 1);
}

static void a_copy_that_cannot_be_made_hurts_nobody(UNUSED_STATE)
{
	enum err e = store_copy_begin(g.store, in_ground("no/such/folder.db"));

	assert_int_equal(err_class(e), ERR_CLASS_RETRY);
	add_people(1);
	assert_ok(store_copy_begin(g.store, in_ground("copy.db")));
	store_copy_end(g.store);
}

/* ---- the file ---- */

static const char *copy_store(void)
{
	const char *path = in_ground("copy.db");
	struct store_copy_progress p = {0};

	assert_ok(store_copy_begin(g.store, path));
	assert_ok(store_copy_step(g.store, -1, &p));
	store_copy_end(g.store);
	return path;
}

/* The ground's store and an id, sealed to `pair`. */
static const char *make_backup(uint8_t ret_key[BOX_KEY_LEN], struct archive_mark *ret_mark)
{
	const char *path = in_ground("b.backup");
	const char *id = in_ground("id");
	char hex[ID_HEX_LEN];

	id_print(&g.ctx.daemon, hex);
	assert_ok(keys_write_file(g.folder, "id", bytes_str(hex)));

	const struct archive_entry entries[] = {{"id", id}, {ARCHIVE_STORE, copy_store()}};

	assert_ok(archive_write(
		&(struct archive_order){path, entries, 2, pair.public_key, &g.rand, NULL}, ret_key,
		ret_mark));
	(void)unlink(in_ground("copy.db"));
	return path;
}

static enum err check(const char *path, const uint8_t key[BOX_KEY_LEN],
		      struct backup_checked *ret_checked)
{
	enum err e = backup_check(
		&g.ctx,
		&(struct backup_order){.path = path, .key = key, .folder = in_ground("check")},
		&g.a, ret_checked);

	assert_int_not_equal(access(in_ground("check"), F_OK), 0);
	return e;
}

static void a_backup_is_read_back_and_sound(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	uint8_t found[BOX_KEY_LEN];
	uint8_t header[BOX_HEADER_LEN];
	struct archive_mark mark;
	struct archive_mark measured;
	struct backup_checked c;

	add_people(30);
	const char *path = make_backup(key, &mark);

	assert_ok(check(path, key, &c));
	assert_int_equal(c.log, 30);
	assert_int_equal(c.records, 30);
	assert_int_equal(c.device_count, 2);
	assert_int_equal(c.devices[1].last_number, 30);
	assert_int_equal(c.mark.bytes, mark.bytes);
	assert_memory_equal(c.mark.hash.bytes, mark.hash.bytes, HASH_LEN);
	assert_ok(archive_measure(path, NULL, &measured));
	assert_memory_equal(measured.hash.bytes, mark.hash.bytes, HASH_LEN);

	assert_ok(archive_read_header(path, header));
	assert_ok(box_find_key(header, &pair, found));
	assert_memory_equal(found, key, sizeof key);
}

static void a_backup_cut_short_is_refused(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct backup_checked c;

	add_people(3);
	const char *path = make_backup(key, &mark);

	for (unsigned i = 0; i < 40; i++) {
		off_t len = i == 0 ? (off_t)mark.bytes - 1 : (off_t)rand_below(&g.rand, mark.bytes);

		assert_int_equal(truncate(path, len), 0);
		mark.bytes = (uint64_t)len; /* each time from what is left */
		enum err e = check(path, key, &c);

		assert_true(e == ERR_AUTH || e == ERR_INVAL);
		if (len == 0)
			break;
	}
}

static void a_changed_bit_is_refused(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct backup_checked c;

	add_people(3);
	const char *path = make_backup(key, &mark);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	for (unsigned i = 0; i < 40; i++) {
		/* From the nonce on: what stands before it only names the recipient. */
		off_t where = 72 + (off_t)rand_below(&g.rand, mark.bytes - 72);
		uint8_t byte;

		assert_int_equal(pread(fd, &byte, 1, where), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, where), 1);
		assert_err(check(path, key, &c), ERR_AUTH);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, where), 1);
	}
	(void)close(fd);
	assert_ok(check(path, key, &c));
}

static void bytes_behind_the_end_are_refused(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct backup_checked c;
	const char *path = make_backup(key, &mark);
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	assert_int_equal(write(fd, "x", 1), 1);
	(void)close(fd);

	assert_err(check(path, key, &c), ERR_AUTH);
}

static void a_file_that_is_not_ours_is_not_unpacked(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	const char *path = in_ground("b.backup");
	const struct archive_entry entry = {"../evil", copy_store()};

	assert_ok(archive_write(
		&(struct archive_order){path, &entry, 1, pair.public_key, &g.rand, NULL}, key,
		&mark));
	assert_int_equal(mkdir(in_ground("check"), 0700), 0);

	assert_err(archive_read(path, key, in_ground("check"), NULL, &mark), ERR_INVAL);
	assert_int_not_equal(access(in_ground("evil"), F_OK), 0);
	archive_remove_folder(in_ground("check"));
}

static void a_stop_ends_writing_and_leaves_nothing(UNUSED_STATE)
{
	const atomic_bool is_stopping = true;
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	const struct archive_entry entry = {ARCHIVE_STORE, copy_store()};

	assert_err(archive_write(&(struct archive_order){in_ground("b.backup"), &entry, 1,
							 pair.public_key, &g.rand, &is_stopping},
				 key, &mark),
		   ERR_CANCELED);
	assert_int_not_equal(access(in_ground("b.backup"), F_OK), 0);
}

static void run_sql(const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(store_begin(g.store));
	assert_ok(sql_use(g.store, text, &q));
	assert_ok(sql_run(q));
	sql_done(MOVE(q));
	assert_ok(store_commit(g.store));
}

/* The file is as it was written, and yet no backup: the store in it has lost a record. */
static void a_store_that_breaks_an_invariant_is_no_backup(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct backup_checked c;

	add_people(3);
	run_sql("DELETE FROM person WHERE row = 2");

	assert_err(check(make_backup(key, &mark), key, &c), ERR_CONFLICT);
}

/* ---- keys ---- */

static void a_pair_is_made_once_and_outlives_its_secret(UNUSED_STATE)
{
	struct box_public first;
	struct box_public again;
	struct box_pair secret;
	struct stat st;

	assert_ok(backup_find_recipient(g.folder, NULL, &g.rand, &first));
	assert_ok(backup_read_pair_of(g.folder, &secret));
	assert_memory_equal(&secret.public_key, &first, sizeof first);
	assert_int_equal(stat(in_ground(BACKUP_KEY_FILE), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);

	/* Moved away: backups go on. */
	assert_int_equal(unlink(in_ground(BACKUP_KEY_FILE)), 0);
	assert_ok(backup_find_recipient(g.folder, NULL, &g.rand, &again));
	assert_memory_equal(&again, &first, sizeof first);
	assert_err(backup_read_pair_of(g.folder, &secret), ERR_NOTFOUND);
}

static void a_configured_recipient_goes_first(UNUSED_STATE)
{
	char hex[BOX_HEX_LEN];
	struct box_public to;

	box_public_print(&pair.public_key, hex);
	assert_ok(backup_find_recipient(g.folder, hex, &g.rand, &to));
	assert_memory_equal(&to, &pair.public_key, sizeof to);
	assert_int_not_equal(access(in_ground(BACKUP_KEY_FILE), F_OK), 0);
}

/* ---- restore ---- */

static struct restore restore_of(const char *backup)
{
	char text[BOX_PAIR_TEXT_LEN];

	box_pair_print(&pair, text);
	assert_ok(keys_write_file(g.folder, "my.key", bytes_str(text)));
	return (struct restore){.backup = backup,
				.state = in_ground("new"),
				.key = in_ground("my.key"),
				.who = "uid:0",
				.clock = &g.clock.clock,
				.rand = &g.rand};
}

static void put_epoch(const struct id *epoch)
{
	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "epoch", bytes_of(epoch->bytes, ID_LEN)));
	assert_ok(store_commit(g.store));
}

static void a_restore_has_a_new_epoch_and_knows_the_old_one(UNUSED_STATE)
{
	const struct id before = id_new(&g.clock.clock, &g.rand);
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct restored r;
	struct store *s = NULL;
	struct store_device d;
	uint64_t limit;

	put_epoch(&before);
	add_people(7);
	const struct restore how = restore_of(make_backup(key, &mark));

	assert_ok(restore_run(&how, &r));

	assert_int_equal(id_compare(&r.epoch_before, &before), 0);
	assert_int_not_equal(id_compare(&r.epoch, &before), 0);
	assert_int_equal(id_compare(&r.daemon, &g.ctx.daemon), 0);
	assert_int_equal(r.log, 7);
	assert_int_equal(r.devices, 1);
	assert_ok(store_open_writer(in_ground("new/ctxhd.db"), g.schema, &s));
	assert_ok(epochs_base_limit(s, &before, &limit));
	assert_int_equal(limit, 7);
	assert_ok(store_load_device(s, &g.a, g.devices[0].number, &d));
	assert_int_equal(d.backed_up, 7);
	store_close(s);
	/* Backups go on to the same recipient. */
	struct box_public to;

	assert_ok(backup_find_recipient(in_ground("new"), NULL, &g.rand, &to));
	assert_memory_equal(&to, &pair.public_key, sizeof to);
	archive_remove_folder(in_ground("new"));
}

static void a_restore_touches_no_folder_that_is_there(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct restored r;
	struct restore how = restore_of(make_backup(key, &mark));

	how.state = g.folder;
	assert_err(restore_run(&how, &r), ERR_CONFLICT);
}

static void a_restore_takes_the_place_of_one_that_was_killed(UNUSED_STATE)
{
	const struct id epoch = id_new(&g.clock.clock, &g.rand);
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct restored r;

	put_epoch(&epoch);
	const struct restore how = restore_of(make_backup(key, &mark));

	assert_int_equal(mkdir(in_ground("new.part"), 0700), 0);
	assert_ok(keys_write_file(in_ground("new.part"), "ctxhd.db", BYTES_LIT("half of it")));
	assert_ok(restore_run(&how, &r));

	assert_int_equal(access(in_ground("new/ctxhd.db"), F_OK), 0);
	assert_int_not_equal(access(in_ground("new.part"), F_OK), 0);
	archive_remove_folder(in_ground("new"));
}

static void a_restore_that_fails_leaves_nothing(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct restored r;
	const struct id epoch = id_new(&g.clock.clock, &g.rand);

	put_epoch(&epoch);
	struct restore how = restore_of(make_backup(key, &mark));

	assert_int_equal(truncate(how.backup, (off_t)mark.bytes - 1), 0);
	assert_err(restore_run(&how, &r), ERR_AUTH);
	assert_int_not_equal(access(how.state, F_OK), 0);
	assert_int_not_equal(access(in_ground("new.part"), F_OK), 0);

	box_pair_new(&g.rand, &pair);
	how = restore_of(how.backup);
	assert_err(restore_run(&how, &r), ERR_AUTH);
	how.key = in_ground("nothing");
	assert_err(restore_run(&how, &r), ERR_NOTFOUND);
}

/* ---- what a restore does to bases ---- */

static struct change rename_to(struct ground_device *d, const struct id *id, uint64_t base,
			       const char *name)
{
	g.clock.wall += 1000; /* the later write wins: a loser is always told */
	struct change c = ground_change(&g, d, "person", id, base);

	ground_write(&g, &c, "name", ground_text(name));
	return c;
}

static size_t count_conflicts(void)
{
	struct conflict_row *rows = NULL;
	size_t count = 0;

	assert_ok(store_load_conflicts(g.store, &g.a, &open_ones, &rows, &count));
	return count;
}

static void assert_verified(void)
{
	struct verify_report report = {0};

	assert_ok(store_begin(g.store));
	assert_ok(verify_run(&g.ctx, g.store, g.folder, &g.a, &report));
	store_rollback(g.store);
	assert_int_equal(report.found, 0);
}

static struct id new_epoch(uint64_t log)
{
	struct id before;
	struct id after;

	assert_ok(store_begin(g.store));
	assert_ok(epochs_begin(g.store, log, &g.clock.clock, &g.rand, &before, &after));
	assert_ok(store_commit(g.store));
	return before;
}

/*
 * Before the accident a saw up to log number 9. The backup held 1. After it b comes first and gets
 * number 2, which a never saw; a's base 9 is of the old history.
 */
static void base_of_epoch(const struct id *says, bool is_conflict)
{
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.north, false);
	struct id id;
	struct change first = ground_person(&g, a, g.north, "A", &id);

	(void)ground_push(&g, a, &first, 1);
	const struct id old = new_epoch(1);

	if (says == NULL)
		says = &old;
	struct change of_b = rename_to(b, &id, 1, "B");
	struct change of_a = rename_to(a, &id, 9, "C");

	(void)ground_push(&g, b, &of_b, 1);
	a->epoch = *says;
	(void)ground_push(&g, a, &of_a, 1);

	assert_int_equal(count_conflicts(), is_conflict);
	assert_verified();
}

static void a_base_of_an_ended_epoch_hides_no_loss(UNUSED_STATE)
{
	const struct id epoch = id_new(&g.clock.clock, &g.rand);

	put_epoch(&epoch);
	base_of_epoch(NULL, true);
}

/* The negative control: without the epoch the loss goes untold. */
static void a_base_that_says_no_epoch_counts_as_it_is(UNUSED_STATE)
{
	static const struct id none;
	const struct id epoch = id_new(&g.clock.clock, &g.rand);

	put_epoch(&epoch);
	base_of_epoch(&none, false);
}

static void a_base_of_an_unknown_epoch_is_worth_nothing(UNUSED_STATE)
{
	const struct id epoch = id_new(&g.clock.clock, &g.rand);
	const struct id unknown = id_new(&g.clock.clock, &g.rand);
	uint64_t limit;

	put_epoch(&epoch);
	assert_ok(epochs_base_limit(g.store, &epoch, &limit));
	assert_int_equal(limit, EPOCHS_NO_LIMIT);
	assert_ok(epochs_base_limit(g.store, &unknown, &limit));
	assert_int_equal(limit, 0);
	base_of_epoch(&unknown, true);
}

static void what_was_seen_before_the_backup_stays_seen(UNUSED_STATE)
{
	const struct id epoch = id_new(&g.clock.clock, &g.rand);
	struct ground_device *a = ground_device(&g, g.north, false);
	struct ground_device *b = ground_device(&g, g.north, false);
	struct id id;

	put_epoch(&epoch);
	struct change first = ground_person(&g, b, g.north, "B", &id);

	(void)ground_push(&g, b, &first, 1);
	(void)new_epoch(1);
	a->epoch = epoch;
	struct change of_a = rename_to(a, &id, 9, "A");

	(void)ground_push(&g, a, &of_a, 1);

	assert_int_equal(count_conflicts(), 0);
	assert_verified();
}

/* ---- migration ---- */

static void a_store_of_version_1_is_taken_over(UNUSED_STATE)
{
	add_people(3);
	ground_make_version_3(&g);
	run_sql("ALTER TABLE changeset DROP COLUMN base_cut");
	run_sql("DROP INDEX visit__corrects");
	run_sql("ALTER TABLE visit DROP COLUMN corrects");
	run_sql("PRAGMA user_version=1");

	ground_reopen(&g);

	add_people(1);
	assert_verified();
}

/* The backup that was made before an upgrade is the one that is needed after it. */
static void a_backup_of_an_older_version_is_checked_and_restored(UNUSED_STATE)
{
	uint8_t key[BOX_KEY_LEN];
	struct archive_mark mark;
	struct backup_checked c;
	struct restored restored;

	put_epoch(&g.ctx.epoch);
	add_people(3);
	ground_make_version_6(&g);
	const char *path = make_backup(key, &mark);
	const struct restore r = restore_of(path);

	assert_ok(check(path, key, &c));
	assert_int_equal(c.log, 3);
	assert_int_equal(c.records, 3);
	assert_ok(restore_run(&r, &restored));
	assert_int_equal(restored.records, 3);
	archive_remove_folder(in_ground("new"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_newest_of_days_weeks_and_months_stays),
		T(the_newest_stays_whatever_the_rule),
		T(a_copy_takes_what_is_written_meanwhile),
		T(a_copy_under_way_ends_with_the_store),
		T(a_copy_that_cannot_be_made_hurts_nobody),
		T(a_backup_is_read_back_and_sound),
		T(a_backup_cut_short_is_refused),
		T(a_changed_bit_is_refused),
		T(bytes_behind_the_end_are_refused),
		T(a_file_that_is_not_ours_is_not_unpacked),
		T(a_stop_ends_writing_and_leaves_nothing),
		T(a_store_that_breaks_an_invariant_is_no_backup),
		T(a_pair_is_made_once_and_outlives_its_secret),
		T(a_configured_recipient_goes_first),
		T(a_restore_has_a_new_epoch_and_knows_the_old_one),
		T(a_restore_touches_no_folder_that_is_there),
		T(a_restore_takes_the_place_of_one_that_was_killed),
		T(a_restore_that_fails_leaves_nothing),
		T(a_base_of_an_ended_epoch_hides_no_loss),
		T(a_base_that_says_no_epoch_counts_as_it_is),
		T(a_base_of_an_unknown_epoch_is_worth_nothing),
		T(what_was_seen_before_the_backup_stays_seen),
		T(a_store_of_version_1_is_taken_over),
		T(a_backup_of_an_older_version_is_checked_and_restored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
