#include "sim/events.h"

#include <stdlib.h>

#include "base/mem.h"

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

void events_add(struct events *e, usec at, int kind, uint32_t subject, uint32_t epoch)
{
    if (e->n == e->capacity) {
        e->capacity = e->capacity ? e->capacity * 2 : 256;
        e->items = mem_resize(e->items, e->capacity, sizeof(*e->items));
    }
    const struct event event = {at, e->order++, kind, subject, epoch};
    size_t i = e->n++;
    for (size_t parent; i > 0 && earlier(&event, &e->items[parent = (i - 1) / 2]); i = parent)
        e->items[i] = e->items[parent];
    e->items[i] = event;
}

bool events_take(struct events *e, struct event *ret)
{
    if (e->n == 0)
        return false;
    *ret = e->items[0];
    const struct event last = e->items[--e->n];
    size_t i = 0;
    for (size_t child; (child = 2 * i + 1) < e->n; i = child) {
        if (child + 1 < e->n && earlier(&e->items[child + 1], &e->items[child]))
            child++;
        if (!earlier(&e->items[child], &last))
            break;
        e->items[i] = e->items[child];
    }
    if (e->n > 0)
        e->items[i] = last;
    return true;
}

void events_done(struct events *e)
{
    free(e->items);
    *e = (struct events){0};
}
