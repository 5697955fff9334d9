/*
 * The XML of a domain, by libxml2, and never as text. A template is the admin's document: we set
 * what is ours to set (name, uuid, memory, cpus, metadata, the disk vda, the seed, network
 * addresses) and leave everything else as it is. A template that could not work is refused with the
 * name of the element, before anything is made on the host.
 *
 * What we read back from a running domain also comes from here.
 */
#pragma once

#include <stdbool.h>

#include "host/fault.h"
#include "host/vm.h"

struct document;

/**
 * Parse and check a template. Returns 0 and the document, owned by the caller (document_free), or
 * a fault (VIR_ERR_XML_ERROR) that names the line or the element.
 */
int document_parse(const char *xml, struct document **ret, struct fault *f);
/** Free @d; accepts NULL; returns NULL. */
struct document *document_free(struct document *d);
/**
 * Turn the template into the domain of one VM.
 * @vm: every value of it is used; its strings must be UTF-8
 * @disk: where the volume for vda is (a path on the host), of a container the image's folder
 * @block: it is a block device
 * @seed: the file with the seed, or NULL for none
 */
int document_fill(struct document *d, const struct vm *vm, const char *disk, bool block,
                  const char *seed, struct fault *f);
/** Whether its VMs are containers: they have no disk of their own, and share the image. */
bool document_is_container(const struct document *d);
/** The domain's type= and the arch= of its <os>, "x86_64" without; owned by the caller (free). */
char *document_type(const struct document *d);
char *document_arch(const struct document *d);
/**
 * Whether QEMU would emulate (type='qemu', x86_64) a cpu that has cmpxchg16b: a guest's Linux 6
 * corrupts its memory with that of QEMU 7.2, and panics after minutes.
 */
bool document_emulates_cx16(const struct document *d);
/** The libvirt network of the @i-th <interface> that has one; NULL when there are no more; free. */
char *document_network(const struct document *d, unsigned i);
/** The whole document as text; owned by the caller (free). */
char *document_text(const struct document *d);

/**
 * Read a domain's XML as libvirt gives it: memory and cpus into *@ret, and, when there is metadata
 * of ours, its values (else pool stays NULL). *@ret is to be empty, and freed with vm_done.
 * @ret_claimed: the UUID that the metadata names, "" without metadata
 */
int document_read(const char *xml, struct vm *ret, char ret_claimed[static VM_UUID_SIZE],
                  struct fault *f);
/** Read only our metadata element, as virDomainGetMetadata gives it; otherwise as document_read. */
int document_read_metadata(const char *xml, struct vm *ret, char ret_claimed[static VM_UUID_SIZE],
                           struct fault *f);

static inline void document_free_p(struct document **d)
{
    (void)document_free(*d);
}
