#include "tests/sim/merge_history.h"

#define YEAR_MS  (INT64_C(365) * 24 * 3600 * 1000)
#define START_MS INT64_C(1782000000000) /* June 2026 */

struct maker {
	struct history *h;
	struct rand rand;
	int64_t now_ms; /* true time */
	int64_t daemon_offset_ms;
	int64_t offset_ms[SIM_DEVICES_MAX + 1];
	struct hlc clocks[SIM_DEVICES_MAX + 1];
	struct hlc daemon_clock;
	uint64_t cursors[SIM_DEVICES_MAX + 1];
	uint64_t previous[SIM_DEVICES_MAX + 1]; /* effective clock of the latest arrived */
	int turns[SIM_DEVICES_MAX + 1];
	struct sim_change waiting[SIM_CHANGES_MAX]; /* written, not arrived; oldest first */
	int waiting_count;
	int written;
	bool is_fifo; /* a device's changes arrive in the order it wrote them */
};

static uint64_t below(struct maker *m, uint64_t bound)
{
	return rand_below(&m->rand, bound);
}

static bool one_in(struct maker *m, uint64_t n)
{
	return below(m, n) == 0;
}

static int64_t random_offset(struct maker *m)
{
	switch (below(m, 6)) {
	case 0: return (int64_t)below(m, 40 * (uint64_t)YEAR_MS) - 20 * YEAR_MS;
	case 1: return (int64_t)below(m, 600000) - 300000;
	case 2: return (int64_t)below(m, 7200000) - 3600000;
	case 3: return -START_MS + (int64_t)below(m, 1000); /* an empty clock battery */
	default: return 0;
	}
}

static int64_t device_wall(const struct maker *m, uint32_t device)
{
	return m->now_ms + m->offset_ms[device];
}

static void maybe_jump(struct maker *m)
{
	uint64_t device = 1 + below(m, m->h->device_count);

	if (!one_in(m, 6))
		return;
	switch (m->h->clocks) {
	case SIM_CLOCKS_STEADY: return;
	case SIM_CLOCKS_DAEMON:
		m->daemon_offset_ms = one_in(m, 2) ? (int64_t)below(m, 20 * (uint64_t)YEAR_MS) : 0;
		return;
	case SIM_CLOCKS_WILD:
		if (one_in(m, 3))
			m->daemon_offset_ms = random_offset(m);
		m->offset_ms[device] = random_offset(m);
		return;
	case SIM_CLOCKS_RAW: m->offset_ms[device] = random_offset(m); return;
	}
}

static void pull(struct maker *m, uint32_t device)
{
	m->cursors[device] = (uint64_t)m->h->count;
	for (int i = 0; i < m->h->count; i++)
		hlc_observe(&m->clocks[device], m->h->changes[i].stamp.clock);
}

static int random_value(struct maker *m, int field)
{
	bool may_be_null = field != SIM_UNIT;

	if (may_be_null && one_in(m, field == SIM_DELETED ? 3 : 8))
		return 0;
	if (m->h->has_unique_values)
		return m->written + 1;
	return 1 + (int)below(m, 2);
}

static void write_change(struct maker *m)
{
	uint32_t device = (uint32_t)(1 + below(m, m->h->device_count));
	struct sim_change *c = &m->waiting[m->waiting_count++];

	*c = (struct sim_change){
		.record = (int)below(m, (uint64_t)m->h->record_count),
		.device = device,
		.turn = m->turns[device]++,
		.base = m->cursors[device],
		.raw = hlc_tick(&m->clocks[device], device_wall(m, device)),
	};
	c->stamp = (struct stamp){c->raw, device};
	for (int f = 0; f < SIM_FIELDS; f++)
		c->values[f] = SIM_ABSENT;
	for (uint64_t n = 1 + below(m, 3); n > 0; n--) {
		int field = one_in(m, 5) ? SIM_DELETED : (int)below(m, SIM_FIELDS);

		c->values[field] = random_value(m, field);
	}
	m->written++;
	m->now_ms += (int64_t)below(m, 3);
}

/* What the daemon does with the clock of a change-set on arrival (M7). */
static void repair_stamp(struct maker *m, struct sim_change *c)
{
	int64_t wall = m->now_ms + m->daemon_offset_ms;
	uint64_t present = hlc_tick(&m->daemon_clock, wall);
	uint64_t prev = m->previous[c->device];
	struct repair r = one_in(m, 4) ? repair_for_file(wall, prev)
				       : repair_for_network(device_wall(m, c->device), wall,
							    STAMP_TOLERANCE_MS, prev);

	repair_raise(&r, present);
	c->stamp.clock = stamp_effective(&r, c->raw, &prev);
	m->previous[c->device] = prev;
	hlc_observe(&m->daemon_clock, prev);
}

/* The oldest waiting change of the device that wrote the one at `place`. */
static int oldest_of_device(const struct maker *m, int place)
{
	for (int i = 0; i < place; i++)
		if (m->waiting[i].device == m->waiting[place].device)
			return i;
	return place;
}

static void arrive(struct maker *m, int block)
{
	int place = (int)below(m, (uint64_t)m->waiting_count);

	if (m->is_fifo)
		place = oldest_of_device(m, place);
	struct sim_change c = m->waiting[place];

	for (int i = place + 1; i < m->waiting_count; i++)
		m->waiting[i - 1] = m->waiting[i];
	m->waiting_count--;
	c.block = block;
	if (m->h->clocks != SIM_CLOCKS_RAW)
		repair_stamp(m, &c);
	m->h->changes[m->h->count++] = c;
}

static void make_block(struct maker *m, int block, int target)
{
	/* A pull and a write take longer than one tick of the daemon's clock. */
	m->now_ms += 1 + (int64_t)below(m, one_in(m, 3) ? 1000000 : 3);
	for (uint32_t d = 1; d <= m->h->device_count; d++)
		if (one_in(m, 2))
			pull(m, d);
	for (uint64_t n = below(m, 5); n > 0 && m->written < target; n--) {
		maybe_jump(m);
		write_change(m);
	}
	if (m->waiting_count == 0)
		return;

	int arriving = m->written == target && one_in(m, 2)
			       ? m->waiting_count
			       : (int)below(m, (uint64_t)m->waiting_count + 1);

	while (arriving-- > 0)
		arrive(m, block);
}

void history_make(uint64_t seed, struct history *ret_history)
{
	struct maker m = {.h = ret_history, .now_ms = START_MS};

	rand_seeded_init(&m.rand, seed);
	*ret_history = (struct history){.seed = seed};
	ret_history->clocks = (enum sim_clocks)below(&m, 4);
	ret_history->has_unique_values = one_in(&m, 2);
	ret_history->record_count = 1 + (int)below(&m, SIM_RECORDS_MAX);
	ret_history->device_count = (uint32_t)(2 + below(&m, SIM_DEVICES_MAX - 1));
	for (int r = 0; r < ret_history->record_count; r++)
		ret_history->kinds[r] = one_in(&m, 3) ? MERGE_EVENT : MERGE_REGISTER;
	for (uint32_t d = 1; d <= ret_history->device_count; d++)
		m.offset_ms[d] = ret_history->clocks == SIM_CLOCKS_DAEMON
					 ? (int64_t)below(&m, 400000) - 200000
					 : random_offset(&m);
	/* A repair needs the order of the chain; without one any order must do. */
	m.is_fifo = ret_history->clocks != SIM_CLOCKS_RAW || one_in(&m, 2);

	int target = 2 + (int)below(&m, one_in(&m, 4) ? SIM_CHANGES_MAX - 1 : 8);

	for (int block = 0; ret_history->count < target; block++)
		make_block(&m, block, target);
}

static void set_logs(const struct history *h, struct arrival *a)
{
	for (int place = 0; place < h->count; place++)
		a->log[a->at[place]] = (uint64_t)place + 1;
}

void arrival_first(const struct history *h, struct arrival *ret_arrival)
{
	for (int place = 0; place < h->count; place++)
		ret_arrival->at[place] = place;
	set_logs(h, ret_arrival);
}

static void mix(struct arrival *a, int from, int until, struct rand *rand)
{
	for (int i = until - 1; i > from; i--) {
		int count = i - from + 1;
		int k = from + (int)rand_below(rand, (uint64_t)count);
		int change = a->at[i];

		a->at[i] = a->at[k];
		a->at[k] = change;
	}
}

void arrival_mixed(const struct history *h, struct rand *rand, struct arrival *ret_arrival)
{
	int from = 0;

	arrival_first(h, ret_arrival);
	for (int i = 1; i <= h->count; i++) {
		if (i < h->count && h->changes[i].block == h->changes[from].block)
			continue;
		mix(ret_arrival, from, i, rand);
		from = i;
	}
	set_logs(h, ret_arrival);
}

void arrival_any(const struct history *h, struct rand *rand, struct arrival *ret_arrival)
{
	arrival_first(h, ret_arrival);
	mix(ret_arrival, 0, h->count, rand);
	set_logs(h, ret_arrival);
}

bool sim_is_system(int field)
{
	return field == SIM_DELETED || field == SIM_MERGED_INTO || field == SIM_UNIT ||
	       field == SIM_VOIDED;
}

bool history_saw(const struct history *h, int later, int earlier)
{
	const struct sim_change *w = &h->changes[later];
	const struct sim_change *p = &h->changes[earlier];

	/* The log number of the first arrival; no block is torn, so any mixed one says the same. */
	if ((uint64_t)earlier + 1 <= w->base)
		return true;
	return w->device == p->device && p->turn < w->turn;
}

bool history_is_causal(const struct history *h)
{
	for (int later = 0; later < h->count; later++)
		for (int earlier = 0; earlier < h->count; earlier++)
			if (history_saw(h, later, earlier) &&
			    stamp_compare(&h->changes[later].stamp, &h->changes[earlier].stamp) <=
				    0)
				return false;
	return true;
}

struct bytes sim_name(int field)
{
	static const struct bytes names[SIM_FIELDS] = {
		BYTES_LIT("address"),          BYTES_LIT(RECORD_DELETED), BYTES_LIT("full_name"),
		BYTES_LIT(RECORD_MERGED_INTO), BYTES_LIT("note"),         BYTES_LIT("phone"),
		BYTES_LIT(RECORD_UNIT),        BYTES_LIT(RECORD_VOIDED),
	};

	return names[field];
}

struct value sim_value(int field, int number)
{
	static const char texts[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ";

	if (number == 0)
		return VALUE_NONE;
	if (field == SIM_UNIT)
		return value_int(number);
	if (field == SIM_MERGED_INTO)
		return value_bytes(bytes_of(&texts[number], ID_LEN));
	return value_text(bytes_of(&texts[number], 1));
}

struct bytes sim_type(void)
{
	return BYTES_LIT("person");
}

struct id sim_id(int record)
{
	return (struct id){{1, (uint8_t)record}};
}

struct change sim_to_change(const struct sim_change *c, struct write *writes)
{
	struct change change = {
		.type = sim_type(),
		.id = sim_id(c->record),
		.number = (uint64_t)c->turn + 1,
		.clock = c->raw,
		.base = c->base,
		.author = BYTES_LIT("author"),
		.writes = writes,
	};

	for (int f = 0; f < SIM_FIELDS; f++)
		if (c->values[f] != SIM_ABSENT)
			writes[change.count++] =
				(struct write){sim_name(f), sim_value(f, c->values[f])};
	return change;
}
