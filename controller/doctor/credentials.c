/*
 * Secrets: what the unit has systemd hand over (LoadCredential=), while we are root, and what the
 * policy names. So that tools find them as under the unit, root makes copies for the user that
 * eyried runs as, which are removed at the end of the visit.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "act/fragment.h"
#include "base/credential.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/checks.h"
#include "doctor/scratch.h"

static const char why_missing[] =
    "systemd does not start eyried without it (status 243, CREDENTIALS)";
static const char why_open[] = "who reads it can act as eyried; systemd reads it as root";

static bool is_key(const struct visit *v, const char *name)
{
    return strcmp(name, v->policy->pool.signing_key) == 0;
}

static void missing(struct visit *v, const char *name, const char *path, int error)
{
    const char *mend =
        is_key(v, name)
            ? visit_text(
                  v,
                  "copy the key %s of SEC_PASSWORD_DIRECTORY on %s to %s, for root alone, mode 600",
                  name, v->policy->pool.central_manager, path)
            : visit_text(
                  v,
                  "put it there, for root alone, mode 600; or for a folder: install -d -m 700 %s",
                  path);
    visit_wrong(v, CHECK_CREDENTIALS, path,
                visit_text(v, "the unit hands it over as %s: %s", name, strerror(error)),
                why_missing, mend);
}

/* One that is there: root's alone? */
static void judge_file(struct visit *v, const char *name, const char *path, const struct stat *s)
{
    v->given = arena_grow(v->arena, v->given, v->n_given, &v->given_capacity, sizeof(*v->given));
    v->given[v->n_given++] = (struct identity_secret){name, path};
    if (s->st_mode & 077)
        visit_wrong(v, CHECK_CREDENTIALS, path,
                    visit_text(v, "its mode is %03o", s->st_mode & 0777), why_open,
                    visit_text(v, "chmod 600 %s", path));
    else if (s->st_uid != geteuid())
        visit_wrong(
            v, CHECK_CREDENTIALS, path, visit_text(v, "it belongs to the user %d", (int)s->st_uid),
            "whoever runs as that user reads it at any time, and not eyried alone while it runs",
            visit_text(v, "chown root: %s", path));
    else
        visit_ok(v, CHECK_CREDENTIALS, path, "root alone reads it, and hands it over as %s", name);
}

/* A folder: each file in it, as systemd names them. */
static void judge_folder(struct visit *v, const struct identity_secret *secret)
{
    DIR *folder = opendir(secret->path);
    const struct dirent *entry;
    size_t n = 0;
    if (!folder) {
        missing(v, secret->name, secret->path, errno);
        return;
    }
    while ((entry = readdir(folder))) {
        const char *path = visit_text(v, "%s/%s", secret->path, entry->d_name);
        struct stat s;
        if (stat(path, &s) == 0 && S_ISREG(s.st_mode)) {
            judge_file(v, visit_text(v, "%s_%s", secret->name, entry->d_name), path, &s);
            n++;
        }
    }
    (void)closedir(folder);
    if (n == 0)
        visit_ok(v, CHECK_CREDENTIALS, secret->path, "nothing is in it to be handed over");
}

void credentials_look(struct visit *v)
{
    v->looked = geteuid() == 0;
    for (size_t i = 0; i < v->identity.n_secrets; i++) {
        const struct identity_secret *secret = &v->identity.secrets[i];
        struct stat s;
        int r = stat(secret->path, &s);
        if (!v->looked && (r == 0 || errno == EACCES))
            visit_skip(v, CHECK_CREDENTIALS, secret->path,
                       "the unit hands it over as %s: run doctor as root, to look at it",
                       secret->name);
        else if (r < 0)
            missing(v, secret->name, secret->path, errno);
        else if (S_ISDIR(s.st_mode))
            judge_folder(v, secret);
        else
            judge_file(v, secret->name, secret->path, &s);
    }
}

/* ---- copies, as the service manager would make them -------------------------------------------
 */

static int copy(const struct identity_secret *secret, const char *folder, const struct passwd *p,
                struct err *e)
{
    CLEANUP(text_done) struct text content = {0};
    AUTOFREE char *path = mem_printf("%s/%s", folder, secret->name);
    int r = fragment_read(secret->path, LIMIT_CONFIG_BYTES, &content, e);
    if (r < 0)
        return r;
    AUTOCLOSE int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
    if (fd >= 0)
        errno = EIO; /* of a write that is cut short */
    if (fd < 0 || fchown(fd, p->pw_uid, p->pw_gid) < 0 ||
        write(fd, text_get(&content), content.length) != (ssize_t)content.length)
        r = err_set(e, errno, "%s: %s", path, strerror(errno));
    if (content.data)
        explicit_bzero(content.data, content.length);
    return r;
}

int credentials_give(struct visit *v, struct err *e)
{
    const struct passwd *p = getpwnam(v->identity.user);
    if (!p || v->n_given == 0)
        return 0;
    int r = scratch_folder(&v->credentials, e);
    for (size_t i = 0; r == 0 && i < v->n_given; i++)
        r = copy(&v->given[i], v->credentials, p, e);
    if (r == 0 && chown(v->credentials, p->pw_uid, p->pw_gid) < 0)
        r = err_set(e, errno, "%s: %s", v->credentials, strerror(errno));
    return r;
}

void credentials_take_back(struct visit *v)
{
    for (size_t i = 0; v->credentials && i < v->n_given; i++) {
        AUTOFREE char *path = mem_printf("%s/%s", v->credentials, v->given[i].name);
        (void)unlink(path);
    }
    if (v->credentials)
        (void)rmdir(v->credentials);
    free(v->credentials);
    v->credentials = NULL;
}

bool credentials_hide(const struct visit *v, const char *name)
{
    AUTOFREE char *found = credential_find(name);
    bool given = false;
    for (size_t i = 0; i < v->identity.n_secrets; i++)
        given = given || strcmp(v->identity.secrets[i].name, name) == 0;
    return given && !found;
}

/* ---- what the policy names ---------------------------------------------------------------------
 */

static void judge_credential(struct visit *v, const char *value, const char *what)
{
    const char *name = credential_name(value);
    AUTOFREE char *found = credential_find(name);
    if (found)
        visit_ok(v, CHECK_SECRETS, value, "%s is handed over", what);
    else if (v->identity.n_secrets > 0 && !v->looked)
        visit_skip(v, CHECK_SECRETS, value, "whether %s is handed over, root alone can tell", what);
    else
        visit_wrong(
            v, CHECK_SECRETS, value,
            visit_text(v, "%s is not handed over: there is no credential of that name", what),
            "eyried gets its secrets from systemd when it starts",
            text_starts_with(name, "secret_")
                ? visit_text(v,
                             "put it into /etc/eyrie/secrets.d/%s, for root alone, mode 600; "
                             "systemctl restart eyried",
                             name + strlen("secret_"))
                : visit_text(v,
                             "systemctl edit eyried: [Service] LoadCredential=%s:PATH; systemctl "
                             "restart eyried",
                             name));
}

/* A secret, or with @open what all may read. */
static void judge_place(struct visit *v, const char *value, const char *what, bool open)
{
    struct stat s;
    if (credential_name(value)) {
        judge_credential(v, value, what);
    } else if (stat(value, &s) < 0 || access(value, R_OK) < 0) {
        int error = errno;
        visit_wrong(
            v, CHECK_SECRETS, value, visit_text(v, "%s cannot be read: %s", what, strerror(error)),
            "eyried reads it when it is needed",
            error == EACCES
                ? visit_text(
                      v, "chown eyrie: %s; or let systemd hand it over: credential:NAME, eyried(8)",
                      value)
                : visit_text(v, "put it there, or name another file in %s", v->file));
    } else if (!open && (s.st_mode & 077)) {
        visit_wrong(v, CHECK_SECRETS, value,
                    visit_text(v, "the mode of %s is %03o", what, s.st_mode & 0777),
                    "others than eyried can read it", visit_text(v, "chmod 600 %s", value));
    } else {
        visit_ok(v, CHECK_SECRETS, value, "%s can be read%s", what, open ? "" : ", by nobody else");
    }
}

void secrets_begin(struct visit *v)
{
    const struct policy *p = v->policy;
    if (*p->agents.listen) {
        judge_place(v, p->agents.certificate, "agents.certificate", true);
        judge_place(v, p->agents.key, "agents.key", false);
    }
    for (size_t i = 0; i < p->n_groups; i++)
        if (*p->groups[i].notify.secret_file)
            judge_place(v, p->groups[i].notify.secret_file,
                        visit_text(v, "the secret for the webhook of %s", p->groups[i].name),
                        false);
}
