/*
 * sync_budget - how many bytes one contact may still cost, on the wire and both ways.
 *
 * A line that is paid by the byte is promised a sum: `ctxh sync --max-bytes N`. What TLS and
 * HTTP cost is part of it, and is put down as its worst, since only the bodies are seen here.
 * The first round always takes place: a contact that moved nothing would never get on.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* TLS 1.3 with one self-made certificate, both ways, session tickets included: measured 2.0 KiB. */
#define SYNC_LINE_BYTES  3072u
/* HTTP heads and TLS records of one round, both ways: measured 0.5 KiB. */
#define SYNC_ROUND_BYTES 768u

struct sync_budget {
	uint64_t limit; /* 0: none */
	uint64_t used;
};

/* The bodies of another round may have so many bytes; SIZE_MAX without a limit. */
size_t sync_budget_room(const struct sync_budget *b);
/* A round took place: its bodies, and what comes with them. */
void sync_budget_spend(struct sync_budget *b, size_t body_bytes);
