#include "agent/agent.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "agent/fetch.h"
#include "agent/keeper.h"
#include "base/mem.h"
#include "log.h"

enum { WAIT_SECONDS = 20, ANSWER_SECONDS = 15 };
/* A server that answers "nothing new" without waiting is not asked all the time. */
static const usec least_pause = USEC_PER_SEC;

struct agent {
    struct loop *loop;
    const struct state_joined *joined;
    struct keeper *keeper;
    struct fetch *fetch;
    struct loop_timer *timer; /* to ask again */
    usec asked;               /* ticks */
    unsigned failures;        /* in a row */
    int64_t refused;          /* revision that was refused last */
    char *complaint;          /* why; or why a fragment could not be taken. NULL: all is well */
    bool lost;                /* the controller, as it was logged */
    long lost_status;         /* how */
    bool once;
    bool reporting; /* once: the last question */
    int status;     /* once: to exit with */
};

static void event(const char *kind, const char *subject, const char *text)
{
    log_event(strstr(kind, "failed") || strstr(kind, "refused") || strstr(kind, "lost")
                  ? LOG_WARNING
                  : LOG_INFO,
              kind, subject, text);
}

usec agent_rest(unsigned failures, uint32_t chance)
{
    usec most = (USEC_PER_SEC / 4) << (failures < 7 ? failures : 7);
    return most / 2 + (usec)chance % (most / 2);
}

/* Said once, not each time that it is so again. */
static void lose(struct agent *a, long status, const char *error)
{
    if (a->lost && a->lost_status == status)
        return;
    AUTOFREE char *text =
        mem_printf("%s; revision %" PRId64 " stays in place", error, keeper_revision(a->keeper));
    event("controller-lost", a->joined->name, text);
    a->lost = true;
    a->lost_status = status;
}

static void find_again(struct agent *a)
{
    a->failures = 0;
    if (a->lost)
        event("controller-back", a->joined->name, "");
    a->lost = false;
}

/* What came is refused, or cannot be taken now. Returns how long to wait before asking again. */
static usec refuse(struct agent *a, int r, int64_t revision, const struct err *e)
{
    if (!a->complaint || strcmp(a->complaint, e->text) != 0)
        event(r == -EKEYREJECTED ? "fragment-refused" : "fragment-failed", a->joined->name,
              e->text);
    mem_replace(&a->complaint, e->text);
    bool again = r != -EKEYREJECTED || revision == a->refused;
    if (r == -EKEYREJECTED)
        a->refused = revision;
    a->status = 1;
    return again ? agent_rest(a->failures++, arc4random()) : 0;
}

/* For one that runs once: the answer is there, or none comes. */
static void go_on_once(struct agent *a)
{
    bool last = a->reporting;
    a->reporting = true;
    if (!last)
        keeper_look(a->keeper);
    if (!last && keeper_is_busy(a->keeper))
        return; /* what comes of it is reported */
    if (!last && a->complaint && !a->lost)
        agent_ask(a);
    else
        loop_quit(a->loop, a->status);
}

static void answered(void *userdata, long status, const char *error, struct json_object *body)
{
    struct agent *a = userdata;
    struct err e;
    int64_t revision = 0;
    usec wait = 0;
    bool quick = loop_ticks(a->loop) - a->asked < least_pause;
    AUTOJSON struct json_object *answer = json_object_get(body);
    AUTOFREE char *text = mem_strdup(error);
    a->fetch = fetch_free(a->fetch);
    if (text) {
        lose(a, status, text);
        a->status = status == 401 ? AGENT_REFUSED : AGENT_UNREACHABLE;
        wait = agent_rest(a->failures++, arc4random());
    } else if (json_string_or(answer, "signature", NULL)) {
        int r = keeper_take(a->keeper, answer, &revision, &e);
        if (r < 0) {
            wait = refuse(a, r, revision, &e);
        } else {
            AUTOFREE char *which = mem_printf("revision %" PRId64, revision);
            event("fragment-given", a->joined->name, which);
            mem_replace(&a->complaint, NULL);
            a->refused = 0;
        }
        if (a->lost)
            find_again(a);
    } else {
        find_again(a);
        wait = quick ? least_pause : 0;
    }
    if (a->once)
        go_on_once(a);
    else
        loop_timer_set(a->timer, wait);
}

static char *report(const struct agent *a)
{
    AUTOJSON struct json_object *o = json_object_new_object();
    struct world_flock w;
    keeper_fill(a->keeper, &w);
    json_add_int(o, "version", 1);
    json_add_string(o, "program", EYRIE_VERSION);
    json_add_bool(o, "once", a->once);
    json_add_int(o, "wait", a->once ? 0 : WAIT_SECONDS);
    json_add_int(o, "have", keeper_revision(a->keeper));
    json_add_int(o, "refused", a->refused);
    json_add_string(o, "present", w.present);
    json_add_string(o, "believed", w.believed);
    json_add_string(o, "error", a->complaint ? a->complaint : w.failed ? w.error : "");
    return mem_strdup(json_object_to_json_string(o));
}

void agent_ask(struct agent *a)
{
    const struct fetch_server server = {a->joined->server, a->joined->pin, a->joined->ca};
    AUTOFREE char *json = report(a);
    a->fetch = fetch_free(a->fetch);
    loop_timer_set(a->timer, USEC_NEVER);
    a->asked = loop_ticks(a->loop);
    a->fetch = fetch_start(a->loop, &server, "/v1/news", a->joined->token, json,
                           (WAIT_SECONDS + ANSWER_SECONDS) * USEC_PER_SEC, answered, a);
}

static void on_timer(void *userdata)
{
    agent_ask(userdata);
}

/* There is something to report. A question that waits is asked anew, with it. */
static void changed(void *userdata)
{
    struct agent *a = userdata;
    struct world_flock w;
    keeper_fill(a->keeper, &w);
    if (a->once && (!a->reporting || keeper_is_busy(a->keeper)))
        return;
    if (a->once && (w.failed || a->complaint))
        a->status = 1;
    if (a->once && a->lost) /* nobody to report to */
        loop_quit(a->loop, a->status);
    else if (a->once || a->failures == 0) /* who runs once reports whatever came of it */
        loop_timer_set(a->timer, 0);
}

struct agent *agent_new(struct loop *loop, const char *folder, const struct state_joined *joined,
                        bool once)
{
    struct agent *a = mem_new(1, sizeof(*a));
    *a = (struct agent){.loop = loop, .joined = joined, .once = once};
    a->timer = loop_timer_new(loop, on_timer, a);
    a->keeper = keeper_new(loop, folder, joined, &(struct keeper_callbacks){changed, event, a});
    if (!once)
        keeper_look(a->keeper);
    agent_ask(a);
    return a;
}

struct agent *agent_free(struct agent *a)
{
    if (!a)
        return NULL;
    (void)fetch_free(a->fetch);
    (void)keeper_free(a->keeper);
    (void)loop_timer_free(a->timer);
    free(a->complaint);
    free(a);
    return NULL;
}
