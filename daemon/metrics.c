#include "daemon/metrics.h"

#include <inttypes.h>
#include <string.h>

#define MS "_ms"

/*
 * Prometheus counts time in seconds, we in whole milliseconds: "commit_ms_total" 1500 goes out as
 * "commit_seconds_total" 1.500.
 */
static void print_name(const char *name, struct buf *out)
{
	const char *ms = strstr(name, MS);

	if (ms == NULL)
		buf_printf(out, "ctxh_%s", name);
	else
		buf_printf(out, "ctxh_%.*s_seconds%s", (int)(ms - name), name, ms + strlen(MS));
}

static void print_one(const char *name, const char *type, const char *help, uint_fast64_t value,
		      struct buf *out)
{
	buf_append_str(out, "# HELP ");
	print_name(name, out);
	buf_printf(out, " %s\n# TYPE ", help);
	print_name(name, out);
	buf_printf(out, " %s\n", type);
	print_name(name, out);
	if (strstr(name, MS) == NULL)
		buf_printf(out, " %" PRIuFAST64 "\n", value);
	else
		buf_printf(out, " %" PRIuFAST64 ".%03" PRIuFAST64 "\n", value / 1000, value % 1000);
}

void metrics_print(struct metrics *m, struct buf *out)
{
#define X(name, type, help) \
	print_one(#name, #type, help, atomic_load_explicit(&m->name, memory_order_relaxed), out);
	METRICS_MAP(X)
#undef X
}
