/*
 * world - a whole province in one thread: the daemon's store, communes with their
 * vaults, every clock, and the accidents that befall them.
 *
 * Both sides are the real code on SQLite files in a temporary folder (in memory when the
 * machine has /dev/shm). Time is virtual, everything random comes from one seed, so a
 * run is repeated by its seed. A crash drops what a process has in memory, rolls back
 * what was open and opens the store anew. Not for the product.
 */
#pragma once

#include "client/entry.h"
#include "client/sync.h"
#include "common/base/arena.h"
#include "common/base/attr.h"
#include "daemon/context.h"
#include "daemon/registry.h"
#include "daemon/store.h"
#include "tests/fault/faultvfs.h"

#define WORLD_CLIENTS_MAX 20
#define WORLD_OFFICE      WORLD_CLIENTS_MAX /* in the ledger: device 0 */
#define WORLD_UNITS       4                 /* before communes merge */
#define WORLD_UNITS_MAX   6
#define WORLD_START       INT64_C(1790000000000) /* 2026-09-21 */
#define WORLD_PARCELS_MAX 16
#define WORLD_BEEN_MAX    32 /* devices that one home was */
#define WORLD_FILES_MAX   24

/* Bugs that are planted at run time; others are mutants of a source file. */
enum world_bug {
	WORLD_BUG_NONE,
	WORLD_BUG_RECEIPT_FIRST, /* the answer leaves before the commit */
	WORLD_BUG_LOST_EVICTION, /* one eviction of each answer is dropped */
	WORLD_BUG_APPLIED_TWICE, /* a restart forgets up to which number it has a device's */
};

/* What the next commit of a vault does. */
enum trap {
	TRAP_NONE,
	TRAP_BEFORE, /* the process dies before it */
	TRAP_AFTER,  /* the process dies after it, before it heard so */
	TRAP_FULL,   /* the disk is full: it fails, the process lives on */
};

struct world;

/* A stretch in which one party's disk may fail; faults.h. */
struct faults_window {
	struct faultvfs_state before; /* what was to fail around it */
};

struct client {
	struct world *world;
	unsigned index;
	char home[96];
	struct vault *vault;
	struct schema *schema;   /* of the bundle in the vault; NULL before the first */
	struct clock_fake clock; /* wrong by so much: */
	int64_t off_ms;
	int64_t drift_ppm;
	uint32_t device;
	int64_t unit; /* the first it was given */
	bool is_cleared;
	uint64_t max_bytes; /* budget of its answers */
	struct sync_transport link;
	bool is_busy;  /* in a contact */
	bool is_dying; /* the link decided that the process ends while it waits */
	bool was_lied; /* the link falsified an answer */
	bool has_copy; /* of its disk, somewhere */
	bool is_torn;  /* two histories of its device: disks.h */
	bool was_torn;
	bool is_unknown; /* the office was restored to before its enrolment */
	unsigned origin; /* the client whose disk its own is a copy of; or itself */
	unsigned parent; /* the one it was copied from, which may be a copy; or itself */
	size_t inherits; /* notes of the ledger when it was copied */
	uint32_t been[WORLD_BEEN_MAX]; /* device numbers it has had */
	unsigned been_count;
	bool is_offline; /* no network ever, but to enrol */
	bool must_call;  /* the office said of its file that it has to */
	bool has_paper;  /* a release, with the code: */
	uint8_t paper[INVITATION_CODE_LEN];
	enum trap trap;
	unsigned trap_after; /* commits that still go well */
	bool is_trap_sprung;
	char vault_path[160]; /* what SQLite's files of it begin with */
	struct faults_window window;
	bool has_window;
	struct sync_report report;
};

/* A request that is on its way by a detour: it comes once more, later. */
struct parcel {
	struct buf body;
	unsigned client;
	int due; /* step */
};

/* A file that somebody carries; couriers.h. */
struct file {
	struct buf bytes; /* empty: no file */
	unsigned client;
	uint32_t device; /* of the client when it was written */
	bool is_return;
	bool is_bad; /* altered on the way */
	int due;     /* step */
};

struct ledger;

struct world {
	struct hasher history; /* history.h */
	uint64_t seed;
	int step;
	const char *phase;
	bool is_traced;
	bool is_hashed; /* what is told goes into `history` */
	bool is_healed; /* no more accidents */
	enum world_bug bug;

	char folder[64];
	char path[96]; /* of the daemon's store */
	struct rand rand;
	struct arena arena; /* of the whole run */
	int64_t now_ms;     /* true time */
	bool is_coarse;     /* time moves in whole hours: clocks tie */
	bool is_crowded;    /* all in one unit: people meet */
	bool has_releases;  /* homes that were set aside go on: homes.h */
	bool has_files;     /* people carry files: couriers.h */
	bool has_rescued;   /* values of lost numbers were written again */

	/* Of the actors below; those above keep their own, and so the histories of their seeds. */
	struct rand fate;
	bool has_erasures; /* the law has records erased: law.h */
	bool has_faults;   /* disks fail: faults.h */
	bool has_clocks;   /* the daemon's clock is wrong by decades, too */
	int full_until;    /* step: the daemon's disk is full before it */
	struct {
		uint64_t daemon;  /* errors of the daemon's disk */
		uint64_t full;    /* what it refused for want of room */
		uint64_t clients; /* contacts and entries that met an error of their disk */
		uint64_t marks;
	} faults;
	struct {
		uint64_t erasures;
		uint64_t again; /* after a restore that knew nothing of them */
		uint64_t sweeps;
	} law;
	uint64_t jumps;

	struct clock_fake clock; /* the daemon's */
	int64_t daemon_off_ms;
	struct context ctx;
	struct store *store;
	struct store *reader;
	struct schema *schemas[2];
	size_t schema; /* in force at the daemon */
	int64_t units[WORLD_UNITS_MAX];
	size_t unit_count;
	size_t backup_notes; /* of the ledger, when the backup was made */
	bool has_backup;
	size_t backup_units; /* unit_count at the backup */
	/* Units given and communes merged: what a restore takes back the office has to do again. */
	unsigned rights;
	unsigned backup_rights;
	bool has_lost_rights;
	/* By the daemon's clock the day of the merger was still to come when its list was imported:
	 * the day comes and goes as that clock jumps, and so does what it gave to see. */
	bool is_list_ahead;
	int restores;

	struct client clients[WORLD_CLIENTS_MAX + 1]; /* the last is WORLD_OFFICE: no machine */
	unsigned client_count;
	struct parcel parcels[WORLD_PARCELS_MAX];
	struct file files[WORLD_FILES_MAX];
	unsigned depth;       /* of requests inside requests */
	uint64_t daemon_life; /* grows with every start of the daemon */

	struct ledger *ledger;
	uint64_t crashes;
	uint64_t syncs;
};

/* Actors that some seeds have and others do not; a bit forces it. */
enum world_with {
	WORLD_WITH_RELEASES = 1,
	WORLD_WITH_FILES = 2,
	WORLD_WITH_ERASURES = 4,
	WORLD_WITH_FAULTS = 8,
	WORLD_WITH_CLOCKS = 16,
};

/* `with` and `without`: of enum world_with; who is in both is not there. */
struct world_mix {
	unsigned client_count; /* 0: drawn */
	unsigned with;
	unsigned without;
};

void world_open(struct world *w, uint64_t seed, const struct world_mix *mix);
/* Removes everything. */
void world_close(struct world *w);

/* Ends the program with 1: says seed, step and what does not hold. */
NORETURN PRINTF(2, 3) void world_fail(struct world *w, const char *fmt, ...);
/* What must not fail in any run. */
void world_must(struct world *w, enum err e, const char *what);
PRINTF(2, 3) void world_trace(struct world *w, const char *fmt, ...);
/* Does anybody listen to what is traced? */
static inline bool world_is_told(const struct world *w)
{
	return w->is_traced || w->is_hashed;
}

static inline bool world_chance(struct world *w, uint64_t percent)
{
	return rand_below(&w->rand, 100) < percent;
}

/* After now_ms or an off_ms changed. */
void world_set_clocks(struct world *w);

/* The daemon's process ends and starts again. */
void world_crash_daemon(struct world *w);
/* The client's, too. */
void world_crash_client(struct client *c);
/* A verified backup is made; later the daemon may be restored from it, in a new epoch. */
void world_back_up(struct world *w);
void world_restore(struct world *w);
/* The daemon takes the newer schema. */
void world_raise_schema(struct world *w);
/* The office gives a device one more unit. */
void world_give_unit(struct client *c, int64_t unit);

/* The next commit of its vault, but for `after` ones before it, goes so. */
void world_set_trap(struct client *c, enum trap trap, unsigned after);
/* Perhaps one, for some commit of a contact that begins. */
void world_trap_contact(struct client *c);
/* Takes the trap away; true when it was sprung. */
bool world_take_trap(struct client *c);

/* One contact of a client, with whatever befalls it; without a network a file sets out. True: it
 * went well. */
bool world_sync(struct client *c);
/* A contact may end without an answer; anything else is a bug. */
bool world_is_excused(const struct client *c, enum err e, bool is_trapped);

/* For disks.h. */
void world_copy_file(struct world *w, const char *from, const char *to);
void world_open_vault(struct client *c);

/* Whether clients may read and write it: the schema of the vault. */
void world_load_schema(struct client *c);
