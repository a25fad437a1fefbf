#include "daemon/metrics.h"

#include <inttypes.h>

void metrics_print(struct metrics *m, struct buf *out)
{
#define X(name, type, help)                                                                       \
	buf_printf(out,                                                                           \
		   "# HELP ctxh_" #name " " help "\n# TYPE ctxh_" #name " " #type "\nctxh_" #name \
		   " %" PRIuFAST64 "\n",                                                          \
		   atomic_load_explicit(&m->name, memory_order_relaxed));
	METRICS_MAP(X)
#undef X
}
