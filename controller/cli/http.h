/*
 * The one wrapper around libcurl: a request to eyried over its unix socket, and its answer.
 */
#pragma once

#include "base/err.h"
#include "base/text.h"
#include "cli/cli.h"

/**
 * Ask eyried. @method: "GET" or "POST"; @path: escaped. Returns CLI_OK and the answer's body in
 * @ret (the caller's, text_done); or the exit code that says what went wrong, with a sentence: what
 * the API answered, or why nobody did. A body that says no is in @ret, too: no one sentence holds all
 * that can be wrong with a policy.
 */
int http_ask(const struct cli *cli, const char *method, const char *path, struct text *ret,
             struct err *e);
/** The same, with @json sent along; NULL: nothing. */
int http_send(const struct cli *cli, const char *method, const char *path, const char *json,
              struct text *ret, struct err *e);
/** @word as it may stand in a path or a parameter; owned by the caller (free). */
char *http_escape(const char *word);
