/* admin_alert - how alerts went out, for the commands that tell of it. */
#pragma once

#include <jansson.h>

#include "daemon/context.h"

/* The rows of `alert state`; empty where none are sent. The caller releases it. Any thread. */
json_t *admin_alert_ways(const struct context *ctx);
