/*
 * entropy - what a run may not draw from the machine: random numbers of libsodium and of SQLite,
 * SQLite's clock, and what memory holds that nobody wrote to. Else a seed is not a run.
 *
 * The salt is for the proof: it changes all of these, and none may change what happens. Only the
 * name of the temporary folder is left to chance.
 */
#pragma once

#include "common/base/clock.h"

/* Once, before crypt_init() and behind faults_install(). */
void entropy_install(void);
/* A run begins; `clock` is SQLite's until the next one does. */
void entropy_begin(const struct clock *clock, uint64_t seed, uint64_t salt);
