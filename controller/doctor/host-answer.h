/*
 * What a host answered to `check` (controller/host/README.md), as findings.
 */
#pragma once

#include "doctor/visit.h"

/** Judge the answer @o, which is no failure, of @h about @t. @first: say what is of the host
 * itself, too. */
void host_answer_judge(struct visit *v, const struct policy_host *h,
                       const struct policy_template *t, struct json_object *o, bool first);
