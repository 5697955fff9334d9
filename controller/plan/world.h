/*
 * The world: all facts of one step, as values. The senses fill it, `eyrie world` dumps it, the
 * scenarios are written in it, and the planner reads nothing else. Nothing here is a decision.
 *
 * Strings are never NULL: unknown is "". Times are µs since the epoch, 0 = never. Sizes are bytes.
 * All memory belongs to whoever made the world (usually an arena).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

/** How good a source of facts is. The facts beside it are those of the last complete answer. */
struct world_fact {
    usec asked;        /* when the last complete answer was asked for; 0 = there is none yet */
    usec failed;       /* when it last failed since then; 0 = it did not */
    const char *error; /* that failure, one sentence */
    usec since;        /* when the run of good answers began that ended with the last one */
};

/** What an admin asked for and nobody took back: who, when and why, for people to read. */
struct world_order {
    usec at;            /* 0: nobody asked, or nobody knows */
    const char *by;     /* the user's name */
    const char *reason; /* as the admin gave it */
};

/** The order of nobody, as an initialiser. */
#define WORLD_NOBODY {.by = "", .reason = ""}

/** A set of queued jobs with the same schedd, owner, group and resource requests. */
struct world_shape {
    const char *owner;
    const char *group;  /* AcctGroup, "" when the job gives none */
    int64_t cpus;       /* RequestCpus */
    int64_t memory;     /* bytes; RequestMemory is MiB */
    int64_t disk;       /* bytes; RequestDisk is KiB */
    int64_t gpus;       /* RequestGPUs, 0 when not asked for */
    usec runtime;       /* how long one of its jobs may run; 0 = unknown */
    usec first_seen;    /* since when the shape has had idle jobs */
    usec flock_from;    /* EyrieFlockFrom: VMs may take its jobs from then on; 0 = at once */
    bool assumed;       /* a request was an expression; the default stands in for it */
    int64_t idle;       /* jobs, JobStatus 1 */
    int64_t running;    /* JobStatus 2, 3 (removing), 6 and 7 */
    int64_t held;       /* JobStatus 5 */
    const char *request; /* EyrieRequest, "" when the job names none */
};

/** One job that somebody asked about (eyrie explain job). Not part of a world: nothing is decided by it. */
struct world_job {
    bool found;           /* it is in the queue */
    int64_t status;       /* JobStatus */
    bool flagged;
    bool flocks;          /* it was submitted while the flocking configuration was there */
    struct world_shape shape; /* its owner, group and requests; no counts */
    const char *hold_reason;
    const char *remote_host;  /* the slot it runs in */
    usec submitted;
    usec since;           /* in this status */
};

/** JobStatus (manual, "Job ClassAd Attributes"). */
enum world_job_status {
    WORLD_JOB_IDLE = 1,
    WORLD_JOB_RUNNING = 2,
    WORLD_JOB_REMOVING = 3,
    WORLD_JOB_COMPLETED = 4,
    WORLD_JOB_HELD = 5,
    WORLD_JOB_TRANSFERRING_OUTPUT = 6,
    WORLD_JOB_SUSPENDED = 7,
};

/** The flagged jobs of one schedd. */
struct world_queue {
    const char *schedd;
    struct world_fact fact;
    const struct world_shape *shapes;
    size_t n_shapes;
};

/** A startd of the pool, its slots added up. Ads that do not carry our attributes are left out. */
struct world_startd {
    const char *uuid;    /* EyrieUUID */
    const char *name;    /* EyrieName */
    const char *machine; /* what condor_drain takes */
    const char *address; /* MyAddress */
    int64_t cpus;        /* of the machine's slots in all */
    int64_t memory;
    int64_t gpus;
    int64_t free_cpus;   /* in slots that are unclaimed, or drained: what no job has */
    int64_t free_memory;
    int64_t free_gpus;
    int64_t claimed;     /* slots that are claimed, matched or preempting */
    bool draining;       /* a drain was accepted: it takes no more jobs */
    bool drained;        /* one ad says both: drained, and no job is left */
    bool usable;         /* it would start a job: not Owner, Backfill, offline */
    usec until;          /* EyrieUntil: it starts no job that runs longer; 0 = not given */
    usec heard;          /* the collector last heard of it */
    const char *job;     /* a job that runs there, "" when none */
    const char *const *jobs; /* all of them that are known */
    size_t n_jobs;
};

struct world_pool {
    struct world_fact fact;
    const struct world_startd *startds;
    size_t n_startds;
};

/** A domain on a host; a foreign one has no template. */
struct world_domain {
    const char *uuid;
    const char *name;
    const char *state; /* libvirt's word: running, paused, shutoff… */
    bool ours;         /* prefix, UUID and metadata all say so */
    const char *why_foreign; /* for a domain that has our prefix but is not ours; else "" */
    const char *template;
    const char *generation;
    const char *group;
    bool exclusive;
    usec born;
    int64_t cpus;
    int64_t memory;
    const char *request; /* for which it was started; "" = for none */
};

struct world_volume {
    const char *name;
    const char *uuid;
    bool seed; /* else the disk */
};

/** What eyrie image push found an image to be; no image has more than one. */
struct world_seal {
    const char *image;
    const char *digest; /* SHA-256, in hex */
    bool intact;        /* and nobody wrote to it since */
};

struct world_host {
    const char *name;
    struct world_fact fact;
    bool cordoned;            /* an admin said: no new VM */
    bool drain;               /* and: those that are there are to be drained */
    bool drain_now;           /* and: at once, their jobs may be lost */
    usec fenced;              /* and as of then: it is off, with all that was on it; 0: nobody did */
    struct world_order order; /* the admin who said so last */
    int64_t cpus;   /* as the host says */
    int64_t memory;
    int64_t storage_available;
    const struct world_domain *domains;
    size_t n_domains;
    const struct world_volume *volumes; /* ours, by name */
    size_t n_volumes;
    const char *const *images; /* volumes that are not ours: what templates may be backed by */
    size_t n_images;
    const struct world_seal *seals; /* of images */
    size_t n_seals;
    int64_t failures;  /* failed creates or boots in a row */
    usec last_failure;
    int64_t joined;    /* VMs that joined since its last failure */
    int64_t jobless;   /* of the failures, VMs that joined and got no job */
};

/** Whether an admin said that it is off, and it has not answered since: what it said before is history. */
static inline bool world_host_is_off(const struct world_host *host)
{
    return host->fenced && host->fact.asked <= host->fenced;
}

/** What became of the VMs of a template, on any host. */
struct world_template {
    const char *name;
    int64_t failures; /* VMs in a row that failed to be created or to join */
    usec last_failure;
    int64_t joined;   /* since the last failure */
    int64_t jobless;  /* of the failures, VMs that joined and got no job */
    usec last_start;
    usec boot; /* how long its VMs took of late from the create to their slot, on the slowest host; 0: unknown */
};

/** What became of the VMs that were started for a group, on any host. */
struct world_group {
    const char *name;
    int64_t jobless; /* VMs in a row that joined and got no job */
    usec last_failure;
};

/** VMs of a request for which a host's room is kept. */
struct world_seat {
    const char *host;
    int64_t vms;
};

/** Capacity that a group has booked: granted, and not forgotten yet. */
struct world_request {
    const char *id; /* "r-17" */
    const char *group;
    const char *template;
    int64_t vms;
    bool exclusive; /* its VMs run only jobs that name it; else any job of the group */
    bool whole_host; /* no other VM of ours is on the host of one of its VMs */
    const char *user; /* who asked */
    const struct world_seat *seats; /* as calendar_ask() gave them with the grant; may be fewer */
    size_t n_seats;
    usec from;      /* they are to be up then */
    usec until;
    usec ended;     /* it was cancelled, or handed back, as of then; 0: it was not */
};

enum world_answer {
    WORLD_ANSWER_NONE, /* not yet, or lost: the outcome is unknown */
    WORLD_ANSWER_OK,
    WORLD_ANSWER_FAILED,
};

/** What the ledger knows of one VM that is not known to be gone: intents, and when they came true. */
struct world_record {
    const char *uuid;
    const char *name;
    const char *host;
    const char *template;
    const char *generation;
    const char *group;
    bool exclusive;
    usec create_decided;
    enum world_answer create_answer;
    usec create_answered;  /* 0: not yet, or lost */
    bool create_asked;     /* its answer is still to come; no longer when we were started anew */
    usec joined;           /* its first slot was seen */
    usec idle_since;       /* 0: busy, or unknown */
    usec first_job;        /* a slot of it was first seen claimed; 0: never */
    usec jobless_since;    /* jobs wait since then that it could run, and it never had one; 0: they do not */
    usec given_up;         /* as of then it was to be drained for that */
    usec drain_decided;
    usec drain_accepted;
    usec poweroff_decided;
    bool poweroff_lost;    /* the call failed, or we were killed meanwhile: perhaps it was not told */
    usec destroy_decided;
    const char *why; /* the reason of the last decision, as text */
    bool drain;      /* an admin wants it drained */
    bool drain_now;  /* and at once: its jobs may be lost */
    struct world_order order;
    const char *request; /* for which it was decided; "" = for none */
};

/** The fragment of one schedd. Digests are of whole contents; "" = there is none. */
struct world_flock {
    const char *schedd;
    bool remote;         /* its agent applies it; what is present and believed is what that said */
    const char *offered; /* remote: the one that the agent is to have; "?" = we know of none yet */
    const char *wanted;  /* "" when we were told to leave */
    const char *present; /* in the file; "?" = cannot be known now */
    const char *believed; /* the one the running daemon confirmed last */
    usec failed;         /* when applying it last failed; 0 = it did not */
    const char *error;
};

struct world_start {
    usec at;
    const char *host;
};

struct world {
    usec now;
    usec utc_offset;       /* of the site's local time, now */
    usec clock_jumped;     /* when our clock last jumped, by the clock since then; 0: it did not */
    bool paused;           /* an admin said: change nothing */
    struct world_order order; /* who paused it */
    usec vanished_at;      /* the last plan's answer: since when many VMs are missing at once */
    const struct world_queue *queues;
    size_t n_queues;
    struct world_pool pool;
    const struct world_host *hosts;
    size_t n_hosts;
    const struct world_template *templates; /* those of which something is known */
    size_t n_templates;
    const struct world_group *groups; /* those of which something is known */
    size_t n_groups;
    const struct world_record *records;
    size_t n_records;
    const struct world_request *requests;
    size_t n_requests;
    const struct world_flock *flocks;
    size_t n_flocks;
    const struct world_start *starts; /* creates decided within the last minute, oldest first */
    size_t n_starts;
};
