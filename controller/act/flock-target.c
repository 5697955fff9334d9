/* Which fragments there are, and their texts. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "act/flock-private.h"
#include "act/fragment.h"
#include "act/gates.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"

/* Twice: the digest of the text without a revision is the revision. */
int flock_render(const struct policy *p, const char *file, const char *template_text, char *revision,
                  struct text *out, struct err *e)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct gates gates = gates_of(a, p);
    size_t n = gates.n_values;
    struct fragment_value *values = arena_take(a, n + 1, sizeof(*values));
    memcpy(values, gates.values, n * sizeof(*values));
    values[n] = (struct fragment_value){"REVISION", ""};
    int r = fragment_render(file, template_text, values, n + 1, &gates.rows, out, e);
    if (r < 0)
        return r;
    values[n].value = fragment_digest(text_get(out), out->length, revision);
    text_clear(out);
    r = fragment_render(file, template_text, values, n + 1, &gates.rows, out, e);
    if (r == 0 && !strstr(text_get(out), revision))
        return err_set(e, EINVAL, "%s: @REVISION@ is missing, without which the daemon cannot confirm "
                                  "that it has read the fragment", file);
    return r;
}

int flock_text(const struct policy *p, const struct flock_target *target, struct text *out,
               struct err *e)
{
    AUTOFREE char *path = mem_printf("%s/%s", p->paths.fragments, target->file);
    struct text template_text = {0};
    char revision[FRAGMENT_DIGEST_MAX];
    int r = fragment_read(path, LIMIT_CONFIG_BYTES, &template_text, e);
    if (r == -ENOENT)
        r = err_set(e, ENOENT, "%s: no such file; paths.fragments is where the flock-config folder is "
                               "installed", path);
    if (r == 0)
        r = flock_render(p, target->file, text_get(&template_text), revision, out, e);
    text_done(&template_text);
    return r;
}

struct flock_target flock_of_schedd(const char *name, const char *path, const char *tools)
{
    return (struct flock_target){.name = name,
                                 .daemon = "-schedd",
                                 .file = "main-schedd.conf",
                                 .knob = "EYRIE_REVISION",
                                 .path = path,
                                 .tools = tools};
}

struct flock_target flock_of_shares(const char *name, const char *path, const char *tools)
{
    return (struct flock_target){.name = name,
                                 .daemon = "-negotiator",
                                 .file = "virtual-cm-shares.conf",
                                 .knob = "EYRIE_SHARES_REVISION",
                                 .path = path,
                                 .tools = tools};
}

struct flock_target flock_of_main_cm(void)
{
    return (struct flock_target){.name = "main-cm.conf",
                                 .daemon = "-negotiator",
                                 .file = "main-cm.conf",
                                 .knob = "EYRIE_MAIN_REVISION",
                                 .path = "",
                                 .tools = ""};
}

size_t flock_count(const struct policy *p)
{
    return p->n_schedds + (p->pool.shares[0] != '\0');
}

struct flock_target flock_target(const struct policy *p, size_t index)
{
    assert(index < flock_count(p));
    if (index == p->n_schedds)
        return flock_of_shares(p->pool.central_manager, p->pool.shares, p->pool.tools);
    const struct policy_schedd *s = &p->schedds[index];
    return flock_of_schedd(s->name, s->flock, s->tools);
}
