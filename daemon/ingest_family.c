/* What comes from a device that took another's place: some of it is here already. */
#include "common/base/check.h"
#include "daemon/ingest_private.h"

#define STATE_RESENT "resent"

/* An entry of the log by a device of the family, opened. */
struct relative {
	struct fold_source source;
	struct log_row row;
	struct relative *next;
};

/* Devices that once were one, as far as they were asked for. */
struct kin {
	uint32_t device;
	uint32_t root;
	struct kin *next;
};

struct ingest_family {
	uint32_t root;
	struct kin *kin;
	struct relative *relatives;
	uint64_t *strangers; /* entries of other devices */
	size_t stranger_count;
	size_t stranger_cap;
};

/* ---- who is of the family ---- */

/* Numbers of former devices are smaller, so this ends. */
enum err ingest_find_root(struct store *store, struct arena *a, uint32_t device, uint32_t *ret_root)
{
	struct store_device d = {.former = device};
	enum err e = ERR_OK;

	while (e == ERR_OK && d.former != 0) {
		*ret_root = d.former;
		e = store_load_device(store, a, d.former, &d);
		if (e == ERR_OK && d.former >= d.id.number)
			e = err_raise(ERR_CORRUPT, "device %u came after device %u", d.id.number,
				      d.former);
	}
	return e;
}

static enum err load_family(struct ingest *r)
{
	if (r->family != NULL)
		return ERR_OK;
	r->family = arena_alloc(r->a, sizeof *r->family);
	return ingest_find_root(r->store, r->a, r->device.id.number, &r->family->root);
}

static enum err is_kin(struct ingest *r, uint32_t device, bool *ret_is)
{
	struct ingest_family *f = r->family;
	struct kin *k = f->kin;
	enum err e = ERR_OK;

	while (k != NULL && k->device != device)
		k = k->next;
	if (k == NULL) {
		k = arena_alloc(r->a, sizeof *k);
		*k = (struct kin){.device = device, .next = f->kin};
		if (device != STAMP_DEVICE_OFFICE)
			e = ingest_find_root(r->store, r->a, device, &k->root);
		f->kin = k;
	}
	*ret_is = k->root == f->root;
	return e;
}

/* ---- what is in the log already ---- */

static bool is_same_change(const struct change *a, const struct change *b)
{
	if (a->clock != b->clock || a->count != b->count || id_compare(&a->id, &b->id) != 0 ||
	    !bytes_equal(a->type, b->type))
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (!bytes_equal(a->writes[i].name, b->writes[i].name) ||
		    !value_equal(&a->writes[i].value, &b->writes[i].value))
			return false;
	}
	return true;
}

static bool is_stranger(const struct ingest_family *f, uint64_t log)
{
	for (size_t i = 0; i < f->stranger_count; i++) {
		if (f->strangers[i] == log)
			return true;
	}
	return false;
}

static void note_stranger(struct ingest *r, uint64_t log)
{
	struct ingest_family *f = r->family;

	if (f->stranger_count == f->stranger_cap) {
		uint64_t *more = arena_alloc_array(r->a, f->stranger_cap * 2 + 64, sizeof *more);

		if (f->stranger_count != 0)
			memcpy(more, f->strangers, f->stranger_count * sizeof *more);
		f->strangers = more;
		f->stranger_cap = f->stranger_cap * 2 + 64;
	}
	f->strangers[f->stranger_count++] = log;
}

/* *ret_relative NULL: of another device, or its bytes are gone. */
static enum err open_relative(struct ingest *r, uint64_t log, struct relative **ret_relative)
{
	struct ingest_family *f = r->family;
	struct relative *relative = f->relatives;
	struct bytes author;
	uint32_t device = 0;
	bool is = false;
	enum err e;

	*ret_relative = NULL;
	while (relative != NULL && relative->source.log != log)
		relative = relative->next;
	*ret_relative = relative;
	if (relative != NULL || is_stranger(f, log))
		return ERR_OK;
	relative = arena_alloc(r->a, sizeof *relative);
	e = store_load_log_author(r->store, r->a, log, &device, &author);
	if (e == ERR_OK)
		e = is_kin(r, device, &is);
	if (e == ERR_OK && is)
		e = store_load_log(r->store, r->a, log, &relative->row);
	if (e == ERR_OK && is)
		e = fold_open(r->a, &relative->row, &relative->source);
	if (e == ERR_NOTFOUND || (e == ERR_OK && !is)) {
		note_stranger(r, log);
		return ERR_OK;
	}
	if (e != ERR_OK)
		return e;
	relative->next = f->relatives;
	f->relatives = relative;
	*ret_relative = relative;
	return ERR_OK;
}

/* In the state, and not as a repeat itself. */
static bool is_in_state(const struct relative *relative, uint64_t number)
{
	for (size_t i = 0; relative->row.kind == LOG_CHANGESET && i < relative->row.verdict_count;
	     i++) {
		if (relative->row.verdicts[i].number == number &&
		    log_verdict_is_skipped(&relative->row.verdicts[i]))
			return false;
	}
	return true;
}

static bool find_in(const struct relative *relative, const struct change *c,
		    struct ingest_twin *ret_twin)
{
	for (size_t i = 0; i < relative->source.count; i++) {
		if (!is_same_change(&relative->source.changes[i], c) ||
		    !is_in_state(relative, relative->source.changes[i].number))
			continue;
		*ret_twin = (struct ingest_twin){
			.stamp = {relative->source.clocks[i], relative->source.device},
			.log = relative->source.log};
		return true;
	}
	return false;
}

enum err ingest_find_twin(struct ingest *r, const struct change *c, struct ingest_twin *ret_twin)
{
	struct store_state state = {.record = {.type = c->type, .id = c->id}};
	bool is_event = false;
	uint64_t *logs = NULL;
	size_t count = 0;
	bool is_found = false;
	enum err e = load_family(r);

	*ret_twin = (struct ingest_twin){0};
	if (e == ERR_OK && store_has_type(r->store, c->type, &is_event))
		e = store_load_states(r->store, r->a, &state, 1);
	if (e != ERR_OK || state.row == 0)
		return e;
	store_read_touched(r->a, state.touched, &logs, &count);
	for (size_t i = count; e == ERR_OK && !is_found && i-- > 0;) {
		struct relative *relative = NULL;

		/* What comes now is not what came before. */
		if (logs[i] > r->log)
			continue;
		e = open_relative(r, logs[i], &relative);
		is_found = relative != NULL && find_in(relative, c, ret_twin);
	}
	return e;
}

/* ---- what waits in quarantine ---- */

static enum err close_of(struct ingest *r, uint32_t device, const struct change *c)
{
	struct quarantine_row *rows = NULL;
	size_t count = 0;
	enum err e = store_load_forked(r->store, r->a, device, &c->id, &rows, &count);

	for (size_t i = 0; e == ERR_OK && i < count; i++) {
		struct change kept;

		if (change_decode(r->a, rows[i].bytes, &kept) != ERR_OK ||
		    !is_same_change(&kept, c))
			continue;
		e = store_set_quarantine_state(
			r->store, rows[i].quarantine, STATE_RESENT,
			arena_printf(r->a, "máy số %u, thay đổi %llu / device %u, change %llu",
				     r->device.id.number, (unsigned long long)c->number,
				     r->device.id.number, (unsigned long long)c->number));
	}
	return e;
}

enum err ingest_close_forked(struct ingest *r, const struct change *c)
{
	struct store_device d = r->device;
	enum err e = ERR_OK;

	while (e == ERR_OK && d.former != 0) {
		e = close_of(r, d.former, c);
		if (e == ERR_OK)
			e = store_load_device(r->store, r->a, d.former, &d);
	}
	return e;
}
