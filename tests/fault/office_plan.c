#include "tests/fault/office_plan.h"

#include <string.h>

#include "common/base/check.h"
#include "proto/bundle.h"

#define PERSONS 8u
#define STEP_MS 60000

static struct ground *g;
static struct office_step *steps;
static size_t step_count;
static struct id persons[PERSONS];
static uint64_t counters[OFFICE_PEOPLE];

static struct office_step *add(enum office_kind kind, size_t device)
{
	struct office_step *s = &steps[step_count];

	REQUIRE(step_count < OFFICE_STEPS);
	*s = (struct office_step){.kind = kind,
				  .device = device,
				  .wall = GROUND_START + (int64_t)step_count * STEP_MS};
	g->clock.wall = s->wall;
	step_count++;
	return s;
}

static void order(const char *command, const char *args)
{
	struct office_step *s = add(OFFICE_COMMAND, 0);

	s->text = command;
	s->args = args;
}

static const char *hex_of(size_t person)
{
	char hex[ID_HEX_LEN];

	id_print(&persons[person], hex);
	return (const char *)arena_copy(&g->a, bytes_of(hex, sizeof hex)).data;
}

static void order_of(const char *command, const char *key, size_t person, const char *more)
{
	order(command, (const char *)arena_printf(&g->a, "{\"%s\":\"%s\"%s}%c", key, hex_of(person),
						  more, '\0')
			       .data);
}

static void order_pair(const char *command, const char *one, const char *other, size_t a, size_t b)
{
	order(command, (const char *)arena_printf(&g->a, "{\"%s\":\"%s\",\"%s\":\"%s\"}%c", one,
						  hex_of(a), other, hex_of(b), '\0')
			       .data);
}

/* ---- changes ---- */

static struct change person(size_t device, size_t at, int64_t unit, const char *name)
{
	struct change c = ground_change(g, &g->devices[device], "person", &persons[at], 0);

	ground_write(g, &c, "unit", value_int(unit));
	ground_write(g, &c, "name", ground_text(name));
	return c;
}

static struct change edit(size_t device, size_t at, const char *field, struct value value)
{
	struct change c = ground_change(g, &g->devices[device], "person", &persons[at], 0);

	ground_write(g, &c, field, value);
	return c;
}

static struct change visit(size_t device, size_t at)
{
	struct id id = id_new(&g->clock.clock, &g->rand);
	struct change c = ground_change(g, &g->devices[device], "visit", &id, 0);

	ground_write(g, &c, "unit", value_int(g->north));
	ground_write(g, &c, "person",
		     value_bytes(arena_copy(&g->a, bytes_of(persons[at].bytes, ID_LEN))));
	ground_write(g, &c, "day", ground_text("2026-09-01"));
	return c;
}

static struct office_step *push(size_t device, struct change *changes, size_t count)
{
	struct office_step *s = add(OFFICE_PUSH, device);

	s->counter = ++counters[device];
	s->wires[s->count++] = ground_seal(g, &g->devices[device], changes, count);
	return s;
}

/* ---- parts of the story ---- */

static void begin(void)
{
	(void)add(OFFICE_BIRTH, 0);
	for (size_t i = 0; i + 1 < OFFICE_PEOPLE; i++) {
		(void)add(OFFICE_INVITE, i);
		(void)add(OFFICE_ENROL, i);
	}
}

static void clash(void)
{
	struct change made[] = {
		person(0, 0, g->north, "Điểu Thị Lan"), person(0, 1, g->north, "Điểu Thị Lân"),
		person(0, 2, g->north, OFFICE_CANARY),  person(0, 3, g->north, "Thị Bé"),
		person(0, 4, g->north, "Lâm Thị Hoa"),
	};
	struct change first[] = {edit(0, 0, "name", ground_text("Một")),
				 edit(0, 1, "name", ground_text("Hai")), visit(0, 2)};
	struct change second[] = {edit(1, 0, "name", ground_text("Một khác")),
				  edit(1, 1, "name", ground_text("Hai khác")),
				  edit(1, 2, "note", ground_text(OFFICE_CANARY))};

	(void)push(0, made, sizeof made / sizeof made[0]);
	(void)push(0, first, sizeof first / sizeof first[0]);
	(void)push(1, second, sizeof second / sizeof second[0]);
	order("conflict keep", "{\"conflict\":1}");
	order("conflict restore", "{\"conflict\":2}");
	order("conflict reopen", "{\"conflict\":2}");
}

/* Two values no schema allows yet; an edit that comes before its record. */
static void refuse(void)
{
	struct change refused[] = {edit(1, 3, "age", value_int(999)),
				   edit(1, 4, "age", value_int(998)),
				   edit(1, 5, "note", ground_text("Đến trước"))};
	struct change late[] = {person(0, 5, g->north, "Đến sau")};

	(void)push(1, refused, sizeof refused / sizeof refused[0]);
	(void)add(OFFICE_SCHEMA, 0);
	order("quarantine replay", "{\"quarantine\":1}");
	order("quarantine discard", "{\"quarantine\":2,\"why\":\"nhập nhầm\"}");
	order("quarantine reopen", "{\"quarantine\":2}");
	(void)push(0, late, 1);
}

static void double_up(void)
{
	order_pair("duplicate join", "keep", "other", 0, 1);
	order_of("duplicate split", "record", 1, "");
	order_pair("duplicate distinct", "one", "other", 0, 1);
	order_pair("duplicate reopen", "one", "other", 0, 1);
}

static void carry(void)
{
	AUTO(buf_clear) struct buf message = {0};
	AUTO(buf_clear) struct buf file = {0};
	struct office_step *s = add(OFFICE_FILE, 0);
	struct ground_device *d = &g->devices[0];
	struct change changes[] = {edit(0, 3, "note", ground_text("Theo tệp")), visit(0, 4)};
	struct bytes wire = ground_seal(g, d, changes, 2);
	struct msg_sync m = {.epoch = g->ctx.epoch, .changesets = &wire, .changeset_count = 1};
	struct bytes part;
	const struct bundle_writer w = {
		.head = {.kind = BUNDLE_TO_OFFICE, .device = d->number, .daemon = g->ctx.daemon},
		.key = &d->key,
		.reader = &g->ctx.key.public_key,
		.rand = &g->rand};
	enum err e;

	s->counter = ++counters[0];
	m.sealed = d->next - 1;
	msg_sync_encode(&m, &message);
	part = buf_bytes(&message);
	const struct bundle_out out = {.number = s->counter, .parts = &part, .part_count = 1};

	e = bundle_write_out(&w, &out, &file);
	REQUIRE(e == ERR_OK);
	s->file = arena_copy(&g->a, buf_bytes(&file));
}

/* The south is divided, the north goes whole. */
static void merge_communes(void)
{
	struct change made[] = {person(2, 6, g->south, "Người xã Nam")};
	struct change late[] = {edit(0, 4, "note", ground_text("Sau khi nhập xã"))};

	(void)push(2, made, 1);
	order("unit import",
	      "{\"from\":\"2026-09-01\",\"csv\":\"code,name,type,province_code,province_name\\n"
	      "00011,Xã Mới,Xã,70,Tỉnh Bình Phước\\n00012,Xã Khác,Xã,70,Tỉnh Bình Phước\\n\"}");
	order("unit succession",
	      "{\"on\":\"2026-09-01\",\"csv\":\"old_code,new_code,part\\n00001,00011,whole\\n"
	      "00002,00011,partial\\n00002,00012,partial\\n\"}");
	order_of("unit place", "record", 6, ",\"unit\":\"00012\"");
	(void)push(0, late, 1);
}

/* A disk rolled back: the same numbers with other content. Its home goes on as another device. */
static void set_aside(void)
{
	struct ground_device before = g->devices[2];
	struct change good[] = {edit(2, 6, "note", ground_text("Đã gửi"))};
	struct change bad[] = {edit(2, 6, "note", ground_text("Đĩa cũ")),
			       edit(2, 6, "sex", ground_text("female"))};

	(void)push(2, good, 1);
	g->devices[2] = before;
	push(2, bad, 2)->is_forking = true;
	(void)add(OFFICE_RELEASE, 2);
	add(OFFICE_SUCCEED, 3)->former = 2;
	g->devices[3].hlc = g->devices[2].hlc;
	struct change again[] = {edit(3, 6, "note", ground_text("Đĩa cũ"))};

	again[0].clock = bad[0].clock;
	(void)push(3, again, 1);
	order("quarantine replay", "{\"quarantine\":5}");
}

static void erase(void)
{
	order("device revoke", "{\"device\":2,\"why\":\"mất máy\"}");
	order_of("erase", "record", 2,
		 ",\"why\":\"theo yêu cầu\",\"basis\":\"Nghị định 13\",\"with_events\":true");
	(void)add(OFFICE_SWEEP, 0);
}

size_t office_plan(struct ground *ground, struct office_step to[OFFICE_STEPS])
{
	g = ground;
	steps = to;
	step_count = 0;
	for (size_t i = 0; i < OFFICE_PEOPLE; i++) {
		uint8_t key[32] = {0x78, (uint8_t)i};

		g->devices[i] = (struct ground_device){.number = (uint32_t)i + 1, .next = 1};
		sign_pair_from_seed(key, &g->devices[i].key);
	}
	for (size_t i = 0; i < PERSONS; i++)
		persons[i] = id_new(&g->clock.clock, &g->rand);
	begin();
	clash();
	refuse();
	(void)add(OFFICE_CHECKPOINT, 0);
	double_up();
	carry();
	(void)add(OFFICE_RESTART, 0);
	merge_communes();
	set_aside();
	erase();
	(void)add(OFFICE_RESTART, 0);
	(void)add(OFFICE_CHECKPOINT, 0);
	return step_count;
}
