#include "tests/support/device.h"

#include <curl/curl.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

#define ANSWER_MAX ((size_t)64 << 20)

void device_init(struct device *d, struct rand *rand)
{
	*d = (struct device){.next = 1};
	sign_pair_new(rand, &d->key);
	d->curl = curl_easy_init();
}

void device_clear(struct device *d)
{
	curl_easy_cleanup(d->curl);
	*d = (struct device){0};
}

void device_answer_clear(struct device_answer *a)
{
	buf_clear(&a->body);
	*a = (struct device_answer){0};
}

int64_t device_now(const struct device *d)
{
	return clock_wall_ms(clock_system()) + d->clock_off_ms;
}

static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct buf *body = arg;

	if (body->len + size * count > ANSWER_MAX)
		return 0;
	buf_append(body, data, size * count);
	return size * count;
}

static void aim(struct device *d, const char *path, struct device_answer *ret_answer)
{
	char url[INVITATION_HOST_MAX + 256];
	char pin[INVITATION_CURL_PIN_LEN];

	snprintf(url, sizeof url, "https://%s%s", d->invitation.address, path);
	invitation_curl_pin(d->invitation.pin, pin);
	curl_easy_setopt(d->curl, CURLOPT_URL, url);
	curl_easy_setopt(d->curl, CURLOPT_PINNEDPUBLICKEY, pin);
	curl_easy_setopt(d->curl, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(d->curl, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(d->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(d->curl, CURLOPT_TIMEOUT, 120L);
	curl_easy_setopt(d->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(d->curl, CURLOPT_WRITEDATA, &ret_answer->body);
}

static enum err finish(struct device *d, CURLcode rc, struct device_answer *answer)
{
	if (rc != CURLE_OK)
		return err_raise(ERR_NET, "%s", curl_easy_strerror(rc));
	curl_easy_getinfo(d->curl, CURLINFO_RESPONSE_CODE, &answer->status);
	d->bytes_in += answer->body.len;
	return ERR_OK;
}

static enum err perform(struct device *d, const char *path, struct device_answer *ret_answer)
{
	aim(d, path, ret_answer);
	return finish(d, curl_easy_perform(d->curl), ret_answer);
}

enum err device_get(struct device *d, const char *path, struct device_answer *ret_answer)
{
	*ret_answer = (struct device_answer){0};
	curl_easy_setopt(d->curl, CURLOPT_HTTPGET, 1L);
	return perform(d, path, ret_answer);
}

void device_post_begin(struct device *d, const char *path, struct bytes body,
		       struct device_answer *ret_answer)
{
	*ret_answer = (struct device_answer){0};
	d->headers = curl_slist_append(NULL, "Content-Type: " MSG_CONTENT_TYPE);
	d->headers = curl_slist_append(d->headers, "Expect:");
	curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, d->headers);
	curl_easy_setopt(d->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(d->curl, CURLOPT_POSTFIELDS,
			 body.data != NULL ? (const char *)body.data : "");
	curl_easy_setopt(d->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
	aim(d, path, ret_answer);
	d->bytes_out += body.len;
}

enum err device_post_end(struct device *d, int result, struct device_answer *answer)
{
	enum err e = finish(d, (CURLcode)result, answer);

	curl_easy_setopt(d->curl, CURLOPT_HTTPHEADER, NULL);
	curl_slist_free_all(d->headers);
	d->headers = NULL;
	return e;
}

enum err device_post(struct device *d, const char *path, struct bytes body,
		     struct device_answer *ret_answer)
{
	device_post_begin(d, path, body, ret_answer);
	return device_post_end(d, (int)curl_easy_perform(d->curl), ret_answer);
}

static enum err read_enrolled(struct device *d, struct arena *a, struct bytes body)
{
	struct msg_enrolled m;
	struct bytes message;
	enum err e = msg_answer_open(a, body, &message);

	if (e == ERR_OK)
		e = msg_enrolled_decode(a, message, &m);
	if (e != ERR_OK)
		return e;
	d->daemon = m.daemon;
	d->epoch = m.epoch;
	d->number = m.device;
	d->daemon_key = m.daemon_key;
	d->unit_count = m.unit_count < 16 ? m.unit_count : 16;
	for (size_t i = 0; i < d->unit_count; i++)
		d->units[i] = m.units[i];
	return ERR_OK;
}

enum err device_enrol(struct device *d, const char *invitation, const char *name)
{
	struct device_answer answer;
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf wire = {0};
	struct msg_enrol m = {.key = d->key.public_key,
			      .name = bytes_str(name),
			      .client_version = BYTES_LIT("test"),
			      .sent_ms = device_now(d)};
	enum err e = invitation_parse(bytes_str(invitation), &d->invitation);

	if (e != ERR_OK)
		return e;
	memcpy(m.code, d->invitation.code, sizeof m.code);
	msg_enrol_encode(&m, &d->key, &wire);
	e = device_post(d, "/v1/enrol", buf_bytes(&wire), &answer);
	if (e == ERR_OK && answer.status != 200)
		e = err_raise(ERR_AUTH, "enrolment refused with status %ld", answer.status);
	if (e == ERR_OK)
		e = read_enrolled(d, &a, buf_bytes(&answer.body));
	device_answer_clear(&answer);
	return e;
}

enum err device_seal(struct device *d, struct change *changes, size_t count, struct buf *out)
{
	struct changeset_head head = {.daemon = d->daemon,
				      .device = d->number,
				      .first = d->next,
				      .count = count,
				      .chain = d->chain};

	for (size_t i = 0; i < count; i++) {
		changes[i].number = d->next + i;
		changes[i].clock = hlc_tick(&d->hlc, device_now(d));
	}
	enum err e = changeset_seal(&head, changes, &d->key, out, &d->chain);

	if (e == ERR_OK)
		d->next += count;
	return e;
}

void device_envelope(struct device *d, const struct msg_sync *m, struct buf *out)
{
	AUTO(buf_clear) struct buf message = {0};

	msg_sync_encode(m, &message);
	msg_envelope_seal(&d->daemon, d->number, ++d->counter, buf_bytes(&message), &d->key, out);
}

static enum err read_synced(struct device *d, struct arena *a, struct bytes body,
			    struct msg_synced *ret_synced)
{
	struct msg_receipt receipt;
	struct bytes message;
	enum err e = msg_answer_open(a, body, &message);

	if (e == ERR_OK)
		e = msg_synced_decode(a, message, ret_synced);
	if (e != ERR_OK || ret_synced->receipt.len == 0)
		return e;
	return msg_receipt_decode(a, ret_synced->receipt, &d->daemon_key, &receipt);
}

enum err device_read(struct device *d, struct arena *a, struct device_answer *answer,
		     struct msg_synced *ret_synced, struct msg_refusal *ret_refusal)
{
	/* Decoded messages borrow from the bytes: into the arena with them. */
	struct bytes body = arena_copy(a, buf_bytes(&answer->body));
	struct bytes message;
	enum err e;

	if (answer->status == 200)
		return read_synced(d, a, body, ret_synced);
	e = msg_answer_open(a, body, &message);
	if (e == ERR_OK)
		e = msg_refusal_decode(a, message, ret_refusal);
	return e != ERR_OK ? e
			   : err_raise(ERR_AUTH, "status %ld: %.*s", answer->status,
				       BYTES_FMT(ret_refusal->code));
}

enum err device_sync(struct device *d, struct arena *a, struct msg_sync *m,
		     struct msg_synced *ret_synced, struct msg_refusal *ret_refusal)
{
	struct device_answer answer;
	AUTO(buf_clear) struct buf wire = {0};
	enum err e;

	m->epoch = d->epoch;
	m->sent_ms = device_now(d);
	m->client_version = BYTES_LIT("test");
	device_envelope(d, m, &wire);
	e = device_post(d, "/v1/sync", buf_bytes(&wire), &answer);
	if (e == ERR_OK)
		e = device_read(d, a, &answer, ret_synced, ret_refusal);
	device_answer_clear(&answer);
	return e;
}
