/* cmd_import - records of a file as changes of the office. */
#define LOG_TAG "cmd"

#include "admin/commands.h"
#include "admin/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))
#define FILE_MAX_LEN ((size_t)32 << 20)

static const struct listing_column columns[] = {
	{"row", "Dòng", "Row", LISTING_NUMBER, false},
	{"type", "Loại", "Type", LISTING_WORD, false},
	{"id", "Hồ sơ", "Record", LISTING_ID, false},
	{"result", "Kết quả", "Result", LISTING_WORD, false},
	{"field", "Trường", "Field", LISTING_TEXT, false},
	{"code", NULL, NULL, LISTING_TEXT, true},
	{"why", "Vì sao", "Why", LISTING_TEXT, false},
};

/* An array of records, or one alone. */
static int read_records(const char *path, json_t **ret_records)
{
	AUTO(buf_clear) struct buf text = {0};
	json_error_t error;
	json_t *root;
	int code = ctl_read(path, FILE_MAX_LEN, &text);

	if (code != ARGS_EXIT_DONE)
		return code;
	root = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL) {
		ctl_complain("%s: JSON sai ở dòng %d: %s; chưa ghi gì / %s: bad JSON at line %d: "
			     "%s; nothing was written",
			     path, error.line, error.text, path, error.line, error.text);
		return ARGS_EXIT_FAILED;
	}
	*ret_records = json_is_array(root) ? root : json_pack("[o]", root);
	return ARGS_EXIT_DONE;
}

static void print(const struct ctl *ctl, const json_t *done, struct buf *out)
{
	if (ctl->format == TABLE_JSON) {
		ctl_append_json(out, done);
		return;
	}
	listing_print(ctl, columns, COUNT(columns), json_object_get(done, "rows"), out);
	if (ctl->format == TABLE_CSV)
		return;
	buf_printf(
		out,
		"\nMới / new: %lld, sửa / change: %lld, như cũ / same: %lld, không nhận / refused: "
		"%lld\n",
		json_integer_value(json_object_get(done, "new")),
		json_integer_value(json_object_get(done, "change")),
		json_integer_value(json_object_get(done, "same")),
		json_integer_value(json_object_get(done, "refused")));
	if (json_is_null(json_object_get(done, "log")))
		buf_append_str(out, "Chưa ghi gì. / Nothing was written.\n");
}

int cmd_import_accept(void *context, const struct args *args)
{
	const char *path = args_positional(args, 0);
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *done = NULL;
	json_t *records = NULL;
	json_t *call;
	int code = read_records(path, &records);

	if (code != ARGS_EXIT_DONE)
		return code;
	call = json_pack("{s:o, s:s, s:b}", "records", records, "file", path, "dry_run",
			 (int)args_has(args, "dry-run"));
	code = ctl_call(ctl, "import accept", call, CTL_NO_LIMIT, &done);
	if (done == NULL)
		return code;
	print(ctl, done, &out);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
