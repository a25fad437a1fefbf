/*
 * role - which role of a console account may call which of the administrators' commands.
 *
 * One table, default deny: a command without an entry is nobody's. Who comes by the admin socket
 * is not asked: its owner and group decided. The rights in words: docs/console.md. Pure.
 */
#pragma once

#include <jansson.h>

#include "common/base/bytes.h"
#include "common/base/err.h"

enum role {
	ROLE_ADMINISTRATOR, /* everything */
	ROLE_REVIEWER,      /* decides conflicts, quarantine, doubles, placing */
	ROLE_REPORTER,      /* reports and the board: figures, no persons */
	ROLE_AUDITOR,       /* reads everything that is audited, changes nothing */
};
#define ROLES 4u

/* "administrator". */
const char *role_name(enum role role);
/* False: no such role. */
bool role_parse(struct bytes text, enum role *ret_role);

/* Whose right is asked. */
struct role_holder {
	enum role role;
	bool is_cleared; /* may read restricted data, with a reason */
	bool is_bound;   /* was given units, and sees and decides only there */
};

enum role_answer {
	ROLE_MAY,
	ROLE_MAY_NOT,
	ROLE_NOT_IN_UNITS,    /* it is about the whole office, and the account has units of it */
	ROLE_NEEDS_CLEARANCE, /* a reason to read restricted data, and no clearance to */
};

/*
 * A call with a `reason` asks for restricted values (admin_call.h), and making a device that gets
 * them is the same: both need a clearance besides the role.
 */
enum role_answer role_may(const struct role_holder *who, const char *command, const json_t *args);
/*
 * The command's handler must ask what the caller sees (admin_scope.h): an answer worked out without
 * that is never given to an account with units of its own. False for what has nothing of any unit
 * in it, and for what such accounts may not call.
 */
bool role_keeps_to_units(const char *command);
/* The command has an entry: whether the table is whole. */
bool role_knows(const char *command);
