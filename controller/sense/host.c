#include "sense/host.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "loop/worker.h"
#include "sense/host-private.h"
#include "sense/inventory.h"

#define RESPAWN_FIRST (USEC_PER_SEC / 2)
#define RESPAWN_LAST USEC_PER_MINUTE

void host_hold(struct host *host)
{
    assert(!host->busy);
    host->busy = true;
}

bool host_release(struct host *host)
{
    host->busy = false;
    if (!host->freed)
        return true;
    (void)host_free(host);
    return false;
}

struct host *host_free(struct host *host)
{
    if (!host)
        return NULL;
    host->worker = worker_free(host->worker);
    host->respawn = loop_timer_free(host->respawn);
    host->refuse = loop_poke_free(host->refuse);
    calls_free(&host->queue);
    calls_free(&host->written);
    calls_free(&host->refused);
    if (host->busy) { /* whoever calls the callbacks finishes this */
        host->freed = true;
        return NULL;
    }
    host->inventory = inventory_free(host->inventory);
    host->doubted = inventory_free(host->doubted);
    free(host->name);
    free(host->program);
    free(host->pool);
    free(host->storage_pool);
    free(host->uri);
    free(host->why_down);
    free(host->error);
    free(host);
    return NULL;
}

void host_facts_failed(struct host *host, const char *why)
{
    host->failed = loop_now(host->loop);
    mem_replace(&host->error, why);
}

void host_say_looked(struct host *host)
{
    if (host->callbacks.looked && !host->freed)
        host->callbacks.looked(host->callbacks.userdata);
}

static void say_log(struct host *host, const char *line)
{
    if (host->callbacks.log)
        host->callbacks.log(host->callbacks.userdata, host->name, line);
}

/*
 * The answer to a list: the facts, if it is whole. Returns the sentence if it is not; else "". One that
 * lacks a domain of ours which nobody said has ended is believed when two in a row lack it: the place of
 * a VM is given away then (S2, S8).
 */
static char *list_take(struct host *host, const struct call *c, struct json_object *o)
{
    struct err e;
    struct inventory *new = NULL;
    if (inventory_parse(o, host->inventory, &new, &e) < 0)
        return mem_strdup(e.text);
    bool lacks = inventory_lacks(new, host->doubted ? host->doubted : host->inventory);
    host->doubted = inventory_free(host->doubted);
    if (lacks) {
        host->doubted = new;
        host->look_again = true;
        return mem_strdup("");
    }
    host->inventory = inventory_free(host->inventory);
    host->inventory = new;
    host->asked = c->asked;
    host->failed = 0;
    mem_replace(&host->error, "");
    return mem_strdup("");
}

static void answer_take(struct host *host, struct json_object *o, int64_t id)
{
    struct call **at = &host->written;
    while (*at && (*at)->id != id)
        at = &(*at)->next;
    struct call *c = *at;
    if (!c) {
        AUTOFREE char *line = mem_printf("an answer to nothing (id %lld): %s", (long long)id,
                                         json_string_or(o, "error", ""));
        say_log(host, line);
        return;
    }
    *at = c->next;
    host->n_written--;
    host->list_written &= c->op != HOST_LIST;
    host->respawn_after = RESPAWN_FIRST; /* it works */
    bool ok = json_bool_or(o, "ok", false);
    AUTOFREE char *error =
        ok ? mem_strdup("") : mem_strdup(json_string_or(o, "error", "no reason"));
    if (ok && c->op == HOST_LIST && c->asked >= host->asked) {
        free(error);
        error = list_take(host, c, o);
        ok = !*error;
    }
    if (!ok && c->op == HOST_LIST)
        host_facts_failed(host, error);
    struct host_answer answer = {
        .answer = ok ? WORLD_ANSWER_OK
                     : json_bool_or(o, "unknown", false) ? WORLD_ANSWER_NONE : WORLD_ANSWER_FAILED,
        .gone = json_bool_or(o, "gone", false),
        .code = (int)json_int_or(o, "code", 0),
        .error = error,
    };
    call_answer(c, &answer);
}

static void looked(void *userdata, const struct host_answer *answer)
{
    struct host *host = userdata;
    (void)answer; /* what went wrong is in the facts */
    host->looking = false;
    if (host->look_again)
        host_look(host);
    host_say_looked(host);
}

void host_look(struct host *host)
{
    host->look_again = host->looking;
    if (host->looking || !host->worker)
        return;
    host->looking = true;
    host_ask(host, HOST_LIST, NULL, NULL, looked, host);
}

/* A lost connection is opened again by the worker, which then says so: no need to ask. */
static void event_take(struct host *host, struct json_object *o, const char *event)
{
    if (strcmp(event, "disconnected") == 0) {
        const char *error = json_string_or(o, "error", "no reason given");
        AUTOFREE char *line = mem_printf("disconnected: %s", error);
        host_facts_failed(host, error);
        say_log(host, line);
        host_say_looked(host);
        return;
    }
    if (strcmp(event, "console") == 0) {
        const char *name = json_string_or(o, "name", ""), *text = json_string_or(o, "text", "");
        if (host->callbacks.console && utf8_is_plain(name) && strlen(name) <= LIMIT_NAME_BYTES &&
            utf8_is_plain(text) && strlen(text) <= LIMIT_CONSOLE_BYTES)
            host->callbacks.console(host->callbacks.userdata, json_string_or(o, "uuid", ""), name,
                                    text);
        return;
    }
    const char *what = json_string_or(o, "what", "");
    if (strcmp(what, "stopped") == 0 || strcmp(what, "shutdown") == 0 ||
        strcmp(what, "crashed") == 0 || strcmp(what, "undefined") == 0) {
        inventory_ended(host->inventory, json_string_or(o, "uuid", ""));
        inventory_ended(host->doubted, json_string_or(o, "uuid", ""));
    }
    if (strcmp(event, "connected") == 0)
        say_log(host, "connected");
    if (!host->freed)
        host_look(host);
}

static void worker_line(void *userdata, char *line, size_t length)
{
    struct host *host = userdata;
    struct err e;
    struct json_object *value = NULL;
    if (json_parse(line, length, &value, &e) < 0) {
        worker_kill(host->worker, "what it says is not JSON");
        return;
    }
    AUTOJSON struct json_object *o = value;
    const char *event = json_string_or(o, "event", NULL);
    host_hold(host);
    if (event)
        event_take(host, o, event);
    else
        answer_take(host, o, json_int_or(o, "id", 0));
    if (host_release(host))
        host_pump(host);
}

static void worker_log(void *userdata, const char *line)
{
    struct host *host = userdata;
    host_hold(host);
    say_log(host, line);
    (void)host_release(host);
}

/* The worker is gone. What was written to it may have happened or not; what was not, did not. */
static void worker_gone(void *userdata, const char *error)
{
    struct host *host = userdata;
    AUTOFREE char *why = mem_strdup(error);
    host->worker = worker_free(host->worker);
    host->n_written = 0;
    host->list_written = false;
    mem_replace(&host->why_down, why);
    host_facts_failed(host, why);
    loop_timer_set(host->respawn, host->respawn_after);
    host->respawn_after *= 2;
    if (host->respawn_after > RESPAWN_LAST)
        host->respawn_after = RESPAWN_LAST;
    host_hold(host);
    say_log(host, why);
    calls_answer(host, &host->written, WORLD_ANSWER_NONE, why);
    calls_answer(host, &host->queue, WORLD_ANSWER_FAILED, why);
    host_say_looked(host);
    (void)host_release(host);
}

static void worker_start(void *userdata)
{
    struct host *host = userdata;
    const char *const argv[] = {host->program, "--pool", host->pool, "--storage-pool",
                                host->storage_pool, host->uri, NULL};
    host->starts++;
    host->worker = worker_open(host->loop, &(struct worker_args){
        .argv = argv, .line = worker_line, .log = worker_log, .gone = worker_gone,
        .userdata = host,
    });
}

static void refuse(void *userdata)
{
    struct host *host = userdata;
    AUTOFREE char *why = mem_printf("not asked, because the worker is down (%s)", host->why_down);
    host_hold(host);
    calls_answer(host, &host->refused, WORLD_ANSWER_FAILED, why);
    (void)host_release(host);
}

struct host *host_new(struct loop *loop, const struct policy *p, const struct policy_host *h,
                      const struct host_callbacks *callbacks)
{
    struct host *host = mem_new(1, sizeof(*host));
    *host = (struct host){
        .loop = loop,
        .callbacks = *callbacks,
        .name = mem_strdup(h->name),
        .program = mem_strdup(p->paths.host_program),
        .pool = mem_strdup(p->pool.name),
        .storage_pool = mem_strdup(h->storage_pool),
        .uri = mem_strdup(h->uri),
        .why_down = mem_strdup(""),
        .error = mem_strdup(""),
        .respawn_after = RESPAWN_FIRST,
    };
    host->respawn = loop_timer_new(loop, worker_start, host);
    host->refuse = loop_poke_new(loop, refuse, host);
    worker_start(host);
    return host;
}

const char *host_name(const struct host *host)
{
    return host->name;
}

bool host_is_for(const struct host *host, const struct policy *p, const struct policy_host *h)
{
    return strcmp(host->name, h->name) == 0 && strcmp(host->uri, h->uri) == 0 &&
           strcmp(host->storage_pool, h->storage_pool) == 0 &&
           strcmp(host->program, p->paths.host_program) == 0;
}

bool host_is_idle(const struct host *host)
{
    return !host->queue && !host->written && !host->refused;
}

void host_fill(const struct host *host, struct world_host *w)
{
    w->name = host->name;
    w->fact = (struct world_fact){
        .asked = host->asked, .failed = host->failed, .error = host->error,
    };
    inventory_fill(host->inventory, w);
}

void host_get_figures(const struct host *host, struct host_figures *ret)
{
    *ret = (struct host_figures){.starts = host->starts, .in_flight = (int64_t)host->n_written};
    for (const struct call *c = host->queue; c; c = c->next)
        ret->queued++;
}
