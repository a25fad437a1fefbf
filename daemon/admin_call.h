/*
 * admin_call - what the handlers behind admin.h share: reading arguments, failing
 * with words for people, noting the audit, values as JSON.
 *
 * Only daemon/admin_*.c and report*.c include it. Thread: the call's.
 */
#pragma once

#include "common/model/value.h"
#include "daemon/admin.h"

/*
 * Sets call->error unless it is set already, and returns `e`. The text says what
 * happened, what was kept, what to do; Vietnamese, then " / ", then English.
 */
enum err admin_fail(struct admin_call *call, enum err e, const char *fmt, ...) PRINTF(3, 4);

/*
 * The same for an argument that is not what it must be, whatever the store holds: ERR_INVAL and
 * call->is_misuse.
 */
enum err admin_misuse(struct admin_call *call, const char *fmt, ...) PRINTF(2, 3);

/*
 * Arguments. ERR_INVAL by admin_misuse() when one is missing, of the wrong kind or
 * out of its range. Text is NFC as given, borrowed from call->args.
 */
bool admin_has(const struct admin_call *call, const char *name);
bool admin_flag(const struct admin_call *call, const char *name);
enum err admin_need_text(struct admin_call *call, const char *name, struct bytes *ret_text);
/* Empty when absent. */
enum err admin_want_text(struct admin_call *call, const char *name, struct bytes *ret_text);
enum err admin_need_int(struct admin_call *call, const char *name, int64_t min, int64_t max,
			int64_t *ret_number);
/* `*ret_number` stays as it was when absent. */
enum err admin_want_int(struct admin_call *call, const char *name, int64_t min, int64_t max,
			int64_t *ret_number);

#define ADMIN_DATE_LEN 11u
/* "2026-11-22" or "22/11/2026" -> "2026-11-22". */
enum err admin_need_date(struct admin_call *call, const char *name, char ret_date[ADMIN_DATE_LEN]);
/* "" when absent. */
enum err admin_want_date(struct admin_call *call, const char *name, char ret_date[ADMIN_DATE_LEN]);
/* Today in Viet Nam, where a "day" of this programme is. */
void admin_today(const struct admin_call *call, char ret_date[ADMIN_DATE_LEN]);
/*
 * A moment: ISO 8601, or a date alone, which is the start of that day in Viet Nam (with
 * `is_end`: the start of the next). `*ret_ms` stays as it was when absent.
 */
enum err admin_want_time(struct admin_call *call, const char *name, bool is_end, int64_t *ret_ms);
/* A record id, or a prefix of 8 or more hex digits: `*ret_from` and `*ret_to` are the first and
 * last id it can mean. */
enum err admin_need_id(struct admin_call *call, const char *name, struct id *ret_from,
		       struct id *ret_to);

/* The call leaves this audit row. Takes `take_detail` (may be NULL). */
void admin_note(struct admin_call *call, const char *action, json_t *take_detail);
/* Writes that row. Writer, inside the transaction. */
enum err admin_leave_audit(struct admin_call *call);
/*
 * The caller gave --reason: restricted values may be shown. Notes `action` with the reason and
 * an empty list `records`, which the caller of this function fills.
 */
bool admin_is_cleared(struct admin_call *call, const char *action);

/* `started_at` of this daemon: numbers of runs count from there. */
void admin_put_started(struct admin_call *call);
/* JSON of a thing; null for empty text, time 0, NULL values. Caller owns. */
json_t *admin_json_text(struct bytes text);
json_t *admin_json_time(int64_t wall_ms);
json_t *admin_json_hex(struct bytes bytes);
/* What a field holds: references as hex ids. */
json_t *admin_json_value(const struct value *v);
