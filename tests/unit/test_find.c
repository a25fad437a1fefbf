#include "tests/unit/test.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "client/search.h"
#include "client/vault_internal.h"
#include "tests/support/client_home.h"

#define HITS_MAX 600u

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

/* ---- records ---- */

static const struct stamp stamp = {STAMP_CLOCK_OF(INT64_C(1790000000000)), 9};

static struct record record_of(const char *type, const struct id *id, struct field *fields,
			       size_t count)
{
	return (struct record){
		.type = bytes_str(type), .id = *id, .fields = fields, .count = count};
}

static void put(struct client_home *h, const struct record *r)
{
	const struct vault_record record = {.body = *r, .is_same = true};

	assert_ok(vault_record_put(h->vault, &record));
}

static struct id put_person(struct client_home *h, const char *name, const char *born)
{
	struct id id = client_home_new_id(h);
	struct field fields[] = {
		{BYTES_LIT("birth_date"), value_text(bytes_str(born)), stamp, 1},
		{BYTES_LIT("full_name"), value_text(bytes_str(name)), stamp, 1},
		{BYTES_LIT("unit"), value_int(OFFICE_UNIT), stamp, 1},
	};
	const struct record r = record_of("person", &id, fields, 3);

	put(h, &r);
	return id;
}

static struct id add_person(struct client_home *h, const char *name)
{
	assert_ok(vault_begin(h->vault));
	struct id id = put_person(h, name, "1950");

	assert_ok(vault_commit(h->vault));
	return id;
}

/* People until there are several parts. */
static void add_people(struct client_home *h, int count)
{
	assert_ok(vault_begin(h->vault));
	for (int i = 0; i < count; i++) {
		char name[64];

		snprintf(name, sizeof name, "Nguyễn Văn Số %04d", i);
		put_person(h, name, "1960");
	}
	assert_ok(vault_commit(h->vault));
}

/* ---- what a search finds ---- */

struct found {
	struct id ids[HITS_MAX];
	size_t count;
};

static enum err on_hit(void *arg, const struct vault_record *r)
{
	struct found *f = arg;

	assert_true(f->count < HITS_MAX);
	f->ids[f->count++] = r->body.id;
	return ERR_OK;
}

static enum err search(struct client_home *h, const char *text, const char *type,
		       struct found *ret_found)
{
	const struct search s = {.vault = h->vault,
				 .schema = h->schema,
				 .text = bytes_str(text),
				 .type = bytes_str(type),
				 .limit = 50};

	ret_found->count = 0;
	return search_run(&s, on_hit, ret_found);
}

static size_t count_hits(struct client_home *h, const char *text)
{
	struct found f;

	assert_ok(search(h, text, "", &f));
	return f.count;
}

/* ---- SQL on the file, while no vault has it open ---- */

static void close_vault(struct client_home *h)
{
	vault_close(h->vault);
	h->vault = NULL;
}

static int64_t run_sql(struct client_home *h, const char *sql)
{
	char path[128];
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int64_t n = -1;

	close_vault(h);
	snprintf(path, sizeof path, "%s/vault.db", h->path);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	client_home_reopen(h);
	return n;
}

static int64_t count_entries(struct client_home *h)
{
	return run_sql(h, "SELECT ifnull(sum(count), 0) FROM find");
}

/* ---- entries ---- */

static void an_entry_says_what_the_record_says(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf out = {0};
	struct id id = {{7}};
	struct field fields[] = {
		{BYTES_LIT("birth_date"), value_text(BYTES_LIT("~70@2020-05-01")), stamp, 1},
		{BYTES_LIT("full_name"), value_text(BYTES_LIT("Điểu K’Ré")), stamp, 1},
		{BYTES_LIT("monthly_income"), value_int(5), stamp, 1},
		{BYTES_LIT("sex"), value_text(BYTES_LIT("male")), stamp, 1},
	};
	const struct record r = record_of("person", &id, fields, 4);
	struct find_entry e;

	find_entry_append(&r, &out);
	struct bytes rest = buf_bytes(&out);

	assert_true(find_entry_next(&rest, &e));
	assert_int_equal(rest.len, 0);
	assert_int_equal(id_compare(&e.id, &id), 0);
	assert_true(bytes_is(e.type, "person"));
	assert_int_equal(e.person.year, 1950);
	assert_true(e.person.name != 0);
	assert_true(e.person.identity == 0);
	assert_false(e.is_deleted);
	assert_true(bytes_is(e.folds, "~70@2020-05-01\ndieu kre\nmale\n"));
	assert_false(find_entry_next(&rest, &e));
}

static void long_texts_are_left_out_of_the_entry(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf out = {0};
	char text[FIND_TEXT_BYTES + 2];
	struct id id = {{7}};
	struct field fields[] = {{BYTES_LIT("note"), VALUE_NONE, stamp, 1}};
	struct find_entry e;

	memset(text, 'x', sizeof text);
	for (size_t len = FIND_TEXT_BYTES; len <= FIND_TEXT_BYTES + 1; len++) {
		fields[0].value = value_text(bytes_of(text, len));
		const struct record r = record_of("household", &id, fields, 1);

		buf_reset(&out);
		find_entry_append(&r, &out);
		struct bytes rest = buf_bytes(&out);

		assert_true(find_entry_next(&rest, &e));
		assert_int_equal(e.is_long, len > FIND_TEXT_BYTES);
		assert_int_equal(e.folds.len, e.is_long ? 0 : len + 1);
	}
}

static void an_entry_that_is_cut_short_is_none(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf out = {0};
	struct id id = {{7}};
	struct field fields[] = {{BYTES_LIT("full_name"), value_text(BYTES_LIT("Lý")), stamp, 1}};
	const struct record r = record_of("person", &id, fields, 1);
	struct find_entry e;

	find_entry_append(&r, &out);
	for (size_t len = 0; len < out.len; len++) {
		uint8_t *copy = malloc(len + 1);
		struct bytes rest = bytes_of(copy, len);

		memcpy(copy, out.data, len);
		assert_false(find_entry_next(&rest, &e));
		assert_int_equal(rest.len, len);
		free(copy);
	}
}

static void who_is_deleted_or_joined_is_nobodys_double(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf out = {0};
	struct id id = {{7}};
	const struct value other = value_bytes(bytes_of(id.bytes, ID_LEN));
	struct field deleted[] = {
		{BYTES_LIT("deleted"), value_text(BYTES_LIT("nhầm")), stamp, 1},
		{BYTES_LIT("full_name"), value_text(BYTES_LIT("Lan")), stamp, 1},
	};
	struct field joined[] = {
		{BYTES_LIT("full_name"), value_text(BYTES_LIT("Lan")), stamp, 1},
		{BYTES_LIT("merged_into"), other, stamp, 1},
	};
	const struct record records[] = {record_of("person", &id, deleted, 2),
					 record_of("person", &id, joined, 2)};
	struct find_entry e;

	find_entry_append(&records[0], &out);
	find_entry_append(&records[1], &out);
	struct bytes rest = buf_bytes(&out);

	assert_true(find_entry_next(&rest, &e));
	assert_true(e.is_deleted && e.person.name == 0 && e.folds.len == 0);
	assert_true(find_entry_next(&rest, &e));
	assert_true(!e.is_deleted && e.person.name == 0 && e.folds.len != 0);
}

/*
 * Entries lie in vaults that are out there. When this fails because layout or keys are others
 * now, the number of find_version_append() or of vntext_key_version() must grow, and only then
 * the bytes here change.
 */
static void entries_of_this_version_are_these_bytes(UNUSED_STATE)
{
	AUTO(buf_clear) struct buf out = {0};
	char hex[2 * HASH_LEN + 1];
	struct id id = {{1, 2, 3}};
	struct field fields[] = {
		{BYTES_LIT("full_name"), value_text(BYTES_LIT("Nguyễn Thị Hoà")), stamp, 1},
		{BYTES_LIT("hamlet"), value_text(BYTES_LIT("Ấp  3\nĐăk Ơ; quỳ, hoà")), stamp, 1},
		{BYTES_LIT("identity_number"), value_text(BYTES_LIT("070150001234")), stamp, 1},
		{BYTES_LIT("note"), value_text(BYTES_LIT("K’Ré – Çağ ñ ð ŧ № 5")), stamp, 1},
	};
	const struct record r = record_of("person", &id, fields, 4);

	find_version_append(&out);
	assert_memory_equal(out.data, "find-1 1 ", 9);
	buf_reset(&out);
	find_entry_append(&r, &out);
	struct hash hash = hash_of(buf_bytes(&out));

	hex_print(hash.bytes, HASH_LEN, hex);
	assert_string_equal(hex,
			    "dcbad96688e1c70d053695d152adf0a91c763de4f8f97198fea7926592a377d0");
}

/* ---- the table ---- */

static void an_edit_is_found_at_once_and_what_it_replaced_no_more(void **state)
{
	struct client_home *h = *state;
	struct id id = client_home_new_id(h);

	assert_ok(client_home_edit(h, "person", &id, "full_name", "Hoàng Thị Cũ"));
	assert_int_equal(count_hits(h, "hoang thi cu"), 1);
	assert_ok(client_home_edit(h, "person", &id, "full_name", "Trần Thị Mới"));
	assert_int_equal(count_hits(h, "hoang thi cu"), 0);
	assert_int_equal(count_hits(h, "tran thi moi"), 1);
	assert_ok(client_home_edit(h, "person", &id, "deleted", "nhập nhầm"));
	assert_int_equal(count_hits(h, "tran thi moi"), 0);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_record_that_is_removed_leaves_no_entry(void **state)
{
	struct client_home *h = *state;
	struct id gone = add_person(h, "Người Bị Xóa");

	add_people(h, 3);
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_remove(h->vault, &gone));
	assert_ok(vault_commit(h->vault));

	assert_int_equal(count_hits(h, "bi xoa"), 0);
	assert_int_equal(count_entries(h), 3);
	assert_int_equal(client_home_problems(h), 0);
}

static void the_last_record_of_a_part_takes_it_away(void **state)
{
	struct client_home *h = *state;
	struct id only = add_person(h, "Chỉ Một");

	assert_int_equal(run_sql(h, "SELECT count(*) FROM find"), 1);
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_record_remove(h->vault, &only));
	assert_ok(vault_commit(h->vault));
	assert_int_equal(run_sql(h, "SELECT count(*) FROM find"), 0);
}

static void what_is_rolled_back_is_not_found(void **state)
{
	struct client_home *h = *state;

	add_person(h, "Ở Lại");
	assert_ok(vault_begin(h->vault));
	put_person(h, "Không Ghi", "1950");
	assert_int_equal(count_hits(h, "khong ghi"), 1);
	vault_rollback(h->vault);

	assert_int_equal(count_hits(h, "khong ghi"), 0);
	assert_int_equal(count_hits(h, "o lai"), 1);
	assert_int_equal(count_entries(h), 1);
	assert_int_equal(client_home_problems(h), 0);
}

static void an_index_that_is_not_there_is_made_and_kept(void **state)
{
	struct client_home *h = *state;

	add_people(h, 200);
	run_sql(h, "DELETE FROM find");
	assert_int_equal(client_home_problems(h), 0);

	assert_int_equal(count_hits(h, "số 0077"), 1);
	assert_int_equal(count_entries(h), 200);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_part_that_is_missing_is_made_when_a_neighbour_is_written(void **state)
{
	struct client_home *h = *state;

	add_people(h, 70);
	run_sql(h, "DELETE FROM find");
	add_person(h, "Người Mới");

	assert_int_equal(count_hits(h, "van so 0069"), 1);
	assert_int_equal(count_hits(h, "van so 0003"), 1);
	assert_int_equal(client_home_problems(h), 0);
}

static void a_damaged_part_is_told_and_mended(void **state)
{
	static const char *const damages[] = {
		"UPDATE find SET body = zeroblob(length(body)) WHERE part = 1",
		"UPDATE find SET body = x'00' WHERE part = 0",
		"UPDATE find SET body = substr(body, 1, length(body) - 1) WHERE part = 2",
		/* whole, but in another's place */
		"UPDATE find SET body = (SELECT body FROM find WHERE part = 1) WHERE part = 0",
		"UPDATE find SET count = count + 1 WHERE part = 0",
		"INSERT INTO find (part, count, body) VALUES (9000000000, 1, x'00')",
	};
	struct client_home *h = *state;

	add_people(h, 150);
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		run_sql(h, damages[i]);
		/* the count alone is derived from what is derived */
		assert_int_equal(client_home_problems(h), i == 4 ? 0 : 1);

		assert_int_equal(count_hits(h, "van so 0149"), 1);
		assert_int_equal(count_hits(h, "van so 0070"), 1);
		assert_int_equal(count_hits(h, "van so 0005"), 1);
		assert_int_equal(client_home_problems(h), 0);
		assert_int_equal(count_entries(h), 150);
	}
}

/* Seals a part that opens, as no program of ours would: the check is not blind. */
static void put_false_part(struct client_home *h, const char *version, const char *entries)
{
	AUTO(buf_clear) struct buf plain = {0};
	AUTO(buf_clear) struct buf sealed = {0};
	AUTO(query_end) struct query q = {0};
	const struct vault_row_key key = vault_row_key(0);

	if (version == NULL)
		find_version_append(&plain);
	else
		buf_append(&plain, version, strlen(version) + 1);
	buf_append_str(&plain, entries);
	vault_seal(h->vault, "find", bytes_of(key.bytes, sizeof key.bytes), buf_bytes(&plain),
		   &sealed);
	assert_ok(query_start(h->vault, SQL_FIND_PUT, &q));
	query_bind_int(&q, 1, 0);
	query_bind_int(&q, 2, 1);
	query_bind_blob(&q, 3, buf_bytes(&sealed));
	assert_ok(query_run(&q));
}

static void entries_that_differ_from_the_records_are_told(void **state)
{
	struct client_home *h = *state;

	add_person(h, "Lan");
	put_false_part(h, NULL, "");
	assert_int_equal(client_home_problems(h), 1);
	assert_int_equal(count_hits(h, "lan"), 0);

	/* what ctxh verify does then */
	assert_ok(vault_begin(h->vault));
	assert_ok(vault_find_forget(h->vault));
	assert_ok(vault_commit(h->vault));
	assert_int_equal(count_hits(h, "lan"), 1);
	assert_int_equal(client_home_problems(h), 0);
}

static void entries_of_another_version_are_made_anew(void **state)
{
	struct client_home *h = *state;

	add_person(h, "Lan");
	put_false_part(h, "find-0 1 15.0.0", "");
	assert_int_equal(count_hits(h, "lan"), 1);
	assert_int_equal(client_home_problems(h), 0);
}

static void an_index_that_cannot_be_kept_is_answered(void **state)
{
	struct client_home *h = *state;

	add_people(h, 100);
	run_sql(h, "DELETE FROM find");
	run_sql(h, "CREATE TRIGGER no_room BEFORE INSERT ON find BEGIN"
		   " SELECT RAISE(ABORT, 'no room'); END");
	assert_int_equal(count_hits(h, "van so 0099"), 1);
	assert_int_equal(count_entries(h), 0);
	run_sql(h, "DROP TRIGGER no_room");
	assert_int_equal(count_hits(h, "van so 0099"), 1);
	assert_int_equal(count_entries(h), 100);
}

static void a_damaged_record_keeps_no_neighbour_from_being_written(void **state)
{
	struct client_home *h = *state;
	struct found f;

	add_people(h, 3);
	run_sql(h, "UPDATE record SET body = zeroblob(100) WHERE key = 2");
	struct id id = add_person(h, "Người Mới");

	assert_true(client_home_has(h, &id));
	/* never an answer with somebody left out */
	assert_err(search(h, "người mới", "", &f), ERR_CORRUPT);
	run_sql(h, "DELETE FROM record WHERE key = 2");
	assert_int_equal(count_hits(h, "người mới"), 1);
}

/* ---- vaults of earlier formats ---- */

static void make_old_vault(const char *folder)
{
	char path[256];
	struct buf sql = {0};
	const char *root = getenv("CTXH_SOURCE_DIR");
	sqlite3 *db = NULL;

	snprintf(path, sizeof path, "%s/tests/vectors/vault-1.sql", root != NULL ? root : ".");
	FILE *f = fopen(path, "rb");

	assert_non_null(f);
	for (size_t n = 1; n != 0; sql.len += n)
		n = fread(buf_reserve(&sql, 4096), 1, 4096, f);
	fclose(f);
	snprintf(path, sizeof path, "%s/vault.db", folder);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, buf_cstr(&sql), NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	buf_clear(&sql);
}

static void a_vault_of_format_1_is_searched_and_written(void **state)
{
	struct client_home *h = *state;
	char path[128];
	struct vault_counts counts = {0};

	close_vault(h);
	for (size_t i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/vault.db%s", h->path, i == 0 ? "" : "-wal");
		(void)remove(path);
	}
	make_old_vault(h->path);
	for (int i = 0; i < 2; i++) {
		assert_ok(vault_open(h->path, &h->rand, &h->vault));
		assert_ok(vault_unlock(h->vault, BYTES_LIT("thu nghiem")));
		assert_ok(vault_count(h->vault, &counts));
		assert_int_equal(counts.records, 3 + i);
		assert_int_equal(counts.drafts, 1);
		assert_int_equal(count_hits(h, "dieu k're"), 1);
		if (i == 0)
			add_person(h, "Người Mới");
		assert_int_equal(client_home_problems(h), 0);
		assert_int_equal(count_hits(h, "nguoi moi"), 1);
		close_vault(h);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		cmocka_unit_test(an_entry_says_what_the_record_says),
		cmocka_unit_test(long_texts_are_left_out_of_the_entry),
		cmocka_unit_test(an_entry_that_is_cut_short_is_none),
		cmocka_unit_test(who_is_deleted_or_joined_is_nobodys_double),
		cmocka_unit_test(entries_of_this_version_are_these_bytes),
		CASE(an_edit_is_found_at_once_and_what_it_replaced_no_more),
		CASE(a_record_that_is_removed_leaves_no_entry),
		CASE(the_last_record_of_a_part_takes_it_away),
		CASE(what_is_rolled_back_is_not_found),
		CASE(an_index_that_is_not_there_is_made_and_kept),
		CASE(a_part_that_is_missing_is_made_when_a_neighbour_is_written),
		CASE(a_damaged_part_is_told_and_mended),
		CASE(entries_that_differ_from_the_records_are_told),
		CASE(entries_of_another_version_are_made_anew),
		CASE(an_index_that_cannot_be_kept_is_answered),
		CASE(a_damaged_record_keeps_no_neighbour_from_being_written),
		CASE(a_vault_of_format_1_is_searched_and_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
