#include "daemon/store_private.h"

#define COLUMNS                                                                             \
	"SELECT number, key, state, is_cleared, counter, name, author, last_number, chain," \
	" clock, seen_number, backed_up, enrolled_at, revoked_at, last_contact_at,"         \
	" clock_offset_ms, is_clock_flagged, client_version, why, former FROM device "

static const char query_load[] = COLUMNS "WHERE number = ?";
static const char query_all[] = COLUMNS "ORDER BY number";
static const char query_count[] = "SELECT count(*) FROM device";
static const char query_clock[] = "SELECT ifnull(max(clock), 0) FROM device";
static const char query_put[] =
	"INSERT INTO device(number, key, state, is_cleared, counter, name, author, last_number,"
	" chain, clock, seen_number, backed_up, enrolled_at, revoked_at, last_contact_at,"
	" clock_offset_ms, is_clock_flagged, client_version, why, former) VALUES(?1, ?2, ?3, ?4,"
	" ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)"
	" ON CONFLICT(number) DO UPDATE SET state = ?3, is_cleared = ?4, counter = ?5, name = ?6,"
	" author = ?7, last_number = ?8, chain = ?9, clock = ?10, seen_number = ?11,"
	" backed_up = ?12, enrolled_at = ?13, revoked_at = ?14, last_contact_at = ?15,"
	" clock_offset_ms = ?16, is_clock_flagged = ?17, client_version = ?18, why = ?19";
static const char query_units[] = "SELECT unit FROM device_unit WHERE device = ? ORDER BY unit";
static const char query_devices[] = "SELECT device FROM device_unit WHERE unit = ? ORDER BY device";
static const char query_add_unit[] = "INSERT OR IGNORE INTO device_unit(device, unit) VALUES(?, ?)";

static enum err read_device(struct sql *q, struct arena *a, struct store_device *ret_device)
{
	struct bytes key = sql_blob(q, 1);
	struct bytes chain = sql_blob(q, 8);
	struct store_device d = {
		.id = {.number = (uint32_t)sql_int(q, 0),
		       .state = (enum device_state)sql_int(q, 2),
		       .is_cleared = sql_int(q, 3) != 0,
		       .counter = (uint64_t)sql_int(q, 4)},
		.name = sql_text_copy(q, 5, a),
		.author = sql_text_copy(q, 6, a),
		.last_number = (uint64_t)sql_int(q, 7),
		.clock = (uint64_t)sql_int(q, 9),
		.seen_number = (uint64_t)sql_int(q, 10),
		.backed_up = (uint64_t)sql_int(q, 11),
		.enrolled_ms = sql_int(q, 12),
		.revoked_ms = sql_int(q, 13),
		.last_contact_ms = sql_int(q, 14),
		.clock_offset_ms = sql_int(q, 15),
		.is_clock_flagged = sql_int(q, 16) != 0,
		.client_version = sql_text_copy(q, 17, a),
		.why = sql_text_copy(q, 18, a),
		.former = (uint32_t)sql_int(q, 19),
	};

	if (key.len != SIGN_PUBLIC_LEN || chain.len != HASH_LEN)
		return err_raise(ERR_CORRUPT, "device %u", d.id.number);
	memcpy(d.id.key.bytes, key.data, SIGN_PUBLIC_LEN);
	memcpy(d.chain.bytes, chain.data, HASH_LEN);
	*ret_device = d;
	return ERR_OK;
}

enum err store_load_device(struct store *s, struct arena *a, uint32_t number,
			   struct store_device *ret_device)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_load, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, number);
	e = sql_run_row(q);
	return e != ERR_OK ? e : read_device(q, a, ret_device);
}

static enum err count_rows(struct store *s, const char *text, size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, text, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		*ret_count = (size_t)sql_int(q, 0);
	return e;
}

enum err store_load_devices(struct store *s, struct arena *a, struct store_device **ret_devices,
			    size_t *ret_count)
{
	AUTO(sql_done) struct sql *q = NULL;
	struct store_device *devices;
	size_t count = 0;
	size_t used = 0;
	bool is_row = false;
	enum err e = count_rows(s, query_count, &count);

	if (e == ERR_OK)
		e = sql_use(s, query_all, &q);
	if (e != ERR_OK)
		return e;
	devices = arena_alloc_array(a, count, sizeof *devices);
	while (used < count && (e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		e = read_device(q, a, &devices[used]);
		if (e != ERR_OK)
			return e;
		used++;
	}
	if (e != ERR_OK)
		return e;
	*ret_devices = devices;
	*ret_count = used;
	return ERR_OK;
}

enum err store_put_device(struct store *s, const struct store_device *d)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_put, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, d->id.number);
	sql_bind_blob(q, 2, bytes_of(d->id.key.bytes, SIGN_PUBLIC_LEN));
	sql_bind_int(q, 3, d->id.state);
	sql_bind_int(q, 4, d->id.is_cleared);
	sql_bind_int(q, 5, (int64_t)d->id.counter);
	sql_bind_text(q, 6, d->name);
	sql_bind_text(q, 7, d->author);
	sql_bind_int(q, 8, (int64_t)d->last_number);
	sql_bind_blob(q, 9, bytes_of(d->chain.bytes, HASH_LEN));
	sql_bind_int(q, 10, (int64_t)d->clock);
	sql_bind_int(q, 11, (int64_t)d->seen_number);
	sql_bind_int(q, 12, (int64_t)d->backed_up);
	sql_bind_int(q, 13, d->enrolled_ms);
	sql_bind_int(q, 14, d->revoked_ms);
	sql_bind_int(q, 15, d->last_contact_ms);
	sql_bind_int(q, 16, d->clock_offset_ms);
	sql_bind_int(q, 17, d->is_clock_flagged);
	sql_bind_text(q, 18, d->client_version);
	sql_bind_text(q, 19, d->why);
	sql_bind_int(q, 20, d->former);
	e = sql_run(q);
	if (e == ERR_OK)
		hlc_observe(&s->hlc, d->clock);
	return e;
}

enum err store_seed_clock(struct store *s)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_clock, &q);

	if (e == ERR_OK)
		e = sql_run_row(q);
	if (e == ERR_OK)
		hlc_observe(&s->hlc, (uint64_t)sql_int(q, 0));
	return e;
}

uint64_t store_clock(const struct store *s)
{
	return s->hlc.last;
}

/* ---- units of devices ---- */

static enum err load_numbers(struct store *s, const char *text, int64_t key, struct buf *out)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s, text, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, key);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		int64_t number = sql_int(q, 0);

		buf_append(out, &number, sizeof number);
	}
	return e;
}

enum err store_load_device_units(struct store *s, struct arena *a, uint32_t device,
				 int64_t **ret_units, size_t *ret_count)
{
	AUTO(buf_clear) struct buf found = {0};
	enum err e = load_numbers(s, query_units, device, &found);

	if (e != ERR_OK)
		return e;
	*ret_count = found.len / sizeof **ret_units;
	*ret_units = arena_alloc_array(a, *ret_count, sizeof **ret_units);
	if (found.len != 0)
		memcpy(*ret_units, found.data, found.len);
	return ERR_OK;
}

enum err store_load_unit_devices(struct store *s, struct arena *a, int64_t unit,
				 uint32_t **ret_devices, size_t *ret_count)
{
	AUTO(buf_clear) struct buf found = {0};
	enum err e = load_numbers(s, query_devices, unit, &found);

	if (e != ERR_OK)
		return e;
	*ret_count = found.len / sizeof(int64_t);
	*ret_devices = arena_alloc_array(a, *ret_count, sizeof **ret_devices);
	for (size_t i = 0; i < *ret_count; i++) {
		int64_t number;

		memcpy(&number, found.data + i * sizeof number, sizeof number);
		(*ret_devices)[i] = (uint32_t)number;
	}
	return ERR_OK;
}

enum err store_add_device_unit(struct store *s, uint32_t device, int64_t unit)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_add_unit, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, device);
	sql_bind_int(q, 2, unit);
	return sql_run(q);
}
