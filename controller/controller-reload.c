/*
 * A new policy while the pool runs: on SIGHUP, because an admin asked, or because a file was saved.
 * Files with a mistake change nothing. What a good policy changes, and what it will make of the pool
 * as it is, is said before it is done; then everything that the controller has is made to agree with
 * it, by name. Nothing restarts, and what is under way ends as it began.
 */
#include "controller-parts.h"

#include <string.h>

#include "base/arena.h"
#include "config/config.h"
#include "loop/notify.h"
#include "plan/plan.h"
#include "serve/view.h"

enum { CHANGES_TOLD = 50 }; /* each as an event; the rest is counted */

/* All that must be there before a policy can take over. */
struct candidate {
    struct config *config;
    char *vm_fragment;
    struct flocking **flocks;
};

static void candidate_done(struct candidate *new)
{
    (void)config_free(new->config);
    free(new->vm_fragment);
    *new = (struct candidate){0};
}

static void watch(struct controller *c, const struct config *config)
{
    size_t n_files, n_folders;
    const char *const *files = config_files(config, &n_files);
    const char *const *folders = config_folders(config, &n_folders);
    if (c->files)
        files_watch(c->files, files, n_files, folders, n_folders);
}

/* Load the files and make what the policy needs; 0, or all that is wrong in *ret_messages. */
static int prepare(struct controller *c, struct arena *a, struct candidate *new,
                   struct difference *changes, char **ret_messages)
{
    struct err e;
    int r = config_try(c->policy->file, &new->config, ret_messages);
    watch(c, new->config); /* a file that is mended is read again */
    if (r == 0)
        r = config_compare(c->config, new->config, a, changes, ret_messages);
    if (r < 0)
        return r;
    const struct policy *p = config_policy(new->config);
    new->vm_fragment = controller_read_fragment(p, "vm-startd.conf", &e);
    r = new->vm_fragment ? controller_make_flocks(c, p, &new->flocks, &e) : -1;
    if (r < 0)
        *ret_messages = mem_strdup(e.text);
    return r;
}

static struct record_of_starts *carry_templates(const struct controller *c, const struct policy *new)
{
    struct record_of_starts *starts = mem_new(new->n_templates, sizeof(*starts));
    for (size_t i = 0; i < new->n_templates; i++)
        for (size_t k = 0; k < c->policy->n_templates; k++)
            if (strcmp(c->policy->templates[k].name, new->templates[i].name) == 0)
                starts[i] = c->templates[k];
    return starts;
}

static struct record_of_starts *carry_groups(const struct controller *c, const struct policy *new)
{
    struct record_of_starts *starts = mem_new(new->n_groups, sizeof(*starts));
    for (size_t i = 0; i < new->n_groups; i++)
        for (size_t k = 0; k < c->policy->n_groups; k++)
            if (strcmp(c->policy->groups[k].name, new->groups[i].name) == 0)
                starts[i] = c->groups[k];
    return starts;
}

static void renew_recorder(struct controller *c, const struct policy *old)
{
    const struct policy *p = c->policy;
    if (strcmp(old->paths.recorder, p->paths.recorder) == 0 &&
        old->limits.recorded_worlds == p->limits.recorded_worlds)
        return;
    (void)recorder_free(c->recorder);
    c->recorder = recorder_new(c->loop, p->paths.recorder, p->limits.recorded_worlds,
                               controller_note, c);
}

/* From here on the new policy is the policy. */
static void take_over(struct controller *c, struct candidate *new)
{
    struct err e;
    struct config *old = c->config;
    const struct policy *p = config_policy(new->config);
    struct record_of_starts *starts = carry_templates(c, p), *groups = carry_groups(c, p);
    free(c->templates);
    free(c->groups);
    free(c->vm_fragment);
    c->templates = starts;
    c->groups = groups;
    c->vm_fragment = new->vm_fragment;
    c->config = new->config;
    c->policy = p;
    c->policy_loaded = loop_now(c->loop);
    controller_read_access(c);
    controller_set_flocks(c, new->flocks);
    if (controller_listen_agents(c, &e) < 0)
        controller_note(c, "agents-failed", p->agents.listen, e.text);
    controller_set_hosts(c);
    controller_keep_sites(c);
    renew_recorder(c, config_policy(old));
    *new = (struct candidate){0};
    (void)config_free(old); /* snapshots and creates may go on holding it */
    controller_look(c);
    controller_poke(c);
}

static void tell(struct controller *c, const struct difference *changes, const struct plan *plan)
{
    CLEANUP(text_done) struct text text = {0};
    for (size_t i = 0; i < changes->n && i < CHANGES_TOLD; i++) {
        const struct change *change = &changes->items[i];
        text_clear(&text);
        change_render(change, &text);
        controller_note(c, "policy", change->key, text_get(&text) + strlen(change->key) + 2);
    }
    if (changes->n > CHANGES_TOLD) {
        AUTOFREE char *more = mem_printf("and %zu more changes", changes->n - CHANGES_TOLD);
        controller_note(c, "policy", c->policy->file, more);
    }
    text_clear(&text);
    plan_summarise(plan, &text);
    controller_note(c, "policy-plan", c->policy->pool.name, text_get(&text));
}

/* For who asks later: eyrie reload comes after the file was saved. */
static void keep_changes(struct controller *c, const struct difference *changes, const char *who)
{
    CLEANUP(text_done) struct text text = {0};
    for (size_t i = 0; i < changes->n; i++) {
        text_add(&text, "  ");
        change_render(&changes->items[i], &text);
        text_add(&text, "\n");
    }
    c->changed = loop_now(c->loop);
    mem_replace(&c->changed_by, who);
    mem_replace(&c->changed_text, text_get(&text));
}

static void refuse(struct controller *c, const char *messages)
{
    size_t first = strcspn(messages, "\n");
    AUTOFREE char *text = mem_printf("%.*s%s", (int)first, messages,
                                     messages[first] ? " … (eyrie status shows all)" : "");
    if (!c->refused || strcmp(c->refused, messages) != 0)
        controller_note(c, "reload-failed", c->policy->file, text);
    mem_replace(&c->refused, messages);
    c->refused_at = loop_now(c->loop);
    controller_poke(c);
}

static struct json_object *reload(struct controller *c, const char *who, bool *ret_refused)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(candidate_done) struct candidate new = {0};
    AUTOFREE char *messages = NULL;
    struct difference changes = {0};
    struct server_reload result = {.file = c->policy->file,
                                   .changes = &changes,
                                   .last = c->changed,
                                   .last_who = c->changed_by,
                                   .last_text = c->changed_text};

    *ret_refused = prepare(c, a, &new, &changes, &messages) < 0;
    if (*ret_refused) {
        refuse(c, messages);
        result.refused = messages;
        return view_reload(&result, loop_now(c->loop));
    }
    result.plan = plan_make(a, config_policy(new.config), controller_build_world(c, a));
    struct json_object *view = view_reload(&result, loop_now(c->loop));
    if (changes.n > 0 || c->refused) {
        tell(c, &changes, result.plan);
        controller_note(c, "reloaded", c->policy->file, who);
        mem_replace(&c->refused, NULL);
    }
    if (changes.n > 0)
        keep_changes(c, &changes, who);
    take_over(c, &new); /* also without a change: lines may have moved */
    return view;
}

struct json_object *controller_reload(struct controller *c, const char *who, bool *ret_refused)
{
    notify_reloading();
    struct json_object *view = reload(c, who, ret_refused);
    notify_ready();
    return view;
}

static void saved(void *userdata)
{
    bool refused;
    (void)json_object_put(controller_reload(userdata, "a file of it was saved", &refused));
}

void controller_watch(struct controller *c)
{
    struct err e;
    if (files_new(c->loop, saved, c, &c->files, &e) < 0)
        controller_note(c, "watch-failed", c->policy->file, e.text);
    else
        watch(c, c->config);
}

void controller_keep_sites(struct controller *c)
{
    const struct policy *p = c->policy;
    AUTOFREE struct ledger_site *hosts = mem_new(p->n_hosts, sizeof(*hosts));
    AUTOFREE struct ledger_site *schedds = mem_new(p->n_schedds, sizeof(*schedds));
    struct err e;
    for (size_t i = 0; i < p->n_hosts; i++)
        hosts[i] = (struct ledger_site){p->hosts[i].name, p->hosts[i].uri,
                                        p->hosts[i].storage_pool};
    for (size_t i = 0; i < p->n_schedds; i++)
        schedds[i] = (struct ledger_site){p->schedds[i].name, p->schedds[i].flock,
                                          p->schedds[i].tools};
    const struct ledger_site shares = {p->pool.central_manager, p->pool.shares, p->pool.tools};
    if (ledger_sites_keep(c->ledger, LEDGER_HOST, hosts, p->n_hosts, &e) < 0 ||
        ledger_sites_keep(c->ledger, LEDGER_SCHEDD, schedds, p->n_schedds, &e) < 0 ||
        ledger_sites_keep(c->ledger, LEDGER_SHARES, &shares, p->pool.shares[0] != '\0', &e) < 0)
        controller_note(c, "ledger-failed", "hosts and schedds", e.text);
}
