#include "client/find.h"

#include "common/base/check.h"
#include "common/model/match.h"

#define VERSION "find-1 "

#define FLAG_DELETED 1u
#define FLAG_LONG    2u

#define TYPE_BYTES 255u

/* ---- integers ---- */

static void append_number(struct buf *out, uint64_t n, size_t len)
{
	for (size_t i = 0; i < len; i++)
		buf_append_byte(out, (uint8_t)(n >> (8 * i)));
}

static bool take(struct bytes *rest, size_t len, struct bytes *ret)
{
	if (rest->len < len)
		return false;
	*ret = bytes_of(rest->data, len);
	*rest = bytes_of(rest->data + len, rest->len - len);
	return true;
}

static bool take_number(struct bytes *rest, size_t len, uint64_t *ret)
{
	struct bytes raw;
	uint64_t n = 0;

	if (!take(rest, len, &raw))
		return false;
	for (size_t i = len; i-- > 0;)
		n = n << 8 | raw.data[i];
	*ret = n;
	return true;
}

static bool take_sized(struct bytes *rest, size_t len_of_len, struct bytes *ret)
{
	uint64_t len;

	return take_number(rest, len_of_len, &len) && len <= SIZE_MAX &&
	       take(rest, (size_t)len, ret);
}

/* ---- people ---- */

struct find_person find_person_of(struct bytes type, const struct value *name,
				  const struct value *birth, const struct value *identity)
{
	if (!bytes_is(type, MATCH_TYPE))
		return (struct find_person){0};
	const struct match_key key = match_key_of(name, birth, identity);

	return (struct find_person){.name = key.name, .identity = key.identity, .year = key.year};
}

/* ---- entries ---- */

void find_version_append(struct buf *out)
{
	buf_append_str(out, VERSION);
	vntext_key_version(out);
	buf_append_byte(out, 0);
}

static bool is_text(const struct field *f)
{
	return f->value.kind == VALUE_TEXT && !record_is_system_field(f->name);
}

static size_t text_bytes(const struct record *r)
{
	size_t total = 0;

	for (size_t i = 0; i < r->count; i++)
		if (is_text(&r->fields[i]))
			total += r->fields[i].value.bytes.len;
	return total;
}

static void append_text(struct bytes text, struct buf *folds, struct buf *texts)
{
	const size_t at = folds->len;

	/* What is no text is not found, as it is not in the record. */
	if (vntext_key(text, VNTEXT_FOLD, folds) != ERR_OK)
		return;
	const bool is_fold = bytes_equal(text, bytes_of(folds->data + at, folds->len - at));

	buf_append_byte(folds, '\n');
	append_number(texts, is_fold ? 0 : text.len, 2);
	if (!is_fold)
		buf_append_bytes(texts, text);
}

static struct find_person person_of(const struct record *r)
{
	struct value name = record_value(r, MATCH_NAME);
	struct value birth = record_value(r, MATCH_BIRTH);
	struct value identity = record_value(r, MATCH_IDENTITY);

	return find_person_of(r->type, &name, &birth, &identity);
}

void find_entry_append(const struct record *r, struct buf *out)
{
	AUTO(buf_clear) struct buf folds = {0};
	AUTO(buf_clear) struct buf texts = {0};
	const bool is_deleted = record_is_deleted(r);
	const bool is_long = !is_deleted && text_bytes(r) > FIND_TEXT_BYTES;
	const struct find_person person =
		is_deleted || record_is_joined(r) ? (struct find_person){0} : person_of(r);

	REQUIRE(r->type.len <= TYPE_BYTES);
	for (size_t i = 0; i < r->count && !is_deleted && !is_long; i++)
		if (is_text(&r->fields[i]))
			append_text(r->fields[i].value.bytes, &folds, &texts);
	buf_append(out, r->id.bytes, ID_LEN);
	append_number(out, (is_deleted ? FLAG_DELETED : 0u) | (is_long ? FLAG_LONG : 0u), 1);
	append_number(out, (uint32_t)person.year, 4);
	append_number(out, person.name, 8);
	append_number(out, person.identity, 8);
	append_number(out, r->type.len, 1);
	buf_append_bytes(out, r->type);
	append_number(out, folds.len, 4);
	buf_append_bytes(out, buf_bytes(&folds));
	append_number(out, texts.len, 4);
	buf_append_bytes(out, buf_bytes(&texts));
}

bool find_entry_next(struct bytes *rest, struct find_entry *ret_entry)
{
	struct find_entry e = {0};
	struct bytes left = *rest;
	struct bytes id;
	uint64_t flags;
	uint64_t year;

	if (!take(&left, ID_LEN, &id) || !take_number(&left, 1, &flags) ||
	    !take_number(&left, 4, &year) || !take_number(&left, 8, &e.person.name) ||
	    !take_number(&left, 8, &e.person.identity) || !take_sized(&left, 1, &e.type) ||
	    !take_sized(&left, 4, &e.folds) || !take_sized(&left, 4, &e.texts))
		return false;
	memcpy(e.id.bytes, id.data, ID_LEN);
	e.person.year = (int32_t)(uint32_t)year;
	e.is_deleted = (flags & FLAG_DELETED) != 0;
	e.is_long = (flags & FLAG_LONG) != 0;
	*rest = left;
	*ret_entry = e;
	return true;
}

/* ---- search ---- */

enum err find_query_init(struct find_query *q, struct bytes text)
{
	enum err e = ERR_OK;

	*q = (struct find_query){0};
	for (size_t i = 0; i < FIND_LEVELS && e == ERR_OK; i++)
		e = vntext_key(text, (enum vntext_level)i, &q->wanted[i]);
	return e;
}

void find_query_clear(struct find_query *q)
{
	for (size_t i = 0; i < FIND_LEVELS; i++)
		buf_clear(&q->wanted[i]);
	buf_clear(&q->key);
}

static bool contains(struct bytes text, struct bytes wanted)
{
	return wanted.len == 0 || (text.len >= wanted.len &&
				   memmem(text.data, text.len, wanted.data, wanted.len) != NULL);
}

/* Each word of what is wanted is somewhere in `text`. Keys have single spaces. */
static bool contains_words(struct bytes text, struct bytes wanted)
{
	while (wanted.len != 0) {
		const uint8_t *space = memchr(wanted.data, ' ', wanted.len);
		const size_t len = space != NULL ? (size_t)(space - wanted.data) : wanted.len;

		if (!contains(text, bytes_of(wanted.data, len)))
			return false;
		const size_t used = space != NULL ? len + 1 : len;

		wanted = bytes_of(wanted.data + used, wanted.len - used);
	}
	return true;
}

static struct bytes wanted(const struct find_query *q, enum vntext_level level)
{
	return buf_bytes(&q->wanted[level]);
}

/* `fold` is the fold of `text`. Coarsest first: nearly every text fails there. */
static enum find_rank rank_text(struct find_query *q, struct bytes fold, struct bytes text)
{
	static const enum vntext_level finer[] = {VNTEXT_TONELESS, VNTEXT_EXACT};
	enum find_rank best = FIND_FOLD;

	if (!contains(fold, wanted(q, VNTEXT_FOLD)))
		return contains_words(fold, wanted(q, VNTEXT_FOLD)) ? FIND_WORDS : FIND_NOT;
	for (size_t i = 0; i < sizeof finer / sizeof *finer; i++) {
		buf_reset(&q->key);
		if (vntext_key(text, finer[i], &q->key) != ERR_OK ||
		    !contains(buf_bytes(&q->key), wanted(q, finer[i])))
			return best;
		best = (enum find_rank)finer[i];
	}
	return best;
}

enum find_rank find_rank_entry(struct find_query *q, const struct find_entry *entry)
{
	enum find_rank best = FIND_NOT;
	struct bytes folds = entry->folds;
	struct bytes texts = entry->texts;

	/* All texts at once: what no word of it is in is passed by at one look. */
	if (!contains_words(folds, wanted(q, VNTEXT_FOLD)))
		return FIND_NOT;
	while (folds.len != 0 && best != FIND_EXACT) {
		const uint8_t *end = memchr(folds.data, '\n', folds.len);
		struct bytes fold;
		struct bytes text;

		if (end == NULL || !take(&folds, (size_t)(end - folds.data), &fold) ||
		    !take_sized(&texts, 2, &text))
			break;
		folds = bytes_of(folds.data + 1, folds.len - 1);
		const enum find_rank rank = rank_text(q, fold, text.len != 0 ? text : fold);

		best = rank < best ? rank : best;
	}
	return best;
}

enum find_rank find_rank_record(struct find_query *q, const struct record *r)
{
	AUTO(buf_clear) struct buf fold = {0};
	enum find_rank best = FIND_NOT;

	for (size_t i = 0; i < r->count && best != FIND_EXACT; i++) {
		const struct field *f = &r->fields[i];

		buf_reset(&fold);
		if (!is_text(f) || vntext_key(f->value.bytes, VNTEXT_FOLD, &fold) != ERR_OK)
			continue;
		const enum find_rank rank = rank_text(q, buf_bytes(&fold), f->value.bytes);

		best = rank < best ? rank : best;
	}
	return best;
}
