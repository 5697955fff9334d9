#include "property/draw.h"

#include <assert.h>
#include <string.h>

/* splitmix64 (Steele, Lea, Flood 2014): any state is good, also 0. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

struct draw draw_from_bytes(const void *bytes, size_t n)
{
    static const unsigned char none[1];
    return (struct draw){.bytes = n ? bytes : none, .n = n};
}

struct draw draw_from_seed(uint64_t seed, uint64_t number)
{
    uint64_t state = seed;
    (void)next(&state);
    state ^= number * 0xd1342543de82ef95u;
    return (struct draw){.state = next(&state)};
}

static uint64_t take(struct draw *d, size_t bytes)
{
    uint64_t value = 0;
    if (!d->bytes)
        return next(&d->state);
    for (size_t i = 0; i < bytes && d->n; i++, d->n--)
        value = value << 8 | *d->bytes++;
    return value;
}

int64_t draw_range(struct draw *d, int64_t low, int64_t high)
{
    assert(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t value = take(d, span < 0x100 ? 1 : span < 0x10000 ? 2 : 8);
    return (int64_t)((uint64_t)low + (span == UINT64_MAX ? value : value % (span + 1)));
}

bool draw_chance(struct draw *d, int percent)
{
    return draw_range(d, 0, 99) >= 100 - percent;
}

size_t draw_index(struct draw *d, size_t n)
{
    assert(n > 0);
    return (size_t)draw_range(d, 0, (int64_t)n - 1);
}

void draw_shuffle(struct draw *d, void *array, size_t n, size_t size)
{
    unsigned char *items = array, swap[512];
    assert(size <= sizeof(swap));
    for (size_t i = n; i > 1; i--) {
        size_t k = draw_index(d, i);
        if (k == i - 1)
            continue;
        memcpy(swap, items + (i - 1) * size, size);
        memcpy(items + (i - 1) * size, items + k * size, size);
        memcpy(items + k * size, swap, size);
    }
}
