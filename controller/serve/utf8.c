#include "serve/utf8.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The bytes of the valid character at @p, or 0 (RFC 3629: no overlong forms, no surrogates, nothing
 * above U+10FFFF).
 */
static size_t character(const unsigned char *p, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        size_t bytes;
        uint32_t least;
    } forms[] = {
        {0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000},
    };
    for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++) {
        if ((p[0] & forms[f].mask) != forms[f].lead)
            continue;
        uint32_t code = p[0] & (unsigned char)~forms[f].mask;
        if (forms[f].bytes > left)
            return 0;
        for (size_t i = 1; i < forms[f].bytes; i++) {
            if ((p[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (p[i] & 0x3f);
        }
        bool surrogate = code >= 0xd800 && code < 0xe000;
        bool valid = code >= forms[f].least && code <= 0x10ffff && !surrogate;
        return valid ? forms[f].bytes : 0;
    }
    return 0;
}

void utf8_mend(char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t bytes = character((const unsigned char *)text + at, length - at);
        if (bytes == 0)
            text[at] = '?';
        at += bytes ? bytes : 1;
    }
}
