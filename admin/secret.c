#define LOG_TAG "secret"

#include "admin/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/crypt.h"

void secret_clear(struct buf *secret)
{
	if (secret->data != NULL)
		crypt_wipe(secret->data, secret->cap);
	buf_clear(secret);
}

static enum err read_line(int fd, struct buf *ret_secret)
{
	char byte;
	ssize_t n;

	/* Reserved at once: growing would leave copies behind in freed memory. */
	buf_reserve(ret_secret, SECRET_MAX + 1);
	while ((n = read(fd, &byte, 1)) == 1 && byte != '\n') {
		if (ret_secret->len == SECRET_MAX)
			return err_raise(ERR_TOOBIG, "the password is over %u bytes", SECRET_MAX);
		if (byte != '\r')
			buf_append_byte(ret_secret, (uint8_t)byte);
	}
	return n < 0 ? err_raise(ERR_IO, "password: %s", strerror(errno)) : ERR_OK;
}

static enum err read_terminal(const char *variable, const char *prompt, struct buf *ret_secret)
{
	struct termios old;
	struct termios quiet;
	enum err e = ERR_OK;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (fd < 0 || tcgetattr(fd, &old) != 0) {
		if (fd >= 0)
			(void)close(fd);
		return err_raise(ERR_NOTFOUND, "no terminal, and %s is not set", variable);
	}
	quiet = old;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	if (write(fd, prompt, strlen(prompt)) < 0 || tcsetattr(fd, TCSAFLUSH, &quiet) != 0)
		e = err_raise(ERR_IO, "terminal: %s", strerror(errno));
	if (e == ERR_OK)
		e = read_line(fd, ret_secret);
	(void)tcsetattr(fd, TCSAFLUSH, &old);
	(void)close(fd);
	return e;
}

enum err secret_read(const char *variable, const char *prompt, struct buf *ret_secret)
{
	const char *path = getenv(variable);
	enum err e;
	int fd;

	if (path == NULL || path[0] == '\0')
		return read_terminal(variable, prompt, ret_secret);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_raise(ERR_NOTFOUND, "%s: %s", path, strerror(errno));
	e = read_line(fd, ret_secret);
	(void)close(fd);
	return e;
}
