#include "host/document.h"

#include <errno.h>
#include <inttypes.h>
#include <libxml/tree.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/container.h"
#include "host/element.h"
#include "host/metadata.h"
#include "host/port.h"

struct document {
    xmlDoc *xml;
    xmlNode *domain;
    xmlNode *vda; /* the <disk> whose target is vda; NULL: it is a container, which has none */
};

static int parse(const char *text, xmlDoc **ret, struct fault *f)
{
    int r = element_parse(text, ret, &f->err);
    if (r < 0) {
        f->code = VIR_ERR_XML_ERROR;
        f->unknown = false;
    }
    return r;
}

/* There must be a disk vda, one that an overlay can replace. */
static int check_vda(xmlNode *disk, struct fault *f)
{
    if (!disk)
        return fault_set(f, VIR_ERR_XML_ERROR,
                         "no <disk> has <target dev='vda'/>; that disk gets "
                         "the VM's volume");
    char *device AUTOFREE = element_attribute(disk, "device");
    if (device && strcmp(device, "disk") != 0)
        return fault_set(f, VIR_ERR_XML_ERROR, "the disk vda is a %s; it must be device='disk'",
                         device);
    if (element_child(disk, "transient"))
        return fault_set(f, VIR_ERR_XML_ERROR,
                         "the disk vda is <transient/>, which leaves files "
                         "behind; remove it: each VM has a disk of its own");
    if (element_child(disk, "readonly"))
        return fault_set(f, VIR_ERR_XML_ERROR, "the disk vda is <readonly/>; remove it");
    return 0;
}

/* Elements with which the domain would not be what the request says, or never end. */
static int check(struct document *d, struct fault *f)
{
    if (d->domain->ns || !element_is(d->domain, "domain"))
        return fault_set(f, VIR_ERR_XML_ERROR, "the document is <%s>, not <domain>",
                         (const char *)d->domain->name);
    char *type AUTOFREE = element_attribute(d->domain, "type");
    if (!type)
        return fault_set(f, VIR_ERR_XML_ERROR, "<domain> has no type=");
    xmlNode *devices = element_child(d->domain, "devices");
    for (xmlNode *n = element_child(devices, "disk"); n; n = element_next(n)) {
        char *target AUTOFREE = element_attribute(element_child(n, "target"), "dev");
        if (text_equal(target, "vda"))
            d->vda = n;
    }
    for (xmlNode *n = element_child(devices, "interface"); n; n = element_next(n))
        if (element_child(n, "mac"))
            return fault_set(f, VIR_ERR_XML_ERROR,
                             "an <interface> has a fixed <mac>, which all VMs "
                             "would share; remove it");
    char *end AUTOFREE = element_text(element_child(d->domain, "on_poweroff"));
    if (end && strcmp(end, "destroy") != 0)
        return fault_set(f, VIR_ERR_XML_ERROR,
                         "<on_poweroff> is %s; it must be destroy, or a VM "
                         "that powers off would not go away",
                         end);
    if (element_child(element_child(element_child(d->domain, "cpu"), "numa"), "cell"))
        return fault_set(f, VIR_ERR_XML_ERROR,
                         "<numa> in <cpu> sets the memory of its own; remove "
                         "it: cpus and memory come from the pool's "
                         "configuration");
    return container_is(d->domain) ? container_check(d->domain, f) : check_vda(d->vda, f);
}

int document_parse(const char *xml, struct document **ret, struct fault *f)
{
    struct document *d CLEANUP(document_free_p) = mem_new(1, sizeof(*d));
    int r = parse(xml, &d->xml, f);
    if (r < 0)
        return err_prefix(&f->err, r, "domain template");
    d->domain = xmlDocGetRootElement(d->xml);
    r = check(d, f);
    if (r < 0)
        return err_prefix(&f->err, r, "domain template");
    *ret = d;
    d = NULL;
    return 0;
}

struct document *document_free(struct document *d)
{
    if (!d)
        return NULL;
    xmlFreeDoc(d->xml);
    free(d);
    return NULL;
}

static void set_number(xmlNode *parent, const char *name, const char *unit, int64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    xmlNode *n = element_make(parent, name);
    element_set_text(n, text);
    if (unit)
        element_set(n, "unit", unit);
}

static void set_disk(xmlNode *disk, const char *path, bool block)
{
    element_remove(element_child(disk, "source"));
    element_remove(element_child(disk, "backingStore"));
    element_set(disk, "type", block ? "block" : "file");
    element_set(element_make(disk, "source"), block ? "dev" : "file", path);
    xmlNode *driver = element_make(disk, "driver");
    element_set(driver, "name", "qemu");
    element_set(driver, "type", "qcow2");
}

/* The seed is a file that QEMU hands to the guest by fw_cfg: content in the document, or on QEMU's
 * command line, could be read by everybody on the host. An SMBIOS table must name the VM's UUID. */
static void set_sysinfo(xmlNode *domain, const char *uuid, const char *seed)
{
    static const char entry_name[] = "opt/org.eyrie/seed";
    xmlNode *fwcfg = NULL;
    for (xmlNode *n = element_child(domain, "sysinfo"); n; n = element_next(n)) {
        char *type AUTOFREE = element_attribute(n, "type");
        if (text_equal(type, "fwcfg"))
            fwcfg = n;
        for (xmlNode *e = element_child(element_child(n, "system"), "entry"); e;
             e = element_next(e)) {
            char *name AUTOFREE = element_attribute(e, "name");
            if (text_equal(name, "uuid"))
                element_set_text(e, uuid);
        }
    }
    for (xmlNode *e = element_child(fwcfg, "entry"), *next; e; e = next) {
        char *name AUTOFREE = element_attribute(e, "name");
        next = element_next(e);
        if (text_equal(name, entry_name))
            element_remove(e);
    }
    if (!seed)
        return;
    if (!fwcfg) {
        fwcfg = element_add(domain, "sysinfo");
        element_set(fwcfg, "type", "fwcfg");
    }
    xmlNode *entry = element_add(fwcfg, "entry");
    element_set(entry, "name", entry_name);
    element_set(entry, "file", seed);
}

/* Where QEMU is, the guest gets the port by which it is told its new tokens; others have none. */
static void set_port(xmlNode *domain)
{
    char *type AUTOFREE = element_attribute(domain, "type");
    xmlNode *devices = element_child(domain, "devices");
    if (!text_equal(type, "qemu") && !text_equal(type, "kvm"))
        return;
    for (xmlNode *n = element_child(devices, "channel"); n; n = element_next(n)) {
        char *name AUTOFREE = element_attribute(element_child(n, "target"), "name");
        if (text_equal(name, PORT_NAME))
            return;
    }
    xmlNode *channel = element_add(devices, "channel");
    element_set(channel, "type", "unix");
    xmlNode *target = element_add(channel, "target");
    element_set(target, "type", "virtio");
    element_set(target, "name", PORT_NAME);
}

/* libvirt would draw 24 random bits for an address: among 10,000 VMs two would nearly surely share
 * one. 40 bits of the UUID do not, and the address then says which VM it is. 0x52 is unicast and
 * locally administered. */
static void set_addresses(xmlNode *domain, const char *uuid)
{
    unsigned i = 0;
    for (xmlNode *n = element_child(element_child(domain, "devices"), "interface"); n;
         n = element_next(n), i++) {
        char last[3] = {uuid[34], uuid[35], '\0'};
        char *address AUTOFREE =
            mem_printf("52:%.2s:%.2s:%.2s:%.2s:%02lx", uuid + 26, uuid + 28, uuid + 30, uuid + 32,
                       (strtoul(last, NULL, 16) + i) & 0xff);
        element_set(element_add(n, "mac"), "address", address);
    }
}

int document_fill(struct document *d, const struct vm *vm, const char *disk, bool block,
                  const char *seed, struct fault *f)
{
    const char *const texts[] = {vm->name,  vm->pool,    vm->template, vm->generation,
                                 vm->group, vm->request, disk,         seed};
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        if (texts[i] && (!vm_is_plain(texts[i]) || !xmlCheckUTF8((const xmlChar *)texts[i])))
            return fault_set(f, VIR_ERR_INVALID_ARG,
                             "a name or value that cannot be put into XML: "
                             "it is not UTF-8, too long, or has control "
                             "characters");
    element_set_text(element_make(d->domain, "name"), vm->name);
    element_set_text(element_make(d->domain, "uuid"), vm->uuid);
    set_number(d->domain, "memory", "b", vm->memory);
    set_number(d->domain, "currentMemory", "b", vm->memory);
    set_number(d->domain, "vcpu", NULL, vm->cpus);
    element_unset(element_make(d->domain, "vcpu"), "current");
    element_remove(element_child(d->domain, "vcpus"));
    metadata_write(element_make(d->domain, "metadata"), vm);
    if (document_is_container(d)) {
        container_fill(d->domain, disk, seed);
    } else {
        set_disk(d->vda, disk, block);
        set_sysinfo(d->domain, vm->uuid, seed);
    }
    set_addresses(d->domain, vm->uuid);
    set_port(d->domain);
    return 0;
}

char *document_text(const struct document *d)
{
    xmlChar *text = NULL;
    int size = 0;
    xmlDocDumpMemory(d->xml, &text, &size);
    if (!text)
        mem_exhausted();
    char *copy = mem_strdup((const char *)text);
    xmlFree(text);
    return copy;
}

int document_read(const char *xml, struct vm *ret, char ret_claimed[static VM_UUID_SIZE],
                  struct fault *f)
{
    xmlDoc *doc AUTODOC = NULL;
    int r = parse(xml, &doc, f);
    if (r < 0)
        return r;
    xmlNode *domain = xmlDocGetRootElement(doc);
    ret->memory = element_bytes(element_child(domain, "memory"));
    char *cpus AUTOFREE = element_text(element_child(domain, "vcpu"));
    ret->cpus = cpus ? strtoll(cpus, NULL, 10) : 0;
    metadata_read(element_child(domain, "metadata"), ret, ret_claimed);
    return 0;
}

int document_read_metadata(const char *xml, struct vm *ret, char ret_claimed[static VM_UUID_SIZE],
                           struct fault *f)
{
    xmlDoc *doc AUTODOC = NULL;
    int r = parse(xml, &doc, f);
    if (r < 0)
        return r;
    metadata_read_element(xmlDocGetRootElement(doc), ret, ret_claimed);
    return 0;
}

bool document_is_container(const struct document *d)
{
    return container_is(d->domain);
}

char *document_type(const struct document *d)
{
    return element_attribute(d->domain, "type");
}

char *document_arch(const struct document *d)
{
    char *arch = element_attribute(element_child(element_child(d->domain, "os"), "type"), "arch");
    return arch ? arch : mem_strdup("x86_64");
}

bool document_emulates_cx16(const struct document *d)
{
    char *type AUTOFREE = document_type(d), *arch AUTOFREE = document_arch(d);
    if (!text_equal(type, "qemu") || !text_equal(arch, "x86_64"))
        return false;
    xmlNode *feature = element_child(element_child(d->domain, "cpu"), "feature");
    for (; feature; feature = element_next(feature)) {
        char *name AUTOFREE = element_attribute(feature, "name");
        char *policy AUTOFREE = element_attribute(feature, "policy");
        if (text_equal(name, "cx16") && text_equal(policy, "disable"))
            return false;
    }
    return true;
}

char *document_network(const struct document *d, unsigned i)
{
    xmlNode *n = element_child(element_child(d->domain, "devices"), "interface");
    for (; n; n = element_next(n)) {
        char *network = element_attribute(element_child(n, "source"), "network");
        if (network && i-- == 0)
            return network;
        free(network);
    }
    return NULL;
}
