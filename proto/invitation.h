/*
 * invitation - the one string that enrols a device (design section 8).
 *
 *   ctxh://HOST:PORT/PIN/CODE
 *
 * HOST:PORT where the daemon listens ([v6] in brackets); PIN the SHA-256 of the
 * SubjectPublicKeyInfo of its TLS key, base64url without padding, as curl pins it;
 * CODE the one-time code: 16 bytes in Crockford's base 32 (26 digits) and a
 * check digit, in groups of five with hyphens. Case and hyphens of CODE do not matter. Pure.
 */
#pragma once

#include "common/base/bytes.h"
#include "common/base/err.h"
#include "proto/limits.h"

#define INVITATION_PIN_LEN  32u
#define INVITATION_CODE_LEN 16u
#define INVITATION_HOST_MAX 256u

struct invitation {
	char address[INVITATION_HOST_MAX]; /* "10.0.0.5:8443" */
	uint8_t pin[INVITATION_PIN_LEN];
	uint8_t code[INVITATION_CODE_LEN];
};

/* NUL-terminated, at most LIMIT_INVITATION_BYTES. */
void invitation_print(const struct invitation *i, char ret_text[LIMIT_INVITATION_BYTES]);
/* ERR_INVAL: and log_last_detail() says which part is wrong (a mistyped code fails its check). */
enum err invitation_parse(struct bytes text, struct invitation *ret_invitation);
/* "sha256//BASE64=" for CURLOPT_PINNEDPUBLICKEY. */
#define INVITATION_CURL_PIN_LEN 64u
void invitation_curl_pin(const uint8_t pin[INVITATION_PIN_LEN],
			 char ret_text[INVITATION_CURL_PIN_LEN]);
