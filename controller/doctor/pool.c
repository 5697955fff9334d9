/* The virtual pool's central manager: it answers, its knobs, our rights there, its clock. */
#include <string.h>

#include "base/mem.h"
#include "doctor/checks.h"
#include "doctor/clock.h"
#include "doctor/gate.h"

static const struct knob_rule collector_rules[] = {
    {"TRUST_DOMAIN", KNOB_IS, "@TRUST_DOMAIN@", false,
     "VMs' tokens are made for the trust domain in the policy; the collector refuses all others"},
    {"ALLOW_ADVERTISE_STARTD", KNOB_CONTAINS, "vm-*@@TRUST_DOMAIN@", false,
     "VMs show tokens of these names; without them no VM joins"},
    {"COLLECTOR_REQUIREMENTS", KNOB_CONTAINS, "EyrieUUID", false,
     "a VM whose root user is not to be trusted could send ads in the name of other VMs"},
    {"CLASSAD_LIFETIME", KNOB_AT_MOST, "3600", true,
     "so long, in seconds, jobs are matched to daemons that died without a word"},
};

static const struct knob_rule negotiator_rules[] = {
    {"NEGOTIATOR_INTERVAL", KNOB_AT_MOST, "300", true,
     "so long, in seconds, a new VM may wait for its first job"},
    {"NEGOTIATOR_CYCLE_DELAY", KNOB_AT_MOST, "300", true,
     "so long, in seconds, a new VM may wait for its first job"},
    {"NEGOTIATOR_CONSIDER_PREEMPTION", KNOB_IS, "false", false,
     "a running job could be put off for another; Eyrie promises that none is"},
};

struct right {
    const char *name;
    const char *lets; /* what it is for */
    const char *why;
};

static const struct right rights[] = {
    {"ADMINISTRATOR", "drain VMs",
     "VMs that nobody needs stay up, and old ones are never replaced"},
    {"ADVERTISE_STARTD", "take the slots of gone VMs away",
     "jobs are matched to slots of VMs that are gone until their ads expire"},
    {"ADVERTISE_MASTER", "take the masters' ads of gone VMs away",
     "ads of VMs that are gone stay until they expire"},
};

static void right_told(struct visit *v, const void *about, const struct child_result *r)
{
    const struct right *right = about;
    if (!r->error)
        visit_ok(v, CHECK_RIGHTS, "", "eyried may %s (%s)", right->lets, right->name);
    else
        visit_wrong(v, CHECK_RIGHTS, "",
                    visit_text(v, "eyried may not %s (no right %s at %s): %s", right->lets,
                               right->name, v->policy->pool.central_manager, visit_reason(v, r)),
                    right->why,
                    visit_text(v,
                               "on %s: ALLOW_%s names the identity of eyried's token "
                               "(flock-config/virtual-cm.conf, @CONTROLLER@); condor_reconfig",
                               v->policy->pool.central_manager, right->name));
}

static void ask_right(struct visit *v, const struct right *right)
{
    visit_send(v, &(struct errand_args){
                      .argv = (const char *const[]){"condor_ping", "-pool",
                                                    v->policy->pool.central_manager, "-type",
                                                    "COLLECTOR", "-verbose", right->name, NULL},
                      .tools = v->policy->pool.tools,
                      .about = right,
                      .done = right_told});
}

struct daemon {
    const char *flag;
    enum check_id check;
    const struct knob_rule *rules;
    size_t n_rules;
};

static const struct daemon daemons[] = {
    {"-collector", CHECK_COLLECTOR, collector_rules, ARRAY_SIZE(collector_rules)},
    {"-negotiator", CHECK_NEGOTIATOR, negotiator_rules, ARRAY_SIZE(negotiator_rules)},
};

/* The groups' shares, where eyried keeps them. */
static void judge_shares(struct visit *v, const struct knobs *k)
{
    const struct flock_target target = flock_of_shares(
        v->policy->pool.central_manager, v->policy->pool.shares, v->policy->pool.tools);
    const struct gate gate = {
        .check = CHECK_SHARES,
        .target = &target,
        .machine = "the virtual pool's central manager",
        .why = "VMs are handed out by what users have used, not by the groups' shares",
    };
    if (*target.path)
        (void)gate_judge(v, &gate, k);
}

static void knobs_told(struct visit *v, const void *about, const struct child_result *r)
{
    const struct daemon *d = about;
    struct knobs k = knobs_parse(v->arena, r->output, r->messages);
    if (r->end == CHILD_EXITED && k.n > 0 && d->check == CHECK_NEGOTIATOR)
        judge_shares(v, &k);
    if (r->end == CHILD_EXITED && k.n > 0)
        knobs_judge(v, d->check, "", &k, d->rules, d->n_rules, v->policy->pool.central_manager,
                    NULL);
    else
        visit_wrong(v, d->check, "",
                    visit_text(v, "the %s of %s does not tell its configuration: %s", d->flag + 1,
                               v->policy->pool.central_manager, visit_reason(v, r)),
                    "without a collector no VM joins, without a negotiator none gets a job",
                    visit_text(v, "on %s: condor_status -any; is %s in its DAEMON_LIST?",
                               v->policy->pool.central_manager, d->flag + 1));
}

static void answer_told(struct visit *v, const void *about, const struct child_result *r)
{
    const char *pool = v->policy->pool.central_manager;
    (void)about;
    if (r->error) {
        visit_wrong(
            v, CHECK_COLLECTOR, "",
            visit_text(v, "the collector %s does not answer: %s", pool, visit_reason(v, r)),
            "eyried sees no slots: nothing is started, drained or destroyed",
            visit_text(v,
                       "condor_ping -pool %s -type COLLECTOR -verbose READ (does it run? is "
                       "there a token of %s in SEC_TOKEN_DIRECTORY?)",
                       pool, v->policy->pool.trust_domain));
        visit_skip(v, CHECK_RIGHTS, "", "not asked: the collector does not answer");
        visit_skip(v, CHECK_TOKEN, "", "not tried: the collector does not answer");
        return;
    }
    visit_ok(v, CHECK_COLLECTOR, "", "the collector %s answers", pool);
    /* -pool would want -name too, and the collector's name is not known. */
    const char *const environment[] = {visit_text(v, "_CONDOR_COLLECTOR_HOST=%s", pool), NULL};
    for (size_t i = 0; i < ARRAY_SIZE(daemons); i++) {
        const char *const head[] = {"condor_config_val", daemons[i].flag, "-verbose", NULL};
        const char *const *argv = knobs_argv(v, head, gate_knobs, GATE_KNOBS);
        visit_send(v, &(struct errand_args){
                          .argv = knobs_argv(v, argv, daemons[i].rules, daemons[i].n_rules),
                          .environment = environment,
                          .tools = v->policy->pool.tools,
                          .about = &daemons[i],
                          .done = knobs_told});
    }
    for (size_t i = 0; i < ARRAY_SIZE(rights); i++)
        ask_right(v, &rights[i]);
    token_begin(v);
    slots_begin(v);
    flocking_judge(v);
    clock_ask_collector(v, pool);
}

void pool_begin(struct visit *v)
{
    visit_send(v, &(struct errand_args){
                      .argv = (const char *const[]){"condor_ping", "-pool",
                                                    v->policy->pool.central_manager, "-type",
                                                    "COLLECTOR", "-verbose", "READ", NULL},
                      .tools = v->policy->pool.tools,
                      .done = answer_told});
}
