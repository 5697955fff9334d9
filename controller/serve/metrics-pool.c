/*
 * What is known of the pool: VMs, jobs, groups, hosts, facts, and what was done.
 */
#include "serve/metrics.h"

#include "base/mem.h"
#include "serve/view-part.h"

#define FAMILY const struct openmetrics_family *f

/* ---- the pool as a whole ---- */

static void vms(const struct metrics *m, FAMILY)
{
    for (int state = 0; state < VM_STATE_COUNT; state++)
        openmetrics_add(m->out, f, m->s->plan->counts[state], "state",
                        vm_state_name((enum vm_state)state), NULL);
}

static void add_limit(const struct metrics *m, FAMILY, const struct setting *limit)
{
    if (limit->value != POLICY_UNLIMITED)
        openmetrics_add(m->out, f, limit->value, NULL);
}

static void used_vms(const struct metrics *m, FAMILY)
{
    openmetrics_add(m->out, f, part_use(m->s->plan).vms, NULL);
}

static void limit_vms(const struct metrics *m, FAMILY)
{
    add_limit(m, f, &m->s->policy->limits.vms);
}

static void used_cpus(const struct metrics *m, FAMILY)
{
    openmetrics_add(m->out, f, part_use(m->s->plan).cpus, NULL);
}

static void limit_cpus(const struct metrics *m, FAMILY)
{
    add_limit(m, f, &m->s->policy->limits.cpus);
}

static void used_memory(const struct metrics *m, FAMILY)
{
    openmetrics_add(m->out, f, part_use(m->s->plan).memory, NULL);
}

static void limit_memory(const struct metrics *m, FAMILY)
{
    add_limit(m, f, &m->s->policy->limits.memory);
}

static void starts_in_flight(const struct metrics *m, FAMILY)
{
    const int64_t *counts = m->s->plan->counts;
    openmetrics_add(m->out, f, counts[VM_CREATING] + counts[VM_BOOTING], NULL);
}

static void limit_in_flight(const struct metrics *m, FAMILY)
{
    add_limit(m, f, &m->s->policy->limits.starts_in_flight);
}

static void starts_per_minute(const struct metrics *m, FAMILY)
{
    openmetrics_add(m->out, f, (int64_t)m->s->world->n_starts, NULL);
}

static void limit_per_minute(const struct metrics *m, FAMILY)
{
    add_limit(m, f, &m->s->policy->limits.starts_per_minute);
}

static void paused(const struct metrics *m, FAMILY)
{
    openmetrics_add(m->out, f, m->s->world->paused, NULL);
}

static void frozen(const struct metrics *m, FAMILY)
{
    openmetrics_add(m->out, f, m->s->plan->frozen.code == REASON_FROZEN, NULL);
}

/* ---- groups, templates, hosts ---- */

static void add_states(const struct metrics *m, FAMILY, const char *label, const char *name,
                       const int64_t counts[static VM_STATE_COUNT])
{
    for (int state = 0; state < VM_STATE_COUNT; state++)
        openmetrics_add(m->out, f, counts[state], label, name, "state",
                        vm_state_name((enum vm_state)state), NULL);
}

static void group_vms(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->policy->n_groups; i++)
        add_states(m, f, "group", m->s->policy->groups[i].name, m->groups[i]);
}

static void group_cpus(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->plan->n_groups; i++)
        openmetrics_add(m->out, f, m->s->plan->groups[i].cpus, "group", m->s->plan->groups[i].name,
                        NULL);
}

static void group_quota(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->policy->n_groups; i++)
        openmetrics_add(m->out, f, m->s->policy->groups[i].quota.value, "group",
                        m->s->policy->groups[i].name, NULL);
}

static void group_max(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->policy->n_groups; i++)
        if (m->s->policy->groups[i].max.value != POLICY_UNLIMITED)
            openmetrics_add(m->out, f, m->s->policy->groups[i].max.value, "group",
                            m->s->policy->groups[i].name, NULL);
}

static void group_limited(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->plan->n_groups; i++) {
        const struct plan_group *g = &m->s->plan->groups[i];
        if (part_is_reason(&g->limited))
            openmetrics_add(m->out, f, 1, "group", g->name, "reason", reason_name(g->limited.code),
                            NULL);
    }
}

/* Jobs whose group is not in the policy are those of the group "". */
static const char *job_group(const struct metrics *m, size_t i)
{
    return i < m->s->policy->n_groups ? m->s->policy->groups[i].name : "";
}

static void jobs(const struct metrics *m, FAMILY)
{
    static const char *const state[] = {
        [METRICS_RUNNING] = "running",   [METRICS_HELD] = "held",       [METRICS_SERVED] = "served",
        [METRICS_STARTING] = "starting", [METRICS_WAITING] = "waiting",
    };
    for (size_t i = 0; i <= m->s->policy->n_groups; i++)
        for (int k = 0; k < METRICS_JOBS; k++)
            openmetrics_add(m->out, f, m->jobs[i][k], "group", job_group(m, i), "state", state[k],
                            NULL);
}

static void jobs_waiting(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i <= m->s->policy->n_groups; i++)
        for (int code = 0; code < REASON_COUNT; code++)
            if (m->waiting[i][code])
                openmetrics_add(m->out, f, m->waiting[i][code], "group", job_group(m, i), "reason",
                                reason_name((enum reason_code)code), NULL);
}

static void template_vms(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->policy->n_templates; i++)
        add_states(m, f, "template", m->s->policy->templates[i].name, m->templates[i]);
}

/* Whether it is left alone for now. */
static bool rests(const struct metrics *m, int64_t failures, usec last)
{
    return failures > 0 && plan_rests_until(m->s->policy, failures, last) > m->now;
}

static void template_failures(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->world->n_templates; i++)
        openmetrics_add(m->out, f, m->s->world->templates[i].failures, "template",
                        m->s->world->templates[i].name, NULL);
}

static void template_resting(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->world->n_templates; i++) {
        const struct world_template *t = &m->s->world->templates[i];
        openmetrics_add(m->out, f, rests(m, t->failures, t->last_failure), "template", t->name,
                        NULL);
    }
}

static void host_resting(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->world->n_hosts; i++) {
        const struct world_host *h = &m->s->world->hosts[i];
        openmetrics_add(m->out, f, rests(m, h->failures, h->last_failure), "host", h->name, NULL);
    }
}

static void host_vms(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->world->n_hosts; i++)
        add_states(m, f, "host", m->s->world->hosts[i].name, m->hosts[i]);
}

/* One number of each host. */
static void add_hosts(const struct metrics *m, FAMILY, int64_t (*number)(const struct world_host *))
{
    for (size_t i = 0; i < m->s->world->n_hosts; i++)
        openmetrics_add(m->out, f, number(&m->s->world->hosts[i]), "host",
                        m->s->world->hosts[i].name, NULL);
}

static int64_t number_failures(const struct world_host *h)
{
    return h->failures;
}

static int64_t number_cordoned(const struct world_host *h)
{
    return h->cordoned;
}

static int64_t number_storage(const struct world_host *h)
{
    return h->storage_available;
}

static void host_failures(const struct metrics *m, FAMILY)
{
    add_hosts(m, f, number_failures);
}

static void host_cordoned(const struct metrics *m, FAMILY)
{
    add_hosts(m, f, number_cordoned);
}

static void host_storage(const struct metrics *m, FAMILY)
{
    add_hosts(m, f, number_storage);
}

/* ---- facts and deeds ---- */

static void facts_age(const struct metrics *m, FAMILY)
{
    const struct plan *plan = m->s->plan;
    usec since = m->now > plan->now ? m->now - plan->now : 0;
    for (size_t i = 0; i < plan->n_trust; i++)
        if (plan->trust[i].age != USEC_NEVER)
            openmetrics_add_seconds(m->out, f, plan->trust[i].age + since, "kind",
                                    plan->trust[i].kind, "name", plan->trust[i].name, NULL);
}

static void facts_trusted(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->plan->n_trust; i++)
        openmetrics_add(m->out, f, m->s->plan->trust[i].trusted, "kind", m->s->plan->trust[i].kind,
                        "name", m->s->plan->trust[i].name, NULL);
}

static void flock_applied(const struct metrics *m, FAMILY)
{
    for (size_t i = 0; i < m->s->world->n_flocks; i++) {
        const struct world_flock *fl = &m->s->world->flocks[i];
        openmetrics_add(m->out, f,
                        text_equal(fl->present, fl->wanted) && text_equal(fl->believed, fl->wanted),
                        "schedd", fl->schedd, NULL);
    }
}

static void planned(const struct metrics *m, FAMILY)
{
    int64_t counts[ACTION_KIND_COUNT] = {0};
    for (size_t i = 0; i < m->s->plan->n_actions; i++)
        counts[m->s->plan->actions[i].kind]++;
    for (int kind = 0; kind < ACTION_KIND_COUNT; kind++)
        openmetrics_add(m->out, f, counts[kind], "action", action_kind_name((enum action_kind)kind),
                        NULL);
}

#define GAUGE(name, help, add)                                                                     \
    {                                                                                              \
        {"eyrie_" name, OPENMETRICS_GAUGE, NULL, help}, add                                        \
    }
#define GAUGE_IN(unit, name, help, add)                                                            \
    {                                                                                              \
        {"eyrie_" name "_" unit, OPENMETRICS_GAUGE, unit, help}, add                               \
    }

const struct metric metrics_pool[] = {
    GAUGE("vms", "VMs by state.", vms),
    GAUGE("used_vms", "VMs that count against limits.vms.", used_vms),
    GAUGE("limit_vms", "limits.vms of the policy; absent when there is none.", limit_vms),
    GAUGE("used_cpus", "cpus that count against limits.cpus.", used_cpus),
    GAUGE("limit_cpus", "limits.cpus of the policy; absent when there is none.", limit_cpus),
    GAUGE_IN("bytes", "used_memory", "Memory that counts against limits.memory.", used_memory),
    GAUGE_IN("bytes", "limit_memory", "limits.memory of the policy; absent when there is none.",
             limit_memory),
    GAUGE("starts_in_flight", "VMs that are being started.", starts_in_flight),
    GAUGE("limit_starts_in_flight", "limits.starts_in_flight of the policy.", limit_in_flight),
    GAUGE("starts_last_minute", "VMs whose start was decided within the last minute.",
          starts_per_minute),
    GAUGE("limit_starts_per_minute", "limits.starts_per_minute of the policy.", limit_per_minute),
    GAUGE("paused", "1 when an admin paused the pool.", paused),
    GAUGE("frozen", "1 when nothing is changed because many VMs vanished at once.", frozen),
    GAUGE("group_vms", "VMs of each group by state.", group_vms),
    GAUGE("group_cpus", "cpus that a group has.", group_cpus),
    GAUGE("group_quota_cpus", "The group's quota.", group_quota),
    GAUGE("group_max_cpus", "The group's max; absent when there is none.", group_max),
    GAUGE("group_limited", "1 for a group that wants more VMs and gets none, with the reason.",
          group_limited),
    GAUGE("jobs",
          "Flagged jobs by group and what becomes of them; group \"\" is that of all jobs "
          "whose group is not in the policy.",
          jobs),
    GAUGE("jobs_waiting", "Idle jobs for which no VM is up or being started, by reason.",
          jobs_waiting),
    GAUGE("template_vms", "VMs of each template by state.", template_vms),
    GAUGE("template_failures", "VMs in a row that failed to be created or to join.",
          template_failures),
    GAUGE("template_resting", "1 while no VM of the template is started because of failures.",
          template_resting),
    GAUGE("host_vms", "VMs on each host by state.", host_vms),
    GAUGE("host_failures", "Failed starts in a row on a host.", host_failures),
    GAUGE("host_resting", "1 while no VM is started on the host because of failures.",
          host_resting),
    GAUGE("host_cordoned", "1 when an admin cordoned the host.", host_cordoned),
    GAUGE_IN("bytes", "host_storage_available", "What is left in the host's storage pool.",
             host_storage),
    GAUGE_IN("seconds", "facts_age",
             "Age of the last complete answer of each source; absent when "
             "there was none.",
             facts_age),
    GAUGE("facts_trusted", "1 when the facts of a source are fresh enough to act on.",
          facts_trusted),
    GAUGE("flock_applied", "1 when the schedd confirmed that it uses the fragment it should have.",
          flock_applied),
    GAUGE("planned_actions", "Actions in the last plan.", planned),
};
const size_t metrics_pool_count = ARRAY_SIZE(metrics_pool);
