/* plain - which bytes may stand as text and as names on the wire. Pure. */
#pragma once

#include <stdbool.h>

#include "common/base/bytes.h"

/* Well-formed UTF-8 (RFC 3629: no surrogates, nothing overlong, up to U+10FFFF). */
bool plain_is_utf8(struct bytes text);
/* A type or field name: 1 to LIMIT_NAME_BYTES of a-z, 0-9 and _. */
bool plain_is_name(struct bytes name);
