/*
 * figures - numbers as Vietnamese reports write them: 14.257 triệu đồng, 94,6 %.
 *
 * Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

/* 1234567 -> "1.234.567". */
void figures_append_integer(struct buf *out, int64_t number);
/* At most `decimals` of them, zeros at the end dropped: 94.6 -> "94,6". */
void figures_append_decimal(struct buf *out, double number, int decimals);
/* 14257000000 -> "14.257 triệu đồng"; what is no whole million keeps its decimals. */
void figures_append_money(struct buf *out, int64_t dong);
