#include "client/cmd.h"
#include "client/view.h"
#include "proto/msg.h"

static const struct table_column columns[] = {
	{.key = "at", .label_vi = "Lúc", .label_en = "At"},
	{.key = "number",
	 .label_vi = "Đã nhận đến số",
	 .label_en = "Received up to",
	 .type = TABLE_INT},
	{.key = "backed_up",
	 .label_vi = "Đã sao lưu đến số",
	 .label_en = "Backed up to",
	 .type = TABLE_INT},
	{.key = "log", .label_vi = "Số nhật ký", .label_en = "Log number", .type = TABLE_INT},
	{.key = "device", .label_vi = "Thiết bị", .label_en = "Device", .type = TABLE_INT},
	{.key = "epoch", .label_vi = "Kỷ nguyên", .label_en = "Epoch"},
	{.key = "chain", .label_vi = "Đầu chuỗi", .label_en = "Chain head"},
	{.key = "signed",
	 .label_vi = "Chữ ký đúng",
	 .label_en = "Signature holds",
	 .type = TABLE_BOOL},
	{.key = "receipt", .label_vi = "Biên nhận", .label_en = "Receipt"},
};

/* On paper and screen: what a person compares with the office. */
static const struct table_column people_columns[] = {
	{.key = "at", .label_vi = "Lúc", .label_en = "At", .is_whole = true},
	{.key = "number", .label_vi = "Đã nhận đến", .label_en = "Received to", .is_whole = true},
	{.key = "backed_up",
	 .label_vi = "Đã sao lưu đến",
	 .label_en = "Backed up to",
	 .is_whole = true},
	{.key = "log", .label_vi = "Nhật ký", .label_en = "Log", .is_whole = true},
	{.key = "chain", .label_vi = "Đầu chuỗi", .label_en = "Chain head", .is_whole = true},
	{.key = "signed", .label_vi = "Chữ ký", .label_en = "Signature", .is_whole = true},
};

struct listing {
	struct cmd *cmd;
	struct table *table;
	struct sign_public key;
	size_t wrong;
};

static struct bytes hex(struct cmd *c, const uint8_t *bytes, size_t len)
{
	char *text = arena_alloc(&c->arena, len * 2 + 1);

	hex_print(bytes, len, text);
	return bytes_of(text, len * 2);
}

static void add_for_people(struct listing *l, const struct msg_receipt *m, bool is_signed)
{
	struct arena *a = &l->cmd->arena;
	char at[VIEW_TIME_LEN];

	view_time(m->at_ms, at);
	table_add(l->table,
		  (const struct value[]){
			  value_text(arena_copy(a, bytes_str(at))),
			  value_text(arena_printf(a, "%llu", (unsigned long long)m->number)),
			  value_text(arena_printf(a, "%llu", (unsigned long long)m->backed_up)),
			  value_text(arena_printf(a, "%llu", (unsigned long long)m->log)),
			  value_text(hex(l->cmd, m->chain.bytes, 8)),
			  value_text(is_signed ? BYTES_LIT("đúng") : BYTES_LIT("SAI")),
		  });
}

static void add_for_programs(struct listing *l, const struct msg_receipt *m, struct bytes wire,
			     bool is_signed)
{
	char at[CLOCK_ISO_LEN];
	char epoch[ID_HEX_LEN];

	clock_print_iso(m->at_ms, at);
	id_print(&m->epoch, epoch);
	table_add(l->table, (const struct value[]){
				    value_text(arena_copy(&l->cmd->arena, bytes_str(at))),
				    value_int((int64_t)m->number),
				    value_int((int64_t)m->backed_up),
				    value_int((int64_t)m->log),
				    value_int(m->device),
				    value_text(arena_copy(&l->cmd->arena, bytes_str(epoch))),
				    value_text(hex(l->cmd, m->chain.bytes, HASH_LEN)),
				    value_bool(is_signed),
				    value_text(hex(l->cmd, wire.data, wire.len)),
			    });
}

static enum err on_receipt(void *arg, struct bytes wire)
{
	struct listing *l = arg;
	struct msg_receipt m;
	bool is_signed = true;
	enum err e = msg_receipt_decode(&l->cmd->arena, wire, &l->key, &m);

	if (e == ERR_AUTH) {
		is_signed = false;
		l->wrong++;
		e = msg_receipt_decode(&l->cmd->arena, wire, NULL, &m);
	}
	if (e != ERR_OK)
		return err_raise(ERR_CORRUPT, "a receipt on this disk cannot be read");
	if (l->cmd->format == TABLE_TABLE)
		add_for_people(l, &m, is_signed);
	else
		add_for_programs(l, &m, wire, is_signed);
	return ERR_OK;
}

static enum err load_key(struct cmd *c, struct sign_public *ret_key)
{
	struct vault_identity identity;
	enum err e = vault_identity_load(c->vault, &c->arena, &identity);

	if (e != ERR_OK)
		return e;
	crypt_wipe(identity.seed, sizeof identity.seed);
	*ret_key = identity.daemon_key;
	return ERR_OK;
}

int cmd_receipts(void *context, const struct args *args)
{
	AUTO(table_clear) struct table t = {0};
	struct cmd *c = context;
	struct listing l = {.cmd = c, .table = &t};
	enum err e;
	int exit;

	(void)args;
	if (!cmd_read_format(c, &exit) || !cmd_open_vault(c, &exit))
		return exit;
	if (!cmd_is_enrolled(c))
		return cmd_fail_unenrolled();
	if (c->format == TABLE_TABLE)
		table_init(&t, people_columns, sizeof people_columns / sizeof *people_columns);
	else
		table_init(&t, columns, sizeof columns / sizeof *columns);
	e = load_key(c, &l.key);
	if (e == ERR_OK)
		e = vault_receipt_each(c->vault, on_receipt, &l);
	if (e != ERR_OK)
		return cmd_fail_err(c, e, "đọc biên nhận", "reading the receipts");
	cmd_print_table(c, &t);
	if (l.wrong == 0)
		return ARGS_EXIT_DONE;
	return cmd_fail("có biên nhận không mang chữ ký của văn phòng; hãy báo người quản trị",
			"a receipt does not bear the office's signature; tell the administrator");
}
