#include "tests/support/courier.h"

#include "common/base/check.h"
#include "proto/bundle.h"

void courier_return(struct office *o, struct rand *rand, const struct bundle_return *b,
		    struct buf *out)
{
	const struct bundle_writer w = {
		.head = {.kind = BUNDLE_RETURN, .device = o->device, .daemon = o->daemon},
		.key = &o->key,
		.reader = &o->device_key,
		.rand = rand};
	enum err e = bundle_write_return(&w, b, out);

	REQUIRE(e == ERR_OK);
}

/* Asks the office as if the part had come by network; its answer's message, into `a`. */
static struct bytes ask(struct office *o, const struct sign_pair *device, struct arena *a,
			struct bytes part, int *ret_status)
{
	AUTO(buf_clear) struct buf request = {0};
	AUTO(buf_clear) struct buf answer = {0};
	struct bytes message;
	enum err e;

	msg_envelope_seal(&o->daemon, o->device, o->counter + 1, part, device, &request);
	e = o->link.request(&o->link, "/v1/sync", buf_bytes(&request), ret_status, &answer);
	REQUIRE(e == ERR_OK);
	e = msg_answer_open(a, arena_copy(a, buf_bytes(&answer)), &message);
	REQUIRE(e == ERR_OK);
	return message;
}

void courier_carry(struct office *o, const struct sign_pair *device, struct rand *rand,
		   struct bytes file, struct buf *out)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bundle_out asked;
	struct msg_sync first;
	struct bundle_return b = {0};
	int status = 0;
	enum bundle_flaw flaw = bundle_open_out(&a, file, &o->device_key, &o->key, &asked);
	enum err e;

	REQUIRE(flaw == BUNDLE_SOUND);
	e = msg_sync_decode(&a, asked.parts[0], &first);
	REQUIRE(e == ERR_OK);
	b = (struct bundle_return){.number = asked.number,
				   .epoch = first.epoch,
				   .cursors = first.cursors,
				   .cursor_count = first.cursor_count};
	b.parts = arena_alloc_array(&a, asked.part_count, sizeof *b.parts);
	for (size_t i = 0; i < asked.part_count; i++) {
		struct bytes message = ask(o, device, &a, asked.parts[i], &status);

		if (status == 200)
			b.parts[b.part_count++] = message;
		else
			b.refusal = message;
	}
	b.log = o->log;
	courier_return(o, rand, &b, out);
}
