#include "config/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "config/check.h"
#include "config/print.h"
#include "config/read.h"
#include "config/resolve.h"
#include "config/tree.h"

struct config {
    struct arena *arena; /* of everything below */
    const struct tree_node *root;
    const char **files, **folders;
    size_t n_files, n_folders;
    bool good;
    struct policy policy;
};

/* The folder that @path is in, absolute; belongs to @a. NULL and errno when it has none. */
static const char *folder_of(struct arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTOFREE char *given = !slash          ? mem_strdup(".")
                           : slash == path ? mem_strdup("/")
                                           : mem_printf("%.*s", (int)(slash - path), path);
    AUTOFREE char *absolute = realpath(given, NULL);
    return arena_strdup(a, absolute);
}

static int compare_groups(const void *a, const void *b)
{
    const struct policy_group *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int load(struct config *c, struct report *report, const char *path)
{
    struct source *unread = arena_take(c->arena, 1, sizeof(*unread)), *source = NULL;
    struct place file = {.source = unread};
    struct err e;
    *unread = (struct source){.name = arena_strdup(c->arena, path), .binary = true};
    const char *folder = folder_of(c->arena, path);
    if (!folder) {
        int r = -errno;
        report_add(report, file, "%s", strerror(errno));
        return r;
    }
    const char *slash = strrchr(path, '/');
    c->files = arena_take(c->arena, 1, sizeof(*c->files));
    c->files[c->n_files++] = arena_printf(c->arena, "%s/%s", strcmp(folder, "/") ? folder : "",
                                          slash ? slash + 1 : path);
    int r = source_read(c->arena, path, LIMIT_CONFIG_BYTES, &source, &e);
    if (r < 0) {
        report_add(report, file, "%s", e.text);
        return r;
    }
    r = tree_parse(c->arena, source, report, &c->root);
    if (r < 0)
        return r;
    struct policy *p = &c->policy;
    p->file = source->name;
    read_policy(c->arena, report, c->root, folder, p);
    resolve_policy(c->arena, report, c->root, p);
    check_policy(c->arena, report, c->root, p);
    if (report_count(report))
        return -EINVAL;
    qsort((void *)p->groups, p->n_groups, sizeof(*p->groups), compare_groups);
    return 0;
}

int config_try(const char *path, struct config **ret, char **ret_messages)
{
    struct config *c = mem_new(1, sizeof(*c));
    c->arena = arena_new();
    struct report *report = report_new(c->arena);
    int r = load(c, report, path);
    c->good = r == 0;
    *ret_messages = r < 0 ? report_render(report) : NULL;
    *ret = c;
    return r;
}

int config_load(const char *path, struct config **ret, char **ret_messages)
{
    struct config *c = NULL;
    int r = config_try(path, &c, ret_messages);
    if (r < 0)
        (void)config_free(c);
    else
        *ret = c;
    return r;
}

struct config *config_free(struct config *c)
{
    if (c) {
        (void)arena_free(c->arena);
        free(c);
    }
    return NULL;
}

const struct policy *config_policy(const struct config *c)
{
    return c->good ? &c->policy : NULL;
}

const char *const *config_files(const struct config *c, size_t *ret_n)
{
    *ret_n = c->n_files;
    return c->files;
}

const char *const *config_folders(const struct config *c, size_t *ret_n)
{
    *ret_n = c->n_folders;
    return c->folders;
}

void config_print(const struct config *c, FILE *out)
{
    print_policy(&c->policy, c->root, out);
}
