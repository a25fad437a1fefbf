#include "daemon/role.h"

#include <string.h>

#define A (1u << ROLE_ADMINISTRATOR)
#define V (1u << ROLE_REVIEWER)
#define P (1u << ROLE_REPORTER)
#define U (1u << ROLE_AUDITOR)

/* Accounts that were given units may call it? */
enum reach {
	OFFICE, /* no: it is about the whole office */
	UNITS,  /* yes: its handler keeps to these units (admin_scope.h) */
	ANY,    /* yes: there is nothing of any unit in it */
};

struct right {
	const char *command;
	unsigned roles;
	enum reach reach;
};

/* clang-format off */
static const struct right rights[] = {
	{"status",             A | V | P | U, OFFICE},
	{"health",             A | U, OFFICE},
	{"types",              A | V | P | U, ANY},
	{"board",              A | V | P | U, UNITS},
	{"unit import",        A, OFFICE},
	{"unit succession",    A, OFFICE},
	{"unit placing",       A | V | U, UNITS},
	{"unit place",         A | V, UNITS},
	{"unit list",          A | V | P | U, UNITS},
	{"device invite",      A, UNITS},
	{"device list",        A | V | U, UNITS},
	{"device show",        A | V | U, UNITS},
	{"device revoke",      A, UNITS},
	{"device release",     A, UNITS},
	{"log",                A | V | U, UNITS},
	{"log show",           A | V | U, UNITS},
	{"record show",        A | V | U, UNITS},
	{"missing",            A | V | P | U, UNITS},
	{"conflict list",      A | V | U, UNITS},
	{"conflict show",      A | V | U, UNITS},
	{"conflict keep",      A | V, UNITS},
	{"conflict restore",   A | V, UNITS},
	{"conflict reopen",    A | V, UNITS},
	{"quarantine list",    A | V | U, UNITS},
	{"quarantine show",    A | V | U, UNITS},
	{"quarantine replay",  A | V, UNITS},
	{"quarantine discard", A | V, UNITS},
	{"quarantine reopen",  A | V, UNITS},
	{"duplicate list",     A | V | U, UNITS},
	{"duplicate join",     A | V, UNITS},
	{"duplicate split",    A | V, UNITS},
	{"duplicate distinct", A | V, UNITS},
	{"duplicate reopen",   A | V, UNITS},
	{"query",              A | U, OFFICE},
	{"report list",        A | V | P | U, ANY},
	{"report run",         A | V | P | U, UNITS},
	{"report freeze",      A | P, UNITS},
	{"report frozen",      A | V | P | U, UNITS},
	{"report print",       A | V | P | U, UNITS},
	{"report late",        A | V | P | U, UNITS},
	{"import accept",      A, OFFICE},
	{"backup now",         A, OFFICE},
	{"backup state",       A | U, OFFICE},
	{"backup list",        A | U, OFFICE},
	{"backup verify",      A, OFFICE},
	{"alert show",         A | V | U, OFFICE},
	{"alert send",         A, OFFICE},
	{"alert test",         A, OFFICE},
	{"alert state",        A | U, OFFICE},
	{"audit list",         A | U, OFFICE},
	{"audit checkpoint",   A | U, OFFICE},
	{"audit verify",       A | U, OFFICE},
	{"erase",              A, OFFICE},
	{"erase state",        A | U, OFFICE},
	{"verify",             A | U, OFFICE},
	{"account add",        A, OFFICE},
	{"account list",       A | U, OFFICE},
	{"account reset",      A, OFFICE},
	{"account remove",     A, OFFICE},
	{"account units",      A, OFFICE},
	{"account role",       A, OFFICE},
};
/* clang-format on */

static const char *const names[ROLES] = {
	[ROLE_ADMINISTRATOR] = "administrator",
	[ROLE_REVIEWER] = "reviewer",
	[ROLE_REPORTER] = "reporter",
	[ROLE_AUDITOR] = "auditor",
};

const char *role_name(enum role role)
{
	return names[role];
}

bool role_parse(struct bytes text, enum role *ret_role)
{
	for (unsigned i = 0; i < ROLES; i++) {
		if (bytes_is(text, names[i])) {
			*ret_role = (enum role)i;
			return true;
		}
	}
	return false;
}

static const struct right *find(const char *command)
{
	for (size_t i = 0; i < sizeof rights / sizeof rights[0]; i++)
		if (strcmp(rights[i].command, command) == 0)
			return &rights[i];
	return NULL;
}

bool role_knows(const char *command)
{
	return find(command) != NULL;
}

/* Whatever it holds: what a handler would take for "no" must not be guessed here. */
static bool is_given(const json_t *args, const char *name)
{
	const json_t *j = json_object_get(args, name);

	return j != NULL && !json_is_null(j);
}

bool role_keeps_to_units(const char *command)
{
	const struct right *r = find(command);

	return r != NULL && r->reach == UNITS;
}

enum role_answer role_may(const struct role_holder *who, const char *command, const json_t *args)
{
	const struct right *r = find(command);

	if (r == NULL || (r->roles & (1u << who->role)) == 0)
		return ROLE_MAY_NOT;
	if (who->is_bound && r->reach == OFFICE)
		return ROLE_NOT_IN_UNITS;
	if (!who->is_cleared && (is_given(args, "reason") || is_given(args, "clearance")))
		return ROLE_NEEDS_CLEARANCE;
	return ROLE_MAY;
}
