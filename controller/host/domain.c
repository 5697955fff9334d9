#include "host/domain.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/document.h"
#include "host/port.h"
#include "host/volume.h"

/* A guest looks at its port every two seconds; on a busy emulated cpu that takes longer. */
#define GUEST_ANSWERS_WITHIN (20 * USEC_PER_SEC)

const char *domain_foreign(const char *pool, const char *name, const char *uuid,
                           const struct vm *metadata, const char *claimed)
{
    if (!metadata->pool)
        return "no metadata of ours";
    if (strcmp(metadata->pool, pool) != 0)
        return "its metadata names another pool";
    if (strcmp(claimed, uuid) != 0)
        return "its metadata names another UUID";
    if (!vm_is_name(pool, name, uuid))
        return "its name is not one of ours";
    return NULL;
}

/* Look the domain up. Returns 1 and a reference, 0 when there is none, or a fault. */
static int look_up(virConnectPtr conn, const char *uuid, virDomainPtr *ret, struct fault *f)
{
    virDomainPtr domain = virDomainLookupByUUIDString(conn, uuid);
    if (domain) {
        *ret = domain;
        return 1;
    }
    if (virGetLastErrorCode() == VIR_ERR_NO_DOMAIN)
        return 0;
    return fault_libvirt(f, "cannot look up domain %s", uuid);
}

/* Refuse unless @domain is ours; *@ret_gone when it went away meanwhile. */
static int check_ours(const char *pool, virDomainPtr domain, const char *uuid, bool *ret_gone,
                      struct fault *f)
{
    struct vm metadata CLEANUP(vm_done) = {0};
    char claimed[VM_UUID_SIZE] = "";
    const char *name = virDomainGetName(domain);
    char *xml AUTOFREE = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, VM_NAMESPACE, 0);
    if (!xml && virGetLastErrorCode() == VIR_ERR_NO_DOMAIN) {
        *ret_gone = true;
        return 0;
    }
    if (!xml && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
        return fault_libvirt(f, "cannot read the metadata of domain %s", uuid);
    if (xml) {
        int r = document_read_metadata(xml, &metadata, claimed, f);
        if (r < 0)
            return err_prefix(&f->err, r, "metadata of domain %s", uuid);
    }
    const char *why = domain_foreign(pool, name ? name : "", uuid, &metadata, claimed);
    if (why)
        return fault_set(f, VIR_ERR_OPERATION_DENIED,
                         "domain %s (%s) is not ours and is left "
                         "alone: %s",
                         name ? name : "", uuid, why);
    return 0;
}

/* The domain @uuid if it is ours: 1 and a reference, 0 when there is none, or a fault. */
static int look_up_ours(const struct domain_place *place, virConnectPtr conn, const char *uuid,
                        virDomainPtr *ret, struct fault *f)
{
    virDomainPtr domain AUTODOMAIN = NULL;
    bool gone = false;
    int r = look_up(conn, uuid, &domain, f);
    if (r <= 0)
        return r;
    r = check_ours(place->pool, domain, uuid, &gone, f);
    if (r < 0 || gone)
        return r;
    *ret = domain;
    domain = NULL;
    return 1;
}

/* Whether a call failed because its domain ended meanwhile; libvirt may say so as "not running". */
static bool ended_meanwhile(virConnectPtr conn, const char *uuid, const struct fault *f)
{
    struct fault look;
    virDomainPtr domain AUTODOMAIN = NULL;
    return f->code == VIR_ERR_NO_DOMAIN ||
           (f->code == VIR_ERR_OPERATION_INVALID && look_up(conn, uuid, &domain, &look) == 0);
}

/* What a create has made so far. */
struct making {
    virStoragePoolPtr pool;
    char *disk_name;
    char *seed_name;
    virStorageVolPtr disk;
    virStorageVolPtr seed;
};

static void making_done(struct making *m)
{
    fault_free_volume(&m->seed);
    fault_free_volume(&m->disk);
    fault_free_pool(&m->pool);
    free(m->disk_name);
    free(m->seed_name);
}

/* Delete the volumes that this create made, and only those. */
static void undo(struct making *m, struct fault *f)
{
    struct fault ignored;
    bool gone;
    int r = 0;
    if (m->seed)
        r = volume_delete(m->pool, m->seed_name, &gone, &ignored);
    if (m->disk && volume_delete(m->pool, m->disk_name, &gone, &ignored) < 0)
        r = -EIO;
    if (r < 0)
        (void)err_prefix(&f->err, r, "volumes of it could not be deleted and are left");
}

static int make_volumes(const struct domain_place *place, const struct lease *lease,
                        const struct request *q, struct document *d, struct making *m,
                        struct json_object *answer, struct fault *f)
{
    char *disk_path AUTOFREE = NULL, *seed_path AUTOFREE = NULL;
    bool block = false, skipped;
    int r;
    if (document_is_container(d)) {
        r = volume_find_folder(m->pool, q->image, &disk_path, f);
    } else {
        r = volume_make_disk(m->pool, m->disk_name, q->image, q->disk, &m->disk, &block, f);
        if (r >= 0)
            r = volume_path(m->disk, &disk_path, f);
    }
    if (r >= 0 && q->seed) {
        r = volume_make_seed(lease, m->pool, m->seed_name, q->seed, place->test, &m->seed, &skipped,
                             f);
        if (r >= 0) {
            r = volume_path(m->seed, &seed_path, f);
            json_add_string(answer, "seed", skipped ? "skipped" : "delivered");
        }
    }
    return r < 0 ? r : document_fill(d, &q->vm, disk_path, block, seed_path, f);
}

/* The create call failed. What is true is what a look by UUID finds: libvirt may have failed late,
 * and while that cannot be told the volumes stay. */
static void settle(virConnectPtr conn, const char *uuid, struct making *m, struct fault *f)
{
    struct fault look;
    virDomainPtr domain AUTODOMAIN = NULL;
    int r = look_up(conn, uuid, &domain, &look);
    if (r == 0)
        undo(m, f);
    else
        f->unknown = true;
}

int domain_create(const struct domain_place *place, const struct lease *lease,
                  const struct request *q, struct json_object *answer, struct fault *f)
{
    struct document *d CLEANUP(document_free_p) = NULL;
    struct making m CLEANUP(making_done) = {0};
    virDomainPtr domain AUTODOMAIN = NULL;
    int r = document_parse(q->domain_xml, &d, f);
    if (r < 0)
        return r;
    r = look_up_ours(place, lease->conn, q->vm.uuid, &domain, f);
    if (r < 0)
        return r;
    json_add_bool(answer, "exists", r > 0);
    if (r > 0)
        return 0;
    r = volume_pool(lease->conn, place->storage_pool, &m.pool, f);
    if (r < 0)
        return r;
    m.disk_name = vm_volume_make(place->pool, q->vm.uuid, VM_VOLUME_DISK);
    m.seed_name = vm_volume_make(place->pool, q->vm.uuid, VM_VOLUME_SEED);
    r = make_volumes(place, lease, q, d, &m, answer, f);
    if (r < 0) {
        undo(&m, f);
        return r;
    }
    char *xml AUTOFREE = document_text(d);
    domain = virDomainCreateXML(lease->conn, xml, 0);
    if (!domain) {
        r = fault_libvirt(f, "cannot create domain %s", q->vm.name);
        settle(lease->conn, q->vm.uuid, &m, f);
        return r;
    }
    if (q->watch > 0)
        consoles_watch(place->consoles, lease->conn, domain, q->vm.uuid, q->watch);
    bool gone;
    struct fault ignored;
    if (m.seed && volume_delete(m.pool, m.seed_name, &gone, &ignored) < 0)
        json_add_string(answer, "seed", "left"); /* the next list shows it */
    return 0;
}

/* The power button: the guest agent, which libvirt would ask first, can block for ever. A container has
 * none, and gets a signal: of itself libvirt 9.0's LXC would ask an init by /run/initctl, and say it had
 * though there is none. The test driver knows no flags. */
static int power_off(virDomainPtr domain)
{
    static const unsigned ways[] = {VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, VIR_DOMAIN_SHUTDOWN_SIGNAL, 0};
    int r = -1;
    for (size_t i = 0; i < ARRAY_SIZE(ways) && r < 0; i++) {
        r = virDomainShutdownFlags(domain, ways[i]);
        if (r < 0 && virGetLastErrorCode() != VIR_ERR_INVALID_ARG &&
            virGetLastErrorCode() != VIR_ERR_NO_SUPPORT)
            break;
    }
    return r;
}

/* libvirt 9.0's LXC is told once what a container's first process is. When that comes before it listens, which
 * happens on busy cpus, it can tell this container nothing, ever ("Init process ID is not yet known"). */
static bool hears_nothing(virConnectPtr conn, virDomainPtr domain, const struct fault *f)
{
    const char *driver = virConnectGetType(conn);
    return driver && strcmp(driver, "LXC") == 0 && f->code == VIR_ERR_OPERATION_INVALID &&
           virDomainIsActive(domain) == 1;
}

int domain_shutdown(const struct domain_place *place, const struct lease *lease,
                    const struct request *q, struct json_object *answer, struct fault *f)
{
    virDomainPtr domain AUTODOMAIN = NULL;
    int r = look_up_ours(place, lease->conn, q->vm.uuid, &domain, f);
    if (r < 0)
        return r;
    bool gone = r == 0;
    if (!gone) {
        r = power_off(domain);
        if (r < 0) {
            r = fault_libvirt(f, "cannot shut down domain %s", q->vm.uuid);
            if (!ended_meanwhile(lease->conn, q->vm.uuid, f)) {
                if (hears_nothing(lease->conn, domain, f) && virDomainDestroy(domain) == 0)
                    return err_prefix(&f->err, r, "it was destroyed instead");
                f->unknown = true;
                return r;
            }
            gone = true;
        }
    }
    json_add_bool(answer, "gone", gone);
    return 0;
}

int domain_destroy(const struct domain_place *place, const struct lease *lease,
                   const struct request *q, struct json_object *answer, struct fault *f)
{
    virDomainPtr domain AUTODOMAIN = NULL;
    int r = look_up_ours(place, lease->conn, q->vm.uuid, &domain, f);
    if (r < 0)
        return r;
    bool gone = r == 0;
    if (!gone && virDomainDestroy(domain) < 0) {
        r = fault_libvirt(f, "cannot destroy domain %s", q->vm.uuid);
        if (!ended_meanwhile(lease->conn, q->vm.uuid, f)) {
            f->unknown = true;
            return r;
        }
        gone = true;
    }
    json_add_bool(answer, "gone", gone);
    return 0;
}

int domain_renew(const struct domain_place *place, const struct lease *lease,
                 const struct request *q, struct json_object *answer, struct fault *f)
{
    virDomainPtr domain AUTODOMAIN = NULL;
    int r = look_up_ours(place, lease->conn, q->vm.uuid, &domain, f);
    if (r < 0)
        return r;
    json_add_bool(answer, "gone", r == 0);
    if (r == 0)
        return 0;
    char *line AUTOFREE = q->rules ? mem_printf("RULES %s\nTOKEN %s\n", q->rules, q->token)
                                   : mem_printf("TOKEN %s\n", q->token);
    r = port_ask(lease->conn, domain, line, "TAKEN", GUEST_ANSWERS_WITHIN, f);
    explicit_bzero(line, strlen(line));
    if (r < 0)
        f->unknown = true;
    return r < 0 ? err_prefix(&f->err, r, "a new token for domain %s", q->vm.uuid) : 0;
}

/* A disk goes only after its domain. A seed that was left behind may go while the domain runs: it
 * was read when QEMU started. */
int domain_delete_volume(const struct domain_place *place, const struct lease *lease,
                         const struct request *q, struct json_object *answer, struct fault *f)
{
    virDomainPtr domain AUTODOMAIN = NULL;
    virStoragePoolPtr pool AUTOPOOL = NULL;
    bool gone;
    int r = look_up(lease->conn, q->vm.uuid, &domain, f);
    if (r < 0)
        return r;
    if (r > 0) {
        int state = -1, reason;
        if (q->volume_kind == VM_VOLUME_SEED && virDomainGetState(domain, &state, &reason, 0) < 0)
            return fault_libvirt(f, "cannot tell the state of domain %s", q->vm.uuid);
        if (state != VIR_DOMAIN_RUNNING)
            return fault_set(f, VIR_ERR_OPERATION_DENIED,
                             "volume %s is left alone: its domain exists", q->volume);
    }
    r = volume_pool(lease->conn, place->storage_pool, &pool, f);
    if (r >= 0)
        r = volume_delete(pool, q->volume, &gone, f);
    if (r < 0)
        return r;
    json_add_bool(answer, "gone", gone);
    return 0;
}
