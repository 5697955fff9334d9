
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "act/flock-private.h"
#include "act/gates.h"
#include "act/replace.h"
#include "base/limits.h"
#include "base/mem.h"

static void offered(void *userdata);

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
    f->difference = mem_strdup("");
    f->timer = loop_timer_new(loop, f->remote ? offered : flock_confirm, f);
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
    int r = flock_render(p, target->file, template_text, mark, &content, e);
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
    free(f->difference);
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
    if (f->done)
        return;
    free(look(f));
    flock_ask(f);
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
        .failed = f->failed ? f->failed : f->differs,
        .error = f->failed ? f->error : f->difference,
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

void flock_end(struct flocking *f, const char *error)
{
    flock_done done = f->done;
    AUTOFREE char *text = mem_strdup(error);
    f->failed = error ? loop_now(f->loop) : 0;
    mem_replace(&f->error, error ? error : "");
    f->differs = 0;
    f->ask_at = loop_ticks(f->loop) + FLOCK_ASK_AFTER;
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

/* The rest is between the agent and its daemon; what comes of it is in its reports. */
static void offered(void *userdata)
{
    struct flocking *f = userdata;
    const struct flock_target target = target_of(f);
    struct err e;
    int r = f->remote->offer(f->remote->userdata, &target, f->knob, f->wanted ? f->revision : "",
                             f->wanted ? f->content : "", &e);
    flock_end(f, r < 0 ? e.text : NULL);
}

void flock_apply(struct flocking *f, flock_done done, void *userdata)
{
    assert(!f->done); /* one at a time: act.c sees to it */
    f->done = done;
    f->userdata = userdata;
    f->placing = f->wanted;
    f->before = look(f);
    if (f->remote)
        loop_timer_set(f->timer, 0);
    else
        flock_apply_here(f);
}
