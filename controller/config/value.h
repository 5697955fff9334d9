/*
 * One scalar of the file: words into the member of a struct, and back into the same words.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "config/keys.h"
#include "config/policy.h"

/**
 * Check @text as @key wants it and store it at @field. @folder: what relative paths start from;
 * @at: kept in a struct setting. Strings belong to @a. Returns 0, or -EINVAL with a sentence that
 * begins with the text: `"8oo" is not a number of cpus; did you mean 800?`
 */
int value_parse(const struct key *key, const char *text, struct arena *a, const char *folder,
                struct policy_place at, void *field, struct err *e);
/** Write the value at @field as value_parse reads it, in quotation marks where YAML wants them. */
void value_format(const struct key *key, const void *field, struct text *out);
/** The index into @key's choices that is at @field. */
size_t value_choice(const struct key *key, const void *field);
/** Write @value as a YAML scalar. */
void value_quote(const char *value, struct text *out);
