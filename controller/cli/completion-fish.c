#include "cli/completion.h"

#include <string.h>

/* What fish offers: an option of complete. */
static void write_offer(FILE *out, struct completion c)
{
    switch (c.kind) {
    case COMPLETION_NONE:
        (void)fputs(" -f", out);
        break;
    case COMPLETION_WORDS:
        (void)fprintf(out, " -f -a '%s'", c.what);
        break;
    case COMPLETION_NAMES:
        (void)fprintf(out, " -f -a '(eyrie %s -o name 2>/dev/null)'", c.what);
        break;
    case COMPLETION_FILES:
        (void)fputs(" -F", out);
        break;
    }
}

static void write_description(FILE *out, const char *text)
{
    (void)fputs(" -d '", out);
    for (; *text; text++)
        (void)fprintf(out, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    (void)fputs("'\n", out);
}

static void write_option(FILE *out, const struct option_row *row)
{
    const struct command *c;
    (void)fputs("complete -c eyrie", out);
    if (row->takes) {
        (void)fputs(" -n '__fish_seen_subcommand_from", out);
        for (size_t i = 0; (c = command_at(i)); i++)
            if (row->takes & c->takes)
                (void)fprintf(out, " %s", c->name);
        (void)fputc('\'', out);
    }
    (void)fprintf(out, " -l %s", row->name);
    if (row->letter)
        (void)fprintf(out, " -s %c", row->letter);
    if (row->value && row->value[0] != '[') {
        (void)fputs(" -r", out);
        write_offer(out, completion_of(row->value, strlen(row->value)));
    }
    write_description(out, row->help);
}

static void write_words(FILE *out, const struct command *c)
{
    struct completion_way way;
    for (size_t i = 0; completion_way(c, i, &way); i++) {
        if (!way.word) {
            (void)fprintf(out, "complete -c eyrie -n '__eyrie_words_are %s'", c->name);
            write_offer(out, way.next);
            (void)fputc('\n', out);
            continue;
        }
        (void)fprintf(out, "complete -c eyrie -n '__eyrie_words_are %s' -f -a %.*s\n", c->name,
                      (int)way.length, way.word);
        if (way.next.kind == COMPLETION_NONE)
            continue;
        (void)fprintf(out, "complete -c eyrie -n '__eyrie_words_are %s %.*s'", c->name,
                      (int)way.length, way.word);
        write_offer(out, way.next);
        (void)fputc('\n', out);
    }
}

void completion_fish(FILE *out)
{
    const struct command *c;
    const struct option_row *row;
    (void)fputs(
        "# fish completion for eyrie, made by: eyrie completion fish\n\n"
        "function __eyrie_words_are -d 'whether the words so far, without options, are these'\n"
        "    set -l words (commandline -opc)\n"
        "    set -e words[1]\n"
        "    set -l plain\n"
        "    set -l skip 0\n"
        "    for word in $words\n"
        "        if test $skip = 1\n"
        "            set skip 0\n"
        "        else if contains -- $word",
        out);
    for (size_t i = 0; (row = option_at(i)); i++) {
        if (!row->value || row->value[0] == '[')
            continue;
        (void)fprintf(out, " --%s", row->name);
        if (row->letter)
            (void)fprintf(out, " -%c", row->letter);
    }
    (void)fputs("\n"
                "            set skip 1\n"
                "        else if not string match -q -- '-*' $word\n"
                "            set -a plain $word\n"
                "        end\n"
                "    end\n"
                "    test \"$plain\" = \"$argv\"\n"
                "end\n\n"
                "complete -c eyrie -f\n",
                out);
    for (size_t i = 0; (c = command_at(i)); i++) {
        (void)fprintf(out, "complete -c eyrie -n __eyrie_words_are -a %s", c->name);
        write_description(out, c->summary);
    }
    for (size_t i = 0; (c = command_at(i)); i++)
        write_words(out, c);
    for (size_t i = 0; (row = option_at(i)); i++)
        write_option(out, row);
}
