/*
 * handle - what each path does, from request to answer. Thread: loop; each handler says where else
 * its work goes. Every one leads to exactly one answer.
 */
#pragma once

#include "daemon/http.h"
#include "daemon/role.h"

typedef void (*handle_fn)(struct context *ctx, struct http_request *r);

/* POST /v1/sync: pool (signatures, decoding), writer (merge, commit), pool (what is owed). */
void handle_sync(struct context *ctx, struct http_request *r);
/* POST /v1/enrol: pool (signature), writer. Tries are limited by address and in all. */
void handle_enrol(struct context *ctx, struct http_request *r);
/* GET /v1/schema, /v1/units[?version=V]: ETag; with the version named, cacheable for ever. */
void handle_schema(struct context *ctx, struct http_request *r);
void handle_units(struct context *ctx, struct http_request *r);
/*
 * POST /v1/call on the admin socket: {"command": "device list", "args": {…}} gives 200
 * {"exit_code": 0 or 4, "result": …}, or another status and {"exit_code": 1 to 3, "error": "…"}.
 */
void handle_call(struct context *ctx, struct http_request *r);
/* On whose behalf a command runs. */
#define CALL_NAME_LEN 80u
#define CALL_ACCOUNT  "account:" /* the audit's name of one begins so */
struct call_identity {
	char name[CALL_NAME_LEN]; /* for the audit */
	uint32_t uid;             /* of a process; not of an account */
	bool is_account;          /* its role is asked (role.h), and the answer is the console's */
	struct role_holder holder;
};
/* The same for an account: 403 when its role may not. */
void handle_call_as(struct context *ctx, struct http_request *r, const struct call_identity *who);
/*
 * POST /v1/bundle on the admin socket: a file of `ctxh bundle out` as it is. Answers as /v1/call
 * does; `result.file` is the return file in hex.
 */
void handle_bundle(struct context *ctx, struct http_request *r);
/*
 * The console (docs/console.md). login and password: pool (Argon2id), writer; call: as
 * handle_call(); the others answer at once.
 */
void handle_console_login(struct context *ctx, struct http_request *r);
void handle_console_password(struct context *ctx, struct http_request *r);
void handle_console_logout(struct context *ctx, struct http_request *r);
void handle_console_me(struct context *ctx, struct http_request *r);
void handle_console_call(struct context *ctx, struct http_request *r);
void handle_console_events(struct context *ctx, struct http_request *r);
void handle_console_unknown(struct context *ctx, struct http_request *r);
void handle_console_page(struct context *ctx, struct http_request *r);
void handle_console_redirect(struct context *ctx, struct http_request *r);
void handle_healthz(struct context *ctx, struct http_request *r);
void handle_readyz(struct context *ctx, struct http_request *r);
void handle_metrics(struct context *ctx, struct http_request *r);

/* A contact turned away, for the sync log. */
struct refused_contact {
	const char *code;     /* lives for ever */
	uint32_t device;      /* what it claimed to be */
	bool is_device_known; /* it proved that with its signature */
	uint64_t counter; /* taken from it: kept in the store, or a restart would take it again */
	uint64_t bytes_in;
	uint64_t bytes_out;
};

/*
 * Leaves a row of the sync log, as long as the address has not used up its lines
 * (limits.refused_*). A contact whose counter was taken leaves one always: only the device itself
 * can make such a request, and each once.
 */
void handle_log_refused(struct context *ctx, const struct http_request *r,
			const struct refused_contact *contact);
/* Lines of the journal that peers can cause again and again: 60 an hour in all. */
bool handle_may_warn(struct context *ctx);

/* After the commit that set a device aside: the next request must not wait for a restart. Loop. */
void handle_set_aside(struct context *ctx, uint32_t number, uint64_t session);

struct public_cache;
struct public_cache *public_cache_new(void);
void public_cache_free(struct public_cache *c);
DEFINE_AUTO(struct public_cache *, public_cache_free)
