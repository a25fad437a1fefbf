#include "tests/unit/test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/client_home.h"

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

/* Then there is no disk that could differ. */
static bool is_in_memory_only(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == 0x01021994;
}

static struct id add_person(struct client_home *h, const char *name)
{
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", name));
	return id;
}

static void what_was_saved_is_there_after_opening_again(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Điểu K'Ré");

	client_home_reopen(h);

	assert_string_equal(client_home_value(h, &id, "full_name"), "Điểu K'Ré");
	assert_int_equal(client_home_problems(h), 0);
}

static void a_wrong_passphrase_opens_nothing(void **state)
{
	struct client_home *h = *state;
	uint8_t key[SEAL_KEY_LEN] = {1};

	vault_close(h->vault);
	h->vault = NULL;
	assert_ok(vault_open(h->path, &h->rand, &h->vault));

	assert_err(vault_unlock(h->vault, BYTES_LIT("sai")), ERR_AUTH);
	assert_false(vault_is_unlocked(h->vault));
	assert_err(vault_unlock_with_key(h->vault, key), ERR_AUTH);
	assert_false(vault_is_unlocked(h->vault));
	assert_ok(vault_unlock(h->vault, BYTES_LIT("mật khẩu")));
}

static void the_old_passphrase_ends_with_the_new_one(void **state)
{
	struct client_home *h = *state;
	struct vault_kdf kdf = {1, 8 << 10};
	struct id id = add_person(h, "Lan");

	assert_ok(vault_change_passphrase(h->vault, &kdf, BYTES_LIT("mới")));
	vault_close(h->vault);
	h->vault = NULL;
	assert_ok(vault_open(h->path, &h->rand, &h->vault));

	assert_err(vault_unlock(h->vault, BYTES_LIT("mật khẩu")), ERR_AUTH);
	assert_ok(vault_unlock(h->vault, BYTES_LIT("mới")));
	assert_string_equal(client_home_value(h, &id, "full_name"), "Lan");
}

static void a_vault_is_never_made_over_another(void **state)
{
	struct client_home *h = *state;
	struct vault_kdf kdf = {1, 8 << 10};
	struct vault *second = NULL;
	struct id id = add_person(h, "Lan");

	vault_pause(h->vault);
	assert_err(vault_create(h->path, &h->rand, &kdf, BYTES_LIT("khác"), &second), ERR_CONFLICT);
	assert_ok(vault_resume(h->vault));

	assert_string_equal(client_home_value(h, &id, "full_name"), "Lan");
}

static size_t count_in_file(const char *home, const char *name, const char *canary)
{
	char path[128];
	size_t hits = 0;
	struct buf text = {0};

	snprintf(path, sizeof path, "%s/%s", home, name);
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		return 0;
	for (size_t n = 1; n != 0; text.len += n)
		n = fread(buf_reserve(&text, 65536), 1, 65536, f);
	fclose(f);
	for (size_t i = 0; i + strlen(canary) <= text.len; i++)
		hits += memcmp(text.data + i, canary, strlen(canary)) == 0;
	buf_clear(&text);
	return hits;
}

static void nothing_personal_lies_in_clear(void **state)
{
	static const char *const canaries[] = {"CANARY", "person", "full_name", "Thị Bé",
					       "intervention"};
	struct client_home *h = *state;
	struct id id = add_person(h, "CANARY Nguyễn");

	h->office->refuse_type = BYTES_LIT("person");
	assert_ok(client_home_sync(h));
	assert_ok(client_home_edit(h, "person", &id, "hamlet", "CANARY thôn"));
	vault_close(h->vault);
	h->vault = NULL;

	size_t files = 0;
	DIR *folder = opendir(h->path);

	assert_non_null(folder);
	for (struct dirent *d = readdir(folder); d != NULL; d = readdir(folder)) {
		files += d->d_type == DT_REG;
		for (size_t i = 0; i < sizeof canaries / sizeof *canaries; i++)
			assert_int_equal(count_in_file(h->path, d->d_name, canaries[i]), 0);
	}
	closedir(folder);
	assert_true(files >= 3);
}

static void a_row_in_anothers_place_does_not_open(void **state)
{
	struct client_home *h = *state;
	char command[256];
	struct id a = add_person(h, "Một");
	struct id b = add_person(h, "Hai");

	vault_close(h->vault);
	h->vault = NULL;
	snprintf(command, sizeof command, "%s/vault.db", h->path);
	/* the second body under the first one's id */
	pid_t child = fork();

	if (child == 0) {
		execlp("sqlite3", "sqlite3", command,
		       "UPDATE record SET body = (SELECT body FROM record ORDER BY id DESC LIMIT 1)"
		       " WHERE id = (SELECT min(id) FROM record)",
		       (char *)NULL);
		_exit(77);
	}
	int status;

	waitpid(child, &status, 0);
	assert_ok(vault_open(h->path, &h->rand, &h->vault));
	assert_ok(vault_unlock(h->vault, BYTES_LIT("mật khẩu")));
	if (WEXITSTATUS(status) == 77)
		skip();
	struct arena arena = {0};
	struct vault_record r;
	const struct id *first = id_compare(&a, &b) < 0 ? &a : &b;

	assert_err(vault_record_load(h->vault, &arena, first, &r), ERR_CORRUPT);
	arena_clear(&arena);
	assert_true(client_home_problems(h) > 0);
}

static off_t log_size(struct client_home *h)
{
	char path[128];
	struct stat st = {0};

	snprintf(path, sizeof path, "%s/vault.db-wal", h->path);
	(void)stat(path, &st);
	return st.st_size;
}

static void a_long_log_is_emptied_at_closing_and_a_short_one_is_not(void **state)
{
	struct client_home *h = *state;
	static uint8_t big[4 << 20];
	struct arena arena = {0};
	struct bytes got;
	struct id id = add_person(h, "Lan");

	client_home_reopen(h);
	assert_true(log_size(h) > 0);
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_doc_put(h->vault, VAULT_DOC_SCHEMA, bytes_of(big, sizeof big)));
	assert_ok(vault_commit(h->vault));
	assert_true(log_size(h) > (off_t)sizeof big);
	client_home_reopen(h);
	assert_int_equal(log_size(h), 0);
	assert_true(client_home_has(h, &id));
	assert_ok(vault_doc_load(h->vault, &arena, VAULT_DOC_SCHEMA, &got));
	assert_int_equal(got.len, sizeof big);
	arena_clear(&arena);
}

/* The child makes entries and tells each id after its commit, until it is killed. */
static void write_until_killed(struct client_home *h, int out)
{
	vault_close(h->vault);
	h->vault = NULL;
	client_home_reopen(h);
	for (int i = 0;; i++) {
		char name[32];
		struct id id = client_home_new_id(h);

		snprintf(name, sizeof name, "Người %d", i);
		if (client_home_edit(h, "person", &id, "full_name", name) != ERR_OK ||
		    write(out, id.bytes, ID_LEN) != ID_LEN)
			_exit(1);
	}
}

static void kill_nine_loses_no_entry_that_was_told(void **state)
{
	struct client_home *h = *state;
	struct id ids[4096];
	size_t count = 0;

	print_message("seed %llu\n", (unsigned long long)h->seed);
	vault_pause(h->vault);
	for (int round = 0; round < 10; round++) {
		int pipes[2];

		assert_int_equal(pipe(pipes), 0);
		pid_t child = fork();

		if (child == 0) {
			struct rand own;

			rand_seeded_init(&own, h->seed + (uint64_t)round);
			h->rand = own;
			write_until_killed(h, pipes[1]);
		}
		close(pipes[1]);
		/* from the first entry on, however slow the machine is just now */
		assert_int_equal(read(pipes[0], ids[count].bytes, ID_LEN), ID_LEN);
		count++;
		usleep((useconds_t)rand_below(&h->rand, 40000));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		while (count < 4096 && read(pipes[0], ids[count].bytes, ID_LEN) == ID_LEN)
			count++;
		close(pipes[0]);
	}
	assert_ok(vault_resume(h->vault));

	assert_true(count >= 10);
	for (size_t i = 0; i < count; i++)
		assert_true(client_home_has(h, &ids[i]));
	assert_int_equal(client_home_problems(h), 0);
}

static void a_damaged_file_is_told_and_set_aside(void **state)
{
	struct client_home *h = *state;
	char path[128];
	char name[VAULT_PATH_MAX];
	struct vault *v = NULL;

	(void)add_person(h, "Lan");
	vault_close(h->vault);
	h->vault = NULL;
	snprintf(path, sizeof path, "%s/vault.db", h->path);
	int fd = open(path, O_WRONLY);

	assert_int_equal(pwrite(fd, "this is no vault", 16, 0), 16);
	close(fd);
	snprintf(path, sizeof path, "%s/vault.db-wal", h->path);
	(void)unlink(path);

	assert_err(vault_open(h->path, &h->rand, &v), ERR_CORRUPT);
	assert_ok(vault_set_aside(h->path, "nay", name));
	assert_err(vault_open(h->path, &h->rand, &v), ERR_NOTFOUND);
	assert_int_equal(access(name, F_OK), 0);
	(void)unlink(name);
}

static void close_vault(struct client_home *h)
{
	vault_close(h->vault);
	h->vault = NULL;
}

static void a_home_behind_a_symbolic_link_is_a_home(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");
	char link_path[sizeof h->path + 8];
	struct vault *v = NULL;

	close_vault(h);
	snprintf(link_path, sizeof link_path, "%s.link", h->path);
	assert_int_equal(symlink(h->path, link_path), 0);
	enum err e = vault_open(link_path, &h->rand, &v);

	vault_close(v);
	assert_int_equal(unlink(link_path), 0);
	assert_ok(e);
	client_home_reopen(h);
	assert_true(client_home_has(h, &id));
}

static void a_vault_that_is_a_symbolic_link_is_not_opened(void **state)
{
	struct client_home *h = *state;
	char path[128];
	char moved[128];
	struct vault *v = NULL;

	(void)add_person(h, "Lan");
	close_vault(h);
	snprintf(path, sizeof path, "%s/vault.db", h->path);
	snprintf(moved, sizeof moved, "%s/elsewhere", h->path);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(symlink("elsewhere", path), 0);

	assert_err(vault_open(h->path, &h->rand, &v), ERR_IO);
	assert_int_equal(rename(moved, path), 0);
	client_home_reopen(h);
}

static void others_cannot_write_in_the_home(void **state)
{
	struct client_home *h = *state;
	struct stat st;

	close_vault(h);
	assert_int_equal(chmod(h->path, 0777), 0);
	client_home_reopen(h);

	assert_int_equal(stat(h->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void the_home_of_another_user_is_left_alone(void **state)
{
	struct client_home *h = *state;
	struct vault_kdf kdf = {1, 8 << 10};
	struct vault *v = NULL;

	if (geteuid() != 0)
		skip();
	close_vault(h);
	assert_int_equal(chown(h->path, 12345, (gid_t)-1), 0);
	assert_err(vault_open(h->path, &h->rand, &v), ERR_INVAL);
	assert_err(vault_create(h->path, &h->rand, &kdf, BYTES_LIT("mật khẩu"), &v), ERR_INVAL);
	assert_int_equal(chown(h->path, 0, (gid_t)-1), 0);
	client_home_reopen(h);
}

static void the_log_of_a_vault_that_is_gone_is_kept(void **state)
{
	struct client_home *h = *state;
	struct vault_kdf kdf = {1, 8 << 10};
	char path[128];
	char moved[128];
	char kept[128];
	struct stat before;
	struct stat after;

	(void)add_person(h, "Lan");
	close_vault(h);
	/* what a crash between the two renames of vault_set_aside() leaves */
	snprintf(path, sizeof path, "%s/vault.db", h->path);
	snprintf(moved, sizeof moved, "%s/vault.db.damaged-nay", h->path);
	snprintf(kept, sizeof kept, "%s/vault.db.damaged-1-wal", h->path);
	assert_int_equal(rename(path, moved), 0);
	snprintf(path, sizeof path, "%s/vault.db-wal", h->path);
	assert_int_equal(stat(path, &before), 0);
	assert_ok(vault_create(h->path, &h->rand, &kdf, BYTES_LIT("mật khẩu"), &h->vault));

	int found = stat(kept, &after);

	(void)unlink(moved);
	(void)unlink(kept);
	assert_int_equal(found, 0);
	assert_int_equal(after.st_size, before.st_size);
}

/* Runs SQL over the closed vault; false when there is no sqlite3 program. */
static bool run_sql(struct client_home *h, const char *sql)
{
	char path[128];
	int status = 0;

	snprintf(path, sizeof path, "%s/vault.db", h->path);
	pid_t child = fork();

	if (child == 0) {
		execlp("sqlite3", "sqlite3", path, sql, (char *)NULL);
		_exit(77);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status) != 77;
}

static void a_damaged_identity_is_not_called_a_wrong_passphrase(void **state)
{
	struct client_home *h = *state;

	close_vault(h);
	bool has_run = run_sql(h, "UPDATE doc SET body = zeroblob(100) WHERE name = 'identity'");

	assert_ok(vault_open(h->path, &h->rand, &h->vault));
	if (!has_run)
		skip();
	assert_err(vault_unlock(h->vault, BYTES_LIT("sai")), ERR_AUTH);
	assert_err(vault_unlock(h->vault, BYTES_LIT("mật khẩu")), ERR_CORRUPT);
	assert_false(vault_is_unlocked(h->vault));
}

/* On a full disk what is here must still be readable, so the mark's block stays. */
static void a_mark_needs_no_room_once_it_was_made(void **state)
{
	struct client_home *h = *state;
	char path[128];
	struct stat st;

	close_vault(h);
	snprintf(path, sizeof path, "%s/lock", h->path);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 1);
	assert_int_equal(count_in_file(h->path, "lock", "1"), 0);
	client_home_reopen(h);
	assert_int_equal(count_in_file(h->path, "lock", "1"), 1);
}

static void pages_that_stay_in_memory_are_written_anew(void **state)
{
	struct client_home *h = *state;
	struct id id = add_person(h, "Lan");
	char path[128];
	struct stat before;
	struct stat after;

	close_vault(h);
	snprintf(path, sizeof path, "%s/lock", h->path);
	int lock = open(path, O_WRONLY);

	assert_int_equal(pwrite(lock, "1", 1, 0), 1);
	close(lock);
	snprintf(path, sizeof path, "%s/vault.db", h->path);
	int fd = open(path, O_RDONLY);

	assert_int_equal(fstat(fd, &before), 0);
	/* pages that a process has mapped are not dropped */
	void *map = mmap(NULL, (size_t)before.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);

	assert_true(map != MAP_FAILED);
	usleep(20000);
	client_home_reopen(h);
	assert_int_equal(fstat(fd, &after), 0);
	munmap(map, (size_t)before.st_size);
	close(fd);
	assert_true(client_home_has(h, &id));
	if (is_in_memory_only(h->path))
		skip();
	assert_true(after.st_mtim.tv_sec > before.st_mtim.tv_sec ||
		    after.st_mtim.tv_nsec > before.st_mtim.tv_nsec);
}

static void a_vault_that_cannot_be_resumed_says_so_and_can_be_later(void **state)
{
	struct client_home *h = *state;
	struct vault_counts counts;
	struct id id = add_person(h, "Lan");
	char path[128];
	char moved[128];

	vault_pause(h->vault);
	snprintf(path, sizeof path, "%s/vault.db", h->path);
	snprintf(moved, sizeof moved, "%s/elsewhere", h->path);
	assert_int_equal(rename(path, moved), 0);
	for (int i = 0; i < 2; i++) {
		assert_err(vault_resume(h->vault), ERR_NOTFOUND);
		assert_err(vault_count(h->vault, &counts), ERR_AGAIN);
		assert_err(vault_begin(h->vault), ERR_AGAIN);
	}
	assert_int_equal(rename(moved, path), 0);
	assert_ok(vault_resume(h->vault));
	assert_true(client_home_has(h, &id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(what_was_saved_is_there_after_opening_again),
		CASE(a_wrong_passphrase_opens_nothing),
		CASE(the_old_passphrase_ends_with_the_new_one),
		CASE(a_vault_is_never_made_over_another),
		CASE(nothing_personal_lies_in_clear),
		CASE(a_row_in_anothers_place_does_not_open),
		CASE(a_long_log_is_emptied_at_closing_and_a_short_one_is_not),
		CASE(kill_nine_loses_no_entry_that_was_told),
		CASE(a_damaged_file_is_told_and_set_aside),
		CASE(a_vault_that_cannot_be_resumed_says_so_and_can_be_later),
		CASE(a_home_behind_a_symbolic_link_is_a_home),
		CASE(a_vault_that_is_a_symbolic_link_is_not_opened),
		CASE(others_cannot_write_in_the_home),
		CASE(the_home_of_another_user_is_left_alone),
		CASE(the_log_of_a_vault_that_is_gone_is_kept),
		CASE(a_damaged_identity_is_not_called_a_wrong_passphrase),
		CASE(a_mark_needs_no_room_once_it_was_made),
		CASE(pages_that_stay_in_memory_are_written_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
