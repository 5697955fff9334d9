#include "doctor/identity.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "act/fragment.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

const char *identity_property(struct arena *a, const char *shown, const char *key)
{
    size_t length = strlen(key);
    for (const char *line = shown; *line; line += strcspn(line, "\n"), line += *line == '\n')
        if (strncmp(line, key, length) == 0 && line[length] == '=')
            return arena_printf(a, "%.*s", (int)strcspn(line + length + 1, "\n"),
                                line + length + 1);
    return "";
}

/* Take a NAME=VALUE; what does not begin with a name is none. */
static void add(struct arena *a, struct identity *i, size_t *capacity, const char *word)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    size_t n = strspn(word, letters);
    if (n == 0 || word[n] != '=')
        return;
    i->environment = arena_grow(a, i->environment, i->n, capacity, sizeof(*i->environment));
    i->environment[i->n++] = word;
}

/* The next word of @*at, where quotes hold words together and are dropped; NULL at the end. */
static const char *next_word(struct arena *a, const char **at, const char *between)
{
    const char *p = *at + strspn(*at, between);
    if (!*p)
        return NULL;
    char *word = arena_strdup(a, p), *to = word;
    for (char quote = 0; *p && (quote || !strchr(between, *p)); p++) {
        if (*p == quote)
            quote = 0;
        else if (!quote && (*p == '"' || *p == '\''))
            quote = *p;
        else
            *to++ = *p;
    }
    *to = '\0';
    *at = p;
    return word;
}

/* A file of lines; one that is not there sets nothing, as a "-" before its name in the unit says.
 */
static void read_file(struct arena *a, struct identity *i, size_t *capacity, const char *path)
{
    CLEANUP(text_done) struct text content = {0};
    struct err ignored;
    if (fragment_read(path, LIMIT_CONFIG_BYTES, &content, &ignored) < 0)
        return;
    const char *at = arena_strdup(a, text_get(&content)), *line;
    while ((line = next_word(a, &at, "\n")))
        add(a, i, capacity, line);
}

struct identity identity_read(struct arena *a, const char *shown)
{
    struct identity i = {.user = identity_property(a, shown, "User")};
    size_t capacity = 0;
    const char *at = identity_property(a, shown, "Environment"), *word;
    while ((word = next_word(a, &at, " ")))
        add(a, &i, &capacity, word);
    at = identity_property(a, shown, "EnvironmentFiles"); /* "/etc/default/x (ignore_errors=yes)" */
    while ((word = next_word(a, &at, " ")))
        if (*word == '/')
            read_file(a, &i, &capacity, word);
    if (strcmp(i.user, "root") == 0)
        i.user = "";
    return i;
}

/* One whose path is not absolute is another service's business: handed on from systemd's own. */
void identity_read_secrets(struct identity *i, struct arena *a, const char *unit)
{
    size_t capacity = i->n_secrets;
    for (const char *line = unit; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        if (!text_starts_with(line, "LoadCredential="))
            continue;
        line += strlen("LoadCredential=");
        size_t length = strcspn(line, "\n"), name = strcspn(line, ":\n");
        if (length == 0) { /* "LoadCredential=": none of those before */
            i->n_secrets = 0;
            continue;
        }
        if (line[name] != ':' || line[name + 1] != '/')
            continue;
        i->secrets = arena_grow(a, i->secrets, i->n_secrets, &capacity, sizeof(*i->secrets));
        i->secrets[i->n_secrets++] = (struct identity_secret){
            .name = arena_printf(a, "%.*s", (int)name, line),
            .path = arena_printf(a, "%.*s", (int)(length - name - 1), line + name + 1),
        };
    }
}

int identity_adopt(const struct identity *i, struct err *e)
{
    errno = 0;
    const struct passwd *p = getpwnam(i->user);
    if (!p)
        return err_set(e, errno ? errno : ENOENT, "there is no user %s", i->user);
    for (size_t k = 0; k < i->n; k++) {
        AUTOFREE char *name = mem_strdup(i->environment[k]);
        char *equals = strchr(name, '=');
        *equals = '\0';
        (void)setenv(name, equals + 1, 1);
    }
    (void)setenv("HOME", p->pw_dir, 1);
    (void)setenv("USER", i->user, 1);
    (void)setenv("LOGNAME", i->user, 1);
    if (initgroups(i->user, p->pw_gid) < 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) < 0 ||
        setresuid(p->pw_uid, p->pw_uid, p->pw_uid) < 0)
        return err_set(e, errno, "cannot become the user %s: %s", i->user, strerror(errno));
    return 0;
}
