#include "cli/said.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { WORDS_MAX = 16 };

struct said eyrie(const char *line)
{
    AUTOFREE char *words = mem_printf("eyrie %s", line);
    char *argv[WORDS_MAX + 1] = {0}, *save = NULL;
    int argc = 0;
    size_t out_length, err_length;
    struct said said = {0};
    for (char *w = strtok_r(words, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        assert_true(argc < WORDS_MAX);
        argv[argc++] = w;
    }
    FILE *out = open_memstream(&said.out, &out_length);
    FILE *err = open_memstream(&said.err, &err_length);
    said.code = cli_main(argc, argv, out, err);
    (void)fclose(out);
    (void)fclose(err);
    return said;
}

void assert_says(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("no \"%s\" in:\n%s", part, text);
}

void said_done(struct said *said)
{
    free(said->out);
    free(said->err);
}
