/*
 * cmdline - the command line of ctxhd, and the settings it and the configuration file make
 * together.
 */
#pragma once

#include "daemon/config.h"

enum cmdline_wish {
	CMDLINE_RUN,
	CMDLINE_CHECK,
	CMDLINE_RESTORE,
	CMDLINE_HELP,
	CMDLINE_VERSION,
	CMDLINE_WRONG, /* `error` says why */
};

/* Borrows from argv. */
struct cmdline {
	enum cmdline_wish wish;
	const char *state;
	const char *config; /* file; NULL: defaults */
	const char *schema;
	const char *log;
	const char *restore;  /* backup to make `state` from */
	const char *erasures; /* restore: a list of them kept elsewhere */
	const char *key;      /* that opens it; NULL: looked for */
	const char *listen[CONFIG_LISTEN_MAX];
	size_t listen_count;
	char error[CONFIG_ERROR_LEN];
};

void cmdline_parse(int argc, char **argv, struct cmdline *ret_cmdline);
void cmdline_help(void);

/*
 * Defaults, then the file, then the command line; at start and again at each reload. The command
 * line's `--listen` replaces the file's list.
 */
enum err cmdline_settings(const struct cmdline *args, struct config **ret_config,
			  char ret_error[CONFIG_ERROR_LEN]);
