/*
 * office - a store in a folder of its own, filled by hand: for tests of reports and of
 * administrators' commands.
 *
 * Records are put as states, as merging would leave them. One writer, one reader.
 */
#pragma once

#include "tests/unit/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/admin_call.h"
#include "daemon/store.h"
#include "daemon/units.h"

#define OFFICE_NOW INT64_C(1795305600000) /* 2026-11-22T00:00:00Z */

struct office {
	char folder[64];
	char path[96];
	struct schema *schema;
	struct store *writer;
	struct store *reader;
	struct arena arena;
	struct clock_fake clock;
	struct context ctx;
	uint64_t log;
	uint64_t serial; /* of record ids */
};

static inline void office_commit(struct office *o)
{
	assert_ok(store_commit(o->writer));
}

static inline struct bytes office_read(const char *name, struct arena *a)
{
	char path[512];
	FILE *f;
	struct buf text = {0};
	struct bytes copy;
	size_t got = 1;

	snprintf(path, sizeof path, "%s/%s", getenv("CTXH_SOURCE_DIR"), name);
	f = fopen(path, "rb");
	assert_non_null(f);
	while (got != 0) {
		got = fread(buf_reserve(&text, 65536), 1, 65536, f);
		text.len += got;
	}
	fclose(f);
	copy = arena_copy(a, buf_bytes(&text));
	buf_clear(&text);
	return copy;
}

static inline void office_import(struct office *o, struct bytes csv, const char *from)
{
	struct units_imported imported;
	int64_t day;

	assert_ok(units_parse_day(bytes_str(from), &day));
	assert_ok(store_begin(o->writer));
	assert_ok(units_import(o->writer, &o->arena, csv, day, UNITS_DAY_OPEN, &imported));
	office_commit(o);
}

static inline void office_open(struct office *o)
{
	char schema_folder[512];
	char error[SCHEMA_ERROR_LEN];

	memset(o, 0, sizeof *o);
	snprintf(o->folder, sizeof o->folder, "/tmp/ctxh-office-XXXXXX");
	assert_non_null(mkdtemp(o->folder));
	snprintf(o->path, sizeof o->path, "%s/ctxhd.db", o->folder);
	snprintf(schema_folder, sizeof schema_folder, "%s/schema", getenv("CTXH_SOURCE_DIR"));
	assert_ok(crypt_init());
	log_set_filter(getenv("CTXH_TEST_LOG") != NULL ? getenv("CTXH_TEST_LOG") : "err");
	assert_ok(schema_load_folder(schema_folder, &o->schema, error));
	assert_ok(store_open_writer(o->path, o->schema, &o->writer));
	assert_ok(store_open_reader(o->path, o->schema, &o->reader));
	clock_fake_init(&o->clock, OFFICE_NOW);
	o->ctx.clock = &o->clock.clock;
	o->ctx.rand = rand_system();
	o->ctx.state = o->folder;
	atomic_store(&o->ctx.schema, o->schema);
}

static inline void office_close(struct office *o)
{
	char command[96];

	store_close(o->reader);
	store_close(o->writer);
	schema_free(o->schema);
	arena_clear(&o->arena);
	for (size_t i = 0; i < 3; i++) {
		static const char *const ends[] = {"", "-wal", "-shm"};

		snprintf(command, sizeof command, "%s/ctxhd.db%s", o->folder, ends[i]);
		unlink(command);
	}
	rmdir(o->folder);
}

/* The unit a code means on a day. */
static inline int64_t office_unit(struct office *o, const char *code, const char *on)
{
	struct unit_row row;
	int64_t day;

	assert_ok(units_parse_day(bytes_str(on), &day));
	assert_ok(units_find(o->writer, &o->arena, bytes_str(code), day, &row));
	return row.unit;
}

static inline struct id office_id(struct office *o)
{
	struct id id = {0};

	o->serial++;
	for (size_t i = 0; i < 8; i++)
		id.bytes[i] = (uint8_t)(o->serial * 2654435761u >> (8 * (i & 3u)));
	for (size_t i = 0; i < 8; i++)
		id.bytes[15 - i] = (uint8_t)(o->serial >> (8 * i));
	return id;
}

static inline int office_order(const void *a, const void *b)
{
	return bytes_compare(((const struct field *)a)->name, ((const struct field *)b)->name);
}

/* Puts one record; inside a transaction. Names and values as given, the unit added. */
static inline struct id office_put(struct office *o, const char *type, int64_t unit,
				   const struct write *writes, size_t count)
{
	struct field fields[32];
	struct store_state state = {0};

	o->log++;
	for (size_t i = 0; i < count; i++)
		fields[i] = (struct field){.name = writes[i].name, .value = writes[i].value};
	fields[count++] = (struct field){.name = BYTES_LIT("unit"), .value = value_int(unit)};
	for (size_t i = 0; i < count; i++) {
		fields[i].stamp = (struct stamp){.clock = o->log << 16, .device = 1};
		fields[i].log = o->log;
	}
	qsort(fields, count, sizeof fields[0], office_order);
	state.record = (struct record){
		.type = bytes_str(type), .id = office_id(o), .fields = fields, .count = count};
	assert_ok(store_put_state(o->writer, &o->arena, &state, o->log));
	return state.record.id;
}

#define OFFICE_TEXT(name, text)                              \
	{                                                    \
		BYTES_LIT(name), value_text(BYTES_LIT(text)) \
	}
#define OFFICE_PUT(o, type, unit, ...)                                       \
	office_put((o), (type), (unit), (const struct write[]){__VA_ARGS__}, \
		   sizeof((const struct write[]){__VA_ARGS__}) / sizeof(struct write))
