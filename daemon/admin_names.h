/*
 * admin_names - what administrators' listings say of units, devices and times, and what
 * they must not say: restricted values.
 *
 * A record is hidden when its type is restricted or a code in it is; a field when it is
 * restricted itself. With a reason given (audited) nothing is hidden.
 */
#pragma once

#include "common/model/record.h"
#include "daemon/admin_call.h"
#include "daemon/board.h"
#include "daemon/store.h"

/* A device that has not been heard of for this long is "stale", like its commune. */
#define ADMIN_STALE_MS BOARD_STALE_MS

/* The code of a unit today, or as it was last (CODE@DATE when another bears it now); null when
 * there is no such unit. */
json_t *admin_json_unit(struct admin_call *call, int64_t unit);
json_t *admin_json_unit_name(struct admin_call *call, int64_t unit);
/* The unit a code means today, or meant last. ERR_NOTFOUND with call->error. */
struct unit_row;
enum err admin_find_unit(struct admin_call *call, struct bytes code, struct unit_row *ret_row);
/* The same of the argument `unit`; where there is none *ret_unit stays as it is. */
enum err admin_want_unit(struct admin_call *call, int64_t *ret_unit);
/* The record an argument names by its id or the first digits of it. ERR_NOTFOUND, ERR_CONFLICT
 * (several), with call->error. */
struct store_found;
enum err admin_find_record(struct admin_call *call, const char *name,
			   struct store_found *ret_found);
/* What a field holds; a unit by its code. */
json_t *admin_json_field(struct admin_call *call, struct bytes type, struct bytes field,
			 const struct value *value);
/* Codes of the units a device was given. */
enum err admin_device_units(struct admin_call *call, uint32_t device, json_t **ret_codes);

/* A row of the sync log, with the keys of `log`. */
struct session_row;
json_t *admin_json_session(struct admin_call *call, const struct session_row *s);

/* A row of `device list`: admin_device_list.c. */
json_t *admin_json_device(struct admin_call *call, const struct store_device *d,
			  json_t *take_units);

/* "active", "stale", "never", "forked", "revoked". */
const char *admin_device_state(const struct admin_call *call, const struct store_device *d);

/* The record as stored is restricted, or its type is (also when it is not stored yet). */
enum err admin_is_restricted(struct admin_call *call, struct bytes type, const struct id *id,
			     bool *ret_is_restricted);
/* The field of the type, or the value in it. `record_restricted`: as above. */
bool admin_is_value_restricted(const struct admin_call *call, struct bytes type, struct bytes field,
			       const struct value *value);

/* "2026-11-22T02:12:59.123Z" of an effective clock, and its device and counter. */
json_t *admin_json_stamp(const struct stamp *stamp);
