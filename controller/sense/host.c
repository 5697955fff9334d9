#include "sense/host.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/worker.h"
#include "sense/inventory.h"

#define RESPAWN_FIRST (USEC_PER_SEC / 2)
#define RESPAWN_LAST USEC_PER_MINUTE

enum op { OP_LIST, OP_CREATE, OP_SHUTDOWN, OP_DESTROY, OP_DELETE_VOLUME, OP_RENEW };

static const struct {
    const char *name;
    usec deadline; /* from the writing of the request; past it the worker hangs in a libvirt call */
} ops[] = {
    [OP_LIST] = {"list", 10 * USEC_PER_SEC},
    [OP_CREATE] = {"create", 60 * USEC_PER_SEC},
    [OP_SHUTDOWN] = {"shutdown", 10 * USEC_PER_SEC},
    [OP_DESTROY] = {"destroy", 60 * USEC_PER_SEC},
    [OP_DELETE_VOLUME] = {"delete_volume", 20 * USEC_PER_SEC},
    [OP_RENEW] = {"renew", 40 * USEC_PER_SEC}, /* eyrie-host gives the guest half of it */
};

/* A request. In host.queue until it is written, then in host.written until it is answered. */
struct call {
    struct call *next;
    struct host *host;
    enum op op;
    int64_t id;
    char *line; /* NULL once written */
    size_t length;
    usec asked;
    struct loop_timer *deadline;
    host_done done;
    void *userdata;
};

struct host {
    struct loop *loop;
    struct host_callbacks callbacks;
    char *name, *program, *pool, *storage_pool, *uri;
    struct worker *worker; /* NULL: down */
    char *why_down;
    struct loop_timer *respawn;
    usec respawn_after;
    struct loop_poke *refuse;

    struct call *queue, *written, *refused;
    size_t n_written;
    int64_t last_id, starts;

    struct inventory *inventory; /* of the last complete list; NULL: none yet */
    usec asked, failed;
    char *error;

    bool busy;  /* callbacks are being called */
    bool freed; /* during that */
};

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

static void calls_free(struct call **list)
{
    while (*list) {
        struct call *c = *list;
        *list = c->next;
        (void)call_free(c);
    }
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

/* Callbacks may free the host: between these two it stays, and after the second it may be gone. */
static void host_hold(struct host *host)
{
    assert(!host->busy);
    host->busy = true;
}

static bool host_release(struct host *host)
{
    host->busy = false;
    if (!host->freed)
        return true;
    (void)host_free(host);
    return false;
}

/* Answer @c, which is in no list any more, and free it. */
static void call_answer(struct call *c, const struct host_answer *answer)
{
    host_done done = c->done;
    void *userdata = c->userdata;
    (void)call_free(c);
    if (done)
        done(userdata, answer);
}

static void calls_answer(struct host *host, struct call **list, enum world_answer answer,
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

static void say_log(struct host *host, const char *line)
{
    if (host->callbacks.log)
        host->callbacks.log(host->callbacks.userdata, host->name, line);
}

static void facts_failed(struct host *host, const char *why)
{
    host->failed = loop_now(host->loop);
    mem_replace(&host->error, why);
}

static void deadline_passed(void *userdata)
{
    struct call *c = userdata;
    char time[UNITS_TEXT_MAX];
    AUTOFREE char *why = mem_printf("no answer to %s within %s", ops[c->op].name,
                                    units_format_duration(ops[c->op].deadline, time));
    worker_kill(c->host->worker, why);
}

static void host_pump(struct host *host)
{
    while (host->worker && host->queue && host->n_written < LIMIT_CALLS_PER_HOST) {
        struct call *c = host->queue;
        if (!worker_write(host->worker, c->line, c->length))
            return; /* worker_gone will come */
        host->queue = c->next;
        c->next = host->written;
        host->written = c;
        host->n_written++;
        c->asked = loop_now(host->loop);
        explicit_bzero(c->line, c->length);
        free(c->line);
        c->line = NULL;
        c->deadline = loop_timer_new(host->loop, deadline_passed, c);
        loop_timer_set(c->deadline, ops[c->op].deadline);
    }
}

/* The answer to a list: the facts, if it is whole. Returns the sentence if it is not; else "". */
static char *list_take(struct host *host, const struct call *c, struct json_object *o)
{
    struct err e;
    struct inventory *new = NULL;
    if (inventory_parse(o, host->inventory, &new, &e) < 0)
        return mem_strdup(e.text);
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
    host->respawn_after = RESPAWN_FIRST; /* it works */
    bool ok = json_bool_or(o, "ok", false);
    AUTOFREE char *error =
        ok ? mem_strdup("") : mem_strdup(json_string_or(o, "error", "no reason"));
    if (ok && c->op == OP_LIST && c->asked >= host->asked) {
        free(error);
        error = list_take(host, c, o);
        ok = !*error;
    }
    if (!ok && c->op == OP_LIST)
        facts_failed(host, error);
    struct host_answer answer = {
        .answer = ok ? WORLD_ANSWER_OK
                     : json_bool_or(o, "unknown", false) ? WORLD_ANSWER_NONE : WORLD_ANSWER_FAILED,
        .gone = json_bool_or(o, "gone", false),
        .code = (int)json_int_or(o, "code", 0),
        .error = error,
    };
    call_answer(c, &answer);
}

static void event_take(struct host *host, struct json_object *o, const char *event)
{
    if (strcmp(event, "disconnected") == 0) {
        AUTOFREE char *line = mem_printf("disconnected: %s", json_string_or(o, "error", ""));
        say_log(host, line);
    } else if (strcmp(event, "connected") == 0) {
        say_log(host, "connected");
    }
    if (host->callbacks.changed && !host->freed)
        host->callbacks.changed(host->callbacks.userdata);
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
    mem_replace(&host->why_down, why);
    facts_failed(host, why);
    loop_timer_set(host->respawn, host->respawn_after);
    host->respawn_after *= 2;
    if (host->respawn_after > RESPAWN_LAST)
        host->respawn_after = RESPAWN_LAST;
    host_hold(host);
    say_log(host, why);
    calls_answer(host, &host->written, WORLD_ANSWER_NONE, why);
    calls_answer(host, &host->queue, WORLD_ANSWER_FAILED, why);
    if (host->callbacks.changed && !host->freed)
        host->callbacks.changed(host->callbacks.userdata);
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

/* Take over @line, which ends in a newline. */
static void host_call(struct host *host, enum op op, int64_t id, char *line, size_t length,
                      host_done done, void *userdata)
{
    struct call *c = mem_new(1, sizeof(*c));
    *c = (struct call){.host = host, .op = op, .id = id, .line = line, .length = length,
                       .done = done, .userdata = userdata};
    struct call **at = host->worker ? &host->queue : &host->refused;
    while (*at && (op != OP_LIST || (*at)->op == OP_LIST)) /* facts go first */
        at = &(*at)->next;
    c->next = *at;
    *at = c;
    if (host->worker)
        host_pump(host);
    else
        loop_poke(host->refuse);
}

static struct json_object *request_new(struct host *host, enum op op, int64_t *ret_id)
{
    struct json_object *o = json_object_new_object();
    *ret_id = ++host->last_id;
    json_add_int(o, "id", *ret_id);
    json_add_string(o, "op", ops[op].name);
    return o;
}

static const char *request_text(struct json_object *o)
{
    return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
}

static void call_simple(struct host *host, enum op op, const char *key, const char *value,
                        host_done done, void *userdata)
{
    int64_t id = 0;
    AUTOJSON struct json_object *o = request_new(host, op, &id);
    if (key)
        json_add_string(o, key, value);
    char *line = mem_printf("%s\n", request_text(o));
    host_call(host, op, id, line, strlen(line), done, userdata);
}

void host_list(struct host *host, host_done done, void *userdata)
{
    call_simple(host, OP_LIST, NULL, NULL, done, userdata);
}

void host_shutdown(struct host *host, const char *uuid, host_done done, void *userdata)
{
    call_simple(host, OP_SHUTDOWN, "uuid", uuid, done, userdata);
}

void host_destroy(struct host *host, const char *uuid, host_done done, void *userdata)
{
    call_simple(host, OP_DESTROY, "uuid", uuid, done, userdata);
}

void host_delete_volume(struct host *host, const char *name, host_done done, void *userdata)
{
    call_simple(host, OP_DELETE_VOLUME, "name", name, done, userdata);
}

/* Write @text as the inside of a JSON string; returns where it ends. */
static char *escape(char *to, const char *text)
{
    static const char hex[] = "0123456789abcdef";
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') {
            *to++ = '\\';
            *to++ = (char)c;
        } else if (c < 0x20) {
            memcpy(to, "\\u00", 4);
            to[4] = hex[c >> 4];
            to[5] = hex[c & 15];
            to += 6;
        } else {
            *to++ = (char)c;
        }
    }
    return to;
}

/* The secret is added by hand, into memory that will not move: json-c would keep copies of it. */
static void call_secret(struct host *host, enum op op, int64_t id, struct json_object *o,
                        const char *key, const char *secret, host_done done, void *userdata)
{
    const char *text = request_text(o);
    size_t head = strlen(text) - 1;
    size_t room = head + strlen(key) + 6 * strlen(secret) + sizeof(",\"\":\"\"}\n");
    char *line = mem_new(room, 1), *end = line;
    memcpy(end, text, head);
    end = stpcpy(end + head, ",\"");
    end = stpcpy(end, key);
    end = stpcpy(end, "\":\"");
    end = escape(end, secret);
    end = stpcpy(end, "\"}\n");
    host_call(host, op, id, line, (size_t)(end - line), done, userdata);
}

void host_create(struct host *host, const struct host_create_args *args, host_done done,
                 void *userdata)
{
    int64_t id = 0;
    AUTOJSON struct json_object *o = request_new(host, OP_CREATE, &id);
    json_add_string(o, "name", args->name);
    json_add_string(o, "uuid", args->uuid);
    json_add_string(o, "domain_xml", args->domain_xml);
    json_add_string(o, "image", args->image);
    json_add_int(o, "cpus", args->cpus);
    json_add_int(o, "memory", args->memory);
    json_add_int(o, "disk", args->disk);
    struct json_object *metadata = json_object_new_object();
    json_add(o, "metadata", metadata);
    json_add_string(metadata, "template", args->template);
    json_add_string(metadata, "generation", args->generation);
    json_add_string(metadata, "group", args->group);
    json_add_string(metadata, "request", args->request ? args->request : "");
    json_add_bool(metadata, "exclusive", args->exclusive);
    json_add_int(metadata, "born", args->born);
    call_secret(host, OP_CREATE, id, o, "seed", args->seed, done, userdata);
}

void host_renew(struct host *host, const char *uuid, const char *token, host_done done,
                void *userdata)
{
    int64_t id = 0;
    AUTOJSON struct json_object *o = request_new(host, OP_RENEW, &id);
    json_add_string(o, "uuid", uuid);
    call_secret(host, OP_RENEW, id, o, "token", token, done, userdata);
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
