/*
 * The table of options. Parsing, help, completion and the test of the manual all read it.
 */
#pragma once

#include <stddef.h>

#include "cli/cli.h"

enum option_kind {
    OPTION_FLAG, /* sets a bool */
    OPTION_TEXT, /* sets a string */
    OPTION_OWN,  /* cli.c knows */
};

struct option_row {
    const char *name;  /* without the hyphens */
    char letter;       /* 0: none */
    const char *value; /* as help shows it; NULL: takes none; "[=X]": may be left out */
    int takes;         /* COMMAND_…: the verbs that take it; 0: all do */
    enum option_kind kind;
    size_t offset;     /* in struct cli */
    const char *help;
};

/** The rows in alphabetical order; NULL after the last. */
const struct option_row *option_at(size_t i);
/** Read the options of a line into @cli. *@ret_seen: bits of the rows that were there. Returns 0, or
 * CLI_USAGE after saying why. Leaves the other words at argv[optind] and after. */
int options_parse(struct cli *cli, int argc, char **argv, uint64_t *ret_seen);
/** Write help on the options that @takes (COMMAND_…; -1: all). */
void options_help(int takes, FILE *out);
