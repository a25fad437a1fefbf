/*
 * args_complete - what may come next on a command line, for the shells' completion.
 *
 * Answered from the same tables as parsing and --help, so completion never lags behind the
 * program: the scripts of the shells (packaging/completion) only ask. Pure.
 */
#pragma once

#include "common/text/args.h"

/* As the first argument of every program: what follows is a line to complete. Not in --help. */
#define ARGS_COMPLETE_OPTION "--complete"

/*
 * `words` are those behind the program's name, the last one the word being typed ("" when it has
 * no letter yet; count 0 is the same). Appends a line for each candidate: the whole word, a tab,
 * what it is. Where a file or a folder is wanted the line is ":file" or ":dir", and the shell knows
 * better. Bash splits "--format=js" into three words; then the candidate is "json" alone.
 */
void args_complete(const struct args_program *program, size_t count, char *const *words,
		   struct buf *out);
