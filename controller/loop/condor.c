#include "loop/condor.h"

#include <assert.h>

struct child *condor_run(struct loop *loop, const char *tools, const struct child_args *args)
{
    /* So that the tool ends before our deadline and the sentence is its own: a schedd that is cut
     * off takes condor_q 10 s then, a collector 3 to 10 s; else 20 and 39 s (seen with 23.9.6).
     * _CONDOR_ overrides configuration (manual, "Introduction to Configuration"). */
    const char *environment[4 + CONDOR_SETTINGS] = {
        "_CONDOR_Q_QUERY_TIMEOUT=5",
        "_CONDOR_QUERY_TIMEOUT=5",
    };
    size_t n = 2;
    for (const char *const *more = args->environment; more && *more; more++) {
        assert(n < 2 + CONDOR_SETTINGS);
        environment[n++] = *more;
    }
    struct child_args all = *args;
    all.tools = tools;
    all.environment = environment;
    if (all.deadline == 0)
        all.deadline = CONDOR_DEADLINE;
    return child_run(loop, &all);
}
