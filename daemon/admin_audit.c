#define LOG_TAG "admin"

#include <string.h>

#include "daemon/admin_call.h"
#include "daemon/admin_commands.h"
#include "daemon/store.h"
#include "daemon/store_sql.h"
#include "proto/audit.h"

/* ---- the entries ---- */

static const char query_entries[] =
	"SELECT entry, at, who, what, detail, detail_hash, hash, chain FROM audit ORDER BY entry";

static bool read_hash(struct sql *q, int column, struct hash *ret_hash)
{
	if (sql_blob(q, column).len != HASH_LEN)
		return false;
	memcpy(ret_hash->bytes, sql_blob(q, column).data, HASH_LEN);
	return true;
}

/* One entry as it is stored; false: it is not what was hashed, or not the next of the chain. */
static bool read_entry(struct sql *q, struct audit_chain *chain, struct audit_entry *entry)
{
	struct hash detail;

	*entry = (struct audit_entry){.entry = (uint64_t)sql_int(q, 0),
				      .at_ms = sql_int(q, 1),
				      .who = sql_text(q, 2),
				      .what = sql_text(q, 3)};
	if (!read_hash(q, 5, &entry->detail_hash) || !read_hash(q, 6, &entry->hash) ||
	    !read_hash(q, 7, &entry->chain))
		return false;
	/* Details of an erased record are gone; their hash is not. */
	detail = hash_of(sql_blob(q, 4));
	if (sql_kind(q, 4) != SQL_NULL &&
	    memcmp(detail.bytes, entry->detail_hash.bytes, HASH_LEN) != 0)
		return false;
	return audit_chain_take(chain, entry);
}

static json_t *hash_json(const struct hash *hash)
{
	return admin_json_hex(bytes_of(hash->bytes, HASH_LEN));
}

static json_t *entry_json(const struct audit_entry *entry)
{
	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "entry", (json_int_t)entry->entry,
			 "at_ms", (json_int_t)entry->at_ms, "who",
			 json_stringn((const char *)entry->who.data, entry->who.len), "what",
			 json_stringn((const char *)entry->what.data, entry->what.len),
			 "detail_hash", hash_json(&entry->detail_hash), "hash",
			 hash_json(&entry->hash), "chain", hash_json(&entry->chain));
}

/* Appends them to `to`, when it is not NULL; *ret_pinned: the chain after entry `pin`. */
static enum err walk(struct admin_call *call, struct audit_chain *chain, json_t *to, uint64_t pin,
		     struct hash *ret_pinned)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(call->store, query_entries, &q);

	while (e == ERR_OK && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		struct audit_entry entry;

		if (!read_entry(q, chain, &entry))
			return admin_fail(
				call, ERR_CONFLICT,
				"Dòng vết số %llu không đúng như đã ghi, hoặc chuỗi đứt ở đó; "
				"đừng sửa gì, hãy giữ nguyên thư mục và báo người phát triển / "
				"audit entry %llu is not what was written, or the chain is "
				"broken there; change nothing, keep the folder, call the "
				"developers",
				(unsigned long long)entry.entry, (unsigned long long)entry.entry);
		if (entry.entry == pin)
			*ret_pinned = entry.chain;
		if (to != NULL)
			json_array_append_new(to, entry_json(&entry));
	}
	return e;
}

/* ---- commands ---- */

static enum err put_devices(struct admin_call *call, struct audit_checkpoint *c, json_t *to)
{
	struct store_device *devices = NULL;
	size_t count = 0;
	enum err e = store_load_devices(call->store, call->arena, &devices, &count);

	c->heads = arena_alloc_array(call->arena, count, sizeof *c->heads);
	c->head_count = e == ERR_OK ? count : 0;
	for (size_t i = 0; i < c->head_count; i++) {
		c->heads[i] = (struct audit_head){devices[i].id.number, devices[i].last_number,
						  devices[i].chain};
		json_array_append_new(to, json_pack("{s:I, s:I, s:o}", "device",
						    (json_int_t)devices[i].id.number, "number",
						    (json_int_t)devices[i].last_number, "chain",
						    hash_json(&devices[i].chain)));
	}
	return e;
}

/*
 * {} -> the checkpoint: {version, daemon, at_ms, log, entries, chain, devices: [{device, number,
 * chain}], key, signature, audit: [{entry, at_ms, who, what, detail_hash, hash, chain}]}. It pins
 * the audit, and by the chain head of each device every change-set.
 */
enum err admin_audit_checkpoint(struct admin_call *call)
{
	struct audit_checkpoint c = {.daemon = call->ctx->daemon,
				     .at_ms = clock_wall_ms(call->ctx->clock)};
	struct hash pinned = {0};
	json_t *entries = json_array();
	json_t *devices = json_array();
	enum err e;

	call->result = json_object();
	json_object_set_new(call->result, "audit", entries);
	json_object_set_new(call->result, "devices", devices);
	e = walk(call, &c.chain, entries, 0, &pinned);
	if (e == ERR_OK)
		e = store_last_log(call->store, &c.log);
	if (e == ERR_OK)
		e = put_devices(call, &c, devices);
	if (e != ERR_OK)
		return e;
	struct signature signature = audit_checkpoint_sign(&c, &call->ctx->key);

	json_object_set_new(call->result, "version", json_integer(1));
	json_object_set_new(call->result, "daemon",
			    admin_json_hex(bytes_of(c.daemon.bytes, ID_LEN)));
	json_object_set_new(call->result, "at_ms", json_integer((json_int_t)c.at_ms));
	json_object_set_new(call->result, "log", json_integer((json_int_t)c.log));
	json_object_set_new(call->result, "entries", json_integer((json_int_t)c.chain.entries));
	json_object_set_new(call->result, "chain", hash_json(&c.chain.head));
	json_object_set_new(
		call->result, "key",
		admin_json_hex(bytes_of(call->ctx->key.public_key.bytes, SIGN_PUBLIC_LEN)));
	json_object_set_new(call->result, "signature",
			    admin_json_hex(bytes_of(signature.bytes, SIGN_LEN)));
	return ERR_OK;
}

/* {entry?} -> {entries, chain, pinned?}: `pinned` is the chain after `entry`, null: there is none.
 */
enum err admin_audit_verify(struct admin_call *call)
{
	struct audit_chain chain = {0};
	struct hash pinned = {0};
	int64_t pin = 0;
	enum err e = admin_want_int(call, "entry", 1, INT64_MAX, &pin);

	if (e == ERR_OK)
		e = walk(call, &chain, NULL, (uint64_t)pin, &pinned);
	if (e != ERR_OK)
		return e;
	call->result = json_pack("{s:I, s:o}", "entries", (json_int_t)chain.entries, "chain",
				 hash_json(&chain.head));
	if (pin != 0)
		json_object_set_new(call->result, "pinned",
				    (uint64_t)pin <= chain.entries ? hash_json(&pinned)
								   : json_null());
	return ERR_OK;
}
