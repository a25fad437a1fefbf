/*
 * replay - runs stored inputs through a fuzz target, where libFuzzer is not.
 *
 * usage: fuzz_<name> FILE...
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *path)
{
	AUTO(buf_clear) struct buf input = {0};
	FILE *f = fopen(path, "rb");
	uint8_t *exact;
	size_t len;
	int rc;

	if (f == NULL) {
		perror(path);
		return EXIT_FAILURE;
	}
	do {
		len = fread(buf_reserve(&input, 65536), 1, 65536, f);
		input.len += len;
	} while (len != 0);
	rc = ferror(f) != 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	(void)fclose(f);
	if (rc != EXIT_SUCCESS) {
		perror(path);
		return rc;
	}
	/* In a block of its own size, so that ASan sees the first byte too far. */
	exact = malloc(input.len != 0 ? input.len : 1);
	if (exact == NULL)
		return EXIT_FAILURE;
	if (input.len != 0)
		memcpy(exact, input.data, input.len);
	rc = LLVMFuzzerTestOneInput(exact, input.len);
	free(exact);
	return rc;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		(void)fprintf(stderr, "usage: %s FILE...\n", argv[0]);
		return 2;
	}
	for (int i = 1; i < argc; i++) {
		int rc = replay(argv[i]);

		if (rc != EXIT_SUCCESS)
			return rc;
	}
	(void)printf("%d inputs replayed\n", argc - 1);
	return EXIT_SUCCESS;
}
