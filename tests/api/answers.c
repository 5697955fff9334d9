/*
 * Every route with what it answers about the sample pool, as a line of JSON each, for check-openapi:
 * {"route", "parameters", "status", "type", "body"}. Orders are previews.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "serve/route.h"
#include "serve/sample.h"

/* What stands for {name} under a path that ends so. A new kind of name is one more line. */
static const struct {
    const char *before;
    const char *name;
} names[] = {{"/add/", "schedd.lab"}, {"/remove/", "schedd.lab"}, {"/cordon/", "hv01"}, {"/drain/", "hv01"},    {"/fence/", "hv02"},    {"/group/", "juno"}, {"/host/", "hv01"},
             {"/job/", "12.3"},
             {"/approve/", "r-16"}, {"/cancel/", "r-17"}, {"/deny/", "r-16"}, {"/extend/", "r-17"}, {"/requests/", "r-17"},
             {"/uncordon/", "hv02"}, {"/undrain/", "1a2b3c4d"}, {"/unfence/", "hv02"}, {"/vm/", "1a2b3c4d"}};

typedef struct snapshot *(*sample)(void);

static struct api_port port;

static struct snapshot *busy(void)
{
    return sample_snapshot(NULL, NULL);
}

static struct snapshot *nothing(void)
{
    return NULL;
}

static struct snapshot *take(void *userdata)
{
    return (*(sample *)userdata)();
}

static int order(void *userdata, const struct order *o, struct err *e)
{
    (void)userdata;
    (void)o;
    return err_set(e, EIO, "a preview changes nothing");
}

/* The query for a job that was asked for last. */
static struct job_query *asked_job;

static struct job_query *ask_job(void *userdata, const char *schedd, int64_t cluster, int64_t proc,
                                 job_told told, void *told_userdata, struct err *e)
{
    asked_job = sample_ask_job(userdata, schedd, cluster, proc, told, told_userdata, e);
    return asked_job;
}

static usec later_now(void *userdata)
{
    (void)userdata;
    return SAMPLE_NOW;
}

static void later_ready(void *userdata, struct answer *answer)
{
    struct answer *into = userdata;
    (void)waiting_free(into->waiting);
    *into = *answer;
}

/* The path of a route with a name in it; owned by the caller. */
static char *fill(const char *path)
{
    const char *open = strchr(path, '{');
    for (size_t i = 0; open && i < ARRAY_SIZE(names); i++) {
        size_t length = strlen(names[i].before), before = (size_t)(open - path);
        if (before >= length && strncmp(open - length, names[i].before, length) == 0)
            return mem_printf("%.*s%s%s", (int)before, path, names[i].name, strchr(open, '}') + 1);
    }
    return mem_strdup(path);
}

static void print(size_t i, sample from)
{
    const char *route = route_name(i);
    static const struct traffic traffic;
    AUTOFREE char *path = fill(strchr(route, '/'));
    AUTOFREE char *method = mem_printf("%.*s", (int)strcspn(route, " "), route);
    AUTOJSON struct json_object *line = json_object_new_object();
    AUTOJSON struct json_object *sent = json_object_new_object();
    json_add_bool(sent, "preview", true);
    if (strstr(path, "/requests/add")) {
        json_add_string(sent, "group", "juno");
        json_add_int(sent, "cpus", from == busy ? 3 : 300); /* there is room for the first */
    }
    if (strstr(path, "/requests/add") || strstr(path, "/requests/extend"))
        json_add_string(sent, "for", strstr(path, "/add") ? "1h" : "+1h");
    struct answer a;
    a = route_answer(
        &port, &from,
        &(struct question){.method = method, .path = path, .who.user = "root", .now = SAMPLE_NOW,
                           .traffic = &traffic,
                           .body = text_equal(method, "POST") ? sent : NULL,
                           .later = {later_now, later_ready, &a}});
    if (a.waiting)
        sample_tell(asked_job);
    json_add_string(line, "route", route);
    struct json_object *parameters = json_object_new_array();
    for (size_t k = 0; route_parameter(i, k); k++)
        (void)json_object_array_add(parameters, json_object_new_string(route_parameter(i, k)));
    json_add(line, "parameters", parameters);
    json_add_int(line, "status", a.status);
    json_add_string(line, "type", a.type ? a.type : "application/json");
    json_add(line, "body", a.type ? json_object_new_string(text_get(&a.text))
                                  : json_object_get(a.body));
    answer_done(&a);
    (void)puts(json_object_to_json_string_ext(line, JSON_C_TO_STRING_NOSLASHESCAPE));
}

int main(void)
{
    port = sample_port;
    port.snapshot = take;
    port.ask_job = ask_job;
    port.order = order;
    static const sample samples[] = {busy, sample_quiet, nothing};
    for (size_t i = 0; route_name(i); i++)
        for (size_t k = 0; k < ARRAY_SIZE(samples); k++)
            print(i, samples[k]);
    return 0;
}
