#include "tests/fault/sent.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/check.h"
#include "proto/changeset.h"
#include "proto/msg.h"

static void note_set(struct sent *s, struct bytes wire, uint64_t first)
{
	struct hash h = hash_of(wire);

	for (size_t i = 0; i < s->count; i++) {
		if (s->sets[i].first != first)
			continue;
		if (memcmp(&s->sets[i].wire, &h, sizeof h) != 0) {
			(void)fprintf(stderr, "  number %llu went with other bytes\n",
				      (unsigned long long)first);
			s->wrong++;
		}
		return;
	}
	REQUIRE(s->count < SENT_MAX);
	s->sets[s->count].first = first;
	s->sets[s->count++].wire = h;
}

void sent_note(struct sent *s, struct bytes body, const struct sign_public *key)
{
	AUTO(arena_clear) struct arena a = {0};
	struct msg_envelope envelope;
	struct bytes message;
	struct msg_sync m;
	enum err e = msg_envelope_open(body, &envelope);

	REQUIRE(e == ERR_OK);
	e = msg_unpack(&a, envelope.packing, envelope.payload, &message);
	if (e == ERR_OK)
		e = msg_sync_decode(&a, message, &m);
	REQUIRE(e == ERR_OK);
	if (envelope.counter <= s->counter) {
		(void)fprintf(stderr, "  counter %llu went twice\n",
			      (unsigned long long)envelope.counter);
		s->wrong++;
	}
	s->counter = envelope.counter;
	for (size_t i = 0; i < m.changeset_count; i++) {
		struct changeset_opened opened;

		e = changeset_open(&a, m.changesets[i], key, &opened);
		REQUIRE(e == ERR_OK);
		note_set(s, m.changesets[i], opened.set.first);
	}
}

void sent_begin_anew(struct sent *s)
{
	s->count = 0;
	s->counter = 0;
}
