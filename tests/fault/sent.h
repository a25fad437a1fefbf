/*
 * sent - what a device sent, as its office saw it.
 *
 * The same number is always the same bytes and no counter goes twice, whatever happened to the disk
 * in between.
 */
#pragma once

#include "common/base/crypt.h"

#define SENT_MAX 256u

struct sent {
	/* Each change-set as it was seen first. */
	struct {
		uint64_t first;
		struct hash wire;
	} sets[SENT_MAX];
	size_t count;
	uint64_t counter; /* the greatest */
	size_t wrong;     /* each printed */
};

/* A request to sync, sealed by `key`. */
void sent_note(struct sent *s, struct bytes body, const struct sign_public *key);
/* A file to the office, which `reader` opens. */
void sent_note_file(struct sent *s, struct bytes file, const struct sign_public *key,
		    const struct sign_pair *reader);
/* Another identity sends from now on. */
void sent_begin_anew(struct sent *s);
