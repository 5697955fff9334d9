/* The VMs: what they are told when they start, and what those that run say of themselves. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "act/fragment.h"
#include "act/seed.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/checks.h"
#include "doctor/clock.h"
#include "doctor/knob.h"
#include "doctor/scratch.h"

/* Each finding about slots names so many of them. */
enum { NAMED_MAX = 3, PINGED_MAX = 3, DAY_SECONDS = 24 * 3600 };

static const struct knob_rule vm_rules[] = {
    {"COLLECTOR_HOST", KNOB_CONTAINS, "@CENTRAL_MANAGER@", false, "the VM would join another pool"},
    {"TRUST_DOMAIN", KNOB_IS, "@TRUST_DOMAIN@", false, "its token is for this trust domain only"},
    {"START", KNOB_CONTAINS, "@FLAG@", false, "jobs that nobody flagged would run in the VM"},
    {"MAXJOBRETIREMENTTIME", KNOB_AT_LEAST, "86400", false,
     "a drain lets a job run only so many seconds, then it is evicted"},
    {"STARTD_ATTRS", KNOB_HAS, "EyrieUUID", false, "eyried would not know the VM's slots"},
};

struct reading {
    const char *path;
    struct scratch scratch;
};

static void fragment_told(struct visit *v, const void *about, const struct child_result *r)
{
    struct reading *reading = (struct reading *)about;
    struct knobs k = knobs_parse(v->arena, r->output, r->messages);
    scratch_done(&reading->scratch);
    if (r->end != CHILD_EXITED || k.n == 0) {
        visit_wrong(v, CHECK_FRAGMENT, reading->path,
                    visit_text(v, "HTCondor's parser refuses it: %s", visit_reason(v, r)),
                    "each VM starts HTCondor with this configuration",
                    "install Eyrie again (meson install), or mend the file");
        return;
    }
    for (size_t i = 0; i < k.n; i++)
        k.rows[i].at = reading->path; /* not the copy that the tool read */
    knobs_judge(v, CHECK_FRAGMENT, reading->path, &k, vm_rules, ARRAY_SIZE(vm_rules),
                "this machine", NULL);
}

void fragment_begin(struct visit *v)
{
    static const char before[] = "CONFIG\n";
    const char *path = visit_text(v, "%s/vm-startd.conf", v->policy->paths.fragments);
    const struct seed_vm vm = {.name = "doctor",
                               .uuid = "e791e000-0000-4000-8000-000000000001",
                               .group = "doctor",
                               .token = ""};
    CLEANUP(text_done) struct text template_text = {0};
    CLEANUP(text_done) struct text seed = {0};
    struct reading *reading = arena_take(v->arena, 1, sizeof(*reading));
    struct err e;
    reading->path = path;
    int r = fragment_read(path, LIMIT_CONFIG_BYTES, &template_text, &e);
    if (r == -ENOENT)
        (void)err_set(&e, ENOENT, "it is not there");
    if (r >= 0)
        r = seed_render(v->policy, &v->policy->templates[0], &vm, text_get(&template_text), &seed,
                        &e);
    if (r < 0) {
        visit_wrong(
            v, CHECK_FRAGMENT, path, e.text, "eyried makes each VM's configuration from it",
            visit_text(v, "install Eyrie (meson install), or set paths.fragments in %s", v->file));
        return;
    }
    const char *config = strstr(text_get(&seed), before);
    if (scratch_write("vm.conf", config ? config + strlen(before) : "", &reading->scratch, &e) <
        0) {
        visit_skip(v, CHECK_FRAGMENT, path, "it cannot be read by HTCondor: %s", e.text);
        return;
    }
    const char *const head[] = {"condor_config_val", "-verbose", NULL};
    const char *const environment[] = {visit_text(v, "CONDOR_CONFIG=%s", reading->scratch.file),
                                       NULL};
    visit_send(v, &(struct errand_args){.argv = knobs_argv(v, head, vm_rules, ARRAY_SIZE(vm_rules)),
                                        .environment = environment,
                                        .tools = v->policy->pool.tools,
                                        .about = reading,
                                        .done = fragment_told});
}

/* Refused for the check (10003) is as far as one may go; 10001: it drains already (23.9.6). */
static void drain_told(struct visit *v, const void *about, const struct child_result *r)
{
    const char *name = about;
    if (!r->error || strstr(r->messages, "error code 10003") ||
        strstr(r->messages, "error code 10001"))
        visit_ok(v, CHECK_SLOTS, name, "eyried may drain it");
    else
        visit_wrong(
            v, CHECK_SLOTS, name, visit_text(v, "eyried may not drain it: %s", visit_reason(v, r)),
            "this VM stays up when nobody needs it",
            "SEC_ENABLE_REMOTE_ADMINISTRATION = true in the image's HTCondor (the default), "
            "and ALLOW_ADMINISTRATOR on the central manager");
}

/* A drain on a condition that never holds. condor_ping would not do: the right to drain comes from
 * the collector, which passes it on to its administrators' condor_drain
 * (SEC_ENABLE_REMOTE_ADMINISTRATION). */
static void ask_drain(struct visit *v, const char *machine)
{
    visit_send(v, &(struct errand_args){
                      .argv = (const char *const[]){"condor_drain", "-pool",
                                                    v->policy->pool.central_manager, "-graceful",
                                                    "-check", "false", machine, NULL},
                      .tools = v->policy->pool.tools,
                      .about = machine,
                      .done = drain_told});
}

/* Names of slots for a sentence, and how many there are in all. */
struct names {
    struct text text;
    size_t n;
};

static void names_add(struct names *names, const char *name)
{
    if (names->n++ < NAMED_MAX)
        text_printf(&names->text, "%s%s", names->n > 1 ? ", " : "", name);
}

static void judge_slots(struct visit *v, struct json_object *ads)
{
    struct names strangers = {0}, evict = {0}, late = {0};
    size_t n = json_object_array_length(ads), pinged = 0;
    const char *last = "";
    for (size_t i = 0; i < n; i++) {
        struct json_object *ad = json_object_array_get_idx(ads, i);
        const char *name = json_string_or(ad, "Name", "?");
        int64_t retirement = json_int_or(ad, "MaxJobRetirementTime", -1);
        if (strcmp(json_string_or(ad, "EyriePool", ""), v->policy->pool.name) != 0) {
            names_add(&strangers, name);
            continue;
        }
        if (retirement >= 0 && retirement < DAY_SECONDS)
            names_add(&evict, name);
        int64_t shown = json_int_or(ad, "MyCurrentTime", 0),
                heard = json_int_or(ad, "LastHeardFrom", 0);
        if (shown && heard && clock_differs(shown, heard))
            names_add(&late, name);
        const char *machine = json_string_or(ad, "Machine", name);
        if (strcmp(machine, last) != 0 && pinged++ < PINGED_MAX)
            ask_drain(v, visit_text(v, "%s", machine));
        last = machine;
    }
    if (strangers.n)
        visit_wrong(v, CHECK_SLOTS, "",
                    visit_text(v, "%zu slots of the virtual pool are not of Eyrie's VMs: %s",
                               strangers.n, text_get(&strangers.text)),
                    "flagged jobs may be matched to them, and nobody drains or counts them",
                    visit_text(v,
                               "condor_status -pool %s -constraint 'EyriePool isnt \"%s\"'; is "
                               "COLLECTOR_REQUIREMENTS that of flock-config/virtual-cm.conf?",
                               v->policy->pool.central_manager, v->policy->pool.name));
    if (evict.n)
        visit_wrong(v, CHECK_SLOTS, "",
                    visit_text(v, "%zu slots have a MaxJobRetirementTime of less than a day: %s",
                               evict.n, text_get(&evict.text)),
                    "a drain of such a VM evicts its jobs",
                    "take MAXJOBRETIREMENTTIME out of the image's own HTCondor configuration");
    if (late.n)
        visit_wrong(
            v, CHECK_SLOTS, "",
            visit_text(v, "the clocks of %zu slots are wrong: %s", late.n, text_get(&late.text)),
            "their tokens are not yet valid or no longer, and their ads look old",
            "mend the clock of their host; <clock offset='utc'/> in the domain XML");
    if (!strangers.n && !evict.n && !late.n)
        visit_ok(v, CHECK_SLOTS, "", "%zu slots, all of Eyrie's VMs; their clocks are right", n);
    text_done(&strangers.text);
    text_done(&evict.text);
    text_done(&late.text);
}

static void slots_told(struct visit *v, const void *about, const struct child_result *r)
{
    struct json_object *value = NULL;
    (void)about;
    if (!r->error && r->output_length == 0) {
        visit_ok(v, CHECK_SLOTS, "", "no VM has a slot now");
        return;
    }
    if (r->error || json_parse(r->output, r->output_length, &value, NULL) < 0 ||
        !json_object_is_type(value, json_type_array)) {
        (void)json_object_put(value);
        visit_wrong(v, CHECK_SLOTS, "",
                    visit_text(v, "the slots cannot be read: %s", visit_reason(v, r)),
                    "eyried sees no slots: nothing is started, drained or destroyed",
                    visit_text(v, "condor_status -pool %s", v->policy->pool.central_manager));
        return;
    }
    AUTOJSON struct json_object *ads = value;
    judge_slots(v, ads);
}

void slots_begin(struct visit *v)
{
    visit_send(v,
               &(struct errand_args){
                   .argv =
                       (const char *const[]){
                           "condor_status", "-pool", v->policy->pool.central_manager, "-attributes",
                           "Name,Machine,EyriePool,MaxJobRetirementTime,MyCurrentTime,"
                           "LastHeardFrom",
                           "-json", NULL},
                   .tools = v->policy->pool.tools,
                   .done = slots_told});
}
