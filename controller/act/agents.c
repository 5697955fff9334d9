#include "act/agents.h"

#include <errno.h>
#include <string.h>

#include "act/agents-private.h"
#include "base/secret.h"

static struct agent *find(const struct agents *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->list[i]->name, name) == 0)
            return a->list[i];
    return NULL;
}

static struct agent *add(struct agents *a, const char *name)
{
    struct agent *agent = mem_new(1, sizeof(*agent));
    *agent = (struct agent){
        .name = mem_strdup(name),
        .invite = mem_strdup(""),
        .token = mem_strdup(""),
        .mark = mem_strdup(""),
        .present = mem_strdup(""),
        .believed = mem_strdup(""),
        .error = mem_strdup(""),
        .program = mem_strdup(""),
    };
    a->list = mem_resize(a->list, a->n + 1, sizeof(*a->list));
    a->list[a->n++] = agent;
    return agent;
}

static void agent_free(struct agent *agent)
{
    free(agent->name);
    free(agent->invite);
    free(agent->token);
    free(agent->mark);
    free(agent->daemon);
    free(agent->knob);
    free(agent->text);
    free(agent->present);
    free(agent->believed);
    free(agent->error);
    free(agent->program);
    free(agent);
}

static void drop(struct agents *a, struct agent *agent)
{
    size_t i = 0;
    while (a->list[i] != agent)
        i++;
    memmove(&a->list[i], &a->list[i + 1], (a->n - i - 1) * sizeof(*a->list));
    a->n--;
    agent_free(agent);
}

/* Write down what must survive. A change is written first: one that the disk refuses is not made.
 */
static int keep(struct agents *a, const struct agent *agent, struct err *e)
{
    return ledger_agent_set(a->ledger,
                            &(struct ledger_agent){.name = agent->name,
                                                   .invite = agent->invite,
                                                   .invited_until = agent->invited_until,
                                                   .token = agent->token,
                                                   .joined = agent->joined,
                                                   .revision = agent->revision,
                                                   .mark = agent->mark},
                            e);
}

static void remember(void *userdata, const struct ledger_agent *row)
{
    struct agents *a = userdata;
    struct agent *agent = add(a, row->name);
    mem_replace(&agent->invite, row->invite);
    mem_replace(&agent->token, row->token);
    mem_replace(&agent->mark, row->mark);
    agent->invited_until = row->invited_until;
    agent->joined = row->joined;
    agent->revision = row->revision;
    agent->due = loop_now(a->loop) + AGENTS_PATIENCE;
}

int agents_new(struct loop *loop, struct ledger *ledger, const struct agents_callbacks *callbacks,
               struct agents **ret, struct err *e)
{
    CLEANUP(agents_free_p) struct agents *a = mem_new(1, sizeof(*a));
    a->loop = loop;
    a->ledger = ledger;
    a->callbacks = *callbacks;
    a->remote = (struct flock_remote){agents_offer, agents_fill, a};
    a->timer = loop_timer_new(loop, agents_watch, a);
    a->started = loop_now(loop);
    int r = ledger_controller(ledger, &a->controller, e);
    if (r == 0)
        r = ledger_agents(ledger, remember, a, e);
    if (r < 0)
        return r;
    agents_watch(a);
    *ret = a;
    a = NULL;
    return 0;
}

struct agents *agents_free(struct agents *a)
{
    if (!a)
        return NULL;
    for (size_t i = 0; i < a->n; i++)
        agent_free(a->list[i]);
    free(a->list);
    free(a->controller);
    (void)loop_timer_free(a->timer);
    free(a);
    return NULL;
}

const struct flock_remote *agents_remote(const struct agents *a)
{
    return &a->remote;
}

int agents_invite(struct agents *a, const char *name, char **ret, struct err *e)
{
    struct agent *agent = find(a, name);
    CLEANUP(secret_free_p) char *secret = secret_new("eyrie-join");
    char digest[SECRET_DIGEST_MAX];
    (void)secret_digest(secret, strlen(secret), digest);
    if (!agent)
        agent = add(a, name);
    struct agent invited = *agent;
    invited.invite = digest;
    invited.invited_until = loop_now(a->loop) + AGENTS_INVITED;
    int r = keep(a, &invited, e);
    if (r < 0)
        return r;
    mem_replace(&agent->invite, digest);
    agent->invited_until = invited.invited_until;
    *ret = secret;
    secret = NULL;
    return 0;
}

int agents_remove(struct agents *a, const char *name, struct err *e)
{
    struct agent *agent = find(a, name);
    if (!agent || (!*agent->token && !*agent->invite))
        return err_set(e, ENOENT, "there is no agent of %s", name);
    int r = ledger_agent_drop(a->ledger, name, e);
    if (r < 0)
        return r;
    drop(a, agent);
    a->callbacks.changed(a->callbacks.userdata);
    a->callbacks.reported(a->callbacks.userdata);
    return 0;
}

/* Who was invited with @secret, however long ago. */
static struct agent *find_invited(struct agents *a, const char *secret)
{
    char digest[SECRET_DIGEST_MAX];
    (void)secret_digest(secret, strlen(secret), digest);
    for (size_t i = 0; i < a->n; i++)
        if (secret_equal(a->list[i]->invite, digest))
            return a->list[i];
    return NULL;
}

int agents_join(struct agents *a, const char *secret, struct json_object **ret, struct err *e)
{
    struct agent *agent = find_invited(a, secret);
    usec now = loop_now(a->loop);
    char digest[SECRET_DIGEST_MAX], nothing[] = "";
    if (!agent)
        return err_set(e, EACCES,
                       "this joining token is not known: it was used, replaced by a newer "
                       "one, or is of another controller; eyrie agent add prints a new one");
    if (now > agent->invited_until)
        return err_set(e, EACCES,
                       "this joining token of %s is too old; eyrie agent add prints a new "
                       "one",
                       agent->name);
    CLEANUP(secret_free_p) char *token = secret_new("eyrie-agent");
    struct agent joined = *agent;
    (void)secret_digest(token, strlen(token), digest);
    joined.token = digest;
    joined.invite = nothing;
    joined.joined = now;
    int r = keep(a, &joined, e);
    if (r < 0)
        return r;
    mem_replace(&agent->token, digest);
    mem_replace(&agent->invite, "");
    agent->joined = now;
    agents_forget_report(agent);
    agent->due = now + AGENTS_PATIENCE;
    agents_watch(a);
    struct json_object *o = json_object_new_object();
    json_add_int(o, "version", 1);
    json_add_string(o, "controller", a->controller);
    json_add_string(o, "name", agent->name);
    json_add_string(o, "token", token);
    *ret = o;
    a->callbacks.event(a->callbacks.userdata, "agent-joined", agent->name, "");
    a->callbacks.changed(a->callbacks.userdata); /* who asks with the old token is told */
    a->callbacks.reported(a->callbacks.userdata);
    return 0;
}

struct agent *agents_find(struct agents *a, const char *token)
{
    char digest[SECRET_DIGEST_MAX];
    (void)secret_digest(token, strlen(token), digest);
    for (size_t i = 0; i < a->n; i++)
        if (secret_equal(a->list[i]->token, digest))
            return a->list[i];
    return NULL;
}

int agents_offer(void *userdata, const struct flock_target *target, const char *knob,
                 const char *mark, const char *text, struct err *e)
{
    struct agents *a = userdata;
    struct agent *agent = find(a, target->name);
    if (!agent)
        agent = add(a, target->name);
    if (agent->revision == 0 || strcmp(agent->mark, mark) != 0) {
        AUTOFREE char *copy = mem_strdup(mark);
        struct agent next = *agent;
        next.mark = copy;
        next.revision++;
        int r = keep(a, &next, e);
        if (r < 0)
            return r;
        mem_replace(&agent->mark, mark);
        agent->revision++;
    }
    mem_replace(&agent->daemon, target->daemon);
    mem_replace(&agent->knob, knob);
    mem_replace(&agent->text, text);
    a->callbacks.changed(a->callbacks.userdata);
    return 0;
}

struct json_object *agents_news(const struct agents *a, const struct agent *agent,
                                const char *token, int64_t have, int64_t refused)
{
    if (!agent->text || agent->revision == have || agent->revision == refused)
        return NULL;
    return parcel_write(&(struct parcel){.controller = a->controller,
                                         .name = agent->name,
                                         .daemon = agent->daemon,
                                         .revision = agent->revision,
                                         .knob = agent->knob,
                                         .mark = agent->mark,
                                         .text = agent->text},
                        token);
}

void agents_fill(void *userdata, const struct flock_target *target, struct world_flock *w)
{
    const struct agents *a = userdata;
    const struct agent *agent = find(a, target->name);
    bool joined = agent && *agent->token;
    w->remote = true;
    w->offered = agent && agent->text ? agent->mark : "?";
    w->present = w->believed = "";
    w->error = "";
    w->failed = 0;
    if (!joined) {
        w->failed = *w->wanted ? a->started : 0;
        w->error = "no agent has joined: eyrie agent add tells how one does";
        return;
    }
    bool known = agent->heard && !agent->silent;
    w->present = known ? agent->present : "?";
    w->believed = known ? agent->believed : "?";
    w->failed = agent->failed;
    w->error = agent->error;
    if (agent->silent) {
        w->failed = agent->due;
        w->error = agent->heard ? "its agent is silent; what it applied last stays there"
                                : "its agent has not been heard of since eyried started";
    }
}
