#define LOG_TAG "enrol"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cmd.h"
#include "client/cmd_sync.h"
#include "client/enrol.h"
#include "client/passphrase.h"
#include "client/transport.h"
#include "common/base/log.h"

/* For tests only: Argon2id with this much memory, in KiB, and one pass. */
#define TEST_KDF_VARIABLE "CTXH_TEST_KDF_KIB"

static struct vault_kdf kdf_for_new(void)
{
	const char *text = getenv(TEST_KDF_VARIABLE);
	long kib = text != NULL ? strtol(text, NULL, 10) : 0;

	if (kib < 8 || kib > 4096)
		return (struct vault_kdf){VAULT_KDF_PASSES, VAULT_KDF_MEMORY};
	return (struct vault_kdf){1, (uint64_t)kib << 10};
}

/* All folders on the way to the home, as mkdir -p. */
static void make_parents(const char *home)
{
	char path[VAULT_PATH_MAX];

	snprintf(path, sizeof path, "%s", home);
	for (char *at = path + 1; *at != '\0'; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		(void)mkdir(path, 0700);
		*at = '/';
	}
}

static int fail_passphrase(struct cmd *c, enum err e)
{
	if (e == ERR_INVAL)
		return cmd_fail("mật khẩu ngắn quá (ít nhất 4 ký tự); chưa làm gì",
				"the passphrase is too short (at least 4); nothing was done");
	if (e == ERR_CONFLICT)
		return cmd_fail("hai lần gõ không giống nhau; chưa làm gì",
				"the two were not the same; nothing was done");
	if (e == ERR_NOTFOUND)
		return cmd_fail("cần mật khẩu: chạy ở cửa sổ lệnh, hoặc đặt CTXH_PASSPHRASE_FILE",
				"a passphrase is needed: run in a terminal, or set "
				"CTXH_PASSPHRASE_FILE");
	return cmd_fail_err(c, e, "đọc mật khẩu", "reading the passphrase");
}

static bool make_vault(struct cmd *c, int *ret_exit)
{
	AUTO(passphrase_clear) struct buf text = {0};
	struct vault_kdf kdf = kdf_for_new();
	enum err e = passphrase_read_new(&text);

	if (e != ERR_OK) {
		*ret_exit = fail_passphrase(c, e);
		return false;
	}
	make_parents(c->home);
	e = vault_create(c->home, c->rand, &kdf, buf_bytes(&text), &c->vault);
	if (e != ERR_OK)
		*ret_exit = cmd_fail_err(c, e, "tạo kho dữ liệu", "making the vault");
	return e == ERR_OK;
}

/* The office answered, the line broke before schema and units were here. */
static bool lacks_documents(const struct vault *v)
{
	static const uint8_t none[8];
	const struct vault_state *state = vault_state(v);

	return state->units_version == 0 || memcmp(state->schema_version, none, sizeof none) == 0;
}

/* An enrolment whose answer was lost goes on with the key it made then. */
static bool open_or_make(struct cmd *c, struct vault_identity *ret_identity, int *ret_exit)
{
	struct vault *v = NULL;
	enum err e = vault_open(c->home, c->rand, &v);

	vault_close(v);
	if (e != ERR_OK && e != ERR_NOTFOUND) {
		*ret_exit = cmd_fail_err(c, e, "mở kho dữ liệu", "opening the vault");
		return false;
	}
	if (!(e == ERR_OK ? cmd_open_vault(c, ret_exit) : make_vault(c, ret_exit)))
		return false;
	e = vault_identity_load(c->vault, &c->arena, ret_identity);
	if (e != ERR_OK) {
		*ret_exit = cmd_fail_err(c, e, "đọc kho dữ liệu", "reading the vault");
		return false;
	}
	return true;
}

/* Asks with this invitation. */
static void new_code(struct vault_identity *identity, const struct invitation *invitation,
		     struct bytes name)
{
	memcpy(identity->address, invitation->address, sizeof identity->address);
	memcpy(identity->pin, invitation->pin, sizeof identity->pin);
	memcpy(identity->code, invitation->code, sizeof identity->code);
	identity->name = name;
}

/* The key is on the disk before the office hears of it: a lost answer loses nothing. */
static enum err keep_identity(struct cmd *c, struct vault_identity *identity,
			      enum err (*put)(struct vault *v,
					      const struct vault_identity *identity))
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	static const uint8_t none[32];
	enum err e = vault_begin(c->vault);

	if (e != ERR_OK)
		return e;
	txn = c->vault;
	if (crypt_equal(identity->seed, none, sizeof none))
		rand_fill(c->rand, identity->seed, sizeof identity->seed);
	e = put(c->vault, identity);
	return e == ERR_OK ? vault_commit(c->vault) : e;
}

static int fail_enrol(struct cmd *c, enum err e, const struct sync_report *report)
{
	if (e == ERR_AUTH && report->refusal[0] == '\0')
		return cmd_fail("máy chủ trả lời không phải văn phòng trong thư mời; chưa gửi gì",
				"the machine that answers is not the office of the invitation; "
				"nothing was sent");
	if (report->refusal[0] != '\0') {
		fprintf(stderr, "ctxh: văn phòng từ chối / the office refused (%s): %s\n",
			report->refusal, report->text);
		return err_class(e) == ERR_CLASS_RETRY ? ARGS_EXIT_UNREACHABLE : ARGS_EXIT_FAILED;
	}
	if (err_class(e) == ERR_CLASS_RETRY && e != ERR_FULL)
		return (void)cmd_fail("không tới được văn phòng; khóa của máy đã giữ, hãy chạy lại "
				      "lệnh này khi có mạng",
				      "the office cannot be reached; the device's key is kept, run "
				      "this again when there is a network"),
		       ARGS_EXIT_UNREACHABLE;
	return cmd_fail_err(c, e, "đăng ký", "enrolling");
}

/* Over the network, to the office of the invitation. */
struct line {
	struct transport *transport;
	struct sync sync;
};

static enum err line_open(struct cmd *c, const struct vault_identity *to, struct line *ret_line)
{
	enum err e = transport_open(to->address, to->pin, &ret_line->transport);

	if (e == ERR_OK)
		ret_line->sync = (struct sync){.vault = c->vault,
					       .clock = c->clock,
					       .transport = transport_link(ret_line->transport),
					       .schema = c->schema,
					       .client_version = CTXH_VERSION};
	return e;
}

/* Both documents are wanted whatever the versions are: none is held yet. */
static enum err ask_documents(struct line *line, struct sync_report *report)
{
	uint8_t any[8];

	memset(any, 0xff, sizeof any);
	return sync_documents(&line->sync, any, UINT64_MAX, report);
}

/* ---- the first time ---- */

static enum err ask(struct cmd *c, const struct vault_identity *identity,
		    struct sync_report *report)
{
	struct line line = {0};
	enum err e = line_open(c, identity, &line);

	if (e != ERR_OK)
		return e;
	if (id_is_zero(&identity->daemon))
		e = sync_enrol(&line.sync, bytes_str(args_value(c->args, "author", "")), report);
	if (e == ERR_OK)
		e = ask_documents(&line, report);
	transport_close(line.transport);
	return e;
}

static int enrol_first(struct cmd *c, struct vault_identity *identity,
		       const struct invitation *invitation)
{
	const char *name = args_value(c->args, "name", "");
	struct sync_report report = {0};
	enum err e = ERR_OK;

	if (id_is_zero(&identity->daemon)) {
		new_code(identity, invitation, bytes_str(name));
		e = keep_identity(c, identity, vault_identity_put);
	}
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "ghi khóa của máy", "saving the device's key");
	e = ask(c, identity, &report);
	/* A copied home folder brought another device's key along: this one makes its own. */
	if (e != ERR_OK && strcmp(report.refusal, "key_known") == 0) {
		memset(identity->seed, 0, sizeof identity->seed);
		e = keep_identity(c, identity, vault_identity_put);
		if (e == ERR_OK)
			e = ask(c, identity, &report);
	}
	if (e != ERR_OK)
		return fail_enrol(c, e, &report);
	e = vault_identity_load(c->vault, &c->arena, identity);
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "đọc kho dữ liệu", "reading the vault");
	cmd_printf("Đã đăng ký, máy số %u. Hãy chạy ctxh sync. / Enrolled as device %u. Run ctxh "
		   "sync.\n",
		   identity->device, identity->device);
	return ARGS_EXIT_DONE;
}

/* ---- anew, after the office set the device aside ---- */

static int fail_enrolled(const struct vault_state *state)
{
	if (state->standing == VAULT_STANDING_REVOKED)
		return cmd_fail("máy này đã bị thu hồi nên không đăng ký lại được trong thư mục "
				"này; không đổi gì, mọi thứ vẫn giữ ở đây; hãy hỏi văn phòng",
				"this device was revoked and cannot be enrolled again in this "
				"folder; nothing changed, all is kept here; ask the office");
	return cmd_fail("thư mục này đã đăng ký rồi, không đổi gì; nếu văn phòng đã tách máy này "
			"ra, hãy chạy ctxh sync trước rồi làm lại; máy khác thì dùng --home khác",
			"this folder is enrolled already, nothing changed; if the office set this "
			"device aside, run ctxh sync first, then this again; use another --home "
			"for another device");
}

static enum err ask_anew(struct cmd *c, const struct vault_identity *successor,
			 struct sync_report *report, struct succession *done)
{
	struct line line = {0};
	enum err e = line_open(c, successor, &line);

	if (e != ERR_OK)
		return e;
	e = sync_enrol_anew(&line.sync, report, done);
	transport_close(line.transport);
	return e;
}

static void tell_succession(const struct succession *done)
{
	cmd_printf(
		"Đã đăng ký lại, máy số %u thay cho máy số %u; mọi hồ sơ, thông báo, biên nhận vẫn "
		"ở đây, %zu thay đổi sẽ gửi lại. Hãy chạy ctxh sync. / Enrolled again, device %u "
		"in place of device %u; all records, messages and receipts are here, %zu changes "
		"will be sent again. Run ctxh sync.\n",
		done->device, done->former, done->resent, done->device, done->former, done->resent);
	if (done->missing != 0)
		cmd_printf(
			"Văn phòng thiếu %lld thay đổi mà máy không còn giữ; giá trị của chúng còn "
			"trong các hồ sơ ở đây được ghi lại thành %zu thay đổi. / The office lacks "
			"%lld changes this device no longer keeps; what the records here still "
			"show of them is written again, as %zu changes.\n",
			(long long)done->missing, done->rescued, (long long)done->missing,
			done->rescued);
}

static int enrol_anew(struct cmd *c, const struct vault_identity *identity,
		      const struct invitation *invitation)
{
	struct vault_identity successor;
	struct succession done = {0};
	struct sync_report report = {0};
	const char *name = args_value(c->args, "name", NULL);
	enum err e = vault_successor_load(c->vault, &c->arena, &successor);

	if (e == ERR_OK) {
		new_code(&successor, invitation, name != NULL ? bytes_str(name) : identity->name);
		e = keep_identity(c, &successor, vault_successor_put);
	}
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "ghi khóa mới của máy", "saving the device's new key");
	e = ask_anew(c, &successor, &report, &done);
	/* An earlier try was answered, and another copy of this folder took that answer. */
	if (e != ERR_OK && strcmp(report.refusal, "key_known") == 0) {
		memset(successor.seed, 0, sizeof successor.seed);
		e = keep_identity(c, &successor, vault_successor_put);
		if (e == ERR_OK)
			e = ask_anew(c, &successor, &report, &done);
	}
	crypt_wipe(successor.seed, sizeof successor.seed);
	if (e != ERR_OK)
		return fail_enrol(c, e, &report);
	tell_succession(&done);
	return ARGS_EXIT_DONE;
}

/* No contact may be under way: its answer would be the former device's. */
static int enrol_anew_locked(struct cmd *c, const struct vault_identity *identity,
			     const struct invitation *invitation)
{
	int lock;
	int exit;

	if (!enrol_may_ask_anew(vault_state(c->vault)))
		return fail_enrolled(vault_state(c->vault));
	lock = cmd_sync_lock(c, &exit);
	if (lock < 0)
		return exit;
	exit = enrol_anew(c, identity, invitation);
	close(lock);
	return exit;
}

/* Of an enrolment that was cut short, too. */
static bool is_first(struct cmd *c, const struct vault_identity *identity)
{
	if (id_is_zero(&identity->daemon))
		return true;
	return lacks_documents(c->vault) && !enrol_may_ask_anew(vault_state(c->vault));
}

int cmd_enrol(void *context, const struct args *args)
{
	struct cmd *c = context;
	struct vault_identity identity;
	struct invitation invitation;
	int exit;

	if (invitation_parse(bytes_str(args_positional(args, 0)), &invitation) != ERR_OK)
		return cmd_usage(c, "thư mời không đúng; hãy chép lại nguyên dòng",
				 "the invitation is not right; copy the whole line again");
	if (!open_or_make(c, &identity, &exit))
		return exit;
	exit = is_first(c, &identity) ? enrol_first(c, &identity, &invitation)
				      : enrol_anew_locked(c, &identity, &invitation);
	crypt_wipe(identity.seed, sizeof identity.seed);
	return exit;
}
