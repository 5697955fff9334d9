/*
 * The virtual pool as startds: one condor_status of all slots that carry our attributes, added up
 * by EyrieUUID. "Drained and empty" comes from one answer about one startd, so it proves itself.
 *
 * An answer that is not whole is an error, never "no slots".
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "config/policy.h"
#include "plan/world.h"

/** The one query; NULL-terminated, all of it in @a. */
const char *const *pool_argv(struct arena *a, const struct policy *p);

struct pool_parser;

/** A parser whose results live in @a; owned by the caller (pool_parser_free). */
struct pool_parser *pool_parser_new(struct arena *a);
struct pool_parser *pool_parser_free(struct pool_parser *q);
/** Feed a piece of the query's stdout. 0, -EBADMSG, -EMSGSIZE (one ad is too big), -E2BIG. */
int pool_parser_feed(struct pool_parser *q, const char *bytes, size_t length, struct err *e);
/** The output has ended: sets @ret_startds (sorted by UUID) and their number, or -EBADMSG. */
int pool_parser_end(struct pool_parser *q, const struct world_startd **ret_startds, size_t *ret_n,
                    struct err *e);
