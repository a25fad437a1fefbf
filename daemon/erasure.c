#include "daemon/erasure.h"

#include "daemon/store_pack.h"

#define VERSION        1u
#define MIN_RECORD_LEN (ID_LEN + 3u) /* a type's and an id's length, how many units */
#define MIN_UNIT_LEN   1u

void erasure_encode(const struct erasure *x, struct buf *out)
{
	pack_uint(out, VERSION);
	pack_int(out, x->at_ms);
	pack_bytes(out, x->who);
	pack_bytes(out, x->why);
	pack_bytes(out, x->basis);
	pack_uint(out, x->count);
	for (size_t i = 0; i < x->count; i++) {
		const struct erasure_record *r = &x->records[i];

		pack_bytes(out, r->type);
		pack_bytes(out, bytes_of(r->id.bytes, ID_LEN));
		pack_uint(out, r->unit_count);
		for (size_t k = 0; k < r->unit_count; k++)
			pack_int(out, r->units[k]);
	}
}

/* How many there are; none when so many cannot be in what is left. */
static size_t read_count(struct pack_reader *r, size_t least_len)
{
	uint64_t count = unpack_uint(r);

	if (count > (size_t)(r->end - r->at) / least_len)
		r->is_bad = true;
	return r->is_bad ? 0 : (size_t)count;
}

static void read_record(struct pack_reader *r, struct arena *a, struct erasure_record *record)
{
	struct bytes id;

	record->type = unpack_bytes(r);
	id = unpack_bytes(r);
	if (id.len != ID_LEN) {
		r->is_bad = true;
		return;
	}
	memcpy(record->id.bytes, id.data, ID_LEN);
	record->unit_count = read_count(r, MIN_UNIT_LEN);
	record->units = arena_alloc_array(a, record->unit_count, sizeof *record->units);
	for (size_t k = 0; k < record->unit_count; k++)
		record->units[k] = unpack_int(r);
}

enum err erasure_decode(struct arena *a, struct bytes bytes, struct erasure *ret_erasure)
{
	struct pack_reader r = pack_open(bytes);
	struct erasure x = {0};

	if (unpack_uint(&r) != VERSION)
		return err_raise(ERR_CORRUPT, "an erasure of another version");
	x.at_ms = unpack_int(&r);
	x.who = unpack_bytes(&r);
	x.why = unpack_bytes(&r);
	x.basis = unpack_bytes(&r);
	x.count = read_count(&r, MIN_RECORD_LEN);
	x.records = arena_alloc_array(a, x.count, sizeof *x.records);
	for (size_t i = 0; i < x.count && !r.is_bad; i++)
		read_record(&r, a, &x.records[i]);
	if (r.is_bad || !pack_is_end(&r))
		return err_raise(ERR_CORRUPT, "an erasure that cannot be read");
	*ret_erasure = x;
	return ERR_OK;
}
