#include "host/container.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/element.h"

bool container_is(const xmlNode *domain)
{
    char *type AUTOFREE = element_attribute(domain, "type");
    return text_equal(type, "lxc");
}

/* The <filesystem> whose target is @dir, or NULL. */
static xmlNode *mounted_at(const xmlNode *domain, const char *dir)
{
    xmlNode *n = element_child(element_child(domain, "devices"), "filesystem");
    for (; n; n = element_next(n)) {
        char *target AUTOFREE = element_attribute(element_child(n, "target"), "dir");
        if (text_equal(target, dir))
            return n;
    }
    return NULL;
}

int container_check(const xmlNode *domain, struct fault *f)
{
    xmlNode *root = mounted_at(domain, "/"), *run = mounted_at(domain, "/run");
    char *root_type AUTOFREE = element_attribute(root, "type");
    char *run_type AUTOFREE = element_attribute(run, "type");
    if (!root)
        return fault_set(f, VIR_ERR_XML_ERROR,
                         "no <filesystem> has <target dir='/'/>; that one gets the image");
    if (root_type && strcmp(root_type, "mount") != 0)
        return fault_set(f, VIR_ERR_XML_ERROR,
                         "the <filesystem> of / is type='%s'; it must be type='mount', a folder: "
                         "the image",
                         root_type);
    if (!element_child(root, "readonly"))
        return fault_set(f, VIR_ERR_XML_ERROR,
                         "the <filesystem> of / is not <readonly/>; all VMs share it");
    if (!text_equal(run_type, "ram"))
        return fault_set(f, VIR_ERR_XML_ERROR,
                         "no <filesystem type='ram'> has <target dir='/run'/>; the seed goes "
                         "there");
    return 0;
}

static void set_source(xmlNode *filesystem, const char *path)
{
    element_remove(element_child(filesystem, "source"));
    element_set(element_add(filesystem, "source"), "dir", path);
}

static void set_consoles(xmlNode *devices)
{
    int n = 0;
    for (xmlNode *c = element_child(devices, "console"); c; c = element_next(c))
        n++;
    for (; n < 2; n++)
        element_set(element_add(devices, "console"), "type", "pty");
}

void container_fill(xmlNode *domain, const char *image, const char *seed)
{
    set_consoles(element_child(domain, "devices"));
    set_source(mounted_at(domain, "/"), image);
    element_remove(mounted_at(domain, CONTAINER_SEED));
    if (!seed)
        return;
    /* libvirt mounts in the document's order: the last comes after /run. */
    xmlNode *n = element_add(element_child(domain, "devices"), "filesystem");
    element_set(n, "type", "mount");
    set_source(n, seed);
    element_set(element_add(n, "target"), "dir", CONTAINER_SEED);
    (void)element_add(n, "readonly");
}
