/*
 * admin_changes - changes of records as rows for administrators, restricted values hidden.
 *
 * A hidden row keeps the record's id and says `hidden`; its type, field and values are null.
 */
#pragma once

#include "daemon/admin_call.h"
#include "daemon/history.h"
#include "daemon/units.h"

/*
 * Whether values of this record are to be hidden now. With --reason never, and then the
 * call leaves an audit row naming the record.
 */
enum err admin_hides_record(struct admin_call *call, struct bytes type, const struct id *id,
			    bool *ret_is_hidden);
/* The same for one value of a record that is not hidden as a whole. */
bool admin_hides_value(struct admin_call *call, struct bytes type, const struct id *id,
		       struct bytes field, const struct value *value);

/* One row a field: {number, record, type, author, at, field, old, new, result, …}. `at` is the time
 * that counts, `raw_at` what the device's clock said, `clock_flagged` that this clock was wrong. */
enum err admin_append_changes(struct admin_call *call, const struct history_entry *entry,
			      json_t *rows);
