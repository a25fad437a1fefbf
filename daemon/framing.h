/*
 * framing - where does a request's body end, and can two readers disagree about it.
 *
 * The HTTP library takes one of several lengths, lets blanks into names and prefers chunks over a
 * length. A proxy before us may choose otherwise, and then a stranger's bytes become somebody
 * else's request. What is doubtful is refused. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"

struct framing {
	unsigned lengths;
	unsigned codings;
	unsigned hosts;
	bool is_odd;   /* a name, a value or a length nobody sane sends */
	size_t length; /* Content-Length */
};

/* The headers of one request, the latest first; they live in the request's arena. */
struct header {
	const char *name;
	const char *value;
	struct header *next;
};

/* Copies both. */
void header_add(struct header **list, struct arena *a, const char *name, const char *value);
/* NULL: not sent. Names in any case. */
const char *header_find(const struct header *list, const char *name);

/* Each header once, in any order; a value that was not sent is "". */
void framing_header(struct framing *f, const char *name, const char *value);
bool framing_is_doubtful(const struct framing *f);
/* The body comes in chunks, without a length. */
bool framing_is_chunked(const struct framing *f);
