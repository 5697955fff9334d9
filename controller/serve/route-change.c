/*
 * The routes that change something, for those who may.
 */
#include "serve/route-private.h"

#include <errno.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"

struct answer route_look(const struct asked *asked)
{
    const struct asker *who = &asked->question->who;
    struct err e = {0};
    int r = asked->port->allow(asked->userdata, who, &e);
    if (r == 0)
        r = asked->port->look(asked->userdata, who->uid, &e);
    return r < 0 ? answer_failure(r, &e) : answer_text("looking now");
}

/* 422: the files are refused, and the answer says why. */
struct answer route_reload(const struct asked *asked)
{
    const struct question *q = asked->question;
    struct err e = {0};
    bool refused = false;
    int r = asked->port->allow(asked->userdata, &q->who, &e);
    if (r < 0)
        return answer_failure(r, &e);
    struct json_object *body = asked->port->reload(asked->userdata, q->who.user, &refused);
    return (struct answer){.status = refused ? 422 : 200, .body = body};
}

/* The answer holds a token to join with, which is nobody else's business. */
struct answer route_agent_add(const struct asked *asked)
{
    const struct question *q = asked->question;
    struct json_object *body = NULL;
    struct err e = {0};
    int r = asked->port->allow(asked->userdata, &q->who, &e);
    if (r == 0)
        r = asked->port->agent_add(asked->userdata, asked->name, q->who.user, &body, &e);
    return r < 0 ? answer_failure(r, &e) : answer_body(body);
}

struct answer route_agent_remove(const struct asked *asked)
{
    const struct question *q = asked->question;
    struct err e = {0};
    int r = asked->port->allow(asked->userdata, &q->who, &e);
    if (r == 0)
        r = asked->port->agent_remove(asked->userdata, asked->name, q->who.user, &e);
    return r < 0 ? answer_failure(r, &e) : answer_text("its token is good for nothing any more");
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
                           "and reason (text)",
                           key);
    }
    for (const char *p = o->reason; *p; p++) /* it goes into logs, a line an event */
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return err_set(e, EINVAL, "the reason has a control character in it (byte %d)",
                           (int)(p - o->reason) + 1);
    if (strlen(o->reason) > LIMIT_REASON_BYTES)
        return err_set(e, EINVAL, "the reason is longer than %d bytes", LIMIT_REASON_BYTES);
    if (o->now && o->verb != ORDER_DRAIN)
        return err_set(e, EINVAL, "only a drain can be \"now\"");
    return 0;
}

/* The view is made of the facts before, whether the order is given or only shown. */
struct answer route_order(const struct asked *asked, enum order_verb verb)
{
    const struct question *q = asked->question;
    struct order o = {.verb = verb, .who = q->who.uid};
    struct err e = {0};
    bool preview = false;
    int code = take_body(q->body, &o, &preview, &e);
    if (code < 0)
        return answer_refusal(400, "%s", e.text);
    code = asked->port->allow(asked->userdata, &q->who, &e);
    if (code == 0)
        code = order_resolve(asked->s, &o, asked->name, &e);
    if (code < 0)
        return answer_failure(code, &e);
    o.user = q->who.user;
    AUTOJSON struct json_object *view = view_order(asked->s, q->now, &o, preview);
    if (!preview && json_bool_or(view, "changes", true))
        code = asked->port->order(asked->userdata, &o, &e);
    return code < 0 ? answer_failure(code, &e) : answer_body(json_object_get(view));
}

/* 409: there is no room, and the answer says what there would be room for. */
struct answer route_book(const struct asked *asked, enum booking_verb verb)
{
    const struct question *q = asked->question;
    struct booking b = {.verb = verb, .id = asked->name};
    struct json_object *body = NULL;
    struct err e = {0};
    bool refused = false;
    if (booking_read(q->body, &b, &e) < 0)
        return answer_refusal(400, "%s", e.text);
    if (!asked->s)
        return route_no_snapshot();
    b.user = q->who.user;
    int r = asked->port->book(asked->userdata, &b, &q->who, &body, &refused, &e);
    return r < 0 ? answer_failure(r, &e)
                 : (struct answer){.status = refused ? 409 : 200, .body = body};
}
