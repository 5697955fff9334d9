#include "serve/access.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include "base/mem.h"

enum { ENTRY_BYTES = 16 * 1024, ENTRY_BYTES_MAX = 4 * 1024 * 1024 };

struct access {
    uid_t *users;
    size_t n_users;
    gid_t *groups;
    size_t n_groups;
};

static bool find_user(const char *name, uid_t *ret)
{
    AUTOFREE char *buffer = mem_new(1, ENTRY_BYTES);
    struct passwd entry, *found = NULL;
    if (getpwnam_r(name, &entry, buffer, ENTRY_BYTES, &found) != 0 || !found)
        return false;
    *ret = found->pw_uid;
    return true;
}

/* The entry of a group has the names of all its members: it may be long. */
static bool find_group(const char *name, gid_t *ret)
{
    struct group entry, *found = NULL;
    for (size_t size = ENTRY_BYTES; size <= ENTRY_BYTES_MAX; size *= 4) {
        AUTOFREE char *buffer = mem_new(1, size);
        int r = getgrnam_r(name, &entry, buffer, size, &found);
        if (r == ERANGE)
            continue;
        if (r != 0 || !found)
            return false;
        *ret = found->gr_gid;
        return true;
    }
    return false;
}

struct access *access_new(const char *const *admins, size_t n, struct text *unknown)
{
    struct access *a = mem_new(1, sizeof(*a));
    a->users = mem_new(n, sizeof(*a->users));
    a->groups = mem_new(n, sizeof(*a->groups));
    for (size_t i = 0; i < n; i++) {
        bool known = admins[i][0] == '@' ? find_group(admins[i] + 1, &a->groups[a->n_groups])
                                         : find_user(admins[i], &a->users[a->n_users]);
        if (!known)
            text_printf(unknown, "%s%s", unknown->length ? " " : "", admins[i]);
        else if (admins[i][0] == '@')
            a->n_groups++;
        else
            a->n_users++;
    }
    return a;
}

struct access *access_free(struct access *a)
{
    if (!a)
        return NULL;
    free(a->users);
    free(a->groups);
    free(a);
    return NULL;
}

bool access_allows(const struct access *a, const struct asker *asker)
{
    if (asker->uid == (uid_t)-1)
        return false;
    if (asker->uid == 0 || asker->uid == geteuid())
        return true;
    for (size_t i = 0; i < a->n_users; i++)
        if (a->users[i] == asker->uid)
            return true;
    for (size_t i = 0; i < a->n_groups; i++)
        for (size_t k = 0; k < asker->n_groups; k++)
            if (a->groups[i] == asker->groups[k])
                return true;
    return false;
}
