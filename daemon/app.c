#define LOG_TAG "app"

#include "daemon/app.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/alert_sender.h"
#include "daemon/backup.h"
#include "daemon/console.h"
#include "daemon/disk.h"
#include "daemon/enrol.h"
#include "daemon/events.h"
#include "daemon/handle.h"
#include "daemon/listen.h"
#include "daemon/loop.h"
#include "daemon/metrics.h"
#include "daemon/notify.h"
#include "daemon/peers.h"
#include "daemon/rebuild.h"
#include "daemon/registry.h"
#include "daemon/reload.h"
#include "daemon/route.h"
#include "daemon/session.h"
#include "daemon/store.h"
#include "daemon/store_before.h"
#include "daemon/sweep.h"
#include "daemon/tls.h"
#include "daemon/trend.h"
#include "daemon/writer.h"

#define PASSED_MAX  16u
#define STORE_FILE  "ctxhd.db"
#define LISTEN_FILE "listen"

const char *app_schema_folder(const struct config *c)
{
	struct stat st;

	if (c->schema != NULL)
		return c->schema;
	/* Not installed: a build in the source tree. */
	if (stat(CTXH_SCHEMA_INSTALLED, &st) == 0)
		return CTXH_SCHEMA_INSTALLED;
	return CTXH_SCHEMA_SOURCE;
}

static const char *web_folder(const struct config *c)
{
	struct stat st;

	if (c->web != NULL)
		return c->web;
	if (stat(CTXH_WEB_INSTALLED, &st) == 0)
		return CTXH_WEB_INSTALLED;
	return CTXH_WEB_SOURCE;
}

const char *app_in_use(const struct app *app)
{
	return app->in_use.data != NULL ? (const char *)app->in_use.data : "";
}

static enum err load_schema(const struct config *c, struct schema **ret_schema,
			    char ret_error[CONFIG_ERROR_LEN])
{
	char error[SCHEMA_ERROR_LEN] = "";
	AUTO(schema_free) struct schema *schema = NULL;
	enum err e = schema_load_folder(app_schema_folder(c), &schema, error);

	if (e == ERR_OK)
		e = store_check_schema(schema, error);
	if (e != ERR_OK)
		snprintf(ret_error, CONFIG_ERROR_LEN, "%s", error);
	else
		*ret_schema = MOVE(schema);
	return e;
}

enum err app_check(const struct cmdline *args, char ret_error[CONFIG_ERROR_LEN])
{
	AUTO(config_free) struct config *c = NULL;
	AUTO(schema_free) struct schema *schema = NULL;
	AUTO(tls_pair_free) struct tls_pair *pair = NULL;
	uint8_t pin[INVITATION_PIN_LEN];
	enum err e = cmdline_settings(args, &c, ret_error);

	if (e == ERR_OK)
		e = load_schema(c, &schema, ret_error);
	if (e == ERR_OK && c->tls_certificate != NULL) {
		e = tls_read(c->tls_certificate, c->tls_key, &pair, pin);
		if (e != ERR_OK)
			snprintf(ret_error, CONFIG_ERROR_LEN, "%s", log_last_detail());
	}
	return e;
}

/* ---- start: the store ---- */

/* What the store remembers of itself must be what the folder says it is. */
static enum err agree_on_daemon(struct app *app, struct store *store)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes kept;
	enum err e = store_get_setting(store, &a, "daemon", &kept);

	if (e == ERR_NOTFOUND)
		return store_put_setting(store, "daemon", bytes_of(app->ctx.daemon.bytes, ID_LEN));
	if (e != ERR_OK)
		return e;
	if (kept.len != ID_LEN || memcmp(kept.data, app->ctx.daemon.bytes, ID_LEN) != 0)
		return err_raise(ERR_CONFLICT,
				 "%s: the store belongs to another daemon; bring its id, sign.key, "
				 "tls.key and tls.crt here too",
				 app->args->state);
	return ERR_OK;
}

static enum err agree_on_epoch(struct app *app, struct store *store)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes kept;
	enum err e = store_get_setting(store, &a, "epoch", &kept);

	if (e == ERR_OK && kept.len != ID_LEN)
		return err_raise(ERR_CORRUPT, "epoch has %zu bytes", kept.len);
	if (e == ERR_OK)
		memcpy(app->ctx.epoch.bytes, kept.data, ID_LEN);
	if (e != ERR_NOTFOUND)
		return e;
	app->ctx.epoch = id_new(app->ctx.clock, app->ctx.rand);
	return store_put_setting(store, "epoch", bytes_of(app->ctx.epoch.bytes, ID_LEN));
}

static enum err agree(struct app *app, struct store *store)
{
	enum err e = agree_on_daemon(app, store);

	if (e == ERR_OK)
		e = agree_on_epoch(app, store);
	if (e == ERR_OK)
		e = enrol_office(&app->ctx, store);
	return e;
}

static enum err mend(struct app *app, struct store *store)
{
	return session_mend(store, clock_wall_ms(app->ctx.clock));
}

static enum err in_transaction(struct app *app, struct store *store,
			       enum err (*work)(struct app *app, struct store *store))
{
	enum err e = store_begin(store);

	if (e != ERR_OK)
		return e;
	e = work(app, store);
	if (e == ERR_OK)
		return store_commit(store);
	store_rollback(store);
	return e;
}

/* Only the first start must write. With a full disk a later one serves all the same: devices
 * can read, and administrators can see what is wrong. */
static enum err prepare_store(struct app *app, struct store *store)
{
	enum err e = in_transaction(app, store, agree);

	if (e != ERR_OK)
		return e;
	e = in_transaction(app, store, mend);
	if (e != ERR_FULL)
		return e;
	log_warn("unmended error=FULL effect=\"interrupted sessions stay open in the log\"");
	return ERR_OK;
}

/* What a step alters cannot be had back, so a verified copy comes first: store_before.h. */
static enum err keep_before_upgrade(const char *path)
{
	struct store_before before;
	enum err e = store_keep_before(path, &before);

	if (e == ERR_OK && before.is_kept)
		log_notice("upgrade store from=%" PRIu64 " to=%" PRIu64 " kept=%s", before.from,
			   before.to, before.path);
	return e;
}

static enum err open_store(struct app *app, struct store **ret_store)
{
	AUTO(store_close) struct store *store = NULL;
	const struct config *c = app->ctx.config;
	char path[KEYS_PATH_LEN];
	enum err e;

	snprintf(path, sizeof path, "%s/" STORE_FILE, app->args->state);
	store_set_temp_folder(app->args->state);
	e = disk_check_store(path);
	if (e == ERR_OK)
		e = keep_before_upgrade(path);
	if (e == ERR_OK)
		e = store_open_writer(path, app->ctx.schema, &store);
	if (e == ERR_OK) {
		disk_remember_store(app->disk, path);
		rebuild_clear(app->args->state);
		e = prepare_store(app, store);
	}
	if (e == ERR_OK)
		e = enrol_load_registry(store, app->ctx.registry);
	if (e == ERR_OK)
		e = backup_remember(app->ctx.backup, store);
	if (e == ERR_OK)
		e = alert_sender_remember(app->ctx.alerts, store);
	if (e == ERR_OK)
		e = readers_open(path, app->ctx.schema,
				 (size_t)c->limits.readers + loop_short_at_once(),
				 &app->ctx.readers);
	if (e == ERR_OK)
		*ret_store = MOVE(store);
	return e;
}

/* ---- start: listeners ---- */

struct listeners {
	struct app *app;
	struct buf text; /* STATE/listen */
	bool has_devices;
	bool has_console;
	bool has_admin;
	char admin[LISTEN_TEXT_LEN]; /* where systemd's is */
};

static enum err add_tls(struct listeners *ls, int fd, enum http_kind kind)
{
	char text[LISTEN_TEXT_LEN];
	struct context *ctx = &ls->app->ctx;
	enum err e = listen_print(fd, text);

	if (e != ERR_OK) {
		close(fd);
		return e;
	}
	if (kind == HTTP_DEVICES && !ls->has_devices)
		snprintf(ctx->address, sizeof ctx->address, "%s", text);
	if (kind == HTTP_CONSOLE && !ls->has_console)
		snprintf(ctx->console_address, sizeof ctx->console_address, "%s", text);
	ls->has_devices |= kind == HTTP_DEVICES;
	ls->has_console |= kind == HTTP_CONSOLE;
	buf_printf(&ls->text, "%s\n", text);
	if (kind == HTTP_DEVICES)
		buf_printf(&ls->app->in_use, "%s\n", text);
	return http_listen(ls->app->http, fd, kind);
}

static enum err add_passed(struct listeners *ls)
{
	struct notify_listener passed[PASSED_MAX];
	size_t count = notify_listeners(passed, PASSED_MAX);
	enum err e = ERR_OK;

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		if (!passed[i].is_unix) {
			e = add_tls(ls, passed[i].fd,
				    passed[i].is_console ? HTTP_CONSOLE : HTTP_DEVICES);
			continue;
		}
		ls->has_admin = true;
		e = listen_print_path(passed[i].fd, ls->admin);
		if (e == ERR_OK)
			e = http_listen(ls->app->http, passed[i].fd, HTTP_ADMIN);
	}
	return e;
}

static enum err add_admin(struct listeners *ls)
{
	struct app *app = ls->app;
	const struct config *c = app->ctx.config;
	int fd = -1;
	enum err e;

	if (c->admin_socket != NULL)
		snprintf(app->admin_path, sizeof app->admin_path, "%s", c->admin_socket);
	else
		snprintf(app->admin_path, sizeof app->admin_path, "%s/admin.sock",
			 app->args->state);
	e = listen_unix(app->admin_path, &fd);
	if (e != ERR_OK) {
		app->admin_path[0] = '\0'; /* not ours to remove */
		return e;
	}
	return http_listen(app->http, fd, HTTP_ADMIN);
}

static bool is_console_apart(const struct config *c)
{
	return c->console_listen != NULL && strcmp(c->console_listen, "none") != 0;
}

/* A setting that nothing comes of is said, or whoever changed it waits at the wrong port. */
static void warn_ignored(const char *key, const char *asked, const char *in_use)
{
	log_warn("%s=%s ignored=yes in_use=%s effect=\"systemd handed over the socket; its unit "
		 "says where\"",
		 key, asked, in_use);
}

static void tell_ignored(struct listeners *ls)
{
	const struct context *ctx = &ls->app->ctx;
	const struct config *c = ctx->config;
	AUTO(buf_clear) struct buf asked = {0};
	AUTO(buf_clear) struct buf in_use = {0};

	for (size_t i = 0; i < c->listen_count; i++)
		buf_printf(&asked, "%s%s", i != 0 ? "," : "", c->listen[i]);
	for (const char *p = buf_cstr(&ls->app->in_use); *p != '\0'; p++)
		if (*p != '\n' || p[1] != '\0')
			buf_append_byte(&in_use, *p != '\n' ? (uint8_t)*p : ',');
	if (ls->has_devices && c->has_listen && !config_listens_at(c, app_in_use(ls->app)))
		warn_ignored("listen", buf_cstr(&asked), buf_cstr(&in_use));
	if (ls->has_console && c->console_listen != NULL &&
	    strcmp(c->console_listen, ctx->console_address) != 0)
		warn_ignored("console_listen", c->console_listen, ctx->console_address);
	if (ls->has_admin && c->admin_socket != NULL && strcmp(c->admin_socket, ls->admin) != 0)
		warn_ignored("admin_socket", c->admin_socket, ls->admin);
}

static enum err add_configured(struct listeners *ls)
{
	const struct config *c = ls->app->ctx.config;
	bool is_passed = ls->has_devices;
	enum err e = ERR_OK;
	int fd = -1;

	for (size_t i = 0; i < c->listen_count && !is_passed && e == ERR_OK; i++) {
		e = listen_tcp(c->listen[i], &fd);
		if (e == ERR_OK)
			e = add_tls(ls, fd, HTTP_DEVICES);
	}
	if (e == ERR_OK && is_console_apart(c) && !ls->has_console) {
		e = listen_tcp(c->console_listen, &fd);
		if (e == ERR_OK)
			e = add_tls(ls, fd, HTTP_CONSOLE);
	}
	if (e == ERR_OK && !ls->has_admin)
		e = add_admin(ls);
	return e;
}

/* Named nowhere, it is served where devices are. */
static void choose_console(struct listeners *ls)
{
	struct context *ctx = &ls->app->ctx;
	const struct config *c = ctx->config;

	ctx->is_console_shared = c->console_listen == NULL && !ls->has_console;
	if (ctx->is_console_shared)
		memcpy(ctx->console_address, ctx->address, sizeof ctx->console_address);
}

static void choose_address(struct app *app)
{
	const struct config *c = app->ctx.config;

	if (c->public_address != NULL)
		snprintf(app->ctx.address, sizeof app->ctx.address, "%s", c->public_address);
	else if (strncmp(app->ctx.address, "0.0.0.0:", 8) == 0 ||
		 strncmp(app->ctx.address, "[::]:", 5) == 0)
		log_warn("address=%s effect=\"invitations name it; set public_address\"",
			 app->ctx.address);
}

static enum err start_listening(struct app *app)
{
	struct listeners ls = {.app = app};
	enum err e = add_passed(&ls);

	if (e == ERR_OK) {
		tell_ignored(&ls);
		e = add_configured(&ls);
	}
	choose_address(app);
	choose_console(&ls);
	if (e == ERR_OK) {
		e = keys_write_file(app->args->state, LISTEN_FILE, buf_bytes(&ls.text));
		app->has_listen_file = e == ERR_OK;
	}
	if (e == ERR_FULL) {
		log_warn("unwritten file=" LISTEN_FILE " error=FULL");
		e = ERR_OK;
	}
	(void)buf_cstr(&app->in_use); /* read as text by reload's pool thread */
	buf_clear(&ls.text);
	return e;
}

/* ---- running ---- */

static void on_tick(void *user)
{
	struct app *app = user;
	int64_t now = clock_monotonic_ms(app->ctx.clock);
	int64_t period = notify_watchdog_ms();

	/* Fed only while loop and writer both live: a stuck writer must be restarted too. */
	if (writer_is_alive(app->ctx.writer) || sweep_is_running(app->ctx.sweep)) {
		atomic_store(&app->ctx.writer_alive_ms, now);
		if (period > 0 && now - app->fed_ms >= period) {
			notify_watchdog();
			app->fed_ms = now;
		}
	}
	if (!atomic_load(&app->ctx.is_ready))
		return;
	disk_tick(app->disk, now);
	backup_tick(app->ctx.backup);
	sweep_tick(app->ctx.sweep, now);
	alert_sender_tick(app->ctx.alerts);
	events_tick(app->ctx.events);
	trend_tick(app->ctx.trend, app->ctx.metrics, clock_wall_ms(app->ctx.clock), now);
}

static void on_reload(void *user)
{
	struct app *app = user;

	if (atomic_load(&app->ctx.is_ready))
		reload_begin(app->reload);
}

static void remove_listen_file(struct app *app)
{
	char path[KEYS_PATH_LEN];

	if (!app->has_listen_file)
		return;
	app->has_listen_file = false;
	snprintf(path, sizeof path, "%s/" LISTEN_FILE, app->args->state);
	if (unlink(path) != 0 && errno != ENOENT)
		log_warn("unlink %s: %s", path, strerror(errno));
}

static void on_stop(void *user)
{
	struct app *app = user;

	if (!atomic_exchange(&app->ctx.is_ready, false))
		return;
	log_notice("stopping");
	notify_stopping();
	backup_stop(app->ctx.backup);
	alert_sender_stop(app->ctx.alerts);
	remove_listen_file(app);
	events_stop(app->ctx.events);
	http_drain(app->http, APP_CLOSE_MS);
}

static void on_drained(void *user)
{
	struct app *app = CONTAINER_OF(user, struct app, ctx);

	loop_stop(app->ctx.loop);
}

/* ---- order ---- */

static void raise_file_limit(void)
{
	struct rlimit lim;

	if (getrlimit(RLIMIT_NOFILE, &lim) != 0)
		return;
	lim.rlim_cur = lim.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &lim) != 0)
		log_warn("open files: %s", strerror(errno));
}

static enum err start_threads(struct app *app, struct store *take_store)
{
	struct context *ctx = &app->ctx;
	const struct config *c = ctx->config;
	const struct loop_handlers loop = {
		.on_tick = on_tick, .on_reload = on_reload, .on_stop = on_stop, .user = app};
	const struct http_handlers http = {
		.body_limit = route_body_limit,
		.handle = route_handle,
		.refused = route_refused,
		.drained = on_drained,
		.user = ctx,
	};
	const struct writer_options writer = {
		.clock = ctx->clock,
		.metrics = ctx->metrics,
		.queue = (size_t)c->limits.queue,
		.wait_ms = c->limits.wait_ms,
		.group_jobs = (size_t)c->limits.group_jobs,
		.group_ms = c->limits.group_ms,
		.wal_pages = (uint64_t)c->limits.wal_pages,
	};
	enum err e = loop_new(&loop, &ctx->loop);

	if (e != ERR_OK) {
		store_close(take_store);
		return e;
	}
	ctx->writer = writer_start(ctx->loop, take_store, &writer);
	atomic_store(&ctx->writer_alive_ms, clock_monotonic_ms(ctx->clock));
	app->http = http_new(ctx, &http);
	return start_listening(app);
}

static enum err load_tls(struct app *app)
{
	const struct config *c = app->ctx.config;
	const struct keys *k = &app->keys;
	struct tls_pair *pair = NULL;
	enum err e =
		tls_read(c->tls_certificate != NULL ? c->tls_certificate : k->tls_certificate,
			 c->tls_key != NULL ? c->tls_key : k->tls_key, &pair, app->ctx.tls_pin);

	if (e == ERR_OK)
		tls_use(app->tls, pair);
	return e;
}

static enum err start(struct app *app)
{
	struct context *ctx = &app->ctx;
	struct store *store = NULL;
	enum err e = keys_open(app->args->state, ctx->clock, ctx->rand, &app->keys);

	if (e != ERR_OK)
		return e;
	ctx->daemon = app->keys.daemon;
	ctx->key = app->keys.sign;
	/* One left by a kill would tell somebody that we are ready. */
	app->has_listen_file = true;
	remove_listen_file(app);
	e = load_tls(app);
	if (e == ERR_OK)
		e = open_store(app, &store);
	if (e == ERR_OK)
		e = start_threads(app, store);
	return e;
}

/* Backwards; any prefix of the start may have happened. */
static void stop(struct app *app)
{
	struct context *ctx = &app->ctx;
	struct store *store = NULL;

	remove_listen_file(app);
	if (app->http != NULL)
		http_free(app->http);
	if (ctx->loop != NULL)
		loop_finish_tasks(ctx->loop);
	if (ctx->writer != NULL)
		store = writer_stop(ctx->writer);
	if (ctx->loop != NULL)
		loop_free(ctx->loop);
	if (ctx->readers != NULL)
		readers_close(ctx->readers);
	store_close(store);
	if (app->admin_path[0] != '\0')
		(void)unlink(app->admin_path);
	buf_clear(&app->in_use);
	crypt_wipe(&ctx->key, sizeof ctx->key);
	keys_close(&app->keys);
}

/* Devices are served without pages, too: a folder that cannot be read is no reason to stay down. */
static struct console *make_console(struct context *ctx)
{
	const char *folder = web_folder(ctx->config);
	struct web_files *files = NULL;
	const char *libraries =
		ctx->config->web_libraries != NULL ? ctx->config->web_libraries : WEB_LIBRARIES;
	enum err e = web_files_load(folder, libraries, &files);

	if (e != ERR_OK)
		log_warn("web folder=%s error=%s effect=\"the console has no pages\" detail=\"%s\"",
			 folder, err_name(e), log_last_detail());
	else if (web_files_lacking(files) != 0)
		log_notice("web libraries=%s lacking=%zu effect=\"pages are plainer, no charts\"",
			   libraries, web_files_lacking(files));
	return console_new(ctx, files);
}

static enum err run(struct app *app)
{
	enum err e = start(app);

	if (e == ERR_OK) {
		atomic_store(&app->ctx.is_ready, true);
		notify_ready("running");
		log_notice("ready address=%s devices=%zu", app->ctx.address,
			   registry_count(app->ctx.registry));
		loop_run(app->ctx.loop);
	}
	stop(app);
	return e;
}

static enum err run_with(const struct cmdline *args, const struct config *config,
			 const struct schema *schema)
{
	AUTO(peers_free) struct peers *peers = peers_new();
	AUTO(registry_free) struct registry *registry = registry_new();
	AUTO(public_cache_free) struct public_cache *cache = public_cache_new();
	AUTO(tls_free) struct tls *tls = tls_new();
	struct metrics metrics = {0};
	struct app app = {.args = args, .keys = {.lock = -1}, .tls = tls};
	AUTO(reload_free) struct reload *reload = reload_new(&app);
	struct context *ctx = &app.ctx;

	app.reload = reload;
	ctx->clock = clock_system();
	ctx->rand = rand_system();
	ctx->state = args->state;
	ctx->metrics = &metrics;
	ctx->peers = peers;
	ctx->registry = registry;
	ctx->cache = cache;
	ctx->started_ms = clock_wall_ms(ctx->clock);

	AUTO(backup_free) struct backup *backup = backup_new(ctx);
	AUTO(sweep_free) struct sweep *sweep = sweep_new(ctx);
	AUTO(alert_sender_free) struct alert_sender *alerts = alert_sender_new(ctx);

	ctx->backup = backup;
	ctx->alerts = alerts;
	ctx->sweep = sweep;
	atomic_store(&ctx->config, config);
	atomic_store(&ctx->schema, schema);
	/* The store makes its own files: nobody else may read them. */
	umask(0077);
	raise_file_limit();

	AUTO(console_free) struct console *console = make_console(ctx);
	AUTO(events_free) struct events *events = events_new(ctx);
	AUTO(trend_free) struct trend *trend = trend_new();
	AUTO(disk_free) struct disk *disk = disk_new(ctx);

	ctx->console = console;
	ctx->events = events;
	ctx->trend = trend;
	app.disk = disk;
	return run(&app);
}

enum err app_run(const struct cmdline *args, char ret_error[CONFIG_ERROR_LEN])
{
	AUTO(config_free) struct config *config = NULL;
	AUTO(schema_free) struct schema *schema = NULL;
	enum err e = cmdline_settings(args, &config, ret_error);

	if (e != ERR_OK)
		return e;
	log_set_filter(config->log_level);
	e = load_schema(config, &schema, ret_error);
	if (e != ERR_OK)
		return e;
	return run_with(args, config, schema);
}
