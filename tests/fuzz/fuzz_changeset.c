/*
 * fuzz_changeset - whatever opens can be kept and opened again.
 *
 * The input is tried as a signed set, as the body of one (so that the fuzzer need
 * not find a frame first), as a change and as a record.
 */
#include <stdlib.h>

#include "proto/changeset.h"
#include "proto/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was decoded encodes to bytes that decode to the same bytes. */
static void check_change(const struct change *c)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf once = {0};
	AUTO(buf_clear) struct buf twice = {0};
	struct change again;

	change_encode(c, &once);
	if (change_decode(&a, buf_bytes(&once), &again) != ERR_OK)
		abort();
	change_encode(&again, &twice);
	if (!bytes_equal(buf_bytes(&once), buf_bytes(&twice)))
		abort();
}

static void check_odd(const struct changeset_opened *opened, size_t i)
{
	const struct changeset_odd *odd = &opened->odd[i];

	if (odd->change >= opened->set.count || odd->reason == NULL || odd->raw.len == 0)
		abort();
	if (i != 0 && opened->odd[i - 1].change >= odd->change)
		abort();
	if (odd->field.len == 0 && opened->set.changes[odd->change].count != 0)
		abort();
}

static void try_set(struct bytes wire)
{
	AUTO(arena_clear) struct arena a = {0};
	struct changeset_opened opened;
	struct changeset_head head;
	size_t odd = 0;

	if (changeset_open(&a, wire, NULL, &opened) != ERR_OK)
		return;
	if (changeset_peek(wire, &head) != ERR_OK || head.count != opened.set.count)
		abort();
	for (size_t i = 0; i < opened.odd_count; i++)
		check_odd(&opened, i);
	for (size_t i = 0; i < opened.set.count; i++) {
		if (opened.set.changes[i].number != opened.set.first + i)
			abort();
		if (odd < opened.odd_count && opened.odd[odd].change == i)
			odd++;
		else
			check_change(&opened.set.changes[i]);
	}
}

static void try_body(struct bytes body)
{
	AUTO(buf_clear) struct buf wire = {0};
	const uint8_t signature[SIGN_LEN] = {0};
	struct packer p;

	packer_init(&p, &wire, PACK_UNBOUNDED);
	packer_array(&p, 2);
	packer_bin(&p, body);
	packer_bin(&p, bytes_of(signature, sizeof signature));
	packer_done(&p);
	try_set(buf_bytes(&wire));
}

static void try_change(struct bytes bytes)
{
	AUTO(arena_clear) struct arena a = {0};
	struct change c;

	if (change_decode(&a, bytes, &c) == ERR_OK)
		check_change(&c);
}

static void try_record(struct bytes bytes)
{
	AUTO(arena_clear) struct arena a = {0};
	AUTO(buf_clear) struct buf once = {0};
	AUTO(buf_clear) struct buf twice = {0};
	struct record r;
	struct record again;

	if (record_decode(&a, bytes, &r) != ERR_OK)
		return;
	record_encode(&r, 0, &once);
	if (record_decode(&a, buf_bytes(&once), &again) != ERR_OK || again.count != r.count)
		abort();
	record_encode(&again, 0, &twice);
	if (!bytes_equal(buf_bytes(&once), buf_bytes(&twice)))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes input = bytes_of(data, size);

	try_set(input);
	try_body(input);
	try_change(input);
	try_record(input);
	return 0;
}
