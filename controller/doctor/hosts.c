/*
 * The hosts, each by an eyrie-host of its own: libvirt answers, the storage pool runs, each
 * template's image is there and its domain is one that the host would start. Nothing is made.
 */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "doctor/checks.h"
#include "doctor/host-answer.h"
#include "loop/worker.h"

/* Workers at once, of up to 20 MB each. */
enum { WORKERS_MAX = 64 };

/* Opening a connection has no timeout of libvirt's own. */
#define HOST_DEADLINE (30 * USEC_PER_SEC)

struct host_visit {
    struct visit *v;
    const struct policy_host *host;
    struct host_visit *next; /* waits for its turn */
    struct worker *worker;
    struct loop_timer *deadline;
    struct loop_poke *over; /* ends it, outside of the worker's callbacks */
    const char *why;        /* it ended without all answers */
    size_t expected, answered;
};

static struct host_visit *begin(struct host_visit *h);

static bool serves(const struct policy_host *h, const struct policy_template *t)
{
    for (size_t i = 0; i < t->n_needs; i++) {
        bool has = false;
        for (size_t k = 0; k < h->n_tags; k++)
            has = has || strcmp(h->tags[k], t->needs[i]) == 0;
        if (!has)
            return false;
    }
    return true;
}

static void is_over(void *userdata)
{
    struct host_visit *h = userdata;
    struct visit *v = h->v;
    h->worker = worker_free(h->worker);
    h->deadline = loop_timer_free(h->deadline);
    if (h->why)
        visit_wrong(v, CHECK_HOST, h->host->name, h->why,
                    "no VM is started there, and those it has are lost to eyried",
                    visit_text(v,
                               "virsh -c '%s' list (does libvirtd run? may this user use it: group "
                               "libvirt, or a client certificate?)",
                               h->host->uri));
    struct host_visit *next = h->next;
    h->over = loop_poke_free(h->over);
    if (next)
        (void)begin(next);
    visit_release(v);
}

static void end(struct host_visit *h, const char *why)
{
    if (h->answered < h->expected && !h->why)
        h->why = arena_strdup(h->v->arena, why);
    loop_poke(h->over);
}

static void line_told(void *userdata, char *line, size_t length)
{
    struct host_visit *h = userdata;
    struct json_object *value = NULL;
    if (json_parse(line, length, &value, NULL) < 0)
        return;
    AUTOJSON struct json_object *o = value;
    int64_t id = json_int_or(o, "id", 0);
    if (strcmp(json_string_or(o, "event", ""), "disconnected") == 0) {
        end(h, json_string_or(o, "error", "no connection"));
    } else if (id > 0 && !json_bool_or(o, "ok", false)) {
        end(h, json_string_or(o, "error", "no reason"));
    } else if (id > 0 && id <= (int64_t)h->v->policy->n_templates) {
        const struct policy_template *t = &h->v->policy->templates[id - 1];
        host_answer_judge(h->v, h->host, t, o, h->answered == 0);
        if (++h->answered == h->expected)
            end(h, "");
    }
}

static void worker_gone(void *userdata, const char *error)
{
    end(userdata, error);
}

static void is_late(void *userdata)
{
    struct host_visit *h = userdata;
    char time[UNITS_TEXT_MAX];
    end(h, visit_text(h->v, "libvirt did not answer within %s",
                      units_format_duration(HOST_DEADLINE, time)));
}

static void ask(struct host_visit *h, size_t i)
{
    const struct policy_template *t = &h->v->policy->templates[i];
    AUTOJSON struct json_object *o = json_object_new_object();
    json_add_int(o, "id", (int64_t)i + 1);
    json_add_string(o, "op", "check");
    json_add_string(o, "domain_xml", t->domain_xml);
    json_add_string(o, "image", t->image);
    json_add_int(o, "cpus", t->cpus);
    json_add_int(o, "memory", t->memory);
    json_add_int(o, "disk", t->disk);
    AUTOFREE char *line =
        mem_printf("%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
    (void)worker_write(h->worker, line, strlen(line));
}

static struct host_visit *begin(struct host_visit *h)
{
    const struct policy *p = h->v->policy;
    const char *const argv[] = {p->paths.host_program, "--pool",     p->pool.name, "--storage-pool",
                                h->host->storage_pool, h->host->uri, NULL};
    h->over = loop_poke_new(h->v->loop, is_over, h);
    h->deadline = loop_timer_new(h->v->loop, is_late, h);
    loop_timer_set(h->deadline, HOST_DEADLINE);
    h->worker = worker_open(
        h->v->loop,
        &(struct worker_args){.argv = argv, .line = line_told, .gone = worker_gone, .userdata = h});
    for (size_t i = 0; i < p->n_templates; i++)
        if (serves(h->host, &p->templates[i]))
            ask(h, i);
    return h;
}

void hosts_begin(struct visit *v)
{
    struct host_visit *chains[WORKERS_MAX] = {0};
    for (size_t i = 0; i < v->policy->n_hosts; i++) {
        struct host_visit *h = arena_take(v->arena, 1, sizeof(*h));
        *h = (struct host_visit){.v = v, .host = &v->policy->hosts[i]};
        for (size_t k = 0; k < v->policy->n_templates; k++)
            h->expected += serves(h->host, &v->policy->templates[k]);
        if (h->expected == 0) {
            visit_skip(v, CHECK_HOST, h->host->name, "no template may run there (needs, tags)");
            continue;
        }
        h->next = chains[i % WORKERS_MAX];
        chains[i % WORKERS_MAX] = h;
        visit_hold(v);
    }
    for (size_t i = 0; i < WORKERS_MAX; i++)
        if (chains[i])
            (void)begin(chains[i]);
}
