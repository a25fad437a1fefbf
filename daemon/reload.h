/*
 * reload - SIGHUP: configuration, schema and certificate anew, wholly or not at all.
 *
 * A pool thread reads and checks everything, the writer thread makes new tables outside a
 * transaction, and only then the loop swaps the pointers. What was in force is kept until
 * reload_free(): jobs under way may still use it. Thread: loop.
 */
#pragma once

#include "common/base/attr.h"

struct app;
struct reload;

struct reload *reload_new(struct app *app);
/* Not while one is running (the stop order waits for tasks and writer). */
void reload_free(struct reload *r);
DEFINE_AUTO(struct reload *, reload_free)
/* A second wish while one is running is done after it. */
void reload_begin(struct reload *r);
