#include "common/base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_LINE_MAX    1024
#define LOG_DETAIL_MAX  512
#define LOG_TAG_MAX     24
#define LOG_FILTERS_MAX 16

static struct {
	enum log_level base;
	struct {
		char tag[LOG_TAG_MAX];
		enum log_level level;
	} tags[LOG_FILTERS_MAX];
	size_t count;
	log_sink_fn sink;
} filter = {.base = LOG_NOTICE};

static _Thread_local char last_detail[LOG_DETAIL_MAX];

static bool level_parse(const char *word, size_t len, enum log_level *ret_level)
{
	static const struct {
		const char *name;
		enum log_level level;
	} names[] = {{"err", LOG_ERR},
		     {"warn", LOG_WARN},
		     {"notice", LOG_NOTICE},
		     {"info", LOG_INFO},
		     {"debug", LOG_DEBUG}};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (strlen(names[i].name) == len && memcmp(names[i].name, word, len) == 0) {
			*ret_level = names[i].level;
			return true;
		}
	}
	return false;
}

static void filter_word(const char *word, size_t len)
{
	const char *eq = memchr(word, '=', len);
	enum log_level level;

	if (eq == NULL) {
		if (level_parse(word, len, &level))
			filter.base = level;
		return;
	}
	size_t tag_len = (size_t)(eq - word);

	if (tag_len >= LOG_TAG_MAX || filter.count == LOG_FILTERS_MAX)
		return;
	if (!level_parse(eq + 1, len - tag_len - 1, &level))
		return;
	memcpy(filter.tags[filter.count].tag, word, tag_len);
	filter.tags[filter.count].tag[tag_len] = '\0';
	filter.tags[filter.count].level = level;
	filter.count++;
}

void log_set_filter(const char *spec)
{
	filter.count = 0;
	while (*spec != '\0') {
		size_t len = strcspn(spec, ",");

		filter_word(spec, len);
		spec += len;
		spec += *spec == ',';
	}
}

void log_set_sink(log_sink_fn sink)
{
	filter.sink = sink;
}

bool log_shows(enum log_level level, const char *tag)
{
	for (size_t i = 0; i < filter.count; i++)
		if (strcmp(filter.tags[i].tag, tag) == 0)
			return level <= filter.tags[i].level;
	return level <= filter.base;
}

static void emit(enum log_level level, const char *tag, const char *text)
{
	char line[LOG_LINE_MAX];

	if (filter.sink != NULL) {
		filter.sink(level, tag, text);
		return;
	}
	int len = snprintf(line, sizeof line, "<%d>%s: %s\n", (int)level, tag, text);

	if (len < 0)
		return;
	if ((size_t)len >= sizeof line) {
		len = sizeof line - 1;
		line[len - 1] = '\n';
	}
	/* Nothing sensible is left to do when stderr is gone. */
	ssize_t n = write(STDERR_FILENO, line, (size_t)len);
	(void)n;
}

void log_write(enum log_level level, const char *tag, const char *fmt, ...)
{
	char text[LOG_LINE_MAX];
	va_list args;

	if (!log_shows(level, tag))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	emit(level, tag, text);
}

void log_raise(const char *name, const char *file, int line, const char *fmt, va_list args)
{
	char text[LOG_LINE_MAX];

	vsnprintf(last_detail, sizeof last_detail, fmt, args);
	if (!log_shows(LOG_DEBUG, "err"))
		return;
	snprintf(text, sizeof text, "%s at %s:%d: %s", name, file, line, last_detail);
	emit(LOG_DEBUG, "err", text);
}

const char *log_last_detail(void)
{
	return last_detail;
}
