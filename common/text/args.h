/*
 * args - the command line of all three programs, read by a table.
 *
 * A program says its options and commands in tables; the same tables are its
 * --help. Pure: no globals, nothing printed, argv untouched. Understood are --name
 * VALUE, --name=VALUE, --flag, -o VALUE, -oVALUE, -qv; "--" ends the options; "-"
 * alone is a positional argument. The program's options may stand anywhere, a
 * command's anywhere behind its name. A name is never guessed from its beginning,
 * since a later option could take it.
 */
#pragma once

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

/* The exit codes of every program (docs: exit codes). */
enum args_exit {
	ARGS_EXIT_DONE = 0,
	ARGS_EXIT_FAILED = 1,      /* refused or failed */
	ARGS_EXIT_USAGE = 2,       /* the command line is wrong */
	ARGS_EXIT_UNREACHABLE = 3, /* nothing reachable, try again */
	ARGS_EXIT_PARTIAL = 4,     /* done in part */
};

struct args_option {
	const char *name;  /* without dashes: "format" */
	const char *value; /* what help calls the value, "FILE"; NULL: a flag */
	const char *help_vi;
	const char *help_en;
	char letter; /* 'o' for -o, or 0 */
	bool is_repeatable;
};

struct args_positional {
	const char *name; /* "ID"; "field=value" */
	bool is_optional;
	bool is_repeated; /* this one and all that follow; only the last may be */
};

struct args;
typedef int (*args_run_fn)(void *context, const struct args *args);

struct args_command {
	const char *name; /* "status", "device list"; "" for a program without commands */
	const struct args_option *options;
	size_t option_count;
	const struct args_positional *positionals;
	size_t positional_count;
	const char *help_vi;
	const char *help_en;
	args_run_fn run; /* for the program; args.c never calls it */
};

struct args_program {
	const char *name;
	const char *version;               /* for --version; NULL: no such option */
	const struct args_option *options; /* of every command */
	size_t option_count;
	const struct args_command *commands; /* one named "", or several with names */
	size_t command_count;
	const char *help_vi;
	const char *help_en;
};

/* One option as given; in the order of the line. */
struct args_given {
	const struct args_option *option;
	const char *value; /* NULL for a flag */
};

/* What was read. Borrows the tables and argv. */
struct args {
	const struct args_program *program;
	const struct args_command *command;
	struct args_given *given;
	size_t given_count;
	const char **positionals;
	size_t positional_count;
	struct arena memory;
};

void args_clear(struct args *a);
static inline void args_clear_auto(struct args *a)
{
	args_clear(a);
}

enum NODISCARD args_step {
	ARGS_RUN,   /* ret_args is set: run its command */
	ARGS_HELP,  /* `out` has what to print on stdout; exit ARGS_EXIT_DONE */
	ARGS_USAGE, /* `out` has what to print on stderr; exit ARGS_EXIT_USAGE */
};

/* Reads argv[1] .. argv[argc - 1]. ret_args is to be cleared whatever comes back. A line that
 * begins with --complete is a shell's question: args_complete.h. */
enum args_step args_parse(const struct args_program *program, int argc, char *const *argv,
			  struct args *ret_args, struct buf *out);

/* Names that no table has are a bug of the caller. */
bool args_has(const struct args *a, const char *name);
/* The value, the last one of a repeated option; `otherwise` when it was not given. */
const char *args_value(const struct args *a, const char *name, const char *otherwise);
size_t args_count(const struct args *a, const char *name);
/* index < args_count() */
const char *args_value_at(const struct args *a, const char *name, size_t index);
/* NULL when there are fewer. */
const char *args_positional(const struct args *a, size_t index);
/*
 * The option as a whole number within [min, max]. Not given: *ret stays. ERR_INVAL:
 * `out` has the line for stderr, as for ARGS_USAGE.
 */
enum err args_integer(const struct args *a, const char *name, int64_t min, int64_t max,
		      struct buf *out, int64_t *ret_number);
/* For what only the program can judge: appends the same kind of line as ARGS_USAGE has. */
void args_complain(const struct args *a, struct buf *out, const char *vi, const char *en);

/* Appends the help of a program (`command` NULL: its list of commands) or of one command. */
void args_help(const struct args_program *program, const struct args_command *command,
	       struct buf *out);
