#define LOG_TAG "agent"

#include "client/agent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"

#define ASK_KEY        'k'
#define ASK_STOP       'l'
#define ANSWER_WAIT_MS 2000
#define WAKE_MS        15000 /* poll() does not count the time a machine sleeps */

/*
 * Socket names are short (108 bytes) and home folders need not be: the folder is
 * opened, and the name goes through /proc.
 */
static enum err socket_name(const char *home, struct sockaddr_un *ret_name, int *ret_folder)
{
	int folder = open(home, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return err_raise(ERR_NOTFOUND, "%s: %s", home, strerror(errno));
	*ret_name = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(ret_name->sun_path, sizeof ret_name->sun_path, "/proc/self/fd/%d/%s", folder,
		 AGENT_SOCKET);
	*ret_folder = folder;
	return ERR_OK;
}

static bool is_same_user(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

static enum err ask(const char *home, char question, void *ret_answer, size_t len)
{
	struct sockaddr_un name;
	struct timeval wait = {.tv_sec = ANSWER_WAIT_MS / 1000};
	int folder = -1;
	enum err e = socket_name(home, &name, &folder);

	if (e != ERR_OK)
		return e;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&name, sizeof name) != 0 ||
	    !is_same_user(fd))
		e = err_raise(ERR_NOTFOUND, "no agent in %s", home);
	if (e == ERR_OK) {
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
		if (send(fd, &question, 1, MSG_NOSIGNAL) != 1 ||
		    recv(fd, ret_answer, len, MSG_WAITALL) != (ssize_t)len)
			e = err_raise(ERR_NOTFOUND, "the agent does not answer");
	}
	if (fd >= 0)
		close(fd);
	close(folder);
	return e;
}

enum err agent_ask(const char *home, uint8_t ret_key[SEAL_KEY_LEN])
{
	return ask(home, ASK_KEY, ret_key, SEAL_KEY_LEN);
}

enum err agent_stop(const char *home)
{
	char answer;

	return ask(home, ASK_STOP, &answer, 1);
}

/* ---- the process ---- */

/* Whether the key was asked for; who connects and asks nothing does not keep the agent awake. */
static bool answer_one(int listener, const uint8_t *key, bool *is_stopping)
{
	struct timeval wait = {.tv_sec = ANSWER_WAIT_MS / 1000};
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char question = 0;

	if (fd < 0)
		return false;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	if (is_same_user(fd) && recv(fd, &question, 1, 0) == 1) {
		if (question == ASK_KEY)
			(void)!send(fd, key, SEAL_KEY_LEN, MSG_NOSIGNAL);
		if (question == ASK_STOP) {
			*is_stopping = true;
			(void)!send(fd, &question, 1, MSG_NOSIGNAL);
		}
	}
	close(fd);
	return question == ASK_KEY;
}

static int idle_ms(void)
{
	const char *text = getenv("CTXH_AGENT_IDLE_MS");
	long ms = text != NULL ? strtol(text, NULL, 10) : 0;

	return ms > 0 && ms < AGENT_IDLE_MS ? (int)ms : AGENT_IDLE_MS;
}

static void serve(int listener, int folder, const uint8_t *key)
{
	bool is_stopping = false;
	struct stat ours;
	struct stat there;
	bool is_known = fstatat(folder, AGENT_SOCKET, &ours, 0) == 0;

	/* Time asleep counts, too: a machine that was shut for an hour wakes up locked. */
	int64_t until = clock_boottime_ms() + idle_ms();

	for (int64_t left = idle_ms(); !is_stopping && left > 0;
	     left = until - clock_boottime_ms()) {
		struct pollfd p = {.fd = listener, .events = POLLIN};
		int ready = poll(&p, 1, (int)(left < WAKE_MS ? left : WAKE_MS));

		if ((ready < 0 && errno != EINTR) || clock_boottime_ms() >= until)
			break;
		if (ready > 0 && answer_one(listener, key, &is_stopping))
			until = clock_boottime_ms() + idle_ms();
	}
	/* A newer agent may stand there by now. */
	if (is_known && fstatat(folder, AGENT_SOCKET, &there, 0) == 0 &&
	    ours.st_ino == there.st_ino)
		(void)unlinkat(folder, AGENT_SOCKET, 0);
}

/* Nothing of this process is written anywhere: no core, no swap, no debugger. */
static void harden(void)
{
	struct rlimit none = {0, 0};

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0);
	if (mlockall(MCL_CURRENT) != 0)
		log_debug("the agent's memory cannot be locked as a whole");
}

/* What the caller had open is not the agent's: a lock it kept would stay for ever. */
static void close_others(int listener, int folder)
{
	for (int fd = 3; fd < 1024; fd++)
		if (fd != listener && fd != folder)
			close(fd);
}

static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	for (int fd = 0; fd <= 2 && null >= 0; fd++)
		(void)dup2(null, fd);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
}

static enum err listen_in(const char *home, int *ret_listener, int *ret_folder)
{
	struct sockaddr_un name;
	int folder = -1;
	enum err e = socket_name(home, &name, &folder);

	if (e != ERR_OK)
		return e;
	(void)unlinkat(folder, AGENT_SOCKET, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t old = umask(0177);

	if (fd < 0 || bind(fd, (const struct sockaddr *)&name, sizeof name) != 0 ||
	    listen(fd, 16) != 0)
		e = err_raise(ERR_IO, "%s/%s: %s", home, AGENT_SOCKET, strerror(errno));
	umask(old);
	if (e != ERR_OK) {
		if (fd >= 0)
			close(fd);
		close(folder);
		return e;
	}
	*ret_listener = fd;
	*ret_folder = folder;
	return ERR_OK;
}

enum err agent_start(const char *home, const uint8_t key[SEAL_KEY_LEN])
{
	int listener = -1;
	int folder = -1;

	/* Its answer does not matter: there may be none. */
	enum err stopped = agent_stop(home);

	(void)stopped;
	enum err e = listen_in(home, &listener, &folder);

	if (e != ERR_OK)
		return e;
	pid_t child = fork();

	if (child == 0) {
		uint8_t *page = mmap(NULL, SEAL_KEY_LEN, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		close_others(listener, folder);
		harden();
		leave_terminal();
		if (page != MAP_FAILED) {
			(void)mlock(page, SEAL_KEY_LEN);
			memcpy(page, key, SEAL_KEY_LEN);
			serve(listener, folder, page);
			crypt_wipe(page, SEAL_KEY_LEN);
		}
		_exit(0);
	}
	close(listener);
	close(folder);
	return child < 0 ? err_raise(ERR_IO, "fork: %s", strerror(errno)) : ERR_OK;
}
