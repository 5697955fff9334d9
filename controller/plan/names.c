#include "plan/names.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

struct slot {
    const char *text; /* NULL: free */
    uint32_t hash;
    uint32_t number;
};

struct names {
    struct arena *arena;
    struct slot *slots; /* a power of two of them, never more than seven in eight taken */
    size_t n_slots;
    size_t n;
};

static bool has_room(const struct names *names)
{
    return names->n < names->n_slots / 8 * 7;
}

struct names *names_new(struct arena *a, size_t n)
{
    struct names *names = arena_take(a, 1, sizeof(*names));
    *names = (struct names){.arena = a, .n_slots = 8};
    while (names->n_slots / 8 * 7 < n)
        names->n_slots *= 2;
    names->slots = arena_take(a, names->n_slots, sizeof(*names->slots));
    return names;
}

/* Eight bytes at a time, mixed as in MurmurHash2. */
static uint32_t hash_text(const char *text)
{
    const uint64_t factor = 0xc6a4a7935bd1e995u;
    size_t left = strlen(text);
    uint64_t hash = left * factor;
    while (left > 0) {
        size_t n = left < 8 ? left : 8;
        uint64_t part = 0;
        memcpy(&part, text, n);
        part *= factor;
        hash = (hash ^ part ^ part >> 47) * factor;
        text += n;
        left -= n;
    }
    return (uint32_t)(hash >> 32 ^ hash >> 15);
}

/* The slot of @text, or the free one where it would be. */
static struct slot *find_slot(const struct names *names, const char *text, uint32_t hash)
{
    size_t at = hash & (names->n_slots - 1);
    struct slot *slot = &names->slots[at];
    while (slot->text && (slot->hash != hash || strcmp(slot->text, text) != 0)) {
        at = (at + 1) & (names->n_slots - 1);
        slot = &names->slots[at];
    }
    return slot;
}

static void grow(struct names *names)
{
    struct slot *old = names->slots;
    size_t n_old = names->n_slots;
    names->n_slots *= 2;
    names->slots = arena_take(names->arena, names->n_slots, sizeof(*old));
    for (size_t i = 0; i < n_old; i++)
        if (old[i].text)
            *find_slot(names, old[i].text, old[i].hash) = old[i];
    arena_drop(names->arena, old);
}

size_t names_add(struct names *names, const char *text, size_t number)
{
    assert(number < UINT32_MAX);
    uint32_t hash = hash_text(text);
    struct slot *slot = find_slot(names, text, hash);
    if (slot->text)
        return slot->number;
    if (!has_room(names)) {
        grow(names);
        slot = find_slot(names, text, hash);
    }
    *slot = (struct slot){text, hash, (uint32_t)number};
    names->n++;
    return number;
}

size_t names_find(const struct names *names, const char *text)
{
    const struct slot *slot = names->n ? find_slot(names, text, hash_text(text)) : NULL;
    return slot && slot->text ? slot->number : SIZE_MAX;
}

void names_renumber(struct names *names, const uint32_t *numbers)
{
    for (size_t i = 0; i < names->n_slots; i++)
        if (names->slots[i].text)
            names->slots[i].number = numbers[names->slots[i].number];
}
