/*
 * What a domain's `<metadata>` says of the VM. It is written with the create call, so a domain of
 * ours is never without it, and it is all that a controller without memory needs. Anyone who may
 * look at the domain can read it: nothing secret goes in.
 *
 *   <eyrie:vm xmlns:eyrie="urn:eyrie:vm:1" pool= uuid= template= generation= group= request=
 * born=/>
 */
#pragma once

#include <libxml/tree.h>

#include "host/vm.h"

/** Write @vm into the element `<metadata>`; what others keep there stays, an older one goes. */
void metadata_write(xmlNode *metadata, const struct vm *vm);
/**
 * Read our element in `<metadata>` (which may be NULL) into *@ret; without one, pool stays NULL.
 * @ret_claimed: the UUID that it names, "" when it names none
 */
void metadata_read(const xmlNode *metadata, struct vm *ret, char ret_claimed[static VM_UUID_SIZE]);
/** The same, from the element alone; libvirt hands it out without its namespace. */
void metadata_read_element(const xmlNode *n, struct vm *ret, char ret_claimed[static VM_UUID_SIZE]);
