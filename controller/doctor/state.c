/* Files: the state folder with the ledger, and the key that signs the VMs' tokens. */
#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/credential.h"
#include "base/mem.h"
#include "base/text.h"
#include "doctor/checks.h"
#include "record/ledger.h"

/* The ledger of a large pool is some megabytes; a full disk stops every create. */
#define LEAST_FREE (256 * MIB)

static void check_space(struct visit *v, const char *folder)
{
    struct statvfs s;
    char room[UNITS_TEXT_MAX];
    if (statvfs(folder, &s) < 0)
        return;
    int64_t available = (int64_t)s.f_bavail * (int64_t)s.f_frsize;
    (void)units_format_bytes(available, room);
    if (available >= LEAST_FREE)
        visit_ok(v, CHECK_STATE, folder, "%s are free", room);
    else
        visit_wrong(
            v, CHECK_STATE, folder, visit_text(v, "only %s are free", room),
            "a VM is written down before it is created: with a full disk there are no new VMs",
            visit_text(v, "df -h %s; make room, or set paths.state", folder));
}

static void check_ledger(struct visit *v, const char *path)
{
    struct ledger *ledger = NULL;
    struct err e;
    if (ledger_open_read(path, &ledger, &e) < 0) {
        visit_wrong(
            v, CHECK_STATE, path, e.text,
            "what cannot be written down is not started; losing a ledger loses history and orders, "
            "never VMs or jobs",
            visit_text(v, "systemctl restart eyried: it moves a damaged one aside; or mend the disk "
                          "under %s", path));
        return;
    }
    v->left = ledger_order_find(ledger, LEDGER_LEAVE, "") != NULL;
    (void)ledger_close(ledger);
    visit_ok(v, CHECK_STATE, path, "the ledger opens and is whole");
}

/* What eyried moved out of its way stays until somebody has looked. */
static void check_aside(struct visit *v, const char *ledger)
{
    AUTOFREE char *pattern = mem_printf("%s.damaged-*Z", ledger);
    glob_t found;
    if (glob(pattern, 0, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        visit_wrong(v, CHECK_STATE, visit_text(v, "%s", found.gl_pathv[i]), "the ledger was damaged, and is kept here",
                    "orders of admins (pause, cordon, drain), agents and the history may be lost",
                    visit_text(v, "give the orders again; then: rm %s*", found.gl_pathv[i]));
    globfree(&found);
}

static void check_folder(struct visit *v, const char *folder, const struct stat *s)
{
    const char *why = "eyried writes its ledger there; who else can write may change what it does";
    if (!S_ISDIR(s->st_mode))
        visit_wrong(v, CHECK_STATE, folder, "it is no folder", why,
                    visit_text(v, "rm %s; install -d -o eyrie -g eyrie -m 750 %s", folder, folder));
    else if (s->st_mode & S_IWOTH)
        visit_wrong(v, CHECK_STATE, folder, "everybody may write to it", why,
                    visit_text(v, "chmod o-w %s", folder));
    else if (access(folder, W_OK | X_OK) < 0)
        visit_wrong(
            v, CHECK_STATE, folder,
            visit_text(v, "the user %d cannot write to it: %s", (int)geteuid(), strerror(errno)),
            why,
            visit_text(v, "chown eyrie: %s; or run doctor as the user that eyried runs as",
                       folder));
    else
        visit_ok(v, CHECK_STATE, folder, "the folder can be written to");
}

void state_begin(struct visit *v)
{
    const char *folder = v->policy->paths.state;
    const char *ledger = visit_text(v, "%s/ledger.sqlite", folder);
    struct stat s;
    if (stat(folder, &s) < 0 && errno == ENOENT) {
        visit_skip(v, CHECK_STATE, folder, "not there yet: the unit makes it");
        return;
    }
    if (stat(folder, &s) < 0) {
        visit_wrong(v, CHECK_STATE, folder, strerror(errno), "eyried keeps its ledger there",
                    "run doctor as root, or as the user that eyried runs as");
        return;
    }
    check_folder(v, folder, &s);
    check_space(v, folder);
    check_aside(v, ledger);
    v->ran_here = access(ledger, F_OK) == 0;
    if (v->ran_here)
        check_ledger(v, ledger);
}

static void judge_key(struct visit *v, const char *path)
{
    struct stat s;
    if (stat(path, &s) < 0) {
        visit_wrong(v, CHECK_KEY, path, strerror(errno),
                    "without it no VM gets a token, and none can join",
                    visit_text(v,
                               "copy the key %s of the central manager's SEC_PASSWORD_DIRECTORY to "
                               "%s, mode 600, for the user that eyried runs as",
                               v->policy->pool.signing_key, path));
    } else if (s.st_mode & 077) {
        visit_wrong(v, CHECK_KEY, path, visit_text(v, "its mode is %03o", s.st_mode & 0777),
                    "who reads it can make tokens, and machines that jobs are sent to",
                    visit_text(v, "chmod 600 %s", path));
    } else if (access(path, R_OK) < 0) {
        visit_wrong(v, CHECK_KEY, path, visit_text(v, "the user %d cannot read it", (int)geteuid()),
                    "without it no VM gets a token, and none can join",
                    visit_text(v, "chown eyrie: %s", path));
    } else {
        visit_ok(v, CHECK_KEY, path, "only its owner can read it");
    }
}

static void folder_told(struct visit *v, const void *about, const struct child_result *r)
{
    const char *key = v->policy->pool.signing_key;
    (void)about;
    const char *path = visit_text(v, "%.*s", (int)strcspn(r->output, "\n"), r->output);
    if (r->error || *path != '/') {
        visit_skip(v, CHECK_KEY, key, "HTCondor does not say where keys are: %s",
                   visit_reason(v, r));
        return;
    }
    if (strcmp(key, "POOL") != 0)
        path = visit_text(v, "%s/%s", path, key);
    AUTOFREE char *folder = mem_strdup(path);
    *strrchr(folder, '/') = '\0';
    if (access(*folder ? folder : "/", X_OK) < 0)
        visit_skip(v, CHECK_KEY, path, "the folder cannot be looked at from here: %s",
                   strerror(errno));
    else
        judge_key(v, path);
}

void key_begin(struct visit *v)
{
    const char *key = v->policy->pool.signing_key;
    AUTOFREE char *given = credential_find(key);
    if (given) {
        visit_ok(v, CHECK_KEY, key, "systemd hands it over");
        return;
    }
    if (credentials_hide(v, key)) {
        visit_skip(v, CHECK_KEY, key, "the unit hands it over, and it is not to be seen from here");
        return;
    }
    const char *knob = strcmp(v->policy->pool.signing_key, "POOL") == 0
                           ? "SEC_TOKEN_POOL_SIGNING_KEY_FILE"
                           : "SEC_PASSWORD_DIRECTORY";
    visit_send(v,
               &(struct errand_args){.argv = (const char *const[]){"condor_config_val", knob, NULL},
                                     .tools = v->policy->pool.tools,
                                     .done = folder_told});
}
