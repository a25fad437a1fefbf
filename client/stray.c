#include "client/stray.h"

static bool may_be(const struct vault *v)
{
	const struct vault_state *state = vault_state(v);

	return state->generation != 0 && state->is_pull_complete != 0;
}

enum err stray_count(struct vault *v, int64_t *ret_count)
{
	*ret_count = 0;
	return may_be(v) ? vault_stray_count(v, ret_count) : ERR_OK;
}

enum err stray_ask(struct vault *v, struct arena *a, struct msg_sync *m)
{
	struct vault_record record;
	struct id *ids = NULL;
	size_t count = 0;
	int64_t total = 0;
	enum err e = stray_count(v, &total);

	if (e != ERR_OK || total == 0)
		return e;
	/* More than one request takes: each goes on where the one before it ended. */
	e = vault_stray_ids(v, a, STRAY_ASK_MAX,
			    vault_state(v)->counter % total * (int64_t)STRAY_ASK_MAX % total, &ids,
			    &count);
	m->strays = arena_alloc_array(a, count, sizeof *m->strays);
	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		e = vault_record_load(v, a, &ids[i], &record);
		if (e == ERR_OK)
			m->strays[m->stray_count++] = (struct msg_stray){record.body.type, ids[i]};
	}
	return e;
}

/* ---- the inbox ---- */

enum err stray_begin_repair(struct vault *v)
{
	enum err e = vault_repair_put(v, vault_state(v)->generation);

	return e == ERR_OK ? stray_settle(v, NULL) : e;
}

static struct bytes words(bool is_of_repair)
{
	return is_of_repair
		       ? BYTES_LIT(
				 "So khớp thấy khác nên máy này đã lấy lại toàn bộ dữ liệu, và văn "
				 "phòng không có hồ sơ này; nó vẫn còn ở máy này. Đây là lỗi phần "
				 "mềm hoặc đĩa: hãy báo văn phòng / comparing found a difference, "
				 "so everything was pulled again, and the office does not have this "
				 "record; it is still here. This is a fault of a program or a disk: "
				 "tell the office")
		       : BYTES_LIT(
				 "Văn phòng được khôi phục từ bản sao lưu và chưa có lại hồ sơ này; "
				 "máy này giữ nó cho đến khi máy đã ghi nó gửi lại / the office "
				 "was restored from a backup and does not have this record again "
				 "yet; it is kept here until the device that made it sends it "
				 "once more");
}

enum err stray_tell(struct vault *v, const struct record *record, int64_t at_ms)
{
	AUTO(arena_clear) struct arena a = {0};
	int64_t repair = -1;
	enum err e = vault_repair_load(v, &a, &repair);

	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;

	const struct vault_notice notice = {
		.kind = BYTES_LIT(STRAY_KIND),
		.type = record->type,
		.id = record->id,
		.at_ms = at_ms,
		.text = words(repair == vault_state(v)->generation),
	};

	return vault_notice_add_own(v, &notice);
}

enum err stray_settle(struct vault *v, const struct id *id)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_notice *notices = NULL;
	size_t count = 0;
	enum err e = vault_notices(v, &a, true, &notices, &count);

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		const struct vault_notice *n = &notices[i];

		if (bytes_is(n->kind, STRAY_KIND) && (id == NULL || id_compare(&n->id, id) == 0))
			e = vault_notice_remove(v, n->notice);
	}
	return e;
}
