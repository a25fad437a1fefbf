#include "common/text/offset.h"

#include <inttypes.h>

void offset_print(int64_t ms, struct buf *out)
{
	static const struct {
		uint64_t ms;
		const char *name;
	} units[] = {{UINT64_C(31557600000), "năm"},
		     {86400000, "ngày"},
		     {3600000, "giờ"},
		     {60000, "phút"},
		     {1000, "giây"},
		     {1, "ms"}};
	const uint64_t size = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
	size_t i = 0;

	if (ms == 0) {
		buf_append_str(out, "0");
		return;
	}
	while (units[i].ms != 1 && size < 2 * units[i].ms)
		i++;
	buf_printf(out, "%s%" PRIu64 " %s", ms < 0 ? "-" : "+", size / units[i].ms, units[i].name);
}
