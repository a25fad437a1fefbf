/*
 * admin - the administrators' commands, as the admin socket (and later the console) calls them.
 *
 * One table of commands; each has a name as typed ("device list"), whether it
 * writes, and a function from JSON arguments to a JSON result. Reading ones run
 * on a pool thread with a reading connection, writing ones on the writer thread
 * inside its transaction. Every writing command, and every read of restricted
 * data, leaves an audit row with the caller. JSON keys are those of the command
 * reference (docs/cli.md): others' scripts use them.
 */
#pragma once

#include <jansson.h>

#include "common/base/arena.h"
#include "daemon/context.h"

struct store;

struct admin_caller {
	uint32_t uid;     /* of the process at the other end of the socket */
	const char *name; /* for the audit: "uid:1000" or an account */
};

#define ADMIN_ERROR_LEN 512u

struct admin_call {
	struct context *ctx;
	struct store *store;
	struct admin_caller caller;
	const json_t *args;          /* an object */
	json_t *result;              /* set on success; the caller of the command releases it */
	int exit_code;               /* of ctxhctl: 0, or 4 when done in part */
	char error[ADMIN_ERROR_LEN]; /* set on failure: what happened, what was kept, what to do */
	struct arena *arena;
};

struct admin_command {
	const char *name; /* "device list" */
	bool is_write;
	enum err (*run)(struct admin_call *call);
	/* After the commit, on the loop: puts into memory what the store now says. May be NULL. */
	void (*committed)(struct admin_call *call);
};

/* NULL: no such command. */
const struct admin_command *admin_find(const char *name);
