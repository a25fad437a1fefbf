/*
 * enrol - how an office comes to know this home, and how it comes to know it anew.
 *
 * The key is on the disk before the office hears of it, and the same key with the same code gets
 * the same answer again: a lost answer loses nothing. What comes back is one transaction.
 */
#pragma once

#include "client/succession.h"
#include "client/sync.h"

/*
 * Makes the device known: asks with the identity in the vault, which has no daemon yet, keeps what
 * comes back. RETRY class: not reached, or busy. ERR_AUTH: refused (report->refusal), or not the
 * office of the invitation.
 */
enum err sync_enrol(struct sync *s, struct bytes author, struct sync_report *report);

/* Whether the home may ask for another identity: its device was set aside, the office lacks
 * numbers that are no longer kept here, or does not know it (any more). */
bool enrol_may_ask_anew(const struct vault_state *state);

/*
 * A home that is enrolled asks for another identity with the successor in the vault
 * (vault_successor_put()), vouched for by the present one; succession.h tells what comes of it.
 * Errors as sync_enrol(); ERR_PROTO: the answer is not for this home. Until the commit nothing
 * changed, and the same may be asked again.
 */
enum err sync_enrol_anew(struct sync *s, struct sync_report *report, struct succession *ret_done);
