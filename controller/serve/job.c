#include "serve/job.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/spelling.h"
#include "serve/route.h"

struct job_waiting {
    struct waiting base;
    const struct api_port *port;
    void *userdata;
    struct job_query *query;
    struct later later;
    char *schedd;
    char *id;
};

static void job_waiting_free(struct waiting *base)
{
    struct job_waiting *w = (struct job_waiting *)base;
    w->port->forget_job(w->userdata, w->query);
    free(w->schedd);
    free(w->id);
    free(w);
}

static void told(void *userdata, const struct world_job *job, const char *error)
{
    struct job_waiting *w = userdata;
    CLEANUP(snapshot_unref_p) struct snapshot *s = w->port->snapshot(w->userdata);
    struct later later = w->later;
    struct answer answer;
    if (error || !s)
        answer = answer_refusal(502, "%s does not tell: %s", w->schedd, error ? error : "no step");
    else if (!job->found)
        answer = answer_refusal(404,
                                "%s has no job %s in its queue: it has ended, or never was "
                                "there (condor_history -name %s %s)",
                                w->schedd, w->id, w->schedd, w->id);
    else
        answer = (struct answer){
            .status = 200, .body = view_job(s, later.now(later.userdata), w->schedd, w->id, job)};
    later.ready(later.userdata, &answer);
}

/* "12.3" or "12.3#…"; -EINVAL. */
static int parse_id(const char *text, int64_t *ret_cluster, int64_t *ret_proc)
{
    int64_t number[2];
    for (int i = 0; i < 2; i++) {
        char *end = NULL;
        if (*text < '0' || *text > '9')
            return -EINVAL;
        errno = 0;
        number[i] = strtoll(text, &end, 10);
        if (errno || number[i] > INT32_MAX || (i == 0 && *end != '.') ||
            (i == 1 && *end && *end != '#'))
            return -EINVAL;
        text = end + 1;
    }
    *ret_cluster = number[0];
    *ret_proc = number[1];
    return 0;
}

/* Which schedd is meant; SIZE_MAX with a sentence. @name: NULL: none was named. */
static size_t find_schedd(const struct policy *p, const char *name, struct err *e)
{
    CLEANUP(text_done) struct text all = {0};
    const char *near = NULL;
    if (!name && p->n_schedds == 1)
        return 0;
    for (size_t i = 0; i < p->n_schedds; i++) {
        if (name && strcmp(p->schedds[i].name, name) == 0)
            return i;
        if (name)
            spelling_nearer(name, p->schedds[i].name, &near);
        text_printf(&all, "%s%s", i ? ", " : "", p->schedds[i].name);
    }
    if (name)
        (void)err_set(e, ENOENT, "there is no schedd \"%.128s\" in the policy%s%s%s", name,
                      near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    else
        (void)err_set(e, ENOTUNIQ, "which schedd's? Say schedd#12.3, with one of: %s",
                      text_get(&all));
    return SIZE_MAX;
}

struct answer job_explain(const struct api_port *port, void *userdata, const struct snapshot *s,
                          const char *id, const struct question *q)
{
    int64_t cluster, proc;
    struct err e = {0};
    const char *schedd = question_parameter(q, "schedd");
    const char *hash = strchr(id, '#'), *dot = strchr(id, '.');
    bool names_schedd = hash && (!dot || hash < dot || strchr(hash + 1, '.'));
    AUTOFREE char *before = names_schedd ? mem_printf("%.*s", (int)(hash - id), id) : NULL;
    if (parse_id(names_schedd ? hash + 1 : id, &cluster, &proc) < 0)
        return answer_refusal(400, "\"%.128s\" is no job: say 12.3 (cluster.proc), or schedd#12.3",
                              id);
    if (before && schedd && strcmp(before, schedd) != 0)
        return answer_refusal(400, "the job is of %.128s, and the schedd is %.128s", before,
                              schedd);
    size_t at = find_schedd(s->policy, before ? before : schedd, &e);
    if (at == SIZE_MAX)
        return answer_refusal(strncmp(e.text, "which", 5) == 0 ? 409 : 404, "%s", e.text);
    struct job_waiting *w = mem_new(1, sizeof(*w));
    w->base.free = job_waiting_free;
    w->port = port;
    w->userdata = userdata;
    w->later = q->later;
    w->schedd = mem_strdup(s->policy->schedds[at].name);
    w->id = mem_printf("%" PRId64 ".%" PRId64, cluster, proc);
    w->query = port->ask_job(userdata, w->schedd, cluster, proc, told, w, &e);
    if (!w->query) {
        (void)waiting_free(&w->base);
        return answer_refusal(503, "%s", e.text);
    }
    return (struct answer){.waiting = &w->base};
}
