/*
 * client_side - what the fault loops of the client share: a home with its vault, an office in
 * memory, and what must hold of both.
 *
 * One of each; the tests' clock and random numbers.
 */
#pragma once

#include "client/entry.h"
#include "tests/support/office.h"

#define CLIENT_SIDE_START INT64_C(1790000000000)

struct client_side {
	char home[64];
	char path[128]; /* of the vault's file */
	struct schema *schema;
	struct clock_fake now;
	struct rand rand;
	struct office *office;
	struct vault *vault;
};
extern struct client_side cs;

/* The programme's schema, a folder, an office that is not there yet. */
void client_side_prepare(void);
void client_side_finish(void);
/* The office as before the first step. */
void client_side_reset(void);

/* Every command begins like this. No vault yet: client_side_birth() makes one. */
enum err client_side_open(void);
void client_side_close(void);
/* The process died: its lock went with its descriptor. */
void client_side_die(void);
/* The lock is another process's. */
void client_side_branch(void);
/* A vault with an identity the office knows. Enrolment that was cut short goes on with the vault
 * that is there. */
enum err client_side_birth(void);
enum err client_side_passphrase(void);

/* In the caller's transaction: a new person, or one field of it. */
enum err client_side_make(struct entry_context *ctx, const struct id *id, const char *field,
			  const char *text, bool is_new);
/* As a command makes an entry: `make` in a transaction of its own, and the commit. */
enum err client_side_enter(enum err (*make)(struct entry_context *ctx, const void *what),
			   const void *what);
enum err client_side_look(const struct id *id, bool *ret_is_there);
/* Every invariant of the vault: number of problems, each printed. */
size_t client_side_check(void);
/* After an I/O error the lock file tells the next one not to believe the page cache. */
bool client_side_is_cache_suspect(void);
/* Both sides, but for counters of requests and log numbers that depend on the number of contacts.
 */
struct hash client_side_state(void);
/* Of the device's key. */
extern const uint8_t client_side_seed[32];
