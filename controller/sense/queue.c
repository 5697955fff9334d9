#include "sense/queue.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "sense/untrusted.h"

/* What stands in for a request that is an expression (HTCondor's own defaults are): one cpu, and
 * little memory and disk, as a job has that never ran. A wrong guess costs a VM that is a bit too
 * small or too many for a while; the slot's real size is negotiated by HTCondor. */
#define DEFAULT_CPUS 1
#define DEFAULT_MEMORY_MIB 128
#define DEFAULT_DISK_KIB 1024

/* Beyond these no template fits, which is all one needs to know; below them nothing overflows. */
#define MAX_CPUS 1000000
#define MAX_MEMORY_MIB (TIB / MIB * 1024 * 1024)
#define MAX_DISK_KIB (TIB / KIB * 1024 * 1024)
#define MAX_JOBS 1000000000

const char *const *queue_argv(struct arena *a, const struct policy *p, size_t schedd)
{
    assert(schedd < p->n_schedds);
    const struct policy_schedd *s = &p->schedds[schedd];
    const char *argv[] = {
        "condor_q", "-name", arena_strdup(a, s->name), "-pool", arena_strdup(a, s->collector),
        "-allusers", "-group-by",
        /* The schedd applies the constraint a second time, to what it has added up: an attribute of
         * the constraint that is not asked for makes the answer empty, with exit status 0. */
        "-attributes",
        arena_printf(a,
                     "JobStatus,Owner,AcctGroup,RequestCpus,RequestMemory,RequestDisk,RequestGPUs,"
                     "AllowedExecuteDuration,EyrieRequest,EyrieFlockFrom,%s",
                     p->pool.flag),
        "-constraint", arena_printf(a, "%s =?= true", p->pool.flag), "-json", NULL,
    };
    return memcpy(arena_take(a, ARRAY_SIZE(argv), sizeof(*argv)), argv, sizeof(argv));
}

/* Longer than any job, and small enough to be added to. */
#define MAX_SECONDS (36525 * (int64_t)86400)
/* The year 2200. */
#define MAX_EPOCH INT64_C(7258118400)

struct queue_parser {
    struct arena *arena;
    struct json_stream *stream;
    usec now;
    struct world_shape *rows;
    size_t n_rows, capacity;
};

static int number_compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int shape_compare(const void *left, const void *right)
{
    const struct world_shape *a = left, *b = right;
    int order = strcmp(a->owner, b->owner);
    if (order == 0)
        order = strcmp(a->group, b->group);
    if (order == 0)
        order = strcmp(a->request, b->request);
    if (order == 0)
        order = number_compare(a->cpus, b->cpus);
    if (order == 0)
        order = number_compare(a->memory, b->memory);
    if (order == 0)
        order = number_compare(a->disk, b->disk);
    if (order == 0)
        order = number_compare(a->gpus, b->gpus);
    if (order == 0)
        order = number_compare(a->runtime, b->runtime);
    if (order == 0)
        order = number_compare(a->flock_from, b->flock_from);
    return order;
}

/* Sort the rows, and make one of those that are the same but for JobStatus, or for what of an
 * expression the schedd has grouped by (it groups by every attribute that an expression refers to,
 * so jobs with the default RequestDisk = DiskUsage make a row for each DiskUsage). */
static void rows_merge(struct queue_parser *q)
{
    size_t n = 0;
    if (q->n_rows > 0)
        qsort(q->rows, q->n_rows, sizeof(*q->rows), shape_compare);
    for (size_t i = 0; i < q->n_rows; i++) {
        const struct world_shape *row = &q->rows[i];
        if (n > 0 && shape_compare(&q->rows[n - 1], row) == 0) {
            struct world_shape *into = &q->rows[n - 1];
            into->idle += row->idle;
            into->running += row->running;
            into->held += row->held;
            into->assumed |= row->assumed;
        } else {
            q->rows[n++] = *row;
        }
    }
    q->n_rows = n;
}

/* The request that a job names; what is no text names one that nobody has. */
static const char *request_name(struct arena *a, struct json_object *ad)
{
    struct json_object *value = NULL;
    bool named = json_object_object_get_ex(ad, "EyrieRequest", &value) && value;
    return named && !json_object_is_type(value, json_type_string)
               ? "?"
               : untrusted_name(a, ad, "EyrieRequest");
}

struct world_shape queue_shape(struct arena *a, struct json_object *ad, usec now)
{
    struct world_shape row = {.assumed = false};
    row.owner = untrusted_name(a, ad, "Owner");
    row.group = untrusted_name(a, ad, "AcctGroup");
    row.request = request_name(a, ad);
    row.cpus = untrusted_number(ad, "RequestCpus", 1, MAX_CPUS, DEFAULT_CPUS, &row.assumed);
    row.memory = MIB * untrusted_number(ad, "RequestMemory", 1, MAX_MEMORY_MIB, DEFAULT_MEMORY_MIB,
                                      &row.assumed);
    row.disk = KIB * untrusted_number(ad, "RequestDisk", 1, MAX_DISK_KIB, DEFAULT_DISK_KIB,
                                    &row.assumed);
    row.gpus = untrusted_number(ad, "RequestGPUs", 0, MAX_CPUS, 0, NULL);
    row.runtime = USEC_PER_SEC * untrusted_number(ad, "AllowedExecuteDuration", 0, MAX_SECONDS, 0, NULL);
    row.flock_from = USEC_PER_SEC * untrusted_number(ad, "EyrieFlockFrom", 0, MAX_EPOCH, 0, NULL);
    if (row.flock_from <= now) /* or each minute of submission would make a shape for ever */
        row.flock_from = 0;
    return row;
}

static int row_take(void *userdata, struct json_object *ad, struct err *e)
{
    struct queue_parser *q = userdata;
    int64_t status = 0, count = 0;
    int r = json_get_int(ad, "JobStatus", &status, e);
    if (r == 0)
        r = json_get_int(ad, "JobCount", &count, e);
    if (r < 0)
        return r;
    if (count < 0 || count > MAX_JOBS)
        return err_set(e, EBADMSG, "\"JobCount\" is %lld", (long long)count);
    if (q->n_rows >= LIMIT_SHAPES) {
        rows_merge(q);
        if (q->n_rows > LIMIT_SHAPES / 2)
            return err_set(e, E2BIG, "more than %d different kinds of jobs", LIMIT_SHAPES / 2);
    }
    struct world_shape row = queue_shape(q->arena, ad, q->now);
    switch (status) {
    case WORLD_JOB_IDLE:
        row.idle = count;
        break;
    case WORLD_JOB_RUNNING:
    case WORLD_JOB_REMOVING:
    case WORLD_JOB_TRANSFERRING_OUTPUT:
    case WORLD_JOB_SUSPENDED:
        row.running = count;
        break;
    case WORLD_JOB_HELD:
        row.held = count;
        break;
    case WORLD_JOB_COMPLETED:
        return 0;
    default:
        return err_set(e, EBADMSG, "\"JobStatus\" is %lld", (long long)status);
    }
    q->rows = arena_grow(q->arena, q->rows, q->n_rows, &q->capacity, sizeof(*q->rows));
    q->rows[q->n_rows++] = row;
    return 0;
}

struct queue_parser *queue_parser_new(struct arena *a, usec now)
{
    struct queue_parser *q = mem_new(1, sizeof(*q));
    q->arena = a;
    q->now = now;
    q->stream = json_stream_new(row_take, q);
    return q;
}

struct queue_parser *queue_parser_free(struct queue_parser *q)
{
    if (!q)
        return NULL;
    (void)json_stream_free(q->stream);
    free(q);
    return NULL;
}

int queue_parser_feed(struct queue_parser *q, const char *bytes, size_t length, struct err *e)
{
    return json_stream_feed(q->stream, bytes, length, e);
}

int queue_parser_end(struct queue_parser *q, struct world_shape **ret_shapes, size_t *ret_n,
                     struct err *e)
{
    int r = json_stream_end(q->stream, e);
    if (r < 0)
        return r;
    rows_merge(q);
    *ret_shapes = q->rows;
    *ret_n = q->n_rows;
    return 0;
}

void queue_keep_first_seen(struct world_shape *shapes, size_t n, const struct world_shape *before,
                           size_t n_before, usec now)
{
    for (size_t i = 0, k = 0; i < n; i++) {
        while (k < n_before && shape_compare(&before[k], &shapes[i]) < 0)
            k++;
        bool known = k < n_before && shape_compare(&before[k], &shapes[i]) == 0 &&
                     before[k].idle > 0 && before[k].first_seen;
        if (shapes[i].idle > 0)
            shapes[i].first_seen = known ? before[k].first_seen : now;
    }
}
