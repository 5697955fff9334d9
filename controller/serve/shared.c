#include "serve/shared.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

static void drop(struct shared_answer *a)
{
    free(a->path);
    if (a->response)
        MHD_destroy_response(a->response);
    *a = (struct shared_answer){0};
}

const struct shared_answer *shared_find(const struct shared *s, const char *path,
                                        const struct snapshot *now, usec at)
{
    for (size_t i = 0; i < SHARED_MAX; i++) {
        const struct shared_answer *a = &s->list[i];
        if (a->path && text_equal(a->path, path))
            return now && a->plan == now->plan && a->steps == now->server.steps && at >= a->made &&
                           at - a->made < USEC_PER_SEC
                       ? a
                       : NULL;
    }
    return NULL;
}

const struct shared_answer *shared_keep(struct shared *s, const char *path,
                                        const struct snapshot *now, usec at,
                                        const struct answer *answer, struct MHD_Response *response)
{
    size_t i = 0;
    while (i < SHARED_MAX - 1 && s->list[i].path && !text_equal(s->list[i].path, path))
        i++;
    struct shared_answer *a = &s->list[i];
    drop(a);
    *a = (struct shared_answer){
        .path = mem_strdup(path),
        .plan = now ? now->plan : NULL,
        .steps = now ? now->server.steps : 0,
        .made = at,
        .status = answer->status,
        .route = answer->route,
        .response = response,
    };
    return a;
}

void shared_done(struct shared *s)
{
    for (size_t i = 0; i < SHARED_MAX; i++)
        drop(&s->list[i]);
}
