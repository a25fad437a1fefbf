#define LOG_TAG "notify"
/* Every line would be from the same one of this file. */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "daemon/notify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

/* syslog.h, which comes with the journal's header, has macros of the same names and values. */
#undef LOG_ERR
#undef LOG_NOTICE
#undef LOG_INFO
#undef LOG_DEBUG

#include "common/base/buf.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/journal.h"

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

static void add_field(struct buf fields[], size_t *count, const char *name, struct bytes value)
{
	buf_printf(&fields[*count], "%s=%.*s", name, BYTES_FMT(value));
	(*count)++;
}

static void to_journal(enum log_level level, const char *tag, const char *text)
{
	struct journal_field found[JOURNAL_FIELDS_MAX];
	struct buf fields[JOURNAL_FIELDS_MAX + 3] = {0};
	struct iovec parts[JOURNAL_FIELDS_MAX + 3];
	size_t count = 0;
	size_t more = journal_fields(text, found);

	buf_printf(&fields[count++], "MESSAGE=%s: %s", tag, text);
	buf_printf(&fields[count++], "PRIORITY=%d", (int)level);
	add_field(fields, &count, "CTXH_TAG", bytes_str(tag));
	for (size_t i = 0; i < more; i++)
		add_field(fields, &count, found[i].name, found[i].value);
	for (size_t i = 0; i < count; i++)
		parts[i] = (struct iovec){fields[i].data, fields[i].len};
	(void)sd_journal_sendv(parts, (int)count);
	for (size_t i = 0; i < count; i++)
		buf_clear(&fields[i]);
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
