#include "cli/completion.h"

#include <string.h>

/* The commands that fill COMPREPLY in one way. */
static void write_reply(FILE *out, struct completion c)
{
    switch (c.kind) {
    case COMPLETION_NONE:
        (void)fputs("return", out);
        break;
    case COMPLETION_WORDS:
        (void)fprintf(out, "_eyrie_words '%s'", c.what);
        break;
    case COMPLETION_NAMES:
        (void)fprintf(out, "_eyrie_words \"$(eyrie %s -o name 2>/dev/null)\"", c.what);
        break;
    case COMPLETION_FILES:
        (void)fputs("compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")", out);
        break;
    }
}

static void write_pattern(FILE *out, const struct option_row *row)
{
    if (row->letter)
        (void)fprintf(out, "-%c | ", row->letter);
    (void)fprintf(out, "--%s", row->name);
}

/* The options that take a value, which may stand apart from them. */
static void write_values(FILE *out)
{
    const struct option_row *row;
    (void)fputs("_eyrie_value() { # OPTION: completes its value; fails when it takes none\n"
                "    case $1 in\n",
                out);
    for (size_t i = 0; (row = option_at(i)); i++) {
        if (!row->value || row->value[0] == '[')
            continue;
        (void)fputs("    ", out);
        write_pattern(out, row);
        (void)fputs(") ", out);
        write_reply(out, completion_of(row->value, strlen(row->value)));
        (void)fputs(" ;;\n", out);
    }
    (void)fputs("    *) return 1 ;;\n    esac\n}\n\n", out);
}

static void write_options(FILE *out, const struct command *c)
{
    const struct option_row *row;
    for (size_t i = 0; (row = option_at(i)); i++)
        if (c ? completion_takes(c, row) : !row->takes)
            (void)fprintf(out, " --%s%s", row->name, row->value ? "=" : "");
}

/* The words after a verb. */
static void write_words(FILE *out, const struct command *c)
{
    struct completion_way way;
    bool literal = false;
    (void)fprintf(out, "    %s:)\n", c->name);
    for (size_t i = 0; completion_way(c, i, &way); i++) {
        if (way.word) {
            literal = true;
            continue;
        }
        (void)fputs("        ", out);
        write_reply(out, way.next);
        (void)fputc('\n', out);
    }
    if (literal)
        (void)fputs("        _eyrie_words '", out);
    for (size_t i = 0; literal && completion_way(c, i, &way); i++)
        if (way.word)
            (void)fprintf(out, "%s%.*s", i ? " " : "", (int)way.length, way.word);
    if (literal)
        (void)fputs("'\n", out);
    (void)fputs("        ;;\n", out);
    for (size_t i = 0; literal && completion_way(c, i, &way); i++) {
        if (!way.word || way.next.kind == COMPLETION_NONE)
            continue;
        (void)fprintf(out, "    %s:%.*s) ", c->name, (int)way.length, way.word);
        write_reply(out, way.next);
        (void)fputs(" ;;\n", out);
    }
}

void completion_bash(FILE *out)
{
    const struct command *c;
    (void)fputs("# bash completion for eyrie, made by: eyrie completion bash\n\n"
                "_eyrie_words() { # WORDS: those that begin with $cur, added\n"
                "    local found\n"
                "    mapfile -t found < <(compgen -W \"$1\" -- \"$cur\")\n"
                "    COMPREPLY+=(\"${found[@]}\")\n"
                "}\n\n",
                out);
    write_values(out);
    (void)fputs("_eyrie() {\n"
                "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
                "    local verb='' word='' more='' i\n"
                "    COMPREPLY=()\n"
                "    # bash takes --option=value for three words\n"
                "    if [ \"$cur\" = = ]; then\n"
                "        cur=''\n"
                "    elif [ \"$prev\" = = ]; then\n"
                "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
                "    fi\n"
                "    _eyrie_value \"$prev\" && return\n"
                "    for ((i = 1; i < COMP_CWORD; i++)); do\n"
                "        case ${COMP_WORDS[i]} in\n"
                "        -*)\n"
                "            if [ \"${COMP_WORDS[i + 1]}\" = = ]; then\n"
                "                i=$((i + 2))\n"
                "            elif cur=$'\\n' _eyrie_value \"${COMP_WORDS[i]}\"; then\n"
                "                i=$((i + 1))\n"
                "            fi\n"
                "            ;;\n"
                "        *)\n"
                "            more=$word\n"
                "            if [ -z \"$verb\" ]; then verb=${COMP_WORDS[i]}; else "
                "word=${COMP_WORDS[i]}; fi\n"
                "            ;;\n"
                "        esac\n"
                "    done\n"
                "    COMPREPLY=()\n"
                "    [ -z \"$more\" ] || return\n",
                out);
    (void)fputs("    if [ -z \"$verb\" ] && [[ $cur != -* ]]; then\n        _eyrie_words 'help",
                out);
    for (size_t i = 0; (c = command_at(i)); i++)
        (void)fprintf(out, " %s", c->name);
    (void)fputs("'\n        return\n    fi\n    if [[ $cur == -* ]]; then\n        case $verb in\n",
                out);
    for (size_t i = 0; (c = command_at(i)); i++) {
        (void)fprintf(out, "        %s) _eyrie_words '", c->name);
        write_options(out, c);
        (void)fputs("' ;;\n", out);
    }
    (void)fputs("        *) _eyrie_words '", out);
    write_options(out, NULL);
    (void)fputs("' ;;\n"
                "        esac\n"
                "        [[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace\n"
                "        return\n"
                "    fi\n"
                "    case $verb:$word in\n",
                out);
    for (size_t i = 0; (c = command_at(i)); i++)
        if (*c->arguments)
            write_words(out, c);
    (void)fputs("    help:) _eyrie_words '", out);
    for (size_t i = 0; (c = command_at(i)); i++)
        (void)fprintf(out, "%s%s", i ? " " : "", c->name);
    (void)fputs("' ;;\n    esac\n}\n\ncomplete -F _eyrie eyrie\n", out);
}
