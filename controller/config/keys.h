/*
 * The keys of eyrie.yaml: one table, from which the file is read, printed and (later) documented.
 * A section is a struct; a key says what may stand there, what it is when it does not, and which
 * member it fills.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum key_type {
    /* scalars */
    KEY_TEXT,     /* const char * that matches the pattern */
    KEY_PATH,     /* const char *, made absolute; "" only where that is the fallback; or one of
                     the choices, as it is */
    KEY_ADDRESS,  /* const char *, host:port; the port is added */
    KEY_COUNT,    /* int64_t or struct setting */
    KEY_BYTES,    /* likewise */
    KEY_DURATION, /* likewise, µs */
    KEY_PERCENT,  /* likewise: 80% is 80 */
    KEY_BOOL,     /* bool */
    KEY_CHOICE,   /* an enum, the index into the choices, or struct setting */
    /* lists of scalars */
    KEY_TEXTS,     /* const char **, each matches the pattern */
    KEY_TEMPLATES, /* const size_t *, indices of templates */
    /* sections */
    KEY_SECTION, /* its keys fill the same struct */
    KEY_LIST,    /* array of structs */
    KEY_MAP,     /* array of structs, each with a name of the admin's choice as its key */
    KEY_SPARE,   /* template: count, fills policy_template.spare */
    KEY_INCLUDE, /* other files; read before all else (files) */
};

struct key {
    const char *name;
    enum key_type type;
    bool setting;          /* the member is a struct setting: keep its place too */
    bool fixed;            /* a running eyried cannot change it */
    bool secret; /* of a path: may be "credential:NAME" (base/credential), kept as it is */
    size_t offset;         /* of the member in the section's struct */
    size_t count_offset;   /* of a list: of the member with its length */
    const char *fallback;  /* value when absent, as it would be written; NULL: see otherwise */
    const char *otherwise; /* meaning when absent, if that is no constant; NULL too: required */
    int64_t least, most;   /* of a number; most 0: as the unit allows */
    const char *pattern;   /* of a text: extended regular expression for all of it */
    const char *what;      /* "is not …" */
    const char *const *choices;
    const struct section *section;
    const char *help;
};

struct section {
    const struct key *keys;
    size_t n;
    size_t size;            /* of the struct, when it is the element of a list or map */
    size_t name_offset;     /* of the member for the name, in a map */
    size_t at_offset;       /* of the member for its place, likewise */
    const struct key *name; /* of a map: what a name may be */
};

/** The whole file; its struct is struct policy. */
extern const struct section keys_file;
/** The key of that name in that section of the file; there must be one. */
const struct key *keys_find(const char *section, const char *name);
