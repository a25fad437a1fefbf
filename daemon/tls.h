/*
 * tls - the daemon's certificate and key: made, loaded, handed to each handshake.
 *
 * Wraps GnuTLS. A pair once in use is kept until tls_free(): a handshake may still hold it after
 * a reload. Thread: loop, where nothing else is said.
 */
#pragma once

#include "common/base/attr.h"
#include "common/base/buf.h"
#include "common/base/err.h"
#include "proto/invitation.h"

/* TLS 1.2 and newer, forward secrecy, AEAD. */
#define TLS_PRIORITIES                                                                 \
	"SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:" \
	"+CHACHA20-POLY1305:+AES-128-GCM"

struct tls;

struct tls *tls_new(void);
void tls_free(struct tls *t);
DEFINE_AUTO(struct tls *, tls_free)

/*
 * Any thread. Makes an ECDSA P-256 key and a certificate signed by itself, valid from 2000 to 9999:
 * clients pin the key, and clocks of communes are wrong by decades. PEM, appended.
 */
enum err tls_make(struct buf *ret_key, struct buf *ret_certificate);

struct tls_pair;
void tls_pair_free(struct tls_pair *p);
DEFINE_AUTO(struct tls_pair *, tls_pair_free)

/*
 * Reads a pair from PEM files; any thread. ERR_INVAL: not a pair, or the key does not fit the
 * certificate. `ret_pin` is the SHA-256 of the SubjectPublicKeyInfo.
 */
enum err tls_read(const char *certificate_path, const char *key_path, struct tls_pair **ret_pair,
		  uint8_t ret_pin[INVITATION_PIN_LEN]);
/* From here on every new handshake uses it. Takes the pair. */
void tls_use(struct tls *t, struct tls_pair *take_pair);

/*
 * GnuTLS' certificate callback (gnutls_certificate_retrieve_function2), for the HTTP server,
 * which can pass no argument: it serves the pair of the tls made last.
 */
void *tls_callback(void);
