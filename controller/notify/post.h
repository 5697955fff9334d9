/*
 * One letter to a webhook: what eyrie-notify reads, and how it is posted. It blocks (name service
 * does, too), which is why it has a process of its own that eyried can kill.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "base/json.h"

struct post_letter {
    struct json_object *all; /* what the strings below are of; owned */
    const char *url;         /* http or https */
    const char *
        secret_file; /* its one line is sent as the bearer's token; or credential:NAME; "" = none */
    const char *body;        /* JSON */
};

/** Read {"url", "secret_file", "body"}. Returns 0 and a letter (post_letter_done), or -EBADMSG. */
int post_letter_parse(const char *text, size_t length, struct post_letter *ret, struct err *e);
void post_letter_done(struct post_letter *letter);
/**
 * POST it. Returns 0 when the server answered with a status of 2xx, else -errno. A redirect is not
 * followed: the secret is for the server that the policy names. The sentence holds neither the
 * secret nor the URL, which may be one.
 */
int post_send(const struct post_letter *letter, struct err *e);
