/*
 * args - the command line of ctxhd, and the settings it and the configuration file make together.
 */
#pragma once

#include "daemon/config.h"

enum args_wish {
	ARGS_RUN,
	ARGS_CHECK,
	ARGS_HELP,
	ARGS_VERSION,
	ARGS_WRONG, /* `error` says why */
};

/* Borrows from argv. */
struct args {
	enum args_wish wish;
	const char *state;
	const char *config; /* file; NULL: defaults */
	const char *schema;
	const char *log;
	const char *listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	char error[CONFIG_ERROR_LEN];
};

void args_parse(int argc, char **argv, struct args *ret_args);
void args_help(void);

/*
 * Defaults, then the file, then the command line; at start and again at each reload. The command
 * line's `--listen` replaces the file's list.
 */
enum err args_settings(const struct args *args, struct config **ret_config,
		       char ret_error[CONFIG_ERROR_LEN]);
