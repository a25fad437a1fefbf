#define LOG_TAG "transport"

#include "admin/transport.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/crypt.h"
#include "common/base/id.h"
#include "common/base/mem.h"
#include "proto/invitation.h"
#include "proto/limits.h"

#define CONNECT_TIMEOUT_MS        5000L
#define REMOTE_CONNECT_TIMEOUT_MS 30000L

static void json_release(json_t *j)
{
	json_decref(j);
}
DEFINE_AUTO(json_t *, json_release)
DEFINE_AUTO(CURL *, curl_easy_cleanup)
DEFINE_AUTO(struct curl_slist *, curl_slist_free_all)

struct answer {
	struct buf body;
	bool is_over;
};

static void answer_clear_auto(struct answer *a)
{
	buf_clear(&a->body);
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct answer *a = arg;
	size_t len = size * count;

	if (len > LIMIT_ADMIN_BYTES - a->body.len) {
		a->is_over = true;
		return 0; /* curl takes a short count as "stop" */
	}
	buf_append(&a->body, data, len);
	return len;
}

/* errno of the connect, told by curl, says whether anybody lives there or we may not ask. */
static enum err from_connect(CURL *curl, const char *path)
{
	long os_error = 0;

	(void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_error);
	if (os_error == EACCES || os_error == EPERM)
		return err_raise(ERR_AUTH, "%s: permission denied", path);
	return err_raise(ERR_NET, "%s: nobody listens (errno %ld)", path, os_error);
}

static enum err from_curl(CURL *curl, CURLcode code, const struct answer *answer, const char *path)
{
	if (code == CURLE_OK)
		return ERR_OK;
	if (answer->is_over)
		return err_raise(ERR_TOOBIG, "%s: answer over %zu bytes", path, LIMIT_ADMIN_BYTES);
	if (code == CURLE_COULDNT_CONNECT)
		return from_connect(curl, path);
	/* So curl says that the path of a socket is too long. */
	if (code == CURLE_COULDNT_RESOLVE_HOST)
		return err_raise(ERR_NET, "%s: no path of a socket", path);
	/* From here on the daemon may have the request, and nobody knows what it did with it. */
	return err_raise(ERR_TIMEOUT, "%s: %s", path, curl_easy_strerror(code));
}

static enum err parse_answer(long status, const struct buf *body, json_t **ret_answer)
{
	json_error_t why;
	AUTO(json_release) json_t *j = NULL;

	j = json_loadb((const char *)body->data, body->len, JSON_REJECT_DUPLICATES, &why);
	if (json_is_object(j)) {
		*ret_answer = MOVE(j);
		return ERR_OK;
	}
	if (status == 503 || status == 429)
		return err_raise(ERR_AGAIN, "status %ld without a body", status);
	return err_raise(ERR_PROTO, "status %ld, %zu bytes that are not a JSON object", status,
			 body->len);
}

static enum err perform(CURL *curl, const char *path, const struct transport_body *body,
			int64_t timeout_ms, json_t **ret_answer)
{
	AUTO(buf_clear) struct buf type = {0};
	AUTO(curl_slist_free_all) struct curl_slist *headers = NULL;
	AUTO(answer_clear) struct answer answer = {0};
	long status = 0;
	enum err e;

	buf_printf(&type, "Content-Type: %s", body->content_type);
	headers = curl_slist_append(NULL, buf_cstr(&type));
	/* "Expect: 100-continue" would cost a second on long unit lists for nothing. */
	(void)curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, path);
	curl_easy_setopt(curl, CURLOPT_URL, body->url);
	/* A proxy of the environment has no business between us and a local socket. */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body->content.len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->content.data);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, &answer);
	e = from_curl(curl, curl_easy_perform(curl), &answer, path);
	if (e != ERR_OK)
		return e;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	return parse_answer(status, &answer.body, ret_answer);
}

enum err transport_post(const char *socket_path, const struct transport_body *body,
			int64_t timeout_ms, json_t **ret_answer)
{
	AUTO(curl_easy_cleanup) CURL *curl = curl_easy_init();

	if (curl == NULL)
		return err_raise(ERR_IO, "libcurl does not start");
	return perform(curl, socket_path, body, timeout_ms, ret_answer);
}

/* ---- another machine ---- */

#define ADDRESS_MAX 256u
#define TOKEN_MAX   80u
#define SIGN_OUT_MS 5000
#define NO_TOKEN    "login" /* what the console wants of who is not signed in yet */
#define CONSOLE_API "/console/api/"

struct transport_remote {
	CURL *curl; /* one for the run: it keeps connection and cookie */
	char address[ADDRESS_MAX];
	char pin[INVITATION_CURL_PIN_LEN]; /* "": the machine's authorities decide */
	char token[TOKEN_MAX];
};

/* HOST:PORT; curl would take one without a port, and ask where nobody is. */
static bool is_address(const char *text)
{
	const char *port = strrchr(text, ':');

	return strlen(text) < ADDRESS_MAX && strpbrk(text, "/?#@ \\") == NULL && port != NULL &&
	       port != text && port[1] != '\0' &&
	       strspn(port + 1, "0123456789") == strlen(port + 1);
}

enum err transport_remote_open(const char *address, const char *fingerprint,
			       struct transport_remote **ret_remote)
{
	AUTO(transport_remote_close)
	struct transport_remote *r = mem_alloc_zero(sizeof *r);
	uint8_t pin[INVITATION_PIN_LEN];

	if (!is_address(address))
		return err_raise(ERR_INVAL, "%s", address);
	if (fingerprint != NULL) {
		if (hex_parse(bytes_str(fingerprint), pin, sizeof pin) != ERR_OK)
			return err_raise(ERR_INVAL, "%s", fingerprint);
		invitation_curl_pin(pin, r->pin);
	}
	memcpy(r->address, address, strlen(address) + 1);
	memcpy(r->token, NO_TOKEN, sizeof NO_TOKEN);
	r->curl = curl_easy_init();
	if (r->curl == NULL)
		return err_raise(ERR_IO, "libcurl does not start");
	*ret_remote = MOVE(r);
	return ERR_OK;
}

void transport_remote_close(struct transport_remote *r)
{
	json_t *request = json_object();
	json_t *answer = NULL;

	/* What fails here ends by itself: a login that is idle is over soon. */
	if (r->curl != NULL && strcmp(r->token, NO_TOKEN) != 0 &&
	    transport_remote_call(r, "logout", request, SIGN_OUT_MS, &answer) == ERR_OK)
		json_decref(answer);
	json_decref(request);
	if (r->curl != NULL)
		curl_easy_cleanup(r->curl);
	crypt_wipe(r->token, sizeof r->token);
	mem_free(r);
}

static enum err from_remote(const struct transport_remote *r, CURLcode code,
			    const struct answer *answer)
{
	if (code == CURLE_OK)
		return ERR_OK;
	if (answer->is_over)
		return err_raise(ERR_TOOBIG, "%s: answer over %zu bytes", r->address,
				 LIMIT_ADMIN_BYTES);
	if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH || code == CURLE_PEER_FAILED_VERIFICATION)
		return err_raise(ERR_AUTH, "%s: %s", r->address, curl_easy_strerror(code));
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST ||
	    code == CURLE_SSL_CONNECT_ERROR)
		return err_raise(ERR_NET, "%s: %s", r->address, curl_easy_strerror(code));
	return err_raise(ERR_TIMEOUT, "%s: %s", r->address, curl_easy_strerror(code));
}

static void aim(struct transport_remote *r, const char *url, struct answer *answer)
{
	const bool is_pinned = r->pin[0] != '\0';

	curl_easy_setopt(r->curl, CURLOPT_URL, url);
	curl_easy_setopt(r->curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(r->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(r->curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(r->curl, CURLOPT_FOLLOWLOCATION, 0L);
	/* In memory, for this run. */
	curl_easy_setopt(r->curl, CURLOPT_COOKIEFILE, "");
	/* The pin is the check: it needs no authority, no name, no date. */
	curl_easy_setopt(r->curl, CURLOPT_SSL_VERIFYPEER, is_pinned ? 0L : 1L);
	curl_easy_setopt(r->curl, CURLOPT_SSL_VERIFYHOST, is_pinned ? 0L : 2L);
	if (is_pinned)
		curl_easy_setopt(r->curl, CURLOPT_PINNEDPUBLICKEY, r->pin);
	curl_easy_setopt(r->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(r->curl, CURLOPT_CONNECTTIMEOUT_MS, REMOTE_CONNECT_TIMEOUT_MS);
	curl_easy_setopt(r->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(r->curl, CURLOPT_WRITEDATA, answer);
}

static enum err perform_remote(struct transport_remote *r, const char *path, const char *text,
			       int64_t timeout_ms, json_t **ret_answer)
{
	AUTO(buf_clear) struct buf url = {0};
	AUTO(buf_clear) struct buf token = {0};
	AUTO(curl_slist_free_all) struct curl_slist *headers = NULL;
	AUTO(answer_clear) struct answer answer = {0};
	long status = 0;
	enum err e;

	buf_printf(&url, "https://%s" CONSOLE_API "%s", r->address, path);
	buf_printf(&token, "X-Ctxh-Token: %s", r->token);
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	(void)curl_slist_append(headers, "Expect:");
	(void)curl_slist_append(headers, buf_cstr(&token));
	aim(r, buf_cstr(&url), &answer);
	curl_easy_setopt(r->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(r->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(text));
	curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, text);
	e = from_remote(r, curl_easy_perform(r->curl), &answer);
	/* They end with this call; the handle does not. */
	curl_easy_setopt(r->curl, CURLOPT_HTTPHEADER, NULL);
	curl_easy_setopt(r->curl, CURLOPT_POSTFIELDS, NULL);
	if (e != ERR_OK)
		return e;
	curl_easy_getinfo(r->curl, CURLINFO_RESPONSE_CODE, &status);
	return parse_answer(status, &answer.body, ret_answer);
}

enum err transport_remote_call(struct transport_remote *r, const char *path, const json_t *request,
			       int64_t timeout_ms, json_t **ret_answer)
{
	AUTO(mem_free) char *text = json_dumps(request, JSON_COMPACT);
	const char *token;
	enum err e;

	if (text == NULL)
		return err_raise(ERR_INVAL, "an argument is not UTF-8");
	e = perform_remote(r, path, text, timeout_ms, ret_answer);
	/* It may hold a password. */
	crypt_wipe(text, strlen(text));
	if (e != ERR_OK)
		return e;
	token = json_string_value(json_object_get(*ret_answer, "token"));
	if (token != NULL && strlen(token) < sizeof r->token)
		memcpy(r->token, token, strlen(token) + 1);
	return ERR_OK;
}

/* ---- this machine ---- */

enum err transport_call(const char *socket_path, const json_t *request, int64_t timeout_ms,
			json_t **ret_answer)
{
	AUTO(mem_free) char *text = json_dumps(request, JSON_COMPACT);
	struct transport_body body = {.url = "http://localhost/v1/call",
				      .content_type = "application/json"};

	if (text == NULL)
		return err_raise(ERR_INVAL, "an argument is not UTF-8");
	body.content = bytes_str(text);
	return transport_post(socket_path, &body, timeout_ms, ret_answer);
}
