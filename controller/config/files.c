#include "config/files.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "config/merge.h"

struct reading {
    struct arena *arena;
    struct report *report;
    struct files *files;
    size_t room;        /* bytes that may still be read */
    const char *given;  /* folder of the given file as it was given, with a slash, or "" */
    const char *folder; /* the same, absolute and without, but "" for the root */
    struct tree_node *root;
    bool full; /* there were too many files, which has been said */
    int r;     /* -EINVAL once a file was no YAML */
};

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *join(struct reading *g, const char *folder, const char *name)
{
    return *name == '/' ? name : arena_printf(g->arena, "%s/%s", folder, name);
}

static bool was_read(const struct files *f, const char *path)
{
    for (size_t i = 0; i < f->n; i++)
        if (strcmp(f->paths[i], path) == 0)
            return true;
    return false;
}

static void add_file(struct reading *g, const char *path, const char *name)
{
    struct files *f = g->files;
    f->paths = arena_grow(g->arena, f->paths, f->n, &f->capacity, sizeof(*f->paths));
    f->names = arena_grow(g->arena, f->names, f->n, &f->names_capacity, sizeof(*f->names));
    f->paths[f->n] = path;
    f->names[f->n++] = name;
}

static void add_folder(struct reading *g, const char *path)
{
    struct files *f = g->files;
    for (size_t i = 0; i < f->n_folders; i++)
        if (strcmp(f->folders[i], path) == 0)
            return;
    f->folders =
        arena_grow(g->arena, f->folders, f->n_folders, &f->folders_capacity, sizeof(*f->folders));
    f->folders[f->n_folders++] = path;
}

/*
 * Read and parse the file that was added last. Returns 0, or -errno with the reason alone in @e
 * when it cannot be read; what is wrong inside it is reported.
 */
static int read_file(struct reading *g, const char *as_given, struct tree_node **ret_root,
                     struct err *e)
{
    struct source *source = NULL;
    const char *path = g->files->paths[g->files->n - 1];
    int r = source_read(g->arena, path, g->room, &source, e);
    if (r == -EFBIG && g->room < LIMIT_CONFIG_BYTES)
        return err_set(e, EFBIG, "all files together are larger than %d bytes", LIMIT_CONFIG_BYTES);
    if (r < 0)
        return r;
    const char *slash = strrchr(path, '/');
    g->room -= source->length;
    source->name = as_given;
    source->index = (unsigned)g->files->n - 1;
    source->folder =
        slash == path ? "/" : arena_printf(g->arena, "%.*s", (int)(slash - path), path);
    if (tree_parse(g->arena, source, g->report, ret_root) < 0)
        g->r = -EINVAL;
    return 0;
}

/* Without a file the others would look wrong that are not: they are not judged then. */
static void give_up(struct reading *g, const struct tree_node *about, const char *why)
{
    tree_complain(g->report, about, "%s", why);
    g->r = -EINVAL;
}

static void include_file(struct reading *g, const struct tree_node *pattern, const char *name)
{
    const char *path = join(g, g->folder, name);
    struct tree_node *root = NULL;
    struct err e;
    if (was_read(g->files, path) || g->full)
        return;
    if (g->files->n == LIMIT_CONFIG_FILES) {
        g->full = true;
        give_up(g, pattern, arena_printf(g->arena, "more than %d files", LIMIT_CONFIG_FILES));
        return;
    }
    add_file(g, path, name);
    const char *as_given = *name == '/' ? name : arena_printf(g->arena, "%s%s", g->given, name);
    int r = read_file(g, as_given, &root, &e);
    const struct tree_node *nested = tree_get(root, "include");
    if (r == -EISDIR)
        give_up(g, pattern,
                arena_printf(g->arena, "cannot read %s: %s; for all files in it write %s/*.yaml",
                             name, e.text, name));
    else if (r < 0)
        give_up(g, pattern, arena_printf(g->arena, "cannot read %s: %s", name, e.text));
    else if (nested)
        give_up(g, nested, arena_printf(g->arena, "only %s may include files", g->files->names[0]));
    else if (root && root->kind != TREE_MAP)
        give_up(g, root, "a map is wanted here: lines of key: value");
    else if (root)
        merge_trees(g->arena, g->report, g->root, root);
}

/* The files of a folder whose names match, in the order of their names. */
static void include_matches(struct reading *g, const struct tree_node *pattern, const char *folder,
                            const char *given_folder, const char *match)
{
    const char **names = NULL;
    size_t n = 0, capacity = 0;
    DIR *d = opendir(folder);
    if (!d && errno == ENOENT)
        return;
    errno = d ? 0 : errno;
    for (struct dirent *entry; d && n <= LIMIT_CONFIG_FILES && (entry = readdir(d)); errno = 0) {
        if (fnmatch(match, entry->d_name, FNM_PERIOD) != 0)
            continue;
        if (!utf8_is_plain(entry->d_name)) {
            give_up(g, pattern,
                    arena_printf(g->arena, "no name for a file: %s",
                                 report_quote(g->arena, entry->d_name)));
            continue;
        }
        names = arena_grow(g->arena, names, n, &capacity, sizeof(*names));
        names[n++] = arena_printf(g->arena, "%s%s", given_folder, entry->d_name);
    }
    if (errno)
        give_up(g, pattern,
                arena_printf(g->arena, "cannot look into %s: %s", folder, strerror(errno)));
    if (d)
        (void)closedir(d);
    if (n > 0)
        qsort(names, n, sizeof(*names), compare_names);
    for (size_t i = 0; i < n; i++)
        include_file(g, pattern, names[i]);
}

/* Why @pattern is none; NULL: it is one. */
static const char *what_is_wrong(struct reading *g, const struct tree_node *pattern)
{
    static const char wildcards[] = "*?[";
    if (pattern->kind != TREE_SCALAR || pattern->null || !*pattern->text)
        return "a pattern is wanted here, such as conf.d/*.yaml";
    const char *text = pattern->text, *quoted = report_quote(g->arena, text);
    const char *slash = strrchr(text, '/'), *wildcard = strpbrk(text, wildcards);
    if (!utf8_is_plain(text))
        return arena_printf(g->arena, "%s has a line break or control character", quoted);
    if (slash && wildcard && wildcard < slash)
        return arena_printf(
            g->arena, "%s: only names of files may have wildcards, not those of folders", quoted);
    if (slash && !slash[1])
        return arena_printf(g->arena, "%s names a folder; for all files in it write %s*.yaml",
                            quoted, text);
    return NULL;
}

static void include_pattern(struct reading *g, const struct tree_node *pattern)
{
    const char *wrong = what_is_wrong(g, pattern), *text = pattern->text;
    if (wrong) {
        give_up(g, pattern, wrong);
        return;
    }
    if (!strpbrk(text, "*?[")) {
        include_file(g, pattern, text);
        return;
    }
    const char *slash = strrchr(text, '/');
    int length = slash ? (int)(slash - text) : 0;
    const char *given_folder = slash ? arena_printf(g->arena, "%.*s/", length, text) : "";
    const char *folder = length  ? join(g, g->folder, arena_printf(g->arena, "%.*s", length, text))
                         : slash ? "/"
                                 : g->folder;
    folder = *folder ? folder : "/";
    add_folder(g, folder);
    include_matches(g, pattern, folder, given_folder, slash ? slash + 1 : text);
}

static void include_all(struct reading *g)
{
    const struct tree_node *include = tree_get(g->root, "include");
    if (!include)
        return;
    if (include->kind != TREE_LIST) {
        include_pattern(g, include);
        return;
    }
    for (size_t i = 0; i < include->n; i++)
        include_pattern(g, include->items[i]);
}

/* A message about a file of which nothing could be read. */
static int refuse(struct reading *g, const char *path, int r, const char *why)
{
    struct source *unread = arena_take(g->arena, 1, sizeof(*unread));
    *unread = (struct source){.name = arena_strdup(g->arena, path), .binary = true};
    report_add(g->report, (struct place){.source = unread}, "%s", why);
    return r;
}

int files_read(struct arena *a, struct report *report, const char *path, struct files *ret,
               const struct tree_node **ret_root)
{
    struct reading g = {.arena = a, .report = report, .files = ret, .room = LIMIT_CONFIG_BYTES};
    struct err e;
    const char *slash = strrchr(path, '/'), *name = arena_strdup(a, slash ? slash + 1 : path);
    g.given = slash ? arena_printf(a, "%.*s", (int)(slash + 1 - path), path) : "";
    AUTOFREE char *folder = realpath(*g.given ? g.given : ".", NULL);
    if (!folder)
        return refuse(&g, path, -errno, strerror(errno));
    g.folder = strcmp(folder, "/") == 0 ? "" : arena_strdup(a, folder);
    add_file(&g, arena_printf(a, "%s/%s", g.folder, name), name);
    if (!utf8_is_plain(ret->paths[0]))
        return refuse(&g, path, -EINVAL, "its path is not UTF-8, or has control characters");
    int r = read_file(&g, arena_strdup(a, path), &g.root, &e);
    if (r < 0)
        return refuse(&g, path, r, e.text);
    if (g.r < 0)
        return g.r;
    include_all(&g);
    *ret_root = g.root;
    return g.r;
}
