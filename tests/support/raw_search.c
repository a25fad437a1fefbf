/*
 * raw_search - which of some texts lie in files, as they are or inside a zstd frame, wherever the
 * file's own structure thinks that there is nothing.
 * usage: raw_search TEXT… -- FILE…   prints FILE and TEXT for each find
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#define OUT_MAX ((size_t)8 << 20)

static char **texts;
static int text_count;
static unsigned char out[OUT_MAX];

static void look(const char *file, const char *where, const void *data, size_t len)
{
	for (int i = 0; i < text_count; i++)
		if (memmem(data, len, texts[i], strlen(texts[i])) != NULL)
			(void)printf("%s\t%s\t%s\n", file, where, texts[i]);
}

/* As far as it goes: the end may be overwritten, or lie elsewhere. */
static void look_in_frame(const char *file, const unsigned char *data, size_t len)
{
	ZSTD_DCtx *d = ZSTD_createDCtx();
	ZSTD_inBuffer from = {data, len, 0};
	ZSTD_outBuffer to = {out, OUT_MAX, 0};
	size_t rc = 1;

	while (d != NULL && rc != 0 && !ZSTD_isError(rc) && from.pos < from.size &&
	       to.pos < to.size) {
		size_t before = from.pos + to.pos;

		rc = ZSTD_decompressStream(d, &to, &from);
		if (from.pos + to.pos == before)
			break;
	}
	look(file, "zstd", out, to.pos);
	(void)ZSTD_freeDCtx(d);
}

static void search(const char *file)
{
	static const unsigned char magic[4] = {0x28, 0xb5, 0x2f, 0xfd};
	FILE *f = fopen(file, "rb");
	unsigned char *data = NULL;
	size_t len = 0;
	size_t got;

	if (f == NULL)
		return; /* it went away meanwhile */
	do {
		data = realloc(data, len + OUT_MAX);
		if (data == NULL)
			exit(2);
		got = fread(data + len, 1, OUT_MAX, f);
		len += got;
	} while (got != 0);
	(void)fclose(f);
	look(file, "plain", data, len);
	for (size_t at = 0; at + sizeof magic < len; at++)
		if (memcmp(data + at, magic, sizeof magic) == 0)
			look_in_frame(file, data + at, len - at);
	free(data);
}

int main(int argc, char **argv)
{
	int at = 1;

	texts = argv + 1;
	while (at < argc && strcmp(argv[at], "--") != 0)
		at++;
	text_count = at - 1;
	for (int i = at + 1; i < argc; i++)
		search(argv[i]);
	return 0;
}
