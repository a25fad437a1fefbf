/*
 * log - one line per event on stderr, for people and for journald.
 *
 * `#define LOG_TAG "conn"` is the first line of every source file that logs.
 * A line is `<level>tag: text`; text is `key=value` pairs of ids, sizes, counts
 * and codes, never personal fields, never secrets (design rule: logs hold no
 * person). Threads: any; a line is written with one write(2).
 *
 * Besides the line, the last err_raise() text of the thread is kept, so that a
 * tool for people can say where an error was born: log_last_detail().
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>

#include "common/base/attr.h"

enum log_level {
	LOG_ERR = 3,
	LOG_WARN = 4,
	LOG_NOTICE = 5,
	LOG_INFO = 6,
	LOG_DEBUG = 7
};

#define log_err(...)    log_write(LOG_ERR, LOG_TAG, __VA_ARGS__)
#define log_warn(...)   log_write(LOG_WARN, LOG_TAG, __VA_ARGS__)
#define log_notice(...) log_write(LOG_NOTICE, LOG_TAG, __VA_ARGS__)
#define log_info(...)   log_write(LOG_INFO, LOG_TAG, __VA_ARGS__)
#define log_debug(...)  log_write(LOG_DEBUG, LOG_TAG, __VA_ARGS__)

void log_write(enum log_level level, const char *tag, const char *fmt, ...) PRINTF(3, 4);

/*
 * Sets what is shown: "info", or "info,store=debug" per tag. Unknown words are
 * ignored. Call once, before threads start. The default is "notice".
 */
void log_set_filter(const char *spec);

/* Whether a line would be shown: for what costs something to find out and is only logged. */
bool log_shows(enum log_level level, const char *tag);

/* Where lines go instead of stderr (journald fields, tests). NULL: stderr again. */
typedef void (*log_sink_fn)(enum log_level level, const char *tag, const char *text);
void log_set_sink(log_sink_fn sink);

/* For err.c. Keeps the text for log_last_detail() and writes it at debug level. */
void log_raise(const char *name, const char *file, int line, const char *fmt, va_list args)
	PRINTF(4, 0);

/* The text of this thread's latest err_raise(); "" before the first. */
const char *log_last_detail(void);
