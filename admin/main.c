/* main - reads the command line, then one function of commands.h does the rest. */
#define LOG_TAG "main"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/commands.h"
#include "common/base/log.h"
#include "common/text/json.h"

/* They read --format themselves. */
static bool prints_reports(const struct args_command *command)
{
	return command->run == cmd_report_run || command->run == cmd_report_print;
}

static int run(const struct args *args)
{
	const char *format = args_value(args, "format", "table");
	struct ctl_remote remote = {
		.server = args_value(args, "server", NULL),
		.account = args_value(args, "account", NULL),
		.fingerprint = args_value(args, "fingerprint", NULL),
	};
	struct ctl ctl = {
		.socket = args_value(args, "socket", getenv("CTXH_ADMIN_SOCKET")),
		.format = TABLE_TABLE,
		.format_name = format,
		.style = table_style_of(STDOUT_FILENO),
	};
	int code;

	if (ctl.socket == NULL || ctl.socket[0] == '\0')
		ctl.socket = COMMANDS_SOCKET;
	if (!prints_reports(args->command) &&
	    table_format_parse(bytes_str(format), &ctl.format) != ERR_OK)
		return ctl_usage(args,
				 "--format là table, json hoặc csv; báo cáo còn có xlsx, html",
				 "--format is table, json or csv; reports also have xlsx, html");
	if (args_has(args, "server") != args_has(args, "account"))
		return ctl_usage(args, "--server và --account đi cùng nhau",
				 "--server and --account go together");
	if (args_has(args, "server"))
		ctl.remote = &remote;
	code = args->command->run(&ctl, args);
	ctl_remote_close(&remote);
	return code;
}

int main(int argc, char **argv)
{
	AUTO(args_clear) struct args args = {0};
	AUTO(buf_clear) struct buf out = {0};

	/* A reader that goes away (`ctxhctl log | head`) is told by write(), not by a signal. */
	(void)signal(SIGPIPE, SIG_IGN);
	log_set_filter("err");
	json_use_mem();
	switch (args_parse(&commands_program, argc, argv, &args, &out)) {
	case ARGS_HELP: return ctl_print(&out);
	case ARGS_USAGE: (void)fputs(buf_cstr(&out), stderr); return ARGS_EXIT_USAGE;
	case ARGS_RUN: return run(&args);
	}
	return ARGS_EXIT_USAGE;
}
