#include "config/spelling.h"

#include <ctype.h>
#include <string.h>

enum { WORD_MAX = 63 }; /* longer words get no advice */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static int same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t spelling_distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1];
    size_t n = strlen(a), m = strlen(b);
    if (n > WORD_MAX || m > WORD_MAX)
        return WORD_MAX;
    /* Optimal string alignment: three rows of the table of distances between all prefixes. */
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            now[j] = least(least(last[j], now[j - 1]) + 1,
                           last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1));
            if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]))
                now[j] = least(now[j], before[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

void spelling_nearer(const char *word, const char *candidate, const char **best)
{
    size_t distance = spelling_distance(word, candidate);
    if (distance > 1 + strlen(candidate) / 4 || distance >= strlen(candidate))
        return;
    if (!*best || distance < spelling_distance(word, *best))
        *best = candidate;
}
