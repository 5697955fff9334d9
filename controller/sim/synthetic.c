#include "sim/synthetic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "sim/random.h"

enum { CHOICES_MAX = 32, JOBS_MOST = 10 * 1000 * 1000 };

/* Values with weights. */
struct choices {
    int64_t value[CHOICES_MAX];
    int64_t weight[CHOICES_MAX];
    size_t n;
    int64_t total;
};

enum runtime_kind { RUNTIME_FIXED, RUNTIME_EXPONENTIAL, RUNTIME_UNIFORM };

struct spec {
    const struct policy *policy;
    int64_t jobs;
    double gap; /* mean µs between bursts */
    enum runtime_kind runtime;
    usec least, most; /* mean, for the exponential one */
    struct choices cpus;
    struct choices groups;
    int64_t memory; /* for each cpu */
    int64_t owners;
    int64_t burst;
};

static int add_choice(struct choices *c, int64_t value, int64_t weight)
{
    if (c->n == CHOICES_MAX || weight < 1)
        return -EINVAL;
    c->value[c->n] = value;
    c->weight[c->n++] = weight;
    c->total += weight;
    return 0;
}

static int64_t choose(const struct choices *c, struct random *r)
{
    int64_t at = random_range(r, 0, c->total - 1);
    size_t i = 0;
    for (; at >= c->weight[i]; i++)
        at -= c->weight[i];
    return c->value[i];
}

static int parse_positive(const char *text, int64_t *ret)
{
    int r = units_parse_count(text, ret);
    return r < 0 ? r : *ret < 1 ? -EINVAL : 0;
}

static int parse_jobs(struct spec *s, char *value)
{
    int r = parse_positive(value, &s->jobs);
    return r < 0 || s->jobs > JOBS_MOST ? -EINVAL : 0;
}

static int parse_rate(struct spec *s, char *value)
{
    static const struct {
        const char *unit;
        usec length;
    } units[] = {{"s", USEC_PER_SEC}, {"min", USEC_PER_MINUTE}, {"h", USEC_PER_HOUR},
                 {"d", USEC_PER_DAY}};
    char *unit = strchr(value, '/');
    int64_t n;
    if (!unit)
        return -EINVAL;
    *unit++ = '\0';
    if (parse_positive(value, &n) < 0)
        return -EINVAL;
    for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
        if (strcmp(unit, units[i].unit) == 0) {
            s->gap = (double)units[i].length / (double)n;
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_runtime(struct spec *s, char *value)
{
    char *most = strchr(value, '-');
    if (strncmp(value, "exp:", 4) == 0) {
        s->runtime = RUNTIME_EXPONENTIAL;
        return units_parse_duration(value + 4, &s->least);
    }
    if (strncmp(value, "uniform:", 8) == 0 && most) {
        *most++ = '\0';
        s->runtime = RUNTIME_UNIFORM;
        if (units_parse_duration(value + 8, &s->least) < 0 ||
            units_parse_duration(most, &s->most) < 0 || s->most < s->least)
            return -EINVAL;
        return 0;
    }
    s->runtime = RUNTIME_FIXED;
    return units_parse_duration(value, &s->least);
}

/* "NAME:WEIGHT,…"; the weight may be left out. */
static int parse_choices(char *value, struct choices *c, int (*parse)(const char *, int64_t *, void *),
                         void *userdata)
{
    char *rest = NULL;
    *c = (struct choices){0};
    for (char *word = strtok_r(value, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        int64_t number, weight = 1;
        char *colon = strrchr(word, ':');
        if (colon) {
            *colon = '\0';
            if (parse_positive(colon + 1, &weight) < 0)
                return -EINVAL;
        }
        if (parse(word, &number, userdata) < 0 || add_choice(c, number, weight) < 0)
            return -EINVAL;
    }
    return c->n > 0 ? 0 : -EINVAL;
}

static int parse_cpu(const char *text, int64_t *ret, void *userdata)
{
    (void)userdata;
    return parse_positive(text, ret);
}

static int parse_group(const char *text, int64_t *ret, void *userdata)
{
    const struct policy *p = userdata;
    for (size_t i = 0; i < p->n_groups; i++) {
        if (strcmp(p->groups[i].name, text) == 0) {
            *ret = (int64_t)i;
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_cpus(struct spec *s, char *value)
{
    return parse_choices(value, &s->cpus, parse_cpu, NULL);
}

static int parse_groups(struct spec *s, char *value)
{
    return parse_choices(value, &s->groups, parse_group, (void *)s->policy);
}

static int parse_memory(struct spec *s, char *value)
{
    int r = units_parse_bytes(value, &s->memory);
    return r < 0 || s->memory < MIB || s->memory > TIB ? -EINVAL : 0;
}

static int parse_owners(struct spec *s, char *value)
{
    return parse_positive(value, &s->owners);
}

static int parse_burst(struct spec *s, char *value)
{
    return parse_positive(value, &s->burst);
}

static const struct {
    const char *name;
    int (*parse)(struct spec *s, char *value);
    const char *what;
} words[] = {
    {"burst", parse_burst, "a number of jobs"},
    {"cpus", parse_cpus, "cpus and weights, such as 1:70,2:20"},
    {"groups", parse_groups, "groups of the policy and weights, such as juno:2,lhaaso:1"},
    {"jobs", parse_jobs, "a number of jobs, at most 10000000"},
    {"memory", parse_memory, "a size for each cpu, such as 2GiB"},
    {"owners", parse_owners, "a number of owners"},
    {"rate", parse_rate, "a number of jobs in a time, such as 12/min"},
    {"runtime", parse_runtime, "exp:10m, uniform:1m-2h or a duration"},
};

static int parse_word(struct spec *s, char *word, struct err *e)
{
    char *value = strchr(word, '=');
    if (value)
        *value++ = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcmp(word, words[i].name) != 0)
            continue;
        AUTOFREE char *copy = mem_strdup(value ? value : "");
        if (!value || words[i].parse(s, value) < 0)
            return err_set(e, EINVAL, "%s=%s is not %s", word, copy, words[i].what);
        return 0;
    }
    return err_set(e, EINVAL, "there is no \"%s\" in a workload; there are burst, cpus, groups, jobs, "
                              "memory, owners, rate and runtime", word);
}

static usec draw_runtime(const struct spec *s, struct random *r)
{
    usec d = s->runtime == RUNTIME_FIXED     ? s->least
             : s->runtime == RUNTIME_UNIFORM ? random_range(r, s->least, s->most)
                                             : (usec)random_exponential(r, (double)s->least);
    return d < USEC_PER_SEC ? USEC_PER_SEC : d;
}

static struct workload *draw(const struct spec *s, uint64_t seed)
{
    struct workload *w = workload_new();
    struct random r = {seed};
    usec at = 0;
    for (int64_t i = 0; i < s->jobs; i++) {
        if (i % s->burst == 0)
            at += (usec)random_exponential(&r, s->gap * (double)s->burst);
        size_t group = (size_t)choose(&s->groups, &r);
        int64_t cpus = choose(&s->cpus, &r);
        struct kind kind = {
            .owner = workload_owner(w, s->policy, group, random_range(&r, 1, s->owners)),
            .group = s->policy->groups[group].name,
            .policy_group = group,
            .cpus = cpus,
            .memory = s->memory * cpus,
            .disk = 1 * GIB,
        };
        workload_add(w, at, draw_runtime(s, &r), &kind);
    }
    workload_sort(w);
    return w;
}

int synthetic_make(const char *text, const struct policy *p, uint64_t seed, struct workload **ret,
                   struct err *e)
{
    AUTOFREE char *copy = mem_strdup(text);
    char *rest = NULL;
    struct spec s = {
        .policy = p,
        .jobs = 1000,
        .gap = (double)USEC_PER_MINUTE / 10,
        .runtime = RUNTIME_EXPONENTIAL,
        .least = 10 * USEC_PER_MINUTE,
        .memory = workload_memory_per_cpu(p),
        .owners = 3,
        .burst = 1,
    };
    (void)add_choice(&s.cpus, 1, 1);
    if (p->n_groups == 0)
        return err_set(e, EINVAL, "the policy has no groups, so nobody can submit jobs");
    for (size_t i = 0; i < p->n_groups && i < CHOICES_MAX; i++)
        (void)add_choice(&s.groups, (int64_t)i, 1);
    for (char *word = strtok_r(copy, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        int r = parse_word(&s, word, e);
        if (r < 0)
            return r;
    }
    *ret = draw(&s, seed);
    return 0;
}
