#include "tests/sim/entropy.h"

#include <malloc.h>
#include <sodium.h>
#include <sqlite3.h>

#include "common/base/check.h"
#include "common/base/rand.h"
#include "tests/fault/faultvfs.h"

/* 1970 in milliseconds of the Julian day, which is how SQLite counts. */
#define JULIAN_1970_MS INT64_C(210866760000000)

static struct rand numbers;
static const struct clock *time_of_run;

/* ---- libsodium ---- */

static const char *on_name(void)
{
	return "seeded";
}

static uint32_t on_random(void)
{
	return (uint32_t)rand_u64(&numbers);
}

static void on_buf(void *const to, const size_t len)
{
	rand_fill(&numbers, to, len);
}

static struct randombytes_implementation seeded = {
	.implementation_name = on_name, .random = on_random, .buf = on_buf};

/* ---- SQLite ---- */

static int on_randomness(sqlite3_vfs *vfs, int len, char *to)
{
	(void)vfs;
	rand_fill(&numbers, to, (size_t)len);
	return len;
}

static int on_time(sqlite3_vfs *vfs, sqlite3_int64 *ret_now)
{
	(void)vfs;
	REQUIRE(time_of_run != NULL);
	*ret_now = JULIAN_1970_MS + clock_wall_ms(time_of_run);
	return SQLITE_OK;
}

void entropy_install(void)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(FAULTVFS_NAME);
	int rc = randombytes_set_implementation(&seeded);

	/* libsodium draws before the first run does. */
	rand_seeded_init(&numbers, 0);
	REQUIRE(rc == 0 && vfs != NULL);
	vfs->xRandomness = on_randomness;
	vfs->xCurrentTimeInt64 = on_time;
}

void entropy_begin(const struct clock *clock, uint64_t seed, uint64_t salt)
{
	rand_seeded_init(&numbers, seed ^ UINT64_C(0x73616c74) ^ salt << 32);
	time_of_run = clock;
	/* SQLite asks the VFS once and goes on from there: it is to ask again. */
	sqlite3_randomness(0, NULL);
	/* Of what is given out and given back; 0: as it is. */
	(void)mallopt(M_PERTURB, (int)(salt & 0xff));
}
