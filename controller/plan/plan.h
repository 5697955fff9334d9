/*
 * The planner's one public function: world + policy → plan. Pure: no I/O, no clock, no logging, no
 * globals; the same input gives the same plan, byte for byte (S9). A test holds the library to it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "config/policy.h"
#include "plan/reason.h"
#include "plan/world.h"

/** The life of a VM. The order is the order of life. */
enum vm_state {
    VM_CREATING, /* decided; no domain seen yet */
    VM_BOOTING,  /* domain seen; no slot yet */
    VM_IDLE,     /* slots, none claimed */
    VM_BUSY,
    VM_DRAINING, /* takes no more jobs */
    VM_LEAVING,  /* power-off or destroy asked for */
    VM_GONE,     /* no domain; what it leaves behind is being removed */
    VM_LOST,     /* we cannot tell: its host or its slot ad is missing. Counts, and is never touched */
    VM_FOREIGN,  /* somebody else's domain. Counts on its host, and is never touched */
    VM_STATE_COUNT,
};

/** "creating", "booting", … */
const char *vm_state_name(enum vm_state state);

struct plan_vm {
    const char *uuid;
    const char *name;
    const char *host;
    const char *template;
    const char *group;
    struct reason reason;
    enum vm_state state;
    bool exclusive;
    bool seen_joined;  /* its slot was seen in this step */
    bool host_removed; /* its host is not in the policy any more */
    bool must_go;      /* it may not stay, whatever the demand */
    uint32_t request;  /* index; the largest two: of none, or of one that is not in the world */
    usec born;        /* 0: unknown */
    usec idle_since;  /* 0: not idle; to be kept in the record for the next step */
    usec jobless_since; /* as the record's; to be kept likewise */
    int64_t cpus;     /* what it counts for in every limit */
    int64_t memory;
    int64_t free_cpus; /* what is free for jobs, now or once it is up */
    int64_t free_memory;
    int64_t claimed;  /* slots */
    const struct world_startd *startd; /* NULL: none seen */
    const struct world_domain *domain;
    const struct world_record *record;
    size_t policy_template; /* index; SIZE_MAX: not in the policy */
    size_t policy_group;
    size_t world_host;
};

/** The request that a VM was started for, by its id; "": none. */
const char *plan_vm_request(const struct plan_vm *vm);

enum request_phase {
    REQUEST_AHEAD,
    REQUEST_OPEN, /* its VMs are to be there, or are being started for its time */
    REQUEST_OVER,
};

/** "ahead", "open", "over" */
const char *request_phase_name(enum request_phase phase);

/** What there is of a request. */
struct plan_request {
    const struct world_request *request;
    enum request_phase phase;
    int64_t vms;      /* up, being born or lost */
    int64_t up;
    int64_t starting; /* VMs started by this plan */
    int64_t short_of; /* VMs that are not up, though its time has come */
    struct reason reason; /* REASON_NONE, or what stops those that are missing */
};

/** What became of a shape's idle jobs. */
struct plan_shape {
    const char *schedd;
    const struct world_shape *shape;
    int64_t served;   /* fit into VMs that are up */
    int64_t starting; /* fit into VMs being born, or started by this plan */
    int64_t waiting;  /* neither; @reason says why */
    struct reason reason;
};

struct plan_group {
    const char *name;
    int64_t vms;
    int64_t cpus;
    int64_t idle_jobs; /* that count as demand */
    int64_t running_jobs;
    int64_t starting;  /* VMs started by this plan */
    struct reason limited; /* REASON_NONE, or what stops its growth */
};

/** Whether a source of facts may be acted on. */
struct plan_trust {
    const char *kind; /* "queue", "pool", "host" */
    const char *name;
    bool trusted;
    usec age; /* of the last complete answer; USEC_NEVER: there is none */
    const char *error;
};

enum action_kind {
    ACTION_CREATE,
    ACTION_DRAIN,
    ACTION_UNDRAIN, /* cancel a drain that we asked for: there is demand again */
    ACTION_EXTEND,   /* tell a VM that its request ends at another time */
    ACTION_POWEROFF,
    ACTION_DESTROY,
    ACTION_DELETE_VOLUME,
    ACTION_INVALIDATE, /* the slot ads of a VM that is gone */
    ACTION_FORGET,     /* close the record of a VM that is gone */
    ACTION_FLOCK_APPLY,
    ACTION_FLOCK_REMOVE,
    ACTION_KIND_COUNT,
};

/** "create", "drain", "delete-volume", … */
const char *action_kind_name(enum action_kind kind);

struct plan_action {
    enum action_kind kind;
    bool exclusive;          /* create */
    bool by_name;            /* create: only jobs that name the request */
    struct reason reason;
    const char *uuid; /* "" for a create: whoever carries it out gives the new VM its UUID */
    const char *name; /* of the VM, or of the schedd */
    const char *host;
    const char *template;    /* of the VM; "" for others */
    const char *volume;      /* delete-volume */
    const char *machine;     /* drain, undrain, extend, invalidate: the startd's machine */
    size_t policy_template;  /* create */
    size_t policy_group;     /* create */
    const char *request;     /* create, extend: its id; "" = for none */
};

struct plan {
    const struct policy *policy;
    usec now;
    usec next_look; /* when the decision could change without news; USEC_NEVER: it could not */
    struct reason frozen; /* REASON_NONE, or why nothing is changed at all */
    usec vanished_at;     /* to be kept for the next world; 0: nothing vanished */
    const struct plan_trust *trust;
    size_t n_trust;
    const struct plan_vm *vms; /* sorted by UUID; foreign ones last */
    size_t n_vms;
    const struct plan_shape *shapes;
    size_t n_shapes;
    const struct plan_group *groups; /* as in the policy */
    size_t n_groups;
    const struct plan_request *requests; /* as in the world */
    size_t n_requests;
    const struct plan_action *actions; /* in the order in which to start them */
    size_t n_actions;
    int64_t counts[VM_STATE_COUNT];
};

/**
 * Decide. @w and @p are only read and must live as long as the plan, which lives in @a.
 */
const struct plan *plan_make(struct arena *a, const struct policy *p, const struct world *w);

/** Room for a generation; and the digits of an image's digest in it. */
enum { PLAN_GENERATION_MAX = 40, PLAN_IMAGE_DIGITS = 8 };
/** The generation of a VM of @t that is made on @host (may be NULL) now. */
void plan_generation(const struct policy_template *t, const struct world_host *host,
                     char buffer[static PLAN_GENERATION_MAX]);
/** Cpus that VMs may have of a host, overcommitted as the policy says: its own word (@h may be NULL)
 * comes before the host's (@w may be NULL). */
int64_t plan_host_cpus(const struct policy *p, const struct policy_host *h,
                       const struct world_host *w);
/** The same of memory, which is never overcommitted; of what the host says it keeps the reserve. */
int64_t plan_host_memory(const struct policy_host *h, const struct world_host *w);
/** Whether a domain takes room on its host. libvirt lists other people's that are shut off, too. */
bool plan_domain_counts(const struct world_domain *d);
/** Until when a host or template that failed so often in a row, @last at last, is left alone. */
usec plan_rests_until(const struct policy *p, int64_t failures, usec last);

/**
 * The plan as people read it: a line an action ("+", "-", "~"), then one for what waits and why,
 * then a summary. Golden scenarios compare this text.
 */
void plan_render(const struct plan *plan, struct text *out);
/** Of it, what an action does: "create small on hv1 for juno". */
void plan_render_action(const struct plan *plan, const struct plan_action *a, struct text *out);
/** How many actions of each kind: "2 create, 1 drain", or "nothing to do". */
void plan_summarise(const struct plan *plan, struct text *out);
