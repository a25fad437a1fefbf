#include "tests/sim/couriers.h"

#include <string.h>

#include "client/bundle.h"
#include "common/base/log.h"
#include "daemon/bundle.h"
#include "daemon/session.h"
#include "tests/sim/faults.h"
#include "tests/sim/homes.h"
#include "tests/sim/oracle.h"

#define DAYS_STEPS 50 /* a file may be under way as long as so many steps */

/* ---- on the way ---- */

static void carry(struct client *c, struct bytes bytes, bool is_return)
{
	struct world *w = c->world;

	for (unsigned i = 0; i < WORLD_FILES_MAX; i++) {
		struct file *f = &w->files[i];

		if (f->bytes.len != 0)
			continue;
		buf_append_bytes(&f->bytes, bytes);
		f->client = c->index;
		f->device = c->device;
		f->is_return = is_return;
		f->is_bad = false;
		f->due = w->step + (int)rand_below(&w->rand, DAYS_STEPS);
		if (world_chance(w, 50))
			f->due = w->step + 1;
		return;
	}
}

/* Lost, copied, or simply carried. */
static void set_out(struct client *c, struct bytes bytes, bool is_return)
{
	struct world *w = c->world;

	if (world_chance(w, 15))
		world_trace(w, "a file of client %u is lost", c->index);
	else
		carry(c, bytes, is_return);
	if (world_chance(w, 20))
		carry(c, bytes, is_return);
}

/* Of two files that begin alike the end of one over the other makes it a copy of the one. */
static void judge(struct file *f, const struct hash *before, const struct file *other)
{
	struct hash after = hash_of(buf_bytes(&f->bytes));

	f->is_bad = memcmp(before->bytes, after.bytes, HASH_LEN) != 0;
	if (!f->is_bad || !bytes_equal(buf_bytes(&f->bytes), buf_bytes(&other->bytes)))
		return;
	f->client = other->client;
	f->device = other->device;
	f->is_return = other->is_return;
	f->is_bad = false;
}

/* What may become of bytes on a stick: other ones, fewer, more, or those of two files. */
static void spoil(struct world *w, struct file *f)
{
	struct buf *b = &f->bytes;
	size_t at = (size_t)rand_below(&w->rand, b->len);
	const struct file *other = &w->files[rand_below(&w->rand, WORLD_FILES_MAX)];
	struct hash before = hash_of(buf_bytes(b));

	switch (rand_below(&w->rand, 4)) {
	case 0: b->data[at] ^= (uint8_t)(1u << rand_below(&w->rand, 8)); break;
	case 1: b->len = at + 1; break;
	case 2: buf_append(b, "\0\0\0", 3); break;
	default:
		if (other != f && other->bytes.len > at && b->len > at)
			memcpy(b->data + at, other->bytes.data + at,
			       (b->len < other->bytes.len ? b->len : other->bytes.len) - at);
		break;
	}
	judge(f, &before, other);
}

static struct file take_down(struct file *f)
{
	struct file taken = *f;

	f->bytes = (struct buf){0};
	return taken;
}

/* ---- at the office ---- */

static enum err put_merged(struct world *w, struct arena *a, struct bundle *b,
			   uint64_t *ret_session)
{
	const struct session_start start = {.device = b->device.number,
					    .author = b->parts[0].message.author,
					    .transport = BYTES_LIT("file"),
					    .client_version = b->parts[0].message.client_version,
					    .now_ms = w->clock.wall};
	const struct session_finish refused = {.now_ms = w->clock.wall,
					       .error = BYTES_LIT("forked")};
	enum err e = store_begin(w->store);

	if (e == ERR_OK)
		e = session_begin(w->store, &start, ret_session);
	if (e == ERR_OK)
		e = bundle_merge(&w->ctx, w->store, a, *ret_session, b);
	if (e == ERR_OK)
		e = session_merged(w->store, *ret_session, &b->total);
	if (e != ERR_OK)
		return e;
	if (b->total.outcome == INGEST_FORKED && !homes_is_torn(w, b->device.number))
		world_fail(w, "device %u forked by file", b->device.number);
	if (b->total.outcome == INGEST_REFUSED)
		e = session_end(w->store, *ret_session, &refused);
	if (e != ERR_OK || w->is_healed || !world_chance(w, 5))
		return e == ERR_OK ? store_commit(w->store) : e;
	world_crash_daemon(w);
	return err_raise(ERR_NET, "the daemon is gone");
}

/* As daemon/handle_bundle.c. False: nobody gets a return file. */
static bool merge(struct world *w, struct arena *a, struct bundle *b, uint64_t *ret_session)
{
	struct faults_window window;

	faults_begin(w, FAULTS_WRITING, &window);
	enum err e = put_merged(w, a, b, ret_session);

	e = faults_end(w, &window, e, "merge a file");
	if (e != ERR_OK) {
		/* Somebody brings it once more, or another. */
		b->total.outcome = INGEST_OK;
		return false;
	}
	world_trace(w, "file %llu of device %u: %d, %zu sets, %zu new",
		    (unsigned long long)b->number, b->device.number, (int)b->total.outcome,
		    b->changeset_count, b->total.changeset_count);
	return b->total.outcome != INGEST_REFUSED && (w->is_healed || !world_chance(w, 5));
}

static enum err end_session(struct world *w, const struct bundle *b, uint64_t session)
{
	const struct session_finish finish = {.now_ms = w->clock.wall, .stats = b->stats};
	enum err e = store_begin(w->store);

	if (e == ERR_OK)
		e = session_end(w->store, session, &finish);
	return e == ERR_OK ? store_commit(w->store) : e;
}

/* False: the daemon died of it. */
static bool collect(struct world *w, struct bundle *b, uint64_t session, struct buf *ret_file)
{
	struct faults_window window;

	faults_begin(w, FAULTS_READING, &window);
	enum err e = store_begin(w->reader);

	if (e == ERR_OK)
		e = bundle_collect(&w->ctx, w->reader, b, ret_file);
	store_rollback(w->reader);
	if (faults_end(w, &window, e, "collect into a file") != ERR_OK)
		return false;
	if (!world_chance(w, 90))
		return true;
	faults_begin(w, FAULTS_WRITING, &window);
	e = end_session(w, b, session);
	/* The answer leaves behind the row's end; a row without one is no reason to keep it. */
	return faults_end(w, &window, e, "end a session") != ERR_IO;
}

/* True: `ret_file` is the return. */
static bool office_takes(struct client *c, const struct file *f, struct buf *ret_file)
{
	struct world *w = c->world;
	AUTO(arena_clear) struct arena a = {0};
	struct bundle b = {0};
	uint64_t session = 0;
	enum bundle_flaw flaw = bundle_open(&w->ctx, &a, buf_bytes(&f->bytes), &b);

	if (f->is_bad || f->is_return) {
		if (flaw == BUNDLE_SOUND)
			world_fail(w, "the office takes a file that was altered or is none of its");
		return false;
	}
	/* The number is nobody's any more, or another's by now. */
	if (w->restores != 0 && (flaw == BUNDLE_OTHER_DEVICE || flaw == BUNDLE_FORGED)) {
		c->must_call = c->must_call || c->is_unknown;
		return false;
	}
	if (flaw != BUNDLE_SOUND)
		world_fail(w, "the office finds a file of client %u %s", c->index,
			   bundle_flaw_name(flaw));
	if (!merge(w, &a, &b, &session)) {
		c->must_call = c->must_call || b.total.outcome == INGEST_REFUSED;
		return false;
	}
	return collect(w, &b, session, ret_file);
}

/* ---- at the commune ---- */

static struct sync by_file(struct client *c)
{
	return (struct sync){.vault = c->vault,
			     .clock = &c->clock.clock,
			     .schema = c->schema,
			     .client_version = "sim",
			     .is_by_file = true};
}

/* False: no file was written. */
static bool write_file(struct client *c, struct buf *ret_file)
{
	struct world *w = c->world;
	struct sync s = by_file(c);
	struct bundle_made made = {0};

	world_trap_contact(c);
	enum trap trap = c->trap;
	enum err e = bundle_make(&s, &w->rand, ret_file, &made);
	bool is_trapped = world_take_trap(c);

	world_trace(w, "client %u writes file %llu: %s, %zu sets", c->index,
		    (unsigned long long)made.number, err_name(e), made.changesets);
	if (e != ERR_OK && !is_trapped)
		world_fail(w, "client %u writes a file: %s: %s", c->index, err_name(e),
			   log_last_detail());
	if (is_trapped && trap != TRAP_FULL)
		world_crash_client(c);
	return e == ERR_OK;
}

static void check_untouched(struct client *c, const struct vault_state *before,
			    const struct bundle_taken *taken)
{
	const struct vault_state *after = vault_state(c->vault);

	if (taken->outcome == BUNDLE_TAKEN)
		world_fail(c->world, "client %u takes a file that was altered or is not for it",
			   c->index);
	if (memcmp(before, after, sizeof *before) != 0)
		world_fail(c->world, "a file that client %u does not take changes it", c->index);
}

static void commune_takes(struct client *c, const struct file *f, bool is_for_it)
{
	struct world *w = c->world;
	struct sync s = by_file(c);
	struct vault_state before = *vault_state(c->vault);
	struct bundle_taken taken = {0};

	world_trap_contact(c);
	enum trap trap = c->trap;

	c->was_lied = false;
	c->is_dying = false;
	c->is_busy = true;
	enum err e = bundle_take(&s, buf_bytes(&f->bytes), &taken);
	bool is_trapped = world_take_trap(c);

	c->is_busy = false;
	c->report = taken.report;
	world_trace(w,
		    "client %u takes the return of file %llu: %s %d %s records %zu evictions %zu "
		    "notices %zu",
		    c->index, (unsigned long long)taken.number, err_name(e), (int)taken.outcome,
		    taken.outcome == BUNDLE_FLAWED ? bundle_flaw_name(taken.flaw) : "",
		    c->report.records, c->report.evictions, c->report.notices);
	if (e != ERR_OK && !world_is_excused(c, e, is_trapped))
		world_fail(w, "client %u takes a file: %s: %s (%s)", c->index, err_name(e),
			   log_last_detail(), c->report.refusal);
	if (!is_for_it || f->is_bad || !f->is_return || taken.outcome != BUNDLE_TAKEN)
		check_untouched(c, &before, &taken);
	if (is_trapped && trap != TRAP_FULL)
		world_crash_client(c);
	else
		world_load_schema(c);
	oracle_check_contact(c);
}

/* ---- doors ---- */

static void knock(struct world *w, const struct file *f)
{
	struct client *c = &w->clients[f->client];
	struct client *at = c;
	AUTO(buf_clear) struct buf back = {0};
	bool is_for_commune = f->is_return != world_chance(w, 3);

	/* To the wrong door. */
	if (world_chance(w, 5))
		at = &w->clients[rand_below(&w->rand, w->client_count)];
	if (at->is_busy)
		return;
	if (is_for_commune)
		commune_takes(at, f, at->device == f->device);
	else if (office_takes(c, f, &back))
		set_out(c, buf_bytes(&back), true);
}

void couriers_arrive(struct world *w, bool is_all)
{
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++) {
		if (w->files[i].bytes.len == 0 || (!is_all && w->files[i].due > w->step))
			continue;
		struct file f = take_down(&w->files[i]);

		if (world_chance(w, 10))
			spoil(w, &f);
		knock(w, &f);
		buf_clear(&f.bytes);
	}
}

void couriers_take_along(struct client *c)
{
	AUTO(buf_clear) struct buf file = {0};

	if (!c->is_busy && write_file(c, &file))
		set_out(c, buf_bytes(&file), false);
}

void couriers_meet(struct client *c)
{
	struct file f = {.client = c->index};
	struct file back = {.client = c->index, .is_return = true};

	c->report = (struct sync_report){0};
	if (write_file(c, &f.bytes) && office_takes(c, &f, &back.bytes))
		commune_takes(c, &back, true);
	buf_clear(&f.bytes);
	buf_clear(&back.bytes);
}

void couriers_clear(struct world *w)
{
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		buf_clear(&w->files[i].bytes);
}
