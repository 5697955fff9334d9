/*
 * The main schedds: their queue can be read, they can be made to read the fragment, they have it as
 * it should be, and they may tell the virtual pool of their jobs. A running daemon is asked itself:
 * what is in a file may be overridden by another, or not have been read.
 */
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "doctor/checks.h"
#include "doctor/clock.h"
#include "doctor/gate.h"
#include "doctor/negotiators.h"

static const struct knob_rule gate_rules[] = {
    {"FLOCK_TO", KNOB_HAS, "@CENTRAL_MANAGER@", false,
     "the schedd tells only the pools named there of its jobs"},
    {"FLOCK_BY_DEFAULT", KNOB_IS, "false", false,
     "jobs that nobody flagged flock too, and the VMs refuse them all day"},
    {"MIN_FLOCK_LEVEL", KNOB_AT_LEAST, "1", false,
     "with 0 a user's flagged jobs flock only after the main pool's negotiator left him "
     "unsatisfied"},
    {"JOB_TRANSFORM_NAMES", KNOB_HAS, "Eyrie_@KNOB@", false,
     "this transform makes flagged jobs flock, and keeps them out of the main pool"},
    {"SUBMIT_REQUIREMENT_NAMES", KNOB_HAS, "Eyrie_@KNOB@_pool", false,
     "users could name a group that is not theirs, or undo what the transform did"},
    {"IMMUTABLE_JOB_ATTRS", KNOB_HAS, "@FLAG@", false,
     "users can set the flag on jobs that did not go through the transform: VMs are started for "
     "them, and they never come"},
};

static const struct knob_rule other_rules[] = {
    {"SCHEDD_INTERVAL", KNOB_AT_MOST, "600", true,
     "so often, in seconds, the schedd tells the negotiators of its jobs"},
};

/* Asked for along with these, and with gate_knobs. */
static const struct knob_rule facts[] = {
    {.name = "ALLOW_NEGOTIATOR"},
    {.name = "ALLOW_NEGOTIATOR_SCHEDD"},
};

static void judge_negotiators(struct visit *v, const struct policy_schedd *s, const struct knobs *k)
{
    const struct knob *own = knobs_find(k, "ALLOW_NEGOTIATOR_SCHEDD");
    const struct knob *all = knobs_find(k, "ALLOW_NEGOTIATOR");
    const struct knob *knob = own && own->value ? own : all;
    if (!knob || !knob->value)
        return; /* HTCondor's default names the hosts of FLOCK_TO */
    if (negotiators_admit(knob->value, v->policy->pool.trust_domain,
                          v->policy->pool.central_manager))
        visit_ok(v, CHECK_GATE, s->name, "%s admits the virtual pool's negotiator", knob->name);
    else
        visit_wrong(v, CHECK_GATE, s->name,
                    visit_text(v, "%s is \"%s\" by %s, which does not admit the negotiator of %s",
                               knob->name, knob->value, knob->at, v->policy->pool.central_manager),
                    "the negotiator that would hand out the VMs may not talk to this schedd",
                    visit_text(v,
                               "on the schedd's machine: %s = $(%s), condor@%s in a later file; "
                               "condor_reconfig",
                               knob->name, knob->name, v->policy->pool.trust_domain));
}

static void knobs_told(struct visit *v, const void *about, const struct child_result *r)
{
    const struct policy_schedd *s = about;
    /* Exit status 1 says that some are not defined. */
    struct knobs k = knobs_parse(v->arena, r->output, r->messages);
    if (r->end != CHILD_EXITED || k.n == 0) {
        visit_wrong(
            v, CHECK_GATE, s->name,
            visit_text(v, "the schedd does not tell its configuration: %s", visit_reason(v, r)),
            "eyried cannot see whether the schedd goes by the fragment",
            visit_text(v, "condor_config_val -name %s -pool %s -schedd FLOCK_TO", s->name,
                       s->collector));
        return;
    }
    const struct flock_target target = flock_of_schedd(s->name, s->flock, s->tools);
    const struct gate gate = {
        .check = CHECK_GATE,
        .target = &target,
        .machine = "the schedd's machine",
        .why = "flagged jobs do not flock: they wait, whatever VMs there are",
    };
    if (gate_judge(v, &gate, &k)) {
        knobs_judge(v, CHECK_GATE, s->name, &k, gate_rules, ARRAY_SIZE(gate_rules), gate.machine,
                    visit_text(v, "Eyrie's fragment %s", s->flock));
        judge_negotiators(v, s, &k);
    }
    knobs_judge(v, CHECK_SCHEDD_KNOBS, s->name, &k, other_rules, ARRAY_SIZE(other_rules),
                "the schedd's machine", NULL);
}

static void ask_knobs(struct visit *v, const struct policy_schedd *s)
{
    const char *const head[] = {"condor_config_val", "-name",   s->name,    "-pool",
                                s->collector,        "-schedd", "-verbose", NULL};
    const char *const *argv = knobs_argv(v, head, gate_knobs, GATE_KNOBS);
    argv = knobs_argv(v, argv, facts, ARRAY_SIZE(facts));
    argv = knobs_argv(v, argv, gate_rules, ARRAY_SIZE(gate_rules));
    argv = knobs_argv(v, argv, other_rules, ARRAY_SIZE(other_rules));
    visit_send(
        v, &(struct errand_args){.argv = argv, .tools = s->tools, .about = s, .done = knobs_told});
}

static void reconfigure_told(struct visit *v, const void *about, const struct child_result *r)
{
    const struct policy_schedd *s = about;
    if (!r->error)
        visit_ok(v, CHECK_RECONFIGURE, s->name, "condor_reconfig is allowed");
    else
        visit_wrong(
            v, CHECK_RECONFIGURE, s->name,
            visit_text(v, "condor_reconfig would be refused (no right ADMINISTRATOR): %s",
                       visit_reason(v, r)),
            "the schedd goes on without the fragment, or with an old one, until somebody else "
            "reconfigures it",
            "on the schedd's machine: ALLOW_ADMINISTRATOR = $(ALLOW_ADMINISTRATOR), "
            "eyrie@TRUST_DOMAIN and condor_reconfig; and a token of that identity for eyried");
}

static void clock_told(struct visit *v, const void *about, const struct child_result *r)
{
    const struct policy_schedd *s = about;
    struct json_object *value = NULL;
    if (r->error || !r->output_length ||
        json_parse(r->output, r->output_length, &value, NULL) < 0) {
        visit_skip(v, CHECK_CLOCK, s->name, "%s tells nothing of the schedd", s->collector);
        return;
    }
    AUTOJSON struct json_object *ads = value;
    struct json_object *ad =
        json_object_is_type(ads, json_type_array) ? json_object_array_get_idx(ads, 0) : NULL;
    clock_judge(v, s->name, visit_text(v, "that of the collector %s", s->collector),
                json_int_or(ad, "MyCurrentTime", 0), json_int_or(ad, "LastHeardFrom", 0));
}

static void queue_told(struct visit *v, const void *about, const struct child_result *r)
{
    const struct policy_schedd *s = about;
    if (r->error) {
        visit_wrong(v, CHECK_QUEUE, s->name,
                    visit_text(v, "the queue cannot be read: %s", visit_reason(v, r)),
                    "eyried sees no jobs: nothing is started, and nothing drained either",
                    visit_text(v,
                               "condor_ping -pool %s -name %s -type SCHEDD -verbose READ (does it "
                               "run? is there a token for its pool in SEC_TOKEN_DIRECTORY?)",
                               s->collector, s->name));
        visit_skip(v, CHECK_GATE, s->name, "not asked: the schedd does not answer");
        return;
    }
    visit_ok(v, CHECK_QUEUE, s->name, "the jobs of all users can be read");
    ask_knobs(v, s);
    if (strcmp(s->flock, POLICY_AGENT) != 0) /* its agent reconfigures it */
        visit_send(v, &(struct errand_args){
                          .argv = (const char *const[]){"condor_ping", "-pool", s->collector,
                                                        "-name", s->name, "-type", "SCHEDD",
                                                        "-verbose", "ADMINISTRATOR", NULL},
                          .tools = s->tools,
                          .about = s,
                          .done = reconfigure_told});
    visit_send(v, &(struct errand_args){
                      .argv =
                          (const char *const[]){
                              "condor_status", "-pool", s->collector, "-schedd", "-constraint",
                              visit_text(v, "Name =?= \"%s\"", s->name), "-attributes",
                              "Name,MyCurrentTime,LastHeardFrom", "-json", NULL},
                      .tools = v->policy->pool.tools,
                      .about = s,
                      .done = clock_told});
}

void schedds_begin(struct visit *v)
{
    for (size_t i = 0; i < v->policy->n_schedds; i++) {
        const struct policy_schedd *s = &v->policy->schedds[i];
        bool asked = false;
        for (size_t k = 0; k < i; k++)
            asked = asked || strcmp(v->policy->schedds[k].collector, s->collector) == 0;
        if (!asked)
            clock_ask_collector(v, s->collector);
        visit_send(v, &(struct errand_args){
                          .argv = (const char *const[]){"condor_q", "-name", s->name, "-pool",
                                                        s->collector, "-allusers", "-limit", "1",
                                                        "-af", "ClusterId", NULL},
                          .tools = v->policy->pool.tools,
                          .about = s,
                          .done = queue_told});
    }
}

static void flocking_told(struct visit *v, const void *about, const struct child_result *r)
{
    const struct policy_schedd *s = about;
    v->may_flock[s - v->policy->schedds] = r->error ? visit_reason(v, r) : "";
}

/* Only root holds the schedd's tokens; what came of it is judged once the collector has answered.
 */
void flocking_begin(struct visit *v)
{
    v->may_flock = arena_take(v->arena, v->policy->n_schedds, sizeof(*v->may_flock));
    for (size_t i = 0; i < v->policy->n_schedds && geteuid() == 0; i++)
        visit_send(
            v, &(struct errand_args){.argv = (const char *const[]){"condor_ping", "-pool",
                                                                   v->policy->pool.central_manager,
                                                                   "-type", "COLLECTOR", "-verbose",
                                                                   "ADVERTISE_SCHEDD", NULL},
                                     .tools = v->policy->schedds[i].tools,
                                     .about = &v->policy->schedds[i],
                                     .done = flocking_told});
}

void flocking_judge(struct visit *v)
{
    for (size_t i = 0; i < v->policy->n_schedds; i++) {
        const char *name = v->policy->schedds[i].name, *why_not = v->may_flock[i];
        if (!why_not)
            visit_skip(v, CHECK_FLOCKING, name, "only root can act as the schedd does");
        else if (!*why_not)
            visit_ok(v, CHECK_FLOCKING, name, "it may tell the virtual pool of its jobs");
        else
            visit_wrong(v, CHECK_FLOCKING, name,
                        visit_text(v,
                                   "it may not tell the virtual pool of its jobs (no right "
                                   "ADVERTISE_SCHEDD): %s",
                                   why_not),
                        "the virtual pool's negotiator never hears of flagged jobs: VMs stay idle",
                        visit_text(v,
                                   "on %s: condor_token_create -identity schedd@%s, into "
                                   "/etc/condor/tokens.d of the schedd's machine; and there: "
                                   "ALLOW_ADVERTISE_SCHEDD names that identity",
                                   v->policy->pool.central_manager, v->policy->pool.trust_domain));
    }
}
