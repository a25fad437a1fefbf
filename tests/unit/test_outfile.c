#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/outfile.h"

#define SMALL_FILE 4096u

static char folder[64];
static char path[96];

static int setup(void **state)
{
	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	snprintf(folder, sizeof folder, "/tmp/test_outfile_XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/tệp.csv", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static size_t files(void)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	assert_non_null(dir);
	for (const struct dirent *d = readdir(dir); d != NULL; d = readdir(dir))
		count += d->d_name[0] != '.';
	closedir(dir);
	return count;
}

static const char *content(void)
{
	static char text[256];
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		return NULL;
	text[fread(text, 1, sizeof text - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* No file may grow beyond `bytes`: writes fail as on a full disk, with another word. */
static void limit_files(rlim_t bytes)
{
	const struct rlimit limit = {bytes, RLIM_INFINITY};

	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_file_has_what_was_put_and_is_its_owners(UNUSED_STATE)
{
	struct outfile *f = NULL;
	struct stat st;

	assert_ok(outfile_open(path, &f));
	assert_ok(outfile_put(f, BYTES_LIT("một ")));
	assert_ok(outfile_put(f, BYTES_LIT("hai")));
	assert_ok(outfile_finish(f));

	assert_string_equal(content(), "một hai");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777u, 0600);
	assert_int_equal(files(), 1);
}

static void the_older_file_is_there_until_the_new_one_is_whole(UNUSED_STATE)
{
	struct outfile *f = NULL;

	assert_ok(outfile_write(path, BYTES_LIT("cũ")));
	assert_ok(outfile_open(path, &f));
	assert_ok(outfile_put(f, BYTES_LIT("mới")));
	assert_string_equal(content(), "cũ");
	assert_ok(outfile_finish(f));

	assert_string_equal(content(), "mới");
}

static void what_is_dropped_never_was(UNUSED_STATE)
{
	struct outfile *f = NULL;

	assert_ok(outfile_open(path, &f));
	assert_ok(outfile_put(f, BYTES_LIT("nửa")));
	outfile_drop(f);
	outfile_drop(NULL);

	assert_int_equal(files(), 0);
}

static void what_cannot_be_written_leaves_the_older_file_and_nothing_else(UNUSED_STATE)
{
	static const char many[3 * SMALL_FILE];
	struct outfile *f = NULL;

	assert_ok(outfile_write(path, BYTES_LIT("cũ")));
	limit_files(SMALL_FILE);
	assert_err(outfile_write(path, bytes_of(many, sizeof many)), ERR_IO);
	assert_non_null(strstr(log_last_detail(), path));
	assert_ok(outfile_open(path, &f));
	for (int i = 0; i < 100; i++)
		(void)outfile_put(f, bytes_of(many, sizeof many));
	/* The first error sticks. */
	assert_err(outfile_put(f, BYTES_LIT("x")), ERR_IO);
	assert_err(outfile_finish(f), ERR_IO);
	limit_files(RLIM_INFINITY);

	assert_string_equal(content(), "cũ");
	assert_int_equal(files(), 1);
}

static void a_folder_that_is_not_there_is_told(UNUSED_STATE)
{
	assert_err(outfile_write("/tmp/nothing-is-here/tệp", BYTES_LIT("x")), ERR_IO);
	assert_non_null(strstr(log_last_detail(), "/tmp/nothing-is-here/tệp"));
}

static void nothing_is_replaced_by_a_new_file(UNUSED_STATE)
{
	assert_ok(outfile_write_new(path, BYTES_LIT("khóa")));
	assert_err(outfile_write_new(path, BYTES_LIT("khóa khác")), ERR_CONFLICT);

	assert_string_equal(content(), "khóa");
	assert_int_equal(files(), 1);
}

/* As /dev/stdout is one: whoever named the link meant what it leads to, and keeps the link. */
static void a_link_stays_and_what_it_leads_to_is_written(UNUSED_STATE)
{
	char link_path[128];
	struct stat st;

	snprintf(link_path, sizeof link_path, "%s/lối", folder);
	assert_ok(outfile_write(path, BYTES_LIT("cũ")));
	assert_int_equal(symlink(path, link_path), 0);
	assert_ok(outfile_write(link_path, BYTES_LIT("mới")));

	assert_int_equal(lstat(link_path, &st), 0);
	assert_int_equal(st.st_mode & S_IFMT, S_IFLNK);
	assert_string_equal(content(), "mới");
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(files(), 1);
}

static void a_link_to_nothing_is_told_and_stays(UNUSED_STATE)
{
	assert_int_equal(symlink("không-có", path), 0);
	assert_err(outfile_write(path, BYTES_LIT("x")), ERR_IO);
	assert_non_null(strstr(log_last_detail(), path));

	assert_int_equal(files(), 1);
}

static void a_pipe_is_written_to_as_it_is(UNUSED_STATE)
{
	char got[8] = "";
	int fd;

	assert_int_equal(mkfifo(path, 0600), 0);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_ok(outfile_write(path, BYTES_LIT("chào")));

	assert_int_equal(read(fd, got, sizeof got - 1), 5);
	assert_string_equal(got, "chào");
	assert_int_equal(files(), 1);
	close(fd);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		T(a_file_has_what_was_put_and_is_its_owners),
		T(the_older_file_is_there_until_the_new_one_is_whole),
		T(what_is_dropped_never_was),
		T(what_cannot_be_written_leaves_the_older_file_and_nothing_else),
		T(a_folder_that_is_not_there_is_told),
		T(nothing_is_replaced_by_a_new_file),
		T(a_link_stays_and_what_it_leads_to_is_written),
		T(a_link_to_nothing_is_told_and_stays),
		T(a_pipe_is_written_to_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
