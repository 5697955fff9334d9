#include "plan/heap.h"

#include <stdint.h>

struct heap {
    uint32_t *items; /* each before those at 2k + 1 and 2k + 2 */
    uint32_t *place; /* of each index in items; UINT32_MAX: it is not there */
    size_t n;
    heap_before before;
    const void *context;
};

static void put(struct heap *h, size_t at, uint32_t i)
{
    h->items[at] = i;
    h->place[i] = (uint32_t)at;
}

static void sift_down(struct heap *h, size_t at)
{
    uint32_t i = h->items[at];
    for (size_t child; (child = 2 * at + 1) < h->n; at = child) {
        if (child + 1 < h->n && h->before(h->context, h->items[child + 1], h->items[child]))
            child++;
        if (!h->before(h->context, h->items[child], i))
            break;
        put(h, at, h->items[child]);
    }
    put(h, at, i);
}

static void sift_up(struct heap *h, size_t at)
{
    uint32_t i = h->items[at];
    for (; at > 0 && h->before(h->context, i, h->items[(at - 1) / 2]); at = (at - 1) / 2)
        put(h, at, h->items[(at - 1) / 2]);
    put(h, at, i);
}

struct heap *heap_new(struct arena *arena, size_t n, const bool *member, heap_before before,
                      const void *context)
{
    struct heap *h = arena_take(arena, 1, sizeof(*h));
    *h = (struct heap){.items = arena_take(arena, n, sizeof(*h->items)),
                       .place = arena_take(arena, n, sizeof(*h->place)),
                       .before = before,
                       .context = context};
    for (size_t i = 0; i < n; i++) {
        h->place[i] = UINT32_MAX;
        if (!member || member[i])
            put(h, h->n++, (uint32_t)i);
    }
    for (size_t at = h->n / 2; at-- > 0;)
        sift_down(h, at);
    return h;
}

size_t heap_first(const struct heap *h)
{
    return h->n ? h->items[0] : SIZE_MAX;
}

void heap_drop_first(struct heap *h)
{
    if (h->n == 0)
        return;
    h->place[h->items[0]] = UINT32_MAX;
    if (--h->n == 0)
        return;
    put(h, 0, h->items[h->n]);
    sift_down(h, 0);
}

void heap_moved(struct heap *h, size_t i)
{
    if (h->place[i] == UINT32_MAX)
        return;
    sift_up(h, h->place[i]);
    sift_down(h, h->place[i]);
}
