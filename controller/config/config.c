#include "config/config.h"

#include <errno.h>
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
    int r = source_read(c->arena, path, LIMIT_CONFIG_BYTES, &source, &e);
    if (r < 0) {
        report_add(report, file, "%s", e.text);
        return r;
    }
    const char *folder = folder_of(c->arena, path);
    if (!folder) {
        r = -errno;
        report_add(report, file, "its folder: %s", strerror(errno));
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

int config_load(const char *path, struct config **ret, char **ret_messages)
{
    struct config *c = mem_new(1, sizeof(*c));
    c->arena = arena_new();
    struct report *report = report_new(c->arena);
    int r = load(c, report, path);
    *ret_messages = r < 0 ? report_render(report) : NULL;
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
    return &c->policy;
}

void config_print(const struct config *c, FILE *out)
{
    print_policy(&c->policy, c->root, out);
}
