/*
 * Asking the daemon now and then what it goes by: it may have been started with another configuration,
 * and a file of the site that is read later may override a knob of ours.
 */
#include <stdio.h>
#include <string.h>

#include "act/belief.h"
#include "act/flock-private.h"
#include "base/mem.h"
#include "loop/condor.h"

/* Each question is a command to the daemon. */
static const usec ask_every = 15 * USEC_PER_SEC;

static void answered(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct plain plain = plain_read(a, f->content);
    struct belief belief;
    struct err e;
    AUTOFREE char *text = NULL;
    if (belief_read(a, &plain, f->knob, f->path, r, &belief, &e) < 0) {
        text = mem_strdup(e.text);
    } else {
        (void)snprintf(f->believed, sizeof(f->believed), "%s", belief.revision);
        /* When it has read something else, applying the fragment puts that right, or says why not. */
        if (belief.n > 0 && strcmp(f->believed, f->revision) == 0)
            text = belief.n == 1 ? mem_strdup(belief.rows[0].text)
                                 : mem_printf("%s (and %zu more: eyrie flock diff)",
                                              belief.rows[0].text, belief.n - 1);
    }
    if (!text)
        f->differs = 0;
    else if (!f->differs)
        f->differs = loop_now(f->loop);
    mem_replace(&f->difference, text ? text : "");
    f->child = child_free(f->child);
}

void flock_ask(struct flocking *f)
{
    bool settled = strcmp(f->present, f->revision) == 0 && strcmp(f->believed, f->revision) == 0;
    if (f->remote || !f->wanted || f->done || f->child || !settled || loop_ticks(f->loop) < f->ask_at)
        return;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct plain plain = plain_read(a, f->content);
    f->ask_at = loop_ticks(f->loop) + ask_every;
    f->child = condor_run(f->loop, f->tools,
                          &(struct child_args){.argv = belief_argv(a, f->daemon, &plain),
                                               .done = answered,
                                               .userdata = f});
}
