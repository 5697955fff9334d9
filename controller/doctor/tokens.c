/*
 * A VM's token: made with the signing key as eyried makes them, and shown to the collector, which
 * proves the key, the trust domain and the collector's own rules at once. It lives for a minute, in
 * a file that only we can read.
 */
#include <string.h>

#include "act/token.h"
#include "base/mem.h"
#include "doctor/checks.h"
#include "doctor/scratch.h"

#define TOKEN_LIFE USEC_PER_MINUTE
#define UUID "e791e000-0000-4000-8000-000000000001"

struct trial {
    struct visit *v;
    struct token *token;
    struct scratch scratch;
};

static void shown(struct visit *v, const void *about, const struct child_result *r)
{
    struct trial *t = (struct trial *)about;
    const struct policy *p = v->policy;
    scratch_done(&t->scratch);
    if (!r->error) {
        visit_ok(v, CHECK_TOKEN, "", "a token signed with %s lets a VM join", p->pool.signing_key);
        return;
    }
    bool unknown = strstr(r->messages, "authenticate") || strstr(r->output, "authenticate");
    const char *what =
        visit_text(v, "the collector does not admit a VM with its token: %s", visit_reason(v, r));
    if (unknown)
        visit_wrong(
            v, CHECK_TOKEN, "", what,
            "the key here is not the one there, or the trust domain is another: no VM joins",
            visit_text(v,
                       "sha256sum the key %s here and in SEC_PASSWORD_DIRECTORY on %s, copy "
                       "the latter here; pool.trust_domain in %s is %s",
                       p->pool.signing_key, p->pool.central_manager, v->file,
                       p->pool.trust_domain));
    else
        visit_wrong(v, CHECK_TOKEN, "", what, "no VM joins",
                    visit_text(v,
                               "on %s: ALLOW_ADVERTISE_STARTD must hold vm-*@%s; condor_reconfig",
                               p->pool.central_manager, p->pool.trust_domain));
}

static void show(struct trial *t, const char *token)
{
    struct visit *v = t->v;
    struct err e;
    if (scratch_write("token", token, &t->scratch, &e) < 0) {
        visit_skip(v, CHECK_TOKEN, "", "it cannot be tried: %s", e.text);
        return;
    }
    const char *const environment[] = {
        visit_text(v, "_CONDOR_SEC_TOKEN_DIRECTORY=%s", t->scratch.folder),
        visit_text(v, "_CONDOR_SEC_TOKEN_SYSTEM_DIRECTORY=%s", t->scratch.folder),
        "_CONDOR_SEC_CLIENT_AUTHENTICATION_METHODS=IDTOKENS",
        NULL,
    };
    visit_send(v,
               &(struct errand_args){.argv = (const char *const[]){"condor_ping", "-pool",
                                                                   v->policy->pool.central_manager,
                                                                   "-type", "COLLECTOR", "-verbose",
                                                                   "ADVERTISE_STARTD", NULL},
                                     .environment = environment,
                                     .tools = v->policy->pool.tools,
                                     .about = t,
                                     .done = shown});
}

static void created(void *userdata, const char *token, const char *error)
{
    struct trial *t = userdata;
    struct visit *v = t->v;
    if (token)
        show(t, token);
    else
        visit_wrong(v, CHECK_TOKEN, "", visit_text(v, "no token can be made: %s", error),
                    "each VM gets a token of its own; without one none is started",
                    visit_text(v,
                               "copy the key %s of %s to where eyried's unit has it from "
                               "(LoadCredential=), or to SEC_PASSWORD_DIRECTORY here, mode 600",
                               v->policy->pool.signing_key, v->policy->pool.central_manager));
    t->token = token_free(t->token);
    visit_release(v);
}

void token_begin(struct visit *v)
{
    if (credentials_hide(v, v->policy->pool.signing_key)) {
        visit_skip(v, CHECK_TOKEN, "",
                   "none can be signed without the key that the unit hands over: see above");
        return;
    }
    struct trial *t = arena_take(v->arena, 1, sizeof(*t));
    struct policy brief = *v->policy;
    brief.timing.token_life.value = TOKEN_LIFE;
    t->v = v;
    visit_hold(v);
    t->token = token_create(v->loop, &brief, UUID, created, t);
}
