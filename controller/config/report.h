/*
 * What is wrong with a file: all of it at once, in the order of the files, as compilers say it.
 */
#pragma once

#include <stdbool.h>

#include "config/source.h"

/** More than this is not read by anybody; the rest is counted. */
enum { REPORT_MESSAGES_MAX = 50 };

struct report;

struct message {
    struct place at;
    size_t order; /* in which they were added */
    const char *text;
};

/** A new, empty report; belongs to @a. */
struct report *report_new(struct arena *a);
/** Add one message (printf style) about @at, which must have a source. */
void report_add(struct report *r, struct place at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
size_t report_count(const struct report *r);
/** Whether further messages are only counted: no need to think of good advice any more. */
bool report_full(const struct report *r);
/** Put the messages in the order of the files; returns how many are kept, which belong to @r. */
size_t report_sorted(struct report *r, const struct message **ret);
/**
 * All messages as `file:line:column: sentence`, each with its source line and a caret below;
 * owned by the caller (free).
 */
char *report_render(struct report *r);
/** The length of @text, cut between two characters so that it is at most @most bytes. */
size_t report_cut(const char *text, size_t most);
/** @text in quotation marks, shortened; belongs to @a. */
const char *report_quote(struct arena *a, const char *text);
