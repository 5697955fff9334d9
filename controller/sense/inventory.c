#include "sense/inventory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "sense/untrusted.h"

#define MAX_CPUS 1000000
#define MAX_BYTES (1024 * 1024 * TIB)

enum { SEAL_DIGITS = 64 };

struct inventory {
    struct arena *arena;
    int64_t cpus, memory, storage_available;
    struct world_domain *domains; /* sorted by UUID */
    size_t n_domains;
    bool *ended; /* as domains: since the list */
    struct world_volume *volumes; /* sorted by name */
    size_t n_volumes;
    const char **images;
    size_t n_images;
    struct world_seal *seals;
    size_t n_seals;
};

struct inventory *inventory_free(struct inventory *v)
{
    if (!v)
        return NULL;
    (void)arena_free(v->arena);
    free(v);
    return NULL;
}

static void inventory_free_p(struct inventory **v)
{
    (void)inventory_free(*v);
}

static int domain_compare(const void *left, const void *right)
{
    const struct world_domain *a = left, *b = right;
    int order = strcmp(a->uuid, b->uuid);
    return order ? order : strcmp(a->name, b->name);
}

static int volume_compare(const void *left, const void *right)
{
    const struct world_volume *a = left, *b = right;
    return strcmp(a->name, b->name);
}

static int domain_parse(struct arena *a, struct json_object *o, struct world_domain *d,
                        struct err *e)
{
    bool bad = false;
    *d = (struct world_domain){
        .uuid = untrusted_name(a, o, "uuid"),
        .name = untrusted_name(a, o, "name"),
        .state = untrusted_name(a, o, "state"),
        .ours = json_bool_or(o, "ours", false),
        .why_foreign = "",
        .template = untrusted_name(a, o, "template"),
        .generation = untrusted_name(a, o, "generation"),
        .group = untrusted_name(a, o, "group"),
        .exclusive = json_bool_or(o, "exclusive", false),
        .request = untrusted_name(a, o, "request"),
        .born = untrusted_number(o, "born", 0, USEC_NEVER, 0, NULL),
        .cpus = untrusted_number(o, "cpus", 0, MAX_CPUS, 0, &bad),
        .memory = untrusted_number(o, "memory", 0, MAX_BYTES, 0, &bad),
    };
    if (!d->ours)
        d->why_foreign = untrusted_name(a, o, "why");
    if (!*d->uuid || !*d->state || bad)
        return err_set(e, EBADMSG, "a domain (%s) without UUID, state, cpus or memory", d->name);
    return 0;
}

static int domains_parse(struct inventory *v, struct json_object *list, struct err *e)
{
    size_t n = list ? json_object_array_length(list) : 0;
    if (!list || n > LIMIT_DOMAINS)
        return err_set(e, EBADMSG, list ? "too many domains" : "\"domains\" is missing");
    v->domains = arena_take(v->arena, n, sizeof(*v->domains));
    v->ended = arena_take(v->arena, n, sizeof(*v->ended));
    v->n_domains = n;
    for (size_t i = 0; i < n; i++) {
        int r = domain_parse(v->arena, json_object_array_get_idx(list, i), &v->domains[i], e);
        if (r < 0)
            return r;
    }
    qsort(v->domains, n, sizeof(*v->domains), domain_compare);
    return 0;
}

static int volumes_parse(struct inventory *v, struct json_object *list, struct err *e)
{
    size_t n = json_object_array_length(list);
    if (n > 2 * LIMIT_DOMAINS)
        return err_set(e, EBADMSG, "too many volumes");
    v->volumes = arena_take(v->arena, n, sizeof(*v->volumes));
    v->n_volumes = n;
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        struct world_volume *volume = &v->volumes[i];
        *volume = (struct world_volume){
            .name = untrusted_name(v->arena, o, "name"),
            .uuid = untrusted_name(v->arena, o, "uuid"),
            .seed = strcmp(json_string_or(o, "kind", ""), "seed") == 0,
        };
        if (!*volume->name || !*volume->uuid)
            return err_set(e, EBADMSG, "a volume without name or UUID");
    }
    qsort(v->volumes, n, sizeof(*v->volumes), volume_compare);
    return 0;
}

/* A worker that names none leaves it open which images there are. */
static int images_parse(struct inventory *v, struct json_object *list, struct err *e)
{
    size_t n = list ? json_object_array_length(list) : 0;
    if (n > LIMIT_IMAGES)
        return err_set(e, EBADMSG, "too many images");
    v->images = arena_take(v->arena, n, sizeof(*v->images));
    v->n_images = n;
    for (size_t i = 0; i < n; i++) {
        struct json_object *name = json_object_array_get_idx(list, i);
        if (!json_object_is_type(name, json_type_string))
            return err_set(e, EBADMSG, "an image without a name");
        v->images[i] = arena_strdup(v->arena, json_object_get_string(name));
    }
    return 0;
}

/* What a worker says of an image that makes no sense is left out: nothing is made of it. */
static void seals_parse(struct inventory *v, struct json_object *list)
{
    size_t n = list ? json_object_array_length(list) : 0;
    n = n < LIMIT_SEALS ? n : LIMIT_SEALS;
    v->seals = arena_take(v->arena, n, sizeof(*v->seals));
    for (size_t i = 0; i < n; i++) {
        struct json_object *o = json_object_array_get_idx(list, i);
        struct world_seal seal = {.image = untrusted_name(v->arena, o, "image"),
                                  .digest = untrusted_name(v->arena, o, "digest"),
                                  .intact = json_bool_or(o, "intact", false)};
        if (*seal.image && strspn(seal.digest, "0123456789abcdef") >= SEAL_DIGITS)
            v->seals[v->n_seals++] = seal;
    }
}

static void volumes_keep(struct inventory *v, const struct inventory *last)
{
    v->volumes = arena_take(v->arena, last->n_volumes, sizeof(*v->volumes));
    v->n_volumes = last->n_volumes;
    for (size_t i = 0; i < last->n_volumes; i++)
        v->volumes[i] = (struct world_volume){
            .name = arena_strdup(v->arena, last->volumes[i].name),
            .uuid = arena_strdup(v->arena, last->volumes[i].uuid),
            .seed = last->volumes[i].seed,
        };
}

int inventory_parse(struct json_object *o, const struct inventory *last, struct inventory **ret,
                    struct err *e)
{
    CLEANUP(inventory_free_p) struct inventory *v = mem_new(1, sizeof(*v));
    v->arena = arena_new();
    struct json_object *node = json_object_or_null(o, "node");
    struct json_object *storage = json_object_or_null(o, "storage");
    struct json_object *volumes = json_array_or_null(o, "volumes");
    bool bad = false;
    if (!json_bool_or(o, "complete", true))
        return err_set(e, EBADMSG, "some domains cannot be read");
    v->cpus = untrusted_number(node, "cpus", 0, MAX_CPUS, 0, &bad);
    v->memory = untrusted_number(node, "memory", 0, MAX_BYTES, 0, &bad);
    if (bad)
        return err_set(e, EBADMSG, "\"node\" does not say cpus and memory");
    v->storage_available = untrusted_number(storage, "available", 0, MAX_BYTES, 0, NULL);
    int r = domains_parse(v, json_array_or_null(o, "domains"), e);
    if (r < 0)
        return r;
    if (volumes)
        r = volumes_parse(v, volumes, e);
    else if (!json_object_object_get_ex(o, "volumes", NULL))
        r = err_set(e, EBADMSG, "\"volumes\" is missing");
    else if (last)
        volumes_keep(v, last);
    if (r == 0)
        r = images_parse(v, json_array_or_null(o, "images"), e);
    if (r < 0)
        return r;
    seals_parse(v, json_array_or_null(o, "seals"));
    *ret = v;
    v = NULL;
    return 0;
}

void inventory_ended(struct inventory *v, const char *uuid)
{
    const struct world_domain key = {.uuid = uuid, .name = ""};
    size_t low = 0, high = v ? v->n_domains : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (domain_compare(&v->domains[middle], &key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; v && low < v->n_domains && strcmp(v->domains[low].uuid, uuid) == 0; low++)
        v->ended[low] = true;
}

bool inventory_lacks(const struct inventory *v, const struct inventory *last)
{
    size_t at = 0;
    for (size_t i = 0; last && i < last->n_domains; i++) {
        const struct world_domain *d = &last->domains[i];
        while (at < v->n_domains && strcmp(v->domains[at].uuid, d->uuid) < 0)
            at++;
        bool there = at < v->n_domains && strcmp(v->domains[at].uuid, d->uuid) == 0;
        if (d->ours && !there && !last->ended[i])
            return true;
    }
    return false;
}

void inventory_fill(const struct inventory *v, struct world_host *w)
{
    static const struct inventory none;
    if (!v)
        v = &none;
    w->cpus = v->cpus;
    w->memory = v->memory;
    w->storage_available = v->storage_available;
    w->domains = v->domains;
    w->n_domains = v->n_domains;
    w->volumes = v->volumes;
    w->n_volumes = v->n_volumes;
    w->images = v->images;
    w->n_images = v->n_images;
    w->seals = v->seals;
    w->n_seals = v->n_seals;
}
