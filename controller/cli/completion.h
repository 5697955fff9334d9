/*
 * Completion of eyrie's command line in bash, zsh and fish, made from the tables of verbs and options.
 * Names of hosts, VMs, groups and schedds come from eyried, by `-o name`.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/options.h"

/** How a value or word is completed. */
enum completion_kind {
    COMPLETION_NONE,
    COMPLETION_WORDS, /* one of @what, with blanks between them */
    COMPLETION_NAMES, /* what the command @what prints */
    COMPLETION_FILES,
};

struct completion {
    enum completion_kind kind;
    const char *what;
};

/** For what help calls @name: "HOST", "[FILE]", "STATE", …; length: of @name. */
struct completion completion_of(const char *name, size_t length);

/** One way to go on after a verb. */
struct completion_way {
    const char *word; /* "vm", not ended; NULL: the first word is of a kind itself */
    size_t length;
    struct completion next;
};

/** The ways that a command's arguments name, one by one: false after the last. */
bool completion_way(const struct command *c, size_t i, struct completion_way *ret);
/** Whether the verb takes the option. */
bool completion_takes(const struct command *c, const struct option_row *row);
/** Write @text so that it may stand between single quotes of a shell; colons with a backslash when
 * @colons. */
void completion_quote(FILE *out, const char *text, bool colons);

void completion_bash(FILE *out);
void completion_fish(FILE *out);
void completion_zsh(FILE *out);
