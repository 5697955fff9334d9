/*
 * An allocation that fails ends the program with a word, whoever asked for it: a library, too.
 * (json-c 0.16 goes on with a null pointer, or half a string.) The service manager starts it again.
 * Linked into programs, whose malloc comes before the C library's; not where a sanitizer has its
 * own.
 */
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/mem.h"

/* The ones that come after ours: what is preloaded (tests/crash/starve.c), else the C library's. */
static struct {
    void *(*malloc)(size_t size);
    void *(*calloc)(size_t count, size_t size);
    void *(*realloc)(void *old, size_t size);
} next;

static void find(void *slot, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(slot, &found, sizeof(found)); /* C knows no conversion */
}

/* At the first allocation, which is before there are threads; dlsym allocates only when it fails.
 */
static void find_all(void)
{
    find(&next.calloc, "calloc");
    find(&next.realloc, "realloc");
    find(&next.malloc, "malloc");
}

static void *made(void *memory)
{
    if (!memory)
        mem_exhausted();
    return memory;
}

void *malloc(size_t size)
{
    if (!next.malloc)
        find_all();
    return made(next.malloc(size));
}

void *calloc(size_t count, size_t size)
{
    if (!next.malloc)
        find_all();
    return made(next.calloc(count, size));
}

/* With a size of 0 it frees, and gives NULL. */
void *realloc(void *old, size_t size)
{
    if (!next.malloc)
        find_all();
    void *memory = next.realloc(old, size);
    return size ? made(memory) : memory;
}
