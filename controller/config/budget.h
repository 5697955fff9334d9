/*
 * Disruption budgets as people write them: "2", "5%", "weekdays 08:00-18:00: 5%".
 */
#pragma once

#include "base/err.h"
#include "config/policy.h"

/**
 * Parse "[DAYS] [HH:MM-HH:MM][:] NUMBER[%]" into @ret (its line is left alone). DAYS: weekdays,
 * weekend, daily, or a list such as mon,wed,fri. Without days: every day; without times: all day.
 * Returns 0 or -EINVAL.
 */
int budget_parse(const char *text, struct policy_budget *ret, struct err *e);
