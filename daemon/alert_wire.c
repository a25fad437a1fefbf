#define LOG_TAG "alert"

#include "daemon/alert_wire.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/crypt.h"

#define CONNECT_LIMIT_MS 10000L
#define SECRET_MARK      "{secret}"

DEFINE_AUTO(CURL *, curl_easy_cleanup)
DEFINE_AUTO(struct curl_slist *, curl_slist_free_all)

static size_t drop_answer(char *data, size_t size, size_t count, void *arg)
{
	(void)data;
	(void)arg;
	return size * count;
}

struct watch {
	const atomic_bool *is_stopping;
};

/* Non-zero ends it: nobody waits for a slow server at a stop. */
static int on_progress(void *arg, curl_off_t down, curl_off_t down_now, curl_off_t up,
		       curl_off_t up_now)
{
	const struct watch *w = arg;

	(void)down;
	(void)down_now;
	(void)up;
	(void)up_now;
	return w->is_stopping != NULL && atomic_load(w->is_stopping);
}

static enum err from_curl(CURLcode code)
{
	const char *text = curl_easy_strerror(code);

	if (code == CURLE_OK)
		return ERR_OK;
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_raise(ERR_CANCELED, "the daemon stops");
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_raise(ERR_TIMEOUT, "%s", text);
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
		return err_raise(ERR_AUTH, "%s", text);
	if (code == CURLE_SEND_ERROR || code == CURLE_LOGIN_DENIED ||
	    code == CURLE_WEIRD_SERVER_REPLY)
		return err_raise(ERR_PROTO, "%s", text);
	return err_raise(ERR_NET, "%s", text);
}

/* `watch` lives until the transfer is over. */
static void set_common(CURL *curl, struct watch *watch)
{
	/* A proxy of whatever environment has no business between the office and its server. */
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_LIMIT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)WIRE_LIMIT_MS);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_answer);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, watch);
}

/* ---- webhook ---- */

static enum err check_file(int fd, const char *path)
{
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_raise(ERR_INVAL, "%s: %s", path, strerror(errno));
	if ((st.st_mode & S_IRWXO) != 0)
		return err_raise(ERR_AUTH, "%s: everybody may read it: chmod o= %s", path, path);
	return ERR_OK;
}

/* The first line: printable, without blanks, since it goes into a header or an address. */
static enum err read_secret(const char *path, char ret_secret[WIRE_SECRET_MAX])
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum err e = check_file(fd, path);
	ssize_t got = e == ERR_OK ? read(fd, ret_secret, WIRE_SECRET_MAX - 1) : 0;
	size_t len = 0;

	if (fd >= 0)
		(void)close(fd);
	if (e != ERR_OK)
		return e;
	ret_secret[got > 0 ? got : 0] = '\0';
	while (ret_secret[len] > ' ' && ret_secret[len] <= '~')
		len++;
	/* What fills all the room may go on behind it. */
	if (len == 0 || len == WIRE_SECRET_MAX - 1 || strchr("\r\n", ret_secret[len]) == NULL)
		return err_raise(ERR_INVAL,
				 "%s: one line without blanks is wanted, shorter than %u", path,
				 WIRE_SECRET_MAX - 1);
	ret_secret[len] = '\0';
	return ERR_OK;
}

static void print_url(const char *url, const char *secret, struct buf *out)
{
	const char *mark = strstr(url, SECRET_MARK);

	if (mark == NULL) {
		buf_append_str(out, url);
		return;
	}
	buf_append(out, url, (size_t)(mark - url));
	buf_append_str(out, secret);
	buf_append_str(out, mark + strlen(SECRET_MARK));
}

static enum err post(const struct alert_hook *h, const char *url, struct curl_slist *headers)
{
	struct watch watch = {h->is_stopping};
	AUTO(curl_easy_cleanup) CURL *curl = curl_easy_init();
	long status = 0;
	enum err e;

	if (curl == NULL)
		return err_raise(ERR_NET, "libcurl does not start");
	set_common(curl, &watch);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (h->ca != NULL)
		curl_easy_setopt(curl, CURLOPT_CAINFO, h->ca);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)h->json.len);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, h->json.data);
	e = from_curl(curl_easy_perform(curl));
	if (e != ERR_OK)
		return e;
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200 || status > 299)
		return err_raise(ERR_PROTO, "the webhook answers with status %ld", status);
	return ERR_OK;
}

enum err alert_hook_post(const struct alert_hook *hook)
{
	AUTO(curl_slist_free_all) struct curl_slist *headers = NULL;
	AUTO(buf_clear) struct buf line = {0};
	AUTO(buf_clear) struct buf url = {0};
	char secret[WIRE_SECRET_MAX] = "";
	enum err e = hook->secret != NULL ? read_secret(hook->secret, secret) : ERR_OK;

	if (e != ERR_OK)
		return e;
	buf_printf(&line, "Idempotency-Key: \"%.*s\"", BYTES_FMT(hook->id));
	headers = curl_slist_append(NULL, "Content-Type: application/json");
	(void)curl_slist_append(headers, buf_cstr(&line));
	buf_reset(&line);
	print_url(hook->url, secret, &url);
	if (secret[0] != '\0' && strstr(hook->url, SECRET_MARK) == NULL) {
		buf_printf(&line, "Authorization: Bearer %s", secret);
		(void)curl_slist_append(headers, buf_cstr(&line));
	}
	e = post(hook, buf_cstr(&url), headers);
	crypt_wipe(secret, sizeof secret);
	crypt_wipe(line.data, line.len);
	crypt_wipe(url.data, url.len);
	return e;
}

/* ---- mail server ---- */

struct upload {
	struct bytes left;
};

static size_t on_upload(char *into, size_t size, size_t count, void *arg)
{
	struct upload *u = arg;
	const size_t room = size * count;
	const size_t len = u->left.len < room ? u->left.len : room;

	if (len != 0)
		memcpy(into, u->left.data, len);
	u->left = bytes_of(u->left.data + len, u->left.len - len);
	return len;
}

static void print_crlf(struct bytes mail, struct buf *out)
{
	for (size_t i = 0; i < mail.len; i++) {
		if (mail.data[i] == '\n')
			buf_append_byte(out, '\r');
		buf_append_byte(out, mail.data[i]);
	}
}

static struct curl_slist *split(const char *to)
{
	struct curl_slist *list = NULL;

	while (*to != '\0') {
		AUTO(buf_clear) struct buf one = {0};
		const size_t len = strcspn(to, ",");

		buf_append(&one, to, len);
		if (len != 0)
			list = curl_slist_append(list, buf_cstr(&one));
		to += len + (to[len] == ',');
	}
	return list;
}

enum err alert_smtp_send(const struct alert_smtp *smtp)
{
	struct watch watch = {smtp->is_stopping};
	AUTO(curl_easy_cleanup) CURL *curl = curl_easy_init();
	AUTO(curl_slist_free_all) struct curl_slist *to = split(smtp->to);
	AUTO(buf_clear) struct buf mail = {0};
	struct upload upload;

	if (curl == NULL)
		return err_raise(ERR_NET, "libcurl does not start");
	print_crlf(smtp->mail, &mail);
	upload.left = buf_bytes(&mail);
	set_common(curl, &watch);
	curl_easy_setopt(curl, CURLOPT_URL, smtp->url);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
	curl_easy_setopt(curl, CURLOPT_MAIL_FROM, smtp->from);
	curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, to);
	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_upload);
	curl_easy_setopt(curl, CURLOPT_READDATA, &upload);
	return from_curl(curl_easy_perform(curl));
}
