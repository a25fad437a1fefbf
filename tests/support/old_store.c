/*
 * old_store - a store as a daemon of long ago left it, with one person in it, for tests of an
 * upgrade: old_store FILE.
 */
#include <stdio.h>

#include "tests/support/ground.h"

static int copy_file(const char *from, const char *to)
{
	char piece[65536];
	FILE *in = fopen(from, "rbe");
	FILE *out = fopen(to, "wbxe");
	bool is_whole = in != NULL && out != NULL;
	size_t n;

	while (is_whole && (n = fread(piece, 1, sizeof piece, in)) > 0)
		is_whole = fwrite(piece, 1, n, out) == n;
	is_whole = is_whole && ferror(in) == 0;
	if (in != NULL)
		(void)fclose(in);
	if (out != NULL && fclose(out) != 0)
		is_whole = false;
	if (!is_whole)
		perror(to);
	return is_whole ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct ground g;
	struct ground_device *d;
	struct change c;
	struct id id;
	int code;

	if (argc != 2) {
		(void)fputs("old_store FILE\n", stderr);
		return 2;
	}
	ground_open(&g);
	d = ground_device(&g, g.north, false);
	c = ground_person(&g, d, g.north, "Còn đây", &id);
	(void)ground_push(&g, d, &c, 1);
	ground_make_version_6(&g);
	store_close(g.store);
	g.store = NULL;
	/* Closed, it is one file. */
	code = copy_file(g.path, argv[1]);
	ground_close(&g);
	return code;
}
