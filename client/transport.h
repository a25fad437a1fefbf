/*
 * transport - one request to the office over TLS, one answer.
 *
 * The only file that knows libcurl, and it is loaded when the first transport is
 * opened: entries and lists, made without a network, neither wait for it nor hold
 * its memory. The daemon is known by the pin of its TLS key and by nothing else, so
 * that a wrong clock locks nobody out and a foreign certificate lets nobody in.
 */
#pragma once

#include "client/sync.h"

struct transport;

/* `address` is "host:port". ERR_IO: libcurl is not installed. */
enum err transport_open(const char *address, const uint8_t pin[INVITATION_PIN_LEN],
			struct transport **ret_transport);
void transport_close(struct transport *t);
DEFINE_AUTO(struct transport *, transport_close)

struct sync_transport *transport_link(struct transport *t);
