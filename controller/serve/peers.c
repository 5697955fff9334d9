#include "serve/peers.h"

#include <assert.h>

struct peer *peers_add(struct peers *p, uid_t uid, int fd, usec now)
{
    size_t i = 0;
    while (i < PEERS_MAX && p->list[i].used)
        i++;
    assert(i < PEERS_MAX);
    p->list[i] = (struct peer){.uid = uid, .fd = fd, .since = now, .used = true};
    p->n++;
    return &p->list[i];
}

void peers_remove(struct peers *p, struct peer *peer)
{
    if (!peer)
        return;
    assert(peer->used);
    *peer = (struct peer){.used = false};
    p->n--;
}

size_t peers_of(const struct peers *p, uid_t uid)
{
    size_t n = 0;
    for (size_t i = 0; i < PEERS_MAX; i++)
        n += p->list[i].used && p->list[i].uid == uid;
    return n;
}

struct peer *peers_oldest(struct peers *p, const uid_t *uid)
{
    struct peer *oldest = NULL;
    for (size_t i = 0; i < PEERS_MAX; i++) {
        struct peer *peer = &p->list[i];
        if (!peer->used || peer->cut || (uid && peer->uid != *uid))
            continue;
        if (!oldest || peer->since < oldest->since)
            oldest = peer;
    }
    return oldest;
}
