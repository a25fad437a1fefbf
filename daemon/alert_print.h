/*
 * alert_print - an alert as people and programs read it: text, JSON, and the mail around it.
 *
 * Vietnamese first, English beside it, Viet Nam's time. Pure. What devices call themselves is cut
 * to one line: it must not look like a line of ours, or end a header.
 */
#pragma once

#include <jansson.h>

#include "common/base/buf.h"
#include "common/base/id.h"
#include "daemon/alert.h"

enum alert_sort {
	ALERT_DAILY,
	ALERT_URGENT,
	ALERT_TEST, /* asked for, to see whether it arrives: without content */
};
/* "daily", "urgent", "test". */
const char *alert_sort_name(enum alert_sort sort);

/* What an alert is printed with. */
struct alert_head {
	enum alert_sort sort;
	const char *office; /* the daemon's address */
	struct id daemon;
	int64_t day; /* in Viet Nam */
};

/* One line, for the subject of a mail and the first of the text. */
void alert_print_title(const struct alert_head *head, const struct alert *alert, struct buf *out);
/* Text of lines of at most 100 columns or so, each ended. */
void alert_print_text(const struct alert_head *head, const struct alert *alert, struct buf *out);
/*
 * {"id", "alert", "at", "day", "office", "daemon", "title", "log", "communes", "fresh",
 * "last_backup", "disk_free", "items": [{"kind", "label", "label_en", "urgent", "count", "oldest",
 * "detail", "advice", "rows": [{"unit", "unit_name", "device", "device_name", "text", "count",
 * "at"}], "more"}], "text"}. The caller releases it.
 */
json_t *alert_json(const struct alert_head *head, const struct alert *alert);
/*
 * "daily-2026-11-22-…", the same for each try to deliver the same alert: whoever is given it twice
 * can tell.
 */
void alert_print_id(const struct alert_head *head, const struct alert *alert, struct buf *out);

/*
 * The whole mail (RFC 5322, 2045, 2047), lines ended by LF: sendmail programs want them so, and
 * SMTP is given CR LF by alert_wire.h.
 */
struct alert_mail {
	const char *from; /* checked by config_finish(), as `to` */
	const char *to;
	struct bytes id;
	struct bytes title;
	struct bytes text;
	int64_t at_ms;
};
void alert_print_mail(const struct alert_mail *mail, struct buf *out);
