/*
 * fuzz_schema - any bytes as a schema file and as a bundle: refused with a place in the
 * file, or a schema whose own bundle gives the same schema again.
 */
#include "common/base/check.h"
#include "common/base/crypt.h"
#include "common/model/schema.h"
#include "common/model/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every field takes apart a few texts without harm, and what it takes it takes again. */
static void try_fields(const struct schema_type *t)
{
	static const char *const texts[] = {"1.234,5", "31/12/2020 07:30", "a, b; c", "có",
					    "~70@2020-05-01"};
	struct arena a = {0};

	for (size_t i = 0; i < t->count; i++) {
		for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
			struct value v;
			struct value again;

			if (validate_parse(&a, &t->fields[i], bytes_str(texts[j]), &v, NULL) !=
			    VERDICT_OK)
				continue;
			REQUIRE(validate_parse(&a, &t->fields[i],
					       validate_print(&a, &t->fields[i], &v), &again,
					       NULL) == VERDICT_OK);
			REQUIRE(value_equal(&v, &again));
		}
	}
	arena_clear(&a);
}

static void check_loaded(struct schema *s)
{
	char error[SCHEMA_ERROR_LEN] = "";
	struct schema *again = NULL;

	REQUIRE(schema_load_bundle(buf_bytes(&s->source), &again, error) == ERR_OK);
	REQUIRE(memcmp(s->version, again->version, sizeof s->version) == 0);
	REQUIRE(s->type_count == again->type_count && s->list_count == again->list_count);
	for (size_t i = 0; i < s->type_count && i < 20; i++)
		try_fields(&s->types[i]);
	schema_free(again);
	schema_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schema_source source = {"a.yaml", bytes_of(data, size)};
	char error[SCHEMA_ERROR_LEN] = "";
	struct schema *s = NULL;

	REQUIRE(crypt_init() == ERR_OK);
	if (schema_load(&source, 1, &s, error) == ERR_OK)
		check_loaded(s);
	else
		REQUIRE(strncmp(error, "a.yaml:", 7) == 0);
	s = NULL;
	if (schema_load_bundle(source.text, &s, error) == ERR_OK)
		check_loaded(s);
	else
		REQUIRE(s == NULL && error[0] != '\0');
	return 0;
}
