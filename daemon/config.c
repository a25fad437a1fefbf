#define LOG_TAG "config"

#include "daemon/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "common/base/crypt.h"
#include "common/base/mem.h"

#define PATH_MAX_LEN 4096u
#define COUNT_MAX    1000000
#define DAY_MS       INT64_C(86400000)
#define GIB          (INT64_C(1) << 30)

enum key_kind {
	KEY_TEXT,
	KEY_LIST,     /* `listen` */
	KEY_DURATION, /* ms */
	KEY_SIZE,     /* bytes */
	KEY_COUNT,
};

struct key {
	const char *name;
	enum key_kind kind;
	bool is_fixed; /* only a restart changes it */
	size_t offset;
	int64_t min;
	int64_t max;
	int64_t preset;
};

#define AT(member) offsetof(struct config, member)

/* clang-format off */
static const struct key keys[] = {
	{"listen",          KEY_LIST,     true,  AT(listen), 0, 0, 0},
	{"admin_socket",    KEY_TEXT,     true,  AT(admin_socket), 0, 0, 0},
	{"console_listen",  KEY_TEXT,     true,  AT(console_listen), 0, 0, 0},
	{"public_address",  KEY_TEXT,     true,  AT(public_address), 0, 0, 0},
	{"schema",          KEY_TEXT,     false, AT(schema), 0, 0, 0},
	{"web",             KEY_TEXT,     true,  AT(web), 0, 0, 0},
	{"web_libraries",   KEY_TEXT,     true,  AT(web_libraries), 0, 0, 0},
	{"tls_certificate", KEY_TEXT,     false, AT(tls_certificate), 0, 0, 0},
	{"tls_key",         KEY_TEXT,     false, AT(tls_key), 0, 0, 0},
	{"log_level",       KEY_TEXT,     true,  AT(log_level), 0, 0, 0},
	{"clock_tolerance", KEY_DURATION, false, AT(clock_tolerance_ms), 0, DAY_MS, 300000},
	{"backup.folder",    KEY_TEXT,     false, AT(backup.folder), 0, 0, 0},
	{"backup.recipient", KEY_TEXT,     false, AT(backup.recipient), 0, 0, 0},
	{"backup.every",     KEY_DURATION, false, AT(backup.every_ms), 0, 30 * DAY_MS, DAY_MS},
	{"backup.keep_days",   KEY_COUNT, false, AT(backup.keep_days), 0, 3660, 14},
	{"backup.keep_weeks",  KEY_COUNT, false, AT(backup.keep_weeks), 0, 520, 8},
	{"backup.keep_months", KEY_COUNT, false, AT(backup.keep_months), 0, 1200, 24},
	{"alert.hour",           KEY_COUNT,    false, AT(alert.hour), 0, 23, 7},
	{"alert.folder",         KEY_TEXT,     false, AT(alert.folder), 0, 0, 0},
	{"alert.keep",           KEY_COUNT,    false, AT(alert.keep), 0, 3660, 60},
	{"alert.mail_to",        KEY_TEXT,     false, AT(alert.mail_to), 0, 0, 0},
	{"alert.mail_from",      KEY_TEXT,     false, AT(alert.mail_from), 0, 0, 0},
	{"alert.mail_by",        KEY_TEXT,     false, AT(alert.mail_by), 0, 0, 0},
	{"alert.webhook",        KEY_TEXT,     false, AT(alert.webhook), 0, 0, 0},
	{"alert.webhook_secret", KEY_TEXT,     false, AT(alert.webhook_secret), 0, 0, 0},
	{"alert.webhook_ca",     KEY_TEXT,     false, AT(alert.webhook_ca), 0, 0, 0},
	{"alert.urgent_every",   KEY_DURATION, false, AT(alert.urgent_every_ms), 0, 30 * DAY_MS, DAY_MS / 2},
	{"alert.quiet",          KEY_DURATION, false, AT(alert.quiet_ms), 0, 3660 * DAY_MS, 30 * DAY_MS},
	{"alert.backup_age",     KEY_DURATION, false, AT(alert.backup_age_ms), 0, 3660 * DAY_MS, 2 * DAY_MS},
	{"alert.disk_free",      KEY_SIZE,     false, AT(alert.disk_free), 0, 1024 * GIB, 2 * GIB},
	{"alert.missing",        KEY_COUNT,    false, AT(alert.missing), 0, COUNT_MAX, 1},
	{"alert.quarantine",     KEY_COUNT,    false, AT(alert.quarantine), 0, COUNT_MAX, 1},
	{"alert.conflicts",      KEY_COUNT,    false, AT(alert.conflicts), 0, COUNT_MAX, 1},
	{"alert.clocks",         KEY_COUNT,    false, AT(alert.clocks), 0, COUNT_MAX, 1},
	{"alert.devices",        KEY_COUNT,    false, AT(alert.devices), 0, COUNT_MAX, 1},
	{"alert.placing",        KEY_COUNT,    false, AT(alert.placing), 0, COUNT_MAX, 1},
	{"limits.connections", KEY_COUNT, true, AT(limits.connections), 1, COUNT_MAX, 4096},
	{"limits.connections_per_address", KEY_COUNT, false, AT(limits.connections_per_address), 1, COUNT_MAX, 200},
	{"limits.body_budget", KEY_SIZE,     false, AT(limits.body_budget), 1 << 20, 64 * GIB, 64 << 20},
	{"limits.header",      KEY_DURATION, false, AT(limits.header_ms), 100, 600000, 20000},
	{"limits.body",        KEY_DURATION, false, AT(limits.body_ms), 100, 3600000, 60000},
	{"limits.idle",        KEY_DURATION, false, AT(limits.idle_ms), 100, 3600000, 75000},
	{"limits.answer",      KEY_DURATION, false, AT(limits.answer_ms), 100, 3600000, 60000},
	{"limits.enrol_per_minute",   KEY_COUNT, false, AT(limits.enrol_per_minute), 1, COUNT_MAX, 5},
	{"limits.enrol_per_hour",     KEY_COUNT, false, AT(limits.enrol_per_hour), 1, COUNT_MAX, 20000},
	{"limits.refused_per_minute", KEY_COUNT, false, AT(limits.refused_per_minute), 0, COUNT_MAX, 6},
	{"limits.refused_per_hour",   KEY_COUNT, false, AT(limits.refused_per_hour), 0, COUNT_MAX, 2000},
	{"limits.queue",       KEY_COUNT,    false, AT(limits.queue), 1, COUNT_MAX, 4096},
	{"limits.wait",        KEY_DURATION, true,  AT(limits.wait_ms), 100, 3600000, 20000},
	{"limits.group_jobs",  KEY_COUNT,    true,  AT(limits.group_jobs), 1, 10000, 256},
	{"limits.group_time",  KEY_DURATION, true,  AT(limits.group_ms), 0, 10000, 50},
	{"limits.wal_pages",   KEY_COUNT,    true,  AT(limits.wal_pages), 100, COUNT_MAX, 4000},
	{"limits.disk_free",   KEY_SIZE,     false, AT(limits.disk_free), 0, 1024 * GIB, 512 << 20},
	{"limits.readers",     KEY_COUNT,    true,  AT(limits.readers), 1, 64, 4},
	{"limits.login_idle",  KEY_DURATION, false, AT(limits.login_idle_ms), 1000, DAY_MS, 1800000},
	{"limits.login_life",  KEY_DURATION, false, AT(limits.login_life_ms), 1000, 30 * DAY_MS, 43200000},
};
/* clang-format on */

#define KEY_TOTAL (sizeof keys / sizeof keys[0])

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
	{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", DAY_MS}, {NULL, 0},
};
static const struct unit size_units[] = {
	{"", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", GIB}, {NULL, 0},
};
static const struct unit count_units[] = {{"", 1}, {NULL, 0}};

static char **text_at(struct config *c, const struct key *k)
{
	return (char **)(void *)((char *)c + k->offset);
}

static int64_t *number_at(struct config *c, const struct key *k)
{
	return (int64_t *)(void *)((char *)c + k->offset);
}

struct config *config_new(void)
{
	struct config *c = mem_alloc_zero(sizeof *c);

	for (size_t i = 0; i < KEY_TOTAL; i++)
		if (keys[i].kind != KEY_TEXT && keys[i].kind != KEY_LIST)
			*number_at(c, &keys[i]) = keys[i].preset;
	return c;
}

void config_free(struct config *c)
{
	for (size_t i = 0; i < KEY_TOTAL; i++)
		if (keys[i].kind == KEY_TEXT)
			mem_free(*text_at(c, &keys[i]));
	for (size_t i = 0; i < c->listen_count; i++)
		mem_free(c->listen[i]);
	mem_free(c);
}

static const struct key *find(const char *name)
{
	for (size_t i = 0; i < KEY_TOTAL; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static const struct unit *units_of(enum key_kind kind)
{
	switch (kind) {
	case KEY_DURATION: return duration_units;
	case KEY_SIZE: return size_units;
	case KEY_TEXT:
	case KEY_LIST:
	case KEY_COUNT: break;
	}
	return count_units;
}

static bool read_number(const struct key *k, const char *text, int64_t *ret_number)
{
	char *end = NULL;
	long long number;
	int64_t value;

	/* strtoll would take "-5", "+5" and leading blanks. */
	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0)
		return false;
	for (const struct unit *u = units_of(k->kind); u->name != NULL; u++) {
		if (strcmp(u->name, end) != 0)
			continue;
		if (__builtin_mul_overflow((int64_t)number, u->factor, &value))
			return false;
		if (value < k->min || value > k->max)
			return false;
		*ret_number = value;
		return true;
	}
	return false;
}

static enum err set_list(struct config *c, const struct key *k, const char *value,
			 char ret_error[CONFIG_ERROR_LEN])
{
	if (c->listen_count == CONFIG_LISTEN_MAX) {
		snprintf(ret_error, CONFIG_ERROR_LEN, "%s: more than %u", k->name,
			 CONFIG_LISTEN_MAX);
		return err_raise(ERR_INVAL, "%s", ret_error);
	}
	c->listen[c->listen_count++] = mem_strdup(value);
	return ERR_OK;
}

static bool is_right_text(const struct key *k, const char *value, const char **ret_why)
{
	struct box_public recipient;

	*ret_why = "empty or too long";
	if (value[0] == '\0' || strlen(value) >= PATH_MAX_LEN)
		return false;
	*ret_why = "64 hex digits are wanted, as `ctxhctl backup keygen` prints them";
	return k->offset != AT(backup.recipient) ||
	       box_public_parse(bytes_str(value), &recipient) == ERR_OK;
}

enum err config_set(struct config *c, const char *key, const char *value,
		    char ret_error[CONFIG_ERROR_LEN])
{
	const struct key *k = find(key);

	if (k == NULL) {
		snprintf(ret_error, CONFIG_ERROR_LEN, "%.100s: unknown key", key);
		return err_raise(ERR_NOTFOUND, "%s", ret_error);
	}
	if (k->kind == KEY_TEXT || k->kind == KEY_LIST) {
		const char *why;

		if (!is_right_text(k, value, &why)) {
			snprintf(ret_error, CONFIG_ERROR_LEN, "%s: %s", key, why);
			return err_raise(ERR_INVAL, "%s", ret_error);
		}
		if (k->kind == KEY_LIST)
			return set_list(c, k, value, ret_error);
		mem_free(*text_at(c, k));
		*text_at(c, k) = mem_strdup(value);
		return ERR_OK;
	}
	if (!read_number(k, value, number_at(c, k))) {
		snprintf(ret_error, CONFIG_ERROR_LEN,
			 "%s: '%.100s' is not allowed (%lld to %lld%s)", key, value,
			 (long long)k->min, (long long)k->max,
			 k->kind == KEY_DURATION ? " ms" : "");
		return err_raise(ERR_INVAL, "%s", ret_error);
	}
	return ERR_OK;
}

/* ---- the file ---- */

struct reading {
	struct config *c;
	yaml_document_t *doc;
	const char *path;
	const char *prefix; /* "", "alert.", "backup." or "limits." */
	bool seen[KEY_TOTAL];
	char *error; /* CONFIG_ERROR_LEN */
};

static enum err wrong(const struct reading *r, const yaml_mark_t *at, const char *what)
{
	snprintf(r->error, CONFIG_ERROR_LEN, "%.200s:%zu: %.250s", r->path, at->line + 1, what);
	return err_raise(ERR_INVAL, "%s", r->error);
}

static const char *scalar(const yaml_node_t *n)
{
	/* A NUL inside would hide the rest from everything that follows. */
	if (n == NULL || n->type != YAML_SCALAR_NODE ||
	    strlen((const char *)n->data.scalar.value) != n->data.scalar.length)
		return NULL;
	return (const char *)n->data.scalar.value;
}

static enum err set_at(struct reading *r, const yaml_node_t *at, const char *key, const char *value)
{
	char why[CONFIG_ERROR_LEN];
	char what[CONFIG_ERROR_LEN + 64];

	if (value == NULL) {
		snprintf(what, sizeof what, "%.100s: one value is wanted", key);
		return wrong(r, &at->start_mark, what);
	}
	if (config_set(r->c, key, value, why) != ERR_OK)
		return wrong(r, &at->start_mark, why);
	return ERR_OK;
}

static enum err set_sequence(struct reading *r, const yaml_node_t *node, const struct key *k)
{
	enum err e = ERR_OK;

	if (k->kind != KEY_LIST)
		return set_at(r, node, k->name, NULL);
	for (yaml_node_item_t *i = node->data.sequence.items.start;
	     i < node->data.sequence.items.top && e == ERR_OK; i++)
		e = set_at(r, node, k->name, scalar(yaml_document_get_node(r->doc, *i)));
	return e;
}

static enum err set_pair(struct reading *r, const yaml_node_t *name, const yaml_node_t *value)
{
	char key[128];
	char what[CONFIG_ERROR_LEN];
	const struct key *k;

	snprintf(key, sizeof key, "%s%s", r->prefix, scalar(name) != NULL ? scalar(name) : "?");
	k = find(key);
	if (k == NULL) {
		snprintf(what, sizeof what, "%.100s: unknown key", key);
		return wrong(r, &name->start_mark, what);
	}
	if (r->seen[k - keys]) {
		snprintf(what, sizeof what, "%.100s: given twice", key);
		return wrong(r, &name->start_mark, what);
	}
	r->seen[k - keys] = true;
	if (value->type == YAML_SEQUENCE_NODE)
		return set_sequence(r, value, k);
	return set_at(r, value, key, scalar(value));
}

static bool is_group(const char *name)
{
	static const char *const groups[] = {"alert", "backup", "limits"};

	for (size_t i = 0; name != NULL && i < sizeof groups / sizeof groups[0]; i++)
		if (strcmp(name, groups[i]) == 0)
			return true;
	return false;
}

/* Not recursive: groups are one level deep, and the prefix says whether we are in one. */
static enum err read_group(struct reading *r, const yaml_node_t *map)
{
	enum err e = ERR_OK;

	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top && e == ERR_OK; p++)
		e = set_pair(r, yaml_document_get_node(r->doc, p->key),
			     yaml_document_get_node(r->doc, p->value));
	return e;
}

static enum err read_top(struct reading *r, const yaml_node_t *map)
{
	enum err e = ERR_OK;

	for (yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < map->data.mapping.pairs.top && e == ERR_OK; p++) {
		const yaml_node_t *name = yaml_document_get_node(r->doc, p->key);
		const yaml_node_t *value = yaml_document_get_node(r->doc, p->value);
		char prefix[16];

		if (!is_group(scalar(name)) || value->type != YAML_MAPPING_NODE) {
			e = set_pair(r, name, value);
			continue;
		}
		snprintf(prefix, sizeof prefix, "%s.", scalar(name));
		r->prefix = prefix;
		e = read_group(r, value);
		r->prefix = "";
	}
	return e;
}

static enum err read_document(struct config *c, yaml_document_t *doc, const char *path, char *error)
{
	struct reading r = {.c = c, .doc = doc, .path = path, .prefix = "", .error = error};
	const yaml_node_t *root = yaml_document_get_root_node(doc);

	if (root == NULL)
		return ERR_OK; /* an empty file: the defaults */
	if (root->type != YAML_MAPPING_NODE)
		return wrong(&r, &root->start_mark, "'key: value' lines are wanted");
	return read_top(&r, root);
}

enum err config_read(struct config *c, const char *path, char ret_error[CONFIG_ERROR_LEN])
{
	FILE *file = fopen(path, "re");
	yaml_parser_t parser;
	yaml_document_t doc;
	enum err e;

	if (file == NULL) {
		snprintf(ret_error, CONFIG_ERROR_LEN, "%s: %s", path, strerror(errno));
		return err_raise(ERR_NOTFOUND, "%s", ret_error);
	}
	if (yaml_parser_initialize(&parser) == 0) {
		fclose(file);
		return err_raise(ERR_IO, "libyaml does not start");
	}
	yaml_parser_set_input_file(&parser, file);
	if (yaml_parser_load(&parser, &doc) != 0) {
		e = read_document(c, &doc, path, ret_error);
		yaml_document_delete(&doc);
	} else {
		snprintf(ret_error, CONFIG_ERROR_LEN, "%s:%zu: %s", path,
			 parser.problem_mark.line + 1,
			 parser.problem != NULL ? parser.problem : "not YAML");
		e = err_raise(ERR_INVAL, "%s", ret_error);
	}
	yaml_parser_delete(&parser);
	fclose(file);
	return e;
}

/* They stand in a header of a mail: whatever could end its line must not be in them. */
static bool is_address_list(const char *text)
{
	for (const char *p = text; *p != '\0'; p++) {
		if (*p <= ' ' || *p > '~' || strchr("<>()[]\\\";:", *p) != NULL)
			return false;
		if (*p == ',' && (p == text || p[1] == ',' || p[1] == '\0'))
			return false;
	}
	return true;
}

static bool is_mailer(const char *text)
{
	return text[0] == '/' || (strncmp(text, "smtp://", 7) == 0 && text[7] != '\0');
}

static enum err check_alert(const struct config_alert *a, char ret_error[CONFIG_ERROR_LEN])
{
	const char *what = NULL;

	if (a->mail_to != NULL && !is_address_list(a->mail_to))
		what = "alert.mail_to: addresses with commas between them are wanted, no blanks";
	else if (a->mail_from != NULL &&
		 (!is_address_list(a->mail_from) || strchr(a->mail_from, ',') != NULL))
		what = "alert.mail_from: one address is wanted";
	else if (a->mail_by != NULL && !is_mailer(a->mail_by))
		what = "alert.mail_by: the path of a sendmail program, or smtp://HOST:PORT";
	else if (a->webhook != NULL && strncmp(a->webhook, "https://", 8) != 0)
		what = "alert.webhook: an address that begins with https:// is wanted";
	if (what == NULL)
		return ERR_OK;
	snprintf(ret_error, CONFIG_ERROR_LEN, "%s", what);
	return err_raise(ERR_INVAL, "%s", what);
}

enum err config_finish(struct config *c, char ret_error[CONFIG_ERROR_LEN])
{
	c->has_listen = c->listen_count != 0;
	if (!c->has_listen)
		c->listen[c->listen_count++] = mem_strdup("127.0.0.1:8443");
	if ((c->tls_certificate == NULL) != (c->tls_key == NULL)) {
		snprintf(ret_error, CONFIG_ERROR_LEN,
			 "tls_certificate and tls_key: one without the other");
		return err_raise(ERR_INVAL, "%s", ret_error);
	}
	if (c->log_level == NULL)
		c->log_level = mem_strdup("notice");
	return check_alert(&c->alert, ret_error);
}

static bool text_differs(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return a != b;
	return strcmp(a, b) != 0;
}

static bool list_differs(const struct config *a, const struct config *b)
{
	if (a->listen_count != b->listen_count)
		return true;
	for (size_t i = 0; i < a->listen_count; i++)
		if (strcmp(a->listen[i], b->listen[i]) != 0)
			return true;
	return false;
}

static bool differs(const struct key *k, const struct config *a, const struct config *b)
{
	const char *in_a = (const char *)a + k->offset;
	const char *in_b = (const char *)b + k->offset;

	switch (k->kind) {
	case KEY_LIST: return list_differs(a, b);
	case KEY_TEXT:
		return text_differs(*(char *const *)(const void *)in_a,
				    *(char *const *)(const void *)in_b);
	case KEY_DURATION:
	case KEY_SIZE:
	case KEY_COUNT: break;
	}
	return memcmp(in_a, in_b, sizeof(int64_t)) != 0;
}

bool config_listens_at(const struct config *c, const char *in_use)
{
	for (size_t i = 0; i < c->listen_count; i++) {
		size_t len = strlen(c->listen[i]);

		if (strncmp(in_use, c->listen[i], len) != 0 || in_use[len] != '\n')
			return false;
		in_use += len + 1;
	}
	return *in_use == '\0';
}

const char *config_needs_restart(const struct config *old, const struct config *new,
				 const char *in_use)
{
	for (size_t i = 0; i < KEY_TOTAL; i++)
		if (keys[i].is_fixed && differs(&keys[i], old, new) &&
		    !(keys[i].kind == KEY_LIST && config_listens_at(new, in_use)))
			return keys[i].name;
	return NULL;
}
