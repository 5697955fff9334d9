/*
 * Why. Every action and every refusal carries one of these with its numbers; the log line, explain,
 * metrics and the golden scenarios render the same one, so they cannot disagree.
 */
#pragma once

#include <stdint.h>

#include "base/text.h"
#include "config/policy.h"

enum reason_code {
    REASON_NONE,
    /* demand that counts, or not */
    REASON_JOBS_SERVED,          /* @n jobs fit into VMs that are up */
    REASON_JOBS_STARTING,        /* @n jobs wait for VMs that are being started */
    REASON_JOBS_NO_GROUP,        /* @n jobs name no group */
    REASON_JOBS_UNKNOWN_GROUP,
    REASON_JOBS_NOT_SUBMITTER,
    REASON_JOBS_TOO_BIG,
    REASON_JOBS_TOO_LONG,        /* they may run for @n µs, and a VM lives for @limit */
    REASON_JOBS_SCHEDD_REMOVED,  /* their schedd @subject is not in the policy any more */
    REASON_JOBS_HELD,
    REASON_JOBS_OVERFLOW,        /* for @n µs more the main pool alone may take them */
    REASON_JOBS_SETTLING,        /* idle for @n µs, @limit wanted */
    REASON_JOBS_UNKNOWN_REQUEST, /* they name request @subject, which their group does not have */
    REASON_JOBS_REQUEST_ENDED,
    REASON_JOBS_REQUEST_AHEAD,   /* request @subject begins in @limit */
    REASON_JOBS_TOO_BIG_FOR_REQUEST,
    REASON_JOBS_TOO_LONG_FOR_REQUEST, /* for @n µs, and it ends in @limit */
    REASON_REQUEST_SHORT,        /* of request @subject @n of @limit VMs are there or being started */
    REASON_REQUEST_TAKEN,        /* all @limit VMs are, and are full */
    /* why a request is not granted */
    REASON_ASK_NO_GROUP,         /* @subject is not in the policy */
    REASON_ASK_NO_TEMPLATE,      /* the group has no template @subject */
    REASON_ASK_SIZE,             /* @n VMs, and at most @limit can be asked for */
    REASON_ASK_TIMES,            /* it ends before it begins, or before now */
    REASON_ASK_CHANGES_NOTHING,  /* the group has no request @subject that could be changed */
    REASON_ASK_REFUSED,          /* the policy grants the group @subject none */
    REASON_ASK_CPUS,             /* @n asked for, and @limit is the group's cap */
    REASON_ASK_LENGTH,           /* @n µs, and @limit µs is the group's cap */
    REASON_ASK_LEAD,             /* it begins in @n µs, and @limit µs is the group's cap */
    REASON_ASK_OPEN,             /* the group has @n open, and @limit is its cap */
    REASON_BLACKOUT,             /* no request is granted for a time that it touches: @subject */
    REASON_BOOKED_VMS,           /* with it @n would be booked, @limit allowed */
    REASON_BOOKED_CPUS,          /* or guaranteed by quotas */
    REASON_BOOKED_MEMORY,
    REASON_BOOKED_TEMPLATE,      /* VMs of template @subject */
    REASON_BOOKED_GROUP,         /* cpus of group @subject */
    REASON_BOOKED_GROUP_VMS,
    REASON_BOOKED_GROUP_MEMORY,
    REASON_BOOKED_HOSTS,         /* hosts have room for @n of @limit VMs of template @subject */
    REASON_BOOKED_QUOTA,         /* it leaves hosts @n cpus, and quotas guarantee @limit */
    /* why a VM is not started */
    REASON_LIMIT_VMS,            /* @n in use, @limit allowed */
    REASON_LIMIT_CPUS,
    REASON_LIMIT_MEMORY,
    REASON_LIMIT_GROUP,          /* cpus */
    REASON_LIMIT_GROUP_VMS,
    REASON_LIMIT_GROUP_MEMORY,
    REASON_LIMIT_TEMPLATE,       /* VMs */
    REASON_LIMIT_IN_FLIGHT,
    REASON_LIMIT_PER_MINUTE,
    REASON_LIMIT_ACTIONS,
    REASON_LIMIT_HOST,           /* VMs on every host that has room */
    REASON_LIMIT_HOST_IN_FLIGHT,
    REASON_LIMIT_HOST_PER_MINUTE,
    REASON_SLOW_START,           /* @n are being started, @limit until it has proved itself */
    REASON_KEPT_FOR_REQUEST,     /* the room that is left under a limit is booked */
    REASON_REQUEST_NO_GROUP,     /* its group @subject is not in the policy */
    REASON_NO_HOST_FITS,
    REASON_HOST_SHARED,          /* it is to have a host for itself, and others are on @subject */
    REASON_HOST_BOOKED,          /* what is left of host @subject is kept for a request */
    REASON_NO_HOST_TAGGED,
    REASON_NO_HOST_IMAGE,
    REASON_HOST_BACKOFF,
    REASON_TEMPLATE_BACKOFF,
    REASON_JOBLESS,              /* @n VMs in a row of @subject got no job; for @limit µs none is started */
    REASON_PROBING,              /* @subject failed @n times in a row; one VM tries it first */
    REASON_HOST_UNTRUSTED,
    REASON_HOST_CORDONED,
    REASON_HOST_FENCED,          /* @subject; of a VM: why it is gone, or is drained */
    REASON_QUEUE_UNTRUSTED,      /* source @subject, @n µs old, allowed @limit */
    REASON_QUEUE_BEHIND,         /* @subject is older than the slots: its jobs may run already */
    REASON_POOL_UNTRUSTED,
    REASON_FROZEN,               /* @n of @limit VMs vanished at once */
    REASON_PAUSED,
    /* why something is done */
    REASON_DEMAND,               /* start: @n jobs want it */
    REASON_REQUEST,              /* start: @n of @limit VMs of request @subject are there */
    REASON_SPARE,                /* start: @n of @limit spare VMs are there */
    REASON_IDLE,                 /* drain: idle for @n µs, allowed @limit */
    REASON_TOO_OLD,
    REASON_OLD_GENERATION,
    REASON_IMAGE_CHANGED,        /* drain: @subject, its image, is not what it was on its host */
    REASON_HOST_DRAINED,         /* drain: an admin wants its host empty */
    REASON_DRAIN_ASKED,          /* drain: the admin @subject wants it */
    REASON_DRAIN_NOW,            /* power off: @subject said that its jobs may be lost */
    REASON_TEMPLATE_GONE,        /* drain: its template is not in the policy any more */
    REASON_HOST_REMOVED,         /* drain: its host is not in the policy any more */
    REASON_REQUEST_ENDED,        /* drain: request @subject is over */
    REASON_ROOM_FOR_REQUEST,     /* drain: under a limit there is no room for what is booked */
    REASON_HOST_FOR_REQUEST,     /* drain: @subject, its host, has no room for what is booked there */
    REASON_OVER_LIMIT,           /* drain: a limit was lowered: @n in use, @limit allowed */
    REASON_BUDGET,               /* to be drained for @subject: @n of the group drain, @limit may */
    REASON_NO_FIRST_JOB,         /* drain: no job came for @n µs, though some waited; allowed @limit */
    REASON_TAKES_NO_JOBS,        /* drain: its startd has started none for @n µs, and would not; allowed @limit */
    REASON_WANTED_AGAIN,         /* undrain: @n jobs fit into it */
    REASON_REQUEST_EXTENDED,      /* extend: @subject ends in @limit, and the VM believes in @n */
    REASON_DRAINED,              /* power off: observed drained and empty */
    REASON_NEVER_JOINED,         /* destroy: no slot @n µs after the create, allowed @limit */
    REASON_POWEROFF_LOST,        /* power off: told @n µs ago, and perhaps not heard */
    REASON_POWEROFF_OVERDUE,     /* destroy: still there @n µs after the power-off */
    REASON_DRAIN_OVERDUE,
    REASON_CREATE_FAILED,        /* forget */
    REASON_DOMAIN_GONE,
    REASON_ENDED_EARLY,          /* its domain is gone, and it had never joined */
    REASON_SEED_READ,            /* a seed whose VM has joined */
    REASON_LEFTOVER,             /* a volume or ad without a domain */
    REASON_FRAGMENT_MISSING,
    REASON_FRAGMENT_DIFFERS,
    REASON_FRAGMENT_UNVERIFIED,
    REASON_FRAGMENT_LEAVING,
    REASON_SCHEDD_REMOVED,       /* take the fragment away: @subject is not in the policy any more */
    /* states that need a word */
    REASON_AWAITS_FIRST_JOB,     /* idle: jobs wait for @n µs that it could run; allowed @limit */
    REASON_HELD_FOR_REQUEST,     /* idle, or undrained: @subject is booked */
    REASON_IN_USE,               /* @n slots are claimed */
    REASON_WAITING_FOR_SLOT,     /* booted @n µs ago */
    REASON_WAITING_FOR_JOBS,     /* drain was accepted, @n slots are still claimed */
    REASON_SLOT_AD_MISSING,      /* it had joined: unknown means busy */
    REASON_NO_DOMAIN_YET,
    REASON_HOST_UNKNOWN,
    REASON_AD_EXPIRED,           /* and neither host @subject nor the collector knows of it: it counts no more */
    REASON_FENCED_ALIVE,         /* its slot was heard of after host @subject was fenced */
    REASON_METADATA_LOST,        /* a domain with its UUID runs that does not say it is ours */
    REASON_DOUBLED,              /* its UUID is on another host too */
    REASON_FOREIGN,
    REASON_COUNT,
};

struct reason {
    enum reason_code code;
    int64_t n;           /* what was measured; see above for its unit */
    int64_t limit;       /* what it was held against */
    struct policy_place at; /* what set the limit */
    const char *subject; /* the name it is about; NULL = none. Lives as long as the plan */
};

/** The code in lower case with hyphens, for JSON and metrics ("limit-group"). */
const char *reason_name(enum reason_code code);
/** One sentence without a full stop; @files: policy.files for "(eyrie.yaml:31)", or NULL. */
void reason_render(const struct reason *r, const char *const *files, struct text *out);
/** The same of @jobs jobs that wait for it: "4 are over group juno's max of 40 cpus (eyrie.yaml:31)". */
void reason_render_jobs(const struct reason *r, int64_t jobs, const char *const *files,
                        struct text *out);
