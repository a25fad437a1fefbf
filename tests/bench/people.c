#include "tests/bench/people.h"

static const char *const given[] = {"An", "Bình", "Cường", "Dung", "Hạnh", "Hòa", "Lan", "Tuấn"};
static const char *const middle[] = {"Văn", "Thị", "Ngọc", "Minh", "Đức", "Thanh", "Kim", "Hữu"};
static const char *const family[] = {"Nguyễn", "Trần", "Lê", "Phạm", "Điểu", "Hoàng", "Vũ", "Đặng"};

const char *const people_field_names[PEOPLE_FIELDS] = {"address",    "birth_date", "full_name",
						       "occupation", "phone",      "sex"};

struct write *people_writes(struct arena *a, struct rand *r, int64_t unit)
{
	struct write *w = arena_alloc_array(a, PEOPLE_FIELDS + 1, sizeof *w);
	uint64_t pick = rand_u64(r);
	const struct value values[PEOPLE_FIELDS] = {
		value_text(arena_printf(a, "Thôn %u", (unsigned)(pick >> 40) % 12 + 1)),
		value_text(arena_printf(a, "%u", 1930 + (unsigned)(pick >> 32) % 80)),
		value_text(arena_printf(a, "%s %s %s", family[pick & 7], middle[pick >> 3 & 7],
					given[pick >> 6 & 7])),
		value_text(BYTES_LIT("làm nông")),
		value_text(arena_printf(a, "09%08u", (unsigned)(pick >> 16) % 100000000u)),
		value_text(pick & 1 ? BYTES_LIT("male") : BYTES_LIT("female")),
	};

	for (size_t i = 0; i < PEOPLE_FIELDS; i++)
		w[i] = (struct write){.name = bytes_str(people_field_names[i]), .value = values[i]};
	w[PEOPLE_FIELDS] = (struct write){.name = BYTES_LIT("unit"), .value = value_int(unit)};
	return w;
}

static struct value some_code(struct rand *r, const char *const *codes, size_t count)
{
	return value_text(bytes_str(codes[rand_below(r, count)]));
}

static struct value day_of(struct arena *a, uint64_t index)
{
	unsigned day = (unsigned)(index / PEOPLE_GROUP % (3 * 12 * 28));

	return value_text(arena_printf(a, "%u-%02u-%02u", 2020 + day / (12 * 28), 1 + day / 28 % 12,
				       1 + day % 28));
}

static struct value some_amount(struct rand *r)
{
	return value_int(90000 * (1 + (int64_t)rand_below(r, 40)));
}

static struct value of_person(struct arena *a, const struct id *person)
{
	return value_bytes(arena_copy(a, bytes_of(person->bytes, ID_LEN)));
}

static void give(struct arena *a, struct change *c, const struct write *writes, size_t count)
{
	c->writes = arena_alloc_array(a, count, sizeof *writes);
	memcpy(c->writes, writes, count * sizeof *writes);
	c->count = count;
}

static struct bytes type_of(uint64_t index)
{
	if (index % PEOPLE_GROUP < PEOPLE_PERSONS)
		return BYTES_LIT("person");
	return index % PEOPLE_GROUP == PEOPLE_PERSONS ? BYTES_LIT("person_category")
						      : BYTES_LIT("intervention");
}

void people_mixed(struct arena *a, struct rand *r, int64_t unit, uint64_t index,
		  const struct id *person, struct change *ret_change)
{
	static const char *const codes[] = {"K2", "K4", "K5A1", "K5B", "K5C"};
	static const char *const kinds[] = {"CASH_MONTHLY", "CARE_FUND", "EMG_GOODS", "FUNERAL"};
	const struct write category[] = {
		{.name = BYTES_LIT("nd20_code"), .value = some_code(r, codes, 5)},
		{.name = BYTES_LIT("person"), .value = of_person(a, person)},
		{.name = BYTES_LIT("scheme"), .value = value_text(BYTES_LIT("nd20"))},
		{.name = BYTES_LIT("since_on"), .value = day_of(a, index)},
		{.name = BYTES_LIT("unit"), .value = value_int(unit)},
	};
	const struct write help[] = {
		{.name = BYTES_LIT("amount"), .value = some_amount(r)},
		{.name = BYTES_LIT("given_on"), .value = day_of(a, index)},
		{.name = BYTES_LIT("kind"), .value = some_code(r, kinds, 4)},
		{.name = BYTES_LIT("person"), .value = of_person(a, person)},
		{.name = BYTES_LIT("unit"), .value = value_int(unit)},
	};

	ret_change->type = type_of(index);
	if (index % PEOPLE_GROUP < PEOPLE_PERSONS) {
		ret_change->writes = people_writes(a, r, unit);
		ret_change->count = PEOPLE_FIELDS + 1;
	} else if (index % PEOPLE_GROUP == PEOPLE_PERSONS) {
		give(a, ret_change, category, sizeof category / sizeof category[0]);
	} else {
		give(a, ret_change, help, sizeof help / sizeof help[0]);
	}
}

void people_mixed_edit(struct arena *a, struct rand *r, uint64_t index, struct change *ret_change)
{
	const struct write phone = {
		.name = BYTES_LIT("phone"),
		.value = value_text(arena_printf(a, "09%08u", (unsigned)rand_below(r, 100000000)))};
	const struct write since = {.name = BYTES_LIT("since_on"),
				    .value = day_of(a, rand_below(r, 10000))};
	const struct write amount = {.name = BYTES_LIT("amount"), .value = some_amount(r)};

	ret_change->type = type_of(index);
	if (index % PEOPLE_GROUP < PEOPLE_PERSONS)
		give(a, ret_change, &phone, 1);
	else if (index % PEOPLE_GROUP == PEOPLE_PERSONS)
		give(a, ret_change, &since, 1);
	else
		give(a, ret_change, &amount, 1);
}
