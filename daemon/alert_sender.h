/*
 * alert_sender - sends what alert.h collects: once a day, and what is urgent at once.
 *
 *   pool    compose   what there is to tell, from one snapshot
 *   pool    send      the file, the webhook, the mail server
 *   loop    send      the mail, through a sendmail program
 *   writer  note      what went out, so that a restart does not send it again
 *
 * Daily: by every way that is set (file, mail, webhook), from config_alert.hour on; a way that
 * fails is tried again later and later, ALERT_TRIES_MAX times in a row, and then the next day. What
 * went out is noted behind it, so a kill between the two sends that alert again, with the same id:
 * none is lost for the sake of none being doubled. Urgent: a backup that failed, a disk nearly
 * full, a device set aside; each kind not again before config_alert.urgent_every, and each device
 * once.
 *
 * Nothing here holds up anybody, and no failure of it is one of the daemon's: it is in the journal,
 * the metrics, `health`, and the next alert. Thread: loop, but for what says otherwise.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/attr.h"
#include "common/base/err.h"
#include "daemon/alert_run.h"

#define ALERT_TRIES_MAX 10u /* over seven hours */

struct alert_sender;
struct context;
struct store;

struct alert_sender *alert_sender_new(struct context *ctx);
void alert_sender_free(struct alert_sender *s);
DEFINE_AUTO(struct alert_sender *, alert_sender_free)

/* Before the writer starts: what went out before. */
enum err alert_sender_remember(struct alert_sender *s, struct store *store);
/* Every second: begins what is due. */
void alert_sender_tick(struct alert_sender *s);
/*
 * Sends one now by every way, whatever went out before: its number. 0: too many were asked for
 * already. Look until `ended` has reached it.
 */
uint64_t alert_sender_ask(struct alert_sender *s, enum alert_sort sort);
/* The one under way ends soon; none begins any more. */
void alert_sender_stop(struct alert_sender *s);

struct alert_way_state {
	bool is_on;
	int64_t day;                 /* of the daily alert that went out last; 0: none so far */
	int64_t at_ms;               /* when that was; 0: never */
	unsigned tries;              /* that failed in a row */
	char error[ALERT_ERROR_LEN]; /* of the last try; "": it went well */
	enum alert_result asked;     /* of the latest one asked for that ended */
};

struct alert_sender_state {
	uint64_t asked;
	uint64_t ended;
	struct alert_way_state ways[ALERT_WAYS];
};
/* Any thread. */
void alert_sender_look(struct alert_sender *s, struct alert_sender_state *ret_state);

/* Any thread: what alert_collect() is to know besides the store; in `a`. */
void alert_sender_facts(const struct context *ctx, struct arena *a, struct alert_facts *ret_facts);
