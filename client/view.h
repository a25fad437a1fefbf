/* view - a record as people and programs see it: JSON, title, matching. */
#pragma once

#include "client/cmd.h"

/* Appends the JSON object of docs/cli.md, on one line. */
void view_json(struct cmd *c, const struct vault_record *r, struct buf *out);
/* What a list shows of it: its title fields. Into `a`. */
struct bytes view_title(struct cmd *c, struct arena *a, const struct record *r);
/* Vietnamese and English label over a value, line by line, for `show`. */
void view_people(struct cmd *c, const struct vault_record *r, struct buf *out);
