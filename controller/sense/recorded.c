#include "sense/recorded.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"

enum { AT_ONCE = 4096 };

static void slurp(const char *name, struct text *out)
{
    AUTOFREE char *path = mem_printf(TEST_DATA "/%s", name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    char piece[4096];
    for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        text_add_bytes(out, piece, n);
    (void)fclose(f);
}

void recorded_gives(const char *file, recorded_parser parse, const char *wanted)
{
    CLEANUP(text_done) struct text text = {0};
    slurp(file, &text);
    for (size_t piece = 1; piece <= 65536; piece *= 4) {
        AUTOFREE char *got = parse(text_get(&text), text.length, piece);
        assert_string_equal(got, wanted);
    }
}

void recorded_cut(const char *file, recorded_parser parse)
{
    CLEANUP(text_done) struct text text = {0};
    slurp(file, &text);
    size_t whole = text.length;
    while (whole > 0 && text_get(&text)[whole - 1] != ']')
        whole--;
    AUTOFREE char *all = parse(text_get(&text), text.length, AT_ONCE);
    for (size_t length = 0; length <= text.length; length++) {
        AUTOFREE char *got = parse(text_get(&text), length, AT_ONCE);
        if (length == 0)
            assert_string_equal(got, "");
        else if (length >= whole)
            assert_string_equal(got, all);
        else
            assert_true(text_starts_with(got, "error: "));
    }
}

void recorded_spoiled(const char *file, recorded_parser parse)
{
    static const char bad[] = "\0{}[]\",:x9-\\\xff\n";
    CLEANUP(text_done) struct text text = {0};
    slurp(file, &text);
    for (size_t at = 0; at < text.length; at++)
        for (size_t i = 0; i < sizeof(bad) - 1; i += 1 + (at % 2)) {
            char old = text.data[at];
            text.data[at] = bad[i];
            free(parse(text.data, text.length, AT_ONCE));
            text.data[at] = old;
        }
}
