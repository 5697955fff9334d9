/*
 * The terminal while something is watched: a screen of its own, drawn in place, which is gone again
 * after q, ctrl-c or a signal, with the terminal as it was.
 */
#pragma once

#include "cli/cli.h"

struct screen;

/** Take the terminal that @cli->out is. Signals that would end us end the watch instead. */
struct screen *screen_open(const struct cli *cli) __attribute__((returns_nonnull));
/** Give it back; accepts NULL; returns NULL. */
struct screen *screen_close(struct screen *s);
/** Draw over what is there, and no more than @height lines; long lines end at the edge. */
void screen_draw(struct screen *s, int height, const char *block, size_t length);
/** Wait so long, or until the terminal has another size. False: it is to end. */
bool screen_wait(struct screen *s, usec d);

static inline void screen_close_p(struct screen **s)
{
    (void)screen_close(*s);
}
