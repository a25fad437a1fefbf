#include "client/restore.h"

bool restore_has_value(const struct vault_notice *n)
{
	return bytes_is(n->kind, "conflict") || (bytes_is(n->kind, "digest") && n->field.len != 0);
}

static enum err look(const struct entry_context *ctx, struct arena *a, const struct vault_notice *n,
		     enum restore_outcome *ret_outcome)
{
	const struct schema_type *type = schema_find_type(ctx->schema, n->type);
	struct vault_record record;
	enum err e;

	*ret_outcome = RESTORE_NO_CONFLICT;
	if (!restore_has_value(n))
		return ERR_OK;
	*ret_outcome = RESTORE_BEFORE;
	if (n->state == VAULT_NOTICE_RESTORED)
		return ERR_OK;
	e = vault_record_load(ctx->vault, a, &n->id, &record);
	*ret_outcome = RESTORE_GONE;
	if (e == ERR_NOTFOUND || (e == ERR_OK && record.is_evicted))
		return ERR_OK;
	*ret_outcome = RESTORE_TYPE;
	if (e != ERR_OK || type == NULL)
		return e;
	*ret_outcome = RESTORE_DONE;
	if (type->kind == SCHEMA_EVENT && !record_is_system_field(n->field))
		*ret_outcome = RESTORE_EVENT;
	return ERR_OK;
}

enum err restore_notice(const struct entry_context *ctx, struct arena *a, int64_t notice,
			enum restore_outcome *ret_outcome, struct finding *ret_finding)
{
	struct vault_notice n;
	struct write write;
	struct change change;
	enum entry_outcome made = ENTRY_SAME;
	enum err e = vault_notice_load(ctx->vault, a, notice, &n);

	if (e == ERR_OK)
		e = look(ctx, a, &n, ret_outcome);
	if (e != ERR_OK || *ret_outcome != RESTORE_DONE)
		return e;
	write = (struct write){.name = n.field, .value = n.lost};
	change = (struct change){.type = n.type, .id = n.id, .writes = &write, .count = 1};
	e = entry_make(ctx, &change, &made, ret_finding);
	if (e != ERR_OK)
		return e;
	if (made == ENTRY_SAME)
		*ret_outcome = RESTORE_STANDS;
	return vault_notice_mark_restored(ctx->vault, notice);
}
