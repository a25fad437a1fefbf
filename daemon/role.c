#include "daemon/role.h"

#include <string.h>

#define A (1u << ROLE_ADMINISTRATOR)
#define V (1u << ROLE_REVIEWER)
#define P (1u << ROLE_REPORTER)
#define U (1u << ROLE_AUDITOR)

struct right {
	const char *command;
	unsigned roles;
};

/* clang-format off */
static const struct right rights[] = {
	{"status",             A | V | P | U},
	{"health",             A | U},
	{"types",              A | V | P | U},
	{"board",              A | V | P | U},
	{"unit import",        A},
	{"unit succession",    A},
	{"unit placing",       A | V | U},
	{"unit place",         A | V},
	{"unit list",          A | V | P | U},
	{"device invite",      A},
	{"device list",        A | V | U},
	{"device show",        A | V | U},
	{"device revoke",      A},
	{"device release",     A},
	{"log",                A | V | U},
	{"log show",           A | V | U},
	{"record show",        A | V | U},
	{"missing",            A | V | P | U},
	{"conflict list",      A | V | U},
	{"conflict show",      A | V | U},
	{"conflict keep",      A | V},
	{"conflict restore",   A | V},
	{"quarantine list",    A | V | U},
	{"quarantine show",    A | V | U},
	{"quarantine replay",  A | V},
	{"quarantine discard", A | V},
	{"duplicate list",     A | V | U},
	{"duplicate join",     A | V},
	{"duplicate split",    A | V},
	{"duplicate distinct", A | V},
	{"query",              A | U},
	{"report list",        A | V | P | U},
	{"report run",         A | V | P | U},
	{"report freeze",      A | P},
	{"report frozen",      A | V | P | U},
	{"report print",       A | V | P | U},
	{"report late",        A | V | P | U},
	{"import accept",      A},
	{"backup now",         A},
	{"backup state",       A | U},
	{"backup list",        A | U},
	{"backup verify",      A},
	{"alert show",         A | V | U},
	{"alert send",         A},
	{"alert test",         A},
	{"alert state",        A | U},
	{"audit list",         A | U},
	{"audit checkpoint",   A | U},
	{"audit verify",       A | U},
	{"erase",              A},
	{"erase state",        A | U},
	{"verify",             A | U},
	{"account add",        A},
	{"account list",       A | U},
	{"account reset",      A},
	{"account remove",     A},
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

enum role_answer role_may(enum role role, bool is_cleared, const char *command, const json_t *args)
{
	const struct right *r = find(command);

	if (r == NULL || (r->roles & (1u << role)) == 0)
		return ROLE_MAY_NOT;
	if (!is_cleared && (is_given(args, "reason") || is_given(args, "clearance")))
		return ROLE_NEEDS_CLEARANCE;
	return ROLE_MAY;
}
