#include "daemon/quarantine.h"

#include "daemon/store.h"

enum err quarantine_decide(struct store *s, const struct quarantine_row *row,
			   const struct quarantine_decision *decision)
{
	struct notice_row notice = {.device = row->device,
				    .kind = BYTES_LIT("decided"),
				    .type = row->type,
				    .id = row->id,
				    .field = row->field,
				    .by = decision->by,
				    .at_ms = decision->at_ms,
				    .text = decision->text,
				    .number = row->number};
	enum err e = store_set_quarantine_state(s, row->quarantine, decision->state, decision->why);

	return e == ERR_OK ? store_notify(s, &notice) : e;
}
