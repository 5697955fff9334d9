/*
 * What a client says it can read (RFC 9110, 12.5.1).
 */
#pragma once

#include <stdbool.h>

/** Whether the Accept header @header (NULL: there was none) takes @type, as "application/json". */
bool accept_takes(const char *header, const char *type);
