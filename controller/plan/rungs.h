/*
 * The rungs of the ladder, in the order in which plan_make() climbs them. Each takes the results of
 * earlier rungs as const and returns a new value in the arena; none edits another's.
 */
#pragma once

#include "plan/names.h"
#include "plan/plan.h"

/* Collects the earliest moment at which a decision could change without news. */
struct later {
    usec now;
    usec at;
};
void later_at(struct later *l, usec at);

/* A list of actions that grows. */
struct actions {
    struct arena *arena;
    struct plan_action *items;
    size_t n;
    size_t capacity;
};
struct plan_action *actions_add(struct actions *list, enum action_kind kind, struct reason reason);

/* 1. Which facts are complete and fresh. */
struct trust {
    const struct plan_trust *rows;
    size_t n_rows;
    bool pool;
    bool queues;       /* all of them */
    const bool *queue; /* as world.queues */
    const bool *host;  /* as world.hosts */
    struct reason why_not; /* the first source that is not trusted, of pool and queues */
};
const struct trust *trust_judge(struct arena *a, const struct policy *p, const struct world *w,
                                struct later *later);

/* Requests: capacity that is booked. Which of them is to be there now. */
#define NO_REQUEST UINT32_MAX
#define UNKNOWN_REQUEST (UINT32_MAX - 1)
enum { REQUEST_VMS_MAX = 1000000 };
struct booking {
    const struct world_request *facts;
    enum request_phase phase;
    size_t group; /* in the policy; SIZE_MAX: it has none of that name */
    size_t template;
    uint32_t turn; /* its place in the order */
};
struct bookings {
    const struct booking *items; /* as world.requests */
    const struct booking *const *order; /* the earliest first */
    size_t n;
    const struct names *by_id;
};
struct want;
const struct bookings *request_gather(struct arena *a, const struct policy *p,
                                      const struct world *w, struct later *later);
/* From when on its VMs are drained, so that they are gone at its end; as long before as a VM may take to
 * power off, and a quarter of its time at most. No job is cut: those that run then end before it. */
usec request_leaves(const struct policy *p, const struct world_request *r);
bool request_is_over(const struct world_request *r, usec now);
/* Who comes first: whose time begins first, then by id. */
int request_order(const struct world_request *a, const struct world_request *b);
/* How long a VM of @template is given to boot, for a request: twice what it took of late; of one
 * that has not booted yet, what it may take. */
usec request_boot(const struct policy *p, const struct world *w, const char *template);
/* How long before its time a request's VMs are started, each of which takes @boot: as often as it
 * takes to start them all. */
usec request_lead(const struct policy *p, usec boot, int64_t vms);
/* Whether a VM that was started for @request (or NO_REQUEST) may run a job of @want. */
bool booking_takes(const struct bookings *b, uint32_t request, const struct want *want);

/* In VMs a startd sends its ads anew each 20 s; thrice that is a minute. */
#define SLOT_SHOWS_WITHIN USEC_PER_MINUTE

/* 2. Facts × intents → the state of every VM. */
struct vms {
    struct plan_vm *items; /* to be read by the rungs */
    size_t n;
    const struct names *by_uuid; /* indices into items, of those that are not foreign */
    const struct names *foreign; /* by UUID, the host of a domain that is not ours */
    const struct names *hosts;   /* indices into world.hosts, by name */
    const struct policy_host *const *policy_hosts; /* as world.hosts; NULL: not in the policy */
    usec vanished_at;
    struct reason vanished; /* REASON_FROZEN while too many are missing at once (S8) */
};
const struct vms *recognise(struct arena *a, const struct policy *p, const struct world *w,
                            const struct trust *trust, const struct bookings *bookings,
                            struct later *later);

/* The seats of requests that are open and have no VM yet, in their order; none has more than the
 * request is missing in all. */
struct berth {
    size_t host; /* in world.hosts; SIZE_MAX: not there */
    int64_t vms;
};
struct berths {
    struct berth *items;
    size_t n;
    size_t *start; /* of each of world.requests, in items; one more */
};
struct berths *berths_gather(struct arena *a, const struct vms *vms, const struct bookings *b);

/* 3. Which shapes count, largest first. */
struct want {
    const char *schedd;
    const struct world_shape *shape;
    size_t group;         /* in the policy; SIZE_MAX: does not count */
    uint32_t request;     /* that it names, in world.requests; NO_REQUEST */
    int64_t memory;       /* that a slot gives to one job: its request, rounded up */
    int64_t jobs;         /* idle jobs that count */
    bool settling;        /* they may use VMs that are there, and start none yet */
    struct reason reason; /* why they do not count, or wait */
};
struct demand {
    const struct want *wants;
    size_t n;
    const size_t *by_group;    /* indices of the wants that count, group after group, in order */
    const size_t *group_start; /* where each group's begin in by_group; n_groups + 1 of them */
};
const struct demand *demand_gather(struct arena *a, const struct policy *p, const struct world *w,
                                   const struct trust *trust, const struct bookings *bookings,
                                   struct later *later);

/* 8, first half: what must leave whatever the demand. It comes before the supply, since it is none. */
struct leaver {
    size_t vm; /* in vms.items */
    struct reason why;
};
struct leavers {
    const struct leaver *items; /* to be drained now, in that order */
    size_t n;
    const bool *leaves; /* as vms.items: it is among them, or is ended at once */
    const struct leaver *held; /* which only the disruption budget keeps; why: REASON_BUDGET */
    size_t n_held;
};
const struct leavers *leave_choose(struct arena *a, const struct policy *p, const struct world *w,
                                   const struct trust *trust, const struct bookings *bookings,
                                   const struct vms *vms, struct later *later);

/* 4. What the VMs that exist or are being born will take, and drains to be cancelled for the rest. */
struct supply {
    const int64_t *served;   /* jobs, as demand.wants: by VMs that are up */
    const int64_t *starting; /* by VMs being born */
    const bool *wanted;      /* as vms.items: some demand counts on it */
    const usec *jobless;     /* likewise: since when, of one that never had a job; 0: others, and those
                                that no demand counts on */
};
const struct supply *supply_match(struct arena *a, const struct policy *p, const struct world *w,
                                  const struct bookings *bookings, const struct demand *d,
                                  const struct vms *vms, const struct leavers *leavers,
                                  struct actions *actions);

/* 5–7. One more VM: what is in use, held against every limit, the ramp and the hosts. */
struct places;
struct ramp;
struct use {
    int64_t vms, cpus, memory; /* those that this plan starts included */
    int64_t started;           /* VMs, by this plan */
};
struct starter {
    const struct policy *p;
    const struct world *w;
    struct places *places;
    struct ramp *ramp;
    struct use all;
    struct use *groups; /* as in the policy */
    struct use booked;  /* of requests, and missing: it is kept free for them */
    struct use *group_booked;
    int64_t *template_vms;
    int64_t *template_booked;
    struct actions *actions;
    struct later *later;
};
struct starter *starter_open(struct arena *a, const struct policy *p, const struct world *w,
                             const struct trust *trust, const struct vms *vms,
                             const struct leavers *leavers, const struct supply *supply,
                             struct actions *actions, struct later *later);
/* Whether @group is at a limit of its own with a VM of @t more. */
bool starter_group_is_full(const struct starter *s, size_t group, const struct policy_template *t,
                           struct reason *ret_why);
/* One more VM, and what it asks of its host. */
struct start {
    size_t group; /* SIZE_MAX: for nobody */
    size_t template;
    bool whole_host;
    bool beside; /* room is kept that will not be kept for others */
};
/* Its host, or SIZE_MAX and what stops it. */
size_t starter_host(const struct starter *s, struct start what, struct reason *ret_why);
/* Whether that host takes it; else what stops it. */
bool starter_allows(const struct starter *s, struct start what, size_t host,
                    struct reason *ret_why);
struct plan_action *starter_start(struct starter *s, struct start what, size_t host,
                                  struct reason reason);

/* 5, at first: what is booked. @stop: nothing may grow. */
struct served_requests {
    const struct plan_request *rows; /* as world.requests */
    const int64_t *starting;         /* jobs, as demand.wants: by VMs started for requests */
};
const struct served_requests *request_serve(struct arena *a, const struct bookings *b,
                                            const struct vms *vms, const struct leavers *leavers,
                                            const struct demand *d, const struct supply *s,
                                            struct reason stop, struct starter *starter);

/* 8, beside it: VMs that believe in another end of their request are told. */
void extend_choose(const struct world *w, const struct bookings *b, const struct vms *vms,
                  struct actions *actions);

/* 5. The groups: the VMs to start, and what stops the rest. @stop: nothing may grow. */
struct growth {
    const int64_t *starting;         /* jobs, as demand.wants: by VMs that this plan starts */
    const struct plan_group *groups; /* as in the policy */
};
const struct growth *share_grow(struct arena *a, const struct policy *p, const struct demand *d,
                                const struct supply *s, const struct served_requests *served,
                                struct reason stop, struct starter *starter);

/* 5, at last: spare VMs. */
void spare_grow(struct arena *a, const struct demand *d, const struct vms *vms,
                const struct leavers *leavers, const struct supply *s, struct starter *starter);

/* 5. Packing: the template that wastes least on the jobs of a group that have no VM yet. */
struct packed {
    size_t want; /* as demand.wants */
    int64_t jobs;
};
struct packing {
    size_t template; /* SIZE_MAX: none of those that are open holds any of them */
    int64_t jobs;    /* how many it takes */
    double waste;    /* share of the VM that nobody asked for, 0 … 1 */
    const struct packed *items;
    size_t n;
};
struct packer;
struct packer *packer_new(struct arena *a, const struct policy *p, const struct demand *d);
/* @left: jobs without a VM, as demand.wants; @open: as policy.templates. Valid until the next. */
struct packing packer_choose(struct packer *packer, size_t group, const int64_t *left,
                             const bool *open);

/* 6. The books of the hosts: what is in use, foreign domains included. */
struct places *places_open(struct arena *a, const struct policy *p, const struct world *w,
                           const struct trust *trust, const struct vms *vms,
                           const struct ramp *ramp);
/* The best host for one more VM of a template, or SIZE_MAX and the reason. */
struct start;
size_t places_pick(const struct places *places, const struct start *what, struct reason *ret_why,
                   struct later *later);
/* Whether that host takes it; else the reason. @whole_host: no other VM is to be on it, nor to come
 * beside it. */
bool places_allow(const struct places *places, size_t host, size_t template, bool whole_host,
                  struct reason *ret_why, struct later *later);
/* Keep room on a host for @vms more; negative: no more. Room that is given free again is not seen by
 * VMs that share their hosts. */
void places_keep(struct places *places, size_t host, size_t template, int64_t vms, bool whole_host);
void places_take(struct places *places, size_t host, size_t template, bool whole_host);
/* What QEMU itself takes beside the guest's memory (measured: about 150 MiB). */
#define VM_OVERHEAD (150 * MIB)
/* Whether a host has what the template needs. One whose volumes are not known is taken at its word:
 * the create will tell. */
bool host_has_tags(const struct policy_host *host, const struct policy_template *t);
bool host_has_image(const struct world_host *host, const struct policy_template *t);

/* 7. How many starts are left: in flight, in the last minute, in this step; in all, on a host and of
 * a template; and how long what failed is left alone. */
struct ramp *ramp_open(struct arena *a, const struct policy *p, const struct world *w,
                       const struct vms *vms, const struct leavers *leavers,
                       const struct supply *supply);
/* Whether one more VM may be started at all; else the reason. */
bool ramp_allows(const struct ramp *r, struct reason *ret_why, struct later *later);
bool ramp_allows_template(const struct ramp *r, size_t template, struct reason *ret_why,
                          struct later *later);
bool ramp_allows_host(const struct ramp *r, size_t host, struct reason *ret_why,
                      struct later *later);
/* Of a group only VMs that got no job speak. */
bool ramp_allows_group(const struct ramp *r, size_t group, struct reason *ret_why,
                       struct later *later);
void ramp_take(struct ramp *r, size_t host, size_t template);

/* 8. VMs to drain: those that leave, and idle ones that nobody wants. */
void retire_choose(const struct policy *p, const struct world *w, const struct trust *trust,
                   const struct vms *vms, const struct leavers *leavers, const struct supply *s,
                   struct actions *actions, struct later *later);

/* 9. VMs to power off, destroy and forget, and leftovers to remove. */
void remove_choose(const struct policy *p, const struct world *w, const struct trust *trust,
                   const struct vms *vms, struct actions *actions, struct later *later);

/* 10. Fragments to apply or to take away. */
void flock_choose(const struct policy *p, const struct world *w, struct actions *actions,
                  struct later *later);

/* What stays, against the limits: for rungs 4 and 8. */
struct tally;
/* @bookings: what is missing of them counts, too; NULL: it does not. */
struct tally *tally_open(struct arena *a, const struct policy *p, const struct world *w,
                         const struct vms *vms, const struct bookings *bookings);
void tally_add(struct tally *t, const struct plan_vm *vm, int64_t sign);
/* Whether a limit that @vm counts for is exceeded by what stays. */
bool tally_exceeds(const struct tally *t, const struct plan_vm *vm, struct reason *ret_why);
/* How many of the group's stay; SIZE_MAX: of all. */
int64_t tally_group_vms(const struct tally *t, size_t group);

/* Whether it counts in the limits: ours, and there for all that we know. */
bool vm_counts(const struct plan_vm *vm);
/* How long ago @at was, at the most: a time from before our clock jumped says nothing. */
usec elapsed_since(const struct world *w, usec at);
/* Whether a drain has lasted longer than the policy that kills allows. */
bool vm_drain_overdue(const struct policy *p, const struct world *w, const struct plan_vm *vm);
/* Whether an admin wants the VM drained, or its host; else NONE. */
struct reason vm_ordered(const struct world *w, const struct plan_vm *vm);
/* Whether an admin said that its jobs may be lost; the reason, or NONE. */
struct reason vm_ordered_now(const struct world *w, const struct plan_vm *vm);
/* Whether the plan ends it therefore: nothing but a VM that is there for certain is ended. */
bool vm_ends_now(const struct world *w, const struct plan_vm *vm);
/* Why a VM on @host that was made from @made_from (not "") is of an old generation; NONE: it is not. */
struct reason generation_is_old(const struct policy_template *t, const struct world_host *host,
                                const char *made_from);
/* Whether it joined and is still to get its first job; nobody knows of one without a record. */
bool vm_had_no_job(const struct plan_vm *vm);
/* Whether that is why it must go. */
bool vm_is_given_up(const struct policy *p, const struct world *w, const struct plan_vm *vm);
/* What keeps a VM from staying, whatever the demand: an admin, age, host, generation,
 * template; or NONE. */
struct reason vm_must_go(const struct policy *p, const struct world *w, const struct plan_vm *vm);
/* The index of the group or template of that name in the policy, or SIZE_MAX. */
size_t policy_find_group(const struct policy *p, const char *name);
size_t policy_find_template(const struct policy *p, const char *name);
const struct policy_schedd *policy_find_schedd(const struct policy *p, const char *name);
/* How many jobs of @want fit into free cpus, memory and gpus. */
int64_t want_fits(const struct want *want, int64_t cpus, int64_t memory, int64_t gpus);
bool want_fits_template(const struct want *want, const struct policy_template *t);

/* Sorting by text at the speed of numbers: a radix sort by the first eight bytes, then strcmp. */
struct order_item {
    uint64_t key;
    const char *text;
    size_t ref; /* the caller's */
};
uint64_t order_key(const char *text);
/* Sort @items by text, equal texts by ref. @spare: room for as many. */
void order_sort(struct order_item *items, size_t n, struct order_item *spare);
