#include "tests/sim/clocks.h"

#define YEAR_MS INT64_C(31557600000)

void clocks_pass(struct world *w)
{
	static const int64_t spans[] = {0, 40, 7000, 600000, 7200000, 90000000};
	uint64_t most = (uint64_t)spans[rand_below(&w->rand, 6)];

	if (w->is_coarse)
		w->now_ms += world_chance(w, 30) ? 3600000 : 0;
	else
		w->now_ms += (int64_t)rand_below(&w->rand, most + 1);
}

/* Where clocks of machines without a battery stand, and where numbers of seconds end. */
#define ODD_MOMENTS 6
static int64_t odd_moment(uint64_t which)
{
	static const int64_t moments[] = {0,
					  INT64_C(946684800000),  /* 2000 */
					  INT64_C(2147483648000), /* 2038 */
					  INT64_C(4294967296000), /* 2106 */
					  INT64_C(1800000000000) - 20 * YEAR_MS,
					  INT64_C(1800000000000) + 20 * YEAR_MS};

	_Static_assert(sizeof moments / sizeof *moments == ODD_MOMENTS, "as many as said");
	return moments[which];
}

/* Back to the truth, to an odd moment, or anywhere within twenty years. */
void clocks_jump_daemon(struct world *w)
{
	uint64_t how = rand_below(&w->fate, 10);

	w->daemon_off_ms = 0;
	if (how < 3)
		w->daemon_off_ms = odd_moment(rand_below(&w->fate, ODD_MOMENTS)) - w->now_ms;
	else if (how < 7)
		w->daemon_off_ms = (int64_t)rand_below(&w->fate, 40 * YEAR_MS) - 20 * YEAR_MS;
	w->jumps++;
	world_trace(w, "daemon's clock jumps: off by %lld", (long long)w->daemon_off_ms);
	world_set_clocks(w);
}

/* A client's clock may be anything; the daemon's is nearly right, but for clocks_jump_daemon(). */
void clocks_jump(struct world *w, struct client *(*choose)(struct world *w))
{
	struct client *c = choose(w);

	if (world_chance(w, 30)) {
		w->daemon_off_ms = (int64_t)rand_below(&w->rand, 1200000) - 600000;
		world_trace(w, "daemon's clock is off by %lld", (long long)w->daemon_off_ms);
		world_set_clocks(w);
		return;
	}
	c->off_ms = world_chance(w, 40)
			    ? 0
			    : (int64_t)rand_below(&w->rand, 40 * YEAR_MS) - 20 * YEAR_MS;
	if (world_chance(w, 30))
		c->off_ms = odd_moment(rand_below(&w->rand, ODD_MOMENTS)) - w->now_ms;
	world_set_clocks(w);
	world_trace(w, "clock of client %u is off by %lld", c->index, (long long)c->off_ms);
}
