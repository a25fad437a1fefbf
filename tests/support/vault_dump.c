/*
 * vault_dump - everything a vault holds of people, opened, on stdout: for tests that look for what
 * must not be there any more.
 * usage: vault_dump HOME PASSPHRASE
 */
#include <stdio.h>

#include "tests/support/vault_text.h"

int main(int argc, char **argv)
{
	AUTO(vault_close) struct vault *v = NULL;
	AUTO(buf_clear) struct buf text = {0};
	enum err e = argc == 3 ? crypt_init() : ERR_INVAL;

	if (e == ERR_OK)
		e = vault_open(argv[1], rand_system(), &v);
	if (e == ERR_OK)
		e = vault_unlock(v, bytes_str(argv[2]));
	if (e == ERR_OK)
		e = vault_text(v, &text);
	(void)fwrite(text.data, 1, text.len, stdout);
	if (e != ERR_OK)
		(void)fprintf(stderr, "vault_dump: %s\n", err_text(e));
	return e == ERR_OK ? 0 : 1;
}
