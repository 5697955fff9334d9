/*
 * What somebody probably meant: the nearest of the words that would have been right.
 */
#pragma once

#include <stddef.h>

/** Fold @candidate into *@best when it is near to @word and nearer than *@best (NULL at first). */
void spelling_nearer(const char *word, const char *candidate, const char **best);
/** How many letters must be added, removed, changed or swapped; case counts as nothing. */
size_t spelling_distance(const char *a, const char *b);
