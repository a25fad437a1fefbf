/*
 * merge_oracle - what the merge must answer, worked out the slow way.
 *
 * Nothing is kept between calls: every answer is a fold over the changes that have
 * arrived, from the words of the rules (common/model/merge.h, docs/decisions/0002). It shares
 * no code with the merge and knows values only as numbers.
 */
#pragma once

#include "common/base/buf.h"
#include "tests/sim/merge_history.h"

#define SIM_ROWS_MAX (SIM_FIELDS + SIM_CHANGES_MAX)

/* A conflict; sides are changes of the history. */
struct sim_row {
	int field;
	int kept;
	int lost;
	bool is_kept_edit; /* that side is an edit against a deletion (M4), its value NULL */
	bool is_lost_edit;
};

struct sim_answer {
	struct sim_row rows[SIM_ROWS_MAX];
	int row_count;
	bool is_new;
	bool is_changed;
	bool is_parallel;
	bool is_landed;
	bool is_moved;
	int from_unit;
};

/* The change whose write of the field stands when `places` changes have arrived; -1: none. */
int oracle_standing(const struct history *h, const struct arrival *a, int places, int record,
		    int field);
/* What the change at `place` must be answered. */
void oracle_answer(const struct history *h, const struct arrival *a, int place,
		   struct sim_answer *ret_answer);
/* Appends the canonical bytes of a record when everything has arrived. */
void oracle_canonical(const struct history *h, int record, struct buf *out);

/* Field decides as a register: every field of a register, our own five of an event. */
bool oracle_is_register(const struct history *h, int record, int field);
