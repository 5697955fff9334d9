#include "serve/snapshot.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

struct snapshot *snapshot_new(const struct policy *policy, const struct world *world,
                              const struct plan *plan, const struct server_facts *server,
                              void (*free)(void *userdata), void *userdata)
{
    struct snapshot *s = mem_new(1, sizeof(*s));
    *s = (struct snapshot){
        .policy = policy,
        .world = world,
        .plan = plan,
        .server = *server,
        .refs = 1,
        .free = free,
        .userdata = userdata,
    };
    return s;
}

usec snapshot_steps_within(const struct policy *p)
{
    enum { LOOKS = 6 }; /* each ends with a step */
    return LOOKS * p->timing.look_every.value + USEC_PER_MINUTE;
}

struct snapshot *snapshot_ref(struct snapshot *s)
{
    if (s)
        s->refs++;
    return s;
}

struct snapshot *snapshot_unref(struct snapshot *s)
{
    if (!s)
        return NULL;
    assert(s->refs > 0);
    if (--s->refs == 0) {
        if (s->free)
            s->free(s->userdata);
        free(s);
    }
    return NULL;
}
