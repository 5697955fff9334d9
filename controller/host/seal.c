#include "host/seal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/element.h"
#include "host/volume.h"

static const char mark[] = ".sha256-";

enum { DIGEST_DIGITS = SECRET_DIGEST_MAX - 1, DECIMAL = 10 };

bool seal_parse(const char *name, struct seal *ret)
{
    const char *at = NULL;
    for (const char *p = name; (p = strstr(p, mark)); p++)
        at = p; /* the last one */
    if (!at || at == name)
        return false;
    const char *digest = at + strlen(mark);
    if (strspn(digest, "0123456789abcdef") != DIGEST_DIGITS || digest[DIGEST_DIGITS] != '-')
        return false;
    char *end = NULL;
    struct seal s = {.size = strtoll(digest + DIGEST_DIGITS + 1, &end, DECIMAL)};
    if (*end != '-')
        return false;
    s.written = strtoll(end + 1, &end, DECIMAL);
    if (*end || s.size < 0 || s.written < 0)
        return false;
    memcpy(s.digest, digest, DIGEST_DIGITS);
    s.image = mem_printf("%.*s", (int)(at - name), name);
    *ret = s;
    return true;
}

/* What the file of @volume is like now, as libvirt finds it when it is asked for the volume's XML. */
static int look(virStorageVolPtr volume, int64_t *ret_size, int64_t *ret_written, struct fault *f)
{
    char *text AUTOFREE = virStorageVolGetXMLDesc(volume, 0);
    xmlDoc *doc AUTODOC = NULL;
    struct err e;
    if (!text)
        return fault_libvirt(f, "volume %s", virStorageVolGetName(volume));
    if (element_parse(text, &doc, &e) < 0)
        return fault_set(f, VIR_ERR_XML_ERROR, "volume %s: %s", virStorageVolGetName(volume), e.text);
    const xmlNode *root = xmlDocGetRootElement(doc);
    const xmlNode *size = element_child(root, "physical");
    const xmlNode *times = element_child(element_child(root, "target"), "timestamps");
    char *written AUTOFREE = element_text(element_child(times, "mtime"));
    *ret_size = element_bytes(size ? size : element_child(root, "capacity"));
    *ret_written = written ? strtoll(written, NULL, DECIMAL) : 0;
    return 0;
}

int seal_check(virStoragePoolPtr pool, const struct seal *seal, bool *ret)
{
    virStorageVolPtr volume AUTOVOLUME = virStorageVolLookupByName(pool, seal->image);
    struct fault f;
    int64_t size = 0, written = 0;
    bool gone = !volume && virGetLastErrorCode() == VIR_ERR_NO_STORAGE_VOL;
    if (!gone && (!volume || look(volume, &size, &written, &f) < 0))
        return -1;
    *ret = !gone && size == seal->size && written == seal->written;
    return 0;
}

/* Break the seals of @image but @keep; *@ret_there: that one is there. */
static int break_others(virStoragePoolPtr pool, const char *image, const char *keep, bool *ret_there,
                        struct fault *f)
{
    virStorageVolPtr *volumes = NULL;
    int count = virStoragePoolListAllVolumes(pool, &volumes, 0), r = 0;
    if (count < 0)
        return fault_libvirt(f, "cannot list the volumes of the storage pool");
    *ret_there = false;
    for (int i = 0; i < count; i++) {
        const char *name = virStorageVolGetName(volumes[i]);
        struct seal seal = {0};
        bool of_image = name && seal_parse(name, &seal) && strcmp(seal.image, image) == 0;
        bool kept = of_image && strcmp(name, keep) == 0;
        *ret_there |= kept;
        if (r == 0 && of_image && !kept && virStorageVolDelete(volumes[i], 0) < 0)
            r = fault_libvirt(f, "cannot delete the volume %s", name);
        free(seal.image);
        (void)virStorageVolFree(volumes[i]);
    }
    free(volumes);
    return r;
}

int seal_put(virStoragePoolPtr pool, const char *name, const char *digest, struct fault *f)
{
    virStorageVolPtr image AUTOVOLUME = virStorageVolLookupByName(pool, name);
    virStorageVolPtr volume AUTOVOLUME = NULL;
    int64_t size = 0, written = 0;
    bool there = false;
    if (!image)
        return fault_libvirt(f, "volume %s", name);
    int r = look(image, &size, &written, f);
    if (r < 0)
        return r;
    char *seal AUTOFREE = mem_printf("%s%s%s-%" PRId64 "-%" PRId64, name, mark, digest, size, written);
    r = break_others(pool, name, seal, &there, f);
    return r < 0 || there ? r : volume_make_raw(pool, seal, 0, &volume, f);
}
