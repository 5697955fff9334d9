/* eyrie completion bash | fish | zsh */
#include "cli/completion.h"

#include <string.h>

#include "base/mem.h"

static const struct {
    const char *name;
    struct completion completion;
} kinds[] = {
    {"FILE", {COMPLETION_FILES, ""}},
    {"FOLDER", {COMPLETION_FILES, ""}},
    {"FORMAT", {COMPLETION_WORDS, "table json name"}},
    {"GROUP", {COMPLETION_NAMES, "groups"}},
    {"HOST", {COMPLETION_NAMES, "hosts"}},
    {"KEY", {COMPLETION_WORDS, "age group host name state"}},
    {"PATH", {COMPLETION_FILES, ""}},
    {"REQUEST", {COMPLETION_NAMES, "request list"}},
    {"SCHEDD", {COMPLETION_NAMES, "flock"}},
    {"STATE", {COMPLETION_WORDS, "creating booting idle busy draining leaving gone lost foreign"}},
    {"VM", {COMPLETION_NAMES, "vms"}},
};

struct completion completion_of(const char *name, size_t length)
{
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strlen(kinds[i].name) == length && strncmp(kinds[i].name, name, length) == 0)
            return kinds[i].completion;
    return (struct completion){COMPLETION_NONE, ""};
}

/* The next word of @text: *@ret_length, and where it begins. */
static const char *next_word(const char *text, size_t *ret_length)
{
    text += strspn(text, " []");
    *ret_length = strcspn(text, " []|");
    return text;
}

bool completion_way(const struct command *c, size_t i, struct completion_way *ret)
{
    const char *way = c->arguments;
    size_t length, next;
    for (; i > 0 && way; i--) {
        way = strchr(way, '|');
        way = way ? way + 1 : NULL;
    }
    const char *word = way ? next_word(way, &length) : NULL;
    if (!word || length == 0 || *word == '-')
        return false;
    if (*word >= 'A' && *word <= 'Z') {
        *ret = (struct completion_way){NULL, 0, completion_of(word, length)};
        return true;
    }
    const char *after = next_word(word + length, &next);
    *ret = (struct completion_way){word, length, completion_of(after, next)};
    return true;
}

bool completion_takes(const struct command *c, const struct option_row *row)
{
    return !row->takes || (row->takes & c->takes);
}

void completion_quote(FILE *out, const char *text, bool colons)
{
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else if (*text == ':' && colons)
            (void)fputs("\\:", out);
        else
            (void)fputc(*text, out);
    }
}

int completion_run(const struct cli *cli, int argc, char **argv)
{
    static const struct {
        const char *shell;
        void (*write)(FILE *out);
    } shells[] = {{"bash", completion_bash}, {"fish", completion_fish}, {"zsh", completion_zsh}};
    for (size_t i = 0; argc == 1 && i < ARRAY_SIZE(shells); i++) {
        if (strcmp(argv[0], shells[i].shell) != 0)
            continue;
        shells[i].write(cli->out);
        return CLI_OK;
    }
    return command_wrong_arguments(cli, "completion");
}
