#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/store_sql.h"
#include "daemon/units.h"
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

static int64_t day(const char *text)
{
	int64_t value;

	assert_ok(units_parse_day(bytes_str(text), &value));
	return value;
}

static enum err import(const char *csv, const char *from, const char *until,
		       struct units_imported *ret_imported)
{
	enum err e;

	assert_ok(store_begin(g.store));
	e = units_import(g.store, &g.a, bytes_str(csv), day(from),
			 until != NULL ? day(until) : UNITS_DAY_OPEN, ret_imported);
	if (e != ERR_OK)
		store_rollback(g.store);
	else
		assert_ok(store_commit(g.store));
	return e;
}

static int64_t greatest_unit(void)
{
	AUTO(sql_done) struct sql *q = NULL;

	assert_ok(sql_use(g.store, "SELECT max(unit) FROM unit", &q));
	assert_ok(sql_run_row(q));
	return sql_int(q, 0);
}

static void a_unit_made_after_a_restore_has_an_id_no_unit_ever_had(UNUSED_STATE)
{
	static const char one[] = "code,name,type,province_code,province_name\n"
				  "25001,Xã Một,Xã,71,Tỉnh Mới\n";
	static const char two[] = "code,name,type,province_code,province_name\n"
				  "25001,Xã Một,Xã,71,Tỉnh Mới\n25002,Xã Hai,Xã,71,Tỉnh Mới\n";
	struct units_imported done;
	const struct id epoch = {{0}};
	int64_t before = greatest_unit();
	int64_t first;

	assert_ok(store_begin(g.store));
	assert_ok(units_leave_gap(g.store, &epoch));
	assert_ok(store_commit(g.store));
	assert_ok(import(one, "2021-02-01", NULL, &done));
	first = greatest_unit();
	assert_true(first > before + UNITS_GAP);
	assert_ok(store_begin(g.store));
	assert_ok(units_leave_gap(g.store, &epoch));
	assert_ok(units_leave_gap(g.store, &epoch));
	assert_ok(store_commit(g.store));
	assert_ok(import(two, "2022-02-01", NULL, &done));

	assert_int_equal(greatest_unit(), first + 2 * UNITS_GAP);
}

static struct bytes read_data(const char *name)
{
	char path[512];
	char *text;
	long len;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/tests/data/units/%s", getenv("CTXH_SOURCE_DIR"),
		       name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_int_equal(fseek(f, 0, SEEK_END), 0);
	len = ftell(f);
	rewind(f);
	text = arena_alloc(&g.a, (size_t)len + 1);
	assert_int_equal(fread(text, 1, (size_t)len, f), len);
	(void)fclose(f);
	return bytes_of(text, (size_t)len);
}

static struct units_imported import_file(const char *name, const char *from, const char *until)
{
	struct units_imported done = {0};

	assert_ok(import((const char *)read_data(name).data, from, until, &done));
	return done;
}

static struct unit_row find(const char *code, const char *on)
{
	struct unit_row row = {0};

	assert_ok(units_find(g.store, &g.a, bytes_str(code), day(on), &row));
	return row;
}

static void assert_missing(const char *code, const char *on)
{
	struct unit_row row;

	assert_err(units_find(g.store, &g.a, bytes_str(code), day(on), &row), ERR_NOTFOUND);
}

#define OLD_HEAD "code,name,type,district_code,district_name,province_code\n"
#define NEW_HEAD "code,name,type,province_code,province_name\n"

/* ---- lists ---- */

static void a_list_makes_communes_districts_and_provinces(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_ok(import(OLD_HEAD "25195,Phường Tân Phú,Phường,689,Thành phố Đồng Xoài,77\n",
			 "2021-02-01", NULL, &done));

	struct unit_row commune = find("25195", "2021-02-01");
	struct unit_row district = find("689", "2021-02-01");
	struct unit_row province = find("77", "2021-02-01");
	assert_int_equal(done.communes, 1);
	assert_int_equal(done.added, 3);
	assert_int_equal(commune.level, UNIT_COMMUNE);
	assert_int_equal(commune.parent, district.unit);
	assert_int_equal(district.parent, province.unit);
	assert_true(bytes_is(commune.kind, "Phường"));
	assert_true(bytes_is(district.kind, "Thành phố"));
	assert_true(bytes_is(commune.province_code, "77"));
	assert_missing("25195", "2021-01-31");
}

static void importing_again_changes_nothing(UNUSED_STATE)
{
	static const char csv[] =
		OLD_HEAD "25195,Phường Tân Phú,Phường,689,Thành phố Đồng Xoài,77\n"
			 "25198,Phường Tân Đồng,Phường,689,Thành phố Đồng Xoài,77\n";
	struct units_imported done = {0};
	uint64_t before;
	uint64_t after;

	assert_ok(import(csv, "2021-02-01", "2025-07-01", &done));
	assert_ok(units_version(g.store, &before));
	assert_ok(import(csv, "2021-02-01", "2025-07-01", &done));
	assert_ok(units_version(g.store, &after));

	assert_int_equal(done.added, 0);
	assert_int_equal(done.renamed, 0);
	assert_int_equal(done.ended, 0);
	assert_int_equal(before, after);
}

static void wrong_rows_are_named_and_nothing_is_imported(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_err(import(OLD_HEAD "25195,Phường Tân Phú,Phường,689,Thành phố Đồng Xoài,77\n"
				   "25x98,Phường Tân Đồng,Phường,689,Thành phố Đồng Xoài,77\n"
				   "25199,,Phường,689,Thành phố Đồng Xoài,77\n"
				   "25200,Phường \xff,Phường,689,Thành phố Đồng Xoài,77\n",
			  "2021-02-01", NULL, &done),
		   ERR_INVAL);

	assert_int_equal(done.problem_count, 3);
	assert_int_equal(done.problems[0].line, 3);
	assert_int_equal(done.problems[1].line, 4);
	assert_int_equal(done.problems[2].line, 5);
	assert_missing("25195", "2021-02-01");
}

static void a_code_twice_is_named(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_err(import(NEW_HEAD
			  "25195,Xã A,Xã,75,Tỉnh Đồng Nai\n25195,Xã B,Xã,75,Tỉnh Đồng Nai\n",
			  "2025-07-01", NULL, &done),
		   ERR_INVAL);

	assert_int_equal(done.problem_count, 1);
	assert_int_equal(done.problems[0].line, 3);
}

static void a_file_without_the_columns_is_refused(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_err(import("ma,ten\n1,2\n", "2025-07-01", NULL, &done), ERR_INVAL);
	assert_err(import("", "2025-07-01", NULL, &done), ERR_INVAL);
	assert_err(import(NEW_HEAD, "2025-07-01", NULL, &done), ERR_INVAL);
	assert_err(import(NEW_HEAD "1,Xã A,Xã,75,Tỉnh B\n", "2025-07-01", "2025-07-01", &done),
		   ERR_INVAL);
}

static void the_same_name_with_another_type_is_the_same_unit(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_ok(import(NEW_HEAD "25270,Xã Lộc Ninh,Xã,75,Tỉnh Đồng Nai\n", "2025-07-01", NULL,
			 &done));
	assert_ok(import(NEW_HEAD "25270,Phường Lộc Ninh,Phường,75,Thành phố Đồng Nai\n",
			 "2026-04-30", NULL, &done));

	struct unit_row before = find("25270", "2026-04-29");
	struct unit_row after = find("25270", "2026-04-30");
	assert_int_equal(done.added, 0);
	assert_int_equal(done.renamed, 2);
	assert_int_equal(before.unit, after.unit);
	assert_true(bytes_is(before.name, "Xã Lộc Ninh"));
	assert_true(bytes_is(after.name, "Phường Lộc Ninh"));
	assert_int_equal(before.until, after.from);
}

static void the_place_of_the_tone_makes_no_other_unit(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_ok(import(NEW_HEAD "25001,Xã Hòa Bình,Xã,75,Tỉnh Đồng Nai\n", "2025-07-01", NULL,
			 &done));
	assert_ok(import(NEW_HEAD "25001,Xã Hoà Bình,Xã,75,Tỉnh Đồng Nai\n", "2026-04-30", NULL,
			 &done));

	assert_int_equal(done.added, 0);
	assert_int_equal(find("25001", "2026-01-01").unit, find("25001", "2026-05-01").unit);
}

static void another_name_under_the_code_is_another_unit(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_ok(import(NEW_HEAD "25001,Xã Lộc Thành,Xã,75,Tỉnh Đồng Nai\n", "2025-07-01", NULL,
			 &done));
	assert_ok(import(NEW_HEAD "25001,Xã Lộc Thạnh,Xã,75,Tỉnh Đồng Nai\n", "2026-04-30", NULL,
			 &done));

	struct unit_row before = find("25001", "2026-04-29");
	struct unit_row after = find("25001", "2026-04-30");
	assert_int_not_equal(before.unit, after.unit);
	assert_int_equal(before.until, day("2026-04-30"));
}

static void another_structure_under_the_code_is_another_unit(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_ok(import(OLD_HEAD "25267,Xã Đăk Ơ,Xã,691,Huyện Bù Gia Mập,77\n", "2021-02-01", NULL,
			 &done));
	assert_ok(
		import(NEW_HEAD "25267,Xã Đăk Ơ,Xã,75,Tỉnh Đồng Nai\n", "2025-07-01", NULL, &done));

	assert_int_not_equal(find("25267", "2025-06-30").unit, find("25267", "2025-07-01").unit);
	assert_int_equal(find("25267", "2025-06-30").until, day("2025-07-01"));
}

static void a_unit_missing_from_the_next_list_ends(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_ok(import(OLD_HEAD "25195,Phường Một,Phường,689,Thị xã A,77\n"
				  "25198,Phường Hai,Phường,689,Thị xã A,77\n"
				  "30001,Xã Khác,Xã,800,Huyện B,78\n",
			 "2021-02-01", NULL, &done));
	assert_ok(import(OLD_HEAD "25195,Phường Một,Phường,689,Thị xã A,77\n", "2025-01-01", NULL,
			 &done));

	assert_int_equal(done.ended, 1);
	assert_int_equal(find("25198", "2024-12-31").until, day("2025-01-01"));
	assert_missing("25198", "2025-01-01");
	/* Another province is not touched by it. */
	assert_int_equal(find("30001", "2025-01-01").until, day("2025-07-01"));
	assert_int_equal(find("25195", "2025-01-01").from, day("2021-02-01"));
}

static void lists_may_come_in_any_order(UNUSED_STATE)
{
	static const char old[] = OLD_HEAD "25195,Phường Một,Phường,689,Thị xã A,77\n"
					   "25198,Phường Hai,Phường,689,Thị xã A,77\n";
	static const char new[] = OLD_HEAD "25195,Phường Một,Phường,689,Thị xã A,77\n";
	struct units_imported done = {0};

	assert_ok(import(new, "2025-01-01", NULL, &done));
	assert_ok(import(old, "2021-02-01", NULL, &done));

	assert_missing("25198", "2025-01-01");
	assert_int_equal(find("25198", "2024-12-31").until, day("2025-01-01"));
	assert_int_equal(find("25195", "2025-06-01").from, day("2021-02-01"));
	assert_int_equal(find("25195", "2022-01-01").unit, find("25195", "2025-06-01").unit);
}

static void a_list_without_districts_ends_the_old_structure_everywhere(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_ok(import(OLD_HEAD "25195,Phường Một,Phường,689,Thị xã A,77\n"
				  "30001,Xã Khác,Xã,800,Huyện B,78\n",
			 "2021-02-01", NULL, &done));
	assert_ok(import(NEW_HEAD "25300,Xã Mới,Xã,75,Tỉnh Đồng Nai\n", "2025-07-01", NULL, &done));

	assert_int_equal(find("30001", "2025-06-30").until, day("2025-07-01"));
	assert_missing("30001", "2025-07-01");
	assert_missing("25195", "2025-07-01");
	assert_missing("800", "2025-07-01");
	assert_missing("78", "2025-07-01");
	assert_int_equal(find("25300", "2026-01-01").until, UNITS_DAY_OPEN);
}

static void an_old_list_that_comes_late_ends_with_the_structure(UNUSED_STATE)
{
	struct units_imported done = {0};

	assert_ok(import(NEW_HEAD "25300,Xã Mới,Xã,75,Tỉnh Đồng Nai\n", "2025-07-01", NULL, &done));
	assert_ok(import(OLD_HEAD "30001,Xã Khác,Xã,800,Huyện B,78\n", "2021-02-01", NULL, &done));

	assert_int_equal(find("30001", "2025-06-30").until, day("2025-07-01"));
	assert_missing("800", "2025-07-01");
	assert_int_equal(find("25300", "2026-01-01").until, UNITS_DAY_OPEN);
}

/* A wrong --from must not take every unit its name: nobody could take it back. */
static void a_list_without_districts_begins_after_those_with_districts(UNUSED_STATE)
{
	static const char new[] = NEW_HEAD "25300,Xã Mới,Xã,75,Tỉnh Đồng Nai\n";
	struct units_imported done = {0};

	assert_ok(import(OLD_HEAD "30001,Xã Khác,Xã,800,Huyện B,78\n", "2021-02-01", NULL, &done));
	assert_err(import(new, "2021-02-01", NULL, &done), ERR_INVAL);
	assert_int_equal(done.problem_count, 1);
	assert_non_null(strstr(done.problems[0].text, "--from"));
	assert_err(import(new, "2020-02-01", NULL, &done), ERR_INVAL);

	/* The ground has a list without districts of that day. */
	assert_int_equal(find("30001", "2021-02-01").until, day("2025-07-01"));
	assert_missing("25300", "2021-02-01");
	ground_verify(&g);
	assert_ok(import(new, "2021-02-02", NULL, &done));
	ground_verify(&g);
}

/* ---- the real lists ---- */

static size_t count_communes(const char *on, const char *province)
{
	struct unit_row *rows = NULL;
	size_t count = 0;

	const struct units_filter filter = {
		.day = day(on),
		.province = province != NULL ? bytes_str(province) : BYTES_NONE,
		.level = UNIT_COMMUNE,
	};

	assert_ok(units_list(g.store, &g.a, &filter, &rows, &count));
	return count;
}

static void the_real_lists_import_one_after_the_other(UNUSED_STATE)
{
	struct units_imported done;
	struct msg_unit *units = NULL;
	size_t count = 0;

	/* The ground's own three communes are in provinces 70 and 89. */
	done = import_file("units_2025_pre_merger.csv", "2025-01-01", "2025-07-01");
	assert_int_equal(done.communes, 10035);
	assert_int_equal(count_communes("2025-06-30", NULL), 10035);
	done = import_file("units_2025.csv", "2025-07-01", NULL);
	assert_int_equal(done.communes, 3321);
	assert_int_equal(count_communes("2025-07-01", "75"), 95);
	done = import_file("units_2026.csv", "2026-04-30", NULL);
	assert_int_equal(done.added, 0);
	/* Ten xã became phường, one tỉnh a thành phố. */
	assert_int_equal(done.renamed, 11);
	assert_int_equal(done.ended, 0);
	assert_true(bytes_is(find("75", "2026-04-30").name, "Thành phố Đồng Nai"));
	assert_int_equal(find("75", "2026-04-29").unit, find("75", "2026-04-30").unit);
	assert_ok(units_load_message(g.store, &g.a, &units, &count));
	assert_true(count > 13356);
}

static void nothing_of_the_old_structure_outlives_the_real_lists(UNUSED_STATE)
{
	struct units_imported done;
	struct unit_row *rows = NULL;
	const struct units_filter all = {.day = day("2026-05-01")};
	size_t districts = 0;
	size_t count = 0;

	/* Nobody says until when the old lists hold. */
	(void)import_file("units_binhphuoc_2021.csv", "2021-02-01", NULL);
	(void)import_file("units_2025_pre_merger.csv", "2025-03-01", NULL);
	(void)import_file("units_2025.csv", "2025-07-01", NULL);
	done = import_file("units_2026.csv", "2026-04-30", NULL);

	assert_int_equal(count_communes("2025-06-30", NULL), 10035);
	/* Three communes and two provinces are the ground's own. */
	assert_int_equal(count_communes("2025-07-01", NULL), 3321 + 3);
	assert_int_equal(count_communes("2026-05-01", NULL), 3321 + 3);
	assert_int_equal(done.ended, 0);
	assert_ok(units_list(g.store, &g.a, &all, &rows, &count));
	for (size_t i = 0; i < count; i++)
		districts += rows[i].level == UNIT_DISTRICT;
	assert_int_equal(districts, 0);
	assert_int_equal(count, 3321 + 34 + 3 + 2);
}

/* A report must not change its title when a map brings the name later. */
static void a_province_of_the_old_structure_has_its_name_from_the_start(UNUSED_STATE)
{
	(void)import_file("units_binhphuoc_2021.csv", "2021-02-01", NULL);

	assert_true(bytes_is(find("70", "2021-02-01").name, "Tỉnh Bình Phước"));
	assert_true(bytes_is(find("70", "2021-02-01").kind, "Tỉnh"));
}

static void one_province_alone_and_then_its_successor(UNUSED_STATE)
{
	struct units_imported done = import_file("units_binhphuoc_2021.csv", "2021-02-01", NULL);

	assert_int_equal(done.communes, 111);
	assert_int_equal(done.added, 111 + 11 + 1);
	assert_int_equal(count_communes("2022-01-01", NULL), 111);
}

/* ---- succession and scope ---- */

#define MAP_HEAD                                                          \
	"old_code,old_name,old_type,old_district_code,old_district_name," \
	"old_province_code,old_province_name,new_code,new_name,new_type," \
	"new_province_code,new_province_name,part,check\n"

static void import_merger(void)
{
	struct units_imported done = {0};

	assert_ok(import(OLD_HEAD "25195,Phường Tân Phú,Phường,689,Thị xã A,78\n"
				  "25198,Phường Tân Đồng,Phường,689,Thị xã A,78\n"
				  "25201,Xã Chia,Xã,689,Thị xã A,78\n",
			 "2021-02-01", NULL, &done));
	assert_ok(import(NEW_HEAD "25195,Phường Bình Phước,Phường,75,Tỉnh Đồng Nai\n"
				  "25300,Xã Mới,Xã,75,Tỉnh Đồng Nai\n",
			 "2025-07-01", NULL, &done));
}

static const char map[] = MAP_HEAD
	"25195,Phường Tân Phú,Phường,689,Thị xã A,78,Tỉnh Bình Phước,25195,Phường Bình Phước,"
	"Phường,75,Tỉnh Đồng Nai,whole,\n"
	"25198,Phường Tân Đồng,Phường,689,Thị xã A,78,Tỉnh Bình Phước,25195,Phường Bình Phước,"
	"Phường,75,Tỉnh Đồng Nai,whole,\n"
	"25201,Xã Chia,Xã,689,Thị xã A,78,Tỉnh Bình Phước,25195,Phường Bình Phước,Phường,75,"
	"Tỉnh Đồng Nai,partial,\n"
	"25201,Xã Chia,Xã,689,Thị xã A,78,Tỉnh Bình Phước,25300,Xã Mới,Xã,75,Tỉnh Đồng Nai,"
	"partial,\n";

static enum err succeed(const char *csv, struct units_succeeded *ret_done)
{
	enum err e;

	assert_ok(store_begin(g.store));
	e = units_succession(g.store, &g.a, bytes_str(csv), day("2025-07-01"), ret_done);
	assert_ok(store_commit(g.store));
	return e;
}

static bool sees(const struct ground_device *d, const char *on, int64_t unit)
{
	int64_t *units = NULL;
	size_t count = 0;

	assert_ok(units_load_scope(g.store, &g.a, d->number, day(on), &units, &count));
	return units_scope_has(units, count, unit);
}

static void a_merged_commune_sees_its_whole_predecessors(UNUSED_STATE)
{
	struct units_succeeded done = {0};

	import_merger();
	int64_t tan_phu = find("25195", "2021-02-01").unit;
	int64_t tan_dong = find("25198", "2021-02-01").unit;
	int64_t divided = find("25201", "2021-02-01").unit;
	int64_t merged = find("25195", "2025-07-01").unit;
	assert_ok(succeed(map, &done));
	struct ground_device *new = ground_device(&g, merged, false);
	struct ground_device *old = ground_device(&g, tan_phu, false);

	assert_int_equal(done.whole, 2);
	assert_int_equal(done.partial, 2);
	assert_true(sees(new, "2025-07-01", merged));
	assert_true(sees(new, "2025-07-01", tan_phu));
	assert_true(sees(new, "2025-07-01", tan_dong));
	/* What was divided waits for a person. */
	assert_false(sees(new, "2025-07-01", divided));
	assert_false(sees(new, "2025-06-30", tan_dong));
	/* The old commune's device goes on in the new one. */
	assert_true(sees(old, "2025-07-01", merged));
	assert_true(sees(old, "2025-06-30", tan_phu));
	assert_false(sees(old, "2025-06-30", merged));
	/* The name the old list did not give comes with the map. */
	assert_true(bytes_is(find("78", "2025-06-30").name, "Tỉnh Bình Phước"));
	/* Old units have ended. */
	assert_missing("25198", "2025-07-01");
}

/* The office's clock fell back to 1970 after the lists of 2025 were imported. */
static void a_clock_that_fell_back_does_not_undo_a_merger(UNUSED_STATE)
{
	struct units_succeeded done = {0};
	int64_t *units = NULL;
	size_t count = 0;

	import_merger();
	int64_t merged = find("25195", "2025-07-01").unit;
	struct ground_device *d = ground_device(&g, find("25198", "2021-02-01").unit, false);
	assert_ok(succeed(map, &done));

	assert_ok(units_load_scope_now(g.store, &g.a, d->number, 0, &units, &count));
	assert_false(units_scope_has(units, count, merged));
	assert_ok(store_begin(g.store));
	assert_ok(units_note_day(g.store, day("2025-07-02")));
	assert_ok(store_commit(g.store));
	assert_ok(units_load_scope_now(g.store, &g.a, d->number, 0, &units, &count));
	assert_true(units_scope_has(units, count, merged));
}

/* Lists that come ahead of their day wait for it. */
static void a_merger_imported_ahead_waits_for_its_day(UNUSED_STATE)
{
	struct units_succeeded done = {0};
	int64_t *units = NULL;
	size_t count = 0;

	import_merger();
	int64_t merged = find("25195", "2025-07-01").unit;
	struct ground_device *d = ground_device(&g, find("25198", "2021-02-01").unit, false);
	assert_ok(succeed(map, &done));
	assert_ok(store_begin(g.store));
	assert_ok(units_note_day(g.store, day("2025-06-20")));
	assert_ok(store_commit(g.store));

	assert_ok(units_load_scope_now(g.store, &g.a, d->number, INT64_C(1751302799999), &units,
				       &count));
	assert_false(units_scope_has(units, count, merged));
	assert_ok(units_load_scope_now(g.store, &g.a, d->number, INT64_C(1751302800000), &units,
				       &count));
	assert_true(units_scope_has(units, count, merged));
}

static struct bytes printed(int64_t unit, const char *on)
{
	struct unit_row row;
	struct bytes code;

	assert_ok(units_load(g.store, &g.a, unit, day(on), &row));
	assert_ok(units_print_code(g.store, &g.a, &row, day(on), &code));
	return code;
}

static void a_code_that_means_another_unit_is_printed_with_its_day(UNUSED_STATE)
{
	import_merger();
	int64_t tan_phu = find("25195", "2021-02-01").unit;
	int64_t tan_dong = find("25198", "2021-02-01").unit;
	int64_t merged = find("25195", "2025-07-01").unit;

	assert_true(bytes_is(printed(tan_phu, "2025-06-30"), "25195"));
	assert_true(bytes_is(printed(merged, "2025-07-01"), "25195"));
	assert_true(bytes_is(printed(tan_phu, "2025-07-01"), "25195@2021-02-01"));
	assert_true(bytes_is(printed(tan_dong, "2025-07-01"), "25198"));
	assert_int_equal(find("25195@2021-02-01", "2025-07-01").unit, tan_phu);
	assert_int_equal(find("25195@2026-01-01", "2021-02-01").unit, merged);
	assert_missing("25195@1999-01-01", "2025-07-01");
	assert_missing("25195@", "2025-07-01");
	assert_missing("@2021-02-01", "2025-07-01");
}

static void a_merged_commune_has_its_predecessors_as_kin(UNUSED_STATE)
{
	struct units_succeeded done = {0};
	int64_t *units = NULL;
	size_t count = 0;

	import_merger();
	assert_ok(succeed(map, &done));

	assert_ok(units_load_kin(g.store, &g.a, find("25198", "2021-02-01").unit,
				 INT64_C(1751302800000), &units, &count));
	assert_int_equal(count, 3);
	assert_true(units_scope_has(units, count, find("25195", "2021-02-01").unit));
	assert_true(units_scope_has(units, count, find("25195", "2025-07-01").unit));
	assert_ok(units_load_kin(g.store, &g.a, find("25201", "2021-02-01").unit,
				 INT64_C(1751302800000), &units, &count));
	assert_int_equal(count, 1);
}

static void a_divided_commune_is_on_the_placing_list(UNUSED_STATE)
{
	struct units_succeeded done = {0};
	struct unit_placing *rows = NULL;
	size_t count = 0;
	struct id id;

	import_merger();
	int64_t divided = find("25201", "2021-02-01").unit;
	struct ground_device *d = ground_device(&g, divided, false);
	struct change c = ground_person(&g, d, divided, "Ở giữa", &id);
	(void)ground_push(&g, d, &c, 1);
	assert_ok(succeed(map, &done));

	assert_ok(units_load_placing(g.store, &g.a, day("2025-07-02"), &rows, &count));

	assert_int_equal(count, 1);
	assert_int_equal(rows[0].unit, divided);
	assert_int_equal(rows[0].into_count, 2);
	assert_int_equal(rows[0].records, 1);
}

static bool looks_after(int64_t given, int64_t unit)
{
	const struct units_given one = {.units = &given, .count = 1};
	int64_t *units = NULL;
	size_t count = 0;

	/* 2025-07-02 */
	assert_ok(units_load_area(g.store, &g.a, &one, INT64_C(1751389200000), &units, &count));
	return units_scope_has(units, count, unit);
}

static void a_divided_commune_is_looked_after_by_who_has_all_it_became(UNUSED_STATE)
{
	struct units_succeeded done = {0};

	import_merger();
	assert_ok(succeed(map, &done));
	int64_t divided = find("25201", "2021-02-01").unit;
	int64_t province = find("75", "2025-07-02").unit;
	int64_t merged = find("25195", "2025-07-02").unit;

	assert_true(looks_after(province, divided));
	assert_true(looks_after(divided, divided));
	assert_false(looks_after(merged, divided));
	assert_false(looks_after(find("25300", "2025-07-02").unit, divided));
	/* And else what a device of it would see. */
	assert_true(looks_after(merged, find("25198", "2021-02-01").unit));
	assert_true(looks_after(find("25198", "2021-02-01").unit, merged));
	assert_true(looks_after(province, find("25300", "2025-07-02").unit));
	assert_false(looks_after(merged, find("25300", "2025-07-02").unit));
}

static void a_suspect_row_beside_a_good_one_is_left_out(UNUSED_STATE)
{
	struct units_succeeded done = {0};
	struct unit_placing *rows = NULL;
	size_t count = 0;

	import_merger();
	int64_t old = find("25195", "2021-02-01").unit;
	assert_ok(succeed(MAP_HEAD "25195,a,b,689,c,78,d,25195,e,f,75,g,partial,ok\n"
				   "25195,a,b,689,c,78,d,25300,e,f,75,g,partial,suspect_homonym\n"
				   "25198,a,b,689,c,78,d,25300,e,f,75,g,partial,suspect_homonym\n",
			  &done));

	assert_int_equal(done.suspect, 2);
	assert_int_equal(done.refused_count, 2);
	assert_int_equal(done.refused[0].line, 3);
	assert_non_null(strstr(done.refused[0].text, "false match"));
	assert_non_null(strstr(done.refused[1].text, "unit placing"));
	assert_int_equal(done.whole, 1);
	assert_int_equal(done.partial, 1);
	struct ground_device *d = ground_device(&g, find("25195", "2025-07-01").unit, false);
	assert_true(sees(d, "2025-07-01", old));
	assert_ok(units_load_placing(g.store, &g.a, day("2025-07-02"), &rows, &count));
	assert_int_equal(count, 1);
}

static void a_map_of_unknown_units_is_refused_whole(UNUSED_STATE)
{
	struct units_succeeded done = {0};
	struct unit_placing *rows = NULL;
	size_t count = 0;

	import_merger();
	assert_err(succeed(MAP_HEAD "25198,a,b,689,c,78,d,25195,e,f,75,g,partial,\n"
				    "99999,a,b,689,c,78,d,25195,e,f,75,g,whole,\n",
			   &done),
		   ERR_INVAL);

	assert_int_equal(done.problem_count, 1);
	assert_int_equal(done.problems[0].line, 3);
	assert_ok(units_load_placing(g.store, &g.a, day("2025-07-02"), &rows, &count));
	assert_int_equal(count, 0);
}

static void a_province_sees_its_communes(UNUSED_STATE)
{
	struct ground_device *d = ground_device(&g, find("70", "2026-01-01").unit, false);

	assert_true(sees(d, "2026-01-01", g.north));
	assert_true(sees(d, "2026-01-01", g.south));
	assert_false(sees(d, "2026-01-01", g.far));
}

static void a_day_is_a_day_in_viet_nam(UNUSED_STATE)
{
	assert_int_equal(units_day_of(INT64_C(1751302799999)), day("2025-06-30"));
	assert_int_equal(units_day_of(INT64_C(1751302800000)), day("2025-07-01"));
	assert_int_equal(units_day_of(-1), day("1970-01-01"));
	int64_t ignored;
	assert_err(units_parse_day(BYTES_LIT("01/07/2025"), &ignored), ERR_INVAL);
	assert_err(units_parse_day(BYTES_LIT("2025-13-01"), &ignored), ERR_INVAL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_list_makes_communes_districts_and_provinces),
		CASE(importing_again_changes_nothing),
		CASE(a_unit_made_after_a_restore_has_an_id_no_unit_ever_had),
		CASE(wrong_rows_are_named_and_nothing_is_imported),
		CASE(a_code_twice_is_named),
		CASE(a_file_without_the_columns_is_refused),
		CASE(the_same_name_with_another_type_is_the_same_unit),
		CASE(the_place_of_the_tone_makes_no_other_unit),
		CASE(another_name_under_the_code_is_another_unit),
		CASE(another_structure_under_the_code_is_another_unit),
		CASE(a_unit_missing_from_the_next_list_ends),
		CASE(lists_may_come_in_any_order),
		CASE(a_list_without_districts_ends_the_old_structure_everywhere),
		CASE(an_old_list_that_comes_late_ends_with_the_structure),
		CASE(a_list_without_districts_begins_after_those_with_districts),
		CASE(the_real_lists_import_one_after_the_other),
		CASE(nothing_of_the_old_structure_outlives_the_real_lists),
		CASE(a_province_of_the_old_structure_has_its_name_from_the_start),
		CASE(one_province_alone_and_then_its_successor),
		CASE(a_merged_commune_sees_its_whole_predecessors),
		CASE(a_clock_that_fell_back_does_not_undo_a_merger),
		CASE(a_merger_imported_ahead_waits_for_its_day),
		CASE(a_code_that_means_another_unit_is_printed_with_its_day),
		CASE(a_merged_commune_has_its_predecessors_as_kin),
		CASE(a_divided_commune_is_on_the_placing_list),
		CASE(a_divided_commune_is_looked_after_by_who_has_all_it_became),
		CASE(a_suspect_row_beside_a_good_one_is_left_out),
		CASE(a_map_of_unknown_units_is_refused_whole),
		CASE(a_province_sees_its_communes),
		CASE(a_day_is_a_day_in_viet_nam),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
