/*
 * restore_told - `ctxhd --restore`: runs it and tells people what came of it.
 *
 * Runs alone, before any loop. What is well goes to standard output, why not to standard error.
 */
#pragma once

#include "daemon/cmdline.h"

/* The errors are restore_run()'s; they have been told. Makes files nobody else can read. */
enum err restore_told(const struct cmdline *args);
