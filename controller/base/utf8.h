/*
 * JSON is UTF-8, but names of owners and groups, and what tools print, are any bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The bytes of the valid character at @text, and its code (@ret_code may be NULL); 0: there is
 * none. */
size_t utf8_character(const char *text, size_t left, uint32_t *ret_code);
/** Whether it moves a cursor or ends a line: U+0000 to U+001F, U+007F to U+009F, and separators. */
bool utf8_is_control(uint32_t code);
/** Whether @text is valid and without control characters. */
bool utf8_is_plain(const char *text);
/** Replace each byte of @text that is not part of a valid UTF-8 character with "?". */
void utf8_mend(char *text, size_t length);
