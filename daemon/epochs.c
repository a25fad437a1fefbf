#include "daemon/epochs.h"

#include <stdio.h>
#include <string.h>

#include "common/base/arena.h"
#include "daemon/enrol.h"
#include "daemon/store.h"
#include "daemon/units.h"

#define NAME_LEN (6 + ID_HEX_LEN)

static void name_of(const struct id *epoch, char ret_name[NAME_LEN])
{
	char hex[ID_HEX_LEN];

	id_print(epoch, hex);
	(void)snprintf(ret_name, NAME_LEN, "epoch:%s", hex);
}

static enum err load_present(struct store *s, struct id *ret_epoch)
{
	AUTO(arena_clear) struct arena a = {0};
	struct bytes kept;
	enum err e = store_get_setting(s, &a, "epoch", &kept);

	if (e == ERR_OK && kept.len != ID_LEN)
		e = err_raise(ERR_CORRUPT, "epoch has %zu bytes", kept.len);
	if (e == ERR_OK)
		memcpy(ret_epoch->bytes, kept.data, ID_LEN);
	return e;
}

static enum err put_end(struct store *s, const struct id *epoch, uint64_t log)
{
	char name[NAME_LEN];
	uint8_t value[8];

	for (unsigned i = 0; i < sizeof value; i++)
		value[i] = (uint8_t)(log >> (56 - 8 * i));
	name_of(epoch, name);
	return store_put_setting(s, name, bytes_of(value, sizeof value));
}

uint32_t epochs_draw(const struct id *epoch)
{
	const uint8_t *end = epoch->bytes + ID_LEN - 4;

	return (uint32_t)end[0] << 24 | (uint32_t)end[1] << 16 | (uint32_t)end[2] << 8 | end[3];
}

enum err epochs_begin(struct store *s, uint64_t log, const struct clock *clock, struct rand *rand,
		      struct id *ret_before, struct id *ret_after)
{
	struct id before;
	struct id after = id_new(clock, rand);
	enum err e = load_present(s, &before);

	if (e == ERR_OK)
		e = put_end(s, &before, log);
	if (e == ERR_OK)
		e = store_put_setting(s, "epoch", bytes_of(after.bytes, ID_LEN));
	if (e == ERR_OK)
		e = units_leave_gap(s, &after);
	if (e == ERR_OK)
		e = enrol_leave_gap(s, &after);
	if (e != ERR_OK)
		return e;
	*ret_before = before;
	*ret_after = after;
	return ERR_OK;
}

static enum err load_end(struct store *s, const struct id *epoch, uint64_t *ret_log)
{
	AUTO(arena_clear) struct arena a = {0};
	char name[NAME_LEN];
	struct bytes value;
	uint64_t log = 0;
	enum err e;

	name_of(epoch, name);
	e = store_get_setting(s, &a, name, &value);
	if (e != ERR_OK)
		return e;
	for (size_t i = 0; i < value.len; i++)
		log = log << 8 | value.data[i];
	*ret_log = log;
	return ERR_OK;
}

enum err epochs_base_limit(struct store *s, const struct id *epoch, uint64_t *ret_limit)
{
	struct id present;
	enum err e;

	*ret_limit = EPOCHS_NO_LIMIT;
	if (id_is_zero(epoch))
		return ERR_OK;
	e = load_present(s, &present);
	/* A store without one was never restored. */
	if (e == ERR_NOTFOUND || (e == ERR_OK && id_compare(epoch, &present) == 0))
		return ERR_OK;
	if (e == ERR_OK)
		e = load_end(s, epoch, ret_limit);
	if (e != ERR_NOTFOUND)
		return e;
	*ret_limit = 0;
	return ERR_OK;
}
