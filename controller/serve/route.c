#include "serve/route-private.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/spelling.h"
#include "serve/accept.h"
#include "serve/openmetrics.h"

enum { PARAMETERS_MAX = 5 }; /* that one route takes */

/*
 * A route, and what answers it: @view and @explain show the snapshot, @order is one for the pool,
 * @booking is about a request, @other is all else. A part in braces stands for one name.
 */
struct route {
    const char *name;
    struct json_object *(*view)(const struct snapshot *s, usec now);
    int (*explain)(const struct snapshot *s, usec now, const char *name, struct json_object **ret,
                   struct err *e);
    bool is_order;
    enum order_verb order;
    bool is_booking;
    enum booking_verb booking;
    struct answer (*other)(const struct asked *asked);
    const char *type;                       /* media type; NULL: JSON */
    const char *parameters[PARAMETERS_MAX]; /* the keys that it knows */
};

#define ORDER(verb) .is_order = true, .order = verb
#define BOOKING(verb) .is_booking = true, .booking = verb

/* A new route is one more line here, and one more path in docs/openapi.yaml. */
static const struct route routes[] = {
    {"GET /healthz", .other = route_healthy},
    {"GET /metrics", .other = route_metrics, .type = OPENMETRICS_TYPE},
    {"GET /readyz", .other = route_ready},
    {"GET /v1/agents", .other = route_agents},
    {"POST /v1/agents/add/{name}", .other = route_agent_add},
    {"POST /v1/agents/remove/{name}", .other = route_agent_remove},
    {"POST /v1/cordon/{name}", ORDER(ORDER_CORDON)},
    {"GET /v1/demand", .view = view_demand},
    {"POST /v1/drain/{name}", ORDER(ORDER_DRAIN)},
    {"GET /v1/events", .other = route_events, .parameters = {"after", "host", "n", "since", "vm"}},
    {"GET /v1/explain/group/{name}", .explain = view_explain_group},
    {"GET /v1/explain/host/{name}", .explain = view_explain_host},
    {"GET /v1/explain/job/{name}", .other = route_job, .parameters = {"schedd"}},
    {"GET /v1/explain/vm/{name}", .other = route_vm},
    {"POST /v1/fence/{name}", ORDER(ORDER_FENCE)},
    {"GET /v1/flock", .view = view_flock},
    {"POST /v1/flock/apply", ORDER(ORDER_FLOCK_APPLY)},
    {"POST /v1/flock/remove", ORDER(ORDER_FLOCK_REMOVE)},
    {"GET /v1/groups", .view = view_groups},
    {"GET /v1/hosts", .view = view_hosts},
    {"POST /v1/look", .other = route_look},
    {"POST /v1/pause", ORDER(ORDER_PAUSE)},
    {"GET /v1/plan", .view = view_plan},
    {"POST /v1/reload", .other = route_reload},
    {"GET /v1/requests", .other = route_requests, .parameters = {"all", "group"}},
    {"POST /v1/requests/add", BOOKING(BOOKING_ADD)},
    {"POST /v1/requests/approve/{name}", BOOKING(BOOKING_APPROVE)},
    {"POST /v1/requests/cancel/{name}", BOOKING(BOOKING_CANCEL)},
    {"POST /v1/requests/deny/{name}", BOOKING(BOOKING_DENY)},
    {"POST /v1/requests/extend/{name}", BOOKING(BOOKING_EXTEND)},
    {"GET /v1/requests/{name}", .other = route_request},
    {"POST /v1/resume", ORDER(ORDER_RESUME)},
    {"GET /v1/status", .view = view_status},
    {"POST /v1/uncordon/{name}", ORDER(ORDER_UNCORDON)},
    {"POST /v1/undrain/{name}", ORDER(ORDER_UNDRAIN_VM)},
    {"POST /v1/unfence/{name}", ORDER(ORDER_UNFENCE)},
    {"GET /v1/vms", .view = view_vms, .other = route_vms,
     .parameters = {"group", "host", "sort", "state"}},
    {"GET /v1/world", .view = view_world},
};

const char *question_parameter(const struct question *q, const char *key)
{
    for (size_t i = 0; i < q->n_parameters; i++)
        if (text_equal(q->parameters[i].key, key))
            return q->parameters[i].value;
    return NULL;
}

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

static struct answer explain(const struct route *r, const struct asked *asked)
{
    struct err e = {0};
    struct json_object *body = NULL;
    int code = r->explain(asked->s, asked->question->now, asked->name, &body, &e);
    return code < 0 ? answer_failure(code, &e) : answer_body(body);
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
    CLEANUP(snapshot_unref_p) struct snapshot *s = asked->port->snapshot(asked->userdata);
    asked->s = s;
    if (r->is_order)
        return route_order(asked, r->order);
    if (r->is_booking)
        return route_book(asked, r->booking);
    if (r->other)
        return r->other(asked);
    if (!s)
        return route_no_snapshot();
    return r->explain ? explain(r, asked) : answer_body(r->view(s, asked->question->now));
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
    struct answer a =
        answer_refusal(405, "%.16s does not work here; it is %s", q->method, other->name);
    a.allow = text_starts_with(other->name, "GET ") ? "GET, HEAD" : "POST";
    return a;
}

bool route_is_shared(const struct question *q)
{
    AUTOFREE char *name = NULL;
    const struct route *other = NULL, *r = find(q, &name, &other);
    return r && (r->view || r->type) && q->n_parameters == 0 && accept_takes(q->accept, type_of(r));
}
