/*
 * events - what open pages of the console are told as it happens: server-sent events.
 *
 *   event: session   data: a row of `log`, when the contact has ended      (roles that may `log`)
 *   event: board     data: {"units":["25195"]} whose rows of `board` changed; null: any
 *   event: lost      data: {}   more happened than is told: load anew
 *   event: end       data: {}   the login is over or its account was changed, or the daemon stops
 *
 * Looked at once a second, so a burst of contacts is one query and one piece a page, at most
 * EVENTS_A_LOOK rows of it. A heartbeat finds pages that are gone. Bounded: pages in all and of one
 * account, contacts waiting to be told, bytes a page does not take (http.h). Thread: loop.
 */
#pragma once

#include "common/base/attr.h"
#include "daemon/context.h"
#include "daemon/role.h"

#define EVENTS_MAX         64u
#define EVENTS_ACCOUNT_MAX 8u
#define EVENTS_WAITING     1024u
#define EVENTS_A_LOOK      100u
#define EVENTS_BEAT_MS     INT64_C(15000)

struct events;
struct http_request;
struct login;

struct events *events_new(struct context *ctx);
/* No page is open any more: behind http_free(). */
void events_free(struct events *e);
DEFINE_AUTO(struct events *, events_free)

/* Answers the request with events until its login is over. False: too many; not answered. */
bool events_open(struct events *e, struct http_request *r, const struct login *login);

/* A contact has ended, behind its commit. `e` may be NULL: nobody looks. */
void events_session_ended(struct events *e, uint64_t session);
/* An administrator decided something, behind its commit. `e` may be NULL. */
void events_decided(struct events *e);
/* The account may do something else now, or is no more: its pages end, and are told nothing of what
 * was looked up before. `e` may be NULL. */
void events_account_changed(struct events *e, const char *name);
/* Every second. */
void events_tick(struct events *e);
/* The daemon stops: says so to every page. */
void events_stop(struct events *e);
