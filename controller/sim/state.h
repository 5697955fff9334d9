/*
 * The simulated site and the simulated controller: what is true, and what the controller knows of
 * it. Only the files of this folder see it; sim.h is the way in.
 *
 * The truth moves by events. The controller sees it through looks and lists that take time, fail and
 * age; it remembers records as the ledger keeps them; and it decides with the real plan_make().
 */
#pragma once

#include "plan/plan.h"
#include "sim/events.h"
#include "sim/fault.h"
#include "sim/random.h"
#include "sim/sim.h"

enum { NAME_BYTES = 160, FOREIGN_MAX = 2, STARTS_MAX = 4096 };
#define NOBODY UINT32_MAX /* no job, no VM, no deed */

enum event_kind {
    EVENT_SUBMIT,      /* job */
    EVENT_JOB_END,     /* job */
    EVENT_JOB_LOST,    /* job: its schedd gives up a VM that is gone */
    EVENT_NEGOTIATE,
    EVENT_ADS,         /* all startds update their ads */
    EVENT_AD,          /* VM: its startd updates its ad */
    EVENT_JOIN,        /* VM: booted */
    EVENT_POWERED_OFF, /* VM */
    EVENT_LOOK,        /* controller: its timer */
    EVENT_LOOK_POOL,   /* the collector answers */
    EVENT_LOOK_QUEUE,  /* the schedd answers */
    EVENT_LOOKED,
    EVENT_LIST,        /* host: libvirt answers */
    EVENT_LISTED,      /* host */
    EVENT_DEED,        /* deed: it happens */
    EVENT_DEED_DONE,   /* deed: its answer is there */
    EVENT_STEP,
    EVENT_NEXT_LOOK,   /* plan.next_look */
    EVENT_FAULT_BEGIN, /* index in the schedule */
    EVENT_FAULT_END,
};

/* The ad of a startd in the collector. */
struct ad {
    bool present;
    bool due; /* an update is on its way */
    usec heard;
    int64_t free_cpus, free_memory, claimed;
    bool draining, drained;
};

struct vm {
    char uuid[37]; /* first: world strings point here, and lead back (vm_of) */
    char name[NAME_BYTES];
    char machine[NAME_BYTES];
    char disk_name[NAME_BYTES];
    char seed_name[NAME_BYTES];
    uint32_t index;
    uint32_t epoch; /* of its boot */
    size_t host, template, group;
    bool exclusive;
    int64_t cpus, memory;
    usec born; /* by the controller's clock */
    bool creating; /* asked for, and may still come true */
    bool domain;
    bool disk, seed;
    bool token_useless; /* it cannot join */
    bool joining_never;
    bool takes_no_jobs; /* it joins, and no job ever starts there */
    bool seen; /* the controller got an answer of the collector with its ad */
    usec created, ended; /* the domain */
    bool told;           /* the controller heard of its end */
    uint64_t list;       /* the last one it was in */
    usec joined;  /* its first ad came to the collector */
    bool startd, draining, powering_off;
    int64_t free_cpus, free_memory, claimed;
    usec last_claim;
    uint32_t first_job;
    struct ad ad;
    struct world_record record;
    bool recorded;
    size_t living; /* index in sim.living; SIZE_MAX: nothing is left of it */
};

enum job_state { JOB_FUTURE, JOB_IDLE, JOB_RUNNING, JOB_LOST, JOB_DONE, JOB_REMOVED, JOB_HELD };

struct job_life {
    uint32_t next, previous; /* in the queue of its kind, or in its VM */
    uint32_t vm;
    uint32_t epoch;
    usec claimed; /* since when its claim is held */
    uint8_t state;
    uint8_t losses; /* how often it was lost with its VM */
};

struct queue { /* of a kind */
    uint32_t first, last;
    int64_t idle, running;
    usec first_seen; /* the controller's memory of it */
    bool fits;       /* some template holds such a job; else it waits for ever */
};

struct foreign {
    bool on;
    char uuid[37];
    char name[NAME_BYTES];
    int64_t cpus, memory;
};

/* What the controller knows of a host; a list replaces it as a whole. */
struct host_facts {
    struct world_domain *domains;
    size_t n_domains, domains_capacity;
    struct world_volume *volumes;
    size_t n_volumes, volumes_capacity;
    int64_t storage_available;
    int64_t foreign_cpus, foreign_memory;
};

struct host {
    const char *name;
    int64_t cpus, memory, storage;
    struct foreign foreign[FOREIGN_MAX];
    bool down;      /* dead, or booting again */
    struct host_facts facts, next;
    struct world_fact fact;
    usec list_asked;
    bool listing, list_again, list_failed, list_doubted;
    int64_t failures, joined, jobless; /* as the controller counts them, in memory */
    usec last_failure, worked;
};

struct source {
    struct world_fact fact;
    usec asked;     /* of the answer that is being collected, by the controller's clock */
    bool early;     /* the answer is as of the question */
    bool failed;
};

struct startds {
    struct world_startd *items;
    size_t n, capacity;
};

struct shapes {
    struct world_shape *items;
    size_t n;
};

struct deed {
    enum action_kind kind;
    uint32_t index, epoch;
    uint32_t next_free;
    bool open;  /* the controller knows of it */
    bool done;  /* it happened, or never will */
    usec ended; /* by the controller's clock; 0: under way */
    uint32_t vm;
    size_t host;
    bool seed; /* delete-volume: which of the two */
    bool never_joined;
    bool refused;
    bool lost;    /* its answer will not come */
    bool denied;  /* it happens, and is said to have failed */
};

struct template_life {
    int64_t failures, joined, jobless;
    usec last_failure, last_start, worked;
};

struct group_life {
    int64_t jobless;
    usec last_failure, worked;
};

struct fault_life {
    enum fault kind;
    size_t host;
    usec begin, end;
    bool on, over;
    struct filter *filter; /* what it does to calls while it is on; or NULL */
};

struct sim {
    const struct sim_setup *setup;
    const struct policy *policy; /* in force */
    struct policy changed;
    const struct workload *workload;
    struct random random;
    struct events events;
    usec now;
    usec epoch;   /* of the simulation's clock: the time of its beginning */
    usec idle_since; /* no job is left; 0: there is one */
    usec moved;      /* when a job was submitted, ended, or was lost, or a fault ended */
    usec longest;    /* run time of a job */

    /* the site */
    struct host *hosts;
    struct vm **vms; /* all there ever were, by index */
    size_t n_vms, vms_capacity;
    uint32_t *living;
    size_t n_living, living_capacity;
    struct job_life *jobs;
    struct queue *queues; /* as workload.kinds */
    int64_t *group_cpus;  /* running, as policy.groups */
    uint32_t next_submit;
    int64_t jobs_open; /* not done, not removed, and not too big */
    bool fragment;     /* is in place */

    /* the controller */
    bool up;
    uint32_t life; /* of its process */
    usec clock_offset;
    usec clock_jumped; /* as controller.c's watch_clock() */
    bool paused;
    usec vanished_at;
    uint64_t lists;
    bool looking, step_due, look_due;
    struct source pool, queue;
    struct startds startds, next_startds;
    struct shapes shapes, next_shapes; /* room for all kinds */
    struct world_record *records; /* rebuilt for each step */
    size_t records_capacity;
    struct world_start starts[STARTS_MAX]; /* a ring, oldest first */
    size_t n_starts;
    struct template_life *templates;
    struct group_life *groups;
    struct deed *deeds;
    size_t n_deeds, deeds_capacity;
    uint32_t free_deed;
    uint32_t *open_deeds;
    size_t n_open_deeds, open_deeds_capacity;
    usec next_look;

    /* faults */
    struct fault_life *faults;
    size_t n_faults;
    unsigned fault_count[FAULT_COUNT];
    int64_t faults_on, filters_on;
    usec faults_over; /* when the last ended */
    int64_t looks_since_faults;

    /* the report */
    int64_t steps, looks;
    struct sim_result *result;
    usec accounted; /* up to when the integrals are */
    int64_t vm_cpus, busy_cpus, idle_cpus, vms_up;
    usec *waits; /* of started jobs, as workload.jobs; -1: did not start */
    int64_t capacity; /* cpus that limits and hosts allow */
    double full_vm_cpu_hours, full_cpu_hours; /* while demand exceeds it */
};

/* sim.c */
usec sim_clock(const struct sim *s); /* the controller's */
void sim_say(struct sim *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_after(struct sim *s, usec delay, enum event_kind kind, uint32_t subject, uint32_t epoch);
usec sim_draw(struct sim *s, usec least, usec most);

/* site.c: hosts, domains, startds, collector */
void site_open(struct sim *s);
void site_close(struct sim *s);
struct vm *vm_of(const struct sim *s, const char *uuid); /* NULL: it is nobody's */
struct vm *vm_new(struct sim *s, size_t host, size_t template, size_t group, bool exclusive);
void vm_create(struct sim *s, struct vm *vm);   /* the domain begins to run */
void vm_end(struct sim *s, struct vm *vm);      /* the domain is gone, and what ran in it */
void vm_join(struct sim *s, struct vm *vm, uint32_t epoch);
void vm_restart_startd(struct sim *s, struct vm *vm);
void vm_rest(struct sim *s, struct vm *vm);     /* drop it from the living when nothing is left */
void ad_soon(struct sim *s, struct vm *vm);     /* its startd has news */
void ad_update(struct sim *s, struct vm *vm);
void ads_update(struct sim *s);
void host_books(const struct sim *s, size_t host, int64_t *ret_cpus, int64_t *ret_memory);

/* schedd.c: jobs, claims and the negotiator */
void schedd_open(struct sim *s);
void schedd_close(struct sim *s);
void job_submit(struct sim *s);
void job_end(struct sim *s, uint32_t job, uint32_t epoch);
void job_requeue(struct sim *s, uint32_t job, uint32_t epoch);
void jobs_lose(struct sim *s, struct vm *vm); /* its jobs run nowhere any more */
void jobs_remove_idle(struct sim *s);
void negotiate(struct sim *s);
void negotiate_for(struct sim *s, struct vm *vm);

/* sense.c: looks and lists */
void look_begin(struct sim *s);
void look_pool(struct sim *s, uint32_t life);
void look_queue(struct sim *s, uint32_t life);
void look_end(struct sim *s, uint32_t life);
void list_begin(struct sim *s, size_t host);
void list_take(struct sim *s, size_t host, uint32_t epoch);
void list_end(struct sim *s, size_t host, uint32_t epoch);

/* deed.c: actions */
void deeds_start(struct sim *s, const struct plan *plan, const struct world *w);
void deed_happen(struct sim *s, uint32_t deed, uint32_t epoch);
void deed_done(struct sim *s, uint32_t deed, uint32_t epoch);
void deeds_forget(struct sim *s);
void host_result(struct sim *s, size_t host, size_t template, bool good);
/* A VM has a job; or it was given up, for it got none: as controller-news.c. */
void job_result(struct sim *s, const struct vm *vm, bool got_one);

/* control.c: the step */
void poke(struct sim *s);
void control_step(struct sim *s);
void control_start(struct sim *s);
void control_kill(struct sim *s, bool ledger_too);

/* check.c: the rules, held against the truth */
void check_wrong(struct sim *s, const char *rule, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void check_create(struct sim *s, const struct vm *vm);
void check_action(struct sim *s, const struct plan_action *action, const struct world *w);
void check_end_of_vm(struct sim *s, const struct vm *vm, const struct deed *d);
void check_volume(struct sim *s, const struct vm *vm);
void check_step(struct sim *s, const struct plan *plan, const struct world *w);
bool check_stuck(struct sim *s);
void check_clean(struct sim *s);

/* account.c: the figures */
void account(struct sim *s);
void account_close(struct sim *s);
