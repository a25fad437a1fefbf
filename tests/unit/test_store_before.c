#include "tests/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store_before.h"
#include "daemon/store_private.h"
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

static void exec(struct store *s, const char *text)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(sql_use(s, text, &q));
	assert_ok(sql_run(q));
}

static void close_store(void)
{
	store_close(g.store);
	g.store = NULL;
}

static void read_file(const char *path, struct buf *out)
{
	uint8_t piece[4096];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, piece, sizeof piece)) > 0)
		buf_append(out, piece, (size_t)n);
	assert_int_equal(n, 0);
	(void)close(fd);
}

static void write_file(const char *path, const struct buf *content)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content->data, content->len), content->len);
	(void)close(fd);
}

static void copy_file(const char *from, const char *to)
{
	AUTO(buf_clear) struct buf content = {0};

	read_file(from, &content);
	write_file(to, &content);
}

static bool is_there(const char *ending)
{
	char path[256];

	(void)snprintf(path, sizeof path, "%s%s", g.path, ending);
	return access(path, F_OK) == 0;
}

/* The store as a program of long ago left it, closed. */
static void make_older(void)
{
	ground_make_version_6(&g);
	close_store();
}

static uint64_t version_of(const char *path)
{
	AUTO(store_close) struct store *s = NULL;
	uint64_t version = 0;

	assert_ok(store_open_as_is(path, &s));
	assert_ok(store_read_version(s, &version));
	return version;
}

static void what_needs_no_step_is_not_copied(UNUSED_STATE)
{
	struct store_before b = {.is_kept = true};
	char missing[192];

	close_store();

	assert_ok(store_keep_before(g.path, &b));
	assert_false(b.is_kept);

	(void)snprintf(missing, sizeof missing, "%s/none.db", g.folder);
	assert_ok(store_keep_before(missing, &b));
	assert_false(b.is_kept);
	assert_int_equal(access(missing, F_OK), -1); /* nor is one made by looking */
}

static void an_older_store_is_copied_byte_for_byte(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf before = {0};
	AUTO(buf_clear) struct buf copy = {0};
	struct store_before b;
	struct stat st;

	make_older();
	read_file(g.path, &before);

	assert_ok(store_keep_before(g.path, &b));

	assert_true(b.is_kept);
	assert_int_equal(b.from, 6);
	assert_int_equal(b.to, store_newest_version());
	assert_non_null(strstr(b.path, "/ctxhd.db.before-6"));
	read_file(b.path, &copy);
	assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&copy)));
	assert_int_equal(stat(b.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_false(is_there(".before-6.part"));
	assert_false(is_there(".before-6-wal"));
}

static void the_copy_stays_as_it_was_when_the_store_is_altered(UNUSED_STATE)
{
	struct store_before b;

	make_older();
	assert_ok(store_keep_before(g.path, &b));

	assert_ok(store_open_writer(g.path, g.schema, &g.store));
	close_store();

	assert_int_equal(version_of(g.path), store_newest_version());
	assert_int_equal(version_of(b.path), 6);
}

static void what_a_kill_left_in_the_log_is_in_the_copy(UNUSED_STATE)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(store_close) struct store *s = NULL;
	struct store_before b;
	struct bytes value;
	char path[192];
	char wal[256];
	char own_wal[256];

	exec(g.store, "PRAGMA user_version=6");
	assert_ok(store_begin(g.store));
	assert_ok(store_put_setting(g.store, "last", BYTES_LIT("word")));
	assert_ok(store_commit(g.store));
	(void)snprintf(path, sizeof path, "%s/killed.db", g.folder);
	(void)snprintf(wal, sizeof wal, "%s-wal", path);
	(void)snprintf(own_wal, sizeof own_wal, "%s-wal", g.path);
	copy_file(g.path, path);
	copy_file(own_wal, wal);

	assert_ok(store_keep_before(path, &b));

	assert_true(b.is_kept);
	assert_ok(store_open_as_is(b.path, &s));
	assert_ok(store_get_setting(s, &a, "last", &value));
	assert_true(bytes_is(value, "word"));
}

static void a_newer_store_is_refused_and_left_alone(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf before = {0};
	AUTO(buf_clear) struct buf after = {0};
	struct store_before b;

	exec(g.store, "PRAGMA user_version=999");
	close_store();
	read_file(g.path, &before);

	assert_err(store_keep_before(g.path, &b), ERR_INVAL);

	read_file(g.path, &after);
	assert_true(bytes_equal(buf_bytes(&before), buf_bytes(&after)));
	assert_false(b.is_kept);
	assert_false(is_there(".before-999"));
}

static void a_damaged_store_is_not_called_saved(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf content = {0};
	struct store_before b;

	make_older();
	read_file(g.path, &content);
	/* The pages of tables and indexes; the first has the version. */
	for (size_t at = 8192; at < content.len; at += 4096)
		memset(content.data + at, 0x5a, 64);
	write_file(g.path, &content);

	assert_err(store_keep_before(g.path, &b), ERR_CORRUPT);

	assert_false(b.is_kept);
	assert_false(is_there(".before-6"));
	assert_false(is_there(".before-6.part"));
}

static void without_room_nothing_is_kept_and_nothing_altered(UNUSED_STATE)
{
	struct rlimit old;
	struct rlimit small;
	struct store_before b;
	struct stat st;
	enum err e;

	make_older();
	assert_int_equal(stat(g.path, &st), 0);
	assert_true(st.st_size > INT64_C(131072));
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){(rlim_t)st.st_size - 4096, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);

	e = store_keep_before(g.path, &b);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_err(e, ERR_FULL);
	assert_false(is_there(".before-6"));
	assert_false(is_there(".before-6.part"));
	assert_int_equal(version_of(g.path), 6);
}

static void a_copy_that_a_kill_cut_short_is_made_anew(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf half = {0};
	struct store_before b;
	char part[192];

	make_older();
	buf_append_str(&half, "half");
	(void)snprintf(part, sizeof part, "%s.before-6.part", g.path);
	write_file(part, &half);

	assert_ok(store_keep_before(g.path, &b));
	/* And the whole one, when the steps were not done. */
	assert_ok(store_keep_before(g.path, &b));

	assert_int_equal(version_of(b.path), 6);
	assert_false(is_there(".before-6.part"));
}

static void dropping_takes_the_copies_and_nothing_else(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf junk = {0};
	struct store_before b;
	char other[192];

	make_older();
	assert_ok(store_keep_before(g.path, &b));
	buf_append_str(&junk, "x");
	(void)snprintf(other, sizeof other, "%s.before-3.part", g.path);
	write_file(other, &junk);
	(void)snprintf(other, sizeof other, "%s/ctxhd.dbx", g.folder);
	write_file(other, &junk);

	store_drop_before(g.path);

	assert_false(is_there(".before-6"));
	assert_false(is_there(".before-3.part"));
	assert_true(is_there(""));
	assert_true(is_there("x"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_needs_no_step_is_not_copied),
		CASE(an_older_store_is_copied_byte_for_byte),
		CASE(the_copy_stays_as_it_was_when_the_store_is_altered),
		CASE(what_a_kill_left_in_the_log_is_in_the_copy),
		CASE(a_newer_store_is_refused_and_left_alone),
		CASE(a_damaged_store_is_not_called_saved),
		CASE(without_room_nothing_is_kept_and_nothing_altered),
		CASE(a_copy_that_a_kill_cut_short_is_made_anew),
		CASE(dropping_takes_the_copies_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
