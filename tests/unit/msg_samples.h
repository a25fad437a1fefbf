/* msg_samples - one of each message, and the keys they are signed with. */
#pragma once

#include "tests/unit/test.h"

#include "common/base/mem.h"
#include "proto/msg.h"

/* ---- what most tests begin with ---- */

struct fixture {
	struct arena arena;
	struct buf out;
	struct buf stored;
	struct sign_pair device_key;
	struct sign_pair daemon_key;
	struct id daemon;
	struct id epoch;
};

static inline int setup(void **state)
{
	struct fixture *f = mem_alloc_zero(sizeof *f);
	uint8_t seed[32];

	memset(seed, 3, sizeof seed);
	sign_pair_from_seed(seed, &f->device_key);
	memset(seed, 4, sizeof seed);
	sign_pair_from_seed(seed, &f->daemon_key);
	memset(f->daemon.bytes, 0xda, ID_LEN);
	memset(f->epoch.bytes, 0xe0, ID_LEN);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	arena_clear(&f->arena);
	buf_clear(&f->out);
	buf_clear(&f->stored);
	mem_free(f);
	return 0;
}

#define NOW_MS INT64_C(1795315919123)

/* ---- samples, one of each message ---- */

static inline struct msg_enrol sample_enrol(const struct fixture *f)
{
	struct msg_enrol m = {
		.key = f->device_key.public_key,
		.name = BYTES_LIT("Máy xã Lộc Thạnh"),
		.author = BYTES_LIT("Lê Văn Tám"),
		.client_version = BYTES_LIT("ctxh 0.1.0"),
		.sent_ms = NOW_MS,
	};

	memset(m.code, 0x0c, sizeof m.code);
	return m;
}

static int64_t sample_units[] = {25195, 25198, 25201};

static inline struct msg_enrolled sample_enrolled(const struct fixture *f)
{
	return (struct msg_enrolled){
		.daemon = f->daemon,
		.epoch = f->epoch,
		.device = 12,
		.daemon_key = f->daemon_key.public_key,
		.units = sample_units,
		.unit_count = 3,
		.is_cleared = true,
		.author = BYTES_LIT("Lê Văn Tám"),
		.now_ms = NOW_MS,
	};
}

static struct msg_cursor sample_cursors[] = {{25195, 70000, 0}, {25198, 0, 0}};
static struct bytes sample_changesets[] = {BYTES_LIT("\x92\xc4\x00\xc4\x00"), BYTES_LIT("other")};

static inline struct msg_sync sample_sync(const struct fixture *f)
{
	return (struct msg_sync){
		.epoch = f->epoch,
		.sent_ms = NOW_MS,
		.client_version = BYTES_LIT("ctxh 0.1.0"),
		.author = BYTES_LIT("Lê Văn Tám"),
		.max_bytes = 65536,
		.schema_version = {1, 2, 3, 4, 5, 6, 7, 8},
		.units_version = 5,
		.notice = 9,
		.is_first_pull = true,
		.cursors = sample_cursors,
		.cursor_count = 2,
		.changesets = sample_changesets,
		.changeset_count = 2,
	};
}

static struct msg_repair sample_repairs[] = {
	{.first = 41, .count = 2, .log = 70001},
	{.first = 43,
	 .count = 100,
	 .repair = {.shift_ms = -86400000,
		    .ceiling = UINT64_MAX,
		    .floor = STAMP_CLOCK_OF(NOW_MS),
		    .is_flagged = true},
	 .log = 70002},
};

static inline struct msg_receipt sample_receipt(const struct fixture *f)
{
	struct msg_receipt m = {
		.daemon = f->daemon,
		.epoch = f->epoch,
		.device = 12,
		.number = 142,
		.backed_up = 40,
		.log = 70002,
		.at_ms = NOW_MS,
		.repairs = sample_repairs,
		.repair_count = 2,
	};

	memset(m.chain.bytes, 0xcc, HASH_LEN);
	return m;
}

static struct msg_result sample_results[] = {
	{.number = 41, .code = BYTES_LIT("conflict"), .field = BYTES_LIT("birth")},
	{.number = 42,
	 .code = BYTES_LIT("missing"),
	 .field = BYTES_LIT("full_name"),
	 .text = BYTES_LIT("Thiếu họ tên; full name is missing"),
	 .is_quarantined = true},
};
static struct bytes sample_records[] = {BYTES_LIT("\x80"), BYTES_LIT("\x81\x01\xc0")};
static struct msg_evict sample_evictions[] = {
	{.type = BYTES_LIT("person"), .id = {{1, 2, 3}}, .unit = 25198},
};
static struct msg_notice sample_notices[] = {
	{.notice = 10,
	 .kind = BYTES_LIT("conflict"),
	 .type = BYTES_LIT("person"),
	 .id = {{1, 2, 3}},
	 .field = BYTES_LIT("birth"),
	 .kept = {.kind = VALUE_TEXT, .bytes = BYTES_LIT("1957")},
	 .lost = {.kind = VALUE_INT, .integer = -7},
	 .by = BYTES_LIT("Người khác"),
	 .at_ms = NOW_MS,
	 .text = BYTES_LIT("Hai người cùng sửa; two people edited this")},
	{.notice = 11, .kind = BYTES_LIT("duplicate")},
};

static inline struct msg_synced sample_synced(const struct fixture *f)
{
	return (struct msg_synced){
		.epoch = f->epoch,
		.now_ms = NOW_MS,
		.receipt = BYTES_LIT("receipt"),
		.results = sample_results,
		.result_count = 2,
		.records = sample_records,
		.record_count = 2,
		.evictions = sample_evictions,
		.eviction_count = 1,
		.notices = sample_notices,
		.notice_count = 2,
		.cursors = sample_cursors,
		.cursor_count = 2,
		.units = sample_units,
		.unit_count = 3,
		.included = 142,
		.has_more = true,
		.is_complete = true,
		.schema_version = {1, 2, 3, 4, 5, 6, 7, 8},
		.units_version = 6,
	};
}

static inline struct msg_refusal sample_refusal(void)
{
	struct msg_refusal m = {
		.code = BYTES_LIT("gap"),
		.text = BYTES_LIT("Thiếu thay đổi ở giữa; changes are missing in between"),
		.expected = 41,
		.retry_after_s = 30,
	};

	memset(m.chain.bytes, 0xcc, HASH_LEN);
	return m;
}

static const struct msg_unit sample_unit_list[] = {
	{.unit = 70,
	 .code = BYTES_LIT("70"),
	 .name = BYTES_LIT("Bình Phước"),
	 .kind = BYTES_LIT("Tỉnh")},
	{.unit = 25195,
	 .code = BYTES_LIT("25195"),
	 .name = BYTES_LIT("Lộc Thạnh"),
	 .kind = BYTES_LIT("Xã"),
	 .parent = 70,
	 .valid_from = BYTES_LIT("2021-02-01"),
	 .valid_until = BYTES_LIT("2025-07-01")},
};
