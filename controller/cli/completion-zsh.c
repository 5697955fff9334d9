#include "cli/completion.h"

#include <string.h>

/* What zsh does for a value or word, as _arguments wants it between single quotes. */
static void write_action(FILE *out, struct completion c, const char *name, size_t length)
{
    (void)fprintf(out, ":%.*s:", (int)length, name);
    switch (c.kind) {
    case COMPLETION_NONE:
        break;
    case COMPLETION_WORDS:
        (void)fprintf(out, "(%s)", c.what);
        break;
    case COMPLETION_NAMES:
        (void)fprintf(out, " _eyrie_names %s", c.what); /* the blank: nothing is put in between */
        break;
    case COMPLETION_FILES:
        (void)fputs("_files", out);
        break;
    }
}

/* _arguments gives [ and ] and : a meaning of their own. */
static void write_help(FILE *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'')
            (void)fputs("'\\''", out);
        else
            (void)fprintf(out, "%s%c", strchr("[]:\\", *text) ? "\\" : "", *text);
    }
}

static void write_option(FILE *out, const struct option_row *row)
{
    bool needs = row->value && row->value[0] != '[';
    struct completion c = needs ? completion_of(row->value, strlen(row->value))
                                : (struct completion){COMPLETION_NONE, ""};
    for (int letter = 0; letter < 2; letter++) {
        if (letter && !row->letter)
            continue;
        (void)fputs("        '", out);
        if (letter)
            (void)fprintf(out, "-%c%s", row->letter, needs ? "+" : "");
        else
            (void)fprintf(out, "--%s%s", row->name, needs ? "=" : row->value ? "=-" : "");
        (void)fputc('[', out);
        write_help(out, row->help);
        (void)fputc(']', out);
        if (needs)
            write_action(out, c, row->value, strlen(row->value));
        else if (row->value && !letter)
            (void)fputs("::SECONDS:", out);
        (void)fputs("'\n", out);
    }
}

static void write_options(FILE *out, const struct command *c)
{
    const struct option_row *row;
    for (size_t i = 0; (row = option_at(i)); i++)
        if (c ? row->takes & c->takes : !row->takes)
            write_option(out, row);
}

static void write_next(FILE *out, struct completion next)
{
    if (next.kind == COMPLETION_NAMES)
        (void)fprintf(out, "_eyrie_names %s", next.what);
    else if (next.kind == COMPLETION_WORDS)
        (void)fprintf(out, "compadd -- %s", next.what);
    else
        (void)fputs(next.kind == COMPLETION_FILES ? "_files" : ":", out);
}

/* The first word after a verb; several ways are offered together. */
static void write_first(FILE *out, const struct command *c)
{
    struct completion_way way;
    (void)fprintf(out, "        %s)\n", c->name);
    for (size_t i = 0; completion_way(c, i, &way); i++) {
        (void)fputs("            ", out);
        if (way.word)
            (void)fprintf(out, "compadd -- %.*s", (int)way.length, way.word);
        else
            write_next(out, way.next);
        (void)fputc('\n', out);
    }
    (void)fputs("            ;;\n", out);
}

static void write_second(FILE *out, const struct command *c)
{
    struct completion_way way;
    for (size_t i = 0; completion_way(c, i, &way); i++) {
        if (!way.word || way.next.kind == COMPLETION_NONE)
            continue;
        (void)fprintf(out, "        %s:%.*s) ", c->name, (int)way.length, way.word);
        write_next(out, way.next);
        (void)fputs(" ;;\n", out);
    }
}

static void write_verbs(FILE *out)
{
    const struct command *c;
    (void)fputs("_eyrie_verbs() {\n    local -a verbs\n    verbs=(\n", out);
    for (size_t i = 0; (c = command_at(i)); i++) {
        (void)fprintf(out, "        '%s:", c->name);
        completion_quote(out, c->summary, true);
        (void)fputs("'\n", out);
    }
    (void)fputs("    )\n    _describe verb verbs\n}\n\n", out);
}

void completion_zsh(FILE *out)
{
    const struct command *c;
    (void)fputs("#compdef eyrie\n"
                "# zsh completion for eyrie, made by: eyrie completion zsh\n\n"
                "_eyrie_names() { # VERB: the names that it lists\n"
                "    local -a names\n"
                "    names=(${(f)\"$(eyrie $1 -o name 2>/dev/null)\"})\n"
                "    compadd -a names\n"
                "}\n\n",
                out);
    write_verbs(out);
    (void)fputs("_eyrie() {\n"
                "    local -a options line\n"
                "    local context state state_descr verb='' word\n"
                "    typeset -A opt_args\n"
                "    for word in ${words[2,CURRENT-1]}; do\n"
                "        case $word in\n"
                "        ",
                out);
    for (size_t i = 0; (c = command_at(i)); i++)
        (void)fprintf(out, "%s%s", i ? "|" : "", c->name);
    (void)fputs(") verb=$word; break ;;\n"
                "        esac\n"
                "    done\n"
                "    options=(\n",
                out);
    write_options(out, NULL);
    (void)fputs("    )\n    case $verb in\n", out);
    for (size_t i = 0; (c = command_at(i)); i++) {
        (void)fprintf(out, "    %s) options+=(\n", c->name);
        write_options(out, c);
        (void)fputs("    ) ;;\n", out);
    }
    (void)fputs(
        "    esac\n"
        "    _arguments -s -C $options '1: :_eyrie_verbs' '2: :->first' '3: :->second' && return\n"
        "    case $state in\n"
        "    first)\n"
        "        case $verb in\n",
        out);
    for (size_t i = 0; (c = command_at(i)); i++)
        if (*c->arguments)
            write_first(out, c);
    (void)fputs("        help) _eyrie_verbs ;;\n"
                "        esac\n"
                "        ;;\n"
                "    second)\n"
                "        case $verb:$line[2] in\n",
                out);
    for (size_t i = 0; (c = command_at(i)); i++)
        write_second(out, c);
    (void)fputs(
        "        esac\n"
        "        ;;\n"
        "    esac\n"
        "}\n\n"
        "# in a folder of fpath this is the function itself; else it was sourced\n"
        "if [[ ${funcstack[1]-} == _eyrie ]]; then _eyrie \"$@\"; else compdef _eyrie eyrie; fi\n",
        out);
}
