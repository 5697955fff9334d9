/*
 * Errors that a person reads. A function that can fail because of the world returns 0 or a negative
 * errno and takes a `struct err *` as its last parameter; on failure that holds one sentence which
 * names the place, the offending text and, where there is one, the way out.
 */
#pragma once

#include <stdarg.h>

enum { ERR_TEXT_MAX = 1024 };

struct err {
    char text[ERR_TEXT_MAX];
};

/**
 * Store a sentence (printf style) in @e, which may be NULL, and return -@code.
 * @code: a positive errno. A text that is too long is cut.
 */
int err_set(struct err *e, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Put "prefix: " before the sentence that @e already holds; returns @r unchanged. */
int err_prefix(struct err *e, int r, const char *format, ...) __attribute__((format(printf, 3, 4)));
