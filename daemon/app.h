/*
 * app - owns every long-lived object; start and stop order in one place.
 *
 * Start: settings, state folder and lock, keys, schema, store, registry, readers, loop, writer,
 * listeners, then STATE/listen appears and systemd hears READY. Stop (SIGTERM, SIGINT):
 * STATE/listen goes, no new connection, running requests finish, then the writer, then everything
 * else backwards. Reload (SIGHUP): reload.c.
 */
#pragma once

#include "daemon/cmdline.h"
#include "daemon/http.h"
#include "daemon/keys.h"

#define APP_CLOSE_MS INT64_C(10000) /* bodies on their way at SIGTERM are waited for so long */

struct disk;
struct reload;

struct app {
	const struct cmdline *args;
	struct context ctx;
	struct keys keys;
	struct tls *tls;
	struct http *http;
	struct reload *reload;
	int64_t fed_ms; /* when the watchdog was fed */
	struct disk *disk;
	char admin_path[KEYS_PATH_LEN]; /* "": the socket is systemd's */
	bool has_listen_file;
	struct buf in_use; /* addresses of devices listened on, one a line */
};

/* Runs until told to stop. `ret_error` says more than the code where there is more to say. */
enum err app_run(const struct cmdline *args, char ret_error[CONFIG_ERROR_LEN]);
/* Reads configuration, schema and certificate as a start would; opens nothing. */
enum err app_check(const struct cmdline *args, char ret_error[CONFIG_ERROR_LEN]);

/* What a configuration means by its schema folder and its TLS files. */
const char *app_schema_folder(const struct config *c);
/* Addresses devices may come to, one a line; does not change after the start. */
const char *app_in_use(const struct app *app);
