/*
 * Joining facts by UUID means sorting them, and a step of 100,000 VMs has no time for as many
 * strcmp. The first eight bytes of a text, taken as a number, sort as the text does.
 */
#include "plan/rungs.h"

#include <stdlib.h>
#include <string.h>

enum { BYTE_VALUES = 256 };

uint64_t order_key(const char *text)
{
    uint64_t key = 0;
    int i = 0;
    for (; i < 8 && text[i]; i++)
        key = key << 8 | (unsigned char)text[i];
    return i ? key << 8 * (8 - i) : 0;
}

/* One pass by one byte of the key; says whether it moved anything. */
static bool pass(const struct order_item *from, struct order_item *to, size_t n, int shift)
{
    size_t starts[BYTE_VALUES + 1] = {0};
    for (size_t i = 0; i < n; i++)
        starts[((from[i].key >> shift) & 0xff) + 1]++;
    if (n && starts[((from[0].key >> shift) & 0xff) + 1] == n)
        return false; /* all have the same byte there */
    for (size_t b = 1; b <= BYTE_VALUES; b++)
        starts[b] += starts[b - 1];
    for (size_t i = 0; i < n; i++)
        to[starts[(from[i].key >> shift) & 0xff]++] = from[i];
    return true;
}

static int by_text(const void *left, const void *right)
{
    const struct order_item *a = left, *b = right;
    int order = strcmp(a->text, b->text);
    return order ? order : (a->ref > b->ref) - (a->ref < b->ref);
}

/* Equal keys are rare: sort each run of them by the whole text. */
static void settle_runs(struct order_item *items, size_t n)
{
    for (size_t from = 0, until; from < n; from = until) {
        until = from + 1;
        while (until < n && items[until].key == items[from].key)
            until++;
        if (until - from > 1)
            qsort(items + from, until - from, sizeof(*items), by_text);
    }
}

void order_sort(struct order_item *items, size_t n, struct order_item *spare)
{
    struct order_item *from = items, *to = spare;
    for (int shift = 0; shift < 64; shift += 8) {
        if (!pass(from, to, n, shift))
            continue;
        struct order_item *other = from;
        from = to;
        to = other;
    }
    if (from != items)
        memcpy(items, from, n * sizeof(*items));
    settle_runs(items, n);
}
