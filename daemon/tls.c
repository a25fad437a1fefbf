#define LOG_TAG "tls"

#include "daemon/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdatomic.h>

#include "common/base/check.h"
#include "common/base/crypt.h"
#include "common/base/mem.h"

#define CHAIN_MAX    8u
#define NOT_BEFORE   INT64_C(946684800)    /* 2000-01-01 */
#define NOT_AFTER    INT64_C(253402300799) /* 9999-12-31: "no end" of RFC 5280 */
#define SERIAL_BYTES 16u

struct tls_pair {
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned count;
	gnutls_privkey_t key;
	struct tls_pair *older;
};

struct tls {
	_Atomic(struct tls_pair *) now;
	struct tls_pair *pairs; /* newest first; all that ever served */
};

/* The callback has no argument of ours: there is one daemon in a process. */
static _Atomic(struct tls *) serving;

struct tls *tls_new(void)
{
	struct tls *t = mem_alloc_zero(sizeof *t);

	atomic_store(&serving, t);
	return t;
}

void tls_pair_free(struct tls_pair *p)
{
	for (unsigned i = 0; i < p->count; i++)
		gnutls_pcert_deinit(&p->chain[i]);
	if (p->key != NULL)
		gnutls_privkey_deinit(p->key);
	mem_free(p);
}

void tls_free(struct tls *t)
{
	struct tls_pair *p = t->pairs;

	atomic_store(&serving, NULL);
	while (p != NULL) {
		struct tls_pair *older = p->older;

		tls_pair_free(p);
		p = older;
	}
	mem_free(t);
}

static enum err from_gnutls(int rc, const char *what)
{
	if (rc >= 0)
		return ERR_OK;
	return err_raise(ERR_INVAL, "%s: %s", what, gnutls_strerror(rc));
}

/* ---- making ---- */

static enum err fill_names(gnutls_x509_crt_t crt)
{
	static const uint8_t loopback[4] = {127, 0, 0, 1};
	static const char name[] = "ctxhd";
	int rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name,
					       sizeof name - 1);

	if (rc >= 0)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "localhost", 9,
							  GNUTLS_FSAN_SET);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_IPADDRESS, loopback,
							  sizeof loopback, GNUTLS_FSAN_APPEND);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
	return from_gnutls(rc, "certificate names");
}

static enum err fill(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key)
{
	uint8_t serial[SERIAL_BYTES];
	int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

	serial[0] &= 0x7f; /* a serial number is positive */
	if (rc >= 0)
		rc = gnutls_x509_crt_set_version(crt, 3);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_activation_time(crt, (time_t)NOT_BEFORE);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_expiration_time(crt, (time_t)NOT_AFTER);
	if (rc >= 0)
		rc = gnutls_x509_crt_set_key(crt, key);
	if (rc < 0)
		return from_gnutls(rc, "certificate");
	return fill_names(crt);
}

static void take_datum(gnutls_datum_t *d, struct buf *out)
{
	buf_append(out, d->data, d->size);
	gnutls_memset(d->data, 0, d->size);
	gnutls_free(d->data);
}

static enum err sign_and_print(gnutls_x509_crt_t crt, gnutls_x509_privkey_t key,
			       struct buf *ret_key, struct buf *ret_certificate)
{
	gnutls_datum_t key_pem = {0};
	gnutls_datum_t crt_pem = {0};
	enum err e = fill(crt, key);

	if (e == ERR_OK)
		e = from_gnutls(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), "sign");
	if (e == ERR_OK)
		e = from_gnutls(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &crt_pem),
				"print certificate");
	if (e == ERR_OK)
		e = from_gnutls(gnutls_x509_privkey_export2_pkcs8(key, GNUTLS_X509_FMT_PEM, NULL,
								  GNUTLS_PKCS_PLAIN, &key_pem),
				"print key");
	if (e == ERR_OK) {
		take_datum(&key_pem, ret_key);
		take_datum(&crt_pem, ret_certificate);
	} else if (crt_pem.data != NULL) {
		gnutls_free(crt_pem.data);
	}
	return e;
}

enum err tls_make(struct buf *ret_key, struct buf *ret_certificate)
{
	gnutls_x509_privkey_t key = NULL;
	gnutls_x509_crt_t crt = NULL;
	enum err e = from_gnutls(gnutls_x509_privkey_init(&key), "key");

	if (e == ERR_OK)
		e = from_gnutls(gnutls_x509_privkey_generate(
					key, GNUTLS_PK_ECDSA,
					GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
				"generate");
	if (e == ERR_OK)
		e = from_gnutls(gnutls_x509_crt_init(&crt), "certificate");
	if (e == ERR_OK)
		e = sign_and_print(crt, key, ret_key, ret_certificate);
	if (crt != NULL)
		gnutls_x509_crt_deinit(crt);
	if (key != NULL)
		gnutls_x509_privkey_deinit(key);
	return e;
}

/* ---- loading ---- */

static enum err load_file(const char *path, gnutls_datum_t *ret_datum)
{
	int rc = gnutls_load_file(path, ret_datum);

	if (rc < 0)
		return err_raise(ERR_INVAL, "%s: %s", path, gnutls_strerror(rc));
	return ERR_OK;
}

static enum err import_chain(struct tls_pair *p, const gnutls_datum_t *crt, const char *path)
{
	unsigned count = CHAIN_MAX;
	int rc = gnutls_pcert_list_import_x509_raw(p->chain, &count, crt, GNUTLS_X509_FMT_PEM, 0);

	if (rc < 0)
		return from_gnutls(rc, path);
	p->count = count;
	return ERR_OK;
}

static enum err import_key(struct tls_pair *p, const gnutls_datum_t *key, const char *path)
{
	int rc = gnutls_privkey_init(&p->key);

	if (rc >= 0)
		rc = gnutls_privkey_import_x509_raw(p->key, key, GNUTLS_X509_FMT_PEM, NULL, 0);
	return from_gnutls(rc, path);
}

static enum err print_spki(gnutls_pubkey_t key, gnutls_datum_t *ret_der)
{
	return from_gnutls(gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, ret_der), "public key");
}

/* The key must be the certificate's, or every handshake would fail after the reload. */
static enum err check_match(gnutls_pubkey_t own, gnutls_pubkey_t certified,
			    uint8_t ret_pin[INVITATION_PIN_LEN])
{
	gnutls_datum_t a = {0};
	gnutls_datum_t b = {0};
	enum err e = print_spki(own, &a);

	if (e == ERR_OK)
		e = print_spki(certified, &b);
	if (e == ERR_OK && (a.size != b.size || memcmp(a.data, b.data, a.size) != 0))
		e = err_raise(ERR_INVAL, "the key does not belong to the certificate");
	if (e == ERR_OK)
		e = from_gnutls(gnutls_hash_fast(GNUTLS_DIG_SHA256, a.data, a.size, ret_pin),
				"pin");
	gnutls_free(a.data);
	gnutls_free(b.data);
	return e;
}

static enum err pin_of(struct tls_pair *p, uint8_t ret_pin[INVITATION_PIN_LEN])
{
	gnutls_pubkey_t own = NULL;
	enum err e = from_gnutls(gnutls_pubkey_init(&own), "public key");

	if (e != ERR_OK)
		return e;
	e = from_gnutls(gnutls_pubkey_import_privkey(own, p->key, 0, 0), "public key");
	if (e == ERR_OK)
		e = check_match(own, p->chain[0].pubkey, ret_pin);
	gnutls_pubkey_deinit(own);
	return e;
}

enum err tls_read(const char *certificate_path, const char *key_path, struct tls_pair **ret_pair,
		  uint8_t ret_pin[INVITATION_PIN_LEN])
{
	AUTO(tls_pair_free) struct tls_pair *p = mem_alloc_zero(sizeof *p);
	uint8_t pin[INVITATION_PIN_LEN];
	gnutls_datum_t crt = {0};
	gnutls_datum_t key = {0};
	enum err e = load_file(certificate_path, &crt);

	if (e == ERR_OK)
		e = load_file(key_path, &key);
	if (e == ERR_OK)
		e = import_chain(p, &crt, certificate_path);
	if (e == ERR_OK)
		e = import_key(p, &key, key_path);
	if (e == ERR_OK)
		e = pin_of(p, pin);
	gnutls_free(crt.data);
	if (key.data != NULL)
		gnutls_memset(key.data, 0, key.size);
	gnutls_free(key.data);
	if (e != ERR_OK)
		return e;
	memcpy(ret_pin, pin, sizeof pin);
	*ret_pair = MOVE(p);
	return ERR_OK;
}

void tls_use(struct tls *t, struct tls_pair *take_pair)
{
	take_pair->older = t->pairs;
	t->pairs = take_pair;
	atomic_store(&t->now, take_pair);
}

/* NOLINTNEXTLINE(readability-function-size): GnuTLS' signature */
static int pick(gnutls_session_t session, const gnutls_datum_t *authorities, int authority_count,
		const gnutls_pk_algorithm_t *algorithms, int algorithm_count,
		gnutls_pcert_st **ret_chain, unsigned *ret_count, gnutls_privkey_t *ret_key)
{
	struct tls *t = atomic_load(&serving);
	struct tls_pair *p = t != NULL ? atomic_load(&t->now) : NULL;

	(void)session;
	(void)authorities;
	(void)authority_count;
	(void)algorithms;
	(void)algorithm_count;
	if (p == NULL)
		return -1;
	*ret_chain = p->chain;
	*ret_count = p->count;
	*ret_key = p->key;
	return 0;
}

void *tls_callback(void)
{
	return (void *)pick;
}
