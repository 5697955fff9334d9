/*
 * eyrie doctor: looks at a site, before eyried has ever run there or while it runs, and says what
 * is wrong with it. It changes nothing. Everything that can block is a child with a deadline, and
 * all run side by side: what fails or hangs holds up nothing else.
 */
#pragma once

#include "config/policy.h"
#include "doctor/finding.h"

struct doctor_args {
    const struct policy *policy;
    const char *file;   /* of the policy, as it was named */
    const char *eyrie;  /* absolute path of the program eyrie, which asks eyried */
    const char *socket; /* NULL: the policy's */
};

/** Look, which takes at most about a minute; returns the view (finding_view) in @ret, or -errno. */
int doctor_look(const struct doctor_args *args, struct json_object **ret, struct err *e);
