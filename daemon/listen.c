#define LOG_TAG "listen"

#include "daemon/listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/err.h"

#define BACKLOG     4096
#define SOCKET_MODE 0660

static enum err from_errno(const char *what)
{
	enum err e = errno == EADDRINUSE ? ERR_AGAIN : ERR_IO;

	return err_raise(e, "%s: %s", what, strerror(errno));
}

/* Cuts "host:port" or "[host]:port" in two. */
static enum err split(const char *address, char *ret_host, size_t size, const char **ret_port)
{
	const char *colon = strrchr(address, ':');
	const char *begin = address;
	size_t len;

	if (colon == NULL || colon == address || colon[1] == '\0')
		return err_raise(ERR_INVAL, "%s: HOST:PORT is wanted", address);
	len = (size_t)(colon - address);
	if (address[0] == '[' && colon[-1] == ']') {
		begin++;
		len -= 2;
	}
	if (len == 0 || len >= size || (begin == address && memchr(begin, ':', len) != NULL))
		return err_raise(ERR_INVAL, "%s: HOST:PORT or [V6]:PORT is wanted", address);
	memcpy(ret_host, begin, len);
	ret_host[len] = '\0';
	*ret_port = colon + 1;
	return ERR_OK;
}

static enum err bind_and_listen(const struct addrinfo *ai, const char *address, int *ret_fd)
{
	int one = 1;
	int fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	enum err e = ERR_OK;

	if (fd < 0)
		return from_errno(address);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
		e = from_errno(address);
	if (e != ERR_OK)
		close(fd);
	else
		*ret_fd = fd;
	return e;
}

enum err listen_tcp(const char *address, int *ret_fd)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
				       .ai_socktype = SOCK_STREAM,
				       .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char host[256];
	const char *port = NULL;
	enum err e = split(address, host, sizeof host, &port);
	int rc;

	if (e != ERR_OK)
		return e;
	rc = getaddrinfo(host, port, &hints, &found);
	if (rc != 0)
		return err_raise(ERR_INVAL, "%s: %s", address, gai_strerror(rc));
	e = bind_and_listen(found, address, ret_fd);
	freeaddrinfo(found);
	return e;
}

/* A socket file left by a daemon that died: connecting tells whether somebody is behind it. */
static enum err remove_stale(const struct sockaddr_un *sa)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int rc;

	if (fd < 0)
		return from_errno(sa->sun_path);
	rc = connect(fd, (const struct sockaddr *)sa, sizeof *sa);
	if (rc == 0 || errno == EAGAIN) {
		close(fd);
		return err_raise(ERR_AGAIN, "%s: somebody listens there", sa->sun_path);
	}
	close(fd);
	if (errno == ECONNREFUSED && unlink(sa->sun_path) != 0)
		return from_errno(sa->sun_path);
	return ERR_OK;
}

enum err listen_unix(const char *path, int *ret_fd)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	enum err e;
	int fd;

	if (strlen(path) >= sizeof sa.sun_path)
		return err_raise(ERR_TOOBIG, "%s: a socket's path has at most %zu bytes", path,
				 sizeof sa.sun_path - 1);
	memcpy(sa.sun_path, path, strlen(path) + 1);
	e = remove_stale(&sa);
	if (e != ERR_OK)
		return e;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return from_errno(path);
	/* Mode before listen(): until then nobody can connect. */
	if (bind(fd, (const struct sockaddr *)&sa, sizeof sa) != 0 ||
	    chmod(path, SOCKET_MODE) != 0 || listen(fd, BACKLOG) != 0)
		e = from_errno(path);
	if (e != ERR_OK)
		close(fd);
	else
		*ret_fd = fd;
	return e;
}

enum err listen_print(int fd, char ret_text[LISTEN_TEXT_LEN])
{
	struct sockaddr_storage ss = {0};
	socklen_t len = sizeof ss;
	char host[64];
	char port[8];
	int rc;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) != 0)
		return from_errno("getsockname");
	rc = getnameinfo((struct sockaddr *)&ss, len, host, sizeof host, port, sizeof port,
			 NI_NUMERICHOST | NI_NUMERICSERV);
	if (rc != 0)
		return err_raise(ERR_IO, "getnameinfo: %s", gai_strerror(rc));
	snprintf(ret_text, LISTEN_TEXT_LEN, ss.ss_family == AF_INET6 ? "[%s]:%s" : "%s:%s", host,
		 port);
	return ERR_OK;
}

enum err listen_print_path(int fd, char ret_path[LISTEN_TEXT_LEN])
{
	struct sockaddr_un sa = {0};
	socklen_t len = sizeof sa;

	if (getsockname(fd, (struct sockaddr *)&sa, &len) != 0)
		return from_errno("getsockname");
	/* A path that fills all the room has no end of its own. */
	(void)snprintf(ret_path, LISTEN_TEXT_LEN, "%.*s", (int)sizeof sa.sun_path, sa.sun_path);
	return ERR_OK;
}

enum err listen_peer(int fd, uint32_t *ret_uid, uint32_t *ret_gid)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0)
		return from_errno("SO_PEERCRED");
	*ret_uid = cred.uid;
	*ret_gid = cred.gid;
	return ERR_OK;
}
