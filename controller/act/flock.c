#include "act/flock.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "act/fragment.h"
#include "act/replace.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop/child.h"

static const usec tool_deadline = 20 * USEC_PER_SEC;
/* A schedd reads its configuration a moment after it was told to; HTCondor tells nobody when. */
static const usec confirm_within = 10 * USEC_PER_SEC;
static const usec confirm_again = USEC_PER_SEC / 4;

struct flocking {
    struct loop *loop;
    char *schedd;
    char *path;
    char *tools;
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

static int render(struct flocking *f, const struct policy *p, const char *template_text, struct err *e)
{
    AUTOFREE char *knob = mem_strdup(p->pool.name);
    for (char *c = knob; *c; c++)
        if (*c == '-')
            *c = '_';
    f->knob = mem_printf("EYRIE_REVISION_%s", knob);
    struct fragment_value values[] = {
        {"POOL", p->pool.name},
        {"KNOB", knob},
        {"FLAG", p->pool.flag},
        {"CENTRAL_MANAGER", p->pool.central_manager},
        {"REVISION", ""},
    };
    struct text first = {0}, second = {0};
    int r = fragment_render("main-schedd.conf", template_text, values, ARRAY_SIZE(values), &first, e);
    if (r == 0) {
        values[4].value = fragment_digest(text_get(&first), first.length, f->revision);
        r = fragment_render("main-schedd.conf", template_text, values, ARRAY_SIZE(values), &second,
                            e);
    }
    if (r == 0 && !strstr(text_get(&second), f->revision))
        r = err_set(e, EINVAL, "main-schedd.conf: @REVISION@ is missing, without which the schedd "
                               "cannot confirm that it has read the fragment");
    if (r == 0)
        f->content = mem_strdup(text_get(&second));
    text_done(&first);
    text_done(&second);
    return r;
}

int flock_new(struct loop *loop, const struct policy *p, const struct policy_schedd *schedd,
              const char *template_text, struct flocking **ret, struct err *e)
{
    struct flocking *f = mem_new(1, sizeof(*f));
    f->loop = loop;
    f->schedd = mem_strdup(schedd->name);
    f->path = mem_strdup(schedd->flock);
    f->tools = mem_strdup(schedd->tools);
    f->error = mem_strdup("");
    f->timer = loop_timer_new(loop, ask_confirmation, f);
    int r = render(f, p, template_text, e);
    if (r < 0) {
        (void)flock_free(f);
        return r;
    }
    flock_look(f);
    *ret = f;
    return 0;
}

struct flocking *flock_free(struct flocking *f)
{
    if (!f)
        return NULL;
    (void)child_free(f->child);
    (void)loop_timer_free(f->timer);
    free(f->schedd);
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
    return f->schedd;
}

void flock_want(struct flocking *f, bool wanted)
{
    f->wanted = wanted;
    f->failed = 0;
}

/* What is in the file now, owned by the caller, or NULL; its digest goes to f->present. */
static char *look(struct flocking *f)
{
    struct text content = {0};
    struct err e;
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

void flock_fill(const struct flocking *f, struct world_flock *w)
{
    *w = (struct world_flock){
        .schedd = f->schedd,
        .wanted = f->wanted ? f->revision : "",
        .present = f->present,
        .believed = f->believed,
        .failed = f->failed,
        .error = f->error,
    };
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
        AUTOFREE char *text = mem_printf("%s does not take the fragment yet: %s", f->schedd, r->error);
        end(f, text);
        return;
    }
    f->confirm_until = loop_ticks(f->loop) + confirm_within;
    ask_confirmation(f);
}

static void reconfigure(struct flocking *f)
{
    run(f, (const char *const[]){"condor_reconfig", "-schedd", NULL}, NULL, reconfigured);
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
        AUTOFREE char *text = mem_printf("%s cannot be asked what it believes: %s", f->schedd,
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
                       f->schedd, f->believed, f->path, f->knob);
        roll_back(f, text);
    }
}

static void ask_confirmation(void *userdata)
{
    struct flocking *f = userdata;
    run(f, (const char *const[]){"condor_config_val", "-schedd", f->knob, NULL}, NULL, confirmed);
}

static void checked(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    struct err e;
    replace_scratch_remove(f->path, "check");
    if (r->error) {
        replace_scratch_remove(f->path, "new");
        AUTOFREE char *text = mem_printf("HTCondor's parser refuses the fragment: %s", r->error);
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

/* The site's own root configuration is the first source that HTCondor names. */
static void got_sources(void *userdata, const struct child_result *r)
{
    struct flocking *f = userdata;
    struct err e;
    const char *line = strchr(r->output, '/'); /* headings, which name no path, may come before */
    if (r->error || !line) {
        AUTOFREE char *text = mem_printf("cannot find the schedd's configuration: %s",
                                         r->error ? r->error : "condor_config_val names none");
        end(f, text);
        return;
    }
    AUTOFREE char *scratch = replace_scratch_path(f->path, "new");
    AUTOFREE char *check = replace_scratch_path(f->path, "check");
    AUTOFREE char *root = mem_printf("include : %.*s\ninclude : %s\n", (int)strcspn(line, "\n"), line,
                                     scratch);
    AUTOFREE char *variable = mem_printf("CONDOR_CONFIG=%s", check);
    int k = replace_scratch_write(f->path, "new", f->content, &e);
    if (k == 0)
        k = replace_scratch_write(f->path, "check", root, &e);
    if (k < 0) {
        replace_scratch_remove(f->path, "new");
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

void flock_apply(struct flocking *f, flock_done done, void *userdata)
{
    assert(!f->done); /* one at a time: act.c sees to it */
    f->done = done;
    f->userdata = userdata;
    f->before = look(f);
    if (!f->wanted) {
        run(f, (const char *const[]){"condor_config_val", "-config", NULL}, NULL, remove_now);
    } else if (strcmp(f->present, f->revision) == 0) {
        run(f, (const char *const[]){"condor_config_val", "-schedd", f->knob, NULL}, NULL,
            asked_first);
    } else {
        run(f, (const char *const[]){"condor_config_val", "-config", NULL}, NULL, got_sources);
    }
}
