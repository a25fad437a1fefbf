/* fuzz_invitation - what parses prints to text that parses to the same. */
#include <stdlib.h>

#include "proto/invitation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct invitation once;
	struct invitation twice;
	char text[LIMIT_INVITATION_BYTES];

	if (invitation_parse(bytes_of(data, size), &once) != ERR_OK)
		return 0;
	invitation_print(&once, text);
	if (invitation_parse(bytes_str(text), &twice) != ERR_OK)
		abort();
	if (memcmp(&once, &twice, sizeof once) != 0)
		abort();
	return 0;
}
