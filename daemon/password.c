#include "daemon/password.h"

#include "common/base/buf.h"
#include "common/model/vntext.h"

#define GROUPS      5u
#define GROUP_LEN   4u
#define DIFFERENT   5u
#define NAME_COUNTS 3u /* a shorter name stands in many a good password by chance */

_Static_assert(PASSWORD_FIRST_LEN == GROUPS * (GROUP_LEN + 1), "groups, hyphens between, a NUL");

/* What is typed as it is hashed. Text that is no text is taken as its bytes: it will be wrong. */
static void normalise(struct bytes text, struct buf *out)
{
	if (text.len > PASSWORD_MAX_BYTES)
		text.len = 0;
	if (vntext_nfc(text, out) != ERR_OK)
		buf_append_bytes(out, text);
}

static enum err stretch(const struct password *p, struct bytes text, uint8_t ret_hash[SEAL_KEY_LEN])
{
	struct buf plain = {0};
	enum err e;

	normalise(text, &plain);
	e = kdf_stretch(bytes_of(buf_cstr(&plain), plain.len), p->salt, (uint64_t)p->passes,
			(size_t)p->memory, ret_hash);
	if (plain.len != 0)
		crypt_wipe(plain.data, plain.len);
	buf_clear(&plain);
	return e;
}

enum err password_make(struct rand *rand, struct bytes text, struct password *ret_password)
{
	struct password p = {.passes = PASSWORD_PASSES, .memory = PASSWORD_MEMORY};
	enum err e;

	rand_fill(rand, p.salt, sizeof p.salt);
	e = stretch(&p, text, p.hash);
	if (e == ERR_OK)
		*ret_password = p;
	return e;
}

enum err password_check(const struct password *p, struct bytes text, bool *ret_is_right)
{
	uint8_t hash[SEAL_KEY_LEN];
	enum err e = stretch(p, text, hash);

	if (e == ERR_OK)
		*ret_is_right = text.len != 0 && text.len <= PASSWORD_MAX_BYTES &&
				crypt_equal(hash, p->hash, sizeof hash);
	crypt_wipe(hash, sizeof hash);
	return e;
}

struct password password_of_nobody(void)
{
	/* A hash of zeros: to find a text for it is to break BLAKE2b. */
	return (struct password){.passes = PASSWORD_PASSES, .memory = PASSWORD_MEMORY};
}

void password_print_first(struct rand *rand, char ret_text[PASSWORD_FIRST_LEN])
{
	/* 32 of them: five bits each. Without i, l, o, u. */
	static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
	char *at = ret_text;

	for (unsigned i = 0; i < GROUPS * GROUP_LEN; i++) {
		if (i != 0 && i % GROUP_LEN == 0)
			*at++ = '-';
		*at++ = letters[rand_below(rand, sizeof letters - 1)];
	}
	*at = '\0';
}

/* Bytes, not characters: more different bytes than characters there cannot be for ASCII, and
 * other scripts have different lead and follow bytes anyway. */
static unsigned count_different(struct bytes text)
{
	bool seen[256] = {false};
	unsigned count = 0;

	for (size_t i = 0; i < text.len; i++) {
		count += !seen[text.data[i]];
		seen[text.data[i]] = true;
	}
	return count;
}

static bool holds_name(struct bytes text, struct bytes account)
{
	AUTO(buf_clear) struct buf in = {0};
	AUTO(buf_clear) struct buf name = {0};

	if (vntext_key(text, VNTEXT_FOLD, &in) != ERR_OK ||
	    vntext_key(account, VNTEXT_FOLD, &name) != ERR_OK || name.len < NAME_COUNTS)
		return false;
	return memmem(in.data, in.len, name.data, name.len) != NULL;
}

enum password_flaw password_judge(struct bytes text, struct bytes account)
{
	AUTO(buf_clear) struct buf nfc = {0};

	if (text.len > PASSWORD_MAX_BYTES)
		return PASSWORD_TOO_LONG;
	if (text.len == 0)
		return PASSWORD_TOO_SHORT;
	if (vntext_nfc(text, &nfc) != ERR_OK || !vntext_is_clean(buf_bytes(&nfc), false))
		return PASSWORD_NOT_TEXT;
	if (vntext_length(buf_bytes(&nfc)) < PASSWORD_MIN_CHARS)
		return PASSWORD_TOO_SHORT;
	if (count_different(buf_bytes(&nfc)) < DIFFERENT || holds_name(buf_bytes(&nfc), account))
		return PASSWORD_TOO_PLAIN;
	return PASSWORD_SOUND;
}

const char *password_flaw_text(enum password_flaw flaw)
{
	switch (flaw) {
	case PASSWORD_SOUND: return "";
	case PASSWORD_TOO_SHORT:
		return "Mật khẩu mới phải có từ 12 ký tự; mật khẩu cũ vẫn dùng. / The new password "
		       "needs 12 characters or more; the old one stands.";
	case PASSWORD_TOO_LONG:
		return "Mật khẩu mới dài quá 256 byte; mật khẩu cũ vẫn dùng. / The new password is "
		       "over 256 bytes; the old one stands.";
	case PASSWORD_NOT_TEXT:
		return "Mật khẩu mới có ký tự không dùng được; mật khẩu cũ vẫn dùng. / The new "
		       "password has characters that cannot be used; the old one stands.";
	case PASSWORD_TOO_PLAIN:
		return "Mật khẩu mới quá dễ đoán (ít ký tự khác nhau, hoặc chứa tên tài khoản); mật "
		       "khẩu cũ vẫn dùng. / The new password is too easy to guess (few different "
		       "characters, or it holds the account's name); the old one stands.";
	}
	return "";
}
