/*
 * An answer of the API: a status, and a body that is JSON or a text of another kind.
 */
#pragma once

#include "base/err.h"
#include "base/json.h"
#include "base/text.h"

struct waiting;

struct answer {
    unsigned status; /* HTTP's; 0: it comes later, @waiting is the caller's until then */
    struct waiting *waiting;
    const char *route; /* as route_name; NULL: none was found */
    const char *allow; /* 405: the methods that this path takes; else NULL */
    const char *type;  /* media type of @text; NULL: the body is JSON */
    struct json_object *body;
    struct text text;
};

void answer_done(struct answer *a);
/** 200 with @body, which is taken over. */
struct answer answer_body(struct json_object *body);
/** {"version", "text"}: a sentence is all there is to say. */
struct answer answer_text(const char *text);
/** An answer that says no: {"version", "error"}. */
struct answer answer_refusal(unsigned status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** The refusal for what failed with -errno @r and the sentence of @e. */
struct answer answer_failure(int r, const struct err *e);
