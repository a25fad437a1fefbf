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
