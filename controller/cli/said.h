/*
 * For tests: a run of eyrie in this process, and what it said. Frees itself:
 *
 *     SAID status = eyrie("status");
 */
#pragma once

#include "base/mem.h"

struct said {
    int code; /* exit status */
    char *out;
    char *err;
};

/** Run "eyrie @line"; it is split at blanks. */
struct said eyrie(const char *line);
/** Fail the test unless @part is in @text. */
void assert_says(const char *text, const char *part);

void said_done(struct said *said);
#define SAID CLEANUP(said_done) struct said
