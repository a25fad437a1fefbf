/* The home folder itself: who writes, the passphrase, the agent, the check. */
#include <stdio.h>

#include "client/agent.h"
#include "client/cmd.h"
#include "client/passphrase.h"
#include "common/base/check.h"

/* ---- authors ---- */

struct authors {
	struct cmd *cmd;
	struct bytes *names;
	size_t count;
	int exit;
};

static bool open_authors(struct authors *w, void *context)
{
	w->cmd = context;
	if (!cmd_open_vault(w->cmd, &w->exit))
		return false;
	enum err e = vault_authors_load(w->cmd->vault, &w->cmd->arena, &w->names, &w->count);

	if (e != ERR_OK)
		w->exit = cmd_fail_err(w->cmd, e, "đọc người ghi", "reading the authors");
	return e == ERR_OK;
}

static int say_author(struct bytes name)
{
	cmd_printf("Người ghi đang dùng: %.*s. / Now writing: %.*s.\n", BYTES_FMT(name),
		   BYTES_FMT(name));
	return ARGS_EXIT_DONE;
}

static int put_authors(struct authors *w, const struct bytes *names, size_t count)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(w->cmd->vault);

	if (e == ERR_OK) {
		txn = w->cmd->vault;
		e = vault_authors_put(w->cmd->vault, names, count);
	}
	if (e == ERR_OK)
		e = vault_commit(w->cmd->vault);
	return e == ERR_OK ? say_author(names[0])
			   : cmd_fail_err(w->cmd, e, "ghi người ghi", "saving the authors");
}

static size_t find_author(const struct authors *w, struct bytes name)
{
	size_t i = 0;

	while (i < w->count && !bytes_equal(w->names[i], name))
		i++;
	return i;
}

/* The first one added is in use at once; others when `author use` says so. */
int cmd_author_add(void *context, const struct args *args)
{
	struct authors w = {0};
	struct bytes name = bytes_str(args_positional(args, 0));

	if (name.len == 0 || name.len > LIMIT_AUTHOR_BYTES)
		return cmd_usage(context, "tên người ghi trống hoặc dài quá",
				 "the author's name is empty or too long");
	if (!open_authors(&w, context))
		return w.exit;
	if (find_author(&w, name) < w.count)
		return say_author(w.names[0]);
	struct bytes *names = arena_alloc_array(&w.cmd->arena, w.count + 1, sizeof *names);

	if (w.count != 0)
		memcpy(names, w.names, w.count * sizeof *names);
	names[w.count] = name;
	return put_authors(&w, names, w.count + 1);
}

int cmd_author_use(void *context, const struct args *args)
{
	struct authors w = {0};

	if (!open_authors(&w, context))
		return w.exit;
	size_t at = find_author(&w, bytes_str(args_positional(args, 0)));

	if (at == w.count)
		return cmd_fail("chưa có người ghi này; xem ctxh author list",
				"there is no such author; see ctxh author list");
	struct bytes chosen = w.names[at];

	memmove(w.names + 1, w.names, at * sizeof *w.names);
	w.names[0] = chosen;
	return put_authors(&w, w.names, w.count);
}

int cmd_author_list(void *context, const struct args *args)
{
	static const struct table_column columns[] = {
		{.key = "author", .label_vi = "Người ghi", .label_en = "Author"},
		{.key = "in_use",
		 .label_vi = "Đang dùng",
		 .label_en = "In use",
		 .type = TABLE_BOOL},
	};
	AUTO(table_clear) struct table t = {0};
	struct authors w = {0};

	(void)args;
	if (!cmd_read_format(context, &w.exit) || !open_authors(&w, context))
		return w.exit;
	table_init(&t, columns, sizeof columns / sizeof *columns);
	for (size_t i = 0; i < w.count; i++)
		table_add(&t, (const struct value[]){value_text(w.names[i]), value_bool(i == 0)});
	cmd_print_table(w.cmd, &t);
	return ARGS_EXIT_DONE;
}

/* ---- passphrase and agent ---- */

int cmd_unlock(void *context, const struct args *args)
{
	struct cmd *c = context;
	uint8_t key[SEAL_KEY_LEN];
	int exit;

	(void)args;
	if (!cmd_open_vault(c, &exit))
		return exit;
	memcpy(key, vault_key(c->vault), sizeof key);
	/* The lock must not be the agent's: it is let go before the agent is born. */
	vault_close(MOVE(c->vault));
	enum err e = agent_start(c->home, key);

	crypt_wipe(key, sizeof key);
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "mở khóa", "unlocking");
	cmd_printf("Đã mở khóa; tự khóa sau 10 phút không dùng. / Unlocked; locks after 10 idle "
		   "minutes.\n");
	return ARGS_EXIT_DONE;
}

int cmd_lock(void *context, const struct args *args)
{
	struct cmd *c = context;
	enum err e = agent_stop(c->home);

	(void)args;
	if (e != ERR_OK && e != ERR_NOTFOUND)
		return cmd_fail_err(c, e, "khóa", "locking");
	cmd_printf("Đã khóa. / Locked.\n");
	return ARGS_EXIT_DONE;
}

int cmd_passphrase(void *context, const struct args *args)
{
	AUTO(passphrase_clear) struct buf text = {0};
	struct vault_kdf kdf = {VAULT_KDF_PASSES, VAULT_KDF_MEMORY};
	struct cmd *c = context;
	int exit;

	(void)args;
	if (!cmd_open_vault(c, &exit))
		return exit;
	enum err e = passphrase_read_change(&text);

	if (e == ERR_INVAL || e == ERR_CONFLICT)
		return cmd_fail(
			"mật khẩu mới ngắn quá hoặc hai lần gõ khác nhau; mật khẩu cũ vẫn dùng",
			"the new passphrase is too short or was not typed alike; the old one "
			"stays");
	if (e == ERR_OK)
		e = vault_change_passphrase(c->vault, &kdf, buf_bytes(&text));
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "đổi mật khẩu (mật khẩu cũ vẫn dùng)",
				    "changing the passphrase (the old one stays)");
	cmd_printf("Đã đổi mật khẩu. / The passphrase is changed.\n");
	return ARGS_EXIT_DONE;
}

/* ---- verify ---- */

struct faults {
	size_t count;
	bool has_find; /* C10: what search looks through */
};

static void on_problem(void *arg, const char *invariant, const char *text)
{
	struct faults *f = arg;

	f->count++;
	f->has_find = f->has_find || strcmp(invariant, "C10") == 0;
	cmd_printf("%s: %s\n", invariant, text);
}

/* It is told as a fault, for it means one of this program; nobody has to live with it. */
static enum err mend_find(struct vault *v)
{
	AUTO(vault_rollback) struct vault *txn = NULL;
	enum err e = vault_begin(v);

	if (e != ERR_OK)
		return e;
	txn = v;
	e = vault_find_forget(v);
	return e == ERR_OK ? vault_commit(v) : e;
}

int cmd_verify(void *context, const struct args *args)
{
	struct cmd *c = context;
	struct faults faults = {0};
	int exit;

	(void)args;
	if (!cmd_open_vault(c, &exit))
		return exit;
	enum err e = vault_check_file(c->vault, on_problem, &faults);

	if (e == ERR_CORRUPT) {
		vault_close(MOVE(c->vault));
		return cmd_fail_err(c, e, "kiểm tra", "checking");
	}
	if (e == ERR_OK)
		e = vault_check(c->vault, on_problem, &faults);
	if (e == ERR_OK && faults.has_find)
		e = mend_find(c->vault);
	if (e != ERR_OK && faults.count == 0)
		return cmd_fail_err(c, e, "kiểm tra", "checking");
	if (faults.count != 0)
		return cmd_fail(
			"kho dữ liệu có chỗ sai ở trên; hãy sao chép thư mục và báo văn phòng",
			"the vault has the faults above; copy the folder and tell the office");
	cmd_printf("Kho dữ liệu nguyên vẹn. / The vault is whole.\n");
	return ARGS_EXIT_DONE;
}
