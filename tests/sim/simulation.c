/*
 * Many short simulations with faults: small sites, each with a policy, a workload and faults drawn
 * from its seed. No rule may be broken in any step.
 *
 * usage: simulation [--seed N] [--runs N] [--steps N] [--until-step K] [--faults LIST] [--verbose]
 *                   FOLDER
 *
 * FOLDER holds the policies (*.yaml). Seeds count up from --seed until --steps steps were taken, or
 * for --runs runs. Each fault of --faults must have struck in so many steps. A violation names its
 * seed and step:
 *   simulation --seed SEED --runs 1 --until-step STEP --verbose FOLDER
 * tells what happened up to it, and prints the world and the plan of that step.
 */
#include <errno.h>
#include <getopt.h>
#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/mem.h"
#include "config/config.h"
#include "record/world.h"
#include "sim/random.h"
#include "sim/sim.h"
#include "sim/synthetic.h"

static const char *const workloads[] = {
    "jobs=80 rate=4/min runtime=exp:4m cpus=1:60,2:30,4:10",
    "jobs=120 rate=6/min runtime=exp:2m cpus=1 burst=30",
    "jobs=60 rate=1/min runtime=uniform:1m-20m cpus=1:50,2:50",
    "jobs=150 rate=30/min runtime=exp:3m cpus=1:80,4:20 burst=10",
    "jobs=40 rate=1/min runtime=30s cpus=1",
    "jobs=100 rate=20/h runtime=exp:5m cpus=1:50,2:25,4:25",
};

enum { SHOWN = 20 };

struct options {
    uint64_t seed;
    int64_t runs, steps, until_step;
    fault_set faults;
    bool verbose;
    const char *folder;
};

struct totals {
    int64_t runs, steps, looks, jobs, held, vms, faults, violations, violated, unseen, unseen_claimed;
    int64_t faults_of[FAULT_COUNT];
    int64_t calls[FILTER_CALLS], struck[FILTER_CALLS][FILTER_EFFECTS];
};

static int usage(void)
{
    (void)fprintf(stderr, "usage: simulation [--seed N] [--runs N] [--steps N] [--until-step K] "
                          "[--faults LIST] [--verbose] FOLDER\n");
    return 64;
}

static void say(void *userdata, const char *line)
{
    (void)userdata;
    (void)printf("# %s\n", line);
}

static void on_step(void *userdata, int64_t step, const struct world *w, const struct plan *plan)
{
    const struct options *o = userdata;
    struct text text = {0};
    if (o->until_step && step == o->until_step) {
        struct json_object *json = world_to_json(w);
        (void)printf("%s\n", json_object_to_json_string_ext(json, JSON_C_TO_STRING_PRETTY));
        (void)json_object_put(json);
    }
    if (!o->verbose || (plan->n_actions == 0 && !(o->until_step && step == o->until_step)))
        return;
    plan_render(plan, &text);
    (void)printf("step %" PRId64 "\n%s", step, text_get(&text));
    text_done(&text);
}

static int simulate(const struct options *o, uint64_t seed, const struct policy *p,
                    struct totals *totals)
{
    CLEANUP(workload_free_p) struct workload *w = NULL;
    struct random r = {seed};
    struct sim_result result;
    struct err e;
    const char *spec = workloads[random_next(&r) % ARRAY_SIZE(workloads)];
    if (synthetic_make(spec, p, seed, &w, &e) < 0) {
        (void)printf("# %s: %s\n", spec, e.text);
        return 1;
    }
    struct sim_setup setup = {
        .policy = p,
        .workload = w,
        .seed = seed,
        .faults = o->faults,
        .n_faults = (int)random_range(&r, 1, 12),
        .faults_until = random_range(&r, 10, 90) * USEC_PER_MINUTE,
        .until_step = o->until_step,
        .on_step = o->verbose || o->until_step ? on_step : NULL,
        .say = o->verbose ? say : NULL,
        .userdata = (void *)o,
    };
    sim_run(&setup, &result);
    for (int i = 0; i < result.violations && i < (o->runs == 1 ? SIM_VIOLATIONS_SHOWN : 1); i++)
        if (totals->violated < SHOWN)
            (void)printf("# %s\n", result.violation[i]);
    totals->violated += result.violations > 0;
    totals->runs++;
    totals->steps += result.steps;
    totals->looks += result.looks;
    totals->jobs += result.jobs_done;
    totals->vms += result.vms_started;
    totals->held += result.jobs_held;
    totals->faults += result.faults;
    for (int i = 0; i < FAULT_COUNT; i++)
        totals->faults_of[i] += result.faults_of[i];
    for (int c = 0; c < FILTER_CALLS; c++) {
        totals->calls[c] += result.calls[c];
        for (int f = 0; f < FILTER_EFFECTS; f++)
            totals->struck[c][f] += result.struck[c][f];
    }
    totals->violations += result.violations;
    totals->unseen += result.unseen;
    totals->unseen_claimed += result.unseen_claimed;
    sim_result_done(&result);
    return 0;
}

static void print_faults(const struct totals *t)
{
    (void)printf("# %" PRId64 " faults struck:", t->faults);
    for (int i = 0; i < FAULT_COUNT; i++)
        if (t->faults_of[i])
            (void)printf(" %s %" PRId64, fault_name((enum fault)i), t->faults_of[i]);
    (void)printf("\n");
}

static void print_calls(const struct totals *t)
{
    for (int c = 0; c < FILTER_CALLS; c++) {
        if (!t->calls[c])
            continue;
        (void)printf("# of %" PRId64 " calls of %s:", t->calls[c],
                     filter_call_name((enum filter_call)c));
        for (int f = FILTER_DELAY; f < FILTER_EFFECTS; f++)
            if (filter_applies((enum filter_call)c, (enum filter_effect)f))
                (void)printf(" %s %" PRId64, filter_effect_name((enum filter_effect)f),
                             t->struck[c][f]);
        (void)printf("\n");
    }
}

static int run(const struct options *o, struct config *const *configs, size_t n)
{
    struct totals t = {0};
    clock_t from = clock();
    uint64_t seed = o->seed;
    for (; o->runs ? t.runs < o->runs : t.steps < o->steps; seed++) {
        struct random r = {~seed};
        if (simulate(o, seed, config_policy(configs[random_next(&r) % n]), &t) != 0)
            return 1;
    }
    fault_set struck = 0;
    for (int i = 0; i < FAULT_COUNT; i++)
        struck |= t.faults_of[i] ? UINT64_C(1) << i : 0;
    bool all = o->runs || struck == o->faults;
    (void)printf("1..2\n%s 1 - %" PRId64 " steps of seeds %" PRIu64 " to %" PRIu64
                 ", %" PRId64 " violations\n", t.violations ? "not ok" : "ok", t.steps, o->seed,
                 seed - 1, t.violations);
    (void)printf("%s 2 - %d kinds of faults struck of %d\n", all ? "ok" : "not ok",
                 __builtin_popcountll(struck), __builtin_popcountll(o->faults));
    print_faults(&t);
    print_calls(&t);
    (void)printf("# %" PRId64 " runs, %" PRId64 " looks, %" PRId64 " jobs done, %" PRId64
                 " held, %" PRId64 " VMs, %" PRId64 " VMs joined unseen and were destroyed, %" PRId64
                 " with a job; %.0f s of processor time\n",
                 t.runs, t.looks, t.jobs, t.held, t.vms, t.unseen, t.unseen_claimed,
                 (double)(clock() - from) / CLOCKS_PER_SEC);
    (void)printf("# again, a run: simulation --seed SEED --runs 1 [--until-step STEP --verbose] %s\n",
                 o->folder);
    return t.violations > 0 || !all;
}

static int parse(struct options *o, int argc, char **argv)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'}, {"runs", required_argument, NULL, 'r'},
        {"steps", required_argument, NULL, 'n'}, {"until-step", required_argument, NULL, 'u'},
        {"faults", required_argument, NULL, 'f'}, {"verbose", no_argument, NULL, 'v'}, {0},
    };
    struct err e;
    int c;
    while ((c = getopt_long(argc, argv, "", known, NULL)) >= 0) {
        if (c == 's')
            o->seed = strtoull(optarg, NULL, 10);
        else if (c == 'r')
            o->runs = strtoll(optarg, NULL, 10);
        else if (c == 'n')
            o->steps = strtoll(optarg, NULL, 10);
        else if (c == 'u')
            o->until_step = strtoll(optarg, NULL, 10);
        else if (c == 'v')
            o->verbose = true;
        else if (c != 'f')
            return usage();
        else if (fault_parse(optarg, &o->faults, &e) < 0) {
            (void)fprintf(stderr, "%s\n", e.text);
            return 64;
        }
    }
    if (optind != argc - 1)
        return usage();
    o->folder = argv[optind];
    return 0;
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .steps = 1000, .faults = FAULTS_ALL};
    struct config *configs[16];
    size_t n = 0;
    glob_t found;
    int r = parse(&o, argc, argv);
    if (r != 0)
        return r;
    AUTOFREE char *pattern = mem_printf("%s/*.yaml", o.folder);
    if (glob(pattern, 0, NULL, &found) != 0) {
        (void)fprintf(stderr, "%s: no policies\n", pattern);
        return 1;
    }
    for (size_t i = 0; i < found.gl_pathc && n < ARRAY_SIZE(configs); i++) {
        AUTOFREE char *messages = NULL;
        if (config_load(found.gl_pathv[i], &configs[n], &messages) < 0) {
            (void)fprintf(stderr, "%s", messages);
            return 1;
        }
        n++;
    }
    r = run(&o, configs, n);
    while (n > 0)
        (void)config_free(configs[--n]);
    globfree(&found);
    return r;
}
