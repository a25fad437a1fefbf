/*
 * args_help - the texts of args.h: help pages and usage errors. Pure; for args.c.
 *
 * A usage error is one line saying what is wrong, then one saying where to read
 * more. Both languages stand in the line.
 */
#pragma once

#include "common/text/args.h"

/* The options every program has. */
const struct args_option *args_builtin_help(void);
const struct args_option *args_builtin_version(void);

/* `what` is the word it is about, quoted in the line; NULL: none. */
void args_print_usage_error(const struct args *a, struct buf *out, const char *vi, const char *en,
			    const char *what);
/* With the nearest option there is, if one is near. */
void args_print_unknown_option(const struct args *a, struct buf *out, struct bytes word);
/* With the nearest command, or those that begin with the same word. */
void args_print_unknown_command(const struct args *a, struct buf *out, const char *const *words,
				size_t count);
