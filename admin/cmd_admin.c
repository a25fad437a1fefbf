/* cmd_admin - status, verify, missing, audit, query: how the whole stands. */
#define LOG_TAG "cmd"

#include <string.h>

#include "admin/commands.h"
#include "admin/labels.h"
#include "admin/listing.h"
#include "common/model/vntext.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))
#define NAME_WIDTH   36u

/* `labels` NULL: the keys are words of labels.h, not types. */
static void append_named(struct buf *out, const char *label, json_t *counts,
			 const struct labels *labels)
{
	const char *key;
	json_t *value;

	buf_printf(out, "%s:\n", label);
	json_object_foreach(counts, key, value)
	{
		const char *name = labels != NULL ? labels_type(labels, key) : labels_word(key);
		const size_t width = vntext_width(bytes_str(name));

		buf_printf(out, "  %s%*s ", name,
			   width < NAME_WIDTH ? (int)(NAME_WIDTH - width) : 0, "");
		listing_append_value(out, value, LISTING_TEXT);
		buf_append_str(out, "\n");
	}
}

static const struct listing_column status_columns[] = {
	{"version", "Phiên bản", "Version", LISTING_TEXT, false},
	{"daemon", "Máy chủ", "Daemon", LISTING_WHOLE_ID, false},
	{"epoch", "Kỷ nguyên", "Epoch", LISTING_WHOLE_ID, false},
	{"address", "Địa chỉ", "Address", LISTING_TEXT, false},
	{"started_at", "Chạy từ", "Started", LISTING_TIME, false},
	{"schema_version", "Lược đồ", "Schema", LISTING_TEXT, false},
	{"log", "Số nhật ký", "Log number", LISTING_TEXT, false},
	{"devices", "Thiết bị", "Devices", LISTING_TEXT, false},
	{"last_backup", "Sao lưu cuối", "Last backup", LISTING_TIME, false},
	{"quarantine", "Đang bị giữ lại", "In quarantine", LISTING_TEXT, false},
	{"conflicts", "Xung đột chưa quyết định", "Conflicts open", LISTING_TEXT, false},
};

int cmd_status(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(labels_clear) struct labels labels = {0};
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	int code = ctl_call(ctl, "status", NULL, CTL_TIMEOUT_MS, &result);

	(void)args;
	if (result == NULL)
		return code;
	listing_print_object(ctl, status_columns, COUNT(status_columns), result, &out);
	if (ctl->format == TABLE_TABLE) {
		append_named(&out, "Thiết bị theo tình trạng / Devices by state",
			     json_object_get(result, "device_states"), NULL);
		append_named(&out, "Xã theo lần liên lạc cuối / Communes by last contact",
			     json_object_get(result, "communes"), NULL);
		labels_ask(ctl, &labels);
		append_named(&out, "Hồ sơ / Records", json_object_get(result, "records"), &labels);
	}
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

static const struct listing_column health_columns[] = {
	{"at", "Lúc", "At", LISTING_TIME, false},
	{"started_at", "Chạy từ", "Started", LISTING_TIME, false},
	{"ready", "Sẵn sàng", "Ready", LISTING_TEXT, false},
	{"disk_low", "Đĩa sắp đầy", "Disk low", LISTING_TEXT, false},
};

static const struct listing_column metric_columns[] = {
	{"metric", "Chỉ số", "Metric", LISTING_WORD, false},
	{"value", "Giá trị", "Value", LISTING_NUMBER, false},
};

int cmd_health(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	JSON_AUTO json_t *rows = json_array();
	const char *name;
	json_t *value;
	int code = ctl_call(ctl, "health", NULL, CTL_TIMEOUT_MS, &result);

	(void)args;
	if (result == NULL)
		return code;
	json_object_foreach(json_object_get(result, "metrics"), name, value) json_array_append_new(
		rows, json_pack("{s:s, s:O}", "metric", name, "value", value));
	if (ctl->format != TABLE_CSV)
		listing_print_object(ctl, health_columns, COUNT(health_columns), result, &out);
	if (ctl->format == TABLE_TABLE)
		buf_append_str(&out, "\n");
	if (ctl->format != TABLE_JSON)
		listing_print(ctl, metric_columns, COUNT(metric_columns), rows, &out);
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

static const struct listing_column difference_columns[] = {
	{"invariant", "Bất biến", "Invariant", LISTING_TEXT, false},
	{"table", "Bảng", "Table", LISTING_TEXT, false},
	{"key", "Khóa", "Key", LISTING_TEXT, false},
	{"text", "Khác biệt", "Difference", LISTING_TEXT, false},
};

int cmd_verify(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	const json_t *differences;
	int code = ctl_call(ctl, "verify", NULL, CTL_NO_LIMIT, &result);

	(void)args;
	if (result == NULL)
		return code;
	differences = json_object_get(result, "differences");
	if (ctl->format == TABLE_JSON)
		ctl_append_json(&out, result);
	else if (ctl->format == TABLE_CSV || json_array_size(differences) != 0)
		listing_print(ctl, difference_columns, COUNT(difference_columns), differences,
			      &out);
	if (ctl->format == TABLE_TABLE)
		buf_printf(&out,
			   "Đến số nhật ký %lld: %lld gói, %lld thay đổi, %lld hồ sơ, %lld bất "
			   "biến; %lld khác biệt\n"
			   "Up to log number %lld: %lld change-sets, %lld changes, %lld records, "
			   "%lld invariants; %lld differences\n",
			   json_integer_value(json_object_get(result, "log")),
			   json_integer_value(json_object_get(result, "changesets")),
			   json_integer_value(json_object_get(result, "changes")),
			   json_integer_value(json_object_get(result, "records")),
			   json_integer_value(json_object_get(result, "invariants")),
			   json_integer_value(json_object_get(result, "found")),
			   json_integer_value(json_object_get(result, "log")),
			   json_integer_value(json_object_get(result, "changesets")),
			   json_integer_value(json_object_get(result, "changes")),
			   json_integer_value(json_object_get(result, "records")),
			   json_integer_value(json_object_get(result, "invariants")),
			   json_integer_value(json_object_get(result, "found")));
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}

static const struct listing_column missing_columns[] = {
	{"device", "Máy", "Dev", LISTING_NUMBER, false},
	{"name", "Tên", "Name", LISTING_TEXT, false},
	{"units", "Đơn vị", "Units", LISTING_TEXT, false},
	{"held", "Đã có", "Held", LISTING_TEXT, false},
	{"missing", "Còn thiếu", "Missing", LISTING_TEXT, false},
	{"missing_count", "Số thiếu", "Count", LISTING_NUMBER, false},
	{"last_contact", "Liên lạc cuối", "Last contact", LISTING_MINUTE, false},
	{"state", "Tình trạng", "State", LISTING_TEXT, false},
};

int cmd_missing(void *context, const struct args *args)
{
	(void)args;
	return listing_ask(context, "missing", NULL, missing_columns, COUNT(missing_columns));
}

static const struct listing_column audit_columns[] = {
	{"entry", "Số", "Entry", LISTING_NUMBER, false},
	{"at", "Lúc", "At", LISTING_TIME, false},
	{"who", "Ai", "Who", LISTING_TEXT, false},
	{"what", "Việc", "What", LISTING_WORD, false},
	{"detail", "Chi tiết", "Detail", LISTING_FIELDS, false},
	{"hash", NULL, NULL, LISTING_TEXT, true},
};

int cmd_audit_list(void *context, const struct args *args)
{
	json_t *call = json_object();
	int code = ctl_put_number(call, args, "limit", 1, 100000);

	if (code != ARGS_EXIT_DONE) {
		json_decref(call);
		return code;
	}
	return listing_ask(context, "audit list", call, audit_columns, COUNT(audit_columns));
}

int cmd_query(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *result = NULL;
	json_t *call = json_object();
	int code;

	json_object_set_new(call, "sql", json_string(args_positional(args, 0)));
	ctl_put_option(call, args, "reason", "reason");
	code = ctl_call(ctl, "query", call, CTL_TIMEOUT_MS, &result);
	if (result == NULL)
		return code;
	listing_print_any(ctl, json_object_get(result, "columns"), json_object_get(result, "rows"),
			  &out);
	if (code == ARGS_EXIT_PARTIAL)
		ctl_complain(
			"kết quả quá dài, chỉ có phần đầu; hãy thu hẹp câu lệnh / too long: this "
			"is the first part; narrow the statement");
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
