#include "base/mem.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

_Noreturn void mem_exhausted(void)
{
    static const char text[] = ": out of memory\n";
    const char *program = program_invocation_short_name;
    (void)!write(STDERR_FILENO, program, strlen(program));
    (void)!write(STDERR_FILENO, text, sizeof(text) - 1);
    abort();
}

void *mem_new(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);
    if (!p)
        mem_exhausted();
    return p;
}

void *mem_resize(void *old, size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        mem_exhausted();
    void *p = realloc(old, count && size ? count * size : 1);
    if (!p)
        mem_exhausted();
    return p;
}

char *mem_strdup(const char *text)
{
    if (!text)
        return NULL;
    size_t size = strlen(text) + 1;
    return memcpy(mem_new(1, size), text, size);
}

char *mem_printf(const char *format, ...)
{
    va_list ap;
    char *text = NULL;
    va_start(ap, format);
    int n = vasprintf(&text, format, ap);
    va_end(ap);
    if (n < 0)
        mem_exhausted();
    return text;
}

void mem_replace(char **slot, const char *text)
{
    char *copy = mem_strdup(text);
    free(*slot);
    *slot = copy;
}
