/*
 * child - one run of another program: given its input, its words kept, ended when it takes too
 * long.
 *
 * Wraps uv_spawn. No shell: the program's path and its arguments, a short environment of its own,
 * no descriptor of ours. Thread: loop. Embedded in its owner's object, which lives until `done`;
 * child_stop() makes that soon.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "common/base/buf.h"
#include "common/base/err.h"

#define CHILD_ARGS_MAX 8u   /* its path among them */
#define CHILD_SAID_MAX 300u /* bytes kept of what it prints; the rest is read and dropped */

struct loop;

struct child {
	uv_process_t process;
	uv_pipe_t in;
	uv_pipe_t out;
	uv_timer_t timer;
	uv_write_t write;
	unsigned open_handles;
	bool has_process;
	bool is_exited;
	bool has_said_all;
	bool is_over_time;
	int64_t exit_code; /* -1: it never ran, or a signal ended it */
	struct buf *input;
	char said[CHILD_SAID_MAX + 1]; /* of its stdout and stderr together */
	size_t said_len;
	char read_into[256];
	void (*done)(struct child *c);
};

/*
 * Runs argv[0] with `input` on its stdin; argv ends with NULL and is borrowed for the call,
 * `input` until `done`. `done` is called once, from the loop, also when it cannot be run at all
 * (then exit_code is -1 and `said` says why); all handles are closed then.
 */
void child_run(struct child *c, struct loop *loop, const char *const *argv, struct buf *input,
	       int64_t limit_ms, void (*done)(struct child *c));
/* Ends it now. `done` follows, from the loop. */
void child_stop(struct child *c);
