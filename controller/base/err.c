#include "base/err.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, int code, const char *format, ...)
{
    assert(code > 0);
    if (e) {
        va_list ap;
        va_start(ap, format);
        (void)vsnprintf(e->text, sizeof(e->text), format, ap);
        va_end(ap);
    }
    return -code;
}

int err_prefix(struct err *e, int r, const char *format, ...)
{
    if (!e)
        return r;
    struct err old = *e;
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(e->text, sizeof(e->text), format, ap);
    va_end(ap);
    size_t used = n < 0 ? 0 : (size_t)n < sizeof(e->text) ? (size_t)n : sizeof(e->text) - 1;
    if (used + 2 < sizeof(e->text)) {
        size_t room = sizeof(e->text) - used - 3;
        size_t length = strnlen(old.text, room);
        memcpy(e->text + used, ": ", 2);
        memcpy(e->text + used + 2, old.text, length);
        e->text[used + 2 + length] = '\0';
    }
    return r;
}
