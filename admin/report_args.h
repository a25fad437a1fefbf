/* report_args - the options that `report run`, `report freeze` and `report print` share. */
#pragma once

#include "admin/ctl.h"
#include "common/report/format.h"

/* --format, one of a report's. ARGS_EXIT_USAGE: none, or one a terminal cannot show. */
int report_args_format(const struct ctl *ctl, const struct args *args,
		       enum report_format *ret_format);
/* The daemon's arguments of a report, from ID and options; the caller's. ARGS_EXIT_USAGE. */
int report_args_request(const struct args *args, json_t **ret_request);
