/*
 * password - what is kept of a console password, and whether a given one is it.
 *
 * Argon2id (RFC 9106) over the NFC form of what was typed: keyboards of Viet Nam give the same
 * letters in different forms. Parameters are kept with each, so that they can be raised. Making
 * and checking cost some tenths of a second and PASSWORD_MEMORY bytes: pool threads only. Pure.
 */
#pragma once

#include "common/base/crypt.h"

#define PASSWORD_PASSES    3
#define PASSWORD_MEMORY    (INT64_C(32) << 20)
#define PASSWORD_MIN_CHARS 12u
#define PASSWORD_MAX_BYTES 256u
#define PASSWORD_FIRST_LEN 25u /* "k3m9-…", 100 bits, and a NUL */

struct password {
	uint8_t salt[KDF_SALT_LEN]; /* random: two passwords never share one */
	int64_t passes;
	int64_t memory;
	uint8_t hash[SEAL_KEY_LEN];
};

/* The text must be one password_judge() finds nothing wrong with, or a first one. ERR_FULL: the
 * machine has not the memory. */
enum err password_make(struct rand *rand, struct bytes text, struct password *ret_password);
/* Takes the same time whatever `text` is. ERR_FULL. */
enum err password_check(const struct password *p, struct bytes text, bool *ret_is_right);
/* One that no text is, with the parameters of a new one: for names nobody has, so that they cost
 * as much time as others. */
struct password password_of_nobody(void);

/* A first password, to be printed once and typed once: no letters that look alike. */
void password_print_first(struct rand *rand, char ret_text[PASSWORD_FIRST_LEN]);

enum password_flaw {
	PASSWORD_SOUND,
	PASSWORD_TOO_SHORT, /* characters of its NFC form */
	PASSWORD_TOO_LONG,
	PASSWORD_NOT_TEXT,  /* not UTF-8, or control characters */
	PASSWORD_TOO_PLAIN, /* fewer than five different characters, or it holds the account's name
			     */
};
/* May somebody choose it? (NIST SP 800-63B: length counts, rules of composition do not.) */
enum password_flaw password_judge(struct bytes text, struct bytes account);
/* Vietnamese / English; "" for PASSWORD_SOUND. */
const char *password_flaw_text(enum password_flaw flaw);
