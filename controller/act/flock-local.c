/* Applying a fragment on this host; act/flock.h has the steps. */
#include <ctype.h>
#include <string.h>

#include "act/flock-private.h"
#include "act/replace.h"
#include "base/limits.h"
#include "base/mem.h"

static const usec tool_deadline = 20 * USEC_PER_SEC;
/* A schedd reads its configuration a moment after it was told to; HTCondor tells nobody when. */
static const usec confirm_within = 10 * USEC_PER_SEC;
static const usec confirm_again = USEC_PER_SEC / 4;

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
        flock_end(f, text);
        return;
    }
    f->confirm_until = loop_ticks(f->loop) + confirm_within;
    flock_confirm(f);
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
        flock_end(f, text);
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
        flock_end(f, text);
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
        flock_end(f, text);
    } else if (strcmp(f->believed, f->placing ? f->revision : "") == 0) {
        flock_end(f, NULL);
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

void flock_confirm(void *userdata)
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
        flock_end(f, text);
        return;
    }
    if (undefined || strncmp(r->output, f->revision, strlen(f->revision)) != 0) {
        AUTOFREE char *text =
            mem_printf("HTCondor would not go by the fragment: with it in place %s is \"%.*s\" (is "
                       "%s in a folder of LOCAL_CONFIG_DIR, and does no later file set the knob?)",
                       f->knob, (int)strcspn(r->output, "\n"), r->output, f->path);
        flock_end(f, text);
        return;
    }
    if (replace_commit(f->path, "new", &e) < 0) {
        flock_end(f, e.text);
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

/* Whether it is the file that keeps HTCondor's tools from reading any configuration: cut short, or
 * edited by somebody. Then there is nothing to try the new text in, and nothing worth keeping. */
static bool is_in_the_way(const struct flocking *f, const struct child_result *r)
{
    return r->end == CHILD_EXITED && r->code != 0 && strstr(r->messages, f->path);
}

static void replace_unchecked(struct flocking *f)
{
    struct err e;
    if (replace_file(f->path, f->content, &e) < 0) {
        flock_end(f, e.text);
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
    if (is_in_the_way(f, r)) {
        replace_unchecked(f);
        return;
    }
    if (r->error || !line) {
        AUTOFREE char *text = mem_printf("cannot find the daemon's configuration: %s",
                                         r->error ? r->error : "condor_config_val names none");
        flock_end(f, text);
        return;
    }
    AUTOFREE char *check = replace_scratch_path(f->path, "check");
    AUTOFREE char *root = scratch_root(f, line, strcspn(line, "\n"));
    AUTOFREE char *variable = mem_printf("CONDOR_CONFIG=%s", check);
    int k = replace_scratch_write(f->path, "new", f->content, &e);
    if (k == 0)
        k = replace_scratch_write(f->path, "check", root, &e);
    if (k < 0) {
        flock_end(f, e.text);
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
    bool answers = !r->error || is_in_the_way(f, r);
    if (!answers || (f->before && replace_remove(f->path, &e) < 0)) {
        AUTOFREE char *text = mem_printf("the fragment stays: %s", answers ? e.text : r->error);
        flock_end(f, text);
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
        flock_end(f, NULL);
        return;
    }
    reconfigure(f);
}

void flock_apply_here(struct flocking *f)
{
    if (!f->placing)
        run(f, (const char *const[]){"condor_config_val", "-config", NULL}, NULL, remove_now);
    else if (strcmp(f->present, f->revision) == 0)
        run(f, (const char *const[]){"condor_config_val", f->daemon, f->knob, NULL}, NULL,
            asked_first);
    else
        run(f, (const char *const[]){"condor_config_val", "-config", NULL}, NULL, got_sources);
}
