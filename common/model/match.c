#include "common/model/match.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/crypt.h"
#include "common/model/partial_date.h"
#include "common/model/vntext.h"

/* Never 0, which means that there is none. */
static uint64_t hash_text(struct bytes text)
{
	struct hash h = hash_of(text);
	uint64_t n;

	memcpy(&n, h.bytes, sizeof n);
	return n != 0 ? n : 1;
}

static uint64_t hash_value(const struct value *v)
{
	return v->kind == VALUE_TEXT && v->bytes.len != 0 ? hash_text(v->bytes) : 0;
}

static uint64_t hash_name(const struct value *v)
{
	AUTO(buf_clear) struct buf key = {0};

	if (v->kind != VALUE_TEXT || v->bytes.len == 0 ||
	    vntext_key(v->bytes, VNTEXT_FOLD, &key) != ERR_OK || key.len == 0)
		return 0;
	return hash_text(buf_bytes(&key));
}

static int birth_year(const struct value *v)
{
	struct partial_date d;

	if (v->kind != VALUE_TEXT || partial_date_parse(v->bytes, &d) != ERR_OK)
		return 0;
	return d.precision == PARTIAL_AGE ? d.year - d.age : d.year;
}

struct match_key match_key_of(const struct value *name, const struct value *birth,
			      const struct value *identity)
{
	return (struct match_key){.name = hash_name(name),
				  .identity = hash_value(identity),
				  .birth = hash_value(birth),
				  .year = birth_year(birth)};
}

enum match_likeness match_compare(const struct match_key *a, const struct match_key *b)
{
	if (a->identity != 0 && a->identity == b->identity)
		return MATCH_SAME_IDENTITY;
	if (a->name == 0 || a->name != b->name)
		return MATCH_NONE;
	/* Same name, and each has an identity number of its own: two people. */
	if (a->identity != 0 && b->identity != 0)
		return MATCH_NONE;
	if (a->year == 0 || b->year == 0)
		return MATCH_SAME_NAME;
	if (a->year != b->year)
		return MATCH_NONE;
	return a->birth == b->birth ? MATCH_SAME_BIRTH : MATCH_SAME_YEAR;
}
