#include "loop/condor.h"

struct child *condor_run(struct loop *loop, const char *tools, const struct child_args *args)
{
    /* Below our deadline, so that the sentence is the tool's own: condor_q tries twice, and without
     * these asks a collector that is cut off for 39 s (seen with 23.9.6). _CONDOR_ overrides
     * configuration (manual, "Introduction to Configuration"). */
    static const char *const environment[] = {
        "_CONDOR_Q_QUERY_TIMEOUT=8",
        "_CONDOR_QUERY_TIMEOUT=5",
        NULL,
    };
    struct child_args all = *args;
    all.tools = tools;
    all.environment = environment;
    if (all.deadline == 0)
        all.deadline = CONDOR_DEADLINE;
    return child_run(loop, &all);
}
