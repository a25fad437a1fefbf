/*
 * notify - what systemd is told and what it hands over: readiness, watchdog, listeners, journal.
 *
 * The only file that knows libsystemd. Without systemd every call does nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

void notify_ready(const char *status);
void notify_reloading(int64_t monotonic_ms);
void notify_stopping(void);
/* Milliseconds between two feedings (a third of WATCHDOG_USEC); 0: no watchdog. */
int64_t notify_watchdog_ms(void);
void notify_watchdog(void);

struct notify_listener {
	int fd;
	bool is_unix;
	bool is_console; /* FileDescriptorName=console */
};
/* Sockets of the socket unit, LISTEN_FDS; those that do not listen are closed with a warning. */
size_t notify_listeners(struct notify_listener *ret_listeners, size_t max);

/* Log lines go to the journal with fields when stderr is the journal's. */
void notify_log_to_journal(void);
