#include "host/metadata.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/element.h"

void metadata_write(xmlNode *metadata, const struct vm *vm)
{
    char born[32];
    (void)snprintf(born, sizeof(born), "%" PRId64, vm->born);
    for (xmlNode *n = metadata->children, *next; n; n = next) {
        next = n->next;
        if (element_is_ns(n, NULL, VM_NAMESPACE))
            element_remove(n);
    }
    xmlNode *ours = element_add_ns(metadata, "vm", VM_NAMESPACE, "eyrie");
    element_set(ours, "pool", vm->pool);
    element_set(ours, "uuid", vm->uuid);
    element_set(ours, "template", vm->template);
    element_set(ours, "generation", vm->generation);
    element_set(ours, "group", vm->group);
    element_set(ours, "request", vm->request);
    element_set(ours, "exclusive", vm->exclusive ? "true" : "false");
    element_set(ours, "born", born);
}

static void read_values(const xmlNode *n, struct vm *ret, char ret_claimed[static VM_UUID_SIZE])
{
    char *uuid AUTOFREE = element_attribute(n, "uuid");
    char *born AUTOFREE = element_attribute(n, "born");
    ret->pool = element_attribute(n, "pool");
    ret->template = element_attribute(n, "template");
    ret->generation = element_attribute(n, "generation");
    ret->group = element_attribute(n, "group");
    char *exclusive AUTOFREE = element_attribute(n, "exclusive");
    ret->request = element_attribute(n, "request");
    ret->exclusive = exclusive && strcmp(exclusive, "true") == 0;
    ret->born = born ? strtoll(born, NULL, 10) : 0;
    if (uuid && vm_is_uuid(uuid))
        memcpy(ret_claimed, uuid, VM_UUID_SIZE);
}

void metadata_read(const xmlNode *metadata, struct vm *ret, char ret_claimed[static VM_UUID_SIZE])
{
    ret_claimed[0] = '\0';
    for (const xmlNode *n = metadata ? metadata->children : NULL; n; n = n->next)
        if (element_is_ns(n, "vm", VM_NAMESPACE)) {
            read_values(n, ret, ret_claimed);
            return;
        }
}

void metadata_read_element(const xmlNode *n, struct vm *ret, char ret_claimed[static VM_UUID_SIZE])
{
    ret_claimed[0] = '\0';
    if (element_is_ns(n, "vm", VM_NAMESPACE) || element_is(n, "vm"))
        read_values(n, ret, ret_claimed);
}
