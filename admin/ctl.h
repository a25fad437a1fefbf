/*
 * ctl - one run of ctxhctl: where the daemon is, how to print, and how errors end.
 *
 * Every command is a function over struct ctl and its args: it asks the daemon,
 * prints on stdout, and gives the exit code. Whatever went wrong is on stderr
 * already when a function here gives a code that is not ARGS_EXIT_DONE or
 * ARGS_EXIT_PARTIAL. One thread.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/text/args.h"
#include "common/text/table.h"

/* Ordinary questions; what walks the whole store takes CTL_NO_LIMIT. */
#define CTL_TIMEOUT_MS INT64_C(60000)
#define CTL_NO_LIMIT   INT64_C(0)

struct transport_remote;

/* The console of a daemon on another machine; signed in at the first call. */
struct ctl_remote {
	const char *server; /* "office.example:8443" */
	const char *account;
	const char *fingerprint; /* of its key, hex; NULL: the machine's authorities decide */
	struct transport_remote *link;
};

struct ctl {
	const char *socket;
	struct ctl_remote *remote; /* NULL: the socket */
	enum table_format format;
	const char *format_name; /* as typed: reports have formats of their own */
	struct table_style style;
};

static inline void ctl_json_release_auto(json_t **j)
{
	json_decref(*j);
}

/* Signs out. */
void ctl_remote_close(struct ctl_remote *r);
/*
 * One request to the console, signed in before. On ARGS_EXIT_DONE *ret_answer is the caller's; else
 * stderr has the reason.
 */
int ctl_remote_call(struct ctl_remote *r, const char *path, const json_t *request,
		    int64_t timeout_ms, json_t **ret_answer);
/* Gives the account a new password: the one it has, then the new one twice. */
int ctl_remote_password(struct ctl_remote *r);

/*
 * Asks. `take_args` is released. On ARGS_EXIT_DONE or ARGS_EXIT_PARTIAL *ret_result is the
 * caller's; on others it is untouched and stderr has the reason.
 */
int ctl_call(const struct ctl *ctl, const char *command, json_t *take_args, int64_t timeout_ms,
	     json_t **ret_result);

/*
 * `begun` is what the daemon answered when it began something: {"run", "started_at"}. Asks
 * `command` until its `ended` has reached that run; `show` (may be NULL) gets every answer before.
 * *ret_state is the caller's, with the code of its answer; untouched when nobody answers any more,
 * or a daemon that began anew meanwhile and knows nothing of the run (ARGS_EXIT_UNREACHABLE).
 */
int ctl_wait_for(const struct ctl *ctl, const char *command, const json_t *begun,
		 void (*show)(const struct ctl *ctl, const json_t *state), json_t **ret_state);

/* ctl_call() with a file's content, to a path of its own. */
int ctl_send(const struct ctl *ctl, const char *url, const struct buf *content, int64_t timeout_ms,
	     json_t **ret_result);

/* One line on stderr. */
void ctl_complain(const char *fmt, ...) PRINTF(1, 2);
/* A wrong value of the command line: the line args.h would print; ARGS_EXIT_USAGE. */
int ctl_usage(const struct args *args, const char *vi, const char *en);

/* To stdout, all of it. ARGS_EXIT_FAILED when it cannot be written (disk full, closed pipe). */
int ctl_print(const struct buf *text);
/* To a file, whole or not at all (written beside it and renamed); `path` NULL or "-": stdout. */
int ctl_write(const char *path, const struct buf *text);
/* A file's whole content, at most `max` bytes; "-" is stdin. ARGS_EXIT_FAILED. */
int ctl_read(const char *path, size_t max, struct buf *out);

/* Arguments as JSON: what was not given stays out. */
void ctl_put_option(json_t *to, const struct args *args, const char *option, const char *key);
/* "25195,25198" as a list, and the option may be repeated. */
void ctl_put_codes(json_t *to, const struct args *args, const char *option, const char *key);
/* The same of "25195,25198" at each positional from `first` on; absent where there is none. */
void ctl_put_positional_codes(json_t *to, const struct args *args, size_t first, const char *key);
/* ARGS_EXIT_USAGE when it is not a number of the range. */
int ctl_put_number(json_t *to, const struct args *args, const char *option, int64_t min,
		   int64_t max);
/* A positional argument that must be a number from 1 on. */
int ctl_put_positional_number(json_t *to, const struct args *args, size_t index, const char *key);

/* The value as it stands, for people who like to read JSON: indented. */
void ctl_append_json(struct buf *out, const json_t *j);
