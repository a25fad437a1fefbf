#define LOG_TAG "squeeze"

#include "proto/squeeze.h"

#include <pthread.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "common/base/check.h"

/*
 * The most a frame can hold: a block is at most 128 KiB and costs at least 3 bytes of
 * head and one of content. So a short frame cannot make us ask for much memory.
 */
#define BLOCK_BYTES     ((size_t)128 << 10)
#define BLOCK_MIN_BYTES 4u

/* ---- a thread's contexts ---- */

static pthread_key_t packer_key;
static pthread_key_t opener_key;

static void free_packer(void *packer)
{
	(void)ZSTD_freeCCtx(packer);
}

static void free_opener(void *opener)
{
	(void)ZSTD_freeDCtx(opener);
}

static void make_keys(void)
{
	int rc = pthread_key_create(&packer_key, free_packer);

	if (rc == 0)
		rc = pthread_key_create(&opener_key, free_opener);
	REQUIRE(rc == 0);
}

/* NULL: this thread has none yet. */
static void *own(const pthread_key_t *key)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make_keys);
	return pthread_getspecific(*key);
}

static void keep(pthread_key_t key, void *context, const char *what)
{
	if (context == NULL || pthread_setspecific(key, context) != 0)
		check_failed("memory", what, __FILE__, __LINE__);
}

struct ZSTD_CCtx_s *squeeze_packer(void)
{
	ZSTD_CCtx *packer = own(&packer_key);

	if (packer == NULL) {
		packer = ZSTD_createCCtx();
		keep(packer_key, packer, "ZSTD_createCCtx");
	}
	return packer;
}

struct ZSTD_DCtx_s *squeeze_opener(void)
{
	ZSTD_DCtx *opener = own(&opener_key);

	if (opener == NULL) {
		opener = ZSTD_createDCtx();
		keep(opener_key, opener, "ZSTD_createDCtx");
	}
	return opener;
}

/* ---- pack and open ---- */

bool squeeze_pack(struct bytes plain, struct buf *out)
{
	size_t bound = ZSTD_compressBound(plain.len);

	if (plain.len == 0)
		return false;
	REQUIRE(!ZSTD_isError(bound));
	size_t len = ZSTD_compressCCtx(squeeze_packer(), buf_reserve(out, bound), bound, plain.data,
				       plain.len, SQUEEZE_LEVEL);

	if (ZSTD_isError(len))
		check_failed("memory", "ZSTD_compressCCtx", __FILE__, __LINE__);
	if (len >= plain.len)
		return false;
	out->len += len;
	return true;
}

/* The length the frame says it holds, when that can be true and is allowed. */
static enum err claim_read(struct bytes packed, size_t max_bytes, size_t *ret_len)
{
	static const uint8_t magic[] = {0x28, 0xb5, 0x2f, 0xfd};

	/* zstd would take a skippable frame too, for nothing at all. */
	if (packed.len < sizeof magic || memcmp(packed.data, magic, sizeof magic) != 0)
		return err_raise(ERR_PROTO, "not a zstd frame");

	unsigned long long claim = ZSTD_getFrameContentSize(packed.data, packed.len);

	if (claim == ZSTD_CONTENTSIZE_ERROR || claim == ZSTD_CONTENTSIZE_UNKNOWN)
		return err_raise(ERR_PROTO, "not a zstd frame that says its length");
	if (claim > max_bytes)
		return err_raise(ERR_TOOBIG, "%llu bytes unpacked, %zu allowed", claim, max_bytes);
	if (claim > (packed.len / BLOCK_MIN_BYTES + 1) * BLOCK_BYTES)
		return err_raise(ERR_PROTO, "%zu bytes cannot hold %llu", packed.len, claim);
	*ret_len = (size_t)claim;
	return ERR_OK;
}

enum err squeeze_open(struct arena *a, struct bytes packed, size_t max_bytes,
		      struct bytes *ret_plain)
{
	size_t len = 0;
	enum err e = claim_read(packed, max_bytes, &len);

	if (e != ERR_OK)
		return e;
	if (ZSTD_findFrameCompressedSize(packed.data, packed.len) != packed.len)
		return err_raise(ERR_PROTO, "not exactly one zstd frame");

	/*
	 * zstd never writes beyond `len`: a frame that holds more than it said fails here.
	 * Decoding in one go also means that the window a frame asks for costs nothing:
	 * only the streaming decoder would allocate one.
	 */
	uint8_t *plain = arena_alloc(a, len);
	size_t got = ZSTD_decompressDCtx(squeeze_opener(), plain, len, packed.data, packed.len);

	/* No memory is nothing that was wrong with the frame (mem.h). */
	if (ZSTD_getErrorCode(got) == ZSTD_error_memory_allocation)
		check_failed("memory", "ZSTD_decompressDCtx", __FILE__, __LINE__);
	if (ZSTD_isError(got))
		return err_raise(ERR_PROTO, "zstd: %s", ZSTD_getErrorName(got));
	if (got != len)
		return err_raise(ERR_PROTO, "frame holds %zu bytes and says %zu", got, len);
	*ret_plain = bytes_of(plain, len);
	return ERR_OK;
}
