#include "serve/accept.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* How well the range that begins at @range names @type: 3 as it is, 2 "application/…", 1 anything.
 */
static int matches(const char *range, size_t length, const char *type)
{
    size_t name = strcspn(type, ";"), kind = strcspn(type, "/");
    if (length == 3 && strncmp(range, "*/*", 3) == 0)
        return 1;
    if (length == kind + 2 && strncasecmp(range, type, kind + 1) == 0 && range[kind + 1] == '*')
        return 2;
    return length == name && strncasecmp(range, type, name) == 0 ? 3 : 0;
}

/* The weight among the parameters of one range, which end at @end; 1 when it has none. */
static double weight(const char *at, const char *end)
{
    while ((at = memchr(at, ';', (size_t)(end - at)))) {
        at += 1 + strspn(at + 1, " \t");
        if ((*at == 'q' || *at == 'Q') && at[1] == '=')
            return strtod(at + 2, NULL);
    }
    return 1;
}

bool accept_takes(const char *header, const char *type)
{
    int best = 0;
    bool takes = false;
    if (!header || !header[strspn(header, " \t")])
        return true;
    for (const char *at = header; *at;) {
        at += strspn(at, " \t,");
        const char *end = at + strcspn(at, ",");
        int how = matches(at, strcspn(at, ";, \t"), type);
        if (how > best) { /* the most specific range decides */
            best = how;
            takes = weight(at, end) > 0;
        }
        at = end;
    }
    return takes;
}
