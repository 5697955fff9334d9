/*
 * A template of libvirt's LXC driver, <domain type='lxc'>: a VM that is a container. It has no disk
 * of its own. Its root is the template's image, which is a folder in the storage pool and is shared
 * by all VMs of the template, so it must be read-only; what a VM writes goes to file systems in
 * memory, which end with it. The seed is one file, bound into the container; as with QEMU it can be
 * deleted on the host as soon as the domain runs.
 */
#pragma once

#include <libxml/tree.h>
#include <stdbool.h>

#include "host/fault.h"

/** Where a container finds its seed. */
#define CONTAINER_SEED "/run/eyrie-seed"

/** Its second console is Eyrie's, by which it is told its new tokens: /dev/tty2 in the container. */
#define CONTAINER_CONSOLE "console1"

/** Whether @domain, a <domain>, is a container. */
bool container_is(const xmlNode *domain);
/** Refuse what cannot work, with the element's name: 0 or a fault (VIR_ERR_XML_ERROR). */
int container_check(const xmlNode *domain, struct fault *f);
/**
 * Set the root, the seed and the second console of @domain, which container_check let pass.
 * @image: folder on the host; @seed: file on the host, or NULL for none
 */
void container_fill(xmlNode *domain, const char *image, const char *seed);
