#include "serve/counts.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    usec bound;
    const char *text;
} bounds[HISTOGRAM_BOUNDS] = {
    {500, "0.0005"},  {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},
    {10000, "0.01"},  {25000, "0.025"}, {50000, "0.05"},  {100000, "0.1"},
    {250000, "0.25"}, {1000000, "1.0"}, {5000000, "5.0"}, {30000000, "30.0"},
};

static size_t find(const struct counts *c, const char *kind)
{
    size_t i = 0;
    while (i < c->n_events && strcmp(c->events[i].kind, kind) != 0)
        i++;
    return i;
}

void counts_event(struct counts *c, const char *kind)
{
    size_t i = find(c, kind);
    if (i == c->n_events) {
        /* the last place is kept for what finds none */
        if (i == COUNTS_KINDS - 1 || strlen(kind) >= COUNTS_KIND_BYTES) {
            kind = "other";
            i = find(c, kind);
        }
        if (i == c->n_events) {
            memcpy(c->events[i].kind, kind, strlen(kind) + 1);
            c->n_events++;
        }
    }
    c->events[i].n++;
}

int64_t counts_of(const struct counts *c, const char *kind)
{
    size_t i = find(c, kind);
    return i < c->n_events ? c->events[i].n : 0;
}

void histogram_add(struct histogram *h, usec took)
{
    size_t i = 0;
    while (i < ARRAY_SIZE(bounds) && took > bounds[i].bound)
        i++;
    h->buckets[i]++;
    h->sum += took;
}

int64_t histogram_count(const struct histogram *h)
{
    int64_t n = 0;
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++)
        n += h->buckets[i];
    return n;
}

const char *histogram_bound(size_t i)
{
    assert(i < ARRAY_SIZE(bounds));
    return bounds[i].text;
}
