#define LOG_TAG "child"

#include "daemon/child.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/check.h"
#include "daemon/loop.h"

/* What is still in the pipe when it has ended comes within that, or never. */
#define LINGER_MS 2000

static void on_closed(uv_handle_t *h)
{
	struct child *c = h->data;

	if (--c->open_handles == 0)
		c->done(c); /* `c` may be gone */
}

static void close_handle(uv_handle_t *h)
{
	if (!uv_is_closing(h))
		uv_close(h, on_closed);
}

static void close_all(struct child *c)
{
	close_handle((uv_handle_t *)&c->in);
	close_handle((uv_handle_t *)&c->out);
	close_handle((uv_handle_t *)&c->timer);
	if (c->has_process)
		close_handle((uv_handle_t *)&c->process);
}

static void on_late(uv_timer_t *t)
{
	struct child *c = t->data;

	if (c->is_exited) {
		close_all(c);
		return;
	}
	c->is_over_time = true;
	child_stop(c);
}

/* Whoever it left behind may hold the pipe open for ever. */
static void on_exit(uv_process_t *p, int64_t exit_status, int term_signal)
{
	struct child *c = p->data;

	c->exit_code = term_signal != 0 ? -1 : exit_status;
	c->is_exited = true;
	if (c->has_said_all)
		close_all(c);
	else
		(void)uv_timer_start(&c->timer, on_late, LINGER_MS, 0);
}

static void on_alloc(uv_handle_t *h, size_t suggested, uv_buf_t *ret_into)
{
	struct child *c = h->data;

	(void)suggested;
	*ret_into = uv_buf_init(c->read_into, sizeof c->read_into);
}

static void on_read(uv_stream_t *s, ssize_t got, const uv_buf_t *from)
{
	struct child *c = s->data;
	const size_t room = CHILD_SAID_MAX - c->said_len;

	if (got < 0) {
		(void)uv_read_stop(s);
		c->has_said_all = true;
		if (c->is_exited)
			close_all(c);
		return;
	}
	memcpy(c->said + c->said_len, from->base, (size_t)got < room ? (size_t)got : room);
	c->said_len += (size_t)got < room ? (size_t)got : room;
	c->said[c->said_len] = '\0';
}

/* It may end without having read everything: its exit says whether that was well. */
static void on_written(uv_write_t *w, int status)
{
	struct child *c = w->data;

	(void)status;
	close_handle((uv_handle_t *)&c->in);
}

void child_stop(struct child *c)
{
	/* A handle that never had a process has the number 0: that is all of our group. */
	if (c->has_process && !c->is_exited && !uv_is_closing((uv_handle_t *)&c->process))
		(void)uv_process_kill(&c->process, SIGKILL);
}

static void begin(struct child *c, int64_t limit_ms)
{
	const uv_buf_t input = uv_buf_init((char *)c->input->data, (unsigned)c->input->len);

	(void)uv_timer_start(&c->timer, on_late, (uint64_t)limit_ms, 0);
	(void)uv_read_start((uv_stream_t *)&c->out, on_alloc, on_read);
	if (uv_write(&c->write, (uv_stream_t *)&c->in, &input, 1, on_written) != 0)
		close_handle((uv_handle_t *)&c->in);
}

/* One pipe for all it says, in the order it says it. */
static int spawn(struct child *c, uv_loop_t *uv, const char *const *argv)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	static char lang[] = "LANG=C.UTF-8";
	char *env[] = {path, lang, NULL};
	char *args[CHILD_ARGS_MAX + 1] = {NULL};
	uv_file said[2];
	int rc = uv_pipe(said, UV_NONBLOCK_PIPE, 0);

	if (rc != 0)
		return rc;
	/* libuv takes them without const, and only reads them. */
	for (size_t i = 0; i < CHILD_ARGS_MAX && argv[i] != NULL; i++)
		memcpy(&args[i], &argv[i], sizeof args[i]);
	rc = uv_pipe_open(&c->out, said[0]);
	INVARIANT(rc == 0); /* it is a pipe, and open */

	uv_stdio_container_t stdio[] = {
		{.flags = UV_CREATE_PIPE | UV_READABLE_PIPE, .data.stream = (uv_stream_t *)&c->in},
		{.flags = UV_INHERIT_FD, .data.fd = said[1]},
		{.flags = UV_INHERIT_FD, .data.fd = said[1]}};
	const uv_process_options_t options = {.file = argv[0],
					      .args = args,
					      .env = env,
					      .cwd = "/",
					      .exit_cb = on_exit,
					      .stdio = stdio,
					      .stdio_count = 3};

	c->process.data = c;
	c->has_process = true;
	c->open_handles++;
	rc = uv_spawn(uv, &c->process, &options);
	(void)close(said[1]);
	return rc;
}

void child_run(struct child *c, struct loop *loop, const char *const *argv, struct buf *input,
	       int64_t limit_ms, void (*done)(struct child *c))
{
	uv_loop_t *uv = loop_uv(loop);
	int rc;

	*c = (struct child){.exit_code = -1, .input = input, .done = done, .open_handles = 3};
	(void)uv_pipe_init(uv, &c->in, 0);
	(void)uv_pipe_init(uv, &c->out, 0);
	(void)uv_timer_init(uv, &c->timer);
	c->in.data = c;
	c->out.data = c;
	c->timer.data = c;
	c->write.data = c;
	rc = spawn(c, uv, argv);
	if (rc == 0) {
		begin(c, limit_ms);
		return;
	}
	(void)snprintf(c->said, sizeof c->said, "%s: %s", argv[0], uv_strerror(rc));
	c->said_len = strlen(c->said);
	close_all(c);
}
