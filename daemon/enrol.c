#include "daemon/enrol.h"

#include <stdio.h>

#include "common/base/check.h"
#include "daemon/epochs.h"
#include "daemon/store_sql.h"
#include "daemon/units.h"

#define KEY_SETTING   "invitation_key"
#define TRIES_SETTING "enrol_tries"
#define KEY_LEN       32u
#define HOUR_MS       INT64_C(3600000)

/* ---- codes ---- */

/*
 * Codes are kept as a hash under a key of this store: who reads a backup can neither
 * enrol with them nor tell which string one was.
 */
static enum err load_key(const struct context *ctx, struct store *s, uint8_t ret_key[KEY_LEN])
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes value;
	enum err e = store_get_setting(s, &a, KEY_SETTING, &value);

	if (e == ERR_OK && value.len != KEY_LEN)
		return err_raise(ERR_CORRUPT, "setting %s", KEY_SETTING);
	if (e == ERR_OK)
		memcpy(ret_key, value.data, KEY_LEN);
	if (e != ERR_NOTFOUND)
		return e;
	rand_fill(ctx->rand, ret_key, KEY_LEN);
	return store_put_setting(s, KEY_SETTING, bytes_of(ret_key, KEY_LEN));
}

static enum err hash_code(const struct context *ctx, struct store *s,
			  const uint8_t code[INVITATION_CODE_LEN], struct hash *ret_hash)
{
	uint8_t key[KEY_LEN];
	enum err e = load_key(ctx, s, key);

	if (e == ERR_OK)
		*ret_hash = hash_keyed(bytes_of(key, KEY_LEN), bytes_of(code, INVITATION_CODE_LEN));
	crypt_wipe(key, sizeof key);
	return e;
}

/* Wrong codes in the present hour. */
struct tries {
	int64_t hour;
	uint64_t count;
};

static enum err load_tries(struct store *s, int64_t now_ms, struct tries *ret_tries)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes value;
	struct tries tries = {0};
	enum err e = store_get_setting(s, &a, TRIES_SETTING, &value);

	if (e == ERR_OK && value.len != sizeof tries)
		return err_raise(ERR_CORRUPT, "setting %s", TRIES_SETTING);
	if (e == ERR_OK)
		memcpy(&tries, value.data, sizeof tries);
	if (e != ERR_OK && e != ERR_NOTFOUND)
		return e;
	if (tries.hour != now_ms / HOUR_MS)
		tries = (struct tries){.hour = now_ms / HOUR_MS};
	*ret_tries = tries;
	return ERR_OK;
}

/* ERR_AUTH, or ERR_AGAIN once there were too many: those cost no write any more. */
static enum err count_try(struct store *s, int64_t now_ms)
{
	struct tries tries = {0};
	enum err e = load_tries(s, now_ms, &tries);

	if (e != ERR_OK)
		return e;
	if (tries.count >= ENROL_TRIES_HOUR)
		return err_raise(ERR_AGAIN, "too many wrong codes this hour");
	tries.count++;
	e = store_put_setting(s, TRIES_SETTING, bytes_of(&tries, sizeof tries));
	return e != ERR_OK ? e : err_raise(ERR_AUTH, "no such code");
}

/* ---- invitations ---- */

static const char query_invite[] =
	"INSERT INTO invitation(code, units, author, is_cleared, made_at, expires_at, used_at,"
	" device, former) VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?7)";
static const char query_find[] =
	"SELECT units, author, is_cleared, expires_at, used_at, device, former"
	" FROM invitation WHERE code = ?";
static const char query_use[] = "UPDATE invitation SET used_at = ?2, device = ?3 WHERE code = ?1";
static const char query_by_key[] = "SELECT number FROM device WHERE key = ?";
static const char query_last[] = "SELECT ifnull(max(number), 0) FROM device";

static enum err put_invitation(struct store *s, const struct enrol_invite *invite,
			       const struct hash *code)
{
	AUTO(sql_done) struct sql *q = NULL;
	int64_t expires =
		invite->expires_ms != 0 ? invite->expires_ms : invite->now_ms + ENROL_EXPIRES_MS;
	enum err e = sql_use(s, query_invite, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_blob(q, 1, bytes_of(code->bytes, HASH_LEN));
	sql_bind_blob(q, 2, bytes_of(invite->units, invite->unit_count * sizeof *invite->units));
	sql_bind_text(q, 3, invite->author);
	sql_bind_int(q, 4, invite->is_cleared);
	sql_bind_int(q, 5, invite->now_ms);
	sql_bind_int(q, 6, expires);
	sql_bind_int(q, 7, invite->former);
	return sql_run(q);
}

enum err enrol_invite(const struct context *ctx, struct store *s, const struct enrol_invite *invite,
		      struct invitation *ret_invitation)
{
	struct invitation invitation = {0};
	struct hash code;
	enum err e;

	if (invite->unit_count == 0)
		return err_raise(ERR_INVAL, "an invitation without a unit");
	rand_fill(ctx->rand, invitation.code, sizeof invitation.code);
	(void)snprintf(invitation.address, sizeof invitation.address, "%s", ctx->address);
	memcpy(invitation.pin, ctx->tls_pin, sizeof invitation.pin);
	e = hash_code(ctx, s, invitation.code, &code);
	if (e == ERR_OK)
		e = put_invitation(s, invite, &code);
	if (e == ERR_OK)
		*ret_invitation = invitation;
	crypt_wipe(invitation.code, sizeof invitation.code);
	return e;
}

struct found {
	bool is_there;
	struct bytes units;
	struct bytes author;
	bool is_cleared;
	int64_t expires_ms;
	bool is_used;
	uint32_t device;
	uint32_t former;
};

static enum err find_invitation(struct store *s, struct arena *a, const struct hash *code,
				struct found *ret_found)
{
	AUTO(sql_done) struct sql *q = NULL;
	bool is_row = false;
	enum err e = sql_use(s, query_find, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_blob(q, 1, bytes_of(code->bytes, HASH_LEN));
	e = sql_step(q, &is_row);
	*ret_found = (struct found){.is_there = is_row};
	if (e != ERR_OK || !is_row)
		return e;
	ret_found->units = sql_blob_copy(q, 0, a);
	ret_found->author = sql_text_copy(q, 1, a);
	ret_found->is_cleared = sql_int(q, 2) != 0;
	ret_found->expires_ms = sql_int(q, 3);
	ret_found->is_used = sql_int(q, 4) != 0;
	ret_found->device = (uint32_t)sql_int(q, 5);
	ret_found->former = (uint32_t)sql_int(q, 6);
	return ERR_OK;
}

/* ---- enrolment ---- */

static enum err load_number(struct store *s, const char *text, const struct sign_public *key,
			    bool *ret_is_there, uint32_t *ret_number)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, text, &q);

	if (e != ERR_OK)
		return e;
	if (key != NULL)
		sql_bind_blob(q, 1, bytes_of(key->bytes, SIGN_PUBLIC_LEN));
	e = sql_step(q, ret_is_there);
	if (e == ERR_OK && *ret_is_there)
		*ret_number = (uint32_t)sql_int(q, 0);
	return e;
}

#define FLOOR \
	"device_floor" /* setting: no number below it is given any more; 4 bytes, big-endian */

static enum err load_floor(struct store *s, uint32_t *ret_floor)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes value;
	uint32_t floor = 0;
	enum err e = store_get_setting(s, &a, FLOOR, &value);

	if (e == ERR_OK && value.len != sizeof floor)
		return err_raise(ERR_CORRUPT, FLOOR " has %zu bytes", value.len);
	for (size_t i = 0; e == ERR_OK && i < value.len; i++)
		floor = floor << 8 | value.data[i];
	*ret_floor = floor;
	return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* The number of the next device. */
static enum err load_next(struct store *s, uint32_t *ret_number)
{
	uint32_t floor = 0;
	uint32_t last = 0;
	bool is_there = false;
	enum err e = load_floor(s, &floor);

	if (e == ERR_OK)
		e = load_number(s, query_last, NULL, &is_there, &last);
	if (e == ERR_OK)
		*ret_number = last + 1 > floor ? last + 1 : floor;
	return e;
}

enum err enrol_leave_gap(struct store *s, const struct id *epoch)
{
	const uint32_t gap = ENROL_GAP + epochs_draw(epoch) % ENROL_SPREAD;
	uint8_t value[4];
	uint32_t next = 0;
	enum err e = load_next(s, &next);

	if (e != ERR_OK)
		return e;
	/* The last numbers there are: they would have to be given again. */
	if (next < UINT32_MAX - gap)
		next += gap;
	for (unsigned i = 0; i < sizeof value; i++)
		value[i] = (uint8_t)(next >> (24 - 8 * i));
	return store_put_setting(s, FLOOR, bytes_of(value, sizeof value));
}

static enum err mark_used(struct store *s, const struct hash *code, int64_t now_ms, uint32_t device)
{
	AUTO(sql_done) struct sql *q = NULL;
	enum err e = sql_use(s, query_use, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_blob(q, 1, bytes_of(code->bytes, HASH_LEN));
	sql_bind_int(q, 2, now_ms);
	sql_bind_int(q, 3, device);
	return sql_run(q);
}

static enum err add_units(struct store *s, uint32_t device, struct bytes units)
{
	enum err e = ERR_OK;

	for (size_t i = 0; e == ERR_OK && i < units.len / sizeof(int64_t); i++) {
		int64_t unit;

		memcpy(&unit, units.data + i * sizeof unit, sizeof unit);
		e = store_add_device_unit(s, device, unit);
	}
	return e;
}

static enum err make_device(struct store *s, const struct msg_enrol *enrol,
			    const struct found *found, int64_t now_ms, struct store_device *device)
{
	bool is_there = false;
	enum err e = load_number(s, query_by_key, &enrol->key, &is_there, &device->id.number);

	if (e == ERR_OK && is_there)
		return err_raise(ERR_CONFLICT, "the key is device %u's", device->id.number);
	if (e == ERR_OK)
		e = load_next(s, &device->id.number);
	if (e != ERR_OK)
		return e;
	device->id.key = enrol->key;
	device->id.state = DEVICE_ACTIVE;
	device->id.is_cleared = found->is_cleared;
	device->name = enrol->name;
	device->author = found->author.len != 0 ? found->author : enrol->author;
	device->enrolled_ms = now_ms;
	device->client_version = enrol->client_version;
	device->former = found->former;
	e = store_put_device(s, device);
	return e != ERR_OK ? e : add_units(s, device->id.number, found->units);
}

static enum err answer(const struct context *ctx, struct store *s, struct arena *a,
		       const struct store_device *device, struct msg_enrolled *ret_enrolled)
{
	int64_t now_ms = clock_wall_ms(ctx->clock);
	struct msg_enrolled m = {
		.daemon = ctx->daemon,
		.epoch = ctx->epoch,
		.device = device->id.number,
		.daemon_key = ctx->key.public_key,
		.is_cleared = device->id.is_cleared,
		.author = device->author,
		.now_ms = now_ms,
	};
	struct store_device former;
	enum err e = units_load_scope_now(s, a, device->id.number, now_ms, &m.units, &m.unit_count);

	if (e == ERR_OK && device->former != 0) {
		e = store_load_device(s, a, device->former, &former);
		m.former = device->former;
		m.former_number = former.last_number;
		m.former_chain = former.chain;
	}
	if (e == ERR_OK)
		*ret_enrolled = m;
	return e;
}

/* ---- devices set aside ---- */

/* Set aside, or numbers of it are lost, which is as good: it can send nothing more. */
bool enrol_may_release(const struct store_device *d)
{
	if (d->id.number == STAMP_DEVICE_OFFICE || d->id.state == DEVICE_REVOKED)
		return false;
	return d->id.state == DEVICE_FORKED || d->seen_number > d->last_number;
}

enum err enrol_release(const struct context *ctx, struct store *s, uint32_t number, int64_t now_ms,
		       int64_t expires_ms, struct invitation *ret_invitation)
{
	AUTO(arena_clear) struct arena a = {0};
	struct store_device device;
	int64_t *units = NULL;
	size_t count = 0;
	enum err e = store_load_device(s, &a, number, &device);

	if (e == ERR_OK && !enrol_may_release(&device))
		return err_raise(ERR_INVAL, "device %u is not set aside", number);
	if (e == ERR_OK)
		e = store_load_device_units(s, &a, number, &units, &count);
	if (e != ERR_OK)
		return e;
	return enrol_invite(ctx, s,
			    &(struct enrol_invite){.units = units,
						   .unit_count = count,
						   .author = device.author,
						   .is_cleared = device.id.is_cleared,
						   .now_ms = now_ms,
						   .expires_ms = expires_ms,
						   .former = number},
			    ret_invitation);
}

enum err enrol_load_released(struct store *s, struct arena *a, uint32_t number,
			     struct enrol_released **ret_rows, size_t *ret_count)
{
	static const char text[] = "SELECT made_at, expires_at, device FROM invitation"
				   " WHERE former = ?1 AND former <> 0 ORDER BY made_at, rowid";
	AUTO(sql_done) struct sql *q = NULL;
	AUTO(buf_clear) struct buf found = {0};
	bool is_row = false;
	enum err e = sql_use(s, text, &q);

	if (e != ERR_OK)
		return e;
	sql_bind_int(q, 1, number);
	while ((e = sql_step(q, &is_row)) == ERR_OK && is_row) {
		const struct enrol_released row = {.at_ms = sql_int(q, 0),
						   .expires_ms = sql_int(q, 1),
						   .successor = (uint32_t)sql_int(q, 2)};

		buf_append(&found, &row, sizeof row);
	}
	if (e != ERR_OK)
		return e;
	*ret_count = found.len / sizeof **ret_rows;
	*ret_rows = arena_alloc_array(a, *ret_count, sizeof **ret_rows);
	if (found.len != 0)
		memcpy(*ret_rows, found.data, found.len);
	return ERR_OK;
}

/* It may have been revoked since it was released. */
static enum err check_former(struct store *s, uint32_t number)
{
	AUTO(arena_clear) struct arena a = {0};
	struct store_device device;
	enum err e = store_load_device(s, &a, number, &device);

	return e == ERR_OK && device.id.state == DEVICE_REVOKED ? ERR_AUTH : e;
}

/*
 * A release is for one home, and that home can only use a release: else the changes it has would
 * come as those of a device that never had to do with the one set aside. A home whose device this
 * store does not know (it was restored from an older backup) may use any.
 */
static enum err check_home(const struct context *ctx, struct store *s, const struct found *found,
			   const struct msg_enrol *enrol)
{
	bool is_known = false;
	uint32_t number = 0;
	enum err e = ERR_OK;

	if (msg_enrol_has_former(enrol)) {
		if (!msg_enrol_is_vouched(enrol, &ctx->daemon))
			return err_raise(ERR_INVAL, "the home's key does not vouch for the new");
		e = load_number(s, query_by_key, &enrol->former, &is_known, &number);
	}
	if (e == ERR_OK && (is_known ? number : 0) != found->former)
		return err_raise(ERR_INVAL, "the invitation is for the home of device %u",
				 found->former);
	if (e == ERR_OK && found->former != 0)
		e = check_former(s, found->former);
	return e;
}

/* From here on: a device whose numbers were lost might else go on beside its successor. */
static enum err set_aside(struct store *s, uint32_t number)
{
	AUTO(arena_clear) struct arena a = {0};
	struct store_device device;
	enum err e = store_load_device(s, &a, number, &device);

	if (e != ERR_OK || device.id.state != DEVICE_ACTIVE)
		return e;
	device.id.state = DEVICE_FORKED;
	return store_put_device(s, &device);
}

/*
 * The answer was lost and the device asks again: the same key, the same device. One that has
 * spoken since had its answer; who asks for it now only copied the request.
 */
static enum err find_again(struct store *s, struct arena *a, const struct found *found,
			   const struct msg_enrol *enrol, struct store_device *ret_device)
{
	struct store_device device;
	enum err e = store_load_device(s, a, found->device, &device);

	if (e == ERR_NOTFOUND ||
	    (e == ERR_OK && memcmp(device.id.key.bytes, enrol->key.bytes, SIGN_PUBLIC_LEN) != 0))
		return ERR_AUTH;
	if (e == ERR_OK && (device.id.counter != 0 || device.id.state == DEVICE_REVOKED))
		return ERR_AUTH;
	if (e == ERR_OK)
		*ret_device = device;
	return e;
}

/* A restore counts notices anew: numbers of another epoch say nothing of those here. */
static uint64_t told_notice(const struct context *ctx, const struct msg_enrol *enrol)
{
	bool is_of_another =
		!id_is_zero(&enrol->epoch) && id_compare(&enrol->epoch, &ctx->epoch) != 0;

	return is_of_another ? 0 : enrol->notice;
}

static enum err admit(const struct context *ctx, struct store *s, struct arena *a,
		      const struct msg_enrol *enrol, struct store_device *device)
{
	int64_t now_ms = clock_wall_ms(ctx->clock);
	struct hash code;
	struct found found = {0};
	enum err e = hash_code(ctx, s, enrol->code, &code);

	if (e == ERR_OK)
		e = find_invitation(s, a, &code, &found);
	if (e != ERR_OK)
		return e;
	if (!found.is_there || (!found.is_used && found.expires_ms <= now_ms))
		return ERR_AUTH;
	if (found.is_used)
		return find_again(s, a, &found, enrol, device);
	e = check_home(ctx, s, &found, enrol);
	if (e == ERR_OK)
		e = make_device(s, enrol, &found, now_ms, device);
	if (e == ERR_OK && found.former != 0)
		e = set_aside(s, found.former);
	if (e == ERR_OK && found.former != 0)
		e = store_inherit_notices(s, found.former, told_notice(ctx, enrol),
					  device->id.number);
	return e != ERR_OK ? e : mark_used(s, &code, now_ms, device->id.number);
}

enum err enrol_run(const struct context *ctx, struct store *s, struct arena *a,
		   const struct msg_enrol *enrol, struct msg_enrolled *ret_enrolled,
		   struct registry_device *ret_device)
{
	struct store_device device = {0};
	enum err e = admit(ctx, s, a, enrol, &device);

	/* A right code is taken however many wrong ones came: 128 bits are not guessed, and a
	 * stranger must not keep others from enrolling. */
	if (e == ERR_AUTH)
		return count_try(s, clock_wall_ms(ctx->clock));
	if (e == ERR_OK)
		e = answer(ctx, s, a, &device, ret_enrolled);
	if (e == ERR_OK)
		*ret_device = device.id;
	return e;
}

/* ---- the office, the registry, the end of a device ---- */

enum err enrol_office(const struct context *ctx, struct store *s)
{
	AUTO(arena_clear) struct arena a = {0};
	struct store_device office = {
		.id = {.number = STAMP_DEVICE_OFFICE,
		       .key = ctx->key.public_key,
		       .state = DEVICE_ACTIVE,
		       .is_cleared = true},
		.name = BYTES_LIT("Văn phòng / office"),
		.enrolled_ms = clock_wall_ms(ctx->clock),
	};
	struct store_device there;
	enum err e = store_load_device(s, &a, STAMP_DEVICE_OFFICE, &there);

	return e == ERR_NOTFOUND ? store_put_device(s, &office) : e;
}

enum err enrol_load_registry(struct store *s, struct registry *registry)
{
	AUTO(arena_clear) struct arena a = {0};
	struct store_device *devices = NULL;
	size_t count = 0;
	enum err e = store_load_devices(s, &a, &devices, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		/* The office speaks through the admin socket, never through the network. */
		if (devices[i].id.number != STAMP_DEVICE_OFFICE)
			registry_put(registry, &devices[i].id);
	}
	return e;
}

enum err enrol_revoke(struct store *s, uint32_t number, struct bytes why, int64_t now_ms,
		      struct registry_device *ret_device)
{
	AUTO(arena_clear) struct arena a = {0};
	struct store_device device;
	enum err e = store_load_device(s, &a, number, &device);

	if (e != ERR_OK)
		return e;
	if (number == STAMP_DEVICE_OFFICE)
		return err_raise(ERR_INVAL, "the office cannot be revoked");
	if (device.id.state != DEVICE_REVOKED) {
		device.id.state = DEVICE_REVOKED;
		device.revoked_ms = now_ms;
		device.why = why;
		e = store_put_device(s, &device);
	}
	if (e == ERR_OK)
		*ret_device = device.id;
	return e;
}
