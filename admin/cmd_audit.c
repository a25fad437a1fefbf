/* cmd_audit - the audit's chain: verified here and offline, and pinned by a signed checkpoint. */
#define LOG_TAG "cmd"

#include <string.h>

#include "admin/commands.h"
#include "admin/listing.h"
#include "common/base/arena.h"
#include "proto/audit.h"

#define COUNT(array)   (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO      __attribute__((cleanup(ctl_json_release_auto)))
#define CHECKPOINT_MAX ((size_t)256 << 20)
#define SET_MOST       1000000u

/* ---- checkpoint ---- */

int cmd_audit_checkpoint(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	int code = ctl_call(ctl, "audit checkpoint", NULL, CTL_NO_LIMIT, &result);

	if (result == NULL)
		return code;
	ctl_append_json(&out, result);
	return ctl_write(args_value(args, "output", NULL), &out);
}

/* ---- verify, offline ---- */

static bool read_hex(const json_t *object, const char *key, uint8_t *ret_bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	const char *text = json_string_value(json_object_get(object, key));

	if (text == NULL || strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		const char *high = strchr(digits, text[2 * i]);
		const char *low = strchr(digits, text[2 * i + 1]);

		if (high == NULL || low == NULL)
			return false;
		ret_bytes[i] = (uint8_t)((high - digits) << 4 | (low - digits));
	}
	return true;
}

static struct bytes text_of(const json_t *object, const char *key)
{
	const json_t *text = json_object_get(object, key);

	return bytes_of(json_string_value(text), json_string_length(text));
}

static uint64_t number_of(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

/* Every entry of the file, chained from the first on. */
static bool read_chain(const json_t *list, struct audit_chain *chain)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *j = json_array_get(list, i);
		struct audit_entry entry = {.entry = number_of(j, "entry"),
					    .at_ms = (int64_t)number_of(j, "at_ms"),
					    .who = text_of(j, "who"),
					    .what = text_of(j, "what")};

		if (!read_hex(j, "detail_hash", entry.detail_hash.bytes, HASH_LEN) ||
		    !read_hex(j, "hash", entry.hash.bytes, HASH_LEN) ||
		    !read_hex(j, "chain", entry.chain.bytes, HASH_LEN) ||
		    !audit_chain_take(chain, &entry))
			return false;
	}
	return true;
}

static bool read_heads(struct arena *a, const json_t *list, struct audit_checkpoint *c)
{
	c->head_count = json_array_size(list);
	if (c->head_count > SET_MOST)
		return false;
	c->heads = arena_alloc_array(a, c->head_count, sizeof *c->heads);
	for (size_t i = 0; i < c->head_count; i++) {
		const json_t *j = json_array_get(list, i);

		c->heads[i].device = (uint32_t)number_of(j, "device");
		c->heads[i].number = number_of(j, "number");
		if (!read_hex(j, "chain", c->heads[i].chain.bytes, HASH_LEN))
			return false;
	}
	return true;
}

static bool is_sound(const json_t *file, struct audit_checkpoint *c)
{
	AUTO(arena_clear) struct arena a = {0};
	struct sign_public key;
	struct signature signature;
	struct hash chain;

	c->at_ms = (int64_t)number_of(file, "at_ms");
	c->log = number_of(file, "log");
	return number_of(file, "version") == 1 &&
	       read_hex(file, "daemon", c->daemon.bytes, ID_LEN) &&
	       read_hex(file, "key", key.bytes, SIGN_PUBLIC_LEN) &&
	       read_hex(file, "signature", signature.bytes, SIGN_LEN) &&
	       read_hex(file, "chain", chain.bytes, HASH_LEN) &&
	       read_chain(json_object_get(file, "audit"), &c->chain) &&
	       number_of(file, "entries") == c->chain.entries &&
	       memcmp(chain.bytes, c->chain.head.bytes, HASH_LEN) == 0 &&
	       read_heads(&a, json_object_get(file, "devices"), c) &&
	       audit_checkpoint_is_signed(c, &key, &signature);
}

static const struct listing_column columns[] = {
	{"entries", "Số dòng vết", "Entries", LISTING_TEXT, false},
	{"chain", "Đầu chuỗi", "Chain head", LISTING_TEXT, false},
	{"key", "Khóa của máy chủ", "The daemon's key", LISTING_TEXT, false},
	{"log", "Số nhật ký", "Log number", LISTING_TEXT, false},
	{"continues", "Máy chủ nối tiếp đúng chuỗi này", "The daemon continues this chain",
	 LISTING_TEXT, false},
};

/* Only a file has a key and a log number, and only where a daemon is named it was asked too:
 * columns that do not apply are the last ones, and are left out. */
static int print_verified(const struct ctl *ctl, const json_t *result)
{
	AUTO(buf_clear) struct buf out = {0};
	size_t count = COUNT(columns);

	while (count > 0 && json_object_get(result, columns[count - 1].key) == NULL)
		count--;
	listing_print_object(ctl, columns, count, result, &out);
	return ctl_print(&out);
}

/* Whether the daemon's chain passes through the file's head; only asked where one is named. */
static int ask_daemon(const struct ctl *ctl, const struct audit_checkpoint *c, json_t *result)
{
	JSON_AUTO json_t *answer = NULL;
	struct hash pinned = {0};
	bool is_same;
	int code = ctl_call(ctl, "audit verify",
			    json_pack("{s:I}", "entry", (json_int_t)c->chain.entries), CTL_NO_LIMIT,
			    &answer);

	if (answer == NULL)
		return code;
	is_same = read_hex(answer, "pinned", pinned.bytes, HASH_LEN) &&
		  memcmp(pinned.bytes, c->chain.head.bytes, HASH_LEN) == 0;
	json_object_set_new(result, "continues", json_boolean(is_same));
	if (is_same)
		return ARGS_EXIT_DONE;
	ctl_complain(
		"vết của máy chủ không còn là vết trong tệp này: đã bị viết lại, hoặc máy chủ đã "
		"được khôi phục từ bản cũ hơn / the daemon's audit is no longer the one in this "
		"file: it was rewritten, or restored from an older backup");
	return ARGS_EXIT_FAILED;
}

static int verify_file(const struct ctl *ctl, const struct args *args, const char *path)
{
	AUTO(buf_clear) struct buf text = {0};
	JSON_AUTO json_t *file = NULL;
	JSON_AUTO json_t *result = NULL;
	struct audit_checkpoint c = {0};
	int code = ctl_read(path, CHECKPOINT_MAX, &text);

	if (code != ARGS_EXIT_DONE)
		return code;
	file = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
	if (file == NULL || !is_sound(file, &c)) {
		ctl_complain(
			"tệp không phải mốc của vết, hoặc đã bị sửa / the file is no checkpoint "
			"of an audit, or was altered");
		return ARGS_EXIT_FAILED;
	}
	result = json_pack("{s:I, s:O, s:O, s:I}", "entries", (json_int_t)c.chain.entries, "chain",
			   json_object_get(file, "chain"), "key", json_object_get(file, "key"),
			   "log", (json_int_t)c.log);
	if (args_has(args, "socket") && c.chain.entries != 0)
		code = ask_daemon(ctl, &c, result);
	return print_verified(ctl, result) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

int cmd_audit_verify(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	JSON_AUTO json_t *result = NULL;
	int code;

	if (args->positional_count != 0)
		return verify_file(ctl, args, args->positionals[0]);
	code = ctl_call(ctl, "audit verify", NULL, CTL_NO_LIMIT, &result);
	if (result == NULL)
		return code;
	return print_verified(ctl, result) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
