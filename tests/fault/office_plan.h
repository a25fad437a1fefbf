/*
 * office_plan - what fault_office does, step by step: devices' change-sets that make conflicts,
 * quarantine and a fork, and everything administrators then decide.
 *
 * Change-sets and files are sealed once and kept. Numbers of conflicts and quarantined changes are
 * those the undisturbed run gives them.
 */
#pragma once

#include "tests/support/ground.h"

enum office_kind {
	OFFICE_BIRTH,  /* units, the office's own device, the epoch */
	OFFICE_INVITE, /* of `device` */
	OFFICE_ENROL,
	OFFICE_PUSH,    /* by the network */
	OFFICE_FILE,    /* the same by a file, as `ctxhctl bundle in` */
	OFFICE_SCHEMA,  /* one that allows what was refused */
	OFFICE_COMMAND, /* of administrators: `text` with `args` */
	OFFICE_RELEASE, /* of `device`, which was set aside */
	OFFICE_SUCCEED, /* `device` takes the place of `former` with that invitation */
	OFFICE_SWEEP,
	OFFICE_CHECKPOINT,
	OFFICE_RESTART,
};

struct office_step {
	int64_t wall;
	size_t device; /* index */
	size_t former;
	const char *text;
	const char *args; /* JSON */
	struct bytes wires[2];
	size_t count;
	uint64_t counter; /* of the request; of the file */
	struct bytes file;
	enum office_kind kind;
	bool is_forking;
};

#define OFFICE_STEPS  64u
#define OFFICE_PEOPLE 4u /* devices, the successor included */
/* In the one record that is erased by law, and nowhere else. */
#define OFFICE_CANARY "ChimHoangYen"

/* Into the ground's arena. */
size_t office_plan(struct ground *ground, struct office_step to[OFFICE_STEPS]);
