#include "tests/unit/test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <microhttpd.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/transport.h"

#define YEAR_S (365L * 86400L)

/* An office that answers "pong" over TLS, with a certificate of chosen dates. */
struct server {
	struct MHD_Daemon *daemon;
	gnutls_datum_t key;
	gnutls_datum_t certificate;
	uint8_t pin[INVITATION_PIN_LEN];
	char address[64];
	size_t body_len; /* of the last POST */
	bool vanishes;   /* instead of answering: no FIN, no RST */
	bool has_vanished;
	int probe_after_s; /* of the client's socket, while it waits */
	int probe_every_s;
};

/* The client is of this process: its socket is the one that leads to our port. */
static void look_at_client(struct server *s)
{
	const uint16_t port = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;

	for (int fd = 0; fd < 1024; fd++) {
		struct sockaddr_in peer = {0};
		socklen_t len = sizeof peer;
		int is_on = 0;

		if (getpeername(fd, (struct sockaddr *)&peer, &len) != 0 ||
		    peer.sin_family != AF_INET || ntohs(peer.sin_port) != port)
			continue;
		len = sizeof is_on;
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &is_on, &len), 0);
		assert_true(is_on);
		len = sizeof s->probe_after_s;
		(void)getsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &s->probe_after_s, &len);
		(void)getsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &s->probe_every_s, &len);
	}
}

/* A socket in repair mode is forgotten by its kernel when it is closed, and nobody is told.
 * Something else takes its number, so that the server's own shutdown does not reach it. */
static bool vanish(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
	const int on = 1;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	bool is_gone = setsockopt(info->connect_fd, IPPROTO_TCP, TCP_REPAIR, &on, sizeof on) == 0 &&
		       dup2(null, info->connect_fd) == info->connect_fd;

	(void)close(null);
	return is_gone;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url,
				  const char *method, const char *version, const char *data,
				  size_t *len, void **state)
{
	static char pong[] = "pong";
	struct server *s = arg;

	(void)url;
	(void)method;
	(void)version;
	(void)data;
	if (*state == NULL) {
		*state = s;
		s->body_len = 0;
		return MHD_YES;
	}
	if (*len != 0) {
		s->body_len += *len;
		*len = 0;
		return MHD_YES;
	}
	look_at_client(s);
	if (s->vanishes) {
		s->has_vanished = vanish(c);
		return MHD_NO;
	}
	struct MHD_Response *r = MHD_create_response_from_buffer(4, pong, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result done = MHD_queue_response(c, 418, r);

	MHD_destroy_response(r);
	return done;
}

static void make_certificate(struct server *s, time_t from, time_t until)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_pubkey_t public_key;
	gnutls_datum_t der;

	assert_int_equal(gnutls_x509_privkey_init(&key), 0);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
					     GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
		0);
	assert_int_equal(gnutls_x509_crt_init(&crt), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\001", 1);
	gnutls_x509_crt_set_dn(crt, "CN=test", NULL);
	gnutls_x509_crt_set_key(crt, key);
	gnutls_x509_crt_set_activation_time(crt, from);
	gnutls_x509_crt_set_expiration_time(crt, until);
	assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &s->certificate);
	gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &s->key);
	gnutls_pubkey_init(&public_key);
	gnutls_pubkey_import_x509(public_key, crt, 0);
	assert_int_equal(gnutls_pubkey_export2(public_key, GNUTLS_X509_FMT_DER, &der), 0);
	assert_int_equal(gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, s->pin), 0);
	gnutls_free(der.data);
	gnutls_pubkey_deinit(public_key);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
}

static void server_start(struct server *s, long from_years, long until_years)
{
	struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	time_t now = time(NULL);

	memset(s, 0, sizeof *s);
	make_certificate(s, now + from_years * YEAR_S, now + until_years * YEAR_S);
	s->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_TLS, 0, NULL, NULL, on_request, s,
		MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_HTTPS_MEM_KEY, s->key.data,
		MHD_OPTION_HTTPS_MEM_CERT, s->certificate.data, MHD_OPTION_END);
	assert_non_null(s->daemon);
	snprintf(s->address, sizeof s->address, "127.0.0.1:%u",
		 MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
}

static void server_stop(struct server *s)
{
	MHD_stop_daemon(s->daemon);
	gnutls_free(s->key.data);
	gnutls_free(s->certificate.data);
}

static enum err ask(const char *address, const uint8_t *pin, struct bytes body, int *ret_status,
		    struct buf *answer)
{
	AUTO(transport_close) struct transport *t = NULL;
	enum err e = transport_open(address, pin, &t);

	if (e != ERR_OK)
		return e;
	return transport_link(t)->request(transport_link(t), "/v1/sync", body, ret_status, answer);
}

static void any_status_is_an_answer(UNUSED_STATE)
{
	struct server s;
	struct buf answer = {0};
	int status = 0;

	server_start(&s, -1, 1);
	assert_ok(ask(s.address, s.pin, BYTES_LIT("ping"), &status, &answer));

	assert_int_equal(status, 418);
	assert_true(bytes_is(buf_bytes(&answer), "pong"));
	assert_int_equal(s.body_len, 4);
	buf_clear(&answer);
	server_stop(&s);
}

static void another_key_is_refused_and_hears_nothing(UNUSED_STATE)
{
	struct server s;
	struct buf answer = {0};
	int status = 0;

	server_start(&s, -1, 1);
	s.pin[31] ^= 1;
	assert_err(ask(s.address, s.pin, BYTES_LIT("secret"), &status, &answer), ERR_AUTH);

	assert_int_equal(answer.len, 0);
	assert_int_equal(s.body_len, 0);
	buf_clear(&answer);
	server_stop(&s);
}

/* As a clock 20 years ahead or behind would see a certificate of today. */
static void no_clock_locks_anybody_out(UNUSED_STATE)
{
	static const long dates[][2] = {{-21, -20}, {20, 21}};

	for (size_t i = 0; i < 2; i++) {
		struct server s;
		struct buf answer = {0};
		int status = 0;

		server_start(&s, dates[i][0], dates[i][1]);
		assert_ok(ask(s.address, s.pin, BYTES_NONE, &status, &answer));
		assert_int_equal(status, 418);
		s.pin[0] ^= 1;
		assert_err(ask(s.address, s.pin, BYTES_NONE, &status, &answer), ERR_AUTH);
		buf_clear(&answer);
		server_stop(&s);
	}
}

static void nobody_there_is_only_later(UNUSED_STATE)
{
	struct server s;
	struct buf answer = {0};
	int status = 0;

	server_start(&s, -1, 1);
	server_stop(&s);

	assert_err(ask(s.address, s.pin, BYTES_NONE, &status, &answer), ERR_NET);
	buf_clear(&answer);
}

static void a_slow_office_is_asked_whether_it_is_there(UNUSED_STATE)
{
	struct server s;
	struct buf answer = {0};
	int status = 0;

	server_start(&s, -1, 1);
	assert_ok(ask(s.address, s.pin, BYTES_LIT("ping"), &status, &answer));

	assert_int_equal(s.probe_after_s, 10);
	assert_int_equal(s.probe_every_s, 8);
	buf_clear(&answer);
	server_stop(&s);
}

/* The reset of a connection that its machine lost is found out by probing, not by waiting for the
 * end of all patience, which would be ERR_TIMEOUT. */
static void an_office_that_forgot_the_connection_is_noticed(UNUSED_STATE)
{
	struct server s;
	struct buf answer = {0};
	int status = 0;

	server_start(&s, -1, 1);
	s.vanishes = true;
	enum err e = ask(s.address, s.pin, BYTES_LIT("ping"), &status, &answer);

	buf_clear(&answer);
	server_stop(&s);
	/* Without the right to do that (CAP_NET_ADMIN) the connection just ended. */
	if (!s.has_vanished)
		skip();
	assert_err(e, ERR_NET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_status_is_an_answer),
		cmocka_unit_test(another_key_is_refused_and_hears_nothing),
		cmocka_unit_test(no_clock_locks_anybody_out),
		cmocka_unit_test(nobody_there_is_only_later),
		cmocka_unit_test(a_slow_office_is_asked_whether_it_is_there),
		cmocka_unit_test(an_office_that_forgot_the_connection_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
