/*
 * plant - alters one record of a vault behind the client's back, as a bug or a disk would.
 * usage: plant HOME PASSPHRASE-FILE value ID FIELD TEXT | stamp ID FIELD | forget ID
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/vault.h"
#include "common/base/log.h"

struct order {
	const char *what;
	struct id id;
	const char *field;
	const char *text;
};

static bool alter(struct record *r, const struct order *o)
{
	for (size_t i = 0; i < r->count; i++) {
		struct field *f = &r->fields[i];

		if (!bytes_is(f->name, o->field))
			continue;
		if (strcmp(o->what, "stamp") == 0)
			f->stamp.clock--;
		else
			f->value = value_text(bytes_str(o->text));
		return true;
	}
	return false;
}

static enum err run(struct vault *v, const struct order *o)
{
	AUTO(arena_clear) struct arena a = {0};
	struct vault_record r;
	enum err e = vault_record_load(v, &a, &o->id, &r);

	if (e != ERR_OK || strcmp(o->what, "forget") == 0)
		return e == ERR_OK ? vault_record_remove(v, &o->id) : e;
	r.office = record_copy(&a, &r.office);
	if (!alter(&r.office, o))
		return err_raise(ERR_NOTFOUND, "no field %s", o->field);
	if (r.is_same)
		r.body = r.office;
	return vault_record_put(v, &r);
}

static enum err unlock(struct vault *v, const char *path)
{
	char text[256] = "";
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return err_raise(ERR_NOTFOUND, "%s", path);
	const char *got = fgets(text, sizeof text, f);

	(void)fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return got != NULL ? vault_unlock(v, bytes_str(text)) : ERR_INVAL;
}

int main(int argc, char **argv)
{
	AUTO(vault_close) struct vault *v = NULL;
	struct order o = {0};

	if (argc < 5 || crypt_init() != ERR_OK || id_parse(bytes_str(argv[4]), &o.id) != ERR_OK)
		return 2;
	o.what = argv[3];
	o.field = argc > 5 ? argv[5] : "";
	o.text = argc > 6 ? argv[6] : "";
	enum err e = vault_open(argv[1], rand_system(), &v);

	if (e == ERR_OK)
		e = unlock(v, argv[2]);
	if (e == ERR_OK)
		e = vault_begin(v);
	if (e == ERR_OK)
		e = run(v, &o);
	if (e == ERR_OK)
		e = vault_commit(v);
	if (e != ERR_OK)
		(void)fprintf(stderr, "plant: %s: %s\n", err_name(e), log_last_detail());
	return e != ERR_OK;
}
