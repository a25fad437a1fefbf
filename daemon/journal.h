/*
 * journal - the fields a log line has besides its text, for `journalctl CTXH_DEVICE=12`.
 *
 * Lines are `key=value` pairs of ids, counts and codes already (common/base/log.h), so the fields
 * are read out of them: session, device, unit, result, error. Pure.
 */
#pragma once

#include <stddef.h>

#include "common/base/bytes.h"

#define JOURNAL_FIELDS_MAX 5u

struct journal_field {
	const char *name;   /* "CTXH_DEVICE" */
	struct bytes value; /* borrows from the line */
};

/*
 * The fields of a line, each once: the first that says it counts, so what a quoted detail repeats
 * of a peer's words cannot take its place. Returns how many.
 */
size_t journal_fields(const char *line, struct journal_field ret_fields[JOURNAL_FIELDS_MAX]);
