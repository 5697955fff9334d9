/*
 * The routes that look and are no plain view: health, metrics, and those with parameters.
 */
#include "serve/route-private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "serve/metrics.h"

enum { EVENTS_OF_A_VM = 10 };

struct answer route_no_snapshot(void)
{
    return answer_refusal(503, "eyried has only just started: there is no plan yet");
}

struct answer route_healthy(const struct asked *asked)
{
    (void)asked; /* that this is said shows it */
    return answer_text("ok");
}

struct answer route_ready(const struct asked *asked)
{
    struct json_object *body = NULL;
    bool is = view_ready(asked->s, asked->question->now, &body);
    return (struct answer){.status = is ? 200 : 503, .body = body};
}

struct answer route_metrics(const struct asked *asked)
{
    struct answer a = {.status = 200, .type = OPENMETRICS_TYPE};
    metrics_render(asked->s, asked->question->traffic, asked->question->now, &a.text);
    return a;
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

struct answer route_events(const struct asked *asked)
{
    const struct question *q = asked->question;
    struct err e = {0};
    struct json_object *view = NULL;
    int64_t after = 0, since = 0, n = LIMIT_EVENTS_SHOWN;
    struct ledger_events_wanted wanted = {.vm = question_parameter(q, "vm"),
                                          .host = question_parameter(q, "host")};
    if (number_parameter(q, "after", INT64_MAX, &after, &e) < 0 ||
        number_parameter(q, "since", INT64_MAX, &since, &e) < 0 ||
        number_parameter(q, "n", LIMIT_EVENTS_SHOWN, &n, &e) < 0)
        return answer_refusal(400, "%s", e.text);
    wanted.after = after;
    wanted.since = since;
    wanted.max = (size_t)n;
    wanted.last = !question_parameter(q, "after") && !question_parameter(q, "since");
    int r = view_events(asked->s, q->now, &wanted, asked->port->events, asked->userdata, &view, &e);
    return r < 0 ? answer_failure(r, &e) : answer_body(view);
}

struct answer route_job(const struct asked *asked)
{
    return asked->s
               ? job_explain(asked->port, asked->userdata, asked->s, asked->name, asked->question)
               : route_no_snapshot();
}

/* A VM with its latest events; of one that is gone they are all there is, such as why it did not boot. */
struct answer route_vm(const struct asked *asked)
{
    struct err e = {0}, ignored = {0};
    AUTOJSON struct json_object *view = NULL;
    AUTOJSON struct json_object *history = NULL;
    usec now = asked->question->now;
    if (!asked->s)
        return route_no_snapshot();
    int r = view_explain_vm(asked->s, now, asked->name, &view, &e);
    struct json_object *vm = json_object_or_null(view, "vm");
    struct ledger_events_wanted wanted = {
        .vm = json_string_or(vm, "name", asked->name), .max = EVENTS_OF_A_VM, .last = true};
    if (r == 0 || r == -ENOENT)
        (void)view_events(asked->s, now, &wanted, asked->port->events, asked->userdata, &history,
                          &ignored);
    struct json_object *events = json_array_or_null(history, "events");
    if (r == -ENOENT && events && json_object_array_length(events) > 0)
        view = view_gone_vm(now);
    else if (r < 0)
        return answer_failure(r, &e);
    json_add(view, "events", events ? json_object_get(events) : json_object_new_array());
    return answer_body(json_object_get(view));
}

struct answer route_vms(const struct asked *asked)
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
        return route_no_snapshot();
    int r = view_vms_wanted(asked->s, q->now, &wanted, &view, &e);
    return r < 0 ? answer_failure(r, &e) : answer_body(view);
}

struct answer route_agents(const struct asked *asked)
{
    struct json_object *view = json_object_new_object();
    json_add_int(view, "version", VIEW_VERSION);
    json_add_int(view, "now", asked->question->now);
    json_add(view, "agents", asked->port->agents(asked->userdata));
    return answer_body(view);
}

struct answer route_requests(const struct asked *asked)
{
    const struct question *q = asked->question;
    const char *all = question_parameter(q, "all");
    const struct requests_wanted wanted = {.all = text_equal(all, "true"),
                                           .group = question_parameter(q, "group")};
    struct err e = {0};
    struct json_object *view = NULL;
    if (all && !wanted.all && !text_equal(all, "false"))
        return answer_refusal(400, "all: \"%.64s\" is not true or false", all);
    if (!asked->s)
        return route_no_snapshot();
    int r = view_requests(asked->s, q->now, &wanted, asked->port->requests, asked->userdata, &view, &e);
    return r < 0 ? answer_failure(r, &e) : answer_body(view);
}

struct answer route_request(const struct asked *asked)
{
    struct err e = {0};
    struct json_object *view = NULL;
    if (!asked->s)
        return route_no_snapshot();
    int r = view_request(asked->s, asked->question->now, asked->name, asked->port->requests,
                         asked->userdata, &view, &e);
    return r < 0 ? answer_failure(r, &e) : answer_body(view);
}
