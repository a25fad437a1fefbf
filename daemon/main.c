/* main - ctxhd: arguments, then everything in app.c, then the exit code. */
#define LOG_TAG "main"

#include <malloc.h>
#include <stdio.h>

#include "common/base/crypt.h"
#include "common/base/log.h"
#include "common/text/json.h"
#include "daemon/app.h"
#include "daemon/cmdline.h"
#include "daemon/fatal.h"
#include "daemon/notify.h"
#include "daemon/restore_told.h"

#define EXIT_REFUSED 1
#define EXIT_USAGE   2

/* Bodies and answers above this go back to the system when they are freed. */
#define LARGE_BLOCK (256 * 1024)

static int check(const struct cmdline *args)
{
	char error[CONFIG_ERROR_LEN] = "";

	if (app_check(args, error) != ERR_OK) {
		(void)fprintf(stderr, "ctxhd: %s\n", error);
		return EXIT_REFUSED;
	}
	(void)printf("ok\n");
	return 0;
}

static int run(const struct cmdline *args)
{
	char error[CONFIG_ERROR_LEN] = "";
	enum err e;

	(void)mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK);
	notify_log_to_journal();
	e = app_run(args, error);
	if (e == ERR_OK)
		return 0;
	log_err("error=%s detail=\"%s\"", err_name(e),
		error[0] != '\0' ? error : log_last_detail());
	return err_class(e) == ERR_CLASS_FATAL ? FATAL_EXIT : EXIT_REFUSED;
}

int main(int argc, char **argv)
{
	struct cmdline args;

	json_use_mem();
	cmdline_parse(argc, argv, &args);
	if (crypt_init() != ERR_OK)
		return FATAL_EXIT;
	switch (args.wish) {
	case CMDLINE_RUN: return run(&args);
	case CMDLINE_CHECK: return check(&args);
	case CMDLINE_RESTORE: return restore_told(&args) == ERR_OK ? 0 : EXIT_REFUSED;
	case CMDLINE_HELP: cmdline_help(); return 0;
	case CMDLINE_VERSION: (void)printf("ctxhd %s\n", CTXH_VERSION); return 0;
	case CMDLINE_WRONG: break;
	}
	(void)fprintf(stderr, "ctxhd: %s\n", args.error);
	return EXIT_USAGE;
}
