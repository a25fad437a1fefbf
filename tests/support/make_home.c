/*
 * make_home - an enrolled home folder without an office, for trying commands and for measuring.
 * usage: make_home DIR COUNT (passphrase "thu nghiem"; COUNT people who are sent)
 */
#include <stdio.h>
#include <stdlib.h>

#include "client/vault.h"
#include "common/base/check.h"
#include "common/model/schema.h"

static const char *const families[] = {"Nguyễn", "Trần", "Lê", "Điểu", "Thị", "Phạm", "Hoàng"};
static const char *const givens[] = {"Hòa", "Bé", "K'Ré", "Ánh Tuyết", "Đạt", "Thạnh", "Thành"};

static enum err put_person(struct vault *v, int64_t i)
{
	char name[128];
	char born[16];
	struct stamp stamp = {STAMP_CLOCK_OF(INT64_C(1790000000000) + i), 9};
	struct vault_record r = {.is_same = true};

	snprintf(name, sizeof name, "%s Văn %s %lld", families[i % 7], givens[i / 7 % 7],
		 (long long)i);
	snprintf(born, sizeof born, "%lld-03-02", 1940 + (long long)(i % 70));
	struct field fields[] = {
		{BYTES_LIT("address"), value_text(BYTES_LIT("Số 12, đường liên xã")), stamp, 1},
		{BYTES_LIT("birth_date"), value_text(bytes_str(born)), stamp, 1},
		{BYTES_LIT("full_name"), value_text(bytes_str(name)), stamp, 1},
		{BYTES_LIT("hamlet"), value_text(BYTES_LIT("Thôn Bù Gia Phúc 1")), stamp, 1},
		{BYTES_LIT("unit"), value_int(7), stamp, 1},
	};

	r.body = (struct record){.type = BYTES_LIT("person"),
				 .id = id_new(clock_system(), rand_system()),
				 .fields = fields,
				 .count = sizeof fields / sizeof *fields};
	return vault_record_put(v, &r);
}

static enum err fill(struct vault *v, const struct schema *schema, int64_t count)
{
	struct vault_identity identity = {.device = 3, .address = "127.0.0.1:1"};
	const struct bytes author = BYTES_LIT("Thị Bé");
	int64_t unit = 7;
	enum err e = vault_begin(v);

	identity.daemon.bytes[0] = 1;
	identity.seed[0] = 1;
	if (e == ERR_OK)
		e = vault_identity_put(v, &identity);
	if (e == ERR_OK)
		e = vault_authors_put(v, &author, 1);
	if (e == ERR_OK)
		e = vault_scope_put(v, &unit, 1);
	if (e == ERR_OK)
		e = vault_doc_put(v, VAULT_DOC_SCHEMA, buf_bytes(&schema->source));
	for (int64_t i = 0; i < count && e == ERR_OK; i++)
		e = put_person(v, i);
	return e == ERR_OK ? vault_commit(v) : e;
}

int main(int argc, char **argv)
{
	AUTO(schema_free) struct schema *schema = NULL;
	AUTO(vault_close) struct vault *v = NULL;
	const char *root = getenv("CTXH_SOURCE_DIR");
	const struct vault_kdf fast = {1, 8 << 10};
	char path[4096];
	char error[SCHEMA_ERROR_LEN] = "";

	if (argc != 3 || crypt_init() != ERR_OK)
		return 2;
	snprintf(path, sizeof path, "%s/schema", root != NULL ? root : ".");
	enum err e = schema_load_folder(path, &schema, error);

	if (e == ERR_OK)
		e = vault_create(argv[1], rand_system(), &fast, BYTES_LIT("thu nghiem"), &v);
	if (e == ERR_OK)
		e = fill(v, schema, strtoll(argv[2], NULL, 10));
	if (e != ERR_OK)
		fprintf(stderr, "make_home: %s %s\n", err_name(e), error);
	return e != ERR_OK;
}
