#define LOG_TAG "admin"

#include "daemon/admin_call.h"
#include "daemon/admin_changes.h"
#include "daemon/admin_commands.h"
#include "daemon/admin_names.h"
#include "daemon/admin_scope.h"
#include "daemon/duplicate.h"
#include "daemon/store_admin.h"

#define LISTED       INT64_C(100) /* unless --limit says otherwise */
#define LISTED_LIMIT INT64_C(100000)

/* ---- the list ---- */

static const char *likeness_name(enum match_likeness likeness)
{
	switch (likeness) {
	case MATCH_NONE: return "circle";
	case MATCH_SAME_NAME: return "name";
	case MATCH_SAME_YEAR: return "name_year";
	case MATCH_SAME_BIRTH: return "name_birth";
	case MATCH_SAME_IDENTITY: return "identity_number";
	}
	return "";
}

/* What tells people apart, of one of the two; nothing of a restricted record. */
static enum err put_side(struct admin_call *call, json_t *row, const struct id *id,
			 const char *const keys[4])
{
	struct store_state state = {.record = {.type = BYTES_LIT(MATCH_TYPE), .id = *id}};
	struct value name;
	struct value birth;
	bool is_hidden = true;
	enum err e = store_load_states(call->store, call->arena, &state, 1);

	if (e == ERR_OK)
		e = admin_hides_record(call, state.record.type, id, &is_hidden);
	if (e != ERR_OK)
		return e;
	name = is_hidden ? VALUE_NONE : record_value(&state.record, MATCH_NAME);
	birth = is_hidden ? VALUE_NONE : record_value(&state.record, MATCH_BIRTH);
	json_object_set_new(row, keys[0], admin_json_hex(bytes_of(id->bytes, ID_LEN)));
	json_object_set_new(row, keys[1], admin_json_value(&name));
	json_object_set_new(row, keys[2], admin_json_value(&birth));
	json_object_set_new(row, keys[3], admin_json_unit(call, record_unit(&state.record)));
	if (is_hidden)
		json_object_set_new(row, "hidden", json_true());
	return ERR_OK;
}

/* Both: who sees one of them only would be told of the other. */
static enum err sees_pair(struct admin_call *call, const struct duplicate_pair *pair,
			  bool *ret_sees)
{
	const struct bytes type = BYTES_LIT(MATCH_TYPE);
	enum err e = admin_sees_record(call, type, &pair->one, ret_sees);

	return e == ERR_OK && *ret_sees ? admin_sees_record(call, type, &pair->other, ret_sees) : e;
}

/* Appends the row to the result, unless the caller does not see both: `*ret_row` NULL. */
static enum err append_pair(struct admin_call *call, const struct duplicate_pair *pair,
			    const char *likeness, json_t **ret_row)
{
	static const char *const one[] = {"keep", "keep_name", "keep_birth", "keep_unit"};
	static const char *const other[] = {"other", "other_name", "other_birth", "other_unit"};
	json_t *row = NULL;
	bool sees = true;
	enum err e = sees_pair(call, pair, &sees);

	*ret_row = NULL;
	if (e != ERR_OK || !sees)
		return e;
	row = json_object();
	json_array_append_new(call->result, row);
	json_object_set_new(row, "likeness", json_string(likeness));
	json_object_set_new(row, "across", json_boolean(pair->is_across));
	e = put_side(call, row, &pair->one, one);
	if (e == ERR_OK)
		e = put_side(call, row, &pair->other, other);
	*ret_row = row;
	return e;
}

/* Those that were told apart: the same keys, and by whom and when. */
static enum err list_apart(struct admin_call *call, size_t limit)
{
	struct duplicate_apart *pairs = NULL;
	size_t count = 0;
	enum err e =
		duplicate_list_apart(call->store, call->arena,
				     admin_is_bound(call) ? LISTED_LIMIT : limit, &pairs, &count);

	for (size_t i = 0; e == ERR_OK && i < count && json_array_size(call->result) < limit; i++) {
		json_t *row = NULL;

		e = append_pair(call, &pairs[i].pair, "distinct", &row);
		if (e != ERR_OK || row == NULL)
			continue;
		json_object_set_new(row, "across",
				    json_boolean(!json_equal(json_object_get(row, "keep_unit"),
							     json_object_get(row, "other_unit"))));
		json_object_set_new(row, "decided_by", admin_json_text(pairs[i].who));
		json_object_set_new(row, "decided_at", admin_json_time(pairs[i].at_ms));
	}
	return e;
}

/*
 * {limit?, distinct?, reason?} -> [{keep, other, likeness, across, keep_name, keep_birth,
 * keep_unit, other_name, other_birth, other_unit}]; `keep` was made first. `distinct`: pairs that
 * were told apart, with decided_by and decided_at.
 */
enum err admin_duplicate_list(struct admin_call *call)
{
	struct duplicate_pair *pairs = NULL;
	size_t count = 0;
	int64_t limit = LISTED;
	enum err e = admin_want_int(call, "limit", 1, LISTED_LIMIT, &limit);

	if (e != ERR_OK)
		return e;
	call->result = json_array();
	if (admin_flag(call, "distinct"))
		return list_apart(call, (size_t)limit);
	e = duplicate_list(call->store, call->arena,
			   admin_is_bound(call) ? LISTED_LIMIT : (size_t)limit, &pairs, &count);
	for (size_t i = 0;
	     e == ERR_OK && i < count && json_array_size(call->result) < (size_t)limit; i++) {
		json_t *row;

		e = append_pair(call, &pairs[i], likeness_name(pairs[i].likeness), &row);
	}
	return e;
}

/* ---- decisions ---- */

static enum err fail_for(struct admin_call *call, const struct id *id, const char *vi,
			 const char *en)
{
	char hex[ID_HEX_LEN];

	id_print(id, hex);
	return admin_fail(call, ERR_INVAL,
			  "%s: %s; không có gì thay đổi / %s: %s; nothing was changed", vi, hex, en,
			  hex);
}

static enum err fail_joined(struct admin_call *call, const struct duplicate_done *d)
{
	char which[ID_HEX_LEN];
	char into[ID_HEX_LEN];

	id_print(&d->which, which);
	id_print(&d->into, into);
	return admin_fail(
		call, ERR_CONFLICT,
		"Hồ sơ %s đã nhập vào %s; không có gì thay đổi; muốn khác: “ctxhctl duplicate "
		"split %s” trước / %s is joined to %s already; nothing was changed; to "
		"change that, “ctxhctl duplicate split %s” first",
		which, into, which, which, into, which);
}

static enum err fail_before(struct admin_call *call, const struct duplicate_done *d)
{
	char at[CLOCK_ISO_LEN];

	clock_print_iso(d->at_ms, at);
	return admin_fail(
		call, ERR_CONFLICT,
		"%.*s đã ghi lúc %s rằng đây là hai người; không có gì thay đổi / %.*s said "
		"at %s that these are two; nothing was changed",
		BYTES_FMT(d->who), at, BYTES_FMT(d->who), at);
}

/* Codes alone: the text of a refusal may hold a value. */
static enum err fail_refused(struct admin_call *call, const struct duplicate_done *d)
{
	return admin_fail(call, ERR_INVAL,
			  "Chưa ghi được: %.*s; không có gì thay đổi / it cannot be written: %.*s; "
			  "nothing was changed",
			  BYTES_FMT(d->written.code), BYTES_FMT(d->written.code));
}

static enum err explain(struct admin_call *call, const struct duplicate_done *d)
{
	switch (d->outcome) {
	case DUPLICATE_DONE: return ERR_OK;
	case DUPLICATE_SAME:
		return fail_for(call, &d->which, "Cần hai hồ sơ khác nhau",
				"two different records are needed");
	case DUPLICATE_EVENT:
		return fail_for(call, &d->which,
				"Sự kiện không nhập vào nhau; tại máy của xã hãy “ctxh void”",
				"events are not joined; at the commune: “ctxh void”");
	case DUPLICATE_DELETED:
		return fail_for(
			call, &d->which,
			"Hồ sơ đã xóa, thay đổi nào cũng làm nó hiện lại; tại máy của xã hãy “ctxh "
			"undelete” trước",
			"this record is deleted and any change would bring it back; at the "
			"commune: “ctxh undelete” first");
	case DUPLICATE_JOINED: return fail_joined(call, d);
	case DUPLICATE_CIRCLE:
		return fail_for(
			call, &d->which,
			"Hồ sơ giữ lại lại đang nhập vào hồ sơ kia; hãy “ctxhctl duplicate split” "
			"trước",
			"the one to keep is itself joined to the other; “ctxhctl duplicate "
			"split” it first");
	case DUPLICATE_NOT_JOINED:
		return fail_for(call, &d->which, "Hồ sơ này không nhập vào đâu cả",
				"this record is joined to nothing");
	case DUPLICATE_BEFORE: return fail_before(call, d);
	case DUPLICATE_NOT_APART:
		return fail_for(call, &d->which, "Chưa ai ghi rằng đây là hai người khác nhau",
				"nobody has said that these are two");
	case DUPLICATE_REFUSED: return fail_refused(call, d);
	}
	return ERR_INVAL;
}

static json_t *id_json(const struct id *id)
{
	return admin_json_hex(bytes_of(id->bytes, ID_LEN));
}

static enum err need_two(struct admin_call *call, const char *one, const char *other,
			 struct duplicate_ask *ask)
{
	struct store_found first = {0};
	struct store_found second = {0};
	enum err e = admin_find_record(call, one, &first);

	if (e == ERR_OK)
		e = admin_find_record(call, other, &second);
	if (e != ERR_OK)
		return e;
	if (!bytes_equal(first.type, second.type))
		return fail_for(call, &second.id, "Hai hồ sơ khác loại",
				"the two records are of different types");
	*ask = (struct duplicate_ask){.type = first.type,
				      .one = first.id,
				      .other = second.id,
				      .who = bytes_str(call->caller.name)};
	return ERR_OK;
}

static json_t *log_json(const struct duplicate_done *d)
{
	return json_integer((json_int_t)d->written.log);
}

/* {keep, other} -> {keep, other, into, log}; `into` is what stands for `keep` */
enum err admin_duplicate_join(struct admin_call *call)
{
	struct duplicate_ask ask = {0};
	struct duplicate_done done;
	enum err e = need_two(call, "keep", "other", &ask);

	if (e == ERR_OK)
		e = duplicate_join(call->ctx, call->store, call->arena, &ask, &done);
	if (e == ERR_OK)
		e = explain(call, &done);
	if (e != ERR_OK)
		return e;
	call->result =
		json_pack("{s:o, s:o, s:o, s:o}", "keep", id_json(&ask.one), "other",
			  id_json(&ask.other), "into", id_json(&done.into), "log", log_json(&done));
	admin_note(call, "duplicate join", json_deep_copy(call->result));
	return ERR_OK;
}

/* {record} -> {record, from, log}; `from` is what it was joined to */
enum err admin_duplicate_split(struct admin_call *call)
{
	struct store_found found = {0};
	struct duplicate_ask ask;
	struct duplicate_done done;
	enum err e = admin_find_record(call, "record", &found);

	if (e != ERR_OK)
		return e;
	ask = (struct duplicate_ask){
		.type = found.type, .one = found.id, .who = bytes_str(call->caller.name)};
	e = duplicate_split(call->ctx, call->store, call->arena, &ask, &done);
	if (e == ERR_OK)
		e = explain(call, &done);
	if (e != ERR_OK)
		return e;
	call->result = json_pack("{s:o, s:o, s:o}", "record", id_json(&ask.one), "from",
				 id_json(&done.into), "log", log_json(&done));
	admin_note(call, "duplicate split", json_deep_copy(call->result));
	return ERR_OK;
}

typedef enum err (*apart_fn)(const struct context *ctx, struct store *s, struct arena *a,
			     const struct duplicate_ask *ask, struct duplicate_done *ret_done);

/* {one, other} -> {one, other, decided_by, decided_at}; of reopen: who had told them apart, when */
static enum err apart(struct admin_call *call, apart_fn fn, const char *action)
{
	struct duplicate_ask ask = {0};
	struct duplicate_done done;
	enum err e = need_two(call, "one", "other", &ask);

	if (e == ERR_OK)
		e = fn(call->ctx, call->store, call->arena, &ask, &done);
	if (e == ERR_OK)
		e = explain(call, &done);
	if (e != ERR_OK)
		return e;
	call->result = json_pack("{s:o, s:o, s:o, s:o}", "one", id_json(&ask.one), "other",
				 id_json(&ask.other), "decided_by", admin_json_text(done.who),
				 "decided_at", admin_json_time(done.at_ms));
	admin_note(call, action, json_deep_copy(call->result));
	return ERR_OK;
}

enum err admin_duplicate_distinct(struct admin_call *call)
{
	return apart(call, duplicate_distinct, "duplicate distinct");
}

enum err admin_duplicate_reopen(struct admin_call *call)
{
	return apart(call, duplicate_reopen, "duplicate reopen");
}
