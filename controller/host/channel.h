/*
 * The socket to eyried: whole lines in, whole lines out. One thread reads; any thread writes.
 */
#pragma once

#include "base/json.h"

struct channel;

/** A channel that reads @in and writes @out, neither of which it closes. Owned by the caller. */
struct channel *channel_new(int in, int out);
/** Free @c; accepts NULL; returns NULL. */
struct channel *channel_free(struct channel *c);

/** Read what is there, once. Returns 1, 0 at the end of the input, or -errno (-EAGAIN: nothing). */
int channel_read(struct channel *c);
/**
 * The next whole line of what was read, without its newline; valid until the next call.
 * Returns 1 and the line, 0 when there is none, or -EMSGSIZE for a line over LIMIT_LINE_BYTES,
 * which is skipped.
 */
int channel_next(struct channel *c, const char **ret_line, size_t *ret_length);
/**
 * Write @message as one line; takes it over. When nobody reads any more it is dropped: the end of
 * the input will say so.
 */
void channel_write(struct channel *c, struct json_object *message);

static inline void channel_free_p(struct channel **c)
{
    (void)channel_free(*c);
}
