#include "serve/remote.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "serve/api.h"

struct remote {
    struct loop *loop;
    const struct remote_port *port;
    void *userdata;
    struct api *api;
    struct poll *polls; /* those that wait; the first of a list */
};

/* An agent that waits for news. */
struct poll {
    struct waiting base;
    struct remote *remote;
    struct poll *next;
    struct loop_timer *timer;
    struct later later;
    char *token;
    struct json_object *report;
};

static void poll_free(struct waiting *base)
{
    struct poll *p = (struct poll *)base;
    for (struct poll **at = &p->remote->polls; *at; at = &(*at)->next) {
        if (*at != p)
            continue;
        *at = p->next;
        break;
    }
    (void)loop_timer_free(p->timer);
    (void)secret_free(p->token);
    (void)json_object_put(p->report);
    free(p);
}

static struct answer nothing_new(void)
{
    struct json_object *o = json_object_new_object();
    json_add_int(o, "version", 1);
    return (struct answer){.status = 200, .body = o};
}

static struct answer refuse(int r, const struct err *e)
{
    return answer_refusal(r == -EACCES ? 401 : 500, "%s", e->text);
}

/* Whether there is something to say to who bears @token. */
static bool have_news(struct remote *r, const char *token, struct json_object *report,
                      struct answer *ret)
{
    struct json_object *news = NULL;
    struct err e;
    int k = r->port->news(r->userdata, token, report, &news, &e);
    if (k < 0)
        *ret = refuse(k, &e);
    else if (news)
        *ret = (struct answer){.status = 200, .body = news};
    return k < 0 || news;
}

static void waited_long(void *userdata)
{
    struct poll *p = userdata;
    struct answer answer = nothing_new();
    p->later.ready(p->later.userdata, &answer);
}

void remote_wake(struct remote *r)
{
    for (struct poll *p = r->polls, *next; p; p = next) {
        struct answer answer;
        next = p->next;
        if (have_news(r, p->token, p->report, &answer))
            p->later.ready(p->later.userdata, &answer);
    }
}

/* The token of an Authorization header, or NULL. */
static const char *bearer(const struct question *q)
{
    static const char scheme[] = "Bearer ";
    return q->authorization && text_starts_with(q->authorization, scheme)
               ? q->authorization + strlen(scheme)
               : NULL;
}

static struct answer news(struct remote *r, const struct question *q)
{
    const char *token = bearer(q);
    struct answer answer;
    struct err e;
    if (!token)
        return answer_refusal(401, "the Authorization header has no \"Bearer\" token of an agent");
    if (!q->body)
        return answer_refusal(400, "there is no report in the body");
    int k = r->port->report(r->userdata, token, q->body, &e);
    if (k < 0)
        return refuse(k, &e);
    if (have_news(r, token, q->body, &answer))
        return answer;
    int64_t wait = json_int_or(q->body, "wait", 0);
    if (wait <= 0)
        return nothing_new();
    struct poll *p = mem_new(1, sizeof(*p));
    *p = (struct poll){
        .base = {poll_free},
        .remote = r,
        .next = r->polls,
        .later = q->later,
        .token = mem_strdup(token),
        .report = json_object_get(q->body),
    };
    p->timer = loop_timer_new(r->loop, waited_long, p);
    loop_timer_set(p->timer,
                   (wait < REMOTE_WAIT_SECONDS ? wait : REMOTE_WAIT_SECONDS) * USEC_PER_SEC);
    r->polls = p;
    return (struct answer){.waiting = &p->base};
}

static struct answer join(struct remote *r, const struct question *q)
{
    const char *secret = q->body ? json_string_or(q->body, "secret", NULL) : NULL;
    struct json_object *joined = NULL;
    struct err e;
    if (!secret)
        return answer_refusal(400, "there is no \"secret\" to join with in the body");
    int k = r->port->join(r->userdata, secret, &joined, &e);
    return k < 0 ? refuse(k, &e) : (struct answer){.status = 200, .body = joined};
}

static struct answer healthy(struct remote *r, const struct question *q)
{
    (void)r;
    (void)q;
    return nothing_new();
}

struct answer remote_answer(struct remote *r, const struct question *q)
{
    static const struct {
        const char *method;
        const char *path;
        struct answer (*answer)(struct remote *r, const struct question *q);
    } routes[] = {
        {"GET", "/healthz", healthy},
        {"POST", "/v1/join", join},
        {"POST", "/v1/news", news},
    };
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        if (strcmp(q->path, routes[i].path) != 0)
            continue;
        if (strcmp(q->method, routes[i].method) == 0)
            return routes[i].answer(r, q);
        struct answer a = answer_refusal(405, "it is %s %s", routes[i].method, routes[i].path);
        a.allow = routes[i].method;
        return a;
    }
    return answer_refusal(404, "there is nothing here but for agents");
}

int remote_new(struct loop *loop, const struct remote_place *place, const struct remote_port *port,
               void *userdata, struct remote **ret, struct err *e)
{
    struct remote *r = mem_new(1, sizeof(*r));
    *r = (struct remote){.loop = loop, .port = port, .userdata = userdata};
    int k = api_new_remote(loop, place, r, &r->api, e);
    if (k < 0) {
        free(r);
        return k;
    }
    *ret = r;
    return 0;
}

struct remote *remote_free(struct remote *r)
{
    if (!r)
        return NULL;
    (void)api_free(r->api); /* ends those who wait */
    free(r);
    return NULL;
}
