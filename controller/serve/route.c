#include "serve/route.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/view.h"

/* A plan this many looks old means that steps have stopped. */
enum { READY_LOOKS = 6 };

typedef struct json_object *(*view_function)(const struct snapshot *s, usec now);
typedef int (*command_function)(void *userdata, uid_t who, struct err *e);

static const struct {
    const char *path;
    view_function view;
} views[] = {
    {"/v1/demand", view_demand}, {"/v1/flock", view_flock}, {"/v1/groups", view_groups},
    {"/v1/hosts", view_hosts},   {"/v1/plan", view_plan},   {"/v1/status", view_status},
    {"/v1/vms", view_vms},       {"/v1/world", view_world},
};

/* What can be explained: the path ends with a name. */
static const struct {
    const char *path;
    int (*view)(const struct snapshot *s, usec now, const char *name, struct json_object **ret,
                struct err *e);
} explanations[] = {
    {"/v1/explain/group/", view_explain_group},
    {"/v1/explain/host/", view_explain_host},
    {"/v1/explain/vm/", view_explain_vm},
};

enum command {
    COMMAND_FLOCK_APPLY,
    COMMAND_FLOCK_REMOVE,
    COMMAND_LOOK,
    COMMAND_PAUSE,
    COMMAND_RESUME,
};

static const struct {
    const char *path;
    const char *text;
} commands[] = {
    [COMMAND_FLOCK_APPLY] = {"/v1/flock/apply", "the flocking fragments will be put in place"},
    [COMMAND_FLOCK_REMOVE] = {"/v1/flock/remove", "the flocking fragments will be taken away"},
    [COMMAND_LOOK] = {"/v1/look", "looking now"},
    [COMMAND_PAUSE] = {"/v1/pause", "paused: nothing is changed until eyrie resume"},
    [COMMAND_RESUME] = {"/v1/resume", "resumed"},
};

static command_function find_command(const struct api_port *port, enum command command)
{
    switch (command) {
    case COMMAND_FLOCK_APPLY:
        return port->flock_apply;
    case COMMAND_FLOCK_REMOVE:
        return port->flock_remove;
    case COMMAND_LOOK:
        return port->look;
    case COMMAND_PAUSE:
        return port->pause;
    case COMMAND_RESUME:
        return port->resume;
    }
    return NULL;
}

static struct answer refuse(unsigned status, const char *text)
{
    return (struct answer){.status = status, .body = view_error(text)};
}

static struct answer wrong_method(const char *allow)
{
    struct answer a = refuse(405, "this path takes another method");
    a.allow = allow;
    return a;
}

static struct answer say(const char *text)
{
    struct json_object *o = json_object_new_object();
    json_add_int(o, "version", VIEW_VERSION);
    json_add_string(o, "text", text);
    return (struct answer){.status = 200, .body = o};
}

static bool may_look(const char *method)
{
    return text_equal(method, "GET") || text_equal(method, "HEAD");
}

static bool may_change(uid_t who)
{
    return who == 0 || who == geteuid();
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

static struct answer no_snapshot(void)
{
    return refuse(503, "eyried has only just started: there is no plan yet");
}

static struct answer ready(const struct snapshot *s, usec now)
{
    if (!s)
        return no_snapshot();
    usec old = now - s->server.last_step;
    if (old > READY_LOOKS * s->policy->timing.look_every.value + USEC_PER_MINUTE) {
        char age[UNITS_TEXT_MAX];
        AUTOFREE char *text = mem_printf(
            "the last step was %s ago", units_format_duration(old - old % USEC_PER_SEC, age));
        return refuse(503, text);
    }
    return say("ready");
}

static struct answer change(const struct api_port *port, void *userdata, const char *method,
                            enum command command, uid_t who)
{
    struct err e = {0};
    if (!text_equal(method, "POST"))
        return wrong_method("POST");
    if (!may_change(who)) {
        AUTOFREE char *text =
            mem_printf("uid %" PRIuMAX " may look but not change anything", (uintmax_t)who);
        return refuse(403, text);
    }
    int r = find_command(port, command)(userdata, who, &e);
    return r < 0 ? refuse(status_of(r), e.text) : say(commands[command].text);
}

static struct answer show(const struct snapshot *s, usec now, const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(views); i++)
        if (text_equal(path, views[i].path))
            return s ? (struct answer){.status = 200, .body = views[i].view(s, now)}
                     : no_snapshot();
    for (size_t i = 0; i < ARRAY_SIZE(explanations); i++) {
        struct err e = {0};
        struct json_object *body = NULL;
        if (!text_starts_with(path, explanations[i].path))
            continue;
        const char *name = path + strlen(explanations[i].path);
        if (!*name)
            break;
        if (!s)
            return no_snapshot();
        int r = explanations[i].view(s, now, name, &body, &e);
        return r < 0 ? refuse(status_of(r), e.text) : (struct answer){.status = 200, .body = body};
    }
    return refuse(404, "there is nothing at this path");
}

struct answer route_answer(const struct api_port *port, void *userdata, usec now,
                           const char *method, const char *path, uid_t who)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (text_equal(path, commands[i].path))
            return change(port, userdata, method, (enum command)i, who);
    if (!may_look(method))
        return wrong_method("GET");
    if (text_equal(path, "/healthz"))
        return say("ok");
    CLEANUP(snapshot_unref_p) struct snapshot *s = port->snapshot(userdata);
    if (text_equal(path, "/readyz"))
        return ready(s, now);
    return show(s, now, path);
}

bool route_is_shared(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(views); i++)
        if (text_equal(path, views[i].path))
            return true;
    return false;
}
