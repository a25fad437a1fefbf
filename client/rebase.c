#include "client/rebase.h"

enum merge_kind rebase_kind(const struct schema *s, struct bytes type)
{
	const struct schema_type *t = s != NULL ? schema_find_type(s, type) : NULL;

	return t != NULL && t->kind == SCHEMA_EVENT ? MERGE_EVENT : MERGE_REGISTER;
}

/* The office never puts a device's change before the one it sent before it (M7). */
static uint64_t after_own(const struct record *office, uint32_t device)
{
	uint64_t floor = 0;

	for (size_t i = 0; i < office->count; i++) {
		const struct stamp *stamp = &office->fields[i].stamp;

		if (stamp->device == device && stamp->clock >= floor && stamp->clock < INT64_MAX)
			floor = stamp->clock + 1;
	}
	return floor;
}

struct record rebase_body(struct arena *a, enum merge_kind kind, const struct record *office,
			  const struct vault_change *changes, size_t count, uint32_t device)
{
	struct record body = *office;
	uint64_t floor = after_own(office, device);

	for (size_t i = 0; i < count; i++) {
		const struct change *c = &changes[i].change;
		struct stamp stamp = {c->clock, device};

		/* A refused one may be older than what the office took since. */
		if (!changes[i].is_refused && stamp.clock < floor)
			stamp.clock = floor;
		if (!changes[i].is_refused && stamp.clock < INT64_MAX)
			floor = stamp.clock + 1;
		struct merge_result r =
			merge_change(a, kind, body.count != 0 ? &body : NULL, c, stamp, 0);

		body = r.after;
	}
	return body;
}

bool rebase_is_over(const struct vault_record *r, size_t count)
{
	if (count != 0)
		return false;
	return r->is_evicted || r->office.count == 0;
}
