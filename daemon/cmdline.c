#define LOG_TAG "cmdline"

#include "daemon/cmdline.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

enum option_code {
	OPTION_STATE = 1,
	OPTION_CONFIG,
	OPTION_CHECK,
	OPTION_LISTEN,
	OPTION_SCHEMA,
	OPTION_LOG,
	OPTION_RESTORE,
	OPTION_KEY,
	OPTION_ERASURES,
	OPTION_HELP,
	OPTION_VERSION,
};

static const struct option options[] = {
	{"state", required_argument, NULL, OPTION_STATE},
	{"config", required_argument, NULL, OPTION_CONFIG},
	{"check", no_argument, NULL, OPTION_CHECK},
	{"listen", required_argument, NULL, OPTION_LISTEN},
	{"schema", required_argument, NULL, OPTION_SCHEMA},
	{"log", required_argument, NULL, OPTION_LOG},
	{"restore", required_argument, NULL, OPTION_RESTORE},
	{"key", required_argument, NULL, OPTION_KEY},
	{"erasures", required_argument, NULL, OPTION_ERASURES},
	{"help", no_argument, NULL, OPTION_HELP},
	{"version", no_argument, NULL, OPTION_VERSION},
	{NULL, 0, NULL, 0},
};

void cmdline_help(void)
{
	(void)fputs(
		"ctxhd - máy chủ đồng bộ của chương trình công tác xã hội / the sync daemon\n"
		"\n"
		"  ctxhd --state DIR [--config FILE]    chạy / run in the foreground\n"
		"  ctxhd --check --config FILE          kiểm tra cấu hình / check, then exit\n"
		"  ctxhd --check --schema DIR           kiểm tra lược đồ / check the record types\n"
		"  ctxhd --restore BACKUP --state NEWDIR [--key FILE] [--erasures FILE]\n"
		"                                       khôi phục từ bản sao lưu / from a backup\n"
		"\n"
		"  --state DIR      thư mục dữ liệu, được tạo ở lần chạy đầu / made at first start\n"
		"  --config FILE    tệp cấu hình YAML / configuration file\n"
		"  --listen ADDR    HOST:PORT, nhiều lần được / repeatable; port 0: a free one\n"
		"  --schema DIR     thư mục khai báo kiểu hồ sơ / record types\n"
		"  --log LEVEL      err, warn, notice, info, debug; \"info,store=debug\"\n"
		"  --help --version\n"
		"\n"
		"Mã thoát / exit codes: 0 xong / done, 1 cấu hình sai / wrong settings or state,\n"
		"2 dùng sai / usage, 70 đĩa hỏng / the disk failed.\n",
		stdout);
}

static void wrong(struct cmdline *a, const char *text)
{
	a->wish = CMDLINE_WRONG;
	snprintf(a->error, sizeof a->error, "%s", text);
}

static void take(struct cmdline *a, int code, const char *value)
{
	switch (code) {
	case OPTION_STATE: a->state = value; break;
	case OPTION_CONFIG: a->config = value; break;
	case OPTION_CHECK: a->wish = CMDLINE_CHECK; break;
	case OPTION_LISTEN:
		if (a->listen_count < CONFIG_LISTEN_MAX)
			a->listen[a->listen_count++] = value;
		else
			wrong(a, "--listen: quá nhiều lần / too many");
		break;
	case OPTION_SCHEMA: a->schema = value; break;
	case OPTION_LOG: a->log = value; break;
	case OPTION_RESTORE:
		a->restore = value;
		a->wish = CMDLINE_RESTORE;
		break;
	case OPTION_KEY: a->key = value; break;
	case OPTION_ERASURES: a->erasures = value; break;
	case OPTION_HELP: a->wish = CMDLINE_HELP; break;
	case OPTION_VERSION: a->wish = CMDLINE_VERSION; break;
	default: wrong(a, "tùy chọn sai; xem ctxhd --help / a wrong option; see ctxhd --help");
	}
}

void cmdline_parse(int argc, char **argv, struct cmdline *ret_cmdline)
{
	struct cmdline *a = ret_cmdline;
	int code;

	*a = (struct cmdline){.wish = CMDLINE_RUN};
	optind = 0; /* glibc: start anew; tests parse more than once */
	while ((code = getopt_long(argc, argv, "", options, NULL)) != -1)
		take(a, code, optarg);
	if (a->wish != CMDLINE_RUN && a->wish != CMDLINE_CHECK && a->wish != CMDLINE_RESTORE)
		return;
	if (optind < argc)
		wrong(a,
		      "thừa đối số; xem ctxhd --help / an argument nobody expects; see ctxhd --help");
	else if (a->wish != CMDLINE_CHECK && a->state == NULL)
		wrong(a,
		      "thiếu --state DIR: thư mục dữ liệu / --state DIR is wanted: the data folder");
	else if (a->wish == CMDLINE_CHECK && a->config == NULL && a->schema == NULL)
		wrong(a,
		      "--check cần --config FILE hoặc --schema DIR / --check wants --config FILE or "
		      "--schema DIR");
}

static void drop_listeners(struct config *c)
{
	while (c->listen_count > 0)
		mem_free(c->listen[--c->listen_count]);
}

static enum err apply(const struct cmdline *args, struct config *c,
		      char ret_error[CONFIG_ERROR_LEN])
{
	enum err e = ERR_OK;

	if (args->listen_count > 0)
		drop_listeners(c);
	for (size_t i = 0; i < args->listen_count && e == ERR_OK; i++)
		e = config_set(c, "listen", args->listen[i], ret_error);
	if (e == ERR_OK && args->schema != NULL)
		e = config_set(c, "schema", args->schema, ret_error);
	if (e == ERR_OK && args->log != NULL)
		e = config_set(c, "log_level", args->log, ret_error);
	return e;
}

enum err cmdline_settings(const struct cmdline *args, struct config **ret_config,
			  char ret_error[CONFIG_ERROR_LEN])
{
	AUTO(config_free) struct config *c = config_new();
	enum err e = ERR_OK;

	if (args->config != NULL)
		e = config_read(c, args->config, ret_error);
	if (e == ERR_OK)
		e = apply(args, c, ret_error);
	if (e == ERR_OK)
		e = config_finish(c, ret_error);
	if (e == ERR_OK)
		*ret_config = MOVE(c);
	return e;
}
