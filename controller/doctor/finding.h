/*
 * What a check found: a sentence, and when something is wrong, why it matters and the command that
 * mends it. A finding is data; the command line prints it.
 */
#pragma once

#include "base/json.h"

enum finding_verdict {
    FINDING_OK,
    FINDING_WRONG,
    FINDING_SKIPPED, /* could not be looked at, or there is nothing to look at yet; @what says why
                      */
    FINDING_VERDICTS,
};

/** The parts of a site, in the order in which they are shown. */
enum finding_part {
    PART_TOOLS,
    PART_EYRIED,
    PART_SCHEDDS,
    PART_POOL,
    PART_VMS,
    PART_HOSTS,
    PART_COUNT,
};

struct finding {
    enum finding_part part;
    const char *check;   /* its name in the table of checks */
    const char *subject; /* the schedd, host, folder, …; "" when there is only one */
    enum finding_verdict verdict;
    const char *what; /* one sentence, without the subject */
    const char *why;  /* why it matters; NULL unless wrong */
    const char *mend; /* the command, or what to do; NULL unless wrong */
};

/** "ok", "wrong", "skipped". */
const char *finding_verdict_name(enum finding_verdict verdict);
/** "tools", "eyried", "schedds", … */
const char *finding_part_name(enum finding_part part);
/** The view that `eyrie doctor -o json` prints; owned by the caller (json_object_put). */
struct json_object *finding_view(const struct finding *findings, size_t n);
