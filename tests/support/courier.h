/*
 * courier - carries a device's file to the office of tests (office.h) and its return file back.
 */
#pragma once

#include "common/base/rand.h"
#include "tests/support/office.h"

/* Appends what the office returns for the file; the file must be a sound one. `device` is the key
 * the device signs with. */
void courier_carry(struct office *o, const struct sign_pair *device, struct rand *rand,
		   struct bytes file, struct buf *out);
/* A return file of the office with whatever is in `b`. */
struct bundle_return;
void courier_return(struct office *o, struct rand *rand, const struct bundle_return *b,
		    struct buf *out);
