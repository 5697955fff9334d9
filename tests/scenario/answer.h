/*
 * The calendar's answers as text, for scenarios.
 */
#pragma once

#include "base/arena.h"
#include "base/text.h"
#include "plan/calendar.h"

/** Ask for each request of @asks in turn; what is granted is booked in @w before the next. */
void answer_all(struct arena *a, const struct policy *p, const struct world *w,
                const struct world *asks, struct text *out);
