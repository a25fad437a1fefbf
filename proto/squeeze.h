/*
 * squeeze - zstd, with a bound on what may come out.
 *
 * One whole message in, one out; a packed message always says how long it was. Any thread.
 */
#pragma once

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/err.h"

#define SQUEEZE_LEVEL 3

/*
 * The calling thread's own contexts: made at its first use, freed when it ends. Making one for
 * every message cost as much as packing a small one. Borrowed; for calls that take a whole frame.
 */
struct ZSTD_CCtx_s *squeeze_packer(void);
struct ZSTD_DCtx_s *squeeze_opener(void);

/* Appends the packed form; false, and nothing added, when it would not be shorter. */
bool squeeze_pack(struct bytes plain, struct buf *out);

/*
 * Unpacks into `a`. ERR_TOOBIG: the frame says it holds more than `max_bytes`; not
 * a byte is decoded then. ERR_PROTO: not one whole frame, a frame that does not say
 * its length, says more than its bytes can hold, or holds something else than it says.
 */
enum err squeeze_open(struct arena *a, struct bytes packed, size_t max_bytes,
		      struct bytes *ret_plain);
