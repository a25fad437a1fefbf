/*
 * sim_system - the whole system under a seeded scheduler: the real daemon data side, two to
 * twenty real clients, a network and machines that fail, clocks that are wrong.
 *
 *   sim_system [--seed N] [--runs N] [--clients N] [--steps N] [--seconds N]
 *              [--bug NAME] [--with NAME] [--without NAME] [--salt N] [--hash] [--trace] [--quiet]
 *
 * `--with` makes sure that every seed has an actor which only some have: releases, files, erasures,
 * faults, clocks; `--without` that none has it, or `others`: none of the last three, which have
 * random numbers of their own, so that all else goes as it went before there were any.
 * Run i is made from seed N + i alone, so `--seed S --runs 1` repeats one, and with --trace
 * tells it step by step; with --hash each prints one number for all it did and left behind, which
 * is the same wherever and whenever the seed runs, and with any --salt (entropy.h). After each run
 * everything is healed, every client syncs until nothing moves, and tests/sim/oracle.h's O1 to O10
 * must hold. Seeds that once found a bug run first, always. Exit 1 with seed and step when
 * something does not hold.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/check.h"
#include "common/base/crypt.h"
#include "common/base/log.h"
#include "tests/sim/bureau.h"
#include "tests/sim/clocks.h"
#include "tests/sim/couriers.h"
#include "tests/sim/disks.h"
#include "tests/sim/entropy.h"
#include "tests/sim/faults.h"
#include "tests/sim/history.h"
#include "tests/sim/homes.h"
#include "tests/sim/law.h"
#include "tests/sim/link.h"
#include "tests/sim/oracle.h"
#include "tests/sim/people.h"

#define STEPS_MAX  160
#define PASSES_MAX 40
#define OTHERS     (unsigned)(WORLD_WITH_ERASURES | WORLD_WITH_FAULTS | WORLD_WITH_CLOCKS)

struct options {
	uint64_t seed;
	uint64_t runs;
	uint64_t clients; /* 0: 2 to 8 */
	uint64_t steps;   /* 0: 20 to STEPS_MAX */
	uint64_t seconds; /* 0: as many runs as said */
	uint64_t salt;
	bool is_quiet;
	bool is_traced;
	bool is_hashed;
	enum world_bug bug;
	unsigned with; /* enum world_with */
	unsigned without;
};

struct totals {
	uint64_t runs;
	uint64_t syncs;
	uint64_t crashes;
	uint64_t erasures;
	uint64_t again;   /* records erased once more after a restore */
	uint64_t faults;  /* errors of disks that ended a party */
	uint64_t refused; /* for want of room */
	uint64_t jumps;   /* of the daemon's clock */
	struct oracle_counts counts;
};

/*
 * Seeds that once found a bug of the product, with 2 to 8 clients and any number of steps:
 * 4 a record written and moved away before the first pull stayed on its device;
 * 8 a field older than the cut of a pull never came, its record being behind the cut;
 * 105 an edit that came before its record after a restore was never let in;
 * 109 what a restored office does not have stayed on a device outside its scope;
 * 20079 the base of an edit of a stray said that its author had seen the new epoch;
 * 31168 a record that became restricted stayed on a device whose pull had been cut;
 * 40022 a stray whose resending was refused and discarded was not shown;
 * 41145 a record that moved within a device's scope and became restricted stayed on it.
 */
static const uint64_t kept_seeds[] = {4, 8, 105, 109, 20079, 31168, 40022, 41145};

static struct client *any_client(struct world *w)
{
	return &w->clients[rand_below(&w->rand, w->client_count)];
}

/* Rather one whose disk was copied, so that the copy is put back. */
static struct client *copied_or_any(struct world *w)
{
	for (unsigned i = 0; i < w->client_count; i++)
		if (w->clients[i].has_copy && world_chance(w, 70))
			return &w->clients[i];
	return any_client(w);
}

static void befall(struct world *w)
{
	switch (rand_below(&w->rand, 11)) {
	case 0:
	case 1: clocks_jump(w, any_client); break;
	case 2: world_crash_daemon(w); break;
	case 3: world_crash_client(any_client(w)); break;
	case 4:
		if (w->has_files)
			couriers_take_along(any_client(w));
		break;
	case 5: world_raise_schema(w); break;
	case 6: world_back_up(w); break;
	case 7:
		if (world_chance(w, w->has_releases ? 30 : 12))
			disks_clone(any_client(w));
		break;
	case 8:
		if (world_chance(w, w->has_releases ? 50 : 25))
			disks_copy_or_put_back(copied_or_any(w));
		break;
	case 9:
		if (w->restores < 2)
			world_restore(w);
		break;
	default:
		world_give_unit(any_client(w), w->units[rand_below(&w->rand, w->unit_count)]);
		break;
	}
}

static void release_some(struct world *w)
{
	for (unsigned i = 0; i < w->client_count; i++)
		if (world_chance(w, 70))
			(void)homes_release(&w->clients[i]);
}

/* Those who came later, with numbers of their own. */
static void take_others(struct world *w)
{
	uint64_t what = rand_below(&w->fate, 100);

	if (w->has_erasures && what < 4)
		law_act(w);
	if (w->has_clocks && what >= 4 && what < 7)
		clocks_jump_daemon(w);
	if (w->has_faults && what >= 7 && what < 10)
		faults_checkpoint(w);
}

static void take_step(struct world *w)
{
	uint64_t what = rand_below(&w->rand, 100);

	clocks_pass(w);
	world_set_clocks(w);
	link_deliver(w, false);
	couriers_arrive(w, false);
	if (what < 58)
		people_act(any_client(w));
	else if (what < 61)
		bureau_act(w);
	else if (what < 62)
		release_some(w);
	else if (what < 92)
		(void)world_sync(any_client(w));
	else
		befall(w);
	take_others(w);
}

static bool has_moved(const struct sync_report *r)
{
	return r->records + r->evictions + r->notices + r->changes_sent != 0;
}

/* Everybody syncs until a whole round of them moves nothing. */
static void settle(struct world *w)
{
	bool has_news = true;

	w->phase = "heal";
	link_deliver(w, true);
	couriers_arrive(w, true);
	w->is_healed = true;
	for (w->step = 0; has_news; w->step++) {
		if (w->step == PASSES_MAX)
			world_fail(w, "no end of syncing");
		has_news = law_settle(w);
		for (unsigned i = 0; i < w->client_count; i++) {
			(void)world_sync(&w->clients[i]);
			has_news = has_news || has_moved(&w->clients[i].report);
			has_news = homes_release(&w->clients[i]) || has_news;
		}
	}
}

static void add_totals(struct totals *totals, const struct world *w,
		       const struct oracle_counts *counts)
{
	totals->runs++;
	totals->syncs += w->syncs;
	totals->crashes += w->crashes;
	totals->erasures += w->law.erasures;
	totals->again += w->law.again;
	totals->faults += w->faults.daemon + w->faults.clients;
	totals->refused += w->faults.full;
	totals->jumps += w->jumps;
	totals->counts.entries += counts->entries;
	totals->counts.records += counts->records;
	totals->counts.conflicts += counts->conflicts;
	totals->counts.quarantined += counts->quarantined;
}

static void run_one(const struct options *o, uint64_t seed, struct totals *totals)
{
	static struct world w;
	const struct world_mix mix = {(unsigned)o->clients, o->with, o->without};

	w = (struct world){.is_traced = o->is_traced, .is_hashed = o->is_hashed, .bug = o->bug};
	hasher_start(&w.history);
	entropy_begin(&w.clock.clock, seed, o->salt);
	world_open(&w, seed, &mix);
	uint64_t steps = o->steps != 0 ? o->steps : 20 + rand_below(&w.rand, STEPS_MAX - 20);

	/* Everybody has the schema before the accidents begin. */
	w.is_healed = true;
	for (unsigned i = 0; i < w.client_count; i++)
		(void)world_sync(&w.clients[i]);
	w.is_healed = false;
	w.phase = "run";
	for (w.step = 1; w.step <= (int)steps; w.step++)
		take_step(&w);
	settle(&w);
	homes_judge(&w);
	w.phase = "end";
	struct oracle_counts counts = oracle_check_end(&w);

	if (o->is_hashed)
		history_print(&w);
	add_totals(totals, &w, &counts);
	world_close(&w);
}

/* ---- the command line ---- */

static bool read_number(const char *text, uint64_t *ret_number)
{
	char *end;

	*ret_number = strtoull(text, &end, 10);
	return *text != '\0' && *end == '\0';
}

static bool read_bug(const char *text, enum world_bug *ret_bug)
{
	static const char *const names[] = {"none", "receipt_first", "lost_eviction",
					    "applied_twice"};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret_bug = (enum world_bug)i;
			return true;
		}
	return false;
}

static bool read_with(const char *text, unsigned *with)
{
	static const char *const names[] = {"releases", "files", "erasures", "faults", "clocks"};

	for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(text, names[i]) == 0) {
			*with |= 1u << i;
			return true;
		}
	if (strcmp(text, "others") != 0)
		return false;
	*with |= OTHERS;
	return true;
}

static bool read_flag(const char *name, struct options *o)
{
	if (strcmp(name, "--quiet") == 0)
		o->is_quiet = true;
	else if (strcmp(name, "--trace") == 0)
		o->is_traced = true;
	else if (strcmp(name, "--hash") == 0)
		o->is_hashed = true;
	else
		return false;
	return true;
}

static bool read_setting(const char *name, const char *value, struct options *o)
{
	const struct {
		const char *name;
		uint64_t *number;
	} settings[] = {{"--seed", &o->seed},       {"--runs", &o->runs},
			{"--clients", &o->clients}, {"--steps", &o->steps},
			{"--seconds", &o->seconds}, {"--salt", &o->salt}};

	if (strcmp(name, "--bug") == 0)
		return read_bug(value, &o->bug);
	if (strcmp(name, "--with") == 0)
		return read_with(value, &o->with);
	if (strcmp(name, "--without") == 0)
		return read_with(value, &o->without);
	for (unsigned i = 0; i < sizeof settings / sizeof *settings; i++)
		if (strcmp(name, settings[i].name) == 0)
			return read_number(value, settings[i].number);
	return false;
}

static bool read_options(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		if (read_flag(argv[i], o))
			continue;
		if (i + 1 == argc || !read_setting(argv[i], argv[i + 1], o))
			return false;
		i++;
	}
	return o->clients <= WORLD_CLIENTS_MAX && o->clients != 1;
}

static int64_t seconds_now(void)
{
	return clock_monotonic_ms(clock_system()) / 1000;
}

/* Small runs one after the other: memory that was given back is wanted again at once. */
static void keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 256 << 20);
	(void)mallopt(M_TRIM_THRESHOLD, 512 << 20);
	(void)mallopt(M_TOP_PAD, 16 << 20);
}

static void print_totals(const struct totals *t)
{
	const struct {
		const char *name;
		uint64_t number;
	} all[] = {{"runs", t->runs},
		   {"entries", t->counts.entries},
		   {"records", t->counts.records},
		   {"syncs", t->syncs},
		   {"crashes", t->crashes},
		   {"conflicts", t->counts.conflicts},
		   {"quarantined", t->counts.quarantined},
		   {"erasures", t->erasures},
		   {"erased_again", t->again},
		   {"disk_errors", t->faults},
		   {"disk_full", t->refused},
		   {"clock_jumps", t->jumps}};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		printf("%s%s=%llu", i == 0 ? "" : " ", all[i].name,
		       (unsigned long long)all[i].number);
	printf(": all hold\n");
}

int main(int argc, char **argv)
{
	struct options o = {.seed = 0, .runs = 100};
	struct totals totals = {0};

	if (!read_options(argc, argv, &o)) {
		fprintf(stderr,
			"usage: sim_system [--seed N] [--runs N] [--clients 2..8] [--steps N] "
			"[--seconds N] [--bug NAME] [--with NAME] [--without NAME] [--salt N] [--hash] "
			"[--trace] [--quiet]\n");
		return 2;
	}
	faults_install();
	entropy_install();
	if (crypt_init() != ERR_OK)
		return 2;
	log_set_filter("none");
	keep_memory();
	int64_t until = seconds_now() + (int64_t)o.seconds;

	if (o.seed == 0) {
		struct options kept = o;

		o.seed = 1000;
		kept.clients = 0;
		kept.steps = 0;
		kept.without |= OTHERS;
		for (unsigned i = 0; i < sizeof kept_seeds / sizeof *kept_seeds; i++)
			run_one(&kept, kept_seeds[i], &totals);
	}
	for (uint64_t i = 0; o.seconds != 0 ? seconds_now() < until : i < o.runs; i++)
		run_one(&o, o.seed + i, &totals);
	if (!o.is_quiet)
		print_totals(&totals);
	return 0;
}
