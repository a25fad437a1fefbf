#include "tests/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/alert_file.h"

#define PATH_LEN 128u

static char base[64];
static char folder[PATH_LEN]; /* in it; not there yet */

/* What was asked of the disk, in order: "f" a file, "d" a folder synced, "r" renamed. */
static char calls[16];

/* The linker's names (--wrap). */
int real_fsync(int fd) __asm__("__real_fsync");
int noted_fsync(int fd) __asm__("__wrap_fsync");
int real_rename(const char *from, const char *to) __asm__("__real_rename");
int noted_rename(const char *from, const char *to) __asm__("__wrap_rename");

static void note(char call)
{
	const size_t len = strlen(calls);

	assert_true(len + 1 < sizeof calls);
	calls[len] = call;
	calls[len + 1] = '\0';
}

int noted_fsync(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	note(S_ISDIR(st.st_mode) ? 'd' : 'f');
	return real_fsync(fd);
}

int noted_rename(const char *from, const char *to)
{
	note('r');
	return real_rename(from, to);
}

static int setup(UNUSED_STATE)
{
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)snprintf(base, sizeof base, "/tmp/test_alert_file_XXXXXX");
	assert_non_null(mkdtemp(base));
	(void)snprintf(folder, sizeof folder, "%s/alerts", base);
	calls[0] = '\0';
	return 0;
}

static const char *path_of(const char *name)
{
	static char path[2 * PATH_LEN];

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int teardown(UNUSED_STATE)
{
	static const char *const names[] = {"ctxh-2026-11-20.txt", "ctxh-2026-11-21.txt",
					    "ctxh-2026-11-22.txt", "ctxh-ghi-chú.txt",
					    "của người khác.part", "ctxh-2026-11-21.txt.bak"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)unlink(path_of(names[i]));
	/* Anything else that is left makes these fail. */
	(void)rmdir(folder);
	return rmdir(base);
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(path_of(name), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static bool is_there(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

static void assert_content(const char *name, const char *text)
{
	char got[64] = "";
	FILE *f = fopen(path_of(name), "re");

	assert_non_null(f);
	got[fread(got, 1, sizeof got - 1, f)] = '\0';
	assert_int_equal(fclose(f), 0);
	assert_string_equal(got, text);
}

static void text_and_name_are_on_the_disk_before_it_counts_as_sent(UNUSED_STATE)
{
	struct stat st;

	assert_ok(alert_file_write(folder, "2026-11-22", BYTES_LIT("bản tin"), 60));
	/* The new folder's name, the text, the name in the folder. */
	assert_string_equal(calls, "dfrd");
	assert_content("ctxh-2026-11-22.txt", "bản tin");
	assert_int_equal(stat(path_of("ctxh-2026-11-22.txt"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);

	calls[0] = '\0';
	assert_ok(alert_file_write(folder, "2026-11-22", BYTES_LIT("lần nữa"), 60));
	assert_string_equal(calls, "frd");
	assert_content("ctxh-2026-11-22.txt", "lần nữa");
}

static void the_newest_are_kept_and_what_a_kill_left_goes(UNUSED_STATE)
{
	assert_int_equal(mkdir(folder, 0755), 0);
	put("ctxh-2026-11-20.txt", "cũ");
	put("ctxh-2026-11-21.txt", "hôm qua");
	put("ctxh-2026-11-21T071205-urgent.txt.part", "nửa");

	assert_ok(alert_file_write(folder, "2026-11-22", BYTES_LIT("bản tin"), 2));

	assert_false(is_there("ctxh-2026-11-20.txt"));
	assert_content("ctxh-2026-11-21.txt", "hôm qua");
	assert_true(is_there("ctxh-2026-11-22.txt"));
	assert_false(is_there("ctxh-2026-11-21T071205-urgent.txt.part"));
}

static void what_others_put_there_is_left_alone(UNUSED_STATE)
{
	static const char *const others[] = {"ctxh-ghi-chú.txt", "của người khác.part",
					     "ctxh-2026-11-21.txt.bak"};

	assert_int_equal(mkdir(folder, 0755), 0);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		put(others[i], "x");

	assert_ok(alert_file_write(folder, "2026-11-22", BYTES_LIT("bản tin"), 1));

	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		assert_true(is_there(others[i]));
}

static void without_room_the_one_before_stays(UNUSED_STATE)
{
	struct rlimit before;
	struct rlimit small;

	assert_ok(alert_file_write(folder, "2026-11-22", BYTES_LIT("bản tin"), 60));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 4;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);

	enum err e = alert_file_write(folder, "2026-11-22", BYTES_LIT("dài hơn"), 60);

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_err(e, ERR_FULL);
	assert_content("ctxh-2026-11-22.txt", "bản tin");
	assert_false(is_there("ctxh-2026-11-22.txt.part"));
}

static void a_folder_whose_parent_is_not_there_is_told(UNUSED_STATE)
{
	char deep[2 * PATH_LEN];

	(void)snprintf(deep, sizeof deep, "%s/không có", folder);
	assert_err(alert_file_write(deep, "2026-11-22", BYTES_LIT("bản tin"), 60), ERR_FULL);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(text_and_name_are_on_the_disk_before_it_counts_as_sent),
		T(the_newest_are_kept_and_what_a_kill_left_goes),
		T(what_others_put_there_is_left_alone),
		T(without_room_the_one_before_stays),
		T(a_folder_whose_parent_is_not_there_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
