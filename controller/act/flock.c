#include "act/flock.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "act/fragment.h"
#include "act/gates.h"
#include "act/replace.h"
#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop/child.h"

static const usec tool_deadline = 20 * USEC_PER_SEC;
/* A schedd reads its configuration a moment after it was told to; HTCondor tells nobody when. */
static const usec confirm_within = 10 * USEC_PER_SEC;
static const usec confirm_again = USEC_PER_SEC / 4;

struct flocking {
    struct loop *loop;
    char *name;
    char *daemon;
    char *file;
    char *path;
    char *tools;
    const struct flock_remote *remote;
    char *knob;          /* EYRIE_REVISION_<pool> */
    char *content;       /* rendered */
    char revision[FRAGMENT_DIGEST_MAX];
    bool wanted;
    char present[FRAGMENT_DIGEST_MAX];
    char believed[FRAGMENT_DIGEST_MAX];
    usec failed;
    char *error;
    /* while an apply is under way */
    flock_done done;
    void *userdata;
    struct child *child;
    struct loop_timer *timer;
    usec confirm_until;  /* ticks */
    bool rolling_back;
    char *trouble;       /* why we roll back */
    char *before;        /* what was in the file; NULL: nothing */
    bool changed;        /* the file was replaced */
};

static void ask_confirmation(void *userdata);
static void offered(void *userdata);

/* Twice: the digest of the text without a revision is the revision. @revision has room for one. */
static int render(const struct policy *p, const char *file, const char *template_text, char *revision,
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
        r = render(p, target->file, text_get(&template_text), revision, out, e);
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

struct flocking *flock_new_given(struct loop *loop, const struct flock_target *target,
                                 const char *knob, const char *mark, const char *text)
{
    struct flocking *f = mem_new(1, sizeof(*f));
    f->loop = loop;
    f->remote = target->remote;
    f->name = mem_strdup(target->name);
    f->daemon = mem_strdup(target->daemon);
    f->file = mem_strdup(target->file);
    f->path = mem_strdup(target->path);
    f->tools = mem_strdup(target->tools);
    f->error = mem_strdup("");
    f->timer = loop_timer_new(loop, f->remote ? offered : ask_confirmation, f);
    f->knob = mem_strdup(knob);
    f->content = mem_strdup(text);
    (void)snprintf(f->revision, sizeof(f->revision), "%s", mark);
    flock_look(f);
    return f;
}

int flock_new(struct loop *loop, const struct policy *p, const struct flock_target *target,
              const char *template_text, struct flocking **ret, struct err *e)
{
    CLEANUP(text_done) struct text content = {0};
    AUTOFREE char *knob = gates_knob(target->knob, p);
    char mark[FRAGMENT_DIGEST_MAX];
    int r = render(p, target->file, template_text, mark, &content, e);
    if (r == 0)
        *ret = flock_new_given(loop, target, knob, mark, text_get(&content));
    return r;
}

struct flocking *flock_free(struct flocking *f)
{
    if (!f)
        return NULL;
    (void)child_free(f->child);
    (void)loop_timer_free(f->timer);
    free(f->name);
    free(f->daemon);
    free(f->file);
    free(f->path);
    free(f->tools);
    free(f->knob);
    free(f->content);
    free(f->error);
    free(f->trouble);
    free(f->before);
    free(f);
    return NULL;
}

const char *flock_schedd(const struct flocking *f)
{
    return f->name;
}

void flock_want(struct flocking *f, bool wanted)
{
    f->wanted = wanted;
    f->failed = 0;
}

void flock_doubt(struct flocking *f)
{
    memcpy(f->believed, "?", 2);
}

bool flock_under_way(const struct flocking *f)
{
    return f->done != NULL;
}

bool flock_is_gone(const struct flocking *f)
{
    struct world_flock w;
    flock_fill(f, &w);
    return !f->wanted && !f->done && !*w.present && !*w.believed;
}

bool flock_is_settled(const struct flocking *f)
{
    struct world_flock w;
    flock_fill(f, &w);
    return strcmp(w.present, w.wanted) == 0 && strcmp(w.believed, w.wanted) == 0;
}

bool flock_same_file(const struct flocking *a, const struct flocking *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->path, b->path) == 0;
}

bool flock_equal(const struct flocking *a, const struct flocking *b)
{
    return flock_same_file(a, b) && strcmp(a->tools, b->tools) == 0 &&
           strcmp(a->content, b->content) == 0;
}

const char *flock_path(const struct flocking *f)
{
    return f->path;
}

/* What is in the file now, owned by the caller, or NULL; its digest goes to f->present. */
static char *look(struct flocking *f)
{
    struct text content = {0};
    struct err e;
    if (f->remote) /* its agent looks */
        return NULL;
    f->present[0] = '\0';
    int r = fragment_read(f->path, LIMIT_CONFIG_BYTES, &content, &e);
    char *text = NULL;
    if (r == 0) {
        text = mem_strdup(text_get(&content));
        if (strcmp(text, f->content) == 0)
            memcpy(f->present, f->revision, sizeof(f->present));
        else
            (void)fragment_digest(text, strlen(text), f->present);
    } else if (r != -ENOENT) {
        mem_replace(&f->error, e.text);
        memcpy(f->present, "?", 2);
    }
    text_done(&content);
    return text;
}

void flock_look(struct flocking *f)
{
    if (!f->done)
        free(look(f));
}

static struct flock_target target_of(const struct flocking *f)
{
    return (struct flock_target){.name = f->name,
                                 .daemon = f->daemon,
                                 .file = f->file,
                                 .path = f->path,
                                 .tools = f->tools,
                                 .remote = f->remote};
}

void flock_fill(const struct flocking *f, struct world_flock *w)
{
    *w = (struct world_flock){
        .schedd = f->name,
        .wanted = f->wanted ? f->revision : "",
        .present = f->present,
        .believed = f->believed,
        .offered = "",
        .failed = f->failed,
        .error = f->error,
    };
    if (f->remote) {
        const struct flock_target target = target_of(f);
        f->remote->fill(f->remote->userdata, &target, w);
    }
    if (f->remote && f->failed) { /* it could not even be offered */
        w->failed = f->failed;
        w->error = f->error;
    }
}

static void end(struct flocking *f, const char *error)
{
    flock_done done = f->done;
    AUTOFREE char *text = mem_strdup(error);
    f->failed = error ? loop_now(f->loop) : 0;
    mem_replace(&f->error, error ? error : "");
    f->child = child_free(f->child);
    loop_timer_set(f->timer, USEC_NEVER);
    f->done = NULL;
    f->rolling_back = false;
    f->changed = false;
    mem_replace(&f->trouble, NULL);
    mem_replace(&f->before, NULL);
    if (!f->remote) { /* of this apply, or of one that was cut off */
        replace_scratch_remove(f->path, "new");
        replace_scratch_remove(f->path, "check");
    }
    free(look(f));
    done(f->userdata, text);
}

static void run(struct flocking *f, const char *const *argv, const char *const *environment,
                child_done done)
{
    f->child = child_free(f->child);
    f->child = child_run(f->loop, &(struct child_args){.argv = argv,
                                                       .tools = f->tools,
                                                       .environment = environment,
                                                       .deadline = tool_deadline,
                                                       .limit = LIMIT_CONFIG_BYTES,
                                                       .done = done,
                                                       .userdata = f});
}

static void reconfigured(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    if (r->error) {
        /* The file is right, and a schedd that comes up reads it; there is nothing to roll back. */
        AUTOFREE char *text = mem_printf("%s does not take the fragment yet: %s", f->name, r->error);
        end(f, text);
        return;
    }
    f->confirm_until = loop_ticks(f->loop) + confirm_within;
    ask_confirmation(f);
}

static void reconfigure(struct flocking *f)
{
    run(f, (const char *const[]){"condor_reconfig", f->daemon, NULL}, NULL, reconfigured);
}

/* The daemon goes on with something else than what is in the file: put back what was there. */
static void roll_back(struct flocking *f, const char *trouble)
{
    struct err e;
    int r = 0;
    mem_replace(&f->trouble, trouble);
    f->rolling_back = true;
    if (f->changed && f->before)
        r = replace_file(f->path, f->before, &e);
    else if (f->changed)
        r = replace_remove(f->path, &e);
    if (r < 0) {
        AUTOFREE char *text = mem_printf("%s; and putting back the old fragment failed: %s",
                                         trouble, e.text);
        end(f, text);
        return;
    }
    reconfigure(f);
}

static void confirmed(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    if (r->error) {
        AUTOFREE char *text = mem_printf("%s cannot be asked what it believes: %s", f->name,
                                         r->error);
        end(f, text);
        return;
    }
    size_t length = strcspn(r->output, "\n");
    bool undefined = text_starts_with(r->output, "Not defined");
    if (undefined || length >= sizeof(f->believed))
        length = 0;
    memcpy(f->believed, r->output, length);
    f->believed[length] = '\0';
    if (f->rolling_back) {
        AUTOFREE char *text = mem_printf("%s; the old fragment is back in place", f->trouble);
        end(f, text);
    } else if (strcmp(f->believed, f->wanted ? f->revision : "") == 0) {
        end(f, NULL);
    } else if (loop_ticks(f->loop) < f->confirm_until) {
        loop_timer_set(f->timer, confirm_again);
    } else {
        AUTOFREE char *text =
            mem_printf("%s was reconfigured and still believes in revision \"%s\" (is %s in a folder "
                       "that it reads, and does no later file set %s?)",
                       f->name, f->believed, f->path, f->knob);
        roll_back(f, text);
    }
}

static void ask_confirmation(void *userdata)
{
    struct flocking *f = userdata;
    run(f, (const char *const[]){"condor_config_val", f->daemon, f->knob, NULL}, NULL, confirmed);
}

static void checked(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    struct err e;
    bool undefined = r->end == CHILD_EXITED && text_starts_with(r->messages, "Not defined");
    if (r->error && !undefined) {
        AUTOFREE char *text = mem_printf("HTCondor's parser refuses the fragment: %s", r->error);
        end(f, text);
        return;
    }
    if (undefined || strncmp(r->output, f->revision, strlen(f->revision)) != 0) {
        AUTOFREE char *text =
            mem_printf("HTCondor would not go by the fragment: with it in place %s is \"%.*s\" (is "
                       "%s in a folder of LOCAL_CONFIG_DIR, and does no later file set the knob?)",
                       f->knob, (int)strcspn(r->output, "\n"), r->output, f->path);
        end(f, text);
        return;
    }
    if (replace_commit(f->path, "new", &e) < 0) {
        end(f, e.text);
        return;
    }
    f->changed = true;
    reconfigure(f);
}

/* @path's last part as a regular expression. */
static char *name_pattern(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct text out = {0};
    for (const char *c = slash ? slash + 1 : path; *c; c++)
        text_printf(&out, "%s%c", ispunct((unsigned char)*c) ? "\\" : "", *c);
    char *pattern = mem_strdup(text_get(&out));
    text_done(&out);
    return pattern;
}

/*
 * A configuration that is the site's from its root file @root on, but that the new text is read in
 * place of the old one: at the same point, as often, with all that is set before and after it. The
 * scratch file sorts right behind the file it is for. Owned by the caller (free).
 */
static char *scratch_root(const struct flocking *f, const char *root, size_t length)
{
    AUTOFREE char *scratch = replace_scratch_path(f->path, "new");
    AUTOFREE char *old = name_pattern(f->path), *new = name_pattern(scratch);
    return mem_printf("include : %.*s\n"
                      "LOCAL_CONFIG_DIR_EXCLUDE_REGEXP = "
                      "^(?!%s$)(?:%s$|$(LOCAL_CONFIG_DIR_EXCLUDE_REGEXP:/))\n",
                      (int)length, root, new, old);
}

/* The site's own root configuration is the first source that HTCondor names. */
static void got_sources(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    struct err e;
    const char *line = strchr(r->output, '/'); /* headings, which name no path, may come before */
    if (r->error || !line) {
        AUTOFREE char *text = mem_printf("cannot find the daemon's configuration: %s",
                                         r->error ? r->error : "condor_config_val names none");
        end(f, text);
        return;
    }
    AUTOFREE char *check = replace_scratch_path(f->path, "check");
    AUTOFREE char *root = scratch_root(f, line, strcspn(line, "\n"));
    AUTOFREE char *variable = mem_printf("CONDOR_CONFIG=%s", check);
    int k = replace_scratch_write(f->path, "new", f->content, &e);
    if (k == 0)
        k = replace_scratch_write(f->path, "check", root, &e);
    if (k < 0) {
        end(f, e.text);
        return;
    }
    run(f, (const char *const[]){"condor_config_val", f->knob, NULL},
        (const char *const[]){variable, NULL}, checked);
}

/* Leaving. The schedd's tools answer, so the file may go: the reconfigure that follows can work. */
static void remove_now(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    struct err e;
    if (r->error || (f->before && replace_remove(f->path, &e) < 0)) {
        AUTOFREE char *text = mem_printf("the fragment stays: %s", r->error ? r->error : e.text);
        end(f, text);
        return;
    }
    f->changed = f->before != NULL;
    reconfigure(f);
}

/* The file holds what is wanted: whether the daemon has read it is all there is to find out. */
static void asked_first(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    if (!r->error && strncmp(r->output, f->revision, strlen(f->revision)) == 0) {
        memcpy(f->believed, f->revision, sizeof(f->believed));
        end(f, NULL);
        return;
    }
    reconfigure(f);
}

/* The rest is between the agent and its daemon; what comes of it is in its reports. */
static void offered(void *userdata)
{
    struct flocking *f = userdata;
    const struct flock_target target = target_of(f);
    struct err e;
    int r = f->remote->offer(f->remote->userdata, &target, f->knob, f->wanted ? f->revision : "",
                             f->wanted ? f->content : "", &e);
    end(f, r < 0 ? e.text : NULL);
}

void flock_apply(struct flocking *f, flock_done done, void *userdata)
{
    assert(!f->done); /* one at a time: act.c sees to it */
    f->done = done;
    f->userdata = userdata;
    f->before = look(f);
    if (f->remote) {
        loop_timer_set(f->timer, 0);
    } else if (!f->wanted) {
        run(f, (const char *const[]){"condor_config_val", "-config", NULL}, NULL, remove_now);
    } else if (strcmp(f->present, f->revision) == 0) {
        run(f, (const char *const[]){"condor_config_val", f->daemon, f->knob, NULL}, NULL,
            asked_first);
    } else {
        run(f, (const char *const[]){"condor_config_val", "-config", NULL}, NULL, got_sources);
    }
}
