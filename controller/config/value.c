#include "config/value.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/credential.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "config/report.h"
#include "config/spelling.h"

enum { NUMBER_TEXT_MAX = 64, DEFAULT_PORT = 9618 };

/* ---- numbers --------------------------------------------------------------------------------- */

static int parse_percent(const char *text, int64_t *ret)
{
    char digits[NUMBER_TEXT_MAX];
    size_t length = strlen(text);
    if (length == 0 || length >= sizeof(digits) || text[length - 1] != '%')
        return -EINVAL;
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)(length - 1), text);
    return units_parse_count(digits, ret);
}

static int parse_number(const struct key *key, const char *text, int64_t *ret)
{
    if (key->fallback && strcmp(key->fallback, "unlimited") == 0 &&
        strcmp(text, "unlimited") == 0) {
        *ret = POLICY_UNLIMITED;
        return 0;
    }
    switch (key->type) {
    case KEY_BYTES:
        return units_parse_bytes(text, ret);
    case KEY_DURATION:
        return units_parse_duration(text, ret);
    case KEY_PERCENT:
        return parse_percent(text, ret);
    default:
        return units_parse_count(text, ret);
    }
}

static const char *format_number(const struct key *key, int64_t value,
                                 char buffer[static UNITS_TEXT_MAX])
{
    int64_t again;
    if (value == POLICY_UNLIMITED)
        return "unlimited";
    if (key->type == KEY_DURATION)
        return units_format_duration(value, buffer);
    if (key->type == KEY_BYTES) {
        (void)units_format_bytes(value, buffer);
        if (units_parse_bytes(buffer, &again) < 0 || again != value)
            (void)snprintf(buffer, UNITS_TEXT_MAX, "%" PRId64 "B", value);
        return buffer;
    }
    (void)snprintf(buffer, UNITS_TEXT_MAX, "%" PRId64 "%s", value,
                   key->type == KEY_PERCENT ? "%" : "");
    return buffer;
}

/* What the text would be without its usual slips: O for 0, spaces, a decimal k, other units. */
static bool guess_number(const struct key *key, const char *text,
                         char guess[static NUMBER_TEXT_MAX])
{
    static const char *const endings[][3] = {
        [KEY_COUNT] = {"", "000"},
        [KEY_BYTES] = {"iB", "GiB", "B"},
        [KEY_DURATION] = {"", "s"},
        [KEY_PERCENT] = {"%"},
    };
    char digits[NUMBER_TEXT_MAX / 2], unit[8];
    size_t n = 0, u = 0;
    const char *word = NULL;
    if (key->fallback && strcmp(key->fallback, "unlimited") == 0)
        spelling_nearer(text, "unlimited", &word);
    if (word) {
        (void)snprintf(guess, NUMBER_TEXT_MAX, "%s", word);
        return true;
    }
    for (; *text; text++) {
        char c = *text;
        if (isspace((unsigned char)c) || c == '_' || c == ',' ||
            (c == '%' && key->type == KEY_PERCENT))
            continue;
        bool digit = u == 0 && (isdigit((unsigned char)c) || c == '.' || strchr("oOlI", c));
        if (digit && n + 1 < sizeof(digits))
            digits[n++] = (char)(strchr("oO", c) ? '0' : strchr("lI", c) ? '1' : c);
        else if (!digit && n > 0 && u + 1 < sizeof(unit) && isalpha((unsigned char)c))
            unit[u++] = c;
        else
            return false;
    }
    digits[n] = unit[u] = '\0';
    if (key->type == KEY_COUNT && u > 0 && strcmp(unit, "k") != 0 && strcmp(unit, "K") != 0)
        return false;
    if (key->type == KEY_BYTES && u > 0) /* 4G, 4gb, 4Gi, 4GIB */
        unit[0] = (char)toupper((unsigned char)unit[0]), unit[1] = '\0';
    if (key->type == KEY_DURATION && u > 0) /* 10min, 10 minutes, 10M */
        unit[0] = (char)tolower((unsigned char)unit[0]), unit[1] = '\0';
    if (key->type == KEY_COUNT)
        unit[0] = '\0';
    for (size_t i = key->type == KEY_COUNT && u > 0 ? 1 : 0; i < ARRAY_SIZE(endings[0]); i++) {
        int64_t value;
        const char *ending = endings[key->type][i];
        if (!ending || (key->type == KEY_BYTES && i == 1 && u > 0))
            continue;
        (void)snprintf(guess, NUMBER_TEXT_MAX, "%s%s%s", digits, unit, ending);
        if (parse_number(key, guess, &value) == 0)
            return true;
    }
    return false;
}

static int take_number(const struct key *key, const char *text, const char *quoted, int64_t *ret,
                       struct err *e)
{
    char buffer[UNITS_TEXT_MAX], guess[NUMBER_TEXT_MAX];
    int64_t value;
    int r = parse_number(key, text, &value);
    const char *what = key->what                  ? key->what
                       : key->type == KEY_BYTES   ? "a size, such as 4GiB"
                       : key->type == KEY_PERCENT ? "a share, such as 80%"
                                                  : "a duration, such as 90s or 1h30m";
    if (r == -ERANGE || (r == 0 && key->most && value > key->most)) {
        if (key->most)
            return err_set(e, EINVAL, "%s is too large; at most %s", quoted,
                           format_number(key, key->most, buffer));
        return err_set(e, EINVAL, "%s is too large", quoted);
    }
    if (r < 0 && guess_number(key, text, guess))
        return err_set(e, EINVAL, "%s is not %s; did you mean %s?", quoted, what, guess);
    if (r < 0)
        return err_set(e, EINVAL, "%s is not %s", quoted, what);
    if (value < key->least)
        return err_set(e, EINVAL, "%s is too small; at least %s", quoted,
                       format_number(key, key->least, buffer));
    *ret = value;
    return 0;
}

/* ---- words ----------------------------------------------------------------------------------- */

static bool matches(const char *pattern, const char *text)
{
    regex_t regex;
    AUTOFREE char *whole = mem_printf("^(%s)$", pattern);
    if (strlen(text) > LIMIT_NAME_BYTES)
        return false;
    int r = regcomp(&regex, whole, REG_EXTENDED | REG_NOSUB);
    if (r == REG_ESPACE)
        mem_exhausted();
    assert(r == 0);
    r = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    return r == 0;
}

static int take_text(const struct key *key, const char *text, const char *quoted, struct err *e)
{
    if (strlen(text) > LIMIT_NAME_BYTES)
        return err_set(e, EINVAL, "%s is too long; at most %d bytes", quoted, LIMIT_NAME_BYTES);
    if (key->pattern && !matches(key->pattern, text))
        return err_set(e, EINVAL, "%s is not %s", quoted, key->what);
    return 0;
}

/* Whether it is a word that may stand in the place of a path. */
static bool is_choice(const char *const *choices, const char *text)
{
    for (size_t i = 0; choices && choices[i]; i++)
        if (strcmp(choices[i], text) == 0)
            return true;
    return false;
}

static int take_choice(const char *const *choices, const char *text, const char *quoted,
                       unsigned *ret, struct err *e)
{
    struct text list = {0};
    const char *near = NULL;
    for (unsigned i = 0; choices[i]; i++) {
        if (strcmp(choices[i], text) == 0) {
            *ret = i;
            text_done(&list);
            return 0;
        }
        spelling_nearer(text, choices[i], &near);
        text_printf(&list, "%s%s", i ? " or " : "", choices[i]);
    }
    (void)err_set(e, EINVAL, near ? "%s is not %s; did you mean %s?" : "%s is not %s", quoted,
                  text_get(&list), near);
    text_done(&list);
    return -EINVAL;
}

static int take_address(const char *text, const char *quoted, struct arena *a, const char **ret,
                        struct err *e)
{
    static const char host[] = "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?|\\[[0-9A-Fa-f:.]+\\]";
    const char *colon = strrchr(text, ':');
    if (colon && strchr(colon, ']'))
        colon = NULL; /* inside an IPv6 address */
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    AUTOFREE char *name = mem_printf("%.*s", (int)length, text);
    int64_t port = DEFAULT_PORT;
    if (!matches(host, name))
        return err_set(e, EINVAL, "%s is not a host:port", quoted);
    if (colon && (units_parse_count(colon + 1, &port) < 0 || port < 1 || port > 65535))
        return err_set(e, EINVAL, "%s does not end in a port from 1 to 65535", quoted);
    *ret = arena_printf(a, "%s:%" PRId64, name, port);
    return 0;
}

/* ---- the two ways ---------------------------------------------------------------------------- */

static const char *const booleans[] = {"false", "true", NULL};

/* What another reader of YAML, or another language, would take a word for; NULL: nothing. */
static const char *boolean_meant(const char *text)
{
    static const char *const words[][2] = {
        {"yes", "true"}, {"on", "true"},   {"y", "true"},  {"1", "true"},  {"True", "true"},
        {"no", "false"}, {"off", "false"}, {"n", "false"}, {"0", "false"}, {"False", "false"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(words); i++)
        if (strcasecmp(text, words[i][0]) == 0 && strcmp(text, words[i][1]) != 0)
            return words[i][1];
    return NULL;
}

static int check_credential(const char *text, const char *quoted, struct err *e)
{
    const char *name = credential_name(text);
    return !name || credential_name_valid(name)
               ? 0
               : err_set(e, EINVAL,
                         "%s names no credential: credential:NAME, as LoadCredential= in the unit "
                         "names it",
                         quoted);
}

int value_parse(const struct key *key, const char *text, struct arena *a, const char *folder,
                struct policy_place at, void *field, struct err *e)
{
    const char *quoted = report_quote(a, text), *word = "";
    unsigned choice = 0;
    int64_t number = 0;
    int r;
    if (!utf8_is_plain(text))
        return err_set(e, EINVAL, "%s has a line break or control character", quoted);
    bool may_be_empty = key->fallback && !*key->fallback;
    if (!*text && !may_be_empty)
        return err_set(e, EINVAL, "the value is empty");
    switch (key->type) {
    case KEY_COUNT:
    case KEY_BYTES:
    case KEY_DURATION:
    case KEY_PERCENT:
        r = take_number(key, text, quoted, &number, e);
        if (r == 0 && key->setting)
            memcpy(field, &(struct setting){number, at}, sizeof(struct setting));
        else if (r == 0)
            memcpy(field, &number, sizeof(number));
        return r;
    case KEY_BOOL:
        if (boolean_meant(text))
            return err_set(e, EINVAL, "%s is not false or true; did you mean %s?", quoted,
                           boolean_meant(text));
        r = take_choice(booleans, text, quoted, &choice, e);
        if (r == 0)
            memcpy(field, &(bool){choice == 1}, sizeof(bool));
        return r;
    case KEY_CHOICE:
        r = take_choice(key->choices, text, quoted, &choice, e);
        if (r == 0 && key->setting)
            memcpy(field, &(struct setting){choice, at}, sizeof(struct setting));
        else if (r == 0)
            memcpy(field, &choice, sizeof(choice));
        return r;
    case KEY_ADDRESS:
        r = take_address(text, quoted, a, &word, e);
        break;
    case KEY_PATH:
        if (strlen(text) >= 4096)
            return err_set(e, EINVAL, "%s is too long for a path", quoted);
        r = key->secret ? check_credential(text, quoted, e) : 0;
        word = *text == '/' || !*text || is_choice(key->choices, text) ||
                       (key->secret && credential_name(text))
                   ? arena_strdup(a, text)
                   : arena_printf(a, "%s/%s", folder, text);
        break;
    default:
        r = take_text(key, text, quoted, e);
        word = arena_strdup(a, text);
        break;
    }
    if (r == 0)
        memcpy(field, &word, sizeof(word));
    return r;
}

void value_quote(const char *value, struct text *out)
{
    /* Words with a meaning of their own, to us or to other readers of YAML. */
    static const char *const special[] = {"null", "true", "false", "yes", "no", "on", "off"};
    bool plain = isalnum((unsigned char)*value) || *value == '/';
    for (const char *p = value; *p; p++)
        plain = plain && (isalnum((unsigned char)*p) || strchr("/._@-", *p));
    for (size_t i = 0; i < ARRAY_SIZE(special); i++)
        plain = plain && strcasecmp(value, special[i]) != 0;
    if (plain) {
        text_add(out, value);
        return;
    }
    text_add(out, "\"");
    for (const char *p = value; *p; p++)
        text_printf(out, "%s%c", *p == '"' || *p == '\\' ? "\\" : "", *p);
    text_add(out, "\"");
}

size_t value_choice(const struct key *key, const void *field)
{
    unsigned choice;
    int64_t number;
    if (!key->setting) {
        memcpy(&choice, field, sizeof(choice));
        return choice;
    }
    memcpy(&number, field, sizeof(number));
    return (size_t)number;
}

void value_format(const struct key *key, const void *field, struct text *out)
{
    char buffer[UNITS_TEXT_MAX];
    const char *word;
    int64_t number;
    switch (key->type) {
    case KEY_COUNT:
    case KEY_BYTES:
    case KEY_PERCENT:
    case KEY_DURATION: /* a struct setting begins with its value */
        memcpy(&number, field, sizeof(number));
        text_add(out, format_number(key, number, buffer));
        break;
    case KEY_BOOL:
        text_add(out, booleans[*(const bool *)field ? 1 : 0]);
        break;
    case KEY_CHOICE:
        text_add(out, key->choices[value_choice(key, field)]);
        break;
    default:
        memcpy(&word, field, sizeof(word));
        value_quote(word, out);
        break;
    }
}

static_assert(sizeof(enum policy_drain_timeout) == sizeof(unsigned), "KEY_CHOICE fills an enum");
