#define LOG_TAG "passphrase"

#include "client/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/crypt.h"

#define FILE_VARIABLE     "CTXH_PASSPHRASE_FILE"
#define NEW_FILE_VARIABLE "CTXH_NEW_PASSPHRASE_FILE"

void passphrase_clear(struct buf *text)
{
	if (text->data != NULL)
		crypt_wipe(text->data, text->cap);
	buf_clear(text);
}

/* One line; its end does not belong to it. */
static enum err read_line(int fd, struct buf *ret_text)
{
	char byte;
	ssize_t n;

	/* Reserved at once: growing would leave copies behind in freed memory. */
	buf_reserve(ret_text, PASSPHRASE_MAX + 1);
	while ((n = read(fd, &byte, 1)) == 1 && byte != '\n') {
		if (ret_text->len == PASSPHRASE_MAX)
			return err_raise(ERR_TOOBIG, "the passphrase is over %u bytes",
					 PASSPHRASE_MAX);
		if (byte != '\r')
			buf_append_byte(ret_text, (uint8_t)byte);
	}
	return n < 0 ? err_raise(ERR_IO, "passphrase: %s", strerror(errno)) : ERR_OK;
}

static enum err read_file(const char *path, struct buf *ret_text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_raise(ERR_NOTFOUND, "%s: %s", path, strerror(errno));
	enum err e = read_line(fd, ret_text);

	close(fd);
	return e;
}

static enum err read_terminal(const char *prompt, struct buf *ret_text)
{
	struct termios old;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || tcgetattr(fd, &old) != 0) {
		if (fd >= 0)
			close(fd);
		return err_raise(ERR_NOTFOUND, "no terminal, and %s is not set", FILE_VARIABLE);
	}
	struct termios quiet = old;

	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	enum err e = ERR_OK;

	if (write(fd, prompt, strlen(prompt)) < 0 || tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		e = err_raise(ERR_IO, "terminal: %s", strerror(errno));
	if (e == ERR_OK)
		e = read_line(fd, ret_text);
	(void)tcsetattr(fd, TCSAFLUSH, &old);
	close(fd);
	return e;
}

enum err passphrase_read(const char *prompt, struct buf *ret_text)
{
	const char *path = getenv(FILE_VARIABLE);

	return path != NULL && *path != '\0' ? read_file(path, ret_text)
					     : read_terminal(prompt, ret_text);
}

static enum err check_length(const struct buf *text)
{
	return text->len < PASSPHRASE_MIN
		       ? err_raise(ERR_INVAL, "a passphrase has at least %u characters",
				   PASSPHRASE_MIN)
		       : ERR_OK;
}

static enum err read_twice(struct buf *ret_text)
{
	AUTO(passphrase_clear) struct buf again = {0};
	enum err e = read_terminal("Mật khẩu mới / New passphrase: ", ret_text);

	if (e == ERR_OK)
		e = check_length(ret_text);
	if (e == ERR_OK)
		e = read_terminal("Nhập lại / Once more: ", &again);
	if (e == ERR_OK && !bytes_equal(buf_bytes(ret_text), buf_bytes(&again)))
		e = err_raise(ERR_CONFLICT, "the two are not the same");
	return e;
}

static enum err read_new(const char *variable, struct buf *ret_text)
{
	const char *path = getenv(variable);

	if (path == NULL || *path == '\0')
		return read_twice(ret_text);
	enum err e = read_file(path, ret_text);

	return e == ERR_OK ? check_length(ret_text) : e;
}

enum err passphrase_read_new(struct buf *ret_text)
{
	return read_new(FILE_VARIABLE, ret_text);
}

enum err passphrase_read_change(struct buf *ret_text)
{
	return read_new(NEW_FILE_VARIABLE, ret_text);
}
