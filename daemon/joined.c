#include "daemon/joined.h"

#include <string.h>

#include "common/model/record.h"

/* One step; *ret_is_end: `id` is joined to nothing. */
static enum err step(struct store *s, struct arena *a, struct bytes type, struct id *id,
		     bool *ret_is_end)
{
	struct store_state state = {.record = {.type = type, .id = *id}};
	enum err e = store_load_states(s, a, &state, 1);
	struct value to;

	if (e != ERR_OK)
		return e;
	to = record_value(&state.record, RECORD_MERGED_INTO);
	*ret_is_end = to.kind != VALUE_BYTES || to.bytes.len != ID_LEN;
	if (!*ret_is_end)
		memcpy(id->bytes, to.bytes.data, ID_LEN);
	return ERR_OK;
}

enum err joined_find(struct store *s, struct arena *a, struct bytes type, const struct id *id,
		     struct joined *ret_joined)
{
	struct joined joined = {.id = *id};
	bool is_end = false;
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && !is_end && i < JOINED_STEPS; i++)
		e = step(s, a, type, &joined.id, &is_end);
	if (e != ERR_OK)
		return e;
	if (!is_end)
		joined = (struct joined){.id = *id, .is_circle = true};
	*ret_joined = joined;
	return ERR_OK;
}

enum err joined_may_lead(struct store *s, struct arena *a, struct bytes type, const struct id *id,
			 const struct id *to, bool *ret_may)
{
	struct id at = *to;
	bool is_end = false;
	enum err e = ERR_OK;

	*ret_may = id_compare(id, to) != 0;
	for (size_t i = 0; e == ERR_OK && *ret_may && !is_end && i < JOINED_STEPS; i++) {
		e = step(s, a, type, &at, &is_end);
		*ret_may = is_end || id_compare(id, &at) != 0;
	}
	*ret_may = *ret_may && is_end;
	return e;
}
