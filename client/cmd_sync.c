#define LOG_TAG "sync"

#include "client/cmd_sync.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "client/backoff.h"
#include "client/cmd.h"
#include "client/transport.h"
#include "client/view.h"
#include "common/base/log.h"
#include "common/text/offset.h"

/* The office link, with the vault let go while the network is slow. */
struct paused_link {
	struct sync_transport link;
	struct sync_transport *inner;
	struct vault *vault;
};

static enum err paused_request(struct sync_transport *link, const char *path, struct bytes body,
			       int *ret_status, struct buf *ret_answer)
{
	struct paused_link *p = CONTAINER_OF(link, struct paused_link, link);

	vault_pause(p->vault);
	enum err asked = p->inner->request(p->inner, path, body, ret_status, ret_answer);
	enum err e = vault_resume(p->vault);

	return e != ERR_OK ? e : asked;
}

int cmd_sync_lock(struct cmd *c, int *ret_exit)
{
	char path[VAULT_PATH_MAX];

	snprintf(path, sizeof path, "%s/sync.lock", c->home);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0 && errno == EWOULDBLOCK) {
		(void)cmd_fail("đang đồng bộ trong một cửa sổ khác; chưa làm gì, hãy thử lại",
			       "another contact with the office is running; nothing was done, try "
			       "again");
		*ret_exit = ARGS_EXIT_UNREACHABLE;
	} else {
		*ret_exit = cmd_fail_err(c,
					 err_raise(errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %s",
						   path, strerror(errno)),
					 "giữ phiên liên lạc", "holding the contact");
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

int cmd_sync_fail(struct cmd *c, enum err e, const struct sync_report *r)
{
	if (r->missing != 0) {
		fprintf(stderr,
			"ctxh: văn phòng thiếu %lld thay đổi mà máy này không còn giữ; chưa bỏ gì; hãy "
			"xin văn phòng thư giải phóng (ctxhctl device release) rồi chạy ctxh enrol / "
			"the office lacks %lld changes this device no longer keeps; nothing was "
			"dropped; ask the office for a release (ctxhctl device release) and run "
			"ctxh enrol\n",
			(long long)r->missing, (long long)r->missing);
		return ARGS_EXIT_FAILED;
	}
	if (err_class(e) == ERR_CLASS_RETRY && e != ERR_FULL) {
		fprintf(stderr,
			"ctxh: chưa liên lạc được với văn phòng%s%s; chưa mất gì, hãy thử lại / the "
			"office cannot be reached now; nothing is lost, try again: %s\n",
			r->text[0] != '\0' ? ": " : "", r->text, log_last_detail());
		return ARGS_EXIT_UNREACHABLE;
	}
	if (e == ERR_AUTH && r->refusal[0] == '\0')
		return cmd_fail(
			"máy chủ trả lời không phải văn phòng đã đăng ký; không gửi gì, mọi "
			"thứ vẫn giữ ở đây",
			"the machine that answers is not the office we enrolled with; nothing "
			"was sent, all is kept here");
	if (r->refusal[0] != '\0' || r->text[0] != '\0') {
		fprintf(stderr,
			"ctxh: %s%s%s; những gì chưa gửi vẫn giữ ở đây / what is not sent is kept "
			"here\n",
			r->text, r->refusal[0] != '\0' ? " · " : "", r->refusal);
		return ARGS_EXIT_FAILED;
	}
	return cmd_fail_err(c, e, "đồng bộ", "syncing");
}

/* Nothing when nothing was compared, or by itself and all is well. */
static void print_comparison(const struct sync_report *r)
{
	if (r->differing != 0)
		cmd_printf(
			"So khớp: %zu trong %zu đơn vị khác với văn phòng; đã sửa %zu hồ sơ theo văn "
			"phòng; xem ctxh inbox và báo văn phòng. / Compared: %zu of %zu units differed "
			"from the office; %zu records are now as it has them; see ctxh inbox and tell "
			"the office.\n",
			r->differing, r->compared, r->repaired, r->differing, r->compared,
			r->repaired);
	if (r->still_differing != 0)
		cmd_printf("%zu đơn vị vẫn còn khác. / %zu units still differ.\n",
			   r->still_differing, r->still_differing);
	if (r->missing_records != 0)
		cmd_printf(
			"%zu hồ sơ đã gửi mà văn phòng không có; vẫn còn ở máy này: xem ctxh inbox. / "
			"%zu records that were sent are not at the office; they are still here: see "
			"ctxh inbox.\n",
			r->missing_records, r->missing_records);
}

void cmd_sync_print(const struct sync_report *r)
{
	cmd_printf(
		"Đã gửi %zu thay đổi, nhận %zu hồ sơ, %zu thông báo, bỏ %zu hồ sơ đã chuyển đi hoặc "
		"đã xóa theo luật. / Sent %zu changes, received %zu records, %zu notices, %zu "
		"records moved away or erased by law.\n",
		r->changes_sent, r->records, r->notices, r->evictions, r->changes_sent, r->records,
		r->notices, r->evictions);
	if (r->is_spent)
		cmd_printf(
			"Đã dùng hết số byte cho phép; phần còn lại chờ lần đồng bộ sau. / The bytes "
			"allowed are spent; the rest waits for the next sync.\n");
	if (r->is_epoch_new)
		cmd_printf(
			"Văn phòng đã khôi phục từ bản sao lưu; mọi thứ còn thiếu đã gửi lại. / The "
			"office was restored from a backup; what it lacked was sent again.\n");
	if (r->quarantined != 0)
		cmd_printf(
			"%zu thay đổi bị giữ lại chờ xem xét: xem ctxh inbox. / %zu changes were put "
			"in quarantine: see ctxh inbox.\n",
			r->quarantined, r->quarantined);
	if (r->conflicts != 0)
		cmd_printf(
			"%zu thay đổi gặp thay đổi của người khác; cả hai giá trị đều được giữ, "
			"ctxh inbox báo nếu giá trị của bạn không thắng. / %zu changes met another "
			"person's; both values are kept, ctxh inbox tells if yours lost.\n",
			r->conflicts, r->conflicts);
	print_comparison(r);
	fflush(stdout);
}

/* How one contact is to be made. */
struct manner {
	uint64_t max_bytes;
	enum sync_compare compare;
};

static enum err run_once(struct cmd *c, struct transport *t, const struct manner *how,
			 struct sync_report *report)
{
	struct paused_link link = {{paused_request}, transport_link(t), c->vault};
	struct sync s = {.vault = c->vault,
			 .clock = c->clock,
			 .transport = &link.link,
			 .schema = c->schema,
			 .client_version = CTXH_VERSION,
			 .budget = how->max_bytes,
			 .compare = how->compare};

	return sync_run(&s, report);
}

/* Asked for, it is told also when all is well, or when the office had no time for it. */
static int say_compared(const struct sync_report *r, int exit)
{
	if (r->compared == 0) {
		fprintf(stderr,
			"ctxh: đã đồng bộ, nhưng lúc này văn phòng chưa so khớp được; hãy thử "
			"lại / synced, but the office could not compare now; try again\n");
		return ARGS_EXIT_UNREACHABLE;
	}
	if (r->differing == 0)
		cmd_printf("So khớp: %zu đơn vị giống hệt văn phòng. / Compared: %zu units are the "
			   "same as at the office.\n",
			   r->compared, r->compared);
	fflush(stdout);
	return exit;
}

static int contact(struct cmd *c, struct transport *t, const struct manner *how,
		   struct sync_report *report)
{
	enum err e = run_once(c, t, how, report);

	if (e != ERR_OK)
		return cmd_sync_fail(c, e, report);
	cmd_sync_print(report);
	int exit = report->quarantined + report->conflicts + report->differing +
					   report->missing_records !=
				   0
			   ? ARGS_EXIT_PARTIAL
			   : ARGS_EXIT_DONE;

	return how->compare == SYNC_COMPARE_ALWAYS ? say_compared(report, exit) : exit;
}

static volatile sig_atomic_t is_stopping;

static void on_stop(int signal)
{
	(void)signal;
	is_stopping = 1;
}

static void wait_ms(int64_t ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	/* A signal ends the wait: that is the way out. */
	(void)nanosleep(&ts, NULL);
}

/* Until told to stop. The vault is let go between contacts. */
static int watch(struct cmd *c, struct transport *t, const struct manner *how)
{
	struct sigaction act = {.sa_handler = on_stop};
	unsigned failures = 0;
	int exit = ARGS_EXIT_DONE;

	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
	while (!is_stopping) {
		struct sync_report report;

		exit = contact(c, t, how, &report);
		/* What will not heal by waiting ends the watch. */
		if (exit == ARGS_EXIT_FAILED)
			break;
		failures = exit == ARGS_EXIT_UNREACHABLE ? failures + 1 : 0;
		vault_pause(c->vault);
		if (!is_stopping)
			wait_ms(backoff_ms(failures, report.retry_after_s * 1000, c->rand));
		enum err e = vault_resume(c->vault);

		if (e != ERR_OK && e != ERR_AGAIN)
			return cmd_fail_err(c, e, "mở kho dữ liệu", "opening the vault");
	}
	return is_stopping ? ARGS_EXIT_DONE : exit;
}

bool cmd_sync_schema(struct cmd *c)
{
	char error[SCHEMA_ERROR_LEN];
	struct bytes bundle;

	return vault_doc_load(c->vault, &c->arena, VAULT_DOC_SCHEMA, &bundle) == ERR_OK &&
	       schema_load_bundle(bundle, &c->schema, error) == ERR_OK;
}

static int run_locked(struct cmd *c, const struct manner *how)
{
	AUTO(transport_close) struct transport *t = NULL;
	struct vault_identity identity;
	struct sync_report report;
	enum err e = vault_identity_load(c->vault, &c->arena, &identity);

	crypt_wipe(identity.seed, sizeof identity.seed);
	if (e == ERR_OK && id_is_zero(&identity.daemon))
		return cmd_fail_unenrolled();
	if (e == ERR_OK)
		e = transport_open(identity.address, identity.pin, &t);
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "chuẩn bị đồng bộ", "preparing to sync");
	/* Without one, every type is merged as a register, and the schema comes with this sync. */
	if (!cmd_sync_schema(c))
		log_debug("no schema yet");
	return args_has(c->args, "watch") ? watch(c, t, how) : contact(c, t, how, &report);
}

int cmd_sync(void *context, const struct args *args)
{
	AUTO(buf_clear) struct buf complaint = {0};
	struct cmd *c = context;
	int64_t max_bytes = 0;
	int exit;

	if (args_integer(args, "max-bytes", 1, (int64_t)LIMIT_PLAIN_BYTES, &complaint,
			 &max_bytes) != ERR_OK) {
		cmd_complain(&complaint);
		return ARGS_EXIT_USAGE;
	}
	if (!cmd_open_vault(c, &exit))
		return exit;
	int lock = cmd_sync_lock(c, &exit);

	if (lock < 0)
		return exit;
	const struct manner how = {
		.max_bytes = (uint64_t)max_bytes,
		/* Who counts bytes compares when they ask for it. */
		.compare = args_has(args, "digest")      ? SYNC_COMPARE_ALWAYS
			   : args_has(args, "max-bytes") ? SYNC_COMPARE_NEVER
							 : SYNC_COMPARE_DAILY,
	};

	exit = run_locked(c, &how);
	close(lock);
	return exit;
}

/* ---- status ---- */

static const struct table_column status_columns[] = {
	{.key = "device", .label_vi = "Máy", .label_en = "Device", .type = TABLE_INT},
	{.key = "units", .label_vi = "Đơn vị", .label_en = "Units", .type = TABLE_LIST},
	{.key = "epoch", .label_vi = "Kỳ dữ liệu", .label_en = "Epoch"},
	{.key = "waiting", .label_vi = "Chưa gửi", .label_en = "Waiting", .type = TABLE_INT},
	{.key = "sent", .label_vi = "Đã gửi đến số", .label_en = "Sent up to", .type = TABLE_INT},
	{.key = "backed_up",
	 .label_vi = "Đã sao lưu đến số",
	 .label_en = "Backed up to",
	 .type = TABLE_INT},
	{.key = "last_receipt", .label_vi = "Biên nhận cuối", .label_en = "Last receipt"},
	{.key = "inbox", .label_vi = "Hộp thư", .label_en = "Inbox", .type = TABLE_INT},
	{.key = "clock_offset_ms",
	 .label_vi = "Đồng hồ lệch",
	 .label_en = "Clock offset",
	 .type = TABLE_INT},
};

static enum err unit_list(struct cmd *c, struct bytes *ret_text)
{
	AUTO(buf_clear) struct buf out = {0};
	int64_t *scope = NULL;
	size_t count = 0;
	enum err e = vault_scope_load(c->vault, &c->arena, &scope, &count);

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		if (i != 0)
			buf_append_str(&out, ",");
		buf_append_bytes(&out, cmd_unit_code(c, &c->arena, scope[i]));
	}
	*ret_text = arena_copy(&c->arena, buf_bytes(&out));
	return e;
}

/* Units with their names, and the time as the clock on the wall. */
static struct bytes units_for_people(struct cmd *c)
{
	AUTO(buf_clear) struct buf out = {0};
	int64_t *scope = NULL;
	size_t count = 0;

	if (vault_scope_load(c->vault, &c->arena, &scope, &count) != ERR_OK)
		return BYTES_NONE;
	for (size_t i = 0; i < count; i++) {
		if (i != 0)
			buf_append_str(&out, "; ");
		buf_append_bytes(&out, view_unit(c, &c->arena, scope[i]));
	}
	return arena_copy(&c->arena, buf_bytes(&out));
}

static struct bytes status_for_people(struct cmd *c, const char *key, const struct value *v)
{
	const struct vault_state *state = vault_state(c->vault);
	char at[VIEW_TIME_LEN];

	if (strcmp(key, "units") == 0)
		return units_for_people(c);
	if (v->kind == VALUE_NULL)
		return BYTES_LIT("-");
	if (strcmp(key, "last_receipt") == 0) {
		view_time(state->last_receipt_ms, at);
		return arena_copy(&c->arena, bytes_str(at));
	}
	if (strcmp(key, "clock_offset_ms") == 0) {
		AUTO(buf_clear) struct buf off = {0};

		offset_print(v->integer, &off);
		return arena_copy(&c->arena, buf_bytes(&off));
	}
	return v->kind == VALUE_INT ? arena_printf(&c->arena, "%lld", (long long)v->integer)
				    : v->bytes;
}

static void print_status(struct cmd *c, const struct value *cells, size_t count)
{
	AUTO(table_clear) struct table t = {0};
	AUTO(buf_clear) struct buf out = {0};
	struct table_style style = {0};

	table_init(&t, status_columns, count);
	table_add(&t, cells);
	switch (c->format) {
	case TABLE_JSON: table_print_json_line(&t, 0, &out); break;
	case TABLE_CSV: table_print(&t, TABLE_CSV, &style, &out); break;
	case TABLE_TABLE:
		for (size_t i = 0; i < count; i++) {
			struct bytes shown = status_for_people(c, status_columns[i].key, &cells[i]);

			buf_printf(&out, "%s / %s: %.*s\n", status_columns[i].label_vi,
				   status_columns[i].label_en, BYTES_FMT(shown));
		}
		break;
	}
	cmd_write(buf_bytes(&out));
}

static void say_standing(int64_t standing)
{
	if (standing == VAULT_STANDING_FORKED)
		fprintf(stderr,
			"Văn phòng đã tách máy này ra (đĩa bị sao chép hoặc phục hồi); mọi thứ vẫn giữ "
			"ở đây. Hãy xin văn phòng thư giải phóng (ctxhctl device release) rồi chạy "
			"ctxh enrol với nó. / The office set this device aside (its disk was copied or "
			"rolled back); all is kept here. Ask the office for a release (ctxhctl device "
			"release) and run ctxh enrol with it.\n");
	if (standing == VAULT_STANDING_GAP)
		fprintf(stderr,
			"Văn phòng thiếu những thay đổi mà máy này không còn giữ; mọi thứ vẫn giữ ở "
			"đây. Hãy xin văn phòng thư giải phóng (ctxhctl device release) rồi chạy ctxh "
			"enrol với nó. / The office lacks changes that are no longer kept here; all "
			"is kept as it is. Ask the office for a release (ctxhctl device release) and "
			"run ctxh enrol with it.\n");
	if (standing == VAULT_STANDING_REVOKED)
		fprintf(stderr, "Máy này đã bị thu hồi. / This device was revoked.\n");
	if (standing == VAULT_STANDING_UNKNOWN)
		fprintf(stderr,
			"Văn phòng không biết máy này; mọi thứ vẫn giữ ở đây. Hãy xin "
			"thư mời mới rồi chạy ctxh enrol với nó. / The office does not know "
			"this device; all is kept here. Ask for a new invitation and run "
			"ctxh enrol with it.\n");
}

int cmd_status(void *context, const struct args *args)
{
	struct cmd *c = context;
	struct vault_identity identity = {0};
	struct vault_counts counts = {0};
	struct bytes units = BYTES_NONE;
	char epoch[ID_HEX_LEN];
	char receipt[CLOCK_ISO_LEN];
	int exit;

	(void)args;
	if (!cmd_read_format(c, &exit) || !cmd_open_vault(c, &exit))
		return exit;
	if (!cmd_is_enrolled(c))
		return cmd_fail_unenrolled();
	const struct vault_state *state = vault_state(c->vault);
	enum err e = vault_identity_load(c->vault, &c->arena, &identity);

	crypt_wipe(identity.seed, sizeof identity.seed);
	if (e == ERR_OK)
		e = vault_count(c->vault, &counts);
	if (e == ERR_OK)
		e = unit_list(c, &units);
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "đọc kho dữ liệu", "reading the vault");
	id_print(&state->epoch, epoch);
	clock_print_iso(state->last_receipt_ms, receipt);
	const struct value cells[] = {
		value_int(identity.device),
		value_text(units),
		value_text(bytes_str(epoch)),
		value_int(counts.drafts + counts.waiting),
		value_int(state->acked),
		value_int(state->backed_up),
		state->last_receipt_ms != 0 ? value_text(bytes_str(receipt)) : VALUE_NONE,
		value_int(counts.inbox),
		state->has_clock_offset != 0 ? value_int(state->clock_offset_ms) : VALUE_NONE,
	};

	print_status(c, cells, sizeof cells / sizeof *cells);
	fflush(stdout);
	say_standing(state->standing);
	return ARGS_EXIT_DONE;
}
