#include "act/gates.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* The columns of a group's row. */
enum column {
    COLUMN_GROUP,
    COLUMN_GROUP_KNOB,
    COLUMN_PLACEMENT,
    COLUMN_OVERFLOW_AFTER,
    COLUMN_MAX_WALLTIME,
    COLUMN_HAS_MAX,
    COLUMN_MAX,
    COLUMN_LONG_JOB,
    COLUMN_HAS_LONG_JOBS,
    COLUMN_LONG_JOBS,
    COLUMN_MEMBERS,
    COLUMN_DEFAULT_MEMBERS,
    COLUMN_FITS,
    COLUMN_SIZES,
    COLUMN_QUOTA_KIND,
    COLUMN_QUOTA,
    COLUMN_COUNT,
};

static const char *const columns[COLUMN_COUNT] = {
    [COLUMN_GROUP] = "GROUP",
    [COLUMN_GROUP_KNOB] = "GROUP_KNOB",
    [COLUMN_PLACEMENT] = "PLACEMENT",
    [COLUMN_OVERFLOW_AFTER] = "OVERFLOW_AFTER",
    [COLUMN_MAX_WALLTIME] = "MAX_WALLTIME",
    [COLUMN_HAS_MAX] = "HAS_MAX",
    [COLUMN_MAX] = "MAX",
    [COLUMN_LONG_JOB] = "LONG_JOB",
    [COLUMN_HAS_LONG_JOBS] = "HAS_LONG_JOBS",
    [COLUMN_LONG_JOBS] = "LONG_JOBS",
    [COLUMN_MEMBERS] = "MEMBERS",
    [COLUMN_DEFAULT_MEMBERS] = "DEFAULT_MEMBERS",
    [COLUMN_FITS] = "FITS",
    [COLUMN_SIZES] = "SIZES",
    [COLUMN_QUOTA_KIND] = "QUOTA_KIND",
    [COLUMN_QUOTA] = "QUOTA",
};

static const char *taken(struct arena *a, struct text *t)
{
    const char *copy = arena_strdup(a, text_get(t));
    text_done(t);
    return copy;
}

/* A name as a part of a knob's: what else is in it becomes "_". */
static const char *knob_of(struct arena *a, const char *name)
{
    char *knob = arena_strdup(a, name);
    for (char *c = knob; *c; c++)
        if (!isalnum((unsigned char)*c))
            *c = '_';
    return knob;
}

char *gates_knob(const char *prefix, const struct policy *p)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    return mem_printf("%s_%s", prefix, knob_of(a, p->pool.name));
}

static const char *seconds(struct arena *a, usec duration)
{
    return arena_printf(a, "%" PRId64, duration / USEC_PER_SEC);
}

static const char *list_of(struct arena *a, const char **names, size_t n)
{
    struct text t = {0};
    for (size_t i = 0; i < n; i++)
        text_printf(&t, "%s%s", i ? "," : "", names[i]);
    return taken(a, &t);
}

/* ClassAd: whether the job's owner may use the group. */
static const char *members(struct arena *a, const struct policy_group *g)
{
    if (g->n_submitters == 0)
        return "true";
    return arena_printf(a, "stringListMember(Owner, \"%s\")",
                        list_of(a, g->submitters, g->n_submitters));
}

/* ClassAd: whether one of the group's templates has room for the job; the units are HTCondor's. A
 * startd rounds memory up to 128 MiB. */
static const char *fits(struct arena *a, const struct policy *p, const struct policy_group *g)
{
    struct text t = {0};
    for (size_t i = 0; i < g->n_templates; i++) {
        const struct policy_template *vm = &p->templates[g->templates[i]];
        text_printf(&t,
                    "%s(RequestCpus <= %" PRId64 " && RequestMemory <= %" PRId64
                    " && RequestDisk <= %" PRId64 " && (RequestGPUs ?: 0) <= %" PRId64 ")",
                    i ? " || " : "", vm->cpus, vm->memory / (128 * MIB) * 128, vm->disk / KIB,
                    vm->gpus);
    }
    return taken(a, &t);
}

/* The same for people. */
static const char *sizes(struct arena *a, const struct policy *p, const struct policy_group *g)
{
    struct text t = {0};
    for (size_t i = 0; i < g->n_templates; i++) {
        const struct policy_template *vm = &p->templates[g->templates[i]];
        text_printf(&t, "%s%s has %" PRId64 " cpus, %" PRId64 " MiB, %" PRId64 " MiB of disk",
                    i ? "; " : "", vm->name, vm->cpus, vm->memory / MIB, vm->disk / MIB);
    }
    return taken(a, &t);
}

const char *gates_rules(struct arena *a, const struct policy *p)
{
    struct text t = {0};
    for (size_t g = 0; g < p->n_groups; g++) {
        const struct policy_group *group = &p->groups[g];
        if (group->n_submitters == 0)
            text_printf(&t, "%s%s/*", t.length ? " " : "", group->name);
        for (size_t i = 0; i < group->n_submitters; i++)
            text_printf(&t, "%s%s/%s", t.length ? " " : "", group->name, group->submitters[i]);
    }
    return taken(a, &t);
}

/* How many cpus the pool may have at most; 0: nothing says. */
static int64_t capacity(const struct policy *p)
{
    int64_t hosts = 0;
    for (size_t i = 0; i < p->n_hosts; i++) {
        if (p->hosts[i].cpus == 0)
            return p->limits.cpus.value == POLICY_UNLIMITED ? 0 : p->limits.cpus.value;
        hosts += p->hosts[i].cpus * p->placement.overcommit.value / 100;
    }
    return hosts < p->limits.cpus.value ? hosts : p->limits.cpus.value;
}

const int64_t *gates_shares(struct arena *a, const struct policy *p)
{
    int64_t *shares = arena_take(a, p->n_groups, sizeof(*shares));
    int64_t left = capacity(p), weights;
    if (left == 0)
        return shares;
    for (size_t g = 0; g < p->n_groups; g++) {
        int64_t quota = p->groups[g].quota.value;
        shares[g] = quota < left ? quota : left;
        left -= shares[g];
    }
    /* What the capped cannot take flows to the others: at least one group is capped in each round
     * but the last. */
    do {
        int64_t dealt = 0;
        weights = 0;
        for (size_t g = 0; g < p->n_groups; g++)
            if (shares[g] < p->groups[g].max.value)
                weights += p->groups[g].weight.value;
        for (size_t g = 0; g < p->n_groups && weights > 0; g++) {
            int64_t room = p->groups[g].max.value - shares[g];
            int64_t part = room > 0 ? left * p->groups[g].weight.value / weights : 0;
            part = part < room ? part : room;
            shares[g] += part > 0 ? part : 0;
            dealt += part > 0 ? part : 0;
        }
        left -= dealt;
        if (dealt == 0)
            break;
    } while (left > 0 && weights > 0);
    return shares;
}

static void fill_row(struct arena *a, const struct policy *p, const struct policy_group *g,
                     int64_t share, const char **row)
{
    bool has_max = g->max.value != POLICY_UNLIMITED;
    bool has_long = g->long_job.value > 0 && g->long_jobs.value != POLICY_UNLIMITED;
    int64_t weights = 0;
    for (size_t i = 0; i < p->n_groups; i++)
        weights += p->groups[i].weight.value;
    row[COLUMN_GROUP] = g->name;
    row[COLUMN_GROUP_KNOB] = knob_of(a, g->name);
    row[COLUMN_PLACEMENT] = g->placement == POLICY_OVERFLOW ? "overflow" : "virtual-only";
    row[COLUMN_OVERFLOW_AFTER] = seconds(a, g->overflow_after.value);
    row[COLUMN_MAX_WALLTIME] = seconds(a, g->max_walltime.value);
    row[COLUMN_HAS_MAX] = has_max ? "true" : "false";
    row[COLUMN_MAX] = arena_printf(a, "%" PRId64, has_max ? g->max.value : 0);
    row[COLUMN_LONG_JOB] = seconds(a, g->long_job.value);
    row[COLUMN_HAS_LONG_JOBS] = has_long ? "true" : "false";
    row[COLUMN_LONG_JOBS] = arena_printf(a, "%" PRId64, has_long ? g->long_jobs.value : 0);
    row[COLUMN_MEMBERS] = members(a, g);
    row[COLUMN_DEFAULT_MEMBERS] = g->n_submitters > 0 || p->n_groups == 1 ? members(a, g) : "false";
    row[COLUMN_FITS] = fits(a, p, g);
    row[COLUMN_SIZES] = sizes(a, p, g);
    row[COLUMN_QUOTA_KIND] = share > 0 ? "QUOTA" : "QUOTA_DYNAMIC";
    row[COLUMN_QUOTA] = share > 0     ? arena_printf(a, "%" PRId64, share)
                        : weights > 0 ? arena_printf(a, "%.4f", (double)g->weight.value / (double)weights)
                                      : "0";
}

struct gates gates_of(struct arena *a, const struct policy *p)
{
    const char **names = arena_take(a, p->n_groups, sizeof(*names));
    const char **cells = arena_take(a, p->n_groups * COLUMN_COUNT, sizeof(*cells));
    const int64_t *shares = gates_shares(a, p);
    for (size_t g = 0; g < p->n_groups; g++) {
        names[g] = p->groups[g].name;
        fill_row(a, p, &p->groups[g], shares[g], &cells[g * COLUMN_COUNT]);
    }
    const struct fragment_value values[] = {
        {"POOL", p->pool.name},
        {"KNOB", knob_of(a, p->pool.name)},
        {"FLAG", p->pool.flag},
        {"CENTRAL_MANAGER", p->pool.central_manager},
        {"GROUPS", list_of(a, names, p->n_groups)},
    };
    struct fragment_value *copy = arena_take(a, ARRAY_SIZE(values), sizeof(*copy));
    memcpy(copy, values, sizeof(values));
    return (struct gates){
        .values = copy,
        .n_values = ARRAY_SIZE(values),
        .rows = {.columns = columns, .n_columns = COLUMN_COUNT, .cells = cells, .n = p->n_groups},
    };
}
