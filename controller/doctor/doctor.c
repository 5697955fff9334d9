#include "doctor/doctor.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "doctor/checks.h"
#include "doctor/visit.h"

const struct check doctor_checks[CHECK_COUNT] = {
    [CHECK_TOOLS] = {"tools", PART_TOOLS, tools_begin, "HTCondor's tools and their version"},
    [CHECK_PROGRAMS] =
        {"programs", PART_TOOLS, programs_begin,
         "eyried, eyrie-host and eyrie-notify, of this version; the groups' commands"},
    [CHECK_DAEMON] = {"daemon", PART_EYRIED, daemon_begin,
                      "eyried answers and all is well with it"},
    [CHECK_UNIT] = {"unit", PART_EYRIED, NULL, "the systemd unit, and who eyried is"},
    [CHECK_STATE] = {"state", PART_EYRIED, state_begin, "state folder, ledger and disk space"},
    [CHECK_CREDENTIALS] = {"credentials", PART_EYRIED, NULL,
                           "the secrets that the unit hands over"},
    [CHECK_SECRETS] = {"secrets", PART_EYRIED, secrets_begin, "the secrets that the policy names"},
    [CHECK_KEY] = {"key", PART_EYRIED, key_begin, "the signing key and who may read it"},
    [CHECK_QUEUE] = {"queue", PART_SCHEDDS, schedds_begin, "the queue of all users can be read"},
    [CHECK_GATE] = {"gate", PART_SCHEDDS, NULL, "the flocking fragment, as the schedd has it"},
    [CHECK_SCHEDD_KNOBS] = {"knobs", PART_SCHEDDS, NULL, "the schedd's other knobs"},
    [CHECK_RECONFIGURE] = {"reconfigure", PART_SCHEDDS, NULL,
                           "the right to make the schedd read the fragment"},
    [CHECK_FLOCKING] = {"flocking", PART_SCHEDDS, NULL,
                        "the schedd's right to tell the virtual pool of its jobs"},
    [CHECK_COLLECTOR] = {"collector", PART_POOL, pool_begin, "the collector and its knobs"},
    [CHECK_NEGOTIATOR] = {"negotiator", PART_POOL, NULL, "the negotiator and its knobs"},
    [CHECK_SHARES] = {"shares", PART_POOL, NULL, "the fragment with the groups' shares"},
    [CHECK_RIGHTS] = {"rights", PART_POOL, NULL, "the rights to drain VMs and to take ads away"},
    [CHECK_TOKEN] = {"token", PART_POOL, NULL, "a VM's token: signed, and admitted"},
    [CHECK_CLOCK] = {"clock", PART_POOL, NULL, "the clocks of central managers and schedds"},
    [CHECK_FRAGMENT] = {"fragment", PART_VMS, fragment_begin,
                        "the VMs' configuration, as HTCondor reads it"},
    [CHECK_SLOTS] = {"slots", PART_VMS, NULL, "what the VMs say: clock, retirement, strangers"},
    [CHECK_HOST] = {"host", PART_HOSTS, hosts_begin, "libvirt answers; the host is large enough"},
    [CHECK_STORAGE] = {"storage", PART_HOSTS, NULL, "the storage pool runs and has room"},
    [CHECK_IMAGE] = {"image", PART_HOSTS, NULL, "each template's image and its format"},
    [CHECK_TEMPLATE] = {"template", PART_HOSTS, NULL, "each template's domain, KVM, the cpu"},
};

static int finding_compare(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (x->part != y->part)
        return x->part < y->part ? -1 : 1;
    int r = strcmp(x->subject, y->subject);
    return r                            ? r
           : strcmp(x->check, y->check) ? strcmp(x->check, y->check)
                                        : strcmp(x->what, y->what);
}

/* What root alone can find out, and who eyried is. */
static const begin_check first[] = {unit_begin, flocking_begin, NULL};

/* Begin these, and wait until all that they sent for is there. Returns 0 or -errno. */
static int run(struct visit *v, const begin_check *checks)
{
    v->n_out++; /* one may have ended before the next one begins */
    for (; *checks; checks++)
        (*checks)(v);
    return --v->n_out > 0 ? loop_run(v->loop) : 0;
}

/* Tools find the secrets in our copies, also where the unit's environment names its own folder. */
static void point_at_credentials(const struct visit *v)
{
    if (!v->credentials)
        return;
    for (size_t i = 0; i < v->identity.n; i++) {
        const char *equals = strchr(v->identity.environment[i], '=');
        if (strcmp(equals + 1, "/run/credentials/eyried.service") == 0) {
            AUTOFREE char *name = mem_printf("%.*s", (int)(equals - v->identity.environment[i]),
                                             v->identity.environment[i]);
            (void)setenv(name, v->credentials, 1);
        }
    }
    (void)setenv("CREDENTIALS_DIRECTORY", v->credentials, 1);
}

/* Go on as eyried would, if we can. */
static int become_eyried(struct visit *v, struct err *e)
{
    const struct passwd *p = getpwuid(geteuid());
    const char *user = p ? p->pw_name : "?";
    if (!v->identity.user || !*v->identity.user || strcmp(v->identity.user, user) == 0)
        return 0;
    if (geteuid() != 0) {
        visit_skip(v, CHECK_UNIT, "",
                   "all this is as the user %s sees it; eyried runs as %s: run doctor "
                   "as root, to look as eyried does",
                   user, v->identity.user);
        return 0;
    }
    int r = credentials_give(v, e);
    if (r == 0)
        r = identity_adopt(&v->identity, e);
    if (r == 0)
        point_at_credentials(v);
    if (r == 0)
        visit_ok(v, CHECK_UNIT, "", "all else is looked at as the user %s, as the unit runs it",
                 v->identity.user);
    return r;
}

int doctor_look(const struct doctor_args *args, struct json_object **ret, struct err *e)
{
    struct loop *loop = NULL;
    int r = loop_new(&loop, e);
    if (r < 0)
        return r;
    CLEANUP(arena_free_p) struct arena *arena = arena_new();
    struct visit v = {
        .loop = loop,
        .policy = args->policy,
        .file = args->file,
        .eyrie = args->eyrie,
        .socket = args->socket ? args->socket : args->policy->paths.socket,
        .arena = arena,
    };
    begin_check rest[CHECK_COUNT + 1] = {0};
    size_t n = 0;
    for (int i = 0; i < CHECK_COUNT; i++)
        if (doctor_checks[i].begin)
            rest[n++] = doctor_checks[i].begin;
    (void)err_set(e, EIO, "the event loop failed");
    r = run(&v, first);
    if (r >= 0)
        credentials_look(&v);
    if (r >= 0)
        r = become_eyried(&v, e);
    if (r >= 0)
        r = run(&v, rest);
    visit_end(&v);
    credentials_take_back(&v);
    (void)loop_free(loop);
    if (r < 0)
        return r;
    if (v.n)
        qsort(v.findings, v.n, sizeof(*v.findings), finding_compare);
    *ret = finding_view(v.findings, v.n);
    return 0;
}
