#include "sim/fault.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/spelling.h"
#include "sim/state.h"

static void begin_host_down(struct sim *s, struct fault_life *life)
{
    s->hosts[life->host].down = true;
    for (size_t i = 0; i < s->n_living; i++)
        if (s->vms[s->living[i]]->host == life->host)
            vm_end(s, s->vms[s->living[i]]);
}

static void end_host_down(struct sim *s, struct fault_life *life)
{
    s->hosts[life->host].down = fault_on(s, FAULT_HOST_DEAD, life->host) ||
                                fault_on(s, FAULT_HOST_REBOOTED, life->host);
}

static void begin_foreign(struct sim *s, struct fault_life *life)
{
    struct foreign *f = &s->hosts[life->host].foreign[random_range(&s->random, 0, FOREIGN_MAX - 1)];
    f->on = true;
    f->cpus = random_range(&s->random, 1, 4);
    f->memory = random_range(&s->random, 1, 16) * GIB;
    unsigned chance = (unsigned)random_next(&s->random);
    (void)snprintf(f->uuid, sizeof(f->uuid), "%08x-0000-4000-8000-ffffffffffff", chance);
    (void)snprintf(f->name, sizeof(f->name), "%.40s-small-%08x", s->policy->pool.name, chance);
}

static void end_foreign(struct sim *s, struct fault_life *life)
{
    for (size_t i = 0; i < FOREIGN_MAX; i++)
        s->hosts[life->host].foreign[i].on = false;
}

static void begin_vm_dies(struct sim *s, struct fault_life *life)
{
    (void)life;
    if (s->n_living > 0)
        vm_end(s, s->vms[s->living[random_range(&s->random, 0, (int64_t)s->n_living - 1)]]);
}

static void begin_flaps(struct sim *s, struct fault_life *life)
{
    for (size_t i = 0; i < s->n_living; i++)
        if (s->vms[s->living[i]]->host == life->host)
            vm_restart_startd(s, s->vms[s->living[i]]);
}

static void begin_empty(struct sim *s, struct fault_life *life)
{
    (void)life;
    for (size_t i = s->n_living; i-- > 0;) {
        struct vm *vm = s->vms[s->living[i]];
        vm->ad.present = false;
        vm_rest(s, vm);
    }
}

static void begin_removal(struct sim *s, struct fault_life *life)
{
    (void)life;
    jobs_remove_idle(s);
}

static void begin_fragment(struct sim *s, struct fault_life *life)
{
    (void)life;
    s->fragment = false;
}

static void set_clock(struct sim *s, struct fault_life *life)
{
    (void)life;
    s->clock_offset = (fault_on(s, FAULT_CLOCK_FORWARD, SIZE_MAX) ? USEC_PER_HOUR : 0) -
                      (fault_on(s, FAULT_CLOCK_BACK, SIZE_MAX) ? USEC_PER_HOUR : 0);
    s->clock_jumped = sim_clock(s);
}

static void begin_kill(struct sim *s, struct fault_life *life)
{
    control_kill(s, life->kind == FAULT_LEDGER_LOST);
    /* What is booting then is adopted as a VM that may have jobs, and nobody may touch it: it must
     * come up, else a person has to look. */
    for (size_t i = 0; life->kind == FAULT_LEDGER_LOST && i < s->n_living; i++) {
        struct vm *vm = s->vms[s->living[i]];
        if (vm->joining_never && vm->domain)
            sim_after(s, USEC_PER_MINUTE, EVENT_JOIN, vm->index, vm->epoch);
        vm->takes_no_jobs = false; /* adopted, it is held to have had one */
    }
}

static void end_kill(struct sim *s, struct fault_life *life)
{
    (void)life;
    if (!s->up && !fault_on(s, FAULT_CONTROLLER_KILLED, SIZE_MAX) &&
        !fault_on(s, FAULT_LEDGER_LOST, SIZE_MAX))
        control_start(s);
}

static void halve(struct setting *setting)
{
    if (setting->value != POLICY_UNLIMITED)
        setting->value = (setting->value + 1) / 2;
}

static void begin_policy(struct sim *s, struct fault_life *life)
{
    (void)life;
    s->changed = *s->setup->policy;
    halve(&s->changed.limits.vms);
    halve(&s->changed.limits.cpus);
    halve(&s->changed.limits.starts_in_flight);
    s->policy = &s->changed;
    poke(s);
}

static void end_policy(struct sim *s, struct fault_life *life)
{
    (void)life;
    if (!fault_on(s, FAULT_POLICY_CHANGED, SIZE_MAX))
        s->policy = s->setup->policy;
    poke(s);
}

static void set_pause(struct sim *s, struct fault_life *life)
{
    (void)life;
    s->paused = fault_on(s, FAULT_ADMIN_PAUSES, SIZE_MAX);
    poke(s);
}

enum { AT_SITE, AT_HOST };

/* The kinds. A row without functions and rules bites where fault_on() is asked for it. */
static const struct {
    const char *name;
    const char *summary;
    int where;
    int least, most; /* seconds */
    void (*begin)(struct sim *s, struct fault_life *life);
    void (*end)(struct sim *s, struct fault_life *life);
    const char *rules; /* for calls: filter.h */
} kinds[FAULT_COUNT] = {
    [FAULT_LIBVIRTD_RESTART] = {"libvirtd-restart", "calls to a host fail; its domains run on",
                                AT_HOST, 1, 10, NULL, NULL},
    [FAULT_LIBVIRTD_HANG] = {"libvirtd-hang", "calls get no answer; some happen all the same, later",
                             AT_HOST, 30, 300, NULL, NULL,
                            "host.*: hang, 40%; host.list: hang; host.*: late 1s-100s"},
    [FAULT_REPLY_LOST] = {"reply-lost", "calls happen and their answers are lost", AT_HOST, 30, 300,
                          NULL, NULL,
                            "host.*: late 0"},
    [FAULT_REPLY_DUPLICATE] = {"reply-duplicate", "a create happens, is sent again, and the refusal "
                               "of the second is its answer", AT_HOST, 30, 300, NULL, NULL,
                            "host.create: duplicate"},
    [FAULT_LATE_SUCCESS] = {"late-success", "creates come true after they were given up", AT_HOST,
                            30, 300, NULL, NULL,
                            "host.create: late 1s-100s"},
    [FAULT_CREATE_REFUSED] = {"create-refused", "creates fail", AT_HOST, 60, 600, NULL, NULL,
                            "host.create: fail"},
    [FAULT_CREATE_HALF] = {"create-half", "creates fail and leave their volumes", AT_HOST, 60, 300,
                           NULL, NULL},
    [FAULT_HOST_DEAD] = {"host-dead", "a host is off for long; its domains are gone, its volumes stay",
                         AT_HOST, 300, 1200, begin_host_down, end_host_down},
    [FAULT_HOST_REBOOTED] = {"host-rebooted", "a host boots again, without its transient domains",
                             AT_HOST, 60, 200, begin_host_down, end_host_down},
    [FAULT_HOST_SPLIT] = {"host-split", "the controller cannot reach a host, whose VMs run on",
                          AT_HOST, 30, 900, NULL, NULL},
    [FAULT_HOST_SLOW] = {"host-slow", "calls to a host take 15 times as long", AT_HOST, 60, 600,
                         NULL, NULL},
    [FAULT_HOST_CORDONED] = {"host-cordoned", "an admin cordons a host", AT_HOST, 60, 600, NULL,
                             NULL},
    [FAULT_HOST_DRAINED] = {"host-drained", "an admin drains a host, and then takes it back", AT_HOST,
                            60, 900, NULL, NULL},
    [FAULT_DISK_FULL] = {"disk-full", "a storage pool has no room", AT_HOST, 60, 600, NULL, NULL},
    [FAULT_QEMU_STUCK] = {"qemu-stuck", "domains neither power off nor can be destroyed", AT_HOST,
                          60, 600, NULL, NULL},
    [FAULT_VOLUME_BUSY] = {"volume-busy", "volumes cannot be deleted", AT_HOST, 60, 600, NULL, NULL,
                            "host.delete_volume: fail"},
    [FAULT_FOREIGN_DOMAIN] = {"foreign-domain", "somebody else's domain takes room, with a name like "
                              "ours", AT_HOST, 300, 1800, begin_foreign, end_foreign},
    [FAULT_VM_NEVER_JOINS] = {"vm-never-joins", "VMs boot and no startd comes up", AT_HOST, 60, 600,
                              NULL, NULL},
    [FAULT_VM_TAKES_NO_JOBS] = {"vm-takes-no-jobs", "VMs join and no job ever starts there", AT_HOST,
                                60, 600, NULL, NULL},
    [FAULT_VM_BOOTS_SLOWLY] = {"vm-boots-slowly", "VMs take three times as long to boot", AT_HOST,
                               60, 600, NULL, NULL},
    [FAULT_VM_DIES] = {"vm-dies", "a VM is gone with its jobs", AT_SITE, 1, 10, begin_vm_dies, NULL},
    [FAULT_STARTD_FLAPS] = {"startd-flaps", "startds go and come back: jobs and drains are lost",
                            AT_HOST, 1, 90, begin_flaps, begin_flaps},
    [FAULT_VM_SPLIT] = {"vm-split", "VMs of a host cannot reach the collector; jobs run on", AT_HOST,
                        30, 900, NULL, NULL},
    [FAULT_SCHEDD_TIMEOUT] = {"schedd-timeout", "the schedd does not answer", AT_SITE, 20, 600, NULL,
                              NULL,
                            "condor_q: hang"},
    [FAULT_QUEUE_PARTIAL] = {"queue-partial", "the schedd's answer ends in the middle", AT_SITE, 20,
                             300, NULL, NULL,
                            "condor_q: fail"},
    [FAULT_JOBS_REMOVED] = {"jobs-removed", "users remove all idle jobs", AT_SITE, 1, 1,
                            begin_removal, NULL},
    [FAULT_COLLECTOR_TIMEOUT] = {"collector-timeout", "the collector answers nobody", AT_SITE, 20,
                                 600, NULL, NULL,
                            "condor_status: hang; condor_drain: fail; condor_advertise: fail"},
    [FAULT_COLLECTOR_EMPTY] = {"collector-empty", "the collector starts again with an empty memory",
                               AT_SITE, 1, 1, begin_empty, NULL},
    [FAULT_POOL_PARTIAL] = {"pool-partial", "the collector's answer ends in the middle", AT_SITE, 20,
                            300, NULL, NULL,
                            "condor_status: fail"},
    [FAULT_ADS_STALE] = {"ads-stale", "the collector takes no updates and forgets nothing", AT_SITE,
                         30, 300, NULL, NULL},
    [FAULT_NEGOTIATOR_DOWN] = {"negotiator-down", "no job is matched", AT_SITE, 30, 600, NULL, NULL},
    [FAULT_DRAIN_REFUSED] = {"drain-refused", "startds refuse to drain", AT_SITE, 30, 600, NULL,
                             NULL,
                            "condor_drain: fail"},
    [FAULT_DRAIN_LOST] = {"drain-lost", "startds drain and their answers are lost", AT_SITE, 30, 600,
                          NULL, NULL,
                            "condor_drain: late 0"},
    [FAULT_JOB_BEFORE_DRAIN] = {"job-before-drain", "jobs start between look and drain", AT_SITE, 60,
                                900, NULL, NULL},
    [FAULT_INVALIDATE_FAILED] = {"invalidate-failed", "ads cannot be invalidated", AT_SITE, 30, 600,
                                 NULL, NULL,
                            "condor_advertise: fail"},
    [FAULT_TOKEN_FAILED] = {"token-failed", "no token can be made for a new VM", AT_SITE, 30, 300,
                            NULL, NULL,
                            "condor_token_create: fail"},
    [FAULT_FRAGMENT_LOST] = {"fragment-lost", "the flocking fragment is gone", AT_SITE, 1, 1,
                             begin_fragment, NULL},
    [FAULT_CLOCK_FORWARD] = {"clock-forward", "the controller's clock is an hour ahead for a while",
                             AT_SITE, 60, 600, set_clock, set_clock},
    [FAULT_CLOCK_BACK] = {"clock-back", "the controller's clock is an hour behind for a while",
                          AT_SITE, 60, 600, set_clock, set_clock},
    [FAULT_CONTROLLER_KILLED] = {"controller-killed", "the controller is killed; the ledger stays",
                                 AT_SITE, 1, 120, begin_kill, end_kill},
    [FAULT_LEDGER_LOST] = {"ledger-lost", "the controller is killed, and the ledger is gone",
                           AT_SITE, 1, 120, begin_kill, end_kill},
    [FAULT_LEDGER_FULL] = {"ledger-full", "no intent can be written: the disk is full", AT_SITE, 30,
                           300, NULL, NULL,
                            "ledger.write: fail"},
    [FAULT_POLICY_CHANGED] = {"policy-changed", "the limits are halved for a while", AT_SITE, 120,
                              900, begin_policy, end_policy},
    [FAULT_ADMIN_PAUSES] = {"admin-pauses", "an admin pauses the pool", AT_SITE, 60, 600, set_pause,
                            set_pause},
    [FAULT_HOST_LIES] = {"host-lies", "a host says that calls are done that are not, or failed that did "
                         "not", AT_HOST, 60, 600, NULL, NULL,
                         "host.create: lie, 50%; host.shutdown: lie, 50%; host.destroy: lie, 50%; "
                         "host.delete_volume: lie, 50%"},
    [FAULT_LIST_LIES] = {"list-lies", "lists of a host lack a domain", AT_HOST, 30, 300, NULL, NULL,
                         "host.list: lie, every 3rd"},
    [FAULT_QUEUE_HALVED] = {"queue-halved", "the schedd tells half of its queue", AT_SITE, 20, 300, NULL,
                            NULL, "condor_q: lie, 50%"},
    [FAULT_POOL_HIDDEN] = {"pool-hidden", "the collector says that it has no ads", AT_SITE, 20, 300,
                           NULL, NULL, "condor_status: lie, 50%"},
    [FAULT_TOOLS_LIE] = {"tools-lie", "drains and invalidations are said to be done, and are not; tokens "
                         "are good for nothing", AT_SITE, 30, 300, NULL, NULL,
                         "condor_drain: lie, 50%; condor_advertise: lie, 50%; "
                         "condor_token_create: lie, 20%"},
    [FAULT_CALLS_DOUBLED] = {"calls-doubled", "calls are made twice", AT_SITE, 60, 600, NULL, NULL,
                             "host.*: duplicate, 50%; condor_*: duplicate, 50%"},
    [FAULT_CALLS_DELAYED] = {"calls-delayed", "answers come late", AT_SITE, 60, 600, NULL, NULL,
                             "host.*: delay 1s-35s, 50%; condor_*: delay 1s-25s, 50%"},
    [FAULT_TOOLS_LATE] = {"tools-late", "drains and invalidations happen after they were given up",
                          AT_SITE, 30, 300, NULL, NULL,
                          "condor_drain: late 0s-100s; condor_advertise: late 0s-100s"},
};

const char *fault_name(enum fault f)
{
    return kinds[f].name;
}

const char *fault_summary(enum fault f)
{
    return kinds[f].summary;
}

int fault_parse(const char *text, fault_set *ret, struct err *e)
{
    AUTOFREE char *copy = mem_strdup(text);
    fault_set set = 0;
    char *rest = NULL;
    for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        const char *nearest = NULL;
        size_t i = 0;
        while (i < FAULT_COUNT && strcmp(kinds[i].name, word) != 0)
            spelling_nearer(word, kinds[i++].name, &nearest);
        if (i < FAULT_COUNT)
            set |= UINT64_C(1) << i;
        else if (strcmp(word, "all") == 0)
            set = FAULTS_ALL;
        else if (strcmp(word, "none") != 0)
            return err_set(e, EINVAL, "there is no fault \"%s\"%s%s%s", word,
                           nearest ? "; did you mean " : "", nearest ? nearest : "",
                           nearest ? "?" : "");
    }
    *ret = set;
    return 0;
}

static enum fault draw_kind(struct sim *s, fault_set set, int number, bool each_once)
{
    int members[FAULT_COUNT] = {0}, n = 0;
    for (int i = 0; i < FAULT_COUNT; i++)
        if (set & (UINT64_C(1) << i))
            members[n++] = i;
    return (enum fault)members[each_once ? number : random_range(&s->random, 0, n - 1)];
}

void fault_schedule(struct sim *s, fault_set set, int count, usec until)
{
    bool each_once = count == 0;
    if (!set)
        return;
    if (each_once)
        count = __builtin_popcountll(set);
    s->faults = mem_new((size_t)count, sizeof(*s->faults));
    s->n_faults = (size_t)count;
    for (int i = 0; i < count; i++) {
        enum fault kind = draw_kind(s, set, i, each_once);
        usec begin = s->now + sim_draw(s, 0, until);
        s->faults[i] = (struct fault_life){
            .kind = kind,
            .host = kinds[kind].where == AT_HOST
                        ? (size_t)random_range(&s->random, 0, (int64_t)s->policy->n_hosts - 1)
                        : SIZE_MAX,
            .begin = begin,
            .end = begin + sim_draw(s, kinds[kind].least * USEC_PER_SEC,
                                    kinds[kind].most * USEC_PER_SEC),
        };
        events_add(&s->events, begin, EVENT_FAULT_BEGIN, (uint32_t)i, 0);
        events_add(&s->events, s->faults[i].end, EVENT_FAULT_END, (uint32_t)i, 0);
    }
    s->result->faults = count;
}

void fault_begin(struct sim *s, uint32_t index)
{
    struct fault_life *life = &s->faults[index];
    life->on = true;
    s->faults_on++;
    s->fault_count[life->kind]++;
    s->result->faults_of[life->kind]++;
    sim_say(s, "fault %s begins%s%s", kinds[life->kind].name,
            life->host == SIZE_MAX ? "" : " on ",
            life->host == SIZE_MAX ? "" : s->hosts[life->host].name);
    if (kinds[life->kind].rules) {
        struct err e;
        int r = filter_parse(kinds[life->kind].rules, random_next(&s->random), &life->filter, &e);
        assert(r == 0);
        s->filters_on++;
    }
    if (kinds[life->kind].begin)
        kinds[life->kind].begin(s, life);
}

void fault_end(struct sim *s, uint32_t index)
{
    struct fault_life *life = &s->faults[index];
    life->on = false;
    s->faults_on--;
    life->over = true;
    s->fault_count[life->kind]--;
    s->filters_on -= life->filter != NULL;
    life->filter = filter_free(life->filter);
    s->faults_over = s->moved = s->now;
    s->looks_since_faults = 0;
    sim_say(s, "fault %s ends", kinds[life->kind].name);
    if (kinds[life->kind].end)
        kinds[life->kind].end(s, life);
}

bool fault_on(const struct sim *s, enum fault f, size_t host)
{
    if (s->fault_count[f] == 0)
        return false;
    if (host == SIZE_MAX)
        return true;
    for (size_t i = 0; i < s->n_faults; i++)
        if (s->faults[i].on && s->faults[i].kind == f && s->faults[i].host == host)
            return true;
    return false;
}

struct filter_verdict fault_of_call(struct sim *s, enum filter_call call, size_t host)
{
    struct filter_verdict verdict = {FILTER_NONE, 0, 0};
    fault_set asked = 0; /* one that is on twice strikes no more often */
    for (size_t i = 0; s->filters_on > 0 && i < s->n_faults; i++) {
        struct fault_life *life = &s->faults[i];
        fault_set kind = UINT64_C(1) << life->kind;
        if (!life->filter || verdict.effect != FILTER_NONE || (asked & kind) ||
            (life->host != SIZE_MAX && life->host != host))
            continue;
        asked |= kind;
        verdict = filter_decide(life->filter, call);
    }
    if (verdict.effect != FILTER_NONE)
        s->result->struck[call][verdict.effect]++;
    s->result->calls[call]++;
    return verdict;
}

bool fault_over(const struct sim *s, usec *ret_since)
{
    for (size_t i = 0; i < s->n_faults; i++)
        if (!s->faults[i].over)
            return false;
    *ret_since = s->faults_over;
    return true;
}
