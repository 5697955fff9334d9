#include "doctor/gate.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "act/fragment.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

const struct knob_rule gate_knobs[GATE_KNOBS] = {
    {.name = "EYRIE_REVISION_@KNOB@"},
    {.name = "EYRIE_SHARES_REVISION_@KNOB@"},
    {.name = "LOCAL_CONFIG_DIR"},
};

static const char *folder_of(struct visit *v, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash > path ? visit_text(v, "%.*s", (int)(slash - path), path) : "/";
}

static bool names_folder(const char *list, const char *folder)
{
    size_t length = strlen(folder);
    for (const char *p = list; *p; p += strspn(p, ", \t")) {
        size_t n = strcspn(p, ", \t");
        size_t bare = n > 1 && p[n - 1] == '/' ? n - 1 : n;
        if (bare == length && strncmp(p, folder, length) == 0)
            return true;
        p += n;
    }
    return false;
}

/* The folder of the fragment: there, and one that the schedd reads. True when it is. */
static bool judge_folder(struct visit *v, const struct gate *g, const struct knobs *k)
{
    const char *folder = folder_of(v, g->target->path);
    const struct knob *list = knobs_find(k, "LOCAL_CONFIG_DIR");
    bool there = access(folder, F_OK) == 0;
    bool read = list && list->value && names_folder(list->value, folder);
    if (!there)
        visit_wrong(v, g->check, g->target->name, visit_text(v, "there is no folder %s", folder),
                    g->why, visit_text(v, "install -d -o eyrie -g eyrie %s", folder));
    if (!read)
        visit_wrong(v, g->check, g->target->name,
                    visit_text(v, "the daemon does not read %s (its LOCAL_CONFIG_DIR is \"%s\")",
                               folder, list && list->value ? list->value : ""),
                    g->why,
                    visit_text(v,
                               "on %s: echo 'LOCAL_CONFIG_DIR = $(LOCAL_CONFIG_DIR), %s' "
                               ">>/etc/condor/config.d/50-eyrie-site.conf; condor_reconfig",
                               g->machine, folder));
    return there && read;
}

/* What eyried would put in place, and what is there now. False after noting why it cannot tell. */
static bool look_at_fragment(struct visit *v, const struct gate *g, struct world_flock *ret,
                             struct flocking **ret_flocking)
{
    const char *path = visit_text(v, "%s/%s", v->policy->paths.fragments, g->target->file);
    CLEANUP(text_done) struct text template_text = {0};
    struct err e;
    int r = fragment_read(path, LIMIT_CONFIG_BYTES, &template_text, &e);
    if (r == -ENOENT)
        (void)err_set(&e, ENOENT, "there is no %s", path);
    if (r >= 0)
        r = flock_new(v->loop, v->policy, g->target, text_get(&template_text), ret_flocking, &e);
    if (r < 0) {
        visit_wrong(
            v, g->check, g->target->name, e.text, "eyried makes the fragment from this file",
            visit_text(v, "install Eyrie (meson install), or set paths.fragments in %s", v->file));
        return false;
    }
    flock_want(*ret_flocking, true);
    flock_fill(*ret_flocking, ret);
    return true;
}

/* The fragment is in the file and in the daemon. True when its knobs should be in force. */
static bool judge_fragment(struct visit *v, const struct gate *g, const struct world_flock *w,
                           const char *believed, bool read)
{
    bool wanted = v->ran_here && !v->left;
    if (!*w->present && !*believed) {
        if (wanted)
            visit_wrong(v, g->check, g->target->name,
                        visit_text(v, "there is no %s", g->target->path), g->why,
                        "eyrie flock apply (eyried must run, and be able to write there)");
        else
            visit_ok(v, g->check, g->target->name,
                     v->left ? "the fragment is gone, as eyrie flock remove "
                               "wanted it"
                             : "no fragment yet; eyried will put it in place");
        return false;
    }
    if (!*w->present) {
        visit_wrong(
            v, g->check, g->target->name,
            visit_text(v, "%s is gone, and the daemon still goes by it", g->target->path),
            "it stops with its next reconfiguration",
            visit_text(v, "eyrie flock apply; or to leave: condor_reconfig on %s", g->machine));
        return true;
    }
    if (strcmp(w->present, w->wanted) != 0) {
        visit_wrong(v, g->check, g->target->name,
                    strcmp(w->present, "?") == 0
                        ? visit_text(v, "the fragment cannot be read: %s", w->error)
                        : visit_text(v, "%s is not what this policy makes of the fragment",
                                     g->target->path),
                    "somebody edited it, or eyried goes by another policy than this one",
                    "eyrie flock diff shows where; then eyrie reload, or eyrie flock apply");
        return *believed;
    }
    if (strcmp(believed, w->wanted) != 0 && read) {
        visit_wrong(v, g->check, g->target->name,
                    visit_text(v, "the fragment is in place, and the daemon has %s",
                               *believed ? "an older one" : "not read it"),
                    g->why,
                    visit_text(v, "condor_reconfig %s, on %s", g->target->daemon, g->machine));
        return false;
    }
    if (strcmp(believed, w->wanted) == 0)
        visit_ok(v, g->check, g->target->name, "the daemon goes by the fragment %s",
                 g->target->path);
    return strcmp(believed, w->wanted) == 0;
}

/* The file is on the daemon's machine: what the daemon says is all that is seen from here. */
static bool judge_agent(struct visit *v, const struct gate *g, const struct world_flock *w,
                        const char *believed)
{
    bool in_force = strcmp(believed, w->wanted) == 0;
    if (in_force)
        visit_ok(v, g->check, g->target->name,
                 "the daemon goes by the fragment that its agent keeps");
    else if (v->left || !v->ran_here)
        visit_ok(v, g->check, g->target->name,
                 v->left ? "its agent takes the fragment away, as eyrie flock remove wanted it"
                         : "no fragment yet; its agent will put it in place: eyrie agent add");
    else
        visit_wrong(
            v, g->check, g->target->name,
            visit_text(v, "the daemon has %s, and its agent should have seen to that",
                       *believed ? "another fragment than this policy makes" : "read no fragment"),
            g->why,
            visit_text(v,
                       "eyrie agent (has one joined, and what does it say?); on %s: "
                       "systemctl status eyrie-agent",
                       g->machine));
    return in_force;
}

bool gate_judge(struct visit *v, const struct gate *g, const struct knobs *k)
{
    struct flocking *flocking = NULL;
    struct world_flock w = {0};
    bool agent = strcmp(g->target->path, POLICY_AGENT) == 0;
    bool read = agent || judge_folder(v, g, k);
    const struct knob *knob =
        knobs_find(k, knobs_fill(v, visit_text(v, "%s_@KNOB@", g->target->knob)));
    const char *believed = knob && knob->value ? knob->value : "";
    bool in_force =
        look_at_fragment(v, g, &w, &flocking) &&
        (agent ? judge_agent(v, g, &w, believed) : judge_fragment(v, g, &w, believed, read));
    (void)flock_free(flocking);
    return in_force;
}
