/*
 * merge_history - a made-up past of a few devices, for the property test of the merge.
 *
 * One daemon gives log numbers in the order changes arrive; devices pull (and so get a
 * base), write offline, and their changes arrive late, mixed with those of others. Time
 * is cut into blocks: devices pull only between two blocks, so the changes of one block may
 * arrive in any order without anybody having seen more or less.
 *
 * Values are small numbers (0: NULL, SIM_ABSENT: not written), so that the oracle shares no
 * code with what it judges.
 */
#pragma once

#include "common/base/rand.h"
#include "common/model/merge.h"

#define SIM_FIELDS      8
#define SIM_RECORDS_MAX 3
#define SIM_DEVICES_MAX 6
#define SIM_CHANGES_MAX 24
#define SIM_ABSENT      (-1)

enum sim_field {
	SIM_ADDRESS,
	SIM_DELETED,
	SIM_FULL_NAME,
	SIM_MERGED_INTO,
	SIM_NOTE,
	SIM_PHONE,
	SIM_UNIT,
	SIM_VOIDED,
};

struct sim_change {
	int record;
	uint32_t device;
	int turn; /* which of its device's changes */
	int values[SIM_FIELDS];
	uint64_t base;
	uint64_t raw;
	struct stamp stamp;
	int block;
};

/* How the effective stamps came about. */
enum sim_clocks {
	SIM_CLOCKS_RAW,    /* raw clocks stand; wall clocks are wrong and jump */
	SIM_CLOCKS_STEADY, /* repaired; every wall clock is wrong by a constant */
	SIM_CLOCKS_DAEMON, /* repaired; devices are right, the daemon's clock runs ahead and back */
	SIM_CLOCKS_WILD,   /* repaired; wall clocks jump, the daemon's as well */
};

struct history {
	uint64_t seed;
	enum sim_clocks clocks;
	bool has_unique_values; /* no two changes write the same value, NULL apart */
	int record_count;
	enum merge_kind kinds[SIM_RECORDS_MAX];
	uint32_t device_count;
	struct sim_change changes[SIM_CHANGES_MAX]; /* in the order they arrived */
	int count;
};

/* One order in which the changes of a history arrive somewhere. */
struct arrival {
	int at[SIM_CHANGES_MAX];       /* place -> change */
	uint64_t log[SIM_CHANGES_MAX]; /* change -> log number */
};

void history_make(uint64_t seed, struct history *ret_history);

void arrival_first(const struct history *h, struct arrival *ret_arrival);
/* Mixed inside each block: what anybody could see is as before. */
void arrival_mixed(const struct history *h, struct rand *rand, struct arrival *ret_arrival);
/* Wholly mixed: for states, which depend on no log number. */
void arrival_any(const struct history *h, struct rand *rand, struct arrival *ret_arrival);

bool sim_is_system(int field);
/* The author of `later` had seen `earlier`: pulled it, or wrote it. */
bool history_saw(const struct history *h, int later, int earlier);
/* Everybody's stamp is above those of what it had seen. */
bool history_is_causal(const struct history *h);

struct bytes sim_name(int field);
struct value sim_value(int field, int number);
struct bytes sim_type(void);
struct id sim_id(int record);
/* `writes` has room for SIM_FIELDS and belongs to the caller. */
struct change sim_to_change(const struct sim_change *c, struct write *writes);
