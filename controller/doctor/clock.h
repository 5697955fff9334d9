/*
 * Clocks: tokens have a life, ads age, and a drain has a deadline.
 */
#pragma once

#include "doctor/visit.h"

/** Whether two clocks (seconds since the epoch) are too far apart. */
bool clock_differs(int64_t a, int64_t b);
/** Judge the clock of @subject, which showed @shown when @against showed @other; 0: unknown. */
void clock_judge(struct visit *v, const char *subject, const char *against, int64_t shown,
                 int64_t other);
/** Compare the clock of the collector @pool with ours. */
void clock_ask_collector(struct visit *v, const char *pool);
