#include "config/print.h"

#include "config/walk.h"

enum { COMMENT_COLUMN = 56 };

struct printer {
    const struct policy *policy;
    FILE *out;
};

/* "# conf.d/juno.yaml:3, over eyrie.yaml:31" */
static void print_places(struct printer *p, const struct tree_node *node)
{
    const char *before = "";
    if (!node)
        (void)fputs("default", p->out);
    for (; node; node = node->over) {
        struct policy_place at = tree_policy_place(node);
        (void)fprintf(p->out, "%s%s:%u", before, p->policy->files[at.file], at.line);
        before = ", over ";
    }
    (void)fputc('\n', p->out);
}

static void print_step(void *userdata, const struct walk_step *s)
{
    struct printer *p = userdata;
    if (s->kind == WALK_NONE) {
        (void)fprintf(p->out, "%*s%s# %s: %s\n", s->indent, "", s->dash, s->name,
                      s->key->otherwise);
        return;
    }
    int used = fprintf(p->out, "%*s%s%s:%s%s", s->indent, "", s->dash, s->name, *s->text ? " " : "",
                       s->text);
    if (s->kind == WALK_HEAD && s->indent == 0) {
        (void)fputc('\n', p->out);
        return;
    }
    (void)fprintf(p->out, "%*s# ", used < COMMENT_COLUMN ? COMMENT_COLUMN - used : 1, "");
    print_places(p, s->node);
}

void print_policy(const struct policy *p, const struct tree_node *root, FILE *out)
{
    struct printer printer = {.policy = p, .out = out};
    (void)fprintf(out, "# %s", p->files[0]);
    for (size_t i = 1; i < p->n_files; i++)
        (void)fprintf(out, ", %s", p->files[i]);
    (void)fputc('\n', out);
    walk_policy(p, root, print_step, &printer);
}
