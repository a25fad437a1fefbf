#include "daemon/account.h"

#include "common/model/vntext.h"
#include "daemon/store_sql.h"

enum err account_name(struct bytes text, struct buf *out)
{
	AUTO(buf_clear) struct buf nfc = {0};

	if (text.len == 0 || text.len > ACCOUNT_NAME_MAX || vntext_nfc(text, &nfc) != ERR_OK ||
	    nfc.len > ACCOUNT_NAME_MAX || !vntext_is_clean(buf_bytes(&nfc), false) ||
	    nfc.data[0] == ' ' || nfc.data[nfc.len - 1] == ' ')
		return ERR_INVAL;
	buf_append_bytes(out, buf_bytes(&nfc));
	return ERR_OK;
}

static void bind_password(struct sql *q, int first, const struct password *p)
{
	sql_bind_blob(q, first, bytes_of(p->salt, sizeof p->salt));
	sql_bind_int(q, first + 1, p->passes);
	sql_bind_int(q, first + 2, p->memory);
	sql_bind_blob(q, first + 3, bytes_of(p->hash, sizeof p->hash));
}

static const char query_count[] =
	"SELECT count(*), (SELECT count(*) FROM account WHERE name = ?1) FROM account";

static enum err look_for_room(struct store *s, struct bytes name)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_count, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, name);
	e = sql_run_row(q);
	if (e != ERR_OK)
		return e;
	if (sql_int(q, 1) != 0)
		return ERR_CONFLICT;
	return sql_int(q, 0) < (int64_t)ACCOUNT_MAX ? ERR_OK : ERR_TOOBIG;
}

static const char query_add[] =
	"INSERT INTO account(name, role, is_cleared, must_change, salt, passes, memory, hash,"
	" made_at, changed_at, login_at) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";

static const char query_give[] = "INSERT OR IGNORE INTO account_unit(account, unit) VALUES(?1, ?2)";

static enum err give_units(struct store *s, const struct account *account)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < account->unit_count; i++) {
		AUTO(sql_done) struct sql *q = NULL;

		e = sql_use(s, query_give, &q);
		if (e != ERR_OK)
			return e;
		sql_bind_text(q, 1, account->name);
		sql_bind_int(q, 2, account->units[i]);
		e = sql_run(q);
	}
	return e;
}

static enum err put_row(struct store *s, const struct account *account)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_add, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, account->name);
	sql_bind_text(q, 2, bytes_str(role_name(account->role)));
	sql_bind_int(q, 3, account->is_cleared);
	sql_bind_int(q, 4, account->must_change);
	bind_password(q, 5, &account->password);
	sql_bind_int(q, 9, account->made_ms);
	sql_bind_int(q, 10, account->changed_ms);
	sql_bind_int(q, 11, account->login_ms);
	return sql_run(q);
}

enum err account_add(struct store *s, const struct account *account)
{
	enum err e = look_for_room(s, account->name);

	if (e == ERR_OK)
		e = put_row(s, account);
	return e == ERR_OK ? give_units(s, account) : e;
}

#define COLUMNS                                                             \
	"SELECT name, role, is_cleared, must_change, salt, passes, memory," \
	" hash, made_at, changed_at, login_at FROM account "

static const char query_load[] = COLUMNS "WHERE name = ?1";
static const char query_list[] = COLUMNS "ORDER BY name";

static enum err read_password(struct sql *q, int first, struct password *ret_password)
{
	struct bytes salt = sql_blob(q, first);
	struct bytes hash = sql_blob(q, first + 3);
	struct password p = {.passes = sql_int(q, first + 1), .memory = sql_int(q, first + 2)};

	if (salt.len != sizeof p.salt || hash.len != sizeof p.hash || p.passes <= 0 ||
	    p.memory <= 0)
		return err_raise(ERR_CORRUPT, "a password in table account");
	memcpy(p.salt, salt.data, sizeof p.salt);
	memcpy(p.hash, hash.data, sizeof p.hash);
	*ret_password = p;
	return ERR_OK;
}

static const char query_units[] =
	"SELECT unit FROM account_unit WHERE account = ?1 ORDER BY unit LIMIT ?2";

static enum err load_units(struct store *s, struct arena *a, struct account *account)
{
	AUTO(sql_done) struct sql *q = NULL;
	int64_t *units = arena_alloc_array(a, ACCOUNT_UNITS, sizeof *units);
	bool is_row = false;
	enum err e = sql_use(s, query_units, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, account->name);
	sql_bind_int(q, 2, ACCOUNT_UNITS);
	account->units = units;
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row)
		units[account->unit_count++] = sql_int(q, 0);
	return e;
}

static enum err read_row(struct sql *q, struct arena *a, struct account *ret_account)
{
	struct account account = {
		.is_cleared = sql_int(q, 2) != 0,
		.must_change = sql_int(q, 3) != 0,
		.made_ms = sql_int(q, 8),
		.changed_ms = sql_int(q, 9),
		.login_ms = sql_int(q, 10),
	};
	enum err e = read_password(q, 4, &account.password);

	if (e != ERR_OK)
		return e;
	/* A role that this version does not know gives no rights at all. */
	if (!role_parse(sql_text(q, 1), &account.role))
		return err_raise(ERR_CORRUPT, "role %.*s", BYTES_FMT(sql_text(q, 1)));
	account.name = sql_text_copy(q, 0, a);
	*ret_account = account;
	return ERR_OK;
}

enum err account_load(struct store *s, struct arena *a, struct bytes name,
		      struct account *ret_account)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_load, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, name);
	e = sql_run_row(q);
	if (e == ERR_OK)
		e = read_row(q, a, ret_account);
	return e == ERR_OK ? load_units(s, a, ret_account) : e;
}

enum err account_list(struct store *s, struct arena *a, struct account **ret_accounts,
		      size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct account *accounts = arena_alloc_array(a, ACCOUNT_MAX, sizeof *accounts);
	size_t count = 0;
	bool is_row = false;
	enum err e = sql_use(s, query_list, &q);

	while (e == ERR_OK && count < ACCOUNT_MAX && (e = sql_step(q, &is_row)) == ERR_OK && is_row)
		e = read_row(q, a, &accounts[count++]);
	for (size_t i = 0; e == ERR_OK && i < count; i++)
		e = load_units(s, a, &accounts[i]);
	if (e != ERR_OK)
		return e;
	*ret_accounts = accounts;
	*ret_count = count;
	return ERR_OK;
}

/* What changes exactly one account. */
static enum err run_on_one(struct store *s, struct sql *q)
{
	enum err e = sql_run(q);

	if (e != ERR_OK)
		return e;
	return sql_changed_rows(s) == 1 ? ERR_OK : ERR_NOTFOUND;
}

static const char query_password[] =
	"UPDATE account SET must_change = ?2, salt = ?3, passes = ?4, memory = ?5, hash = ?6,"
	" changed_at = ?7 WHERE name = ?1";

enum err account_set_password(struct store *s, struct bytes name, const struct password *password,
			      bool must_change, int64_t now_ms)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_password, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, name);
	sql_bind_int(q, 2, must_change);
	bind_password(q, 3, password);
	sql_bind_int(q, 7, now_ms);
	return run_on_one(s, q);
}

static const char query_login[] = "UPDATE account SET login_at = ?2 WHERE name = ?1";

enum err account_note_login(struct store *s, struct bytes name, int64_t now_ms)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_login, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, name);
	sql_bind_int(q, 2, now_ms);
	return run_on_one(s, q);
}

static const char query_take[] = "DELETE FROM account_unit WHERE account = ?1";

static enum err take_units(struct store *s, struct bytes name)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_take, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, name);
	return sql_run(q);
}

enum err account_set_units(struct store *s, const struct account *account)
{
	enum err e = take_units(s, account->name);

	return e == ERR_OK ? give_units(s, account) : e;
}

static const char query_role[] = "UPDATE account SET role = ?2 WHERE name = ?1";

enum err account_set_role(struct store *s, struct bytes name, enum role role)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_role, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, name);
	sql_bind_text(q, 2, bytes_str(role_name(role)));
	return run_on_one(s, q);
}

static const char query_remove[] = "DELETE FROM account WHERE name = ?1";

enum err account_remove(struct store *s, struct bytes name)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = take_units(s, name);

	if (e == ERR_OK)
		e = sql_use(s, query_remove, &q);
	if (e != ERR_OK)
		return e;
	sql_bind_text(q, 1, name);
	return run_on_one(s, q);
}
