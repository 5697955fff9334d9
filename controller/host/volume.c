#include "host/volume.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "host/element.h"
#include "host/seal.h"

int volume_pool(virConnectPtr conn, const char *name, virStoragePoolPtr *ret, struct fault *f)
{
    virStoragePoolPtr pool AUTOPOOL = virStoragePoolLookupByName(conn, name);
    if (!pool && virGetLastErrorCode() == VIR_ERR_NO_STORAGE_POOL) {
        char *uri AUTOFREE = virConnectGetURI(conn);
        return fault_set(f, VIR_ERR_NO_STORAGE_POOL,
                         "the host has no storage pool %s; make one: virsh -c '%s' pool-define-as "
                         "%s dir --target /var/lib/libvirt/images/%s, then pool-build, pool-start "
                         "and pool-autostart %s",
                         name, uri ? uri : "URI", name, name, name);
    }
    if (!pool)
        return fault_libvirt(f, "storage pool %s", name);
    int active = virStoragePoolIsActive(pool);
    if (active < 0)
        return fault_libvirt(f, "storage pool %s", name);
    if (active == 0) {
        char *uri AUTOFREE = virConnectGetURI(conn);
        return fault_set(f, VIR_ERR_OPERATION_INVALID,
                         "storage pool %s is not running: virsh -c '%s' pool-start %s", name,
                         uri ? uri : "URI", name);
    }
    *ret = pool;
    pool = NULL;
    return 0;
}

/* A new <volume> document; the caller frees it. */
static xmlDoc *volume_document(const char *name, int64_t capacity, int64_t allocation)
{
    char number[32];
    xmlDoc *doc = xmlNewDoc(BAD_CAST "1.0");
    xmlNode *root = doc ? xmlNewNode(NULL, BAD_CAST "volume") : NULL;
    if (!root)
        mem_exhausted();
    (void)xmlDocSetRootElement(doc, root);
    element_set_text(element_add(root, "name"), name);
    (void)snprintf(number, sizeof(number), "%" PRId64, capacity);
    element_set_text(element_add(root, "capacity"), number);
    (void)snprintf(number, sizeof(number), "%" PRId64, allocation);
    element_set_text(element_add(root, "allocation"), number);
    return doc;
}

static void add_format(xmlNode *parent, const char *format)
{
    element_set(element_add(parent, "format"), "type", format);
}

/* Hand @doc to libvirt and free it. */
static virStorageVolPtr create(virStoragePoolPtr pool, xmlDoc *doc)
{
    xmlChar *text = NULL;
    int size = 0;
    xmlDocDumpMemory(doc, &text, &size);
    xmlFreeDoc(doc);
    if (!text)
        mem_exhausted();
    virStorageVolPtr volume = virStorageVolCreateXML(pool, (const char *)text, 0);
    xmlFree(text);
    return volume;
}

/* The format of a volume, from its XML; owned by the caller. */
static char *read_format(virStorageVolPtr volume)
{
    char *text AUTOFREE = virStorageVolGetXMLDesc(volume, 0);
    xmlDoc *doc AUTODOC = NULL;
    if (!text || element_parse(text, &doc, NULL) < 0)
        return NULL;
    xmlNode *target = element_child(xmlDocGetRootElement(doc), "target");
    return element_attribute(element_child(target, "format"), "type");
}

int volume_path(virStorageVolPtr volume, char **ret, struct fault *f)
{
    char *path = virStorageVolGetPath(volume);
    if (!path)
        return fault_libvirt(f, "path of a volume");
    *ret = path;
    return 0;
}

int volume_look(virStoragePoolPtr pool, const char *name, struct json_object *answer,
                char **ret_path, struct fault *f)
{
    virStorageVolPtr volume AUTOVOLUME = virStorageVolLookupByName(pool, name);
    virStorageVolInfo info;
    if (!volume || virStorageVolGetInfo(volume, &info) < 0) /* the latter looks at the file */
        return fault_libvirt(f, "image %s", name);
    char *format AUTOFREE = read_format(volume);
    json_add_string(answer, "format", format);
    json_add_int(answer, "capacity", (int64_t)info.capacity);
    return volume_path(volume, ret_path, f);
}

int volume_make_disk(virStoragePoolPtr pool, const char *name, const char *image, int64_t bytes,
                     virStorageVolPtr *ret, bool *ret_block, struct fault *f)
{
    virStorageVolPtr base AUTOVOLUME = virStorageVolLookupByName(pool, image);
    virStorageVolInfo info;
    char *path AUTOFREE = NULL;
    if (!base)
        return fault_libvirt(f, "image %s", image);
    if (virStorageVolGetInfo(base, &info) < 0)
        return fault_libvirt(f, "image %s", image);
    int64_t capacity = bytes ? bytes : (int64_t)info.capacity;
    if (capacity < (int64_t)info.capacity) {
        char asked[UNITS_TEXT_MAX], has[UNITS_TEXT_MAX];
        return fault_set(f, VIR_ERR_INVALID_ARG, "a disk of %s is smaller than its image %s, %s",
                         units_format_bytes(bytes, asked), image,
                         units_format_bytes((int64_t)info.capacity, has));
    }
    if (volume_path(base, &path, f) < 0)
        return -EIO;
    char *format AUTOFREE = read_format(base);
    if (!format)
        return fault_set(f, VIR_ERR_INVALID_STORAGE_VOL, "image %s has no format", image);
    if (text_ends_with(image, ".qcow2") && strcmp(format, "qcow2") != 0)
        return fault_set(f, VIR_ERR_INVALID_STORAGE_VOL,
                         "image %s is not whole, or none: libvirt says it is %s (eyrie image push "
                         "brings it to the host)",
                         image, format);

    xmlDoc *doc = volume_document(name, capacity, 0);
    xmlNode *root = xmlDocGetRootElement(doc);
    add_format(element_add(root, "target"), "qcow2");
    xmlNode *backing = element_add(root, "backingStore");
    element_set_text(element_add(backing, "path"), path);
    add_format(backing, format);
    virStorageVolPtr volume = create(pool, doc);
    if (!volume)
        return fault_libvirt(f, "cannot make the disk %s", name);
    *ret = volume;
    *ret_block = info.type == VIR_STORAGE_VOL_BLOCK;
    return 0;
}

int volume_find_folder(virStoragePoolPtr pool, const char *name, char **ret, struct fault *f)
{
    virStorageVolPtr volume AUTOVOLUME = virStorageVolLookupByName(pool, name);
    virStorageVolInfo info;
    if (!volume || virStorageVolGetInfo(volume, &info) < 0)
        return fault_libvirt(f, "image %s", name);
    if (info.type != VIR_STORAGE_VOL_DIR)
        return fault_set(f, VIR_ERR_INVALID_STORAGE_VOL,
                         "image %s is no folder; a container's image is the folder that becomes "
                         "its root",
                         name);
    return volume_path(volume, ret, f);
}

int volume_make_raw(virStoragePoolPtr pool, const char *name, int64_t bytes, virStorageVolPtr *ret,
                    struct fault *f)
{
    xmlDoc *doc = volume_document(name, bytes, 0);
    add_format(element_add(xmlDocGetRootElement(doc), "target"), "raw");
    virStorageVolPtr volume = create(pool, doc);
    if (!volume)
        return fault_libvirt(f, "cannot make the volume %s", name);
    *ret = volume;
    return 0;
}

static int upload(virConnectPtr conn, virStorageVolPtr volume, const char *bytes, size_t count,
                  struct fault *f)
{
    const char *name = virStorageVolGetName(volume);
    virStreamPtr stream AUTOSTREAM = virStreamNew(conn, 0);
    if (!stream || virStorageVolUpload(volume, stream, 0, count, 0) < 0)
        return fault_libvirt(f, "cannot write the seed %s", name);
    while (count > 0) {
        int sent = virStreamSend(stream, bytes, count);
        if (sent < 0) {
            int r = fault_libvirt(f, "cannot write the seed %s", name);
            (void)virStreamAbort(stream);
            return r;
        }
        bytes += sent;
        count -= (size_t)sent;
    }
    if (virStreamFinish(stream) < 0)
        return fault_libvirt(f, "cannot write the seed %s", name);
    return 0;
}

int volume_make_seed(const struct lease *lease, virStoragePoolPtr pool, const char *name,
                     const char *seed, bool may_skip, virStorageVolPtr *ret, bool *ret_skipped,
                     struct fault *f)
{
    char number[32];
    xmlDoc *doc = volume_document(name, (int64_t)strlen(seed), (int64_t)strlen(seed));
    xmlNode *target = element_add(xmlDocGetRootElement(doc), "target");
    add_format(target, "raw");
    xmlNode *permissions = element_add(target, "permissions");
    element_set_text(element_add(permissions, "mode"), "0400");
    if (lease->has_owner) {
        (void)snprintf(number, sizeof(number), "%ld", lease->uid);
        element_set_text(element_add(permissions, "owner"), number);
        (void)snprintf(number, sizeof(number), "%ld", lease->gid);
        element_set_text(element_add(permissions, "group"), number);
    }
    virStorageVolPtr volume AUTOVOLUME = create(pool, doc);
    if (!volume)
        return fault_libvirt(f, "cannot make the seed %s", name);
    int r = upload(lease->conn, volume, seed, strlen(seed), f);
    bool skipped = r < 0 && may_skip && f->code == VIR_ERR_NO_SUPPORT;
    if (r < 0 && !skipped) {
        (void)virStorageVolDelete(volume, 0);
        return r;
    }
    *ret = volume;
    *ret_skipped = skipped;
    volume = NULL;
    return 0;
}

int volume_delete(virStoragePoolPtr pool, const char *name, bool *ret_gone, struct fault *f)
{
    virStorageVolPtr volume AUTOVOLUME = virStorageVolLookupByName(pool, name);
    bool gone = !volume && virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL;
    if (!gone && (!volume || virStorageVolDelete(volume, 0) < 0)) {
        if (virGetLastErrorCode() != VIR_ERR_NO_STORAGE_VOL)
            return fault_libvirt(f, "cannot delete volume %s", name);
        gone = true;
    }
    *ret_gone = gone;
    return 0;
}

/* An image that has two seals has none: both are shown as broken. One that cannot be looked at is not shown. */
static void add_seal(virStoragePoolPtr pool, const struct seal *seal, struct json_object *seals)
{
    bool first = true, intact = false;
    for (size_t i = 0; i < json_object_array_length(seals); i++) {
        struct json_object *o = json_object_array_get_idx(seals, i);
        if (strcmp(json_string_or(o, "image", ""), seal->image) != 0)
            continue;
        first = false;
        json_add_bool(o, "intact", false);
    }
    if (!first || seal_check(pool, seal, &intact) < 0)
        return;
    struct json_object *o = json_object_new_object();
    json_add_string(o, "image", seal->image);
    json_add_string(o, "digest", seal->digest);
    json_add_bool(o, "intact", intact);
    (void)json_object_array_add(seals, o);
}

int volume_list(virStoragePoolPtr pool, const char *ours, struct json_object *array,
                struct json_object *images, struct json_object *seals, struct fault *f)
{
    virStorageVolPtr *volumes = NULL;
    int count = virStoragePoolListAllVolumes(pool, &volumes, 0);
    if (count < 0)
        return fault_libvirt(f, "cannot list the volumes of the storage pool");
    for (int i = 0; i < count; i++) {
        const char *name = virStorageVolGetName(volumes[i]);
        char uuid[VM_UUID_SIZE];
        enum vm_volume kind;
        struct seal seal = {0};
        if (name && seal_parse(name, &seal)) {
            if (json_object_array_length(seals) < LIMIT_SEALS)
                add_seal(pool, &seal, seals);
            free(seal.image);
        } else if (name && vm_volume_parse(ours, name, uuid, &kind)) {
            struct json_object *o = json_object_new_object();
            json_add_string(o, "name", name);
            json_add_string(o, "uuid", uuid);
            json_add_string(o, "kind", vm_volume_name(kind));
            (void)json_object_array_add(array, o);
        } else if (name && json_object_array_length(images) < LIMIT_IMAGES) {
            (void)json_object_array_add(images, json_object_new_string(name));
        }
        (void)virStorageVolFree(volumes[i]);
    }
    free(volumes);
    return 0;
}
