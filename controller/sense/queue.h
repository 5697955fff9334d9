/*
 * The queue of one schedd as shapes. The schedd itself adds up (condor_q -group-by): the answer is
 * one ad per distinct combination of the attributes asked for, however many jobs there are.
 *
 * An answer that is not whole is an error, never "no jobs".
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "config/policy.h"
#include "plan/world.h"

/** The one query for policy.schedds[@schedd]; NULL-terminated, all of it in @a. */
const char *const *queue_argv(struct arena *a, const struct policy *p, size_t schedd);

/** What one ad of a job or of jobs says of a shape, but the counts. Strings are in @a. */
struct world_shape queue_shape(struct arena *a, struct json_object *ad, usec now);

struct queue_parser;

/** A parser whose results live in @a, of an answer asked for at @now; owned by the caller
 * (queue_parser_free). */
struct queue_parser *queue_parser_new(struct arena *a, usec now);
struct queue_parser *queue_parser_free(struct queue_parser *q);
/** Feed a piece of the query's stdout. 0, -EBADMSG, -EMSGSIZE (one ad is too big), -E2BIG. */
int queue_parser_feed(struct queue_parser *q, const char *bytes, size_t length, struct err *e);
/**
 * The output has ended (and the tool with exit status 0). Sets @ret_shapes (sorted by owner, group,
 * cpus, memory, disk; rows that differ in JobStatus only are merged) and their number; -EBADMSG
 * when the answer is not complete.
 */
int queue_parser_end(struct queue_parser *q, struct world_shape **ret_shapes, size_t *ret_n,
                     struct err *e);
/**
 * Set first_seen of @shapes that have idle jobs: as in the answer @before, if the shape had idle jobs
 * there, else @now. Both are sorted as by queue_parser_end.
 */
void queue_keep_first_seen(struct world_shape *shapes, size_t n, const struct world_shape *before,
                           size_t n_before, usec now);
