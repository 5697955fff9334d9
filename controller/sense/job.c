#include "sense/job.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/condor.h"
#include "sense/queue.h"
#include "sense/untrusted.h"

#define MAX_SECONDS (USEC_NEVER / USEC_PER_SEC / 2)

struct job_query {
    struct loop *loop;
    struct child *child;
    char *flag;
    job_done done;
    void *userdata;
};

static usec seconds(struct json_object *ad, const char *key)
{
    return USEC_PER_SEC * untrusted_number(ad, key, 0, MAX_SECONDS, 0, NULL);
}

static struct world_job read_ad(struct arena *a, struct json_object *ad, const char *flag, usec now)
{
    return (struct world_job){
        .found = true,
        .status = untrusted_number(ad, "JobStatus", 0, 1000, 0, NULL),
        .flagged = json_bool_or(ad, flag, false),
        .flocks = *untrusted_name(a, ad, "FlockTo") != '\0',
        .shape = queue_shape(a, ad, now),
        .hold_reason = untrusted_name(a, ad, "HoldReason"),
        .remote_host = untrusted_name(a, ad, "RemoteHost"),
        .submitted = seconds(ad, "QDate"),
        .since = seconds(ad, "EnteredCurrentStatus"),
    };
}

/* No output at all is how condor_q says "none"; else a list of one ad. */
static int read_answer(struct arena *a, const struct child_result *r, const char *flag,
                       usec now, struct world_job *ret, struct err *e)
{
    AUTOJSON struct json_object *list = NULL;
    if (r->output[strspn(r->output, " \t\r\n")] == '\0') {
        *ret = (struct world_job){.found = false, .hold_reason = "", .remote_host = ""};
        return 0;
    }
    if (json_parse(r->output, r->output_length, &list, e) < 0)
        return -EBADMSG;
    if (!json_object_is_type(list, json_type_array))
        return err_set(e, EBADMSG, "not a list of jobs");
    size_t n = json_object_array_length(list);
    struct json_object *ad = n > 0 ? json_object_array_get_idx(list, 0) : NULL;
    if (n > 1 || (ad && !json_object_is_type(ad, json_type_object)))
        return err_set(e, EBADMSG, "%zu ads instead of one", n);
    *ret = ad ? read_ad(a, ad, flag, now)
              : (struct world_job){.found = false, .hold_reason = "", .remote_host = ""};
    return 0;
}

static void answered(void *userdata, const struct child_result *r)
{
    struct job_query *q = userdata;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct world_job job;
    struct err e = {0};
    if (r->error) {
        q->done(q->userdata, NULL, r->error);
    } else if (read_answer(a, r, q->flag, loop_now(q->loop), &job, &e) < 0) {
        AUTOFREE char *error = mem_printf("the output of condor_q is not usable: %s", e.text);
        q->done(q->userdata, NULL, error);
    } else {
        q->done(q->userdata, &job, NULL);
    }
}

struct job_query *job_query_new(struct loop *loop, const struct policy *p, size_t schedd,
                                int64_t cluster, int64_t proc, job_done done, void *userdata)
{
    struct job_query *q = mem_new(1, sizeof(*q));
    const struct policy_schedd *s = &p->schedds[schedd];
    AUTOFREE char *id = mem_printf("%" PRId64 ".%" PRId64, cluster, proc);
    AUTOFREE char *attributes =
        mem_printf("JobStatus,Owner,AcctGroup,RequestCpus,RequestMemory,RequestDisk,RequestGPUs,"
                   "AllowedExecuteDuration,EyrieRequest,EyrieFlockFrom,FlockTo,HoldReason,RemoteHost,QDate,"
                   "EnteredCurrentStatus,%s",
                   p->pool.flag);
    const char *const argv[] = {"condor_q",   "-name",     s->name, "-pool",
                                s->collector, "-allusers", id,      "-attributes",
                                attributes,   "-json",     NULL};
    q->flag = mem_strdup(p->pool.flag);
    q->loop = loop;
    q->done = done;
    q->userdata = userdata;
    q->child = condor_run(loop, p->pool.tools,
                          &(struct child_args){.argv = argv,
                                               .deadline = JOB_DEADLINE,
                                               .limit = LIMIT_OBJECT_BYTES,
                                               .done = answered,
                                               .userdata = q});
    return q;
}

struct job_query *job_query_free(struct job_query *q)
{
    if (!q)
        return NULL;
    (void)child_free(q->child);
    free(q->flag);
    free(q);
    return NULL;
}
