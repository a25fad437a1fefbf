/*
 * rebase - what people see of a record: the office's state, our own changes on top.
 *
 * Our changes carry raw clocks until a receipt tells how the office mended them, so
 * they are never folded into the office's state before that: the office's state
 * stays what the office has, and body is made anew from both. What waits stands above what this
 * device sent before, also where the office mended that one's clock to a later time. Pure.
 */
#pragma once

#include "client/vault.h"
#include "common/model/merge.h"
#include "common/model/schema.h"

/* A type this schema does not name is merged as a register. */
enum merge_kind rebase_kind(const struct schema *s, struct bytes type);

/* `office` with count 0: the office has nothing yet. Borrows from all arguments. */
struct record rebase_body(struct arena *a, enum merge_kind kind, const struct record *office,
			  const struct vault_change *changes, size_t count, uint32_t device);

/* With `count` changes of ours left nothing keeps the record here: the office sent it away, or
 * never had it. Whoever removes a change of ours asks, and removes such a record. */
bool rebase_is_over(const struct vault_record *r, size_t count);
