/*
 * id - 128-bit record ids, made offline: UUID version 7 (RFC 9562).
 *
 * 48 bits of milliseconds, then randomness: ids made one after the other lie
 * near each other in an index. The time in it is only a hint; nothing reads it.
 */
#pragma once

#include <stdbool.h>

#include "common/base/bytes.h"
#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/rand.h"

#define ID_LEN     16u
#define ID_HEX_LEN 33u /* with the NUL */

struct id {
	uint8_t bytes[ID_LEN];
};

struct id id_new(const struct clock *clock, struct rand *rand);
int id_compare(const struct id *a, const struct id *b);
bool id_is_zero(const struct id *id);

void id_print(const struct id *id, char ret_hex[ID_HEX_LEN]);
/* 32 hex digits, any case, hyphens anywhere; ERR_INVAL otherwise. */
enum err id_parse(struct bytes hex, struct id *ret_id);

/* Lower-case hex of any bytes; `ret_hex` has 2 * len + 1. */
void hex_print(const void *data, size_t len, char *ret_hex);
/* Exactly 2 * len digits, or ERR_INVAL. */
enum err hex_parse(struct bytes hex, void *ret_data, size_t len);
