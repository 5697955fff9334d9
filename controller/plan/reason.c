/*
 * Reasons as words. One table: the name for machines, and how to say it.
 */
#include "plan/reason.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"

/*
 * In a sentence $n and $limit are the numbers as they are, $N and $L as durations, $M as bytes (of
 * limit), $s the subject, $p "s" unless n is 1, $v "s" if it is, $w where the limit was set.
 */
static const struct {
    const char *name;
    const char *sentence;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = {"none", ""},
    [REASON_JOBS_SERVED] = {"jobs-served", "$n job$p fit into VMs that are up"},
    [REASON_JOBS_STARTING] = {"jobs-starting", "$n job$p wait for VMs that are being started"},
    [REASON_JOBS_NO_GROUP] = {"jobs-no-group", "$n job$p of $s name no accounting group"},
    [REASON_JOBS_UNKNOWN_GROUP] = {"jobs-unknown-group",
                                   "$n job$p name the group $s, which is not in the policy"},
    [REASON_JOBS_NOT_SUBMITTER] = {"jobs-not-submitter",
                                   "$s is not among the submitters of the group$w"},
    [REASON_JOBS_TOO_BIG] = {"jobs-too-big",
                             "$n job$p of $limit cpu(s) each fit no template of group $s$w"},
    [REASON_JOBS_TOO_LONG] = {"jobs-too-long",
                              "they may run for $N, and no VM lives longer than $L$w"},
    [REASON_JOBS_SCHEDD_REMOVED] =
        {"jobs-schedd-removed", "$n job$p wait on $s, which is not in the policy any more"},
    [REASON_JOBS_HELD] = {"jobs-held", "$n job$p of $s are held"},
    [REASON_JOBS_OVERFLOW] = {"jobs-overflow", "for $N more they wait for the main pool alone"},
    [REASON_JOBS_SETTLING] = {"jobs-settling", "idle for $N, and must be for $L$w"},
    [REASON_JOBS_UNKNOWN_REQUEST] = {"jobs-unknown-request",
                                     "$n job$p name$v the request $s, which their group does not have"},
    [REASON_JOBS_REQUEST_ENDED] = {"jobs-request-ended", "$n job$p name$v the request $s, which is over"},
    [REASON_JOBS_REQUEST_AHEAD] = {"jobs-request-ahead", "request $s begins in $L"},
    [REASON_JOBS_TOO_BIG_FOR_REQUEST] =
        {"jobs-too-big-for-request", "$n job$p of $limit cpu(s) each do not fit into a VM of request $s"},
    [REASON_JOBS_TOO_LONG_FOR_REQUEST] = {"jobs-too-long-for-request",
                                          "they may run for $N, and request $s leaves them $L"},
    [REASON_REQUEST_SHORT] = {"request-short",
                              "$n of the $limit VMs of request $s are there or being started"},
    [REASON_REQUEST_TAKEN] = {"request-taken", "all $limit VMs of request $s are full"},
    [REASON_ASK_NO_GROUP] = {"ask-no-group", "the group $s is not in the policy"},
    [REASON_ASK_NO_TEMPLATE] = {"ask-no-template", "the group has no template $s$w"},
    [REASON_ASK_SIZE] = {"ask-size", "a request is for 1 to $limit VMs, and $n were asked for"},
    [REASON_ASK_TIMES] = {"ask-times", "a request ends after it begins, and after now"},
    [REASON_ASK_CHANGES_NOTHING] = {"ask-changes-nothing",
                                    "the group has no request $s that is not over"},
    [REASON_ASK_REFUSED] = {"ask-refused", "the policy grants $s no requests$w"},
    [REASON_ASK_CPUS] = {"ask-cpus", "$n cpu$p were asked for, and $s may book $limit at once$w"},
    [REASON_ASK_LENGTH] = {"ask-length", "it lasts for $N, and one of $s may last for $L$w"},
    [REASON_ASK_LEAD] = {"ask-lead", "it begins in $N, and $s may book $L ahead$w"},
    [REASON_ASK_OPEN] = {"ask-open", "$s has $n request$p open, and may have $limit$w"},
    [REASON_BLACKOUT] = {"blackout", "no request is granted for that time: $s$w"},
    [REASON_BOOKED_VMS] = {"booked-vms", "$n VMs would be booked and the limit is $limit$w"},
    [REASON_BOOKED_CPUS] =
        {"booked-cpus", "$n cpus would be booked, or are other groups' quotas, and the limit is $limit$w"},
    [REASON_BOOKED_MEMORY] = {"booked-memory", "more than the limit of $M of memory would be booked$w"},
    [REASON_BOOKED_TEMPLATE] = {"booked-template",
                                "$n VMs of template $s would be booked and its max_vms is $limit$w"},
    [REASON_BOOKED_GROUP] = {"booked-group", "$s would have $n cpus booked and its max is $limit$w"},
    [REASON_BOOKED_GROUP_VMS] = {"booked-group-vms",
                                 "$s would have $n VMs booked and its max_vms is $limit$w"},
    [REASON_BOOKED_GROUP_MEMORY] = {"booked-group-memory",
                                    "$s would have more booked than its max_memory of $M$w"},
    [REASON_BOOKED_HOSTS] = {"booked-hosts",
                             "beside what is booked the hosts have room for $n of $limit VMs of $s$w"},
    [REASON_BOOKED_QUOTA] = {"booked-quota", "the hosts would have $n cpus left, and other groups' quotas "
                                             "are $limit cpus"},
    [REASON_LIMIT_VMS] = {"limit-vms", "$n VM$p are in use and the limit is $limit$w"},
    [REASON_LIMIT_CPUS] = {"limit-cpus", "$n cpu$p are in use and the limit is $limit$w"},
    [REASON_LIMIT_MEMORY] = {"limit-memory", "the limit of $M of memory is reached$w"},
    [REASON_LIMIT_GROUP] = {"limit-group", "$s uses $n cpu$p and its max is $limit$w"},
    [REASON_LIMIT_GROUP_VMS] = {"limit-group-vms", "$s has $n VM$p and its max_vms is $limit$w"},
    [REASON_LIMIT_GROUP_MEMORY] = {"limit-group-memory", "$s has reached its max_memory of $M$w"},
    [REASON_LIMIT_TEMPLATE] = {"limit-template",
                               "template $s has $n VM$p and its max_vms is $limit$w"},
    [REASON_LIMIT_IN_FLIGHT] = {"limit-in-flight",
                                "$n VM$p being started and the limit is $limit$w"},
    [REASON_LIMIT_PER_MINUTE] = {"limit-per-minute",
                                 "$n VM$p were started in the last minute and the limit is $limit$w"},
    [REASON_LIMIT_ACTIONS] = {"limit-actions", "$n actions are enough for one step"},
    [REASON_LIMIT_HOST] = {"limit-host", "host $s has $n VM$p and its max_vms is $limit$w"},
    [REASON_LIMIT_HOST_IN_FLIGHT] = {"limit-host-in-flight",
                                     "$n VM$p being started on $s and the limit is $limit$w"},
    [REASON_LIMIT_HOST_PER_MINUTE] =
        {"limit-host-per-minute",
         "$n VM$p were started on $s in the last minute and the limit is $limit$w"},
    [REASON_SLOW_START] = {"slow-start",
                           "$s has yet to prove itself: $n VM$p being started, $limit at once$w"},
    [REASON_KEPT_FOR_REQUEST] = {"kept-for-request",
                                 "the room that is left under a limit is booked$w"},
    [REASON_REQUEST_NO_GROUP] = {"request-no-group", "its group $s is not in the policy"},
    [REASON_NO_HOST_TAGGED] = {"no-host-tagged", "no host has every tag that $s needs$w"},
    [REASON_NO_HOST_IMAGE] = {"no-host-image", "no host that could run $s has its image$w"},
    [REASON_NO_HOST_FITS] = {"no-host-fits", "no host has room for one more $s ($n cpu$p, $M)$w"},
    [REASON_HOST_SHARED] = {"host-shared", "it is to have a host for itself, and host $s is in use"},
    [REASON_HOST_BOOKED] = {"host-booked", "what is left of host $s is booked"},
    [REASON_HOST_BACKOFF] = {"host-backoff",
                             "host $s failed $n time$p in a row and is left alone for $L"},
    [REASON_TEMPLATE_BACKOFF] =
        {"template-backoff", "template $s failed $n time$p in a row and is left alone for $L"},
    [REASON_JOBLESS] = {"jobless", "$n VM$p of $s in a row got no job though some waited: for $L none is "
                                   "started"},
    [REASON_PROBING] = {"probing", "$s failed $n time$p in a row, and one VM tries it first"},
    [REASON_HOST_CORDONED] = {"host-cordoned", "host $s is cordoned"},
    [REASON_HOST_FENCED] = {"host-fenced", "an admin fenced host $s"},
    [REASON_HOST_UNTRUSTED] = {"host-untrusted", "host $s does not answer"},
    [REASON_QUEUE_UNTRUSTED] = {"queue-untrusted",
                                "the queue of $s was last seen $N ago, which is too old"},
    [REASON_QUEUE_BEHIND] = {"queue-behind", "the queue of $s is older than what is known of the slots: "
                                             "its jobs may be running by now"},
    [REASON_POOL_UNTRUSTED] = {"pool-untrusted",
                               "the slots of $s were last seen $N ago, which is too old"},
    [REASON_FROZEN] = {"frozen", "$n of $limit VMs vanished at once: nothing is changed until the "
                                 "facts have said so for a while"},
    [REASON_PAUSED] = {"paused", "an admin paused the pool"},
    [REASON_DEMAND] = {"demand", "$n idle job$p want$v it"},
    [REASON_REQUEST] = {"request", "$n of $limit VMs of request $s are there"},
    [REASON_SPARE] = {"spare", "$n of $limit spare VMs are there$w"},
    [REASON_IDLE] = {"idle", "idle for $N"},
    [REASON_TOO_OLD] = {"too-old", "$N old, and $L are allowed$w"},
    [REASON_OLD_GENERATION] = {"old-generation", "made from what its template was before"},
    [REASON_IMAGE_CHANGED] = {"image-changed", "its image $s is not what it was when the VM was made"},
    [REASON_HOST_DRAINED] = {"host-drained", "host $s is drained"},
    [REASON_DRAIN_ASKED] = {"drain-asked", "$s asked for it"},
    [REASON_DRAIN_NOW] = {"drain-now", "$s asked for it at once, $n slot$p claimed"},
    [REASON_TEMPLATE_GONE] = {"template-gone", "its template is not in the policy any more"},
    [REASON_HOST_REMOVED] = {"host-removed", "host $s is not in the policy any more"},
    [REASON_REQUEST_ENDED] = {"request-ended", "request $s is over"},
    [REASON_ROOM_FOR_REQUEST] = {"room-for-request", "makes room under a limit for what is booked$w"},
    [REASON_HOST_FOR_REQUEST] = {"host-for-request", "makes room on host $s for what is booked"},
    [REASON_OVER_LIMIT] = {"over-limit", "$n in use, and the limit was lowered to $limit$w"},
    [REASON_BUDGET] = {"budget",
                       "to be drained ($s), but $n VM$p of its group drain$v and $limit may at once$w"},
    [REASON_NO_FIRST_JOB] = {"no-first-job", "it joined and got no job for $N, though jobs that fit "
                                             "wait, and $L are allowed$w"},
    [REASON_TAKES_NO_JOBS] = {"takes-no-jobs",
                              "it joined, and its startd takes no jobs for $N, and $L are allowed$w"},
    [REASON_WANTED_AGAIN] = {"wanted-again", "$n idle job$p want$v it again"},
    [REASON_REQUEST_EXTENDED] = {"request-extended", "request $s ends in $L, and the VM was told $N"},
    [REASON_DRAINED] = {"drained", "drained and empty"},
    [REASON_NEVER_JOINED] = {"never-joined", "no slot for $N, and $L are allowed$w"},
    [REASON_POWEROFF_LOST] = {"poweroff-lost", "told again: its power-off, $N ago, failed or was cut short"},
    [REASON_POWEROFF_OVERDUE] = {"poweroff-overdue",
                                 "still there $N after its power-off, and $L are allowed$w"},
    [REASON_DRAIN_OVERDUE] = {"drain-overdue", "drains for $N, and $L are allowed$w"},
    [REASON_CREATE_FAILED] = {"create-failed", "the create failed"},
    [REASON_DOMAIN_GONE] = {"domain-gone", "the domain is gone"},
    [REASON_ENDED_EARLY] = {"ended-early", "it ended before it joined"},
    [REASON_SEED_READ] = {"seed-read", "its VM has read it"},
    [REASON_LEFTOVER] = {"leftover", "left over by a VM that is gone"},
    [REASON_FRAGMENT_MISSING] = {"fragment-missing", "$s has no flocking fragment"},
    [REASON_FRAGMENT_DIFFERS] = {"fragment-differs", "the fragment of $s is not the wanted one"},
    [REASON_FRAGMENT_UNVERIFIED] = {"fragment-unverified",
                                    "$s has not confirmed that it uses the fragment"},
    [REASON_FRAGMENT_LEAVING] = {"fragment-leaving", "told to leave $s"},
    [REASON_SCHEDD_REMOVED] = {"schedd-removed", "$s is not in the policy any more"},
    [REASON_AWAITS_FIRST_JOB] = {"awaits-first-job",
                                 "no job came yet, though jobs that fit wait for $N; $L are allowed$w"},
    [REASON_HELD_FOR_REQUEST] = {"held-for-request", "held for request $s"},
    [REASON_IN_USE] = {"in-use", "$n slot$p claimed"},
    [REASON_WAITING_FOR_SLOT] = {"waiting-for-slot", "booting for $N"},
    [REASON_WAITING_FOR_JOBS] = {"waiting-for-jobs", "takes no more jobs, $n slot$p still claimed"},
    [REASON_SLOT_AD_MISSING] = {"slot-ad-missing", "its slot ad is missing: held to be busy"},
    [REASON_NO_DOMAIN_YET] = {"no-domain-yet", "being created for $N"},
    [REASON_HOST_UNKNOWN] = {"host-unknown", "host $s does not answer: held to be busy"},
    [REASON_AD_EXPIRED] = {"ad-expired",
                           "host $s does not answer and its slot ad has expired: counts no more"},
    [REASON_FENCED_ALIVE] = {"fenced-alive",
                             "its slot was heard of after host $s was fenced: held to be busy"},
    [REASON_METADATA_LOST] = {"metadata-lost", "a domain with its UUID on $s does not say that it is ours"},
    [REASON_DOUBLED] = {"doubled", "another domain with its UUID runs: one of them must go by hand"},
    [REASON_FOREIGN] = {"foreign", "not ours: $s"},
};

/*
 * How it is said of jobs that wait, after their number; $b is "is" or "are", and n the jobs. Of the
 * others it is said why they wait.
 */
static const char *const of_jobs[REASON_COUNT] = {
    [REASON_JOBS_NO_GROUP] = "name$v no accounting group",
    [REASON_JOBS_UNKNOWN_GROUP] = "name$v the group $s, which is not in the policy",
    [REASON_JOBS_TOO_BIG] = "fit$v no template of group $s$w",
    [REASON_JOBS_UNKNOWN_REQUEST] = "name$v the request $s, which their group does not have",
    [REASON_JOBS_REQUEST_ENDED] = "name$v the request $s, which is over",
    [REASON_JOBS_TOO_BIG_FOR_REQUEST] = "fit$v into no VM of request $s",
    [REASON_LIMIT_VMS] = "$b over the limit of $limit VMs$w",
    [REASON_LIMIT_CPUS] = "$b over the limit of $limit cpus$w",
    [REASON_LIMIT_MEMORY] = "$b over the limit of $M of memory$w",
    [REASON_LIMIT_GROUP] = "$b over group $s's max of $limit cpus$w",
    [REASON_LIMIT_GROUP_VMS] = "$b over group $s's max of $limit VMs$w",
    [REASON_LIMIT_GROUP_MEMORY] = "$b over group $s's max of $M of memory$w",
    [REASON_LIMIT_TEMPLATE] = "$b over template $s's max of $limit VMs$w",
    [REASON_LIMIT_HOST] = "$b over host $s's max of $limit VMs$w",
};

const char *reason_name(enum reason_code code)
{
    assert(code < REASON_COUNT);
    return reasons[code].name;
}

static void say(const char *sentence, const struct reason *r, const char *const *files,
                struct text *out)
{
    char buffer[UNITS_TEXT_MAX];
    for (const char *p = sentence; *p; p++) {
        if (*p != '$') {
            text_add_bytes(out, p, 1);
            continue;
        }
        p++;
        if (strncmp(p, "limit", 5) == 0) {
            text_printf(out, "%" PRId64, r->limit);
            p += 4;
        } else if (*p == 'n') {
            text_printf(out, "%" PRId64, r->n);
        } else if (*p == 'N') {
            text_add(out, units_format_duration(r->n / USEC_PER_SEC * USEC_PER_SEC, buffer));
        } else if (*p == 'L') {
            text_add(out, units_format_duration(r->limit, buffer));
        } else if (*p == 'M') {
            text_add(out, units_format_bytes(r->limit, buffer));
        } else if (*p == 's') {
            text_add(out, r->subject ? r->subject : "");
        } else if (*p == 'p') {
            text_add(out, r->n == 1 ? "" : "s");
        } else if (*p == 'v') {
            text_add(out, r->n == 1 ? "s" : "");
        } else if (*p == 'b') {
            text_add(out, r->n == 1 ? "is" : "are");
        } else if (*p == 'w' && files && r->at.line) {
            text_printf(out, " (%s:%u)", files[r->at.file], r->at.line);
        }
    }
}

void reason_render(const struct reason *r, const char *const *files, struct text *out)
{
    assert(r->code < REASON_COUNT);
    say(reasons[r->code].sentence, r, files, out);
}

void reason_render_jobs(const struct reason *r, int64_t jobs, const char *const *files,
                        struct text *out)
{
    struct reason of = *r;
    assert(r->code < REASON_COUNT);
    of.n = jobs;
    text_printf(out, "%" PRId64 " ", jobs);
    if (of_jobs[r->code]) {
        say(of_jobs[r->code], &of, files, out);
        return;
    }
    text_add(out, jobs == 1 ? "waits" : "wait");
    if (r->code == REASON_NONE)
        return;
    text_add(out, " because ");
    reason_render(r, files, out);
}
