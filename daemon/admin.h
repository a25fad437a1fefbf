/*
 * admin - the administrators' commands, as the admin socket and the console call them.
 *
 * One table of commands; each has a name as typed ("device list"), whether it
 * writes, and a function from JSON arguments to a JSON result. Reading ones run
 * on a pool thread with a reading connection, writing ones on the writer thread
 * inside its transaction. Every writing command, and every read of restricted
 * data, leaves an audit row with the caller. JSON keys are those of the command
 * reference (docs/cli.md): others' scripts use them.
 *
 * How the edge runs one: admin_prepare() on a pool thread, then
 *
 *   writing   writer thread, in the job's savepoint: admin_run(); after the commit, on the
 *             loop: command->committed when it is set; then the answer
 *   reading   pool thread, reading connection, inside a read transaction (one snapshot):
 *             admin_run(); and when admin_wants_finish(),
 *             whether it succeeded or not, a writer job with admin_finish() before the
 *             answer leaves: nobody sees restricted data of which no audit row is durable,
 *             and what took long to work out is written without holding up the writer
 */
#pragma once

#include <jansson.h>

#include "common/base/arena.h"
#include "daemon/context.h"

struct role_holder;
struct store;

struct admin_caller {
	uint32_t uid;        /* of the process at the other end of the socket */
	const char *name;    /* for the audit: "uid:1000" or "account:Lan" */
	const char *account; /* "Lan"; NULL: who holds the socket */
	bool is_bound;       /* the account was given units */
	/* An account that may not read restricted data. Who holds the socket may. */
	bool is_uncleared;
	/* As what the account was let in, to be seen again beside the store's; NULL: it was not
	 * asked for its role. */
	const struct role_holder *holder;
};

/* What the caller sees: admin_scope.h. Loaded with the store of the call. */
struct admin_scope {
	bool is_asked; /* the handler kept to it */
	const int64_t *units;
	size_t unit_count;
	const uint32_t *devices;
	size_t device_count;
	bool has_devices;
};

/* Codes of units as a call's answer has them: admin_names.c. */
struct admin_code {
	int64_t unit; /* 0: free */
	struct bytes code;
};
struct admin_codes {
	struct admin_code *slots;
	size_t cap; /* a power of two */
	size_t count;
};

#define ADMIN_ERROR_LEN  1024u
#define ADMIN_ACTION_LEN 64u

struct admin_call {
	struct context *ctx;
	struct store *store;
	struct admin_caller caller;
	struct admin_scope scope;
	struct admin_codes codes;
	const json_t *args; /* an object */
	json_t *result;     /* set on success; the caller of the command releases it */
	/* Set by a writing command that succeeded: a dry run. The edge undoes what it did in the
	 * store, and answers with the result all the same. */
	bool is_undone;
	int exit_code;               /* of ctxhctl: 0, or 4 when done in part */
	char error[ADMIN_ERROR_LEN]; /* set on failure: what happened, what was kept, what to do */
	bool is_misuse;              /* that was an argument which cannot be: ctxhctl ends with 2 */
	struct arena *arena;         /* the call's own; lives until it is answered */
	void *prepared;              /* what command->prepare left in the arena */
	/* Set by a reading command that succeeded and has something to keep: on the writer thread,
	 * in the transaction of its audit row. */
	enum err (*finish)(struct admin_call *call);
	void *carried; /* from run to finish; in the arena */
	/* The audit row this call leaves; set by the handlers, empty: none. */
	char audit_action[ADMIN_ACTION_LEN];
	json_t *audit_detail; /* released by admin_call_clear() */
};

struct admin_command {
	const char *name; /* "device list" */
	bool is_write;
	enum err (*run)(struct admin_call *call);
	/* After the commit, on the loop, `store` NULL: puts into memory what the store now says.
	 * May be NULL. */
	void (*committed)(struct admin_call *call);
	/* Before everything else, on a pool thread, `store` NULL: what takes long and needs no
	 * store. May be NULL. */
	enum err (*prepare)(struct admin_call *call);
};

/* NULL: no such command. */
const struct admin_command *admin_find(const char *name);
/* All of them, in the order of the table; NULL behind the last. */
const struct admin_command *admin_command_at(size_t index);

/* Runs command->prepare, if there is one; pool thread. On failure call->error is set. */
enum err admin_prepare(const struct admin_command *command, struct admin_call *call);

/*
 * Runs a command; a writing one leaves its audit row in the same transaction. On
 * failure call->error is set (also for errors of the store's), call->result is NULL.
 */
enum err admin_run(const struct admin_command *command, struct admin_call *call);

/* The call leaves an audit row. */
bool admin_wants_audit(const struct admin_call *call);
/* A reading command touched what must be audited, or has something to keep. */
bool admin_wants_finish(const struct admin_call *call);
/*
 * Writer thread, inside the transaction, call->store the writer's. `ran`: how admin_run() ended; a
 * read that failed leaves its audit row, too. On failure as there: call->error is set, call->result
 * NULL.
 */
enum err admin_finish(struct admin_call *call, enum err ran);

/* Releases result and audit_detail; the arena is its owner's. */
void admin_call_clear(struct admin_call *call);
