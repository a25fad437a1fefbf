/*
 * vault_dump - everything a vault holds of people, opened, on stdout: for tests that look for what
 * must not be there any more.
 * usage: vault_dump HOME PASSPHRASE
 */
#include <stdio.h>
#include <string.h>

#include "client/vault.h"
#include "proto/changeset.h"

static void put(struct bytes bytes)
{
	(void)fwrite(bytes.data, 1, bytes.len, stdout);
	(void)fputc('\n', stdout);
}

static enum err put_record(void *arg, const struct vault_record *r)
{
	AUTO(buf_clear) struct buf plain = {0};

	(void)arg;
	record_encode(&r->body, 0, &plain);
	record_encode(&r->office, 0, &plain);
	put(buf_bytes(&plain));
	return ERR_OK;
}

static enum err put_changes(struct vault *v, struct arena *a)
{
	struct vault_change *lists[2] = {NULL, NULL};
	size_t counts[2] = {0, 0};
	enum err e = vault_drafts(v, a, 100000, &lists[0], &counts[0]);

	if (e == ERR_OK)
		e = vault_changes_upto(v, a, INT64_MAX, &lists[1], &counts[1]);
	for (int k = 0; k < 2 && e == ERR_OK; k++) {
		for (size_t i = 0; i < counts[k]; i++) {
			AUTO(buf_clear) struct buf plain = {0};

			change_encode(&lists[k][i].change, &plain);
			put(buf_bytes(&plain));
		}
	}
	return e;
}

static enum err put_notices(struct vault *v, struct arena *a)
{
	struct vault_notice *notices = NULL;
	size_t count = 0;
	enum err e = vault_notices(v, a, true, &notices, &count);

	for (size_t i = 0; i < count && e == ERR_OK; i++) {
		put(notices[i].text);
		if (notices[i].kept.kind == VALUE_TEXT)
			put(notices[i].kept.bytes);
		if (notices[i].lost.kind == VALUE_TEXT)
			put(notices[i].lost.bytes);
	}
	return e;
}

static enum err dump(struct vault *v)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_sets sets = {0};
	enum err e = vault_record_each(v, put_record, NULL);

	if (e == ERR_OK)
		e = put_changes(v, &a);
	if (e == ERR_OK)
		e = put_notices(v, &a);
	if (e == ERR_OK)
		e = vault_outbox_load(v, &a, 0, SIZE_MAX, SIZE_MAX, &sets);
	for (size_t i = 0; i < sets.count && e == ERR_OK; i++)
		put(sets.items[i].wire);
	return e;
}

int main(int argc, char **argv)
{
	AUTO(vault_close) struct vault *v = NULL;
	enum err e = argc == 3 ? crypt_init() : ERR_INVAL;

	if (e == ERR_OK)
		e = vault_open(argv[1], rand_system(), &v);
	if (e == ERR_OK)
		e = vault_unlock(v, bytes_str(argv[2]));
	if (e == ERR_OK)
		e = dump(v);
	if (e != ERR_OK)
		(void)fprintf(stderr, "vault_dump: %s\n", err_text(e));
	return e == ERR_OK ? 0 : 1;
}
