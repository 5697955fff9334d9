/*
 * The XML of a domain, both ways: a template that an admin wrote, which is refused or becomes the domain of
 * a VM that can be read back as ours; and whatever a host says that a domain is.
 */
#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "host/document.h"

#define UUID "1a2b3c4d-0000-4000-8000-000000000000"

static void read_back(const char *xml, bool ours)
{
    struct vm vm = {0};
    struct fault fault = {0};
    char claimed[VM_UUID_SIZE] = "";
    int r = document_read(xml, &vm, claimed, &fault);
    if (ours)
        assert(r == 0 && strcmp(claimed, UUID) == 0 && strcmp(vm.pool, "vpool") == 0);
    vm_done(&vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTOFREE char *xml = mem_new(size + 1, 1);
    memcpy(xml, data, size);
    read_back(xml, false);

    CLEANUP(document_free_p) struct document *d = NULL;
    struct fault fault = {0};
    struct vm vm = {.name = (char[]){"vpool-small-1a2b3c4d"}, .uuid = UUID, .pool = (char[]){"vpool"},
                    .template = (char[]){"small"}, .generation = (char[]){"1"}, .group = (char[]){"juno"},
                    .request = (char[]){""}, .memory = 2147483648, .cpus = 2, .born = 1};
    if (document_parse(xml, &d, &fault) < 0 ||
        document_fill(d, &vm, "/images/vpool." UUID ".disk", false, "/images/seed", &fault) < 0)
        return 0;
    AUTOFREE char *filled = document_text(d);
    read_back(filled, true);
    return 0;
}
