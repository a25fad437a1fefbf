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

enum role_answer {
	ROLE_MAY,
	ROLE_MAY_NOT,
	ROLE_NEEDS_CLEARANCE, /* a reason to read restricted data, and no clearance to */
};

/*
 * A call with a `reason` asks for restricted values (admin_call.h), and making a device that gets
 * them is the same: both need a clearance besides the role.
 */
enum role_answer role_may(enum role role, bool is_cleared, const char *command, const json_t *args);
/* The command has an entry: whether the table is whole. */
bool role_knows(const char *command);
