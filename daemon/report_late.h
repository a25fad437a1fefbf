/*
 * report_late - what came after a report was frozen and belongs into it.
 *
 * A record is late when a write that counts came after the frozen log number, it is in the units of
 * the report, and it may count in the period: an event one of whose dates lies in it, a register
 * whose earliest date is not behind it; without any date both may. Found by unit and log number.
 * What it changes is not guessed: the report is run again now and compared, figure by figure. On a
 * reading connection, inside the caller's transaction. Thread: the store's.
 */
#pragma once

#include <jansson.h>

#include "daemon/frozen.h"

/*
 * `frozen_json`: the JSON document of `row`. Gives {frozen, id, log, as_of, schema_changed, units:
 * [{unit, name, records, changes, left, erased, first_log, last_log}], figures: [{indicator,
 * indicator_label, percent, code, label, label_en, unit, figure, old, new}]}. `changes`:
 * change-sets that named the records, one counted for each record; `left`: records that are in none
 * of the report's units any more; `old`, `new`: null when the row was not there. Small counts stay
 * "<5" on both sides. Errors of report_run(); ERR_CONFLICT: `frozen_json` is no report. The caller
 * releases the result.
 */
enum err report_late(struct store *reader, struct arena *a, const struct frozen *row,
		     struct bytes frozen_json, int64_t now_ms, json_t **ret_late);
