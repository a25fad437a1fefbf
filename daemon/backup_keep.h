/*
 * backup_keep - which backups stay: the newest of each of the last days, weeks and months.
 *
 * Pure. Counted are days, weeks and months that have a backup, not those that went by: a daemon
 * that stood still for a year loses none for it. Days are those of Viet Nam, weeks begin on Monday.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct backup_rule {
	int64_t days;
	int64_t weeks;
	int64_t months;
};

/* `at_ms`: newest first. The newest one always stays. */
void backup_keep(const struct backup_rule *rule, const int64_t *at_ms, size_t count,
		 bool *ret_keep);
