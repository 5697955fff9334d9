/*
 * HTCondor's knobs, as a running daemon has them: what `condor_config_val -verbose` says of them,
 * with the file and line that set each, and rules about what they should be.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct knob {
    const char *name;
    const char *value; /* NULL: not defined */
    const char *at;    /* "/etc/condor/config.d/60-x.conf, line 3", "<Default>"; "" unknown */
};

enum knob_test {
    KNOB_IS,       /* this word; false is also 0 and no */
    KNOB_HAS,      /* a list of words, among them this one */
    KNOB_CONTAINS, /* an expression with this text in it */
    KNOB_AT_LEAST, /* a number; an expression that is no plain number passes */
    KNOB_AT_MOST,
};

struct knob_rule {
    const char *name;
    enum knob_test test;
    const char *wanted; /* with placeholders as the fragments of flock-config/ have them */
    bool unset_is_well; /* not defined: HTCondor's own default will do */
    const char *why;
};

struct knobs {
    struct knob *rows;
    size_t n;
};

/** Read what condor_config_val -verbose printed: @output, and "Not defined: X" in @messages. */
struct knobs knobs_parse(struct arena *a, const char *output, const char *messages);
/** The knob called @name, or NULL when it was not told of. */
const struct knob *knobs_find(const struct knobs *k, const char *name);
/** Whether the knob with @value (NULL: not defined) keeps the rule, @wanted being filled in. */
bool knob_keeps(const struct knob_rule *rule, const char *wanted, const char *value);
