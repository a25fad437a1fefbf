#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/model/schema.h"

struct pair {
	struct schema *whole; /* from YAML */
	struct buf compiled;
};

static int setup(void **state)
{
	struct pair *p = calloc(1, sizeof *p);
	const char *root = getenv("CTXH_SOURCE_DIR");
	char path[4096];
	char error[SCHEMA_ERROR_LEN] = "";

	snprintf(path, sizeof path, "%s/schema", root != NULL ? root : ".");
	assert_ok(schema_load_folder(path, &p->whole, error));
	assert_ok(schema_compile(buf_bytes(&p->whole->source), &p->compiled));
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct pair *p = *state;

	schema_free(p->whole);
	buf_clear(&p->compiled);
	free(p);
	return 0;
}

/* ---- all a schema says, as text ---- */

static void put(struct buf *out, struct bytes text)
{
	buf_printf(out, "%.*s|", BYTES_FMT(text));
}

static void put_list(struct buf *out, const struct schema_list *l)
{
	put(out, l->name);
	put(out, l->label.vi);
	put(out, l->label.en);
	buf_printf(out, "%d %zu\n", l->has_restricted, l->count);
	for (size_t i = 0; i < l->count; i++) {
		const struct schema_code *c = &l->codes[i];

		put(out, c->code);
		put(out, c->label.vi);
		put(out, c->label.en);
		put(out, c->valid_from);
		put(out, c->valid_until);
		buf_printf(out, "%d\n", c->sensitivity);
	}
}

static void put_field(struct buf *out, const struct schema_field *f)
{
	put(out, f->name);
	put(out, f->label.vi);
	put(out, f->label.en);
	put(out, f->list != NULL ? f->list->name : BYTES_NONE);
	put(out, f->target);
	put(out, f->pattern);
	put(out, f->when.field);
	for (size_t i = 0; i < f->when.count; i++)
		put(out, f->when.codes[i]);
	buf_printf(out, "%d %d %d %d %d %lld %lld %d %d %d\n", f->type, f->is_required,
		   f->sensitivity, f->has_min, f->has_max, (long long)f->min, (long long)f->max,
		   f->matcher != NULL, f->is_indexed, f->is_title);
}

static void put_schema(struct buf *out, const struct schema *s)
{
	buf_append(out, s->version, sizeof s->version);
	put(out, buf_bytes(&s->source));
	for (size_t i = 0; i < s->list_count; i++)
		put_list(out, &s->lists[i]);
	for (size_t i = 0; i < s->type_count; i++) {
		const struct schema_type *t = &s->types[i];

		put(out, t->name);
		put(out, t->label.vi);
		put(out, t->label.en);
		put(out, t->date != NULL ? t->date->name : BYTES_NONE);
		buf_printf(out, "%d %d %zu %d\n", t->kind, t->sensitivity, t->count,
			   t->may_be_restricted);
		for (size_t j = 0; j < t->count; j++)
			put_field(out, &t->fields[j]);
	}
}

static void a_compiled_schema_says_what_its_bundle_says(void **state)
{
	const struct pair *p = *state;
	struct schema *s = NULL;
	struct buf want = {0};
	struct buf got = {0};

	assert_ok(schema_load_compiled(buf_bytes(&p->compiled), buf_bytes(&p->whole->source), &s));
	put_schema(&want, p->whole);
	put_schema(&got, s);
	assert_int_equal(got.len, want.len);
	assert_memory_equal(got.data, want.data, want.len);
	assert_true(p->whole->indicator_count > 0);
	assert_int_equal(s->indicator_count, 0);
	buf_clear(&want);
	buf_clear(&got);
	schema_free(s);
}

static void the_same_bundle_is_compiled_to_the_same_bytes(void **state)
{
	const struct pair *p = *state;
	struct buf again = {0};

	assert_ok(schema_compile(buf_bytes(&p->whole->source), &again));
	assert_true(bytes_equal(buf_bytes(&again), buf_bytes(&p->compiled)));
	buf_clear(&again);
}

static void what_was_compiled_of_another_bundle_is_not_taken(void **state)
{
	const struct pair *p = *state;
	struct schema *s = NULL;
	struct buf other = {0};

	buf_append_bytes(&other, buf_bytes(&p->whole->source));
	other.data[other.len / 2] ^= 1;
	assert_err(schema_load_compiled(buf_bytes(&p->compiled), buf_bytes(&other), &s),
		   ERR_NOTFOUND);
	assert_null(s);
	buf_clear(&other);
}

static void what_another_program_compiled_is_not_taken(void **state)
{
	struct pair *p = *state;
	struct schema *s = NULL;

	p->compiled.data[12] = '0';
	assert_err(schema_load_compiled(buf_bytes(&p->compiled), buf_bytes(&p->whole->source), &s),
		   ERR_NOTFOUND);
}

static void a_bundle_that_does_not_load_is_not_compiled(UNUSED_STATE)
{
	struct buf out = {0};

	assert_err(schema_compile(BYTES_LIT("file a.yaml 8\nnothing\n\n"), &out), ERR_INVAL);
	assert_err(schema_compile(BYTES_LIT("file a.yaml"), &out), ERR_INVAL);
	assert_int_equal(out.len, 0);
	buf_clear(&out);
}

/* The vault's seal keeps such bytes away; here they must only do no harm. */
static void damage_is_refused_and_does_no_harm(void **state)
{
	const struct pair *p = *state;
	const struct bytes source = buf_bytes(&p->whole->source);

	for (size_t len = 0; len < p->compiled.len; len += 1 + len / 20) {
		struct schema *s = NULL;
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, p->compiled.data, len);
		const enum err e = schema_load_compiled(bytes_of(copy, len), source, &s);

		assert_true(e == ERR_INVAL || e == ERR_NOTFOUND);
		assert_null(s);
		free(copy);
	}
	for (size_t at = 0; at < p->compiled.len; at += 1 + p->compiled.len / 150) {
		struct schema *s = NULL;

		p->compiled.data[at] ^= 0xff;
		const enum err e = schema_load_compiled(buf_bytes(&p->compiled), source, &s);

		assert_int_equal(s != NULL, e == ERR_OK);
		schema_free(s);
		p->compiled.data[at] ^= 0xff;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		CASE(a_compiled_schema_says_what_its_bundle_says),
		CASE(the_same_bundle_is_compiled_to_the_same_bytes),
		CASE(what_was_compiled_of_another_bundle_is_not_taken),
		CASE(what_another_program_compiled_is_not_taken),
		cmocka_unit_test(a_bundle_that_does_not_load_is_not_compiled),
		CASE(damage_is_refused_and_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
