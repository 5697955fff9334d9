#include "host/tail.h"

#include <string.h>

#include "base/utf8.h"

/* What tokens are made of, and how they begin (JWT: RFC 7519: '{"' in base64url). */
static const char token_characters[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
enum { TOKEN_LEAST = 20 };

void tail_add(struct tail *t, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        t->bytes[t->written++ % TAIL_BYTES] = bytes[i];
}

/* The length of the escape sequence (ECMA-48, 5.4) at @text, which begins with ESC. */
static size_t escape_length(const char *text, size_t left)
{
    size_t n = 1;
    if (n == left || text[n] != '[')
        return n == left ? n : n + 1;
    for (n++; n < left && (unsigned char)text[n] < 0x40; n++)
        ;
    return n < left ? n + 1 : n;
}

static void add_character(struct text *out, const char *text, size_t bytes, uint32_t code)
{
    if (bytes == 0)
        text_add(out, "?");
    else if (!utf8_is_control(code))
        text_add_bytes(out, text, bytes);
}

static void add_line(struct text *out, const char *line, size_t left, const char *separator)
{
    size_t begin = out->length;
    text_add(out, separator);
    size_t text = out->length;
    while (left > 0) {
        uint32_t code = 0;
        size_t bytes = utf8_character(line, left, &code);
        size_t word = left >= 3 && memcmp(line, "eyJ", 3) == 0 ? strspn(line, token_characters) : 0;
        if (word >= TOKEN_LEAST) {
            text_add(out, "[token]");
            bytes = word;
        } else if (code == 0x1b) {
            bytes = escape_length(line, left);
        } else {
            add_character(out, line, bytes, code);
        }
        line += bytes ? bytes : 1;
        left -= bytes ? bytes : 1;
    }
    while (out->length > text && out->data[out->length - 1] == ' ')
        text_cut(out, out->length - 1);
    if (out->length == text)
        text_cut(out, begin);
}

void tail_render(const struct tail *t, struct text *out)
{
    char bytes[TAIL_BYTES + 1];
    size_t n = t->written < TAIL_BYTES ? t->written : TAIL_BYTES;
    for (size_t i = 0; i < n; i++)
        bytes[i] = t->bytes[(t->written - n + i) % TAIL_BYTES];
    bytes[n] = '\0';
    const char *line = bytes, *end = bytes + n;
    if (t->written > n) { /* half a line, perhaps half a token */
        line = memchr(bytes, '\n', n);
        line = line ? line + 1 : end;
    }
    size_t begin = out->length;
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop ? stop : end) - line);
        add_line(out, line, length, out->length > begin ? " | " : "");
        line += length + 1;
    }
}
