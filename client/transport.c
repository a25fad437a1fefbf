#define LOG_TAG "transport"

#include "client/transport.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>

#include "common/base/check.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define CURL_LIBRARY "libcurl.so.4"

#define CONNECT_TIMEOUT_S 30L
/* A bad line is slow, not dead: 18 s without a byte are usual at 30 % loss. And a busy office may
 * think for long: it is the only limit while its machine answers the probes below. */
#define STALL_TIMEOUT_S   90L
/*
 * A connection that the office's machine no longer has (the daemon was killed, something on the way
 * reset it, and the reset was lost) is told from a slow office by asking that machine: it answers
 * the first probe that arrives with another reset. Nine unanswered ones, after 82 s, end it.
 */
#define PROBE_AFTER_S     10L
#define PROBE_EVERY_S     8L

struct library {
	void *handle;
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*easy_perform)(CURL *curl);
	CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
	void (*easy_cleanup)(CURL *curl);
	const char *(*easy_strerror)(CURLcode code);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
};

struct transport {
	struct sync_transport link;
	struct library curl;
	CURL *easy;
	struct curl_slist *headers;
	char address[INVITATION_HOST_MAX];
	char pin[INVITATION_CURL_PIN_LEN];
	struct buf *answer; /* of the request that runs */
	bool is_too_big;
};

static enum err load_library(struct library *l)
{
	const struct {
		const char *name;
		void *to;
	} wanted[] = {
		{"curl_global_init", &l->global_init},
		{"curl_easy_init", &l->easy_init},
		{"curl_easy_setopt", &l->easy_setopt},
		{"curl_easy_perform", &l->easy_perform},
		{"curl_easy_getinfo", &l->easy_getinfo},
		{"curl_easy_cleanup", &l->easy_cleanup},
		{"curl_easy_strerror", &l->easy_strerror},
		{"curl_slist_append", &l->slist_append},
		{"curl_slist_free_all", &l->slist_free_all},
	};

	l->handle = dlopen(CURL_LIBRARY, RTLD_NOW | RTLD_LOCAL);
	if (l->handle == NULL)
		return err_raise(ERR_IO, "%s", dlerror());
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		void *found = dlsym(l->handle, wanted[i].name);

		if (found == NULL)
			return err_raise(ERR_IO, "%s has no %s", CURL_LIBRARY, wanted[i].name);
		/* POSIX lets a data pointer carry a function's address; C has no cast for it. */
		memcpy(wanted[i].to, &found, sizeof found);
	}
	if (l->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return err_raise(ERR_IO, "libcurl does not start");
	return ERR_OK;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct transport *t = arg;
	size_t len = size * count;

	if (len > LIMIT_PLAIN_BYTES - t->answer->len) {
		t->is_too_big = true;
		return 0;
	}
	buf_append(t->answer, data, len);
	return len;
}

static enum err from_curl(const struct transport *t, CURLcode code)
{
	const char *text = t->curl.easy_strerror(code);

	if (code == CURLE_OK)
		return ERR_OK;
	if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
		return err_raise(ERR_AUTH, "%s: %s", t->address, text);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_raise(ERR_TIMEOUT, "%s: %s", t->address, text);
	if (t->is_too_big)
		return err_raise(ERR_PROTO, "%s: the answer is too big", t->address);
	return err_raise(ERR_NET, "%s: %s", t->address, text);
}

/* Options that stay the same for every request. */
static CURLcode configure(struct transport *t)
{
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{CURLOPT_NOSIGNAL, 1},
		{CURLOPT_FOLLOWLOCATION, 0},
		{CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
		{CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
		/* The pin is the check: it needs no authority, no name, no date. */
		{CURLOPT_SSL_VERIFYPEER, 0},
		{CURLOPT_SSL_VERIFYHOST, 0},
		{CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT_S},
		{CURLOPT_LOW_SPEED_LIMIT, 1},
		{CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT_S},
		{CURLOPT_TCP_KEEPALIVE, 1},
		{CURLOPT_TCP_KEEPIDLE, PROBE_AFTER_S},
		{CURLOPT_TCP_KEEPINTVL, PROBE_EVERY_S},
	};
	CURLcode code = CURLE_OK;

	for (size_t i = 0; i < sizeof numbers / sizeof *numbers && code == CURLE_OK; i++)
		code = t->curl.easy_setopt(t->easy, numbers[i].option, numbers[i].value);
	if (code == CURLE_OK)
		code = t->curl.easy_setopt(t->easy, CURLOPT_PROTOCOLS_STR, "https");
	if (code == CURLE_OK)
		code = t->curl.easy_setopt(t->easy, CURLOPT_PINNEDPUBLICKEY, t->pin);
	if (code == CURLE_OK)
		code = t->curl.easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, on_body);
	if (code == CURLE_OK)
		code = t->curl.easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
	if (code == CURLE_OK)
		code = t->curl.easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
	return code;
}

static CURLcode aim(struct transport *t, const char *path, struct bytes body)
{
	char url[INVITATION_HOST_MAX + 128];

	snprintf(url, sizeof url, "https://%s%s", t->address, path);
	CURLcode code = t->curl.easy_setopt(t->easy, CURLOPT_URL, url);

	if (code != CURLE_OK)
		return code;
	if (body.len == 0)
		return t->curl.easy_setopt(t->easy, CURLOPT_HTTPGET, 1L);
	code = t->curl.easy_setopt(t->easy, CURLOPT_POST, 1L);
	if (code == CURLE_OK)
		code = t->curl.easy_setopt(t->easy, CURLOPT_POSTFIELDS, (const char *)body.data);
	if (code == CURLE_OK)
		code = t->curl.easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE,
					   (curl_off_t)body.len);
	return code;
}

static enum err request(struct sync_transport *link, const char *path, struct bytes body,
			int *ret_status, struct buf *ret_answer)
{
	struct transport *t = CONTAINER_OF(link, struct transport, link);
	long status = 0;

	t->answer = ret_answer;
	t->is_too_big = false;
	CURLcode code = aim(t, path, body);

	if (code == CURLE_OK)
		code = t->curl.easy_perform(t->easy);
	if (code == CURLE_OK)
		code = t->curl.easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	t->answer = NULL;
	*ret_status = (int)status;
	return from_curl(t, code);
}

enum err transport_open(const char *address, const uint8_t pin[INVITATION_PIN_LEN],
			struct transport **ret_transport)
{
	AUTO(transport_close) struct transport *t = mem_alloc_zero(sizeof *t);

	t->link.request = request;
	snprintf(t->address, sizeof t->address, "%s", address);
	invitation_curl_pin(pin, t->pin);
	enum err e = load_library(&t->curl);

	if (e != ERR_OK)
		return e;
	t->easy = t->curl.easy_init();
	t->headers = t->curl.slist_append(NULL, "Content-Type: " MSG_CONTENT_TYPE);
	/* Waiting for "100 Continue" would cost a second round trip. */
	if (t->headers != NULL)
		t->curl.slist_append(t->headers, "Expect:");
	if (t->easy == NULL || t->headers == NULL)
		return err_raise(ERR_IO, "libcurl does not start");
	e = from_curl(t, configure(t));
	if (e != ERR_OK)
		return e;
	*ret_transport = MOVE(t);
	return ERR_OK;
}

void transport_close(struct transport *t)
{
	if (t == NULL)
		return;
	if (t->easy != NULL)
		t->curl.easy_cleanup(t->easy);
	if (t->headers != NULL)
		t->curl.slist_free_all(t->headers);
	/* The library stays loaded: what it registered at exit must not point nowhere. */
	mem_free(t);
}

struct sync_transport *transport_link(struct transport *t)
{
	return &t->link;
}
