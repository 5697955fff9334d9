#include "base/utf8.h"

#include <string.h>

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t utf8_character(const char *text, size_t left, uint32_t *ret_code)
{
    const unsigned char *p = (const unsigned char *)text;
    static const struct {
        unsigned char mask, lead;
        size_t bytes;
        uint32_t least;
    } forms[] = {
        {0x80, 0x00, 1, 0},
        {0xe0, 0xc0, 2, 0x80},
        {0xf0, 0xe0, 3, 0x800},
        {0xf8, 0xf0, 4, 0x10000},
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
        if (!valid)
            return 0;
        if (ret_code)
            *ret_code = code;
        return forms[f].bytes;
    }
    return 0;
}

bool utf8_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 ||
           code == 0xfeff;
}

bool utf8_is_plain(const char *text)
{
    for (size_t left = strlen(text), bytes; left > 0; text += bytes, left -= bytes) {
        uint32_t code;
        bytes = utf8_character(text, left, &code);
        if (bytes == 0 || utf8_is_control(code))
            return false;
    }
    return true;
}

void utf8_mend(char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        size_t bytes = utf8_character(text + at, length - at, NULL);
        if (bytes == 0)
            text[at] = '?';
        at += bytes ? bytes : 1;
    }
}
