#include "record/boots.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "record/ledger.h"

struct boot {
    char *template;
    char *host;
    usec took;
};

struct boots {
    struct boot *items;
    size_t n, capacity;
};

struct boots *boots_new(void)
{
    return mem_new(1, sizeof(struct boots));
}

static struct boot *find(const struct boots *b, const char *template, const char *host)
{
    for (size_t i = 0; i < b->n; i++)
        if (strcmp(b->items[i].template, template) == 0 && strcmp(b->items[i].host, host) == 0)
            return &b->items[i];
    return NULL;
}

void boots_learn(struct boots *b, const char *template, const char *host, usec took)
{
    struct boot *boot = find(b, template, host);
    if (!boot) {
        if (b->n == b->capacity) {
            b->capacity = b->capacity ? 2 * b->capacity : 16;
            b->items = mem_resize(b->items, b->capacity, sizeof(*b->items));
        }
        boot = &b->items[b->n++];
        *boot = (struct boot){mem_strdup(template), mem_strdup(host), 0};
    }
    /* A longer one counts at once, and is forgotten little by little. */
    boot->took = took > boot->took ? took : boot->took - (boot->took - took) / 8;
}

static void recall(void *userdata, const char *template, const char *host, usec took)
{
    boots_learn(userdata, template, host, took);
}

int boots_recall(struct boots *b, struct ledger *l, struct err *e)
{
    return ledger_boots(l, LIMIT_BOOTS, recall, b, e);
}

usec boots_of(const struct boots *b, const char *template, const char *host)
{
    const struct boot *boot = find(b, template, host);
    return boot ? boot->took : 0;
}

struct boots *boots_free(struct boots *b)
{
    if (!b)
        return NULL;
    for (size_t i = 0; i < b->n; i++) {
        free(b->items[i].template);
        free(b->items[i].host);
    }
    free(b->items);
    free(b);
    return NULL;
}
