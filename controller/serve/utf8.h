/*
 * JSON is UTF-8, but names of owners and groups, and what tools print, are any bytes.
 */
#pragma once

#include <stddef.h>

/** Replace each byte of @text that is not part of a valid UTF-8 character with "?". */
void utf8_mend(char *text, size_t length);
