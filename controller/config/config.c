#include "config/config.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "config/check.h"
#include "config/files.h"
#include "config/print.h"
#include "config/read.h"
#include "config/resolve.h"
#include "config/view.h"

struct config {
    size_t refs;
    struct arena *arena; /* of everything below */
    const struct tree_node *root;
    struct files files;
    struct report *report;
    bool good;
    struct policy policy;
};

static int compare_groups(const void *a, const void *b)
{
    const struct policy_group *x = a, *y = b;
    return strcmp(x->name, y->name);
}

static int load(struct config *c, struct report *report, const char *path)
{
    int r = files_read(c->arena, report, path, &c->files, &c->root);
    if (r < 0)
        return r;
    struct policy *p = &c->policy;
    p->files = c->files.names;
    p->n_files = c->files.n;
    read_policy(c->arena, report, c->root, p);
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
    c->refs = 1;
    c->arena = arena_new();
    c->report = report_new(c->arena);
    c->policy.file = arena_strdup(c->arena, path);
    int r = load(c, c->report, path);
    c->good = r == 0;
    *ret_messages = r < 0 ? report_render(c->report) : NULL;
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

struct config *config_ref(struct config *c)
{
    c->refs++;
    return c;
}

struct config *config_free(struct config *c)
{
    if (c && --c->refs == 0) {
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
    *ret_n = c->files.n;
    return c->files.paths;
}

const char *const *config_folders(const struct config *c, size_t *ret_n)
{
    *ret_n = c->files.n_folders;
    return c->files.folders;
}

int config_compare(const struct config *old, const struct config *new, struct arena *a,
                   struct difference *ret, char **ret_messages)
{
    struct report *report = report_new(a);
    struct difference found =
        difference_make(a, report, (struct difference_side){&old->policy, old->root},
                        (struct difference_side){&new->policy, new->root});
    *ret_messages = report_count(report) ? report_render(report) : NULL;
    if (*ret_messages)
        return -EBUSY;
    *ret = found;
    return 0;
}

void config_print(const struct config *c, FILE *out)
{
    print_policy(&c->policy, c->root, out);
}

struct json_object *config_view(const struct config *c)
{
    struct json_object *view = json_object_new_object(), *files = json_object_new_array();
    json_add_int(view, "version", 1);
    json_add_string(view, "file", c->policy.file);
    for (size_t i = 0; i < c->files.n; i++)
        (void)json_object_array_add(files, json_object_new_string(c->files.paths[i]));
    json_add(view, "files", files);
    json_add_bool(view, "good", c->good);
    view_add_errors(view, c->report);
    if (c->good)
        view_add_values(view, &c->policy, c->root);
    return view;
}
