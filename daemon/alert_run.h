/*
 * alert_run - one alert on its way: composed from a snapshot, and sent by the ways that are set.
 *
 * What blocks is here, for a pool thread; when something is sent, again, and noted: alert_sender.h,
 * which owns every run.
 */
#pragma once

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "daemon/alert_print.h"
#include "daemon/context.h"

#define ALERT_ERROR_LEN 400u

enum alert_way {
	ALERT_WAY_FILE,
	ALERT_WAY_MAIL,
	ALERT_WAY_WEBHOOK,
};
#define ALERT_WAYS (ALERT_WAY_WEBHOOK + 1u)
/* "file", "mail", "webhook". */
const char *alert_way_name(enum alert_way way);
bool alert_way_is_on(const struct config_alert *c, enum alert_way way);

enum alert_result {
	ALERT_NOT_TRIED,
	ALERT_SENT,
	ALERT_FAILED
};

struct alert_numbers {
	uint32_t *list; /* ascending */
	size_t count;
};

/* Only the thread whose turn it is touches it. */
struct alert_run {
	struct arena arena;
	const struct config *config;
	struct alert_head head;
	struct alert_facts facts;
	struct alert alert;
	unsigned kinds; /* urgent: which are told, a bit each */
	bool wants[ALERT_WAYS];
	bool is_asked;
	bool has_content; /* else there is nothing to send */
	enum err e;       /* of composing */
	struct buf title;
	struct buf text;
	struct buf json;
	struct buf id;
	struct buf mail;
	struct alert_numbers forked; /* in the arena */
	enum alert_result results[ALERT_WAYS];
	char errors[ALERT_WAYS][ALERT_ERROR_LEN];
};

void alert_run_free(struct alert_run *r);

/*
 * Fills in alert, texts and has_content; r->e when the store could not be read. Of an urgent one
 * only what r->kinds names is left, and devices set aside only when one is not among `told`; a kind
 * that is not told leaves r->kinds.
 */
void alert_run_compose(const struct context *ctx, struct alert_run *r,
		       const struct alert_numbers *told);
/*
 * By every way in r->wants, but for a mail that goes by a program: that is printed and left to
 * child.h. `is_stopping` ends it soon.
 */
void alert_run_send(const struct context *ctx, struct alert_run *r, const atomic_bool *is_stopping);
/* The way failed; `why` is kept as text that may be shown, on one line. */
void alert_run_fail(struct alert_run *r, enum alert_way way, const char *why);
/* The program mail goes by; NULL: it goes by a mail server, or not at all. */
const char *alert_run_program(const struct alert_run *r);
