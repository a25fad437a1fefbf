/*
 * alert_wire - an alert over the network: posted to a webhook, or handed to a mail server.
 *
 * The daemon's only use of libcurl. Both wait for the other side, for WIRE_LIMIT_MS at most: only
 * for a pool thread. The webhook is spoken to over TLS with its certificate checked, and never
 * followed elsewhere. No text of an error holds an address or a secret.
 */
#pragma once

#include <stdatomic.h>

#include "common/base/bytes.h"
#include "common/base/err.h"

#define WIRE_LIMIT_MS   20000
#define WIRE_SECRET_MAX 1024u

struct alert_hook {
	const char *url;    /* https://…; "{secret}" in it is replaced */
	const char *secret; /* file; NULL: none */
	const char *ca;     /* PEM file; NULL: the system's */
	struct bytes json;
	struct bytes id; /* goes along as Idempotency-Key */
	const atomic_bool *is_stopping;
};
/*
 * POSTs the JSON. The first line of the secret's file stands where the address has "{secret}",
 * else it goes along as "Authorization: Bearer …". ERR_AUTH: others may read that file, or the
 * server is not who its certificate must say; ERR_INVAL: the file is no secret; ERR_PROTO: an
 * answer that is not 2xx; ERR_NET, ERR_TIMEOUT.
 */
enum err alert_hook_post(const struct alert_hook *hook);

struct alert_smtp {
	const char *url;  /* smtp://HOST:PORT: on this machine or network, without a login */
	const char *from; /* addresses as config_finish() checked them */
	const char *to;   /* with commas */
	struct bytes mail;
	const atomic_bool *is_stopping;
};
/* ERR_PROTO: it does not take the mail; ERR_NET, ERR_TIMEOUT. */
enum err alert_smtp_send(const struct alert_smtp *smtp);
