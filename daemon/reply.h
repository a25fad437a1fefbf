/*
 * reply - answers as their readers want them: msgpack for devices, JSON for administrators.
 *
 * Pure but for http_answer(). A refusal's code decides its HTTP status, its words and when to try
 * again (docs/protocol.md); the table in reply.c is the only place that knows.
 */
#pragma once

#include "common/base/crypt.h"
#include "daemon/http.h"

#define REPLY_JSON "application/json; charset=utf-8"
#define REPLY_TEXT "text/plain; charset=utf-8"

struct refusal {
	const char *code;
	uint64_t expected;        /* gap, replay */
	const struct hash *chain; /* gap; NULL: none */
};

/* 500 for a code the table lacks. */
unsigned reply_status(const char *code);
/* Vietnamese / English, for people; "" for a code the table lacks. */
const char *reply_text(const char *code);
/* A sealed msgpack refusal. */
void reply_make_refusal(const struct refusal *refusal, struct http_answer *ret_answer);
/* {"exit_code":…,"error":…} */
void reply_make_error(unsigned status, int exit_code, const char *text,
		      struct http_answer *ret_answer);
/* In the language of who asks. */
void reply_make_any(enum http_kind kind, unsigned status, const char *code,
		    struct http_answer *ret_answer);

void reply_refuse(struct http_request *r, const struct refusal *refusal);
/* Seals `message` as an answer. */
void reply_message(struct http_request *r, struct bytes message);
/* Takes `body`. */
void reply_body(struct http_request *r, unsigned status, const char *type, struct buf *body);
