#define LOG_TAG "backup"

#include "daemon/backup_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "common/base/log.h"
#include "daemon/keys.h"

#define TEXT_MAX 4096u

static enum err read_text(const char *path, uint8_t text[TEXT_MAX], size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, TEXT_MAX) : -1;
	int saved = errno;

	if (fd >= 0)
		(void)close(fd);
	if (n < 0)
		return err_raise(saved == ENOENT ? ERR_NOTFOUND : ERR_AUTH, "%s: %s", path,
				 strerror(saved));
	*ret_len = (size_t)n;
	return ERR_OK;
}

enum err backup_read_pair(const char *path, struct box_pair *ret_pair)
{
	uint8_t text[TEXT_MAX];
	size_t len = 0;
	enum err e = read_text(path, text, &len);

	if (e == ERR_OK)
		e = box_pair_parse(bytes_of(text, len), ret_pair);
	crypt_wipe(text, sizeof text);
	return e;
}

enum err backup_read_pair_of(const char *folder, struct box_pair *ret_pair)
{
	char path[KEYS_PATH_LEN];

	if ((size_t)snprintf(path, sizeof path, "%s/" BACKUP_KEY_FILE, folder) >= sizeof path)
		return err_raise(ERR_INVAL, "path too long: %s", folder);
	return backup_read_pair(path, ret_pair);
}

static enum err read_public(const char *state, struct box_public *ret_to)
{
	char path[KEYS_PATH_LEN];
	uint8_t text[TEXT_MAX];
	size_t len = 0;
	enum err e;

	if ((size_t)snprintf(path, sizeof path, "%s/" BACKUP_PUBLIC_FILE, state) >= sizeof path)
		return err_raise(ERR_INVAL, "path too long: %s", state);
	e = read_text(path, text, &len);
	while (e == ERR_OK && len > 0 && text[len - 1] == '\n')
		len--;
	return e == ERR_OK ? box_public_parse(bytes_of(text, len), ret_to) : e;
}

/* The secret first: a public key without one would seal backups nobody can open. */
static enum err make_pair(const char *state, struct rand *rand, struct box_public *ret_to)
{
	struct box_pair pair;
	char text[BOX_PAIR_TEXT_LEN];
	char hex[BOX_HEX_LEN + 1];
	enum err e = backup_read_pair_of(state, &pair);

	if (e == ERR_NOTFOUND) {
		box_pair_new(rand, &pair);
		box_pair_print(&pair, text);
		e = keys_write_file(state, BACKUP_KEY_FILE, bytes_str(text));
	}
	box_public_print(&pair.public_key, hex);
	hex[BOX_HEX_LEN - 1] = '\n';
	if (e == ERR_OK)
		e = keys_write_file(state, BACKUP_PUBLIC_FILE, bytes_of(hex, BOX_HEX_LEN));
	if (e == ERR_OK)
		*ret_to = pair.public_key;
	crypt_wipe(&pair, sizeof pair);
	crypt_wipe(text, sizeof text);
	return e;
}

enum err backup_find_recipient(const char *state, const char *recipient, struct rand *rand,
			       struct box_public *ret_to)
{
	enum err e;

	if (recipient != NULL)
		return box_public_parse(bytes_str(recipient), ret_to);
	e = read_public(state, ret_to);
	return e == ERR_NOTFOUND ? make_pair(state, rand, ret_to) : e;
}
