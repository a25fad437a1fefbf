#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/double.h"
#include "client/search.h"
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

/* ---- what a search finds ---- */

struct found {
	struct id ids[HITS_MAX];
	enum find_rank ranks[HITS_MAX];
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

static void restricted_records_are_never_found(void **state)
{
	struct client_home *h = *state;
	struct id ids[] = {client_home_new_id(h), client_home_new_id(h), client_home_new_id(h)};
	struct field note[] = {{BYTES_LIT("note"), value_text(BYTES_LIT("bí mật")), stamp, 1}};
	struct field code[] = {{BYTES_LIT("note"), value_text(BYTES_LIT("bí mật")), stamp, 1},
			       {BYTES_LIT("scheme"), value_text(BYTES_LIT("hiv")), stamp, 1}};
	const struct record records[] = {record_of("informant", &ids[0], note, 1),
					 record_of("person_category", &ids[1], code, 2),
					 record_of("no_such_type", &ids[2], note, 1)};

	assert_ok(vault_begin(h->vault));
	for (size_t i = 0; i < 3; i++)
		put(h, &records[i]);
	assert_ok(vault_commit(h->vault));
	add_person(h, "Không Bí Mật");
	assert_int_equal(count_hits(h, "bí mật"), 1);
}

static void a_hit_beyond_the_restricted_ones_is_told(void **state)
{
	struct client_home *h = *state;

	assert_ok(vault_begin(h->vault));
	for (int i = 0; i < 60; i++) {
		struct id id = client_home_new_id(h);
		struct field note[] = {
			{BYTES_LIT("note"), value_text(BYTES_LIT("chung")), stamp, 1}};
		const struct record r = record_of("informant", &id, note, 1);

		put(h, &r);
	}
	assert_ok(vault_commit(h->vault));
	add_person(h, "chung");
	assert_int_equal(count_hits(h, "chung"), 1);
}

static void a_long_text_is_found_in_the_record(void **state)
{
	struct client_home *h = *state;
	char text[3 * FIND_TEXT_BYTES] = "";
	struct id id = client_home_new_id(h);

	memset(text, 'x', 2 * (size_t)FIND_TEXT_BYTES);
	strcpy(text + 2 * (size_t)FIND_TEXT_BYTES, " Đường Về Suối");
	struct field note[] = {{BYTES_LIT("note"), value_text(bytes_str(text)), stamp, 1}};
	const struct record r = record_of("household", &id, note, 1);

	assert_ok(vault_begin(h->vault));
	put(h, &r);
	assert_ok(vault_commit(h->vault));
	assert_int_equal(count_hits(h, "duong ve suoi"), 1);
	assert_int_equal(count_hits(h, "suối đường"), 1);
}

/* ---- as looking through every record would answer ---- */

static uint64_t any(struct client_home *h, uint64_t below)
{
	uint64_t n;

	rand_fill(&h->rand, &n, sizeof n);
	return n % below;
}

static const char *const words[] = {
	"Hòa",  "hoà",  "HÒA", "Hoa",   "Điểu",  "dieu",  "Nguyễn", "nguyen", "Đạt",
	"K'Ré", "K’RÉ", "kre", "Thạnh", "Thành", "thanh", "ấp",     "Ấp",     "12",
	"1950", "Bé",   "be",  "Çağ",   "cag",   "ñandú", "Thuý",   "thúy",   "o\xcc\x9b\xcc\x81",
	"ớ",    "-",    "–",   "ð",     "x"};

static void random_text(struct client_home *h, size_t most, struct buf *out)
{
	static const char *const gaps[] = {" ", " ", " ", "  ", "\n", ""};
	size_t count = 1 + any(h, most);

	buf_reset(out);
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			buf_append_str(out, gaps[any(h, sizeof gaps / sizeof *gaps)]);
		buf_append_str(out, words[any(h, sizeof words / sizeof *words)]);
	}
}

static void put_random(struct client_home *h, const struct id *id)
{
	static const char *const types[] = {"person",    "person", "person",         "household",
					    "informant", "worker", "person_category"};
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf text = {0};
	static const char *const names[] = {"birth_date",      "full_name", "hamlet",
					    "identity_number", "note",      "scheme"};
	struct field fields[8];
	size_t count = 0;

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		const bool is_deleted = strcmp(names[i], "deleted") == 0;

		if (any(h, is_deleted ? 10 : 3) == 0 ? !is_deleted : is_deleted)
			continue;
		random_text(h, any(h, 30) == 0 ? 300 : 3, &text);
		if (strcmp(names[i], "birth_date") == 0) {
			buf_reset(&text);
			buf_printf(&text, "19%02d", (int)any(h, 30) + 40);
		} else if (strcmp(names[i], "scheme") == 0) {
			buf_reset(&text);
			buf_append_str(&text, any(h, 4) == 0 ? "hiv" : "nd20");
		}
		fields[count++] =
			(struct field){bytes_str(names[i]),
				       value_text(arena_copy(&a, buf_bytes(&text))), stamp, 1};
	}
	fields[count++] = (struct field){BYTES_LIT("unit"), value_int(OFFICE_UNIT), stamp, 1};
	const struct record r =
		record_of(types[any(h, sizeof types / sizeof *types)], id, fields, count);

	put(h, &r);
}

static bool holds(struct bytes text, const struct buf *wanted)
{
	return wanted->len == 0 ||
	       (text.len != 0 && memmem(text.data, text.len, wanted->data, wanted->len) != NULL);
}

static bool holds_words(struct bytes text, const struct buf *wanted)
{
	char copy[256];
	char *rest = copy;
	bool has_all = true;

	snprintf(copy, sizeof copy, "%.*s", BYTES_FMT(buf_bytes(wanted)));
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		has_all = has_all &&
			  (*word == '\0' || (text.len != 0 && memmem(text.data, text.len, word,
								     strlen(word)) != NULL));
	return has_all;
}

static enum find_rank rank_by_keys(struct bytes text, const struct buf wanted[FIND_LEVELS])
{
	struct buf keys[FIND_LEVELS] = {0};
	enum find_rank rank = FIND_NOT;

	for (size_t i = 0; i < FIND_LEVELS; i++)
		assert_ok(vntext_key(text, (enum vntext_level)i, &keys[i]));
	if (holds_words(buf_bytes(&keys[VNTEXT_FOLD]), &wanted[VNTEXT_FOLD]))
		rank = FIND_WORDS;
	if (holds(buf_bytes(&keys[VNTEXT_FOLD]), &wanted[VNTEXT_FOLD])) {
		rank = FIND_FOLD;
		if (holds(buf_bytes(&keys[VNTEXT_TONELESS]), &wanted[VNTEXT_TONELESS])) {
			rank = FIND_TONELESS;
			if (holds(buf_bytes(&keys[VNTEXT_EXACT]), &wanted[VNTEXT_EXACT]))
				rank = FIND_EXACT;
		}
	}
	for (size_t i = 0; i < FIND_LEVELS; i++)
		buf_clear(&keys[i]);
	return rank;
}

struct brute {
	struct client_home *home;
	struct buf wanted[FIND_LEVELS];
	const char *type;
	struct found found;
};

static enum err on_brute(void *arg, const struct vault_record *r)
{
	struct brute *b = arg;
	enum find_rank best = FIND_NOT;

	if (record_is_deleted(&r->body) || schema_is_restricted(b->home->schema, &r->body) ||
	    (*b->type != '\0' && !bytes_is(r->body.type, b->type)))
		return ERR_OK;
	for (size_t i = 0; i < r->body.count; i++) {
		const struct field *f = &r->body.fields[i];

		if (f->value.kind != VALUE_TEXT || record_is_system_field(f->name))
			continue;
		enum find_rank rank = rank_by_keys(f->value.bytes, b->wanted);

		best = rank < best ? rank : best;
	}
	if (best != FIND_NOT) {
		b->found.ranks[b->found.count] = best;
		b->found.ids[b->found.count++] = r->body.id;
	}
	return ERR_OK;
}

static void compare_search(struct client_home *h, const char *text, const char *type)
{
	struct brute b = {.home = h, .type = type};
	struct found got;
	size_t at = 0;

	for (size_t i = 0; i < FIND_LEVELS; i++)
		assert_ok(vntext_key(bytes_str(text), (enum vntext_level)i, &b.wanted[i]));
	assert_ok(vault_record_each(h->vault, on_brute, &b));
	assert_ok(search(h, text, type, &got));
	for (enum find_rank rank = FIND_EXACT; rank < FIND_NOT; rank++) {
		for (size_t i = 0; i < b.found.count && at < 50; i++) {
			if (b.found.ranks[i] != rank)
				continue;
			assert_true(at < got.count);
			assert_int_equal(id_compare(&got.ids[at], &b.found.ids[i]), 0);
			at++;
		}
	}
	assert_int_equal(got.count, at);
	for (size_t i = 0; i < FIND_LEVELS; i++)
		buf_clear(&b.wanted[i]);
}

struct people {
	struct find_person wanted;
	struct id ids[HITS_MAX];
	size_t count;
};

static enum err on_person(void *arg, const struct vault_record *r)
{
	struct people *p = arg;
	const struct value name = record_value(&r->body, "full_name");
	const struct value birth = record_value(&r->body, "birth_date");
	const struct value number = record_value(&r->body, "identity_number");
	const struct find_person keys = find_person_of(r->body.type, &name, &birth, &number);
	const struct find_person *wanted = &p->wanted;

	if (record_is_deleted(&r->body))
		return ERR_OK;
	const bool has_number = keys.identity != 0 && wanted->identity != 0;
	const bool is_other_year = keys.year != 0 && wanted->year != 0 && keys.year != wanted->year;

	if (has_number ? keys.identity == wanted->identity
		       : keys.name != 0 && keys.name == wanted->name && !is_other_year)
		p->ids[p->count++] = r->body.id;
	return ERR_OK;
}

static void compare_doubles(struct client_home *h, const char *name, const char *born)
{
	AUTO(double_index_free) struct double_index *index = NULL;
	struct cmd cmd = {.vault = h->vault};
	struct write writes[] = {{BYTES_LIT("birth_date"), value_text(bytes_str(born))},
				 {BYTES_LIT("full_name"), value_text(bytes_str(name))}};
	const struct change c = {.type = BYTES_LIT("person"), .writes = writes, .count = 2};
	struct people want = {
		.wanted = find_person_of(c.type, &writes[1].value, &writes[0].value, &VALUE_NONE)};
	struct id got[5];

	assert_ok(vault_record_each(h->vault, on_person, &want));
	assert_ok(double_index_new(&cmd, &index));
	size_t count = double_find(index, &c, got, 5);

	assert_int_equal(count, want.count < 5 ? want.count : 5);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(id_compare(&got[i], &want.ids[i]), 0);
}

static void answers_are_those_of_looking_through_every_record(void **state)
{
	struct client_home *h = *state;
	AUTO(buf_clear) struct buf text = {0};
	struct id ids[300];
	size_t count = 0;

	print_message("seed %llu (CTXH_SEED)\n", (unsigned long long)h->seed);
	for (int round = 0; round < 5; round++) {
		assert_ok(vault_begin(h->vault));
		for (int i = 0; i < 60; i++) {
			/* new, written again, or gone */
			if (count < 300 && (count == 0 || any(h, 3) != 0))
				ids[count++] = client_home_new_id(h);
			const size_t at = any(h, count);

			if (any(h, 8) == 0)
				assert_ok(vault_record_remove(h->vault, &ids[at]));
			else
				put_random(h, &ids[any(h, 2) == 0 ? at : count - 1]);
		}
		if (any(h, 4) == 0)
			vault_rollback(h->vault);
		else
			assert_ok(vault_commit(h->vault));
		for (int i = 0; i < 12; i++) {
			random_text(h, 3, &text);
			compare_search(h, buf_cstr(&text), any(h, 4) == 0 ? "person" : "");
			random_text(h, 2, &text);
			compare_doubles(h, buf_cstr(&text), "1950");
		}
		compare_search(h, "'", "");
		compare_search(h, "hiv", "");
	}
	assert_int_equal(client_home_problems(h), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(restricted_records_are_never_found),
		CASE(a_hit_beyond_the_restricted_ones_is_told),
		CASE(a_long_text_is_found_in_the_record),
		CASE(answers_are_those_of_looking_through_every_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
