/*
 * The calls of a worker: what waits, what is written and not answered, how long each may take, and
 * what becomes of all of them when the worker is gone.
 */
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "loop/worker.h"
#include "sense/host-private.h"

/* Both are counted from the writing of the request. A list takes some milliseconds, and never waits
 * for other calls; the first one opens the connection, which may take its time. */
static const struct {
    const char *name;
    usec late;     /* when it is told that the host does not answer; 0: never */
    usec deadline; /* past it the worker hangs in a libvirt call */
} ops[] = {
    [HOST_LIST] = {"list", 4 * USEC_PER_SEC, 15 * USEC_PER_SEC},
    [HOST_CREATE] = {"create", 0, 60 * USEC_PER_SEC},
    [HOST_SHUTDOWN] = {"shutdown", 0, 10 * USEC_PER_SEC},
    [HOST_DESTROY] = {"destroy", 0, 60 * USEC_PER_SEC},
    [HOST_DELETE_VOLUME] = {"delete_volume", 0, 20 * USEC_PER_SEC},
    [HOST_RENEW] = {"renew", 0, 40 * USEC_PER_SEC}, /* eyrie-host gives the guest half of it */
};

const char *host_op_name(enum host_op op)
{
    return ops[op].name;
}

static struct call *call_free(struct call *c)
{
    if (c->line) {
        explicit_bzero(c->line, c->length);
        free(c->line);
    }
    c->deadline = loop_timer_free(c->deadline);
    free(c);
    return NULL;
}

void calls_free(struct call **list)
{
    while (*list) {
        struct call *c = *list;
        *list = c->next;
        (void)call_free(c);
    }
}

void call_answer(struct call *c, const struct host_answer *answer)
{
    host_done done = c->done;
    void *userdata = c->userdata;
    (void)call_free(c);
    if (done)
        done(userdata, answer);
}

void calls_answer(struct host *host, struct call **list, enum world_answer answer,
                         const char *why)
{
    struct call *todo = *list;
    *list = NULL;
    while (todo && !host->freed) {
        struct call *c = todo;
        todo = c->next;
        AUTOFREE char *error = mem_printf("%s of host %s: %s", ops[c->op].name, host->name, why);
        call_answer(c, &(struct host_answer){.answer = answer, .error = error});
    }
    calls_free(&todo);
}

static void call_is_late(struct call *c)
{
    struct host *host = c->host;
    char time[UNITS_TEXT_MAX];
    AUTOFREE char *why = mem_printf("no answer to %s for %s", ops[c->op].name,
                                    units_format_duration(ops[c->op].late, time));
    c->late = true;
    loop_timer_set(c->deadline, ops[c->op].deadline - ops[c->op].late);
    host_facts_failed(host, why);
    host_hold(host);
    host_say_looked(host);
    (void)host_release(host);
}

static void deadline_passed(void *userdata)
{
    struct call *c = userdata;
    char time[UNITS_TEXT_MAX];
    if (ops[c->op].late && !c->late) {
        call_is_late(c);
        return;
    }
    AUTOFREE char *why = mem_printf("no answer to %s within %s", ops[c->op].name,
                                    units_format_duration(ops[c->op].deadline, time));
    worker_kill(c->host->worker, why);
}

/* Of the calls that the worker does at once one is for a list, which stands first in the queue. */
static bool may_write(const struct host *host)
{
    size_t others = host->n_written - host->list_written;
    return host->queue->op == HOST_LIST || others < LIMIT_CALLS_PER_HOST - 1;
}

void host_pump(struct host *host)
{
    while (host->worker && host->queue && may_write(host)) {
        struct call *c = host->queue;
        if (!worker_write(host->worker, c->line, c->length))
            return; /* worker_gone will come */
        host->queue = c->next;
        c->next = host->written;
        host->written = c;
        host->n_written++;
        host->list_written |= c->op == HOST_LIST;
        c->asked = loop_now(host->loop);
        explicit_bzero(c->line, c->length);
        free(c->line);
        c->line = NULL;
        c->deadline = loop_timer_new(host->loop, deadline_passed, c);
        loop_timer_set(c->deadline, ops[c->op].late ? ops[c->op].late : ops[c->op].deadline);
    }
}

int64_t host_next_id(struct host *host)
{
    return ++host->last_id;
}

void host_call(struct host *host, enum host_op op, int64_t id, char *line, size_t length,
               host_done done, void *userdata)
{
    struct call *c = mem_new(1, sizeof(*c));
    *c = (struct call){.host = host, .op = op, .id = id, .line = line, .length = length,
                       .done = done, .userdata = userdata};
    struct call **at = host->worker ? &host->queue : &host->refused;
    while (*at && (op != HOST_LIST || (*at)->op == HOST_LIST)) /* facts go first */
        at = &(*at)->next;
    c->next = *at;
    *at = c;
    if (host->worker)
        host_pump(host);
    else
        loop_poke(host->refuse);
}
