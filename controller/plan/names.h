/*
 * Names: texts, and the number kept for each (an index into some list). A hash table in the arena,
 * because a step joins facts by UUID and by name, 100,000 at a time.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

struct names;

/** For about @n texts; it grows when there are more. The texts must live as long. */
struct names *names_new(struct arena *a, size_t n);
/** Keep @number (less than UINT32_MAX) for @text; returns the one that is kept: the first. */
size_t names_add(struct names *names, const char *text, size_t number);
/** The number kept for @text, or SIZE_MAX. */
size_t names_find(const struct names *names, const char *text);
/** Replace each number n by @numbers[n]. */
void names_renumber(struct names *names, const uint32_t *numbers);
