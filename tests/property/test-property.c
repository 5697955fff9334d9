/*
 * Random sites, held to every rule. A failure prints the seed and the number of the world, and
 * writes the world as JSON; the same seed and number give the same site again.
 *
 * usage: test-property [--seed N] [--worlds N] [--world K] [--all] [--folder DIR]
 *   --world K   only world K, and print its plan and the one after it
 *   --all       go on after the first failure; prints some, and how often each rule was broken
 *   --folder    where the worlds that fail are written (default: the current one)
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "property/site.h"
#include "property/trial.h"
#include "property/vary.h"
#include "record/world.h"

enum { SHOWN_MOST = 20 };

struct options {
    uint64_t seed, worlds, only;
    bool one, all;
    const char *folder;
};

/* What the worlds were like: a generator that never gets anywhere proves nothing. */
struct tally {
    uint64_t worlds, failed, frozen, vms;
    uint64_t actions[ACTION_KIND_COUNT], states[VM_STATE_COUNT], reasons[REASON_COUNT];
    struct {
        const char *rule;
        uint64_t broken, first;
    } rules[64];
};

static void write_world(const struct options *o, uint64_t number, const struct world *w)
{
    AUTOFREE char *path =
        mem_printf("%s/world-%" PRIu64 "-%" PRIu64 ".json", o->folder, o->seed, number);
    AUTOJSON struct json_object *json = world_to_json(w);
    if (json_object_to_file_ext(path, json, JSON_C_TO_STRING_PRETTY) == 0)
        (void)printf("#   world: %s\n", path);
}

static void count_rule(struct tally *tally, const char *rule, uint64_t number)
{
    size_t i = 0;
    while (tally->rules[i].rule && tally->rules[i].rule != rule)
        i++;
    if (!tally->rules[i].rule)
        tally->rules[i].first = number;
    tally->rules[i].rule = rule;
    tally->rules[i].broken++;
}

static void count(struct tally *tally, const struct trial *t)
{
    tally->worlds++;
    tally->frozen += t->plan->frozen.code != 0;
    tally->vms += t->plan->n_vms;
    for (size_t i = 0; i < t->plan->n_actions; i++) {
        tally->actions[t->plan->actions[i].kind]++;
        tally->reasons[t->plan->actions[i].reason.code]++;
    }
    for (size_t i = 0; i < t->plan->n_shapes; i++)
        tally->reasons[t->plan->shapes[i].reason.code]++;
    for (size_t i = 0; i < t->plan->n_vms; i++) {
        tally->states[t->plan->vms[i].state]++;
        tally->reasons[t->plan->vms[i].reason.code]++;
    }
    for (size_t i = 0; i < t->plan->n_groups; i++)
        tally->reasons[t->plan->groups[i].limited.code]++;
}

/* A plan that never ends must be found too: the alarm says which world it was. */
static char current[128];

static void never_ended(int signal)
{
    (void)signal;
    if (write(STDOUT_FILENO, current, strlen(current)) < 0)
        _exit(2);
    _exit(1);
}

static void watch(const struct options *o, uint64_t number)
{
    enum { SECONDS = 30 };
    (void)snprintf(current, sizeof(current),
                   "not ok 1 - a plan ends: --seed %" PRIu64 " --world %" PRIu64 "\n1..1\n",
                   o->seed, number);
    (void)signal(SIGALRM, never_ended);
    (void)alarm(SECONDS);
}

static bool run(const struct options *o, uint64_t number, struct tally *tally)
{
    watch(o, number);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct draw d = draw_from_seed(o->seed, number);
    struct trial t = trial_make(a, &d);
    const char *rule = "";
    struct err e = {""};
    int r = trial_check(&t, &rule, &e);
    count(tally, &t);
    if (o->one) {
        CLEANUP(text_done) struct text text = {0};
        plan_render(t.plan, &text);
        text_add(&text, "-- and once it was carried out:\n");
        plan_render(plan_make(a, t.policy, vary_carried_out(&t)), &text);
        (void)printf("%s", text_get(&text));
        write_world(o, number, t.world);
    }
    if (r == 0)
        return true;
    tally->failed++;
    count_rule(tally, rule, number);
    if (tally->failed > SHOWN_MOST)
        return false;
    (void)printf("# broken: %s\n#   %s\n#   again: --seed %" PRIu64 " --world %" PRIu64 "\n", rule,
                 e.text, o->seed, number);
    if (!o->one && tally->failed == 1)
        write_world(o, number, t.world);
    return false;
}

static void print_tally(const struct tally *tally)
{
    (void)printf("# %" PRIu64 " worlds, %" PRIu64 " frozen, %.1f VMs each; actions:", tally->worlds,
                 tally->frozen, (double)tally->vms / (double)(tally->worlds ? tally->worlds : 1));
    for (int i = 0; i < ACTION_KIND_COUNT; i++)
        (void)printf(" %s %" PRIu64, action_kind_name((enum action_kind)i), tally->actions[i]);
    (void)printf("; VMs:");
    for (int i = 0; i < VM_STATE_COUNT; i++)
        (void)printf(" %s %" PRIu64, vm_state_name((enum vm_state)i), tally->states[i]);
    (void)printf("\n# reasons never given:");
    for (int i = 1; i < REASON_COUNT; i++)
        if (!tally->reasons[i])
            (void)printf(" %s", reason_name((enum reason_code)i));
    (void)printf("\n");
    for (size_t i = 0; tally->rules[i].rule; i++)
        (void)printf("# broken %" PRIu64 " times, first by world %" PRIu64 ": %s\n",
                     tally->rules[i].broken, tally->rules[i].first, tally->rules[i].rule);
}

static void read_options(int argc, char **argv, struct options *o)
{
    static const struct option known[] = {
        {"seed", required_argument, NULL, 's'},
        {"worlds", required_argument, NULL, 'n'},
        {"world", required_argument, NULL, 'w'},
        {"all", no_argument, NULL, 'a'},
        {"folder", required_argument, NULL, 'f'},
        {0},
    };
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
        if (c == 's')
            o->seed = strtoull(optarg, NULL, 10);
        else if (c == 'n')
            o->worlds = strtoull(optarg, NULL, 10);
        else if (c == 'a')
            o->all = true;
        else if (c == 'f')
            o->folder = optarg;
        else if (c == 'w') {
            o->one = true;
            o->only = strtoull(optarg, NULL, 10);
        } else
            exit(64);
    }
}

int main(int argc, char **argv)
{
    struct options o = {.seed = 1, .worlds = 1000, .folder = "."};
    static struct tally tally;
    read_options(argc, argv, &o);
    for (uint64_t i = o.one ? o.only : 0; i < (o.one ? o.only + 1 : o.worlds); i++)
        if (!run(&o, i, &tally) && !o.all)
            break;
    print_tally(&tally);
    (void)printf("%s 1 - %" PRIu64 " random worlds of seed %" PRIu64 " keep every rule\n1..1\n",
                 tally.failed ? "not ok" : "ok", tally.worlds, o.seed);
    (void)printf("# again, a world: test-property --seed %" PRIu64 " --world K\n", o.seed);
    return tally.failed > 0;
}
