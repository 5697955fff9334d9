#include "doctor/clock.h"

#include <inttypes.h>

/* Seconds; an ad may have been under way for some, and a command waited for its turn. */
enum { TOLERANCE = 60 };

static const char why[] =
    "tokens are not yet valid or no longer, ads look old or fresh that are not, "
    "and deadlines end too early or too late";

bool clock_differs(int64_t a, int64_t b)
{
    return a - b > TOLERANCE || b - a > TOLERANCE;
}

static const char *mend(struct visit *v, const char *subject)
{
    return visit_text(v,
                      "on the machine of %s: timedatectl; systemctl enable --now chrony "
                      "(or systemd-timesyncd)",
                      subject);
}

void clock_judge(struct visit *v, const char *subject, const char *against, int64_t shown,
                 int64_t other)
{
    if (shown <= 0 || other <= 0)
        visit_skip(v, CHECK_CLOCK, subject, "it tells no time");
    else if (!clock_differs(shown, other))
        visit_ok(v, CHECK_CLOCK, subject, "its clock agrees with %s", against);
    else
        visit_wrong(v, CHECK_CLOCK, subject,
                    visit_text(v, "its clock is %" PRId64 " s %s %s",
                               shown > other ? shown - other : other - shown,
                               shown > other ? "ahead of" : "behind", against),
                    why, mend(v, subject));
}

/* The collector evaluates time() when it is asked. */
static void collector_told(struct visit *v, const void *about, const struct child_result *r)
{
    const char *pool = about;
    if (r->error)
        visit_skip(v, CHECK_CLOCK, pool, "it does not answer");
    else if (!*r->output)
        visit_ok(v, CHECK_CLOCK, pool, "its clock agrees with this machine's");
    else
        visit_wrong(
            v, CHECK_CLOCK, pool,
            visit_text(v, "its clock and this machine's are more than %d s apart", TOLERANCE), why,
            mend(v, visit_text(v, "%s, and here", pool)));
}

void clock_ask_collector(struct visit *v, const char *pool)
{
    long long now = (long long)(loop_now(v->loop) / USEC_PER_SEC);
    const char *differs =
        visit_text(v, "time() - %lld > %d || %lld - time() > %d", now, TOLERANCE, now, TOLERANCE);
    visit_send(v, &(struct errand_args){
                      .argv = (const char *const[]){"condor_status", "-pool", pool, "-collector",
                                                    "-constraint", differs, "-af", "Name", NULL},
                      .tools = v->policy->pool.tools,
                      .about = pool,
                      .done = collector_told});
}
