/*
 * The agents that keep fragments on other machines: where they are listened for, what they ask, and
 * what admins order about them.
 */
#include "controller-parts.h"

#include <errno.h>
#include <string.h>

#include "act/fragment.h"
#include "base/credential.h"
#include "base/limits.h"
#include "base/secret.h"

/* ---- what agents ask ------------------------------------------------------------------------- */

static int port_join(void *userdata, const char *secret, struct json_object **ret, struct err *e)
{
    return agents_join(((struct controller *)userdata)->agents, secret, ret, e);
}

/* Who bears @token, or -EACCES. */
static int find(struct controller *c, const char *token, struct agent **ret, struct err *e)
{
    *ret = agents_find(c->agents, token);
    return *ret ? 0
                : err_set(e, EACCES,
                          "this token is no agent's: it was removed, or joined anew; eyrie "
                          "agent add prints a token to join with");
}

static int port_report(void *userdata, const char *token, struct json_object *report, struct err *e)
{
    struct controller *c = userdata;
    struct agent *agent;
    int r = find(c, token, &agent, e);
    if (r == 0)
        agents_report(c->agents, agent, report);
    return r;
}

static int port_news(void *userdata, const char *token, struct json_object *report,
                     struct json_object **ret, struct err *e)
{
    struct controller *c = userdata;
    struct agent *agent;
    int r = find(c, token, &agent, e);
    *ret = r < 0 ? NULL
                 : agents_news(c->agents, agent, token, json_int_or(report, "have", 0),
                               json_int_or(report, "refused", 0));
    return r;
}

static const struct remote_port remote_port = {port_join, port_report, port_news};

/* ---- where ----------------------------------------------------------------------------------- */

/* A PEM file, or a credential, owned by the caller (secret_free: it may be a key), or NULL and a
 * sentence. */
static char *read_pem(const char *path, struct err *e)
{
    CLEANUP(text_done) struct text text = {0};
    AUTOFREE char *file = NULL;
    if (credential_path(path, &file, e) < 0)
        return NULL;
    int r = fragment_read(file, LIMIT_CONFIG_BYTES, &text, e);
    if (r == -ENOENT)
        (void)err_set(e, ENOENT, "%s: no such file", file);
    char *pem = r < 0 ? NULL : mem_strdup(text_get(&text));
    if (text.data)
        explicit_bzero(text.data, text.length);
    return pem;
}

/* What the listener is made of, as one text: another one makes a new listener. Wiped when freed. */
static char *describe(const struct remote_place *place)
{
    char digest[SECRET_DIGEST_MAX];
    return mem_printf("%s %s %s", place->listen, place->certificate,
                      secret_digest(place->key, strlen(place->key), digest));
}

static void stop(struct controller *c)
{
    c->remote = remote_free(c->remote);
    mem_replace(&c->remote_place, NULL);
    mem_replace(&c->remote_pin, NULL);
}

int controller_listen_agents(struct controller *c, struct err *e)
{
    const struct policy *p = c->policy;
    if (!*p->agents.listen) {
        stop(c);
        return 0;
    }
    CLEANUP(secret_free_p) char *certificate = read_pem(p->agents.certificate, e);
    CLEANUP(secret_free_p) char *key = certificate ? read_pem(p->agents.key, e) : NULL;
    AUTOFREE char *pin = NULL;
    if (!key)
        return -ENOENT;
    int r = secret_pin(certificate, &pin, e);
    if (r < 0)
        return err_prefix(e, r, "%s", p->agents.certificate);
    const struct remote_place place = {p->agents.listen, certificate, key};
    AUTOFREE char *description = describe(&place);
    if (c->remote && strcmp(c->remote_place, description) == 0)
        return 0;
    stop(c); /* the port may be the same */
    r = remote_new(c->loop, &place, &remote_port, c, &c->remote, e);
    if (r < 0)
        return r;
    mem_replace(&c->remote_place, description);
    mem_replace(&c->remote_pin, pin);
    controller_note(c, "agents-listen", p->agents.listen, pin);
    return 0;
}

static void wake(void *userdata)
{
    struct controller *c = userdata;
    if (c->remote)
        remote_wake(c->remote);
}

/* Later: it may be an agent's own question that changed something. */
static void changed(void *userdata)
{
    loop_poke(((struct controller *)userdata)->remote_wake);
}

int controller_open_agents(struct controller *c, struct err *e)
{
    c->remote_wake = loop_poke_new(c->loop, wake, c);
    return agents_new(c->loop, c->ledger,
                      &(struct agents_callbacks){.changed = changed,
                                                 .reported = controller_poke,
                                                 .event = controller_note,
                                                 .userdata = c},
                      &c->agents, e);
}

void controller_free_agents(struct controller *c)
{
    stop(c);
    c->remote_wake = loop_poke_free(c->remote_wake);
    c->agents = agents_free(c->agents);
}

/* ---- what admins order ----------------------------------------------------------------------- */

/* The target of that name which an agent is to keep; its path is POLICY_AGENT. */
static int find_target(const struct controller *c, const char *name, struct flock_target *ret,
                       struct err *e)
{
    for (size_t i = 0; i < flock_count(c->policy); i++) {
        *ret = flock_target(c->policy, i);
        if (strcmp(ret->name, name) != 0)
            continue;
        if (strcmp(ret->path, POLICY_AGENT) != 0)
            return err_set(e, EINVAL,
                           "%s needs no agent: its fragment is %s on eyried's host; flock: "
                           "agent says otherwise",
                           name, ret->path);
        return 0;
    }
    return err_set(e, ENOENT,
                   "%s names no schedd %s, and it is not the central manager of the pool",
                   c->policy->file, name);
}

int controller_agent_add(void *userdata, const char *name, const char *user,
                         struct json_object **ret, struct err *e)
{
    struct controller *c = userdata;
    struct flock_target target;
    CLEANUP(secret_free_p) char *secret = NULL;
    int r = find_target(c, name, &target, e);
    if (r == 0 && !c->remote)
        r = err_set(e, EINVAL,
                    "agents are not listened for: see agents.listen in %s and eyrie status",
                    c->policy->file);
    if (r == 0)
        r = agents_invite(c->agents, name, &secret, e);
    if (r < 0)
        return r;
    AUTOFREE char *by = mem_printf("by %s", user);
    AUTOFREE char *command = mem_printf(
        "eyrie-agent join --server=%s --pin=%s --fragment=/etc/condor/eyrie.d/%s-%s.conf",
        c->policy->agents.address, c->remote_pin,
        strcmp(target.daemon, "-schedd") == 0 ? "60-eyrie" : "61-eyrie-shares",
        c->policy->pool.name);
    controller_note(c, "agent-invited", name, by);
    struct json_object *o = json_object_new_object();
    json_add_int(o, "version", VIEW_VERSION);
    json_add_string(o, "name", name);
    json_add_string(o, "secret", secret);
    json_add_int(o, "until", loop_now(c->loop) + AGENTS_INVITED);
    json_add_string(o, "server", c->policy->agents.address);
    json_add_string(o, "pin", c->remote_pin);
    json_add_string(o, "command", command);
    *ret = o;
    return 0;
}

int controller_agent_remove(void *userdata, const char *name, const char *user, struct err *e)
{
    struct controller *c = userdata;
    AUTOFREE char *by = mem_printf("by %s; the fragment that it applied last stays there", user);
    int r = agents_remove(c->agents, name, e);
    if (r == 0)
        controller_note(c, "agent-removed", name, by);
    return r;
}

struct json_object *controller_agents(void *userdata)
{
    return agents_view(((struct controller *)userdata)->agents);
}
