#include "common/base/crypt.h"
#include "common/base/mem.h"
#include "proto/changeset.h"
#include "proto/limits.h"
#include "proto/pack.h"
#include "tests/unit/vectors.h"

/* ---- what most tests begin with ---- */

struct fixture {
	struct arena arena;
	struct sign_pair key;
	struct changeset_head head;
};

static void set_up_fixture(struct fixture *f)
{
	uint8_t seed[32];

	memset(seed, 7, sizeof seed);
	*f = (struct fixture){.head = {.device = 12, .first = 41, .count = 1}};
	memset(f->head.daemon.bytes, 0xda, ID_LEN);
	memset(f->head.chain.bytes, 0xcc, HASH_LEN);
	sign_pair_from_seed(seed, &f->key);
}

static int setup(void **state)
{
	struct fixture *f = mem_alloc_zero(sizeof *f);

	set_up_fixture(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_clear(&f->arena);
	mem_free(f);
	return 0;
}

#define TEXT(literal) value_text(BYTES_LIT(literal))

/* Every kind of value, in the order of their names. */
static struct write person_writes[] = {
	{BYTES_LIT("birth"), {.kind = VALUE_TEXT, .bytes = BYTES_LIT("1957-03")}},
	{BYTES_LIT("full_name"), {.kind = VALUE_TEXT, .bytes = BYTES_LIT("Điểu Thị Bé")}},
	{BYTES_LIT("household"), {.kind = VALUE_BYTES, .bytes = BYTES_LIT("0123456789abcdef")}},
	{BYTES_LIT("is_poor"), {.kind = VALUE_BOOL, .boolean = true}},
	{BYTES_LIT("note"), {.kind = VALUE_NULL}},
	{BYTES_LIT("unit"), {.kind = VALUE_INT, .integer = -25195}},
};

static struct change person_change(void)
{
	struct change c = {
		.type = BYTES_LIT("person"),
		.number = 41,
		.clock = STAMP_CLOCK_OF(INT64_C(1795315919123)) + 3,
		.base = 70000,
		.author = BYTES_LIT("Lê Văn Tám"),
		.writes = person_writes,
		.count = sizeof person_writes / sizeof person_writes[0],
	};

	memset(c.id.bytes, 0x1d, ID_LEN);
	return c;
}

static void assert_same_change(const struct change *got, const struct change *want)
{
	assert_true(bytes_equal(got->type, want->type));
	assert_memory_equal(got->id.bytes, want->id.bytes, ID_LEN);
	assert_int_equal(got->number, want->number);
	assert_int_equal(got->clock, want->clock);
	assert_int_equal(got->base, want->base);
	assert_true(bytes_equal(got->author, want->author));
	assert_int_equal(got->count, want->count);
	for (size_t i = 0; i < want->count; i++) {
		assert_true(bytes_equal(got->writes[i].name, want->writes[i].name));
		assert_true(value_equal(&got->writes[i].value, &want->writes[i].value));
	}
}

static struct bytes seal(struct fixture *f, const struct change *changes, struct buf *out)
{
	struct hash head;

	assert_ok(changeset_seal(&f->head, changes, &f->key, out, &head));
	return buf_bytes(out);
}

/* ---- whole sets ---- */

static void a_set_opens_as_it_was_sealed(void **state)
{
	struct fixture *f = *state;
	struct change changes[3] = {person_change(), person_change(), person_change()};
	struct changeset_opened opened;
	struct changeset_head peeked;
	struct hash head;
	AUTO(buf_clear) struct buf wire = {0};

	changes[1].author = BYTES_LIT("Người khác");
	changes[1].base = 0;
	changes[2].author = BYTES_NONE;
	f->head.count = 3;
	assert_ok(changeset_seal(&f->head, changes, &f->key, &wire, &head));
	assert_ok(changeset_open(&f->arena, buf_bytes(&wire), &f->key.public_key, &opened));
	assert_ok(changeset_peek(buf_bytes(&wire), &peeked));

	assert_int_equal(opened.odd_count, 0);
	assert_int_equal(opened.set.count, 3);
	assert_int_equal(opened.set.device, 12);
	assert_int_equal(opened.set.first, 41);
	assert_memory_equal(&opened.set.daemon, &f->head.daemon, ID_LEN);
	assert_memory_equal(&opened.set.chain, &f->head.chain, HASH_LEN);
	assert_memory_equal(&opened.set.head, &head, HASH_LEN);
	assert_memory_equal(&peeked.daemon, &f->head.daemon, ID_LEN);
	assert_memory_equal(&peeked.chain, &f->head.chain, HASH_LEN);
	assert_int_equal(peeked.device, 12);
	assert_int_equal(peeked.first, 41);
	assert_int_equal(peeked.count, 3);
	for (size_t i = 0; i < 3; i++) {
		changes[i].number = 41 + i;
		assert_same_change(&opened.set.changes[i], &changes[i]);
	}
}

static void the_chain_is_the_hash_of_head_and_body(void **state)
{
	struct fixture *f = *state;
	struct change c = person_change();
	struct changeset_opened opened;
	AUTO(buf_clear) struct buf wire = {0};
	uint8_t both[2 * HASH_LEN];

	assert_ok(changeset_open(&f->arena, seal(f, &c, &wire), NULL, &opened));
	struct hash body = hash_of(opened.set.body);

	memcpy(both, f->head.chain.bytes, HASH_LEN);
	memcpy(both + HASH_LEN, body.bytes, HASH_LEN);
	struct hash want = hash_of(bytes_of(both, sizeof both));

	assert_memory_equal(&opened.set.head, &want, HASH_LEN);
}

static void another_key_does_not_open_it(void **state)
{
	struct fixture *f = *state;
	struct change c = person_change();
	struct changeset_opened opened;
	struct sign_pair other;
	uint8_t seed[32] = {1};
	AUTO(buf_clear) struct buf wire = {0};

	sign_pair_from_seed(seed, &other);
	seal(f, &c, &wire);
	assert_err(changeset_open(&f->arena, buf_bytes(&wire), &other.public_key, &opened),
		   ERR_AUTH);
}

static void the_vector_of_a_set_is_still_made_and_opened(void **state)
{
	struct fixture *f = *state;
	struct change changes[2] = {person_change(), person_change()};
	struct changeset_opened opened;
	AUTO(buf_clear) struct buf wire = {0};
	AUTO(buf_clear) struct buf stored = {0};

	changes[1].type = BYTES_LIT("visit");
	changes[1].author = BYTES_LIT("Người khác");
	changes[1].count = 2;
	f->head.count = 2;
	vector_check("v1-changeset", seal(f, changes, &wire));
	vector_load("v1-changeset", &stored);
	assert_ok(changeset_open(&f->arena, buf_bytes(&stored), &f->key.public_key, &opened));
	assert_int_equal(opened.odd_count, 0);
	assert_same_change(&opened.set.changes[0], &changes[0]);
	changes[1].number = 42;
	assert_same_change(&opened.set.changes[1], &changes[1]);
}

/* ---- limits of a set ---- */

static enum err seal_result(struct fixture *f, const struct change *changes, size_t count)
{
	AUTO(buf_clear) struct buf wire = {0};
	struct hash head;
	enum err e;

	f->head.count = count;
	e = changeset_seal(&f->head, changes, &f->key, &wire, &head);
	if (e != ERR_OK)
		assert_int_equal(wire.len, 0);
	return e;
}

static void changes_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct change *changes = arena_alloc_array(&f->arena, LIMIT_CHANGES + 1, sizeof *changes);
	struct changeset_opened opened;
	AUTO(buf_clear) struct buf wire = {0};

	for (size_t i = 0; i <= LIMIT_CHANGES; i++)
		changes[i] = person_change();
	f->head.count = LIMIT_CHANGES;
	assert_ok(changeset_open(&f->arena, seal(f, changes, &wire), &f->key.public_key, &opened));
	assert_int_equal(opened.set.count, LIMIT_CHANGES);
	assert_err(seal_result(f, changes, LIMIT_CHANGES + 1), ERR_TOOBIG);
}

static void authors_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct change changes[LIMIT_AUTHORS + 1];

	for (size_t i = 0; i <= LIMIT_AUTHORS; i++) {
		changes[i] = person_change();
		changes[i].author = arena_printf(&f->arena, "CTV %zu", i);
	}
	assert_ok(seal_result(f, changes, LIMIT_AUTHORS));
	assert_err(seal_result(f, changes, LIMIT_AUTHORS + 1), ERR_TOOBIG);
}

static struct bytes letters(struct fixture *f, size_t len)
{
	char *text = arena_alloc(&f->arena, len);

	memset(text, 'a', len);
	return bytes_of(text, len);
}

static void an_author_passes_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct change c = person_change();

	c.author = letters(f, LIMIT_AUTHOR_BYTES);
	assert_ok(seal_result(f, &c, 1));
	c.author = letters(f, LIMIT_AUTHOR_BYTES + 1);
	assert_err(seal_result(f, &c, 1), ERR_TOOBIG);
}

static void a_value_passes_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct change c = person_change();
	struct write w = {BYTES_LIT("note"), value_text(letters(f, LIMIT_VALUE_BYTES))};

	c.writes = &w;
	c.count = 1;
	assert_ok(seal_result(f, &c, 1));
	w.value = value_text(letters(f, LIMIT_VALUE_BYTES + 1));
	assert_err(seal_result(f, &c, 1), ERR_TOOBIG);
}

static void a_set_passes_at_the_limit_of_bytes_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct write w = {BYTES_LIT("note"), value_text(letters(f, LIMIT_VALUE_BYTES))};
	struct change changes[33];

	for (size_t i = 0; i < 33; i++) {
		changes[i] = person_change();
		changes[i].writes = &w;
		changes[i].count = 1;
	}
	assert_ok(seal_result(f, changes, 31));
	assert_err(seal_result(f, changes, 33), ERR_TOOBIG);
}

static struct write *many_writes(struct fixture *f, size_t count)
{
	struct write *writes = arena_alloc_array(&f->arena, count, sizeof *writes);

	for (size_t i = 0; i < count; i++)
		writes[i] =
			(struct write){arena_printf(&f->arena, "f%04zu", i), value_int((int64_t)i)};
	return writes;
}

static void writes_pass_at_the_limit_and_not_beyond(void **state)
{
	struct fixture *f = *state;
	struct change c = person_change();

	c.writes = many_writes(f, LIMIT_WRITES + 1);
	c.count = LIMIT_WRITES;
	assert_ok(seal_result(f, &c, 1));
	c.count = LIMIT_WRITES + 1;
	assert_err(seal_result(f, &c, 1), ERR_TOOBIG);
}

static void names_that_are_none_are_not_sealed(void **state)
{
	struct fixture *f = *state;
	struct change c = person_change();
	struct write w = {letters(f, LIMIT_NAME_BYTES), value_int(1)};

	c.writes = &w;
	c.count = 1;
	assert_ok(seal_result(f, &c, 1));
	w.name = letters(f, LIMIT_NAME_BYTES + 1);
	assert_err(seal_result(f, &c, 1), ERR_INVAL);
	w.name = BYTES_LIT("Họ tên");
	assert_err(seal_result(f, &c, 1), ERR_INVAL);
	w.name = BYTES_NONE;
	assert_err(seal_result(f, &c, 1), ERR_INVAL);
	w = (struct write){BYTES_LIT("note"), TEXT("\xff")};
	assert_err(seal_result(f, &c, 1), ERR_INVAL);
}

/* ---- sets made by hand: what no encoder of ours would send ---- */

/*
 * A set by hand is of version 1, its first number is 41, it announces one change and
 * has one. A test says by how much it differs from that, modulo 2^64.
 */
struct by_hand {
	uint64_t add_version;
	uint64_t add_first;
	uint64_t add_count;   /* to the number announced */
	size_t add_real;      /* to the number there is */
	struct bytes changes; /* msgpack of each, one behind the other */
	struct bytes more;    /* msgpack of further pairs */
	size_t more_count;
};

#define BY_HAND(...) ((struct by_hand){__VA_ARGS__})
#define LESS(n)      (UINT64_MAX - (n) + 1)

static void sign_by_hand(struct fixture *f, struct bytes body, struct buf *out)
{
	struct signature sig = sign_make(&f->key, CHANGESET_CONTEXT, body);
	struct packer p;

	packer_init(&p, out, PACK_UNBOUNDED);
	packer_array(&p, 2);
	packer_bin(&p, body);
	packer_bin(&p, bytes_of(sig.bytes, sizeof sig.bytes));
	packer_done(&p);
}

static void body_by_hand(struct fixture *f, struct by_hand h, struct buf *body)
{
	struct packer p;

	packer_init(&p, body, PACK_UNBOUNDED);
	packer_map(&p, 8 + h.more_count);
	packer_uint(&p, 0);
	packer_uint(&p, 1 + h.add_version);
	packer_uint(&p, 1);
	packer_bin(&p, bytes_of(f->head.daemon.bytes, ID_LEN));
	packer_uint(&p, 2);
	packer_uint(&p, f->head.device);
	packer_uint(&p, 3);
	packer_uint(&p, 41 + h.add_first);
	packer_uint(&p, 4);
	packer_uint(&p, 1 + h.add_count);
	packer_uint(&p, 5);
	packer_bin(&p, bytes_of(f->head.chain.bytes, HASH_LEN));
	packer_uint(&p, 6);
	packer_array(&p, 1);
	packer_text(&p, BYTES_LIT("Lê Văn Tám"));
	packer_uint(&p, 7);
	packer_array(&p, 1 + h.add_real);
	packer_packed(&p, h.changes);
	packer_packed(&p, h.more);
	packer_done(&p);
}

static enum err open_by_hand(struct fixture *f, struct by_hand h, struct changeset_opened *ret)
{
	AUTO(buf_clear) struct buf body = {0};
	AUTO(buf_clear) struct buf wire = {0};

	body_by_hand(f, h, &body);
	sign_by_hand(f, buf_bytes(&body), &wire);
	return changeset_open(&f->arena, arena_copy(&f->arena, buf_bytes(&wire)),
			      &f->key.public_key, ret);
}

/* {1: "person", 2: id, 3: 1, 6: {"a": 1}} */
#define ID_BIN "\xc4\x10\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d\x1d"
#define START  "\x01\xa6person\x02" ID_BIN "\x03\x01"
#define GOOD                        \
	"\x84" START "\x06\x81\xa1" \
	"a\x01"

static void a_change_made_by_hand_is_sound(void **state)
{
	struct changeset_opened opened;

	assert_ok(open_by_hand(*state, BY_HAND(.changes = BYTES_LIT(GOOD)), &opened));
	assert_int_equal(opened.odd_count, 0);
	assert_int_equal(opened.set.changes[0].count, 1);
}

struct bad_set {
	const char *what;
	struct by_hand set;
	enum err want;
};

static void sets_wrong_as_a_whole_are_refused(void **state)
{
	const struct bad_set bad[] = {
		{"version 2", BY_HAND(.changes = BYTES_LIT(GOOD), .add_version = 1), ERR_INVAL},
		{"number 0", BY_HAND(.changes = BYTES_LIT(GOOD), .add_first = LESS(41)), ERR_PROTO},
		{"number overflows",
		 BY_HAND(.changes = BYTES_LIT(GOOD), .add_first = INT64_MAX - 41), ERR_PROTO},
		{"number beyond 63 bits",
		 BY_HAND(.changes = BYTES_LIT(GOOD), .add_first = UINT64_MAX - 41), ERR_PROTO},
		{"count too great", BY_HAND(.changes = BYTES_LIT(GOOD), .add_count = 1), ERR_PROTO},
		{"count gigantic", BY_HAND(.changes = BYTES_LIT(GOOD), .add_count = UINT64_MAX - 1),
		 ERR_PROTO},
		{"no changes", BY_HAND(.add_count = LESS(1), .add_real = LESS(1)), ERR_PROTO},
		{"a key twice",
		 BY_HAND(.changes = BYTES_LIT(GOOD), .more = BYTES_LIT("\x02\x01"),
			 .more_count = 1),
		 ERR_PROTO},
	};
	struct changeset_opened opened;

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		print_message("%s\n", bad[i].what);
		assert_err(open_by_hand(*state, bad[i].set, &opened), bad[i].want);
	}
}

static void the_last_number_of_all_is_still_a_number(void **state)
{
	struct changeset_opened opened;

	assert_ok(open_by_hand(
		*state, BY_HAND(.changes = BYTES_LIT(GOOD), .add_first = INT64_MAX - 42), &opened));
	assert_int_equal(opened.set.changes[0].number, INT64_MAX - 1);
}

static void unknown_keys_are_passed_over(void **state)
{
	struct changeset_opened opened;
	struct bytes more = BYTES_LIT("\x20\x92\x01\x02\xa1x\x80");
	struct bytes change = BYTES_LIT("\x86" START "\x06\x81\xa1"
					"a\x01\x63\xc0\xa1y\x90");

	assert_ok(open_by_hand(*state, BY_HAND(.changes = change, .more = more, .more_count = 2),
			       &opened));
	assert_int_equal(opened.odd_count, 0);
}

/* ---- odd changes (M9) ---- */

struct odd_case {
	const char *reason;
	const char *field; /* "" for the change itself */
	struct bytes change;
};

#define WRITES(text) BYTES_LIT("\x84" START "\x06" text)

static const struct odd_case odd_cases[] = {
	{CHANGESET_ODD_KIND, "a",
	 WRITES("\x81\xa1"
		"a\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00")},
	{CHANGESET_ODD_KIND, "a",
	 WRITES("\x81\xa1"
		"a\x91\x01")},
	{CHANGESET_ODD_KIND, "a",
	 WRITES("\x81\xa1"
		"a\x81\x01\x02")},
	{CHANGESET_ODD_KIND, "a",
	 WRITES("\x81\xa1"
		"a\xd4\x05x")},
	{CHANGESET_ODD_KIND, "a",
	 WRITES("\x81\xa1"
		"a\xcf\x80\x00\x00\x00\x00\x00\x00\x00")},
	{CHANGESET_ODD_TEXT, "a",
	 WRITES("\x81\xa1"
		"a\xa2\xc3\x28")},
	{CHANGESET_ODD_NAME, "",
	 WRITES("\x81\xa1"
		"A\x01")},
	{CHANGESET_ODD_NAME, "", WRITES("\x81\xa0\x01")},
	{CHANGESET_ODD_NAME, "", WRITES("\x81\x07\x01")},
	{CHANGESET_ODD_TWICE, "",
	 WRITES("\x82\xa1"
		"a\x01\xa1"
		"a\x02")},
	{CHANGESET_ODD_TWICE, "",
	 WRITES("\x83\xa1"
		"a\x01\xa1"
		"b\x01\xa1"
		"a\x01")},
	{CHANGESET_ODD_CHANGE, "", WRITES("\x91\x01")},
	{CHANGESET_ODD_CHANGE, "", BYTES_LIT("\xc0")},
	{CHANGESET_ODD_CHANGE, "", BYTES_LIT("\x83" START)},
	{CHANGESET_ODD_CHANGE, "", BYTES_LIT("\x83\x01\xa6person\x02" ID_BIN "\x06\x80")},
	{CHANGESET_ODD_CHANGE, "", BYTES_LIT("\x84\x01\xa6pERson\x02" ID_BIN "\x03\x01\x06\x80")},
	{CHANGESET_ODD_CHANGE, "", BYTES_LIT("\x84\x01\xa6person\x02\xc4\x01x\x03\x01\x06\x80")},
	{CHANGESET_ODD_CHANGE, "", BYTES_LIT("\x85" START "\x06\x80\x05\x01")},
	{CHANGESET_ODD_CHANGE, "", BYTES_LIT("\x85" START "\x06\x80\x06\x80")},
	{CHANGESET_ODD_CHANGE, "",
	 BYTES_LIT("\x84\x01\xa6person\x02" ID_BIN
		   "\x03\xcf\x80\x00\x00\x00\x00\x00\x00\x00\x06\x80")},
};

/* Between two sound ones, which must come through as if it were not there. */
static void check_odd(struct fixture *f, struct bytes change, struct changeset_opened *ret)
{
	AUTO(buf_clear) struct buf three = {0};

	buf_append_bytes(&three, BYTES_LIT(GOOD));
	buf_append_bytes(&three, change);
	buf_append_bytes(&three, BYTES_LIT(GOOD));
	assert_ok(open_by_hand(
		f, BY_HAND(.changes = buf_bytes(&three), .add_count = 2, .add_real = 2), ret));
	assert_int_equal(ret->set.changes[0].count, 1);
	assert_int_equal(ret->set.changes[2].count, 1);
	assert_int_equal(ret->set.changes[1].number, 42);
	assert_int_equal(ret->set.changes[2].number, 43);
	assert_int_equal(ret->odd_count, 1);
	assert_int_equal(ret->odd[0].change, 1);
	assert_true(bytes_equal(ret->odd[0].raw, change));
}

static void an_odd_change_never_touches_its_neighbours(void **state)
{
	struct changeset_opened opened;

	for (size_t i = 0; i < sizeof odd_cases / sizeof odd_cases[0]; i++) {
		print_message("%zu %s\n", i, odd_cases[i].reason);
		check_odd(*state, odd_cases[i].change, &opened);
		assert_string_equal(opened.odd[0].reason, odd_cases[i].reason);
		assert_true(bytes_is(opened.odd[0].field, odd_cases[i].field));
	}
}

static void an_odd_value_is_kept_raw_beside_the_others(void **state)
{
	struct changeset_opened opened;

	check_odd(*state,
		  WRITES("\x83\xa1"
			 "c\x05\xa1"
			 "b\x92\x01\xc0\xa1"
			 "a\x07"),
		  &opened);
	const struct change *c = &opened.set.changes[1];

	assert_true(bytes_is(opened.odd[0].field, "b"));
	assert_int_equal(c->count, 3);
	assert_int_equal(c->writes[0].value.integer, 7);
	assert_int_equal(c->writes[1].value.kind, VALUE_BYTES);
	assert_true(bytes_equal(c->writes[1].value.bytes, BYTES_LIT("\x92\x01\xc0")));
	assert_int_equal(c->writes[2].value.integer, 5);
}

static void what_can_be_read_of_an_odd_change_is_there(void **state)
{
	struct changeset_opened opened;

	check_odd(*state, BYTES_LIT("\x84" START "\x06\xc0"), &opened);
	assert_true(bytes_is(opened.set.changes[1].type, "person"));
	assert_int_equal(opened.set.changes[1].id.bytes[0], 0x1d);
	assert_int_equal(opened.set.changes[1].clock, 1);
	assert_int_equal(opened.set.changes[1].count, 0);
}

/* A change with `count` writes, made without asking the encoder. */
static struct bytes change_of(struct fixture *f, size_t count, struct bytes value)
{
	AUTO(buf_clear) struct buf out = {0};
	struct packer p;

	buf_append_bytes(&out, BYTES_LIT("\x84" START "\x06"));
	packer_init(&p, &out, PACK_UNBOUNDED);
	packer_map(&p, count);
	for (size_t i = 0; i < count; i++) {
		packer_text(&p, arena_printf(&f->arena, "f%04zu", i));
		packer_packed(&p, value);
	}
	packer_done(&p);
	return arena_copy(&f->arena, buf_bytes(&out));
}

static void too_many_writes_make_a_change_odd_and_the_limit_does_not(void **state)
{
	struct fixture *f = *state;
	struct changeset_opened opened;

	assert_ok(open_by_hand(f, BY_HAND(.changes = change_of(f, LIMIT_WRITES, BYTES_LIT("\x01"))),
			       &opened));
	assert_int_equal(opened.odd_count, 0);
	check_odd(f, change_of(f, LIMIT_WRITES + 1, BYTES_LIT("\x01")), &opened);
	assert_string_equal(opened.odd[0].reason, CHANGESET_ODD_MANY);
	check_odd(f, change_of(f, (size_t)20 * LIMIT_WRITES, BYTES_LIT("\x01")), &opened);
	assert_string_equal(opened.odd[0].reason, CHANGESET_ODD_MANY);
}

static void too_long_a_value_makes_a_change_odd_and_the_limit_does_not(void **state)
{
	struct fixture *f = *state;
	struct changeset_opened opened;
	struct packer p;
	AUTO(buf_clear) struct buf at = {0};
	AUTO(buf_clear) struct buf beyond = {0};

	packer_init(&p, &at, PACK_UNBOUNDED);
	packer_text(&p, letters(f, LIMIT_VALUE_BYTES));
	packer_done(&p);
	packer_init(&p, &beyond, PACK_UNBOUNDED);
	packer_text(&p, letters(f, LIMIT_VALUE_BYTES + 1));
	packer_done(&p);

	assert_ok(open_by_hand(f, BY_HAND(.changes = change_of(f, 1, buf_bytes(&at))), &opened));
	assert_int_equal(opened.odd_count, 0);
	check_odd(f, change_of(f, 1, buf_bytes(&beyond)), &opened);
	assert_string_equal(opened.odd[0].reason, CHANGESET_ODD_LONG);
	assert_true(bytes_is(opened.odd[0].field, "f0000"));
}

static void a_set_of_nothing_but_odd_changes_opens(void **state)
{
	struct fixture *f = *state;
	struct changeset_opened opened;
	uint8_t nils[LIMIT_CHANGES];

	memset(nils, 0xc0, sizeof nils);
	assert_ok(
		open_by_hand(f,
			     BY_HAND(.changes = bytes_of(nils, sizeof nils),
				     .add_count = LIMIT_CHANGES - 1, .add_real = LIMIT_CHANGES - 1),
			     &opened));
	assert_int_equal(opened.odd_count, LIMIT_CHANGES);
	for (size_t i = 0; i < LIMIT_CHANGES; i++)
		assert_int_equal(opened.odd[i].change, i);
}

/* ---- single changes ---- */

static void the_vector_of_a_change_is_still_made_and_read(void **state)
{
	struct fixture *f = *state;
	struct change want = person_change();
	struct change got;
	AUTO(buf_clear) struct buf out = {0};
	AUTO(buf_clear) struct buf stored = {0};

	change_encode(&want, &out);
	vector_check("v1-change", buf_bytes(&out));
	vector_load("v1-change", &stored);
	assert_ok(change_decode(&f->arena, buf_bytes(&stored), &got));
	assert_same_change(&got, &want);
}

static void a_change_without_number_author_and_base_reads_as_such(void **state)
{
	struct fixture *f = *state;
	struct change want = person_change();
	struct change got;
	AUTO(buf_clear) struct buf out = {0};

	want.number = 0;
	want.base = 0;
	want.author = BYTES_NONE;
	change_encode(&want, &out);
	assert_ok(change_decode(&f->arena, buf_bytes(&out), &got));
	assert_same_change(&got, &want);
}

int main(int argc, char **argv)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_set_opens_as_it_was_sealed),
		CASE(the_chain_is_the_hash_of_head_and_body),
		CASE(another_key_does_not_open_it),
		CASE(the_vector_of_a_set_is_still_made_and_opened),
		CASE(changes_pass_at_the_limit_and_not_beyond),
		CASE(authors_pass_at_the_limit_and_not_beyond),
		CASE(an_author_passes_at_the_limit_and_not_beyond),
		CASE(a_value_passes_at_the_limit_and_not_beyond),
		CASE(a_set_passes_at_the_limit_of_bytes_and_not_beyond),
		CASE(writes_pass_at_the_limit_and_not_beyond),
		CASE(names_that_are_none_are_not_sealed),
		CASE(a_change_made_by_hand_is_sound),
		CASE(sets_wrong_as_a_whole_are_refused),
		CASE(the_last_number_of_all_is_still_a_number),
		CASE(unknown_keys_are_passed_over),
		CASE(an_odd_change_never_touches_its_neighbours),
		CASE(an_odd_value_is_kept_raw_beside_the_others),
		CASE(what_can_be_read_of_an_odd_change_is_there),
		CASE(too_many_writes_make_a_change_odd_and_the_limit_does_not),
		CASE(too_long_a_value_makes_a_change_odd_and_the_limit_does_not),
		CASE(a_set_of_nothing_but_odd_changes_opens),
		CASE(the_vector_of_a_change_is_still_made_and_read),
		CASE(a_change_without_number_author_and_base_reads_as_such),
	};

	vectors_arguments(argc, argv);
	assert_ok(crypt_init());
	return cmocka_run_group_tests_name("changeset", tests, NULL, NULL);
}
