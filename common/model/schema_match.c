/* Patterns of text fields: POSIX extended regular expressions, compiled once. */
#include <regex.h>

#include "common/base/mem.h"
#include "common/model/schema_reader.h"

#define REPEAT_MOST 1000u /* a{20}{30} is 600: more would take the matcher's memory away */

struct schema_matcher {
	regex_t regex;
};

/* The product of all counts in braces; a count that is not a number is left to regcomp. */
static size_t repeat_product(struct bytes pattern)
{
	size_t product = 1;

	for (size_t i = 0; i < pattern.len && product <= REPEAT_MOST; i++) {
		size_t most = 0;
		size_t number = 0;

		if (pattern.data[i] != '{')
			continue;
		for (i++; i < pattern.len && pattern.data[i] != '}'; i++) {
			uint8_t c = pattern.data[i];

			number = c >= '0' && c <= '9' && number < 10000
					 ? number * 10 + (size_t)(c - '0')
					 : 0;
			most = number > most ? number : most;
		}
		product *= most > 1 ? most : 1;
	}
	return product;
}

/* `\1` makes matching exponential; nobody needs it to check a number. */
static bool has_back_reference(struct bytes pattern)
{
	for (size_t i = 0; i + 1 < pattern.len; i++) {
		if (pattern.data[i] != '\\')
			continue;
		if (pattern.data[i + 1] >= '0' && pattern.data[i + 1] <= '9')
			return true;
		i++;
	}
	return false;
}

enum err schema_compile_pattern(struct schema_reader *r, size_t line, struct schema_field *f)
{
	char *text = arena_strdup(&r->scratch, f->pattern);
	struct schema_matcher *m;

	if (f->pattern.len > SCHEMA_PATTERN_BYTES)
		return schema_fail(r, line, "pattern: longer than %u bytes", SCHEMA_PATTERN_BYTES);
	if (repeat_product(f->pattern) > REPEAT_MOST)
		return schema_fail(r, line, "pattern: repeats more than %u times", REPEAT_MOST);
	if (has_back_reference(f->pattern))
		return schema_fail(r, line, "pattern: back-references are not allowed");
	m = mem_alloc_zero(sizeof *m);
	int rc = regcomp(&m->regex, text, REG_EXTENDED | REG_NOSUB);

	if (rc != 0) {
		char why[100];

		(void)regerror(rc, &m->regex, why, sizeof why);
		mem_free(m);
		return schema_fail(r, line, "pattern: %s", why);
	}
	f->matcher = m;
	return ERR_OK;
}

void schema_free_matcher(struct schema_matcher *m)
{
	if (m == NULL)
		return;
	regfree(&m->regex);
	mem_free(m);
}

bool schema_matches(const struct schema_field *f, struct bytes text)
{
	char few[256]; /* nearly all that has a pattern is a number of some kind */
	AUTO(mem_free) char *many = NULL;
	char *copy = few;

	if (f->matcher == NULL)
		return true;
	/* NUL ends a text for regexec(); one inside fits nothing. */
	if (text.len != 0 && memchr(text.data, 0, text.len) != NULL)
		return false;
	if (text.len >= sizeof few) {
		many = mem_alloc(text.len + 1);
		copy = many;
	}
	if (text.len != 0)
		memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	return regexec(&f->matcher->regex, copy, 0, NULL, 0) == 0;
}
