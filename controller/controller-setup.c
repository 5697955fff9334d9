#include "controller-parts.h"

#include <errno.h>
#include <string.h>

#include "act/fragment.h"
#include "base/limits.h"

char *controller_read_fragment(const struct policy *p, const char *name, struct err *e)
{
    CLEANUP(text_done) struct text text = {0};
    AUTOFREE char *path = mem_printf("%s/%s", p->paths.fragments, name);
    int r = fragment_read(path, LIMIT_CONFIG_BYTES, &text, e);
    if (r == -ENOENT)
        (void)err_set(e, ENOENT, "%s: no such file; paths.fragments is where the flock-config folder "
                                 "is installed", path);
    return r < 0 ? NULL : mem_strdup(text_get(&text));
}

static int open_ledger(struct controller *c, struct err *e)
{
    AUTOFREE char *path = mem_printf("%s/ledger.sqlite", c->policy->paths.state);
    int r = controller_lock_state(c, e);
    if (r == 0)
        r = ledger_open(path, &c->ledger, e);
    return r < 0 ? r : controller_take_lease(c, e);
}

static int open_flocks(struct controller *c, struct err *e)
{
    struct flocking **made;
    int r = controller_make_flocks(c, c->policy, &made, e);
    if (r < 0)
        return r;
    controller_remember_flocks(c);
    controller_set_flocks(c, made);
    return 0;
}

void controller_read_access(struct controller *c)
{
    CLEANUP(text_done) struct text unknown = {0};
    (void)access_free(c->access);
    c->access = access_new((const char *const *)c->policy->access.admins,
                           c->policy->access.n_admins, &unknown);
    if (unknown.length > 0)
        controller_note(c, "access-failed", "access.admins", text_get(&unknown));
}

static const struct policy *policy_in_force(void *userdata)
{
    const struct controller *c = userdata;
    return c->policy;
}

int controller_new(struct loop *loop, struct config *config, struct controller **ret,
                   struct err *e)
{
    struct controller *c = mem_new(1, sizeof(*c));
    c->loop = loop;
    c->lock = -1;
    c->config = config_ref(config);
    c->policy = config_policy(config);
    c->started = c->policy_loaded = loop_now(loop);
    c->last_step = loop_ticks(loop);
    c->step_timer = loop_timer_new(loop, controller_step, c);
    c->next_timer = loop_timer_new(loop, controller_poke, c);
    c->look_timer = loop_timer_new(loop, controller_look, c);
    c->notice_timer = loop_timer_new(loop, controller_poke, c);
    c->look = look_new(loop);
    c->refused_jobs = refused_new(
        loop, &(struct refused_callbacks){controller_refused_job, controller_poke, c});
    c->boots = boots_new();
    c->templates = mem_new(c->policy->n_templates, sizeof(*c->templates));
    c->groups = mem_new(c->policy->n_groups, sizeof(*c->groups));

    int r = open_ledger(c, e);
    if (r == 0 && !(c->vm_fragment = controller_read_fragment(c->policy, "vm-startd.conf", e)))
        r = -ENOENT;
    if (r == 0)
        r = boots_recall(c->boots, c->ledger, e);
    if (r == 0)
        r = controller_open_agents(c, e);
    if (r == 0)
        r = open_flocks(c, e);
    if (r == 0)
        r = controller_listen_agents(c, e);
    if (r == 0)
        r = api_new(loop, c->policy->paths.socket, &controller_port, c, &c->api, e);
    if (r < 0) {
        (void)controller_free(c);
        return r;
    }
    controller_note_ledger(c);
    controller_read_access(c);
    controller_watch(c);
    controller_remember_hosts(c);
    controller_set_hosts(c);
    controller_keep_sites(c);
    c->act = act_new(loop, c->ledger,
                     &(struct act_callbacks){.changed = controller_poke,
                                             .event = controller_note,
                                             .host = controller_find_host,
                                             .flock = controller_find_flock,
                                             .start_failed = controller_start_failed,
                                             .userdata = c});
    c->renewals = renewals_new(loop, &(struct renewals_callbacks){.changed = controller_poke,
                                                                  .renewed = controller_renewed,
                                                                  .host = controller_find_host,
                                                                  .event = controller_note,
                                                                  .userdata = c});
    c->messenger = messenger_new(loop, c->ledger,
                                 &(struct messenger_args){.pause = 10 * USEC_PER_SEC,
                                                          .policy = policy_in_force,
                                                          .event = controller_note,
                                                          .userdata = c});
    c->recorder = recorder_new(loop, c->policy->paths.recorder, c->policy->limits.recorded_worlds,
                               controller_note, c);
    *ret = c;
    return 0;
}

struct controller *controller_free(struct controller *c)
{
    if (!c)
        return NULL;
    (void)api_free(c->api);
    (void)access_free(c->access);
    (void)act_free(c->act);
    (void)renewals_free(c->renewals);
    (void)messenger_free(c->messenger);
    (void)recorder_free(c->recorder);
    (void)look_free(c->look);
    (void)refused_free(c->refused_jobs);
    (void)files_free(c->files);
    controller_free_hosts(c);
    controller_free_flocks(c);
    controller_free_agents(c);
    (void)loop_timer_free(c->step_timer);
    (void)loop_timer_free(c->next_timer);
    (void)loop_timer_free(c->look_timer);
    (void)loop_timer_free(c->notice_timer);
    (void)snapshot_unref(c->snapshot);
    (void)boots_free(c->boots);
    controller_give_lease_back(c);
    (void)ledger_close(c->ledger);
    mem_close_p(&c->lock);
    for (size_t i = 0; i < CONTROLLER_EVENTS; i++)
        free(c->events[i].text);
    free(c->templates);
    free(c->groups);
    free(c->ledger_aside);
    free(c->refused);
    free(c->changed_by);
    free(c->changed_text);
    free(c->vm_fragment);
    free(c->last_error);
    (void)config_free(c->config);
    free(c);
    return NULL;
}
