#include "serve/route.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "config/spelling.h"
#include "serve/accept.h"
#include "serve/metrics.h"

enum { PARAMETERS_MAX = 5 }; /* that one route takes */

/* A question on its way through the table. */
struct asked {
    const struct question *question;
    const struct api_port *port;
    void *userdata;
    const struct snapshot *s; /* NULL before the first step */
    const char *name;         /* what stands for the part in braces; "" when there is none */
};

/*
 * A route, and what answers it: @view or @explain show the snapshot, @change does something and then
 * says @text, @order is one for the pool, @other needs nothing of it. A part in braces stands for one name.
 */
struct route {
    const char *name;
    struct json_object *(*view)(const struct snapshot *s, usec now);
    int (*explain)(const struct snapshot *s, usec now, const char *name, struct json_object **ret,
                   struct err *e);
    int (*change)(const struct asked *asked, struct err *e);
    const char *text;
    bool is_order;
    enum order_verb order;
    struct answer (*other)(const struct asked *asked);
    const char *type; /* media type; NULL: JSON */
    const char *parameters[PARAMETERS_MAX]; /* the keys that it knows */
};

static struct answer say(const char *text)
{
    struct json_object *o = json_object_new_object();
    json_add_int(o, "version", VIEW_VERSION);
    json_add_string(o, "text", text);
    return (struct answer){.status = 200, .body = o};
}

struct answer answer_refusal(unsigned status, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    if (n < 0)
        mem_exhausted();
    struct answer a = {.status = status, .body = view_error(text)};
    free(text);
    return a;
}

void answer_done(struct answer *a)
{
    (void)json_object_put(a->body);
    text_done(&a->text);
    *a = (struct answer){0};
}

static struct answer no_snapshot(void)
{
    return answer_refusal(503, "eyried has only just started: there is no plan yet");
}

static struct answer healthy(const struct asked *asked)
{
    (void)asked; /* that this is said shows it */
    return say("ok");
}

static struct answer ready(const struct asked *asked)
{
    struct json_object *body = NULL;
    bool is = view_ready(asked->s, asked->question->now, &body);
    return (struct answer){.status = is ? 200 : 503, .body = body};
}

static struct answer metrics(const struct asked *asked)
{
    struct answer a = {.status = 200, .type = OPENMETRICS_TYPE};
    metrics_render(asked->s, asked->question->traffic, asked->question->now, &a.text);
    return a;
}

static unsigned status_of(int r)
{
    switch (-r) {
    case ENOENT:
        return 404;
    case EPERM:
    case EACCES:
        return 403;
    case EAGAIN:
    case EBUSY:
        return 503;
    case EINVAL:
    case ENOTUNIQ:
        return 409;
    default:
        return 500;
    }
}

const char *question_parameter(const struct question *q, const char *key)
{
    for (size_t i = 0; i < q->n_parameters; i++)
        if (text_equal(q->parameters[i].key, key))
            return q->parameters[i].value;
    return NULL;
}

static int number_parameter(const struct question *q, const char *key, int64_t most, int64_t *ret,
                            struct err *e)
{
    const char *text = question_parameter(q, key);
    char *end = NULL;
    if (!text)
        return 0;
    errno = 0;
    int64_t number = strtoll(text, &end, 10);
    if (errno || !*text || *end || number < 0 || number > most)
        return err_set(e, EINVAL, "%s: \"%.64s\" is not a number from 0 to %" PRId64, key, text,
                       most);
    *ret = number;
    return 0;
}

static struct answer events(const struct asked *asked)
{
    const struct question *q = asked->question;
    struct err e = {0};
    struct json_object *view = NULL;
    int64_t after = 0, since = 0, n = LIMIT_EVENTS_SHOWN;
    struct ledger_events_wanted wanted = {.vm = question_parameter(q, "vm"), .host = question_parameter(q, "host")};
    if (number_parameter(q, "after", INT64_MAX, &after, &e) < 0 ||
        number_parameter(q, "since", INT64_MAX, &since, &e) < 0 ||
        number_parameter(q, "n", LIMIT_EVENTS_SHOWN, &n, &e) < 0)
        return answer_refusal(400, "%s", e.text);
    wanted.after = after;
    wanted.since = since;
    wanted.max = (size_t)n;
    wanted.last = !question_parameter(q, "after") && !question_parameter(q, "since");
    int r = view_events(asked->s, q->now, &wanted, asked->port->events, asked->userdata, &view, &e);
    return r < 0 ? answer_refusal(status_of(r), "%s", e.text)
                 : (struct answer){.status = 200, .body = view};
}

static struct answer job(const struct asked *asked)
{
    return asked->s ? job_explain(asked->port, asked->userdata, asked->s, asked->name,
                                  asked->question)
                    : no_snapshot();
}

static struct answer vms(const struct asked *asked)
{
    const struct question *q = asked->question;
    const struct vms_wanted wanted = {
        .state = question_parameter(q, "state"),
        .host = question_parameter(q, "host"),
        .group = question_parameter(q, "group"),
        .sort = question_parameter(q, "sort"),
    };
    struct err e = {0};
    struct json_object *view = NULL;
    if (!asked->s)
        return no_snapshot();
    int r = view_vms_wanted(asked->s, q->now, &wanted, &view, &e);
    return r < 0 ? answer_refusal(status_of(r), "%s", e.text)
                 : (struct answer){.status = 200, .body = view};
}

static int look(const struct asked *asked, struct err *e)
{
    return asked->port->look(asked->userdata, asked->question->who.uid, e);
}

/* 422: the files are refused, and the answer says why. */
static struct answer reload(const struct asked *asked)
{
    const struct question *q = asked->question;
    struct err e = {0};
    bool refused = false;
    int r = asked->port->allow(asked->userdata, &q->who, &e);
    if (r < 0)
        return answer_refusal(status_of(r), "%s", e.text);
    AUTOFREE char *user = access_user(q->who.uid);
    struct json_object *body = asked->port->reload(asked->userdata, user, &refused);
    return (struct answer){.status = refused ? 422 : 200, .body = body};
}

#define ORDER(verb) .is_order = true, .order = verb

/* A new route is one more line here, and one more path in docs/openapi.yaml. */
static const struct route routes[] = {
    {"GET /healthz", .other = healthy},
    {"GET /metrics", .other = metrics, .type = OPENMETRICS_TYPE},
    {"GET /readyz", .other = ready},
    {"POST /v1/cordon/{name}", ORDER(ORDER_CORDON)},
    {"GET /v1/demand", .view = view_demand},
    {"POST /v1/drain/{name}", ORDER(ORDER_DRAIN)},
    {"GET /v1/events", .other = events, .parameters = {"after", "host", "n", "since", "vm"}},
    {"GET /v1/explain/group/{name}", .explain = view_explain_group},
    {"GET /v1/explain/host/{name}", .explain = view_explain_host},
    {"GET /v1/explain/job/{name}", .other = job, .parameters = {"schedd"}},
    {"GET /v1/explain/vm/{name}", .explain = view_explain_vm},
    {"GET /v1/flock", .view = view_flock},
    {"POST /v1/flock/apply", ORDER(ORDER_FLOCK_APPLY)},
    {"POST /v1/flock/remove", ORDER(ORDER_FLOCK_REMOVE)},
    {"GET /v1/groups", .view = view_groups},
    {"GET /v1/hosts", .view = view_hosts},
    {"POST /v1/look", .change = look, .text = "looking now"},
    {"POST /v1/pause", ORDER(ORDER_PAUSE)},
    {"GET /v1/plan", .view = view_plan},
    {"POST /v1/reload", .other = reload},
    {"POST /v1/resume", ORDER(ORDER_RESUME)},
    {"GET /v1/status", .view = view_status},
    {"POST /v1/uncordon/{name}", ORDER(ORDER_UNCORDON)},
    {"POST /v1/undrain/{name}", ORDER(ORDER_UNDRAIN_VM)},
    {"GET /v1/vms", .view = view_vms, .other = vms, .parameters = {"group", "host", "sort", "state"}},
    {"GET /v1/world", .view = view_world},
};

const char *route_name(size_t i)
{
    return i < ARRAY_SIZE(routes) ? routes[i].name : NULL;
}

const char *route_parameter(size_t i, size_t k)
{
    return k < PARAMETERS_MAX ? routes[i].parameters[k] : NULL;
}

static const char *route_path(const struct route *r)
{
    return strchr(r->name, '/');
}

/* Whether @path is one of the route's; *ret_name is then its name, owned by the caller, or NULL. */
static bool route_has(const struct route *r, const char *path, char **ret_name)
{
    const char *pattern = route_path(r), *open = strchr(pattern, '{');
    if (!open)
        return text_equal(path, pattern);
    const char *after = strchr(open, '}') + 1;
    size_t before = (size_t)(open - pattern), length = strlen(path), tail = strlen(after);
    if (length <= before + tail || strncmp(path, pattern, before) != 0 ||
        strcmp(path + length - tail, after) != 0)
        return false;
    *ret_name = mem_printf("%.*s", (int)(length - before - tail), path + before);
    return true;
}

/* HEAD is GET whose body is left out. */
static bool route_takes(const struct route *r, const char *method)
{
    size_t length = strcspn(r->name, " ");
    if (text_equal(method, "HEAD"))
        method = "GET";
    return strlen(method) == length && strncmp(r->name, method, length) == 0;
}

static struct answer change(const struct route *r, const struct asked *asked)
{
    struct err e = {0};
    int code = asked->port->allow(asked->userdata, &asked->question->who, &e);
    if (code == 0)
        code = r->change(asked, &e);
    return code < 0 ? answer_refusal(status_of(code), "%s", e.text) : say(r->text);
}

/* What is sent along with an order; 0, or -EINVAL for what no order has. */
static int take_body(struct json_object *body, struct order *o, bool *ret_preview, struct err *e)
{
    o->reason = "";
    if (!body)
        return 0;
    json_object_object_foreach(body, key, value)
    {
        bool truth = json_object_get_boolean(value);
        if (text_equal(key, "preview") && json_object_is_type(value, json_type_boolean))
            *ret_preview = truth;
        else if (text_equal(key, "now") && json_object_is_type(value, json_type_boolean))
            o->now = truth;
        else if (text_equal(key, "reason") && json_object_is_type(value, json_type_string))
            o->reason = json_object_get_string(value);
        else
            return err_set(e, EINVAL,
                           "\"%.64s\" is not what an order has: preview and now (true or false), "
                           "and reason (text)", key);
    }
    if (strlen(o->reason) > LIMIT_REASON_BYTES)
        return err_set(e, EINVAL, "the reason is longer than %d bytes", LIMIT_REASON_BYTES);
    if (o->now && o->verb != ORDER_DRAIN)
        return err_set(e, EINVAL, "only a drain can be \"now\"");
    return 0;
}

/* The view is made of the facts before, whether the order is given or only shown. */
static struct answer give_order(const struct route *r, const struct asked *asked)
{
    const struct question *q = asked->question;
    struct order o = {.verb = r->order, .who = q->who.uid};
    struct err e = {0};
    bool preview = false;
    int code = take_body(q->body, &o, &preview, &e);
    if (code < 0)
        return answer_refusal(400, "%s", e.text);
    code = asked->port->allow(asked->userdata, &q->who, &e);
    if (code == 0)
        code = order_resolve(asked->s, &o, asked->name, &e);
    if (code < 0)
        return answer_refusal(status_of(code), "%s", e.text);
    AUTOFREE char *user = access_user(q->who.uid);
    o.user = user;
    AUTOJSON struct json_object *view = view_order(asked->s, q->now, &o, preview);
    if (!preview && json_bool_or(view, "changes", true))
        code = asked->port->order(asked->userdata, &o, &e);
    return code < 0 ? answer_refusal(status_of(code), "%s", e.text)
                    : (struct answer){.status = 200, .body = json_object_get(view)};
}

static struct answer explain(const struct route *r, const struct asked *asked)
{
    struct err e = {0};
    struct json_object *body = NULL;
    int code = r->explain(asked->s, asked->question->now, asked->name, &body, &e);
    return code < 0 ? answer_refusal(status_of(code), "%s", e.text)
                    : (struct answer){.status = 200, .body = body};
}

/* A misspelt parameter that is not said would give an answer to another question. */
static const char *unknown_parameter(const struct route *r, const struct question *q)
{
    for (size_t i = 0; i < q->n_parameters; i++) {
        bool known = false;
        for (size_t k = 0; k < PARAMETERS_MAX && r->parameters[k]; k++)
            known = known || text_equal(q->parameters[i].key, r->parameters[k]);
        if (!known)
            return q->parameters[i].key;
    }
    return NULL;
}

static const char *type_of(const struct route *r)
{
    return r->type ? r->type : "application/json";
}

static struct answer answer_route(const struct route *r, struct asked *asked)
{
    const char *unknown = unknown_parameter(r, asked->question);
    if (unknown)
        return answer_refusal(400, "\"%.64s\" is no parameter of %s", unknown, r->name);
    if (!accept_takes(asked->question->accept, type_of(r)))
        return answer_refusal(406, "%s answers with %s, which the Accept header does not name",
                              r->name, type_of(r));
    if (r->change)
        return change(r, asked);
    CLEANUP(snapshot_unref_p) struct snapshot *s = asked->port->snapshot(asked->userdata);
    asked->s = s;
    if (r->is_order)
        return give_order(r, asked);
    if (r->other)
        return r->other(asked);
    if (!s)
        return no_snapshot();
    return r->explain ? explain(r, asked)
                      : (struct answer){.status = 200, .body = r->view(s, asked->question->now)};
}

/* The route for @q, and the name in its path (owned by the caller, or NULL). NULL: there is none;
 * *ret_other is then a route that takes the path with another method, if there is one. */
static const struct route *find(const struct question *q, char **ret_name,
                                const struct route **ret_other)
{
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
        char *name = NULL;
        if (!route_has(&routes[i], q->path, &name))
            continue;
        if (route_takes(&routes[i], q->method)) {
            *ret_name = name;
            return &routes[i];
        }
        free(name);
        *ret_other = &routes[i];
    }
    return NULL;
}

static struct answer nothing_at(const char *path)
{
    const char *near = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
        spelling_nearer(path, route_path(&routes[i]), &near);
    return near ? answer_refusal(404, "there is nothing at %.128s; did you mean %s?", path, near)
                : answer_refusal(404, "there is nothing at %.128s", path);
}

struct answer route_answer(const struct api_port *port, void *userdata, const struct question *q)
{
    AUTOFREE char *name = NULL;
    const struct route *other = NULL, *r = find(q, &name, &other);
    if (r) {
        struct asked asked = {
            .question = q, .port = port, .userdata = userdata, .name = name ? name : ""};
        struct answer a = answer_route(r, &asked);
        a.route = r->name;
        return a;
    }
    if (!other)
        return nothing_at(q->path);
    struct answer a = answer_refusal(405, "%.16s does not work here; it is %s", q->method,
                                     other->name);
    a.allow = text_starts_with(other->name, "GET ") ? "GET, HEAD" : "POST";
    return a;
}

bool route_is_shared(const struct question *q)
{
    AUTOFREE char *name = NULL;
    const struct route *other = NULL, *r = find(q, &name, &other);
    return r && (r->view || r->type) && q->n_parameters == 0 && accept_takes(q->accept, type_of(r));
}
