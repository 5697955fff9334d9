#include "cli/image-push.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/text.h"
#include "loop/worker.h"

/* Hosts that take it side by side: a few fill the controller's network. */
enum { SIDE_BY_SIDE = 8 };

/* Nothing was heard of a host for so long: its libvirt hangs. A large file is read first. */
#define SILENT_AT_MOST (2 * USEC_PER_MINUTE)

struct push;

struct target {
    struct push *push;
    const struct policy_host *host;
    struct worker *worker;
    struct loop_timer *silent;
    struct loop_poke *over; /* ends it, outside of the worker's callbacks */
    int64_t done, all;
    char *error; /* "" it has it; NULL: not ended */
    bool already;
};

struct push {
    const struct image_push_args *args;
    struct loop *loop;
    const char *name;
    struct target *targets;
    size_t n, begun, ended;
    char *digest;
};

static void begin(struct push *p);

static void tell(struct push *p)
{
    int64_t done = 0, all = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct target *t = &p->targets[i];
        all += t->all;
        done += t->error ? t->all : t->done;
    }
    if (p->args->progress)
        p->args->progress(p->args->userdata, done, all, p->ended, p->n);
}

static void end(struct target *t, const char *error)
{
    if (t->error)
        return;
    t->error = mem_strdup(error);
    loop_poke(t->over);
}

static void is_over(void *userdata)
{
    struct target *t = userdata;
    struct push *p = t->push;
    t->worker = worker_free(t->worker);
    t->silent = loop_timer_free(t->silent);
    t->over = loop_poke_free(t->over);
    p->ended++;
    tell(p);
    if (p->ended == p->n)
        loop_quit(p->loop, 0);
    else
        begin(p);
}

static void is_silent(void *userdata)
{
    char time[UNITS_TEXT_MAX];
    AUTOFREE char *why = mem_printf("nothing was heard of it for %s",
                                    units_format_duration(SILENT_AT_MOST, time));
    end(userdata, why);
}

static void line_told(void *userdata, char *line, size_t length)
{
    struct target *t = userdata;
    struct json_object *value = NULL;
    if (json_parse(line, length, &value, NULL) < 0)
        return;
    AUTOJSON struct json_object *o = value;
    loop_timer_set(t->silent, SILENT_AT_MOST);
    if (strcmp(json_string_or(o, "event", ""), "progress") == 0) {
        t->done = json_int_or(o, "done", 0);
        tell(t->push);
    } else if (strcmp(json_string_or(o, "event", ""), "disconnected") == 0) {
        end(t, json_string_or(o, "error", "no connection"));
    } else if (json_int_or(o, "id", 0) == 1 && json_bool_or(o, "ok", false)) {
        t->already = json_bool_or(o, "already", false);
        mem_replace(&t->push->digest, json_string_or(o, "digest", ""));
        end(t, "");
    } else if (json_int_or(o, "id", 0) == 1) {
        end(t, json_string_or(o, "error", "no reason"));
    }
}

static void worker_gone(void *userdata, const char *error)
{
    end(userdata, error);
}

/* The next host, if there is one that was not begun. */
static void begin(struct push *p)
{
    if (p->begun == p->n)
        return;
    struct target *t = &p->targets[p->begun++];
    const struct policy *policy = p->args->policy;
    const char *const argv[] = {policy->paths.host_program, "--pool", policy->pool.name,
                                "--storage-pool", t->host->storage_pool, t->host->uri, NULL};
    AUTOJSON struct json_object *o = json_object_new_object();
    json_add_int(o, "id", 1);
    json_add_string(o, "op", "push");
    json_add_string(o, "name", p->name);
    json_add_string(o, "file", p->args->file);
    AUTOFREE char *line =
        mem_printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    t->over = loop_poke_new(p->loop, is_over, t);
    t->silent = loop_timer_new(p->loop, is_silent, t);
    loop_timer_set(t->silent, SILENT_AT_MOST);
    t->worker = worker_open(p->loop, &(struct worker_args){.argv = argv, .line = line_told,
                                                           .gone = worker_gone, .userdata = t});
    (void)worker_write(t->worker, line, strlen(line));
}

static struct json_object *describe(const struct push *p)
{
    struct json_object *view = json_object_new_object(), *rows = json_object_new_array();
    int64_t failed = 0;
    for (size_t i = 0; i < p->n; i++) {
        const struct target *t = &p->targets[i];
        struct json_object *row = json_object_new_object();
        json_add_string(row, "name", t->host->name);
        json_add_bool(row, "already", t->already);
        json_add_string(row, "error", *t->error ? t->error : NULL);
        (void)json_object_array_add(rows, row);
        failed += *t->error != '\0';
    }
    json_add_int(view, "version", 1);
    json_add_string(view, "image", p->name);
    json_add_string(view, "digest", p->digest);
    json_add_int(view, "failed", failed);
    json_add(view, "hosts", rows);
    return view;
}

/* The hosts that are to have it, with what each has to take. */
static int choose(struct push *p, struct err *e)
{
    const struct policy *policy = p->args->policy;
    struct stat st;
    if (stat(p->args->file, &st) < 0)
        return err_set(e, errno, "%s: %s", p->args->file, strerror(errno));
    p->targets = mem_new(policy->n_hosts, sizeof(*p->targets));
    for (size_t i = 0; i < policy->n_hosts; i++)
        if (!p->args->host || strcmp(policy->hosts[i].name, p->args->host) == 0)
            p->targets[p->n++] =
                (struct target){.push = p, .host = &policy->hosts[i], .all = 2 * (int64_t)st.st_size};
    if (p->n == 0)
        return err_set(e, ENOENT, "%s has no host %s", policy->file,
                       p->args->host ? p->args->host : "at all");
    return 0;
}

int image_push(const struct image_push_args *args, struct json_object **ret, struct err *e)
{
    struct push p = {.args = args, .name = strrchr(args->file, '/') + 1};
    int r = choose(&p, e);
    if (r == 0)
        r = loop_new(&p.loop, e);
    if (r == 0) {
        for (size_t i = 0; i < SIDE_BY_SIDE; i++)
            begin(&p);
        r = loop_run(p.loop);
    }
    if (r == 0)
        *ret = describe(&p);
    for (size_t i = 0; i < p.n; i++)
        free(p.targets[i].error);
    p.loop = loop_free(p.loop);
    free(p.targets);
    free(p.digest);
    return r;
}
