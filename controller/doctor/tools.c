/* The programs: HTCondor's tools in each folder that the policy names, eyried, eyrie-host. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "doctor/checks.h"
#include "doctor/version.h"

/* What Eyrie was tried with is 23.9; HTCondor's long-term line before it is 23.0. */
enum { OLDEST_MAJOR = 23 };

struct folder {
    const char *path; /* "": PATH */
    const char *key;  /* that names it */
    bool of_pool, of_schedd;
};

static const char *const pool_tools[] = {
    "condor_advertise", "condor_config_val",   "condor_drain",   "condor_ping", "condor_q",
    "condor_status",    "condor_token_create", "condor_version", NULL,
};
static const char *const schedd_tools[] = {
    "condor_config_val", "condor_ping", "condor_reconfig", "condor_version", NULL,
};

/* The path of @name in @folder or, when that is "", in PATH; NULL: nowhere. */
static const char *find(struct visit *v, const char *folder, const char *name)
{
    if (*folder) {
        const char *path = visit_text(v, "%s/%s", folder, name);
        return access(path, X_OK) == 0 ? path : NULL;
    }
    const char *path = getenv("PATH");
    for (const char *p = path ? path : ""; *p; p += strspn(p, ":")) {
        size_t n = strcspn(p, ":");
        const char *candidate = visit_text(v, "%.*s/%s", (int)n, p, name);
        if (access(candidate, X_OK) == 0)
            return candidate;
        p += n;
    }
    return NULL;
}

static void version_told(struct visit *v, const void *about, const struct child_result *r)
{
    const struct folder *f = about;
    const char *place = *f->path ? f->path : "PATH";
    unsigned major, minor, patch;
    if (r->error) {
        visit_wrong(v, CHECK_TOOLS, place,
                    visit_text(v, "condor_version fails: %s", visit_reason(v, r)),
                    "a tool that cannot start tells eyried nothing: queue and slots go stale and "
                    "nothing is started",
                    visit_text(v, "%s/condor_version",
                               *f->path ? f->path
                                        : "$(dirname $(which "
                                          "condor_version))"));
    } else if (!version_read(r->output, &major, &minor, &patch)) {
        visit_skip(v, CHECK_TOOLS, place, "condor_version names no version");
    } else if (major < OLDEST_MAJOR) {
        visit_wrong(
            v, CHECK_TOOLS, place,
            visit_text(v, "HTCondor %u.%u.%u, older than %d.0", major, minor, patch, OLDEST_MAJOR),
            "flocking of flagged jobs only (FlockTo, FLOCK_BY_DEFAULT) was tried with 23.9",
            "install HTCondor 23.0 or newer");
    } else {
        visit_ok(v, CHECK_TOOLS, place, "HTCondor %u.%u.%u", major, minor, patch);
    }
}

/* Add those of @names that are not in @folder to @missing, each once. */
static void look_for(struct visit *v, const char *folder, const char *const *names,
                     struct text *missing)
{
    for (; *names; names++)
        if (!find(v, folder, *names) && !strstr(text_get(missing), *names))
            text_printf(missing, "%s%s", missing->length ? ", " : "", *names);
}

static void check_folder(struct visit *v, const struct folder *f)
{
    CLEANUP(text_done) struct text missing = {0};
    if (f->of_pool)
        look_for(v, f->path, pool_tools, &missing);
    if (f->of_schedd)
        look_for(v, f->path, schedd_tools, &missing);
    if (missing.length) {
        visit_wrong(v, CHECK_TOOLS, *f->path ? f->path : "PATH",
                    visit_text(v, "there is no %s", text_get(&missing)),
                    "eyried asks and steers HTCondor by its tools alone",
                    visit_text(v,
                               "apt install htcondor, or name the folder that has them as %s in %s",
                               f->key, v->file));
        return;
    }
    visit_send(v, &(struct errand_args){.argv = (const char *const[]){"condor_version", NULL},
                                        .tools = f->path,
                                        .about = f,
                                        .done = version_told});
}

void tools_begin(struct visit *v)
{
    const struct policy *p = v->policy;
    struct folder *folders = arena_take(v->arena, p->n_schedds + 1, sizeof(*folders));
    size_t n = 1;
    folders[0] = (struct folder){.path = p->pool.tools, .key = "pool.tools", .of_pool = true};
    for (size_t i = 0; i < p->n_schedds; i++) {
        size_t k = 0;
        while (k < n && strcmp(folders[k].path, p->schedds[i].tools) != 0)
            k++;
        if (k == n)
            folders[n++] =
                (struct folder){.path = p->schedds[i].tools, .key = "tools of the schedd"};
        folders[k].of_schedd = true;
    }
    for (size_t i = 0; i < n; i++)
        check_folder(v, &folders[i]);
}

static void program_told(struct visit *v, const void *about, const struct child_result *r)
{
    const char *path = about;
    const char *blank = strchr(r->output, ' ');
    const char *version =
        blank ? visit_text(v, "%.*s", (int)strcspn(blank + 1, "\n"), blank + 1) : "";
    if (r->error)
        visit_wrong(v, CHECK_PROGRAMS, path,
                    visit_text(v, "it does not run: %s", visit_reason(v, r)),
                    "eyried needs it for its hosts, or to tell groups of their requests",
                    "install Eyrie again: meson install -C build/release");
    else if (strcmp(version, EYRIE_VERSION) != 0)
        visit_wrong(
            v, CHECK_PROGRAMS, path,
            visit_text(v, "its version is \"%s\"; this eyrie is " EYRIE_VERSION, version),
            "programs of two versions may not understand each other",
            "install Eyrie again: meson install -C build/release; systemctl restart eyried");
    else
        visit_ok(v, CHECK_PROGRAMS, path, "version %s", version);
}

static void ask_version(struct visit *v, const char *path)
{
    visit_send(v, &(struct errand_args){.argv = (const char *const[]){path, "--version", NULL},
                                        .about = path,
                                        .done = program_told});
}

/* Where it is installed, and where it is built. */
static const char *find_eyried(struct visit *v)
{
    const char *slash = strrchr(v->eyrie, '/');
    int length = slash ? (int)(slash - v->eyrie) : 0;
    const char *const candidates[] = {
        visit_text(v, "%.*s/../sbin/eyried", length, v->eyrie),
        visit_text(v, "%.*s/../eyried", length, v->eyrie),
    };
    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++) {
        AUTOFREE char *path = realpath(candidates[i], NULL);
        if (path && access(path, X_OK) == 0)
            return arena_strdup(v->arena, path);
    }
    return find(v, "", "eyried");
}

/* What tells groups of their requests: eyrie-notify, if there is a webhook, and commands. */
static void notify_programs(struct visit *v)
{
    const char *notify = v->policy->paths.notify_program;
    const char *why = "the group hears nothing of its requests; eyried tries again for a day";
    bool hooks = false;
    for (size_t i = 0; i < v->policy->n_groups; i++) {
        const struct policy_group *g = &v->policy->groups[i];
        hooks = hooks || *g->notify.url;
        if (*g->notify.command && access(g->notify.command, X_OK) < 0)
            visit_wrong(
                v, CHECK_PROGRAMS, g->notify.command,
                visit_text(v, "the notify.command of %s is not there, or cannot be run", g->name),
                why,
                visit_text(v, "chmod 755 %s, or set groups.%s.notify.command in %s",
                           g->notify.command, g->name, v->file));
    }
    if (hooks && access(notify, X_OK) == 0)
        ask_version(v, notify);
    else if (hooks)
        visit_wrong(v, CHECK_PROGRAMS, notify, "it is not there, or cannot be run", why,
                    visit_text(v,
                               "install Eyrie (meson install), or set paths.notify_program in %s",
                               v->file));
}

void programs_begin(struct visit *v)
{
    notify_programs(v);
    const char *host = v->policy->paths.host_program, *eyried = find_eyried(v);
    if (access(host, X_OK) == 0)
        ask_version(v, host);
    else
        visit_wrong(v, CHECK_PROGRAMS, host, "it is not there, or cannot be run",
                    "eyried starts one eyrie-host for each host; without them there are no VMs",
                    visit_text(v, "install Eyrie (meson install), or set paths.host_program in %s",
                               v->file));
    if (eyried)
        ask_version(v, eyried);
    else
        visit_skip(v, CHECK_PROGRAMS, "eyried", "it is neither beside eyrie nor in PATH");
}
