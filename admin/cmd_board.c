/* cmd_board - every commune at a glance. */
#define LOG_TAG "cmd"

#include <string.h>

#include "admin/commands.h"
#include "admin/listing.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define JSON_AUTO    __attribute__((cleanup(ctl_json_release_auto)))

static const struct listing_column columns[] = {
	{"code", "Mã", "Code", LISTING_WORD, false},
	{"name", "Tên", "Name", LISTING_TEXT, false},
	{"district_name", "Huyện", "District", LISTING_TEXT, false},
	{"state", "Tình trạng", "State", LISTING_WORD, false},
	{"devices", "Máy", "Dev", LISTING_NUMBER, false},
	{"last_contact", "Liên lạc cuối", "Last contact", LISTING_MINUTE, false},
	{"missing", "Thiếu", "Miss", LISTING_NUMBER, false},
	{"clock_off", "Sai giờ", "Clock", LISTING_NUMBER, false},
	{"quarantine", "Giữ lại", "Held", LISTING_NUMBER, false},
	{"conflicts", "Xung đột", "Conf", LISTING_NUMBER, false},
	{"forked", "Tách", "Fork", LISTING_NUMBER, false},
	{"last_receipt", NULL, NULL, LISTING_TIME, true},
	{"district_code", NULL, NULL, LISTING_TEXT, true},
	{"province_code", NULL, NULL, LISTING_TEXT, true},
	{"province_name", NULL, NULL, LISTING_TEXT, true},
};

/* Below this many columns of the terminal names would be cut to nothing. */
#define WIDE 110u

/* What a narrow terminal is spared (label NULL: the column), so that a commune's name is read. */
static const struct {
	const char *key;
	const char *label_vi;
} narrow[] = {{"district_name", NULL},
	      {"devices", NULL},
	      {"clock_off", "Giờ"},
	      {"quarantine", "Giữ"},
	      {"conflicts", "X.đột"}};

static void fit(const struct ctl *ctl, struct listing_column shown[static COUNT(columns)])
{
	memcpy(shown, columns, sizeof columns);
	if (ctl->format != TABLE_TABLE || ctl->style.width == 0 || ctl->style.width >= WIDE)
		return;
	for (size_t i = 0; i < COUNT(columns); i++) {
		for (size_t j = 0; j < COUNT(narrow); j++) {
			if (strcmp(shown[i].key, narrow[j].key) != 0)
				continue;
			shown[i].label_vi = narrow[j].label_vi;
			shown[i].is_csv_only = narrow[j].label_vi == NULL;
		}
	}
}

static long long count_of(const json_t *totals, const char *key)
{
	return json_integer_value(json_object_get(totals, key));
}

static void append_foot(struct buf *out, const json_t *totals)
{
	buf_printf(
		out,
		"\n%lld xã: %lld mới, %lld lâu chưa thấy, %lld chưa bao giờ; %lld máy; thiếu "
		"%lld số; %lld bị giữ lại; %lld xung đột\n"
		"%lld communes: %lld fresh, %lld stale, %lld never; %lld devices; %lld numbers "
		"missing; %lld in quarantine; %lld conflicts\n",
		count_of(totals, "communes"), count_of(totals, "fresh"), count_of(totals, "stale"),
		count_of(totals, "never"), count_of(totals, "devices"), count_of(totals, "missing"),
		count_of(totals, "quarantine"), count_of(totals, "conflicts"),
		count_of(totals, "communes"), count_of(totals, "fresh"), count_of(totals, "stale"),
		count_of(totals, "never"), count_of(totals, "devices"), count_of(totals, "missing"),
		count_of(totals, "quarantine"), count_of(totals, "conflicts"));
}

int cmd_board(void *context, const struct args *args)
{
	const struct ctl *ctl = context;
	struct listing_column shown[COUNT(columns)];
	AUTO(buf_clear) struct buf out = {0};
	JSON_AUTO json_t *board = NULL;
	json_t *call = json_object();
	int code;

	ctl_put_option(call, args, "province", "province");
	ctl_put_option(call, args, "unit", "unit");
	if (args_has(args, "attention"))
		json_object_set_new(call, "attention", json_true());
	code = ctl_call(ctl, "board", call, CTL_TIMEOUT_MS, &board);
	if (board == NULL)
		return code;
	fit(ctl, shown);
	if (ctl->format == TABLE_JSON)
		ctl_append_json(&out, board);
	else
		listing_print(ctl, shown, COUNT(columns), json_object_get(board, "rows"), &out);
	if (ctl->format == TABLE_TABLE)
		append_foot(&out, json_object_get(board, "totals"));
	return ctl_print(&out) == ARGS_EXIT_DONE ? code : ARGS_EXIT_FAILED;
}
