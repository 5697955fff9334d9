#include "host/check.h"

#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "host/capabilities.h"
#include "host/document.h"
#include "host/list.h"
#include "host/volume.h"

/* Any will do: libvirt is only asked what it would start. */
static const char check_uuid[] = "e791e000-0000-4000-8000-000000000001";

static usec now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

/* All but the first of such questions are answered from libvirt's memory. When they are not,
 * libvirt starts QEMU to see what it can do, before each create: so it is where /dev/kvm is there
 * and QEMU cannot use it (libvirt 9.0, virQEMUCapsIsValid). The least of two counts. */
static usec probe(virConnectPtr conn, const char *arch, const char *type)
{
    usec least = USEC_NEVER;
    for (int i = 0; i < 3; i++) {
        usec begun = now();
        free(virConnectGetDomainCapabilities(conn, NULL, arch, NULL, type, 0));
        if (i > 0 && now() - begun < least)
            least = now() - begun;
    }
    return least;
}

static int add_storage(const struct domain_place *place, virConnectPtr conn, virStoragePoolPtr *ret,
                       struct json_object *storage, struct fault *f)
{
    virStoragePoolInfo info;
    int autostart = 1; /* unless it says otherwise */
    int r = volume_pool(conn, place->storage_pool, ret, f);
    if (r < 0)
        return r;
    if (virStoragePoolGetInfo(*ret, &info) < 0)
        return fault_libvirt(f, "storage pool %s", place->storage_pool);
    (void)virStoragePoolGetAutostart(*ret, &autostart);
    json_add_int(storage, "capacity", (int64_t)info.capacity);
    json_add_int(storage, "available", (int64_t)info.available);
    json_add_bool(storage, "autostart", autostart != 0);
    return 0;
}

/* libvirt networks that the template's interfaces name and that are not there or not up. */
static int check_networks(const struct document *d, virConnectPtr conn, struct fault *f)
{
    char *name = NULL;
    for (unsigned i = 0; (name = document_network(d, i)); i++) {
        char *network AUTOFREE = name;
        virNetworkPtr n = virNetworkLookupByName(conn, network);
        int active = n ? virNetworkIsActive(n) : 0;
        if (n)
            (void)virNetworkFree(n);
        if (!n)
            return fault_set(f, VIR_ERR_NO_NETWORK,
                             "the host has no network %s, which an "
                             "<interface> names",
                             network);
        if (active == 0)
            return fault_set(f, VIR_ERR_NO_NETWORK,
                             "the network %s, which an <interface> names, is "
                             "not running",
                             network);
    }
    return 0;
}

/* Only QEMU's driver can say what it would start; *@ret_validated: whether it was asked. */
static int validate(const struct domain_place *place, virConnectPtr conn, const struct request *q,
                    struct document *d, const char *path, bool *ret_validated, struct fault *f)
{
    const char *driver = virConnectGetType(conn);
    struct vm vm CLEANUP(vm_done) = {
        .name = mem_printf("%s-check-%.8s", place->pool, check_uuid),
        .pool = mem_strdup(place->pool),
        .template = mem_strdup("check"),
        .generation = mem_strdup("check"),
        .group = mem_strdup(""),
        .request = mem_strdup(""),
        .memory = q->vm.memory,
        .cpus = q->vm.cpus,
    };
    memcpy(vm.uuid, check_uuid, sizeof(vm.uuid));
    char *seed AUTOFREE = mem_printf("%s.seed", path);
    int r = document_fill(d, &vm, path, false, seed, f);
    if (r < 0)
        return r;
    r = check_networks(d, conn, f);
    if (r < 0 || !text_equal(driver, "QEMU"))
        return r;
    char *xml AUTOFREE = document_text(d);
    char *native AUTOFREE = virConnectDomainXMLToNative(conn, "qemu-argv", xml, 0);
    if (!native)
        return fault_libvirt(f, "libvirt refuses the domain");
    *ret_validated = true;
    return 0;
}

static void add_domain(const struct domain_place *place, virConnectPtr conn,
                       const struct request *q, const char *path, struct json_object *domain)
{
    struct document *d CLEANUP(document_free_p) = NULL;
    struct json_object *offered = json_object_new_array();
    struct fault f = {0};
    bool validated = false;
    json_add(domain, "offered", offered);
    int r = document_parse(q->domain_xml, &d, &f);
    if (r >= 0) {
        char *type AUTOFREE = document_type(d), *arch AUTOFREE = document_arch(d);
        char *capabilities AUTOFREE = virConnectGetCapabilities(conn);
        json_add_string(domain, "type", type);
        json_add_bool(domain, "cx16", document_emulates_cx16(d));
        json_add_int(domain, "probe", probe(conn, arch, type));
        if (capabilities)
            capabilities_read_offered(capabilities, arch, offered);
        r = validate(place, conn, q, d, path, &validated, &f);
    }
    json_add_bool(domain, "validated", validated);
    json_add_string(domain, "error", r < 0 ? f.err.text : NULL);
}

int check_take(const struct domain_place *place, const struct lease *lease, const struct request *q,
               struct json_object *answer, struct fault *f)
{
    virStoragePoolPtr pool AUTOPOOL = NULL;
    struct json_object *storage = json_object_new_object();
    struct json_object *image = json_object_new_object();
    struct json_object *domain = json_object_new_object();
    char *path AUTOFREE = NULL;
    struct fault why;
    json_add_string(answer, "driver", virConnectGetType(lease->conn));
    json_add(answer, "storage", storage);
    json_add(answer, "image", image);
    json_add(answer, "domain", domain);
    if (add_storage(place, lease->conn, &pool, storage, &why) < 0)
        json_add_string(storage, "error", why.err.text);
    else if (volume_look(pool, q->image, image, &path, &why) < 0)
        json_add_string(image, "error", why.err.text);
    add_domain(place, lease->conn, q, path ? path : "/nowhere", domain);
    return list_add_node(lease->conn, answer, f);
}
