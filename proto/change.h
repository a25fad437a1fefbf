/*
 * change - one change as it lies inside a change-set. For changeset.c only.
 *
 * A map: 1 type, 2 id, 3 clock, 4 base, 6 writes {name: value}. In a set the author
 * is 5, an index into the set's authors, and the number is the place. Alone (in
 * quarantine, as a draft) they are 7 number and 8 author. 9 is true where the writes were
 * cut out, because the record was erased by law.
 */
#pragma once

#include "proto/changeset.h"
#include "proto/guard.h"
#include "proto/limits.h"
#include "proto/pack.h"
#include "proto/unpack.h"

struct change_authors {
	struct bytes names[LIMIT_AUTHORS];
	size_t count;
};

/* In a set. ERR_TOOBIG: over a limit; ERR_INVAL: a name that is none; through the packer. */
void change_pack(struct packer *p, const struct change *c, struct change_authors *authors);
/* That it was made, and nothing of what it wrote: its record was erased by law. */
void change_pack_cut(struct packer *p, const struct change *c, struct change_authors *authors);

/*
 * Reads one. Never fails: true when it is sound; else *ret_odd says what is wrong and
 * *ret_change has what could be read (struct changeset_odd). `change` and `number`
 * are the caller's.
 */
bool change_read(struct unpacker *u, struct arena *a, struct guard_span span,
		 const struct change_authors *authors, struct change *ret_change,
		 struct changeset_odd *ret_odd);
