#include "host/list.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "host/document.h"
#include "host/domain.h"
#include "host/volume.h"

/* What is kept of a domain while it lives. */
struct entry {
    struct vm vm;
    unsigned id;      /* libvirt's: another life of the same UUID has another one */
    const char *why;  /* why it is foreign; NULL for ours */
    char *unreadable; /* what libvirt said instead of its XML; read again next time */
};

struct entries {
    struct entry *rows; /* by UUID */
    size_t count;
};

struct list {
    char *pool;
    char *storage_pool;
    pthread_mutex_t lock;
    struct entries known;
};

static void entry_done(struct entry *e)
{
    vm_done(&e->vm);
    free(e->unreadable);
    *e = (struct entry){0};
}

static void entries_done(struct entries *e)
{
    for (size_t i = 0; i < e->count; i++)
        entry_done(&e->rows[i]);
    free(e->rows);
    *e = (struct entries){0};
}

static int entry_compare(const void *a, const void *b)
{
    return strcmp(((const struct entry *)a)->vm.uuid, ((const struct entry *)b)->vm.uuid);
}

struct list *list_new(const char *pool, const char *storage_pool)
{
    struct list *l = mem_new(1, sizeof(*l));
    l->pool = mem_strdup(pool);
    l->storage_pool = mem_strdup(storage_pool);
    (void)pthread_mutex_init(&l->lock, NULL);
    return l;
}

struct list *list_free(struct list *l)
{
    if (!l)
        return NULL;
    entries_done(&l->known);
    (void)pthread_mutex_destroy(&l->lock);
    free(l->pool);
    free(l->storage_pool);
    free(l);
    return NULL;
}

/* Read a domain that is new. Returns false when it went away. */
static bool read_entry(const struct list *l, virDomainPtr domain, struct entry *e)
{
    struct fault f;
    char claimed[VM_UUID_SIZE] = "";
    char *xml AUTOFREE = virDomainGetXMLDesc(domain, 0);
    if (!xml && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
        return false;
    if (!xml)
        (void)fault_libvirt(&f, "domain %s", e->vm.uuid);
    if (!xml || document_read(xml, &e->vm, claimed, &f) < 0) {
        e->unreadable = mem_strdup(f.err.text);
        e->why = e->unreadable;
        return true;
    }
    e->why = domain_foreign(l->pool, e->vm.name, e->vm.uuid, &e->vm, claimed);
    return true;
}

/* What we know of @domain: taken out of @known, or read. Returns false when it went away. */
static bool find_entry(const struct list *l, struct entries *known, virDomainPtr domain,
                       struct entry *ret)
{
    struct entry e = {.id = virDomainGetID(domain)};
    const char *name = virDomainGetName(domain);
    if (virDomainGetUUIDString(domain, e.vm.uuid) < 0)
        return false;
    struct entry *old =
        known->count ? bsearch(&e, known->rows, known->count, sizeof(e), entry_compare) : NULL;
    if (old && old->id == e.id && !old->unreadable && strcmp(old->vm.name, name) == 0) {
        *ret = *old;
        memset(old, 0, sizeof(*old));
        memcpy(old->vm.uuid, ret->vm.uuid, sizeof(old->vm.uuid)); /* still in order */
        return true;
    }
    e.vm.name = mem_strdup(name ? name : "");
    if (!read_entry(l, domain, &e)) {
        entry_done(&e);
        return false;
    }
    *ret = e;
    return true;
}

static struct json_object *render(const struct entry *e, int state)
{
    static const char *const states[] = {
        [VIR_DOMAIN_NOSTATE] = "unknown",        [VIR_DOMAIN_RUNNING] = "running",
        [VIR_DOMAIN_BLOCKED] = "blocked",        [VIR_DOMAIN_PAUSED] = "paused",
        [VIR_DOMAIN_SHUTDOWN] = "shutting-down", [VIR_DOMAIN_SHUTOFF] = "shutoff",
        [VIR_DOMAIN_CRASHED] = "crashed",        [VIR_DOMAIN_PMSUSPENDED] = "suspended",
    };
    bool known = state >= 0 && (size_t)state < ARRAY_SIZE(states);
    struct json_object *o = json_object_new_object();
    json_add_string(o, "uuid", e->vm.uuid);
    json_add_string(o, "name", e->vm.name);
    json_add_string(o, "state", known ? states[state] : "unknown");
    json_add_int(o, "memory", e->vm.memory);
    json_add_int(o, "cpus", e->vm.cpus);
    json_add_bool(o, "ours", !e->why);
    if (e->why) {
        json_add_string(o, "why", e->why);
        return o;
    }
    json_add_string(o, "template", e->vm.template);
    json_add_string(o, "generation", e->vm.generation);
    json_add_string(o, "group", e->vm.group);
    json_add_string(o, "request", e->vm.request);
    json_add_bool(o, "exclusive", e->vm.exclusive);
    json_add_int(o, "born", e->vm.born);
    return o;
}

/* The domains of one look. */
struct look {
    struct list *list;
    struct entries now;
    struct json_object *domains;
    bool complete;
};

static void look_at(struct look *k, virDomainPtr domain, int state)
{
    struct entry *e = &k->now.rows[k->now.count];
    if (!find_entry(k->list, &k->list->known, domain, e))
        return;
    k->now.count++;
    k->complete = k->complete && !e->unreadable;
    (void)json_object_array_add(k->domains, render(e, state));
}

/* For drivers without bulk statistics: a list and a state each. */
static int look_one_by_one(struct look *k, virConnectPtr conn, struct fault *f)
{
    virDomainPtr *domains = NULL;
    int count = virConnectListAllDomains(conn, &domains, 0);
    if (count < 0)
        return fault_libvirt(f, "cannot list the domains");
    k->now.rows = mem_new((size_t)count, sizeof(*k->now.rows));
    for (int i = 0; i < count; i++) {
        int state, reason;
        bool there = virDomainGetState(domains[i], &state, &reason, 0) >= 0;
        if (there || virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
            look_at(k, domains[i], there ? state : VIR_DOMAIN_NOSTATE);
        (void)virDomainFree(domains[i]);
    }
    free(domains);
    return 0;
}

static int look_at_all(struct look *k, virConnectPtr conn, struct fault *f)
{
    virDomainStatsRecordPtr *records = NULL;
    int count = virConnectGetAllDomainStats(conn, VIR_DOMAIN_STATS_STATE, &records, 0);
    if (count < 0 && virGetLastErrorCode() == VIR_ERR_NO_SUPPORT)
        return look_one_by_one(k, conn, f);
    if (count < 0)
        return fault_libvirt(f, "cannot list the domains");
    k->now.rows = mem_new((size_t)count, sizeof(*k->now.rows));
    for (int i = 0; i < count; i++) {
        int state = VIR_DOMAIN_NOSTATE;
        (void)virTypedParamsGetInt(records[i]->params, records[i]->nparams, "state.state", &state);
        look_at(k, records[i]->dom, state);
    }
    virDomainStatsRecordListFree(records);
    return 0;
}

/* NodeGetInfo has been seen to tell a third of the memory; NodeGetMemoryStats is right, but the
 * test driver has none. */
int list_add_node(virConnectPtr conn, struct json_object *answer, struct fault *f)
{
    virNodeInfo info;
    virNodeMemoryStats stats[8];
    int count = ARRAY_SIZE(stats);
    if (virNodeGetInfo(conn, &info) < 0)
        return fault_libvirt(f, "cannot tell the host's size");
    int64_t memory = (int64_t)info.memory * 1024;
    if (virNodeGetMemoryStats(conn, VIR_NODE_MEMORY_STATS_ALL_CELLS, stats, &count, 0) == 0)
        for (int i = 0; i < count && i < (int)ARRAY_SIZE(stats); i++)
            if (strcmp(stats[i].field, VIR_NODE_MEMORY_STATS_TOTAL) == 0)
                memory = (int64_t)stats[i].value * 1024;
    struct json_object *node = json_object_new_object();
    json_add_int(node, "memory", memory);
    json_add_int(node, "cpus", info.cpus);
    json_add(answer, "node", node);
    return 0;
}

/* libvirt counts from its last refresh plus what it made itself; overlays that grow are not seen.
 */
static int read_storage(const struct list *l, virConnectPtr conn, struct json_object *storage,
                        struct json_object *volumes, struct json_object *images,
                        struct json_object *seals, struct fault *f)
{
    virStoragePoolPtr pool AUTOPOOL = NULL;
    virStoragePoolInfo info;
    int r = volume_pool(conn, l->storage_pool, &pool, f);
    if (r < 0)
        return r;
    if (virStoragePoolGetInfo(pool, &info) < 0)
        return fault_libvirt(f, "storage pool %s", l->storage_pool);
    r = volume_list(pool, l->pool, volumes, images, seals, f);
    if (r < 0)
        return r;
    json_add_int(storage, "capacity", (int64_t)info.capacity);
    json_add_int(storage, "available", (int64_t)info.available);
    return 0;
}

static void add_storage(const struct list *l, virConnectPtr conn, struct json_object *answer)
{
    struct fault f;
    struct json_object *storage = json_object_new_object();
    struct json_object *volumes = json_object_new_array();
    struct json_object *images = json_object_new_array(), *seals = json_object_new_array();
    if (read_storage(l, conn, storage, volumes, images, seals, &f) < 0) {
        json_add_string(storage, "error", f.err.text);
        (void)json_object_put(volumes);
        volumes = NULL;
    }
    json_add(answer, "storage", storage);
    json_add(answer, "volumes", volumes);
    json_add(answer, "images", images);
    json_add(answer, "seals", seals);
}

int list_take(struct list *l, const struct lease *lease, struct json_object *answer,
              struct fault *f)
{
    (void)pthread_mutex_lock(&l->lock);
    struct look k = {.list = l, .domains = json_object_new_array(), .complete = true};
    int r = look_at_all(&k, lease->conn, f);
    if (r >= 0) {
        if (k.now.count)
            qsort(k.now.rows, k.now.count, sizeof(k.now.rows[0]), entry_compare);
        entries_done(&l->known);
        l->known = k.now;
        json_add(answer, "domains", k.domains);
        json_add_bool(answer, "complete", k.complete);
    } else {
        (void)json_object_put(k.domains);
    }
    (void)pthread_mutex_unlock(&l->lock);
    if (r >= 0)
        r = list_add_node(lease->conn, answer, f);
    if (r >= 0)
        add_storage(l, lease->conn, answer);
    return r;
}
