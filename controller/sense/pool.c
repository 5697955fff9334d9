#include "sense/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "sense/untrusted.h"

#define MAX_CPUS 1000000
#define MAX_MEMORY_MIB (TIB / MIB * 1024 * 1024)
#define MAX_SECONDS (USEC_NEVER / USEC_PER_SEC / 2)

/* One slot ad, as far as it matters. */
struct slot {
    const char *uuid;
    const char *slot_name; /* Name, "slot1_2@machine" */
    const char *name;
    const char *address;
    const char *job;
    int64_t cpus, memory, gpus; /* of this slot; of a partitionable one what is left of it */
    int64_t total_cpus, total_memory, total_gpus; /* of it and the dynamic slots cut from it */
    int64_t children;                 /* dynamic slots that were cut from it */
    usec until;
    usec heard;
    bool dynamic;
    bool claimed, owner;
    bool free; /* unclaimed; or drained, which leaves to the slot what no job has */
    bool draining, drained;
};

/* @text as a string literal of the ClassAd language. */
static const char *quote(struct arena *a, const char *text)
{
    char *quoted = arena_take(a, 2 * strlen(text) + 3, 1);
    char *p = quoted;
    *p++ = '"';
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            *p++ = '\\';
        *p++ = *text;
    }
    *p = '"';
    return quoted;
}

const char *const *pool_argv(struct arena *a, const struct policy *p)
{
    /* Slot ads are the default; -startd would be the ads of whole startds, which have no State
     * (seen with 23.9.6). */
    const char *argv[] = {
        "condor_status", "-pool", arena_strdup(a, p->pool.central_manager), "-constraint",
        arena_printf(a, "EyriePool =?= %s", quote(a, p->pool.name)), "-attributes",
        "EyriePool,EyrieUUID,EyrieName,Name,MyAddress,SlotType,State,Activity,Cpus,Memory,"
        "TotalSlotCpus,TotalSlotMemory,TotalSlotGPUs,GPUs,NumDynamicSlots,Draining,Offline,JobId,EyrieUntil,LastHeardFrom",
        "-json", NULL,
    };
    return memcpy(arena_take(a, ARRAY_SIZE(argv), sizeof(*argv)), argv, sizeof(argv));
}

struct pool_parser {
    struct arena *arena;
    struct json_stream *stream;
    struct slot *slots;
    size_t n_slots, capacity;
};

static int slot_take(void *userdata, struct json_object *ad, struct err *e)
{
    struct pool_parser *q = userdata;
    const char *state = NULL;
    const char *uuid = untrusted_name(q->arena, ad, "EyrieUUID");
    if (!*uuid)
        return 0;
    if (q->n_slots >= LIMIT_SLOTS)
        return err_set(e, E2BIG, "more than %d slots", LIMIT_SLOTS);
    int r = json_get_string(ad, "State", &state, e);
    if (r < 0)
        return r;
    const char *activity = json_string_or(ad, "Activity", "");
    bool drained = strcmp(state, "Drained") == 0;
    struct slot s = {
        .uuid = uuid,
        .slot_name = untrusted_name(q->arena, ad, "Name"),
        .name = untrusted_name(q->arena, ad, "EyrieName"),
        .address = untrusted_name(q->arena, ad, "MyAddress"),
        .job = untrusted_name(q->arena, ad, "JobId"),
        .cpus = untrusted_number(ad, "Cpus", 0, MAX_CPUS, 0, NULL),
        .memory = MIB * untrusted_number(ad, "Memory", 0, MAX_MEMORY_MIB, 0, NULL),
        .children = untrusted_number(ad, "NumDynamicSlots", 0, MAX_CPUS, 0, NULL),
        .until = USEC_PER_SEC * untrusted_number(ad, "EyrieUntil", 0, MAX_SECONDS, 0, NULL),
        .heard = USEC_PER_SEC * untrusted_number(ad, "LastHeardFrom", 0, MAX_SECONDS, 0, NULL),
        .dynamic = strcmp(json_string_or(ad, "SlotType", ""), "Dynamic") == 0,
        .gpus = untrusted_number(ad, "GPUs", 0, MAX_CPUS, 0, NULL),
        .free = drained || strcmp(state, "Unclaimed") == 0,
        .owner = strcmp(state, "Owner") == 0 || strcmp(state, "Backfill") == 0 ||
                 strcmp(state, "Delete") == 0 || json_bool_or(ad, "Offline", false),
        .draining = drained || json_bool_or(ad, "Draining", false),
    };
    /* Drained with activity Retiring waits for other slots of its machine; with Idle all of them
     * are (manual, "Machine States and Activities"). */
    s.drained = drained && strcmp(activity, "Idle") == 0 && s.children == 0;
    /* unknown words mean busy */
    s.claimed = !s.free && !s.owner;
    s.total_cpus = untrusted_number(ad, "TotalSlotCpus", 0, MAX_CPUS, s.cpus, NULL);
    s.total_memory = MIB * untrusted_number(ad, "TotalSlotMemory", 0, MAX_MEMORY_MIB,
                                          s.memory / MIB, NULL);
    s.total_gpus = untrusted_number(ad, "TotalSlotGPUs", 0, MAX_CPUS, s.gpus, NULL);
    q->slots = arena_grow(q->arena, q->slots, q->n_slots, &q->capacity, sizeof(*q->slots));
    q->slots[q->n_slots++] = s;
    return 0;
}

struct pool_parser *pool_parser_new(struct arena *a)
{
    struct pool_parser *q = mem_new(1, sizeof(*q));
    q->arena = a;
    q->stream = json_stream_new(slot_take, q);
    return q;
}

struct pool_parser *pool_parser_free(struct pool_parser *q)
{
    if (!q)
        return NULL;
    (void)json_stream_free(q->stream);
    free(q);
    return NULL;
}

int pool_parser_feed(struct pool_parser *q, const char *bytes, size_t length, struct err *e)
{
    return json_stream_feed(q->stream, bytes, length, e);
}

/* Of one startd, the slots that are not dynamic come first: they speak for the whole. */
static int slot_compare(const void *left, const void *right)
{
    const struct slot *a = left, *b = right;
    int order = strcmp(a->uuid, b->uuid);
    if (order == 0)
        order = (int)a->dynamic - (int)b->dynamic;
    if (order == 0)
        order = strcmp(a->slot_name, b->slot_name);
    return order;
}

/* Add up the @n slots of one startd. */
static struct world_startd startd_of(struct arena *a, const struct slot *slots, size_t n)
{
    const char **jobs = arena_take(a, n, sizeof(*jobs));
    bool all_drained = !slots[0].dynamic;
    int64_t unseen = 0; /* dynamic slots of which there is no ad, or not yet */
    struct world_startd d = {
        .uuid = slots[0].uuid,
        .name = slots[0].name,
        .machine = slots[0].slot_name, /* a machine name without a dot would not do: condor_drain */
        .address = slots[0].address,
        .usable = true,
        .until = slots[0].until,
        .job = "",
        .jobs = jobs,
    };
    for (size_t i = 0; i < n; i++) {
        const struct slot *s = &slots[i];
        if (!s->dynamic) {
            d.cpus += s->total_cpus;
            d.memory += s->total_memory;
            d.gpus += s->total_gpus;
            all_drained &= s->drained;
            d.usable &= !s->owner;
            unseen += s->children;
        } else {
            unseen--;
            if (slots[0].dynamic) { /* nothing else was heard of */
                d.cpus += s->cpus;
                d.memory += s->memory;
                d.gpus += s->gpus;
            }
        }
        if (s->free) {
            d.free_cpus += s->cpus;
            d.free_memory += s->memory;
            d.free_gpus += s->gpus;
        }
        d.claimed += s->claimed;
        d.draining |= s->draining;
        if (s->heard > d.heard)
            d.heard = s->heard;
        if (*s->job && !*d.job)
            d.job = s->job;
        if (*s->job)
            jobs[d.n_jobs++] = s->job;
    }
    if (unseen > 0) /* unknown means busy */
        d.claimed += unseen;
    d.drained = all_drained && d.claimed == 0;
    return d;
}

int pool_parser_end(struct pool_parser *q, const struct world_startd **ret_startds, size_t *ret_n,
                    struct err *e)
{
    int r = json_stream_end(q->stream, e);
    if (r < 0)
        return r;
    if (q->n_slots > 0)
        qsort(q->slots, q->n_slots, sizeof(*q->slots), slot_compare);
    struct world_startd *startds = arena_take(q->arena, q->n_slots, sizeof(*startds));
    size_t n = 0;
    for (size_t i = 0, last; i < q->n_slots; i = last) {
        for (last = i + 1; last < q->n_slots; last++)
            if (strcmp(q->slots[last].uuid, q->slots[i].uuid) != 0)
                break;
        startds[n++] = startd_of(q->arena, &q->slots[i], last - i);
    }
    *ret_startds = startds;
    *ret_n = n;
    return 0;
}
