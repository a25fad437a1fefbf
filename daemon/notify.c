#define LOG_TAG "notify"

#include "daemon/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

/* syslog.h, which comes with the journal's header, has macros of the same names and values. */
#undef LOG_ERR
#undef LOG_NOTICE
#undef LOG_INFO
#undef LOG_DEBUG

#include "common/base/log.h"
#include "common/base/mem.h"

#define WATCHDOG_SHARE 3u /* feedings in one watchdog period: two may be late */

void notify_ready(const char *status)
{
	(void)sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(int64_t monotonic_ms)
{
	(void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, monotonic_ms * 1000);
}

void notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

int64_t notify_watchdog_ms(void)
{
	uint64_t usec = 0;

	if (sd_watchdog_enabled(0, &usec) <= 0)
		return 0;
	return (int64_t)(usec / 1000 / WATCHDOG_SHARE);
}

void notify_watchdog(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

size_t notify_listeners(struct notify_listener *ret_listeners, size_t max)
{
	char **names = NULL;
	int total = sd_listen_fds_with_names(1, &names);
	size_t count = 0;

	for (int i = 0; i < total; i++) {
		int fd = SD_LISTEN_FDS_START + i;

		if (count == max || sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
			log_warn("listener=%d ignored=\"not a listening stream socket\"", fd);
			close(fd);
			continue;
		}
		ret_listeners[count++] = (struct notify_listener){
			.fd = fd,
			.is_unix = sd_is_socket_unix(fd, SOCK_STREAM, 1, NULL, 0) > 0,
			.is_console = strcmp(names[i], "console") == 0,
		};
	}
	for (int i = 0; i < total; i++)
		free(names[i]);
	free(names);
	return count;
}

static void to_journal(enum log_level level, const char *tag, const char *text)
{
	(void)sd_journal_send("MESSAGE=%s: %s", tag, text, "PRIORITY=%d", (int)level, "CTXH_TAG=%s",
			      tag, NULL);
}

void notify_log_to_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	/* "device:inode" of the journal's socket; a redirected stderr is somebody's wish. */
	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return;
	snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	if (strcmp(stream, own) == 0)
		log_set_sink(to_journal);
}
