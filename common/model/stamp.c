#include "common/model/stamp.h"

/* The ceiling's counter: as many below it for raw clocks as above it for pulled back ones. */
#define CEILING_COUNTER UINT64_C(0x7fff)

static int64_t clamp_ms(int64_t ms)
{
	if (ms < 0)
		return 0;
	return ms < STAMP_MS_MAX ? ms : STAMP_MS_MAX;
}

static uint64_t clamp_clock(uint64_t clock)
{
	return clock < STAMP_CLOCK_MAX ? clock : STAMP_CLOCK_MAX;
}

/* Stands still at the end of time instead of wrapping round to 1970. */
static uint64_t next_clock(uint64_t clock)
{
	return clock < STAMP_CLOCK_MAX ? clock + 1 : STAMP_CLOCK_MAX;
}

/* `ms` moved by any distance, inside what a clock can hold. */
static int64_t shift_ms(int64_t ms, int64_t distance)
{
	int64_t sum;

	if (__builtin_add_overflow(ms, distance, &sum))
		return distance < 0 ? 0 : STAMP_MS_MAX;
	return clamp_ms(sum);
}

static uint64_t shift_clock(uint64_t clock, int64_t distance_ms)
{
	uint64_t counter = clock & 0xffffu;

	return STAMP_CLOCK_OF(shift_ms(STAMP_CLOCK_MS(clock), distance_ms)) | counter;
}

int stamp_compare(const struct stamp *a, const struct stamp *b)
{
	if (a->clock != b->clock)
		return a->clock < b->clock ? -1 : 1;
	return (a->device > b->device) - (a->device < b->device);
}

uint64_t hlc_tick(struct hlc *hlc, int64_t wall_ms)
{
	uint64_t wall = STAMP_CLOCK_OF(clamp_ms(wall_ms));
	uint64_t next = next_clock(hlc->last);

	hlc->last = wall > next ? wall : next;
	return hlc->last;
}

void hlc_observe(struct hlc *hlc, uint64_t clock)
{
	clock = clamp_clock(clock);
	if (clock > hlc->last)
		hlc->last = clock;
}

struct repair repair_for_file(int64_t now_ms, uint64_t floor)
{
	struct repair r = {
		.ceiling = STAMP_CLOCK_OF(clamp_ms(now_ms)) | CEILING_COUNTER,
		.floor = clamp_clock(floor),
	};

	r.is_flagged = r.floor >= r.ceiling;
	return r;
}

struct repair repair_for_network(int64_t sent_ms, int64_t now_ms, int64_t tolerance_ms,
				 uint64_t floor)
{
	struct repair r = repair_for_file(now_ms, floor);
	/* Both are below 2^47, so the difference and its opposite are as well. */
	int64_t ahead_ms = clamp_ms(sent_ms) - clamp_ms(now_ms);

	if (ahead_ms <= tolerance_ms && -ahead_ms <= tolerance_ms)
		return r;
	r.shift_ms = -ahead_ms;
	r.is_flagged = true;
	return r;
}

void repair_raise(struct repair *repair, uint64_t present)
{
	present = clamp_clock(present);
	if (present <= repair->ceiling)
		return;
	if (STAMP_CLOCK_MS(present) > STAMP_CLOCK_MS(repair->ceiling) && repair->shift_ms < 0)
		repair->shift_ms = 0;
	repair->ceiling = present;
}

void repair_flag(struct repair *repair, uint64_t raw_clock, int64_t tolerance_ms)
{
	uint64_t moved = shift_clock(clamp_clock(raw_clock), repair->shift_ms);
	uint64_t allowed = shift_clock(clamp_clock(repair->ceiling), tolerance_ms);

	if (moved > allowed)
		repair->is_flagged = true;
}

uint64_t stamp_effective(const struct repair *repair, uint64_t raw_clock, uint64_t *prev)
{
	uint64_t clock = shift_clock(clamp_clock(raw_clock), repair->shift_ms);

	if (clock > repair->ceiling)
		clock = clamp_clock(repair->ceiling);
	/* The floor is stronger: two writes of one device must never share a stamp. */
	if (clock <= *prev)
		clock = next_clock(*prev);
	*prev = clock;
	return clock;
}
