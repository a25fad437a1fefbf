#include "client/rebase.h"

enum merge_kind rebase_kind(const struct schema *s, struct bytes type)
{
	const struct schema_type *t = s != NULL ? schema_find_type(s, type) : NULL;

	return t != NULL && t->kind == SCHEMA_EVENT ? MERGE_EVENT : MERGE_REGISTER;
}

struct record rebase_body(struct arena *a, enum merge_kind kind, const struct record *office,
			  const struct vault_change *changes, size_t count, uint32_t device)
{
	struct record body = *office;

	for (size_t i = 0; i < count; i++) {
		const struct change *c = &changes[i].change;
		struct stamp stamp = {c->clock, device};
		struct merge_result r =
			merge_change(a, kind, body.count != 0 ? &body : NULL, c, stamp, 0);

		body = r.after;
	}
	return body;
}
