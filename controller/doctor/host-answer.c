#include "doctor/host-answer.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"

/* libvirt answers from memory in a millisecond; starting QEMU to find out takes it half a second.
 */
#define PROBE_MOST (USEC_PER_SEC / 4)

static const char no_vm[] = "no VM of this template can be started there";

static void judge_size(struct visit *v, const struct policy_host *h, struct json_object *node)
{
    int64_t memory = json_int_or(node, "memory", 0);
    char has[UNITS_TEXT_MAX], wanted[UNITS_TEXT_MAX];
    if (h->memory > memory && memory > 0)
        visit_wrong(v, CHECK_HOST, h->name,
                    visit_text(v, "it has %s of memory; the policy gives it %s",
                               units_format_bytes(memory, has),
                               units_format_bytes(h->memory, wanted)),
                    "libvirt refuses no overcommit: the host would kill VMs when memory runs out",
                    visit_text(v, "lower memory of the host %s in %s:%u", h->name,
                               v->policy->files[h->at.file], h->at.line));
    else
        visit_ok(v, CHECK_HOST, h->name, "libvirt answers: %" PRId64 " cpus, %s of memory",
                 json_int_or(node, "cpus", 0), units_format_bytes(memory, has));
}

static void judge_storage(struct visit *v, const struct policy_host *h, struct json_object *storage)
{
    const char *error = json_string_or(storage, "error", NULL);
    int64_t disk = 0, available = json_int_or(storage, "available", 0);
    char room[UNITS_TEXT_MAX], size[UNITS_TEXT_MAX];
    for (size_t i = 0; i < v->policy->n_templates; i++)
        if (v->policy->templates[i].disk > disk)
            disk = v->policy->templates[i].disk;
    if (error)
        visit_wrong(v, CHECK_STORAGE, h->name, error,
                    "VMs have their disks there: none can be started",
                    visit_text(v, "virsh -c '%s' pool-start %s; virsh -c '%s' pool-autostart %s",
                               h->uri, h->storage_pool, h->uri, h->storage_pool));
    else if (available < disk)
        visit_wrong(
            v, CHECK_STORAGE, h->name,
            visit_text(v, "storage pool %s has %s left, less than the disk of one VM (%s)",
                       h->storage_pool, units_format_bytes(available, room),
                       units_format_bytes(disk, size)),
            "disks grow as jobs write; a VM that finds no room stops",
            visit_text(v, "virsh -c '%s' vol-list %s --details; make room, then: pool-refresh %s",
                       h->uri, h->storage_pool, h->storage_pool));
    else if (!json_bool_or(storage, "autostart", true) &&
             !text_starts_with(h->uri, "test:")) /* whose pools all have none */
        visit_wrong(v, CHECK_STORAGE, h->name,
                    visit_text(v, "storage pool %s does not start by itself", h->storage_pool),
                    "after a reboot of the host no VM can be started there",
                    visit_text(v, "virsh -c '%s' pool-autostart %s", h->uri, h->storage_pool));
    else
        visit_ok(v, CHECK_STORAGE, h->name, "storage pool %s runs and has %s left", h->storage_pool,
                 units_format_bytes(available, room));
}

/* The format that the name promises, or NULL. */
static const char *promised(const char *image)
{
    const char *dot = strrchr(image, '.');
    return !dot                                                   ? NULL
           : strcmp(dot, ".qcow2") == 0                           ? "qcow2"
           : strcmp(dot, ".img") == 0 || strcmp(dot, ".raw") == 0 ? "raw"
                                                                  : NULL;
}

static void judge_image(struct visit *v, const struct policy_host *h,
                        const struct policy_template *t, struct json_object *image)
{
    const char *error = json_string_or(image, "error", NULL);
    const char *format = json_string_or(image, "format", "");
    const char *name = promised(t->image);
    int64_t capacity = json_int_or(image, "capacity", 0);
    char has[UNITS_TEXT_MAX], disk[UNITS_TEXT_MAX];
    (void)units_format_bytes(capacity, has);
    if (error)
        visit_wrong(v, CHECK_IMAGE, h->name, visit_text(v, "template %s: %s", t->name, error),
                    no_vm,
                    visit_text(v,
                               "copy %s into the storage pool of %s, then: virsh -c '%s' "
                               "pool-refresh %s",
                               t->image, h->name, h->uri, h->storage_pool));
    else if (name && strcmp(name, format) != 0)
        visit_wrong(v, CHECK_IMAGE, h->name,
                    visit_text(v, "template %s: the image %s is %s by its content", t->name,
                               t->image, format),
                    "a guest would find another disk than the one that was made",
                    visit_text(v,
                               "qemu-img info %s on %s; copy it anew, then: virsh -c '%s' "
                               "pool-refresh %s",
                               t->image, h->name, h->uri, h->storage_pool));
    else if (capacity > t->disk)
        visit_wrong(v, CHECK_IMAGE, h->name,
                    visit_text(v, "template %s: the image %s is of %s, the VM's disk of %s",
                               t->name, t->image, has, units_format_bytes(t->disk, disk)),
                    no_vm,
                    visit_text(v, "set disk of the template %s in %s to %s at least", t->name,
                               v->file, has));
    else
        visit_ok(v, CHECK_IMAGE, h->name, "template %s: image %s, %s, %s", t->name, t->image,
                 format, has);
}

static bool offers(struct json_object *offered, const char *type)
{
    size_t n = offered ? json_object_array_length(offered) : 0;
    for (size_t i = 0; i < n; i++)
        if (text_equal(json_object_get_string(json_object_array_get_idx(offered, i)), type))
            return true;
    return n == 0; /* it says nothing of this architecture */
}

static void judge_template(struct visit *v, const struct policy_host *h,
                           const struct policy_template *t, struct json_object *domain)
{
    const char *error = json_string_or(domain, "error", NULL);
    const char *type = json_string_or(domain, "type", NULL);
    struct json_object *offered = json_array_or_null(domain, "offered");
    if (type && !offers(offered, type))
        visit_wrong(
            v, CHECK_TEMPLATE, h->name,
            visit_text(v, "template %s is of type %s, which QEMU cannot use there", t->name, type),
            no_vm,
            visit_text(v,
                       strcmp(type, "kvm") == 0
                           ? "on %s: ls -l /dev/kvm (is it there, may libvirt's QEMU user open "
                             "it, is virtualisation on in the firmware?); or type='qemu' in %s"
                           : "%s offers another type: change it in %s",
                       h->name, t->domain));
    else if (error)
        visit_wrong(
            v, CHECK_TEMPLATE, h->name, visit_text(v, "template %s: %s", t->name, error), no_vm,
            visit_text(v, "mend %s; virt-xml-validate %s domain says more", t->domain, t->domain));
    else
        visit_ok(v, CHECK_TEMPLATE, h->name, "template %s: %s", t->name,
                 json_bool_or(domain, "validated", false) ? "libvirt would start its domain"
                                                          : "nothing speaks against its domain");
    if (json_bool_or(domain, "cx16", false))
        visit_wrong(
            v, CHECK_TEMPLATE, h->name,
            visit_text(v, "template %s: an emulated cpu with cmpxchg16b", t->name),
            "a guest with Linux 6 panics after minutes under the emulation of QEMU 7.2",
            visit_text(v,
                       "in %s: <cpu mode='custom' match='exact'><model fallback='forbid'>qemu64"
                       "</model><feature policy='disable' name='cx16'/></cpu>",
                       t->domain));
    int64_t probe = json_int_or(domain, "probe", 0);
    char took[UNITS_TEXT_MAX];
    if (probe > PROBE_MOST)
        visit_wrong(
            v, CHECK_TEMPLATE, h->name,
            visit_text(v, "libvirt starts QEMU anew each time to see what it can do (%s)",
                       units_format_duration(probe - probe % 1000, took)),
            "each VM starts so much later, several times over: so it is where /dev/kvm is there "
            "and QEMU cannot use it",
            visit_text(v,
                       "on %s: ls -l /dev/kvm; let libvirt's QEMU user open it (group kvm, "
                       "qemu.conf), or remove it: modprobe -r kvm_intel kvm_amd",
                       h->name));
}

void host_answer_judge(struct visit *v, const struct policy_host *h,
                       const struct policy_template *t, struct json_object *o, bool first)
{
    struct json_object *storage = json_object_or_null(o, "storage");
    if (first) {
        judge_size(v, h, json_object_or_null(o, "node"));
        judge_storage(v, h, storage);
    }
    if (!json_string_or(storage, "error", NULL))
        judge_image(v, h, t, json_object_or_null(o, "image"));
    judge_template(v, h, t, json_object_or_null(o, "domain"));
}
