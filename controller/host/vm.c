#include "host/vm.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

static const char *const volume_names[VM_VOLUME_MAX] = {
    [VM_VOLUME_DISK] = "disk",
    [VM_VOLUME_SEED] = "seed",
};

void vm_done(struct vm *vm)
{
    free(vm->name);
    free(vm->pool);
    free(vm->template);
    free(vm->generation);
    free(vm->group);
    free(vm->request);
    *vm = (struct vm){0};
}

bool vm_is_uuid(const char *text)
{
    for (int i = 0; i < VM_UUID_SIZE - 1; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text[i] != '-' : !text[i] || !strchr("0123456789abcdef", text[i]))
            return false;
    }
    return text[VM_UUID_SIZE - 1] == '\0';
}

bool vm_is_plain(const char *text)
{
    size_t length = strlen(text);
    if (length > LIMIT_NAME_BYTES)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            return false;
    return true;
}

bool vm_is_name(const char *pool, const char *name, const char *uuid)
{
    size_t before = strlen(pool), length = strlen(name);
    return length > before + 10 && vm_is_plain(name) && !strchr(name, '/') &&
           text_starts_with(name, pool) && name[before] == '-' && name[length - 9] == '-' &&
           strncmp(name + length - 8, uuid, 8) == 0;
}

const char *vm_volume_name(enum vm_volume kind)
{
    return volume_names[kind];
}

char *vm_volume_make(const char *pool, const char *uuid, enum vm_volume kind)
{
    return mem_printf("%s.%s.%s", pool, uuid, volume_names[kind]);
}

bool vm_volume_parse(const char *pool, const char *name, char ret_uuid[static VM_UUID_SIZE],
                     enum vm_volume *ret_kind)
{
    size_t before = strlen(pool) + 1;
    char uuid[VM_UUID_SIZE];
    if (!text_starts_with(name, pool) || name[before - 1] != '.' ||
        strlen(name) != before + VM_UUID_SIZE + 4 || name[before + VM_UUID_SIZE - 1] != '.')
        return false;
    memcpy(uuid, name + before, VM_UUID_SIZE - 1);
    uuid[VM_UUID_SIZE - 1] = '\0';
    if (!vm_is_uuid(uuid))
        return false;
    for (int kind = 0; kind < VM_VOLUME_MAX; kind++)
        if (strcmp(name + before + VM_UUID_SIZE, volume_names[kind]) == 0) {
            memcpy(ret_uuid, uuid, sizeof(uuid));
            *ret_kind = (enum vm_volume)kind;
            return true;
        }
    return false;
}
