#include "tests/fault/sent.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/check.h"
#include "proto/bundle.h"
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

static void note_counter(struct sent *s, uint64_t counter)
{
	if (counter <= s->counter) {
		(void)fprintf(stderr, "  counter %llu went twice\n", (unsigned long long)counter);
		s->wrong++;
	}
	s->counter = counter;
}

/* A sync message, plain. */
static void note_message(struct sent *s, struct arena *a, struct bytes message,
			 const struct sign_public *key)
{
	struct msg_sync m;
	enum err e = msg_sync_decode(a, message, &m);

	REQUIRE(e == ERR_OK);
	for (size_t i = 0; i < m.changeset_count; i++) {
		struct changeset_opened opened;

		e = changeset_open(a, m.changesets[i], key, &opened);
		REQUIRE(e == ERR_OK);
		note_set(s, m.changesets[i], opened.set.first);
	}
}

void sent_note(struct sent *s, struct bytes body, const struct sign_public *key)
{
	AUTO(arena_clear) struct arena a = {0};
	struct msg_envelope envelope;
	struct bytes message;
	enum err e = msg_envelope_open(body, &envelope);

	REQUIRE(e == ERR_OK);
	e = msg_unpack(&a, envelope.packing, envelope.payload, &message);
	REQUIRE(e == ERR_OK);
	note_counter(s, envelope.counter);
	note_message(s, &a, message, key);
}

void sent_note_file(struct sent *s, struct bytes file, const struct sign_public *key,
		    const struct sign_pair *reader)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bundle_out b;
	enum bundle_flaw flaw = bundle_open_out(&a, file, key, reader, &b);

	REQUIRE(flaw == BUNDLE_SOUND);
	note_counter(s, b.number);
	for (size_t i = 0; i < b.part_count; i++)
		note_message(s, &a, b.parts[i], key);
}

void sent_begin_anew(struct sent *s)
{
	s->count = 0;
	s->counter = 0;
}
