#define LOG_TAG "keys"

#include "daemon/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/check.h"
#include "common/base/folder.h"
#include "common/base/log.h"
#include "daemon/tls.h"

#define SECRET_MODE 0077 /* bits nobody else may have */
#define FILE_MAX    65536u

static enum err join(char ret_path[KEYS_PATH_LEN], const char *folder, const char *name)
{
	int len = snprintf(ret_path, KEYS_PATH_LEN, "%s/%s", folder, name);

	if (len < 0 || (size_t)len >= KEYS_PATH_LEN)
		return err_raise(ERR_TOOBIG, "%s: path too long", folder);
	return ERR_OK;
}

/* No room may come back; what else fails does not. */
static enum err fail(const char *doing, const char *path)
{
	return err_raise(errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_IO, "%s %s: %s", doing,
			 path, strerror(errno));
}

static enum err write_all(int fd, struct bytes content, const char *path)
{
	while (content.len > 0) {
		ssize_t n = write(fd, content.data, content.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail("write", path);
		content.data += n;
		content.len -= (size_t)n;
	}
	return fsync(fd) == 0 ? ERR_OK : fail("fsync", path);
}

static enum err sync_folder(const char *folder)
{
	const int failed = folder_sync(folder);

	return failed == 0 ? ERR_OK : err_raise(ERR_IO, "fsync %s: %s", folder, strerror(failed));
}

enum err keys_write_file(const char *folder, const char *name, struct bytes content)
{
	char path[KEYS_PATH_LEN];
	char beside[KEYS_PATH_LEN];
	enum err e = join(path, folder, name);
	int fd;

	if (e == ERR_OK)
		e = join(beside, path, ""); /* checks the length of what follows */
	if (e != ERR_OK)
		return e;
	memcpy(beside + strlen(beside) - 1, "~", 2);
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail("create", beside);
	e = write_all(fd, content, beside);
	close(fd);
	if (e == ERR_OK && rename(beside, path) != 0)
		e = fail("rename", path);
	if (e != ERR_OK) {
		(void)unlink(beside);
		return e;
	}
	return sync_folder(folder);
}

static enum err check_private(int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_raise(ERR_IO, "%s: %s", path, strerror(errno));
	if ((st.st_mode & SECRET_MODE) != 0)
		return err_raise(ERR_AUTH,
				 "%s: others may read or write it (mode %04o); if that was not an "
				 "accident its secrets are known: chmod go= only after thinking",
				 path, (unsigned)st.st_mode & 07777u);
	if (st.st_uid != geteuid())
		return err_raise(ERR_AUTH, "%s: belongs to uid %u, we are %u", path,
				 (unsigned)st.st_uid, (unsigned)geteuid());
	return ERR_OK;
}

static enum err read_fd(int fd, const char *path, struct buf *ret_content)
{
	enum err e = check_private(fd, path);

	while (e == ERR_OK && ret_content->len < FILE_MAX) {
		ssize_t n = read(fd, buf_reserve(ret_content, 4096), 4096);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			e = err_raise(ERR_IO, "%s: %s", path, strerror(errno));
		if (n <= 0)
			break;
		ret_content->len += (size_t)n;
	}
	return e;
}

/* ERR_NOTFOUND: not made yet. */
static enum err read_file(const char *folder, const char *name, struct buf *ret_content)
{
	char path[KEYS_PATH_LEN];
	enum err e = join(path, folder, name);
	int fd;

	if (e != ERR_OK)
		return e;
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_raise(errno == ENOENT ? ERR_NOTFOUND : ERR_IO, "%s: %s", path,
				 strerror(errno));
	e = read_fd(fd, path, ret_content);
	close(fd);
	return e;
}

static enum err open_folder(const char *state)
{
	int fd;
	enum err e;

	if (mkdir(state, 0700) != 0 && errno != EEXIST)
		return err_raise(ERR_IO, "mkdir %s: %s", state, strerror(errno));
	fd = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_raise(ERR_IO, "%s: %s", state, strerror(errno));
	e = check_private(fd, state);
	close(fd);
	return e;
}

static enum err take_lock(const char *state, int *ret_fd)
{
	char path[KEYS_PATH_LEN];
	enum err e = join(path, state, "lock");
	int fd;

	if (e != ERR_OK)
		return e;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_raise(ERR_IO, "%s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		int saved = errno;

		close(fd);
		if (saved == EWOULDBLOCK)
			return err_raise(ERR_AGAIN, "%s: another daemon runs on this state", path);
		return err_raise(ERR_IO, "%s: %s", path, strerror(saved));
	}
	*ret_fd = fd;
	return ERR_OK;
}

static enum err load_id(const char *state, const struct clock *clock, struct rand *rand,
			struct id *ret_id)
{
	AUTO(buf_clear) struct buf text = {0};
	char hex[ID_HEX_LEN];
	struct id fresh;
	enum err e = read_file(state, "id", &text);

	if (e == ERR_OK) {
		while (text.len > 0 && text.data[text.len - 1] == '\n')
			text.len--;
		return id_parse(buf_bytes(&text), ret_id);
	}
	if (e != ERR_NOTFOUND)
		return e;
	fresh = id_new(clock, rand);
	id_print(&fresh, hex);
	buf_printf(&text, "%s\n", hex);
	e = keys_write_file(state, "id", buf_bytes(&text));
	if (e == ERR_OK)
		*ret_id = fresh;
	return e;
}

static enum err load_sign(const char *state, struct rand *rand, struct sign_pair *ret_pair)
{
	AUTO(buf_clear) struct buf raw = {0};
	struct sign_pair pair;
	enum err e = read_file(state, "sign.key", &raw);

	if (e == ERR_OK && (raw.data == NULL || raw.len != sizeof pair.secret))
		e = err_raise(ERR_CORRUPT, "%s/sign.key: %zu bytes, %zu wanted", state, raw.len,
			      sizeof pair.secret);
	if (e == ERR_OK) {
		memcpy(pair.secret, raw.data, sizeof pair.secret);
		/* libsodium's layout: seed, then public key. */
		memcpy(pair.public_key.bytes, pair.secret + SIGN_SECRET_LEN - SIGN_PUBLIC_LEN,
		       SIGN_PUBLIC_LEN);
		crypt_wipe(raw.data, raw.len);
	} else if (e == ERR_NOTFOUND) {
		sign_pair_new(rand, &pair);
		e = keys_write_file(state, "sign.key", bytes_of(pair.secret, sizeof pair.secret));
	}
	if (e == ERR_OK)
		*ret_pair = pair;
	crypt_wipe(&pair, sizeof pair);
	return e;
}

/* The key is written last: a certificate without its key is made anew, never the other way. */
static enum err make_tls(const char *state)
{
	AUTO(buf_clear) struct buf key = {0};
	AUTO(buf_clear) struct buf certificate = {0};
	enum err e = tls_make(&key, &certificate);

	if (e == ERR_OK)
		e = keys_write_file(state, "tls.crt", buf_bytes(&certificate));
	if (e == ERR_OK)
		e = keys_write_file(state, "tls.key", buf_bytes(&key));
	if (key.len > 0)
		crypt_wipe(key.data, key.len);
	return e;
}

static enum err open_tls(const char *state, struct keys *k)
{
	AUTO(buf_clear) struct buf key = {0};
	enum err e = read_file(state, "tls.key", &key);

	if (key.len > 0)
		crypt_wipe(key.data, key.len);
	if (e == ERR_NOTFOUND)
		e = make_tls(state);
	if (e == ERR_OK)
		e = join(k->tls_certificate, state, "tls.crt");
	if (e == ERR_OK)
		e = join(k->tls_key, state, "tls.key");
	return e;
}

enum err keys_open(const char *state, const struct clock *clock, struct rand *rand,
		   struct keys *ret_keys)
{
	struct keys k = {.lock = -1};
	enum err e = open_folder(state);

	if (e == ERR_OK)
		e = take_lock(state, &k.lock);
	if (e == ERR_OK)
		e = load_id(state, clock, rand, &k.daemon);
	if (e == ERR_OK)
		e = load_sign(state, rand, &k.sign);
	if (e == ERR_OK)
		e = open_tls(state, &k);
	if (e != ERR_OK) {
		keys_close(&k);
		return e;
	}
	*ret_keys = k;
	crypt_wipe(&k.sign, sizeof k.sign);
	return ERR_OK;
}

void keys_close(struct keys *k)
{
	crypt_wipe(&k->sign, sizeof k->sign);
	if (k->lock >= 0)
		close(k->lock);
	k->lock = -1;
}
