/*
 * The part of eyrie.yaml(5) that says what each key means, in scdoc, from the table that the file
 * is read with: a key without a page, or a page with another default, cannot be.
 *
 * usage: keys-page PAGE      PAGE with its line "@KEYS@" replaced
 *        keys-page --list    the keys, one a line, for the test of the page
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "config/keys.h"

/* What scdoc would take for markup. */
static void put(const char *text)
{
    for (const char *c = text; *c; c++)
        printf("%s%c", strchr("_*\\`", *c) ? "\\" : "", *c);
}

static const char *number(enum key_type type, int64_t value, char buffer[static UNITS_TEXT_MAX])
{
    if (type == KEY_BYTES)
        return units_format_bytes(value, buffer);
    if (type == KEY_DURATION)
        return units_format_duration(value, buffer);
    (void)snprintf(buffer, UNITS_TEXT_MAX, "%" PRId64 "%s", value, type == KEY_PERCENT ? "%" : "");
    return buffer;
}

/* What may stand there. */
static void put_type(const struct key *key)
{
    switch (key->type) {
    case KEY_TEXT:
    case KEY_COUNT:
        put(key->what);
        break;
    case KEY_PATH:
        printf("a path");
        for (size_t i = 0; key->choices && key->choices[i]; i++)
            printf(" or _%s_", key->choices[i]);
        if (key->secret)
            printf(" or _credential:NAME_, see *eyried*(8)");
        break;
    case KEY_ADDRESS:
        printf("host:port");
        break;
    case KEY_BYTES:
        put(key->what ? key->what : "a size");
        break;
    case KEY_PERCENT:
        printf("a share, such as 80%%");
        break;
    case KEY_DURATION:
        put(key->what ? key->what : "a duration");
        break;
    case KEY_BOOL:
        printf("true or false");
        break;
    case KEY_CHOICE:
        for (size_t i = 0; key->choices[i]; i++)
            printf("%s%s", i ? " or " : "", key->choices[i]);
        break;
    case KEY_TEXTS:
        printf("a list, each item ");
        put(key->what);
        break;
    case KEY_TEMPLATES:
        printf("a list of templates");
        break;
    default:
        break;
    }
}

static void put_range(const struct key *key)
{
    char least[UNITS_TEXT_MAX], most[UNITS_TEXT_MAX];
    if (key->least && key->most)
        printf("; from %s to %s", number(key->type, key->least, least),
               number(key->type, key->most, most));
    else if (key->least)
        printf("; at least %s", number(key->type, key->least, least));
    else if (key->most)
        printf("; at most %s", number(key->type, key->most, most));
}

static void put_default(const struct key *key)
{
    if (key->fallback) {
        printf(". Default: ");
        put(key->fallback[0] ? key->fallback : "empty");
    } else if (key->otherwise) {
        printf(". Default: ");
        put(key->otherwise);
    } else {
        printf(". Must be given");
    }
    printf(".\n");
}

/* @in: the section inside an element that they are in; NULL: none. */
static void put_keys(const struct section *s, const char *in)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct key *key = &s->keys[i];
        if (key->section) {
            printf("*%s*: a section. May be left out.\n\t", key->name);
            put(key->help);
            printf("\n\n");
            put_keys(key->section, key->name);
            continue;
        }
        printf("*%s*%s%s: ", key->name, in ? " in " : "", in ? in : "");
        put_type(key);
        put_range(key);
        put_default(key);
        printf("\t");
        put(key->help);
        printf("%s\n\n", key->fixed ? " A running eyried cannot change it: restart it." : "");
    }
}

static void put_section(const struct key *key)
{
    printf("## %s\n\n", key->name);
    put(key->help);
    if (key->type == KEY_CHOICE) {
        printf(" ");
        put_type(key);
        put_default(key);
        printf("\n");
        return;
    }
    if (key->type == KEY_LIST)
        printf(" A list; each item has these keys.");
    if (key->type == KEY_MAP) {
        printf(" A map: under each name, which is ");
        put(key->section->name->what);
        printf(", these keys.");
    }
    if (key->type == KEY_SPARE)
        printf(" A map from templates to numbers of VMs.");
    printf(" %s\n\n", key->fallback ? "May be left out." : "Must be given.");
    if (key->section)
        put_keys(key->section, NULL);
}

static void list_keys(const struct section *s)
{
    for (size_t i = 0; i < s->n; i++) {
        printf("%s\n", s->keys[i].name);
        if (s->keys[i].section)
            list_keys(s->keys[i].section);
    }
}

int main(int argc, char **argv)
{
    char line[4096];
    bool found = false;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list_keys(&keys_file);
        return EXIT_SUCCESS;
    }
    FILE *page = argc == 2 ? fopen(argv[1], "re") : NULL;
    if (!page) {
        (void)fprintf(stderr, "usage: keys-page PAGE | --list\n");
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof(line), page)) {
        if (strcmp(line, "@KEYS@\n") != 0) {
            (void)fputs(line, stdout);
            continue;
        }
        found = true;
        for (size_t i = 0; i < keys_file.n; i++)
            put_section(&keys_file.keys[i]);
    }
    (void)fclose(page);
    return found && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
