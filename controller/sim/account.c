/*
 * The figures of the report: integrals over simulated time, waits, and the bound.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/state.h"

/* The cpus that limits and hosts allow at most. */
static int64_t capacity(const struct sim *s)
{
    const struct policy *p = s->policy;
    int64_t hosts = 0, most = 0;
    for (size_t i = 0; i < p->n_hosts; i++)
        hosts += s->hosts[i].cpus * p->placement.overcommit.value / 100;
    for (size_t i = 0; i < p->n_templates; i++)
        most = p->templates[i].cpus > most ? p->templates[i].cpus : most;
    if (p->limits.cpus.value < hosts)
        hosts = p->limits.cpus.value;
    if (p->limits.vms.value < hosts / (most ? most : 1))
        hosts = p->limits.vms.value * most;
    return most ? hosts / most * most : 0;
}

void account(struct sim *s)
{
    double hours = (double)(s->now - s->accounted) / (double)USEC_PER_HOUR;
    struct sim_result *r = s->result;
    if (s->accounted == s->epoch)
        s->capacity = capacity(s);
    r->vm_hours += hours * (double)s->vms_up;
    r->vm_cpu_hours += hours * (double)s->vm_cpus;
    r->cpu_hours += hours * (double)s->busy_cpus;
    if (s->busy_cpus + s->idle_cpus >= s->capacity) {
        r->hours_full += hours;
        s->full_vm_cpu_hours += hours * (double)s->vm_cpus;
        s->full_cpu_hours += hours * (double)s->busy_cpus;
    }
    s->accounted = s->now;
}

static int wait_order(const void *left, const void *right)
{
    const usec *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void close_group(struct sim *s, size_t group, usec *waits)
{
    struct sim_group *g = &s->result->groups[group];
    size_t n = 0;
    for (size_t i = 0; i < s->workload->n_jobs; i++)
        if (s->workload->kinds[s->workload->jobs[i].kind].policy_group == group && s->waits[i] >= 0)
            waits[n++] = s->waits[i];
    g->name = s->setup->policy->groups[group].name;
    g->jobs = (int64_t)n;
    if (n == 0)
        return;
    qsort(waits, n, sizeof(*waits), wait_order);
    g->wait_median = waits[(n - 1) / 2];
    g->wait_p95 = waits[(n - 1) * 95 / 100];
    g->wait_most = waits[n - 1];
}

/*
 * A lower bound on the VM-hours of any schedule that does the same work: each VM-hour holds at most
 * as many cpu-hours as the largest template has cpus, and the work was cpu_hours. It knows nothing of
 * boot times, of jobs that do not fill a VM, or of idle VMs waiting: no schedule reaches it, so
 * VM-hours over the bound overstate the waste.
 */
static double bound(const struct sim *s)
{
    int64_t most = 1;
    for (size_t i = 0; i < s->policy->n_templates; i++)
        most = s->policy->templates[i].cpus > most ? s->policy->templates[i].cpus : most;
    return s->result->cpu_hours / (double)most;
}

void account_close(struct sim *s)
{
    struct sim_result *r = s->result;
    AUTOFREE usec *waits = mem_new(s->workload->n_jobs, sizeof(*waits));
    account(s);
    for (size_t i = 0; i < r->n_groups; i++)
        close_group(s, i, waits);
    r->simulated = s->now - s->epoch;
    r->steps = s->steps;
    r->looks = s->looks;
    r->jobs = (int64_t)s->workload->n_jobs;
    r->utilisation = r->vm_cpu_hours > 0 ? r->cpu_hours / r->vm_cpu_hours : 0;
    r->utilisation_full = s->full_vm_cpu_hours > 0 ? s->full_cpu_hours / s->full_vm_cpu_hours : -1;
    r->bound_vm_hours = bound(s);
}
