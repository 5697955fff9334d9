/* eyrie's verbs against the real API in a child process, which serves the sample of serve/. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <curl/curl.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/paint.h"
#include "cli/said.h"
#include "serve/api.h"
#include "serve/sample.h"

struct stage {
    char folder[64];
    char *path;
    pid_t server;
};

static struct snapshot *port_degraded(void *userdata)
{
    (void)userdata;
    return sample_snapshot(NULL, NULL);
}

static struct snapshot *port_quiet(void *userdata)
{
    (void)userdata;
    return sample_quiet();
}

static struct snapshot *port_none(void *userdata)
{
    (void)userdata;
    return NULL;
}

static int port_well(void *userdata, uid_t who, struct err *e)
{
    (void)userdata;
    (void)who;
    (void)e;
    return 0;
}

/* Set before the child is made. */
static bool forbids;

static int port_allow(void *userdata, const struct asker *asker, struct err *e)
{
    (void)userdata;
    return sample_allows(asker) && !forbids
               ? 0
               : err_set(e, EPERM, "carol may look but not change anything; access.admins in "
                                   "/etc/eyrie/eyrie.yaml names who may");
}

static int port_order(void *userdata, const struct order *o, struct err *e)
{
    (void)userdata;
    return o->verb == ORDER_FLOCK_REMOVE ? err_set(e, EIO, "ledger: disk I/O error") : 0;
}

/* The first time it is good. */
static struct json_object *port_reload(void *userdata, const char *user, bool *ret_refused)
{
    static bool asked;
    (void)userdata;
    (void)user;
    *ret_refused = asked;
    asked = true;
    return sample_reload(*ret_refused);
}

/* In the child: serve until killed; one byte on @ready once the socket is there. */
_Noreturn static void serve(const char *path, struct snapshot *(*snapshot)(void *userdata),
                            int ready)
{
    const struct api_port port = {
        .snapshot = snapshot,
        .allow = port_allow,
        .look = port_well,
        .events = sample_events,
        .ask_job = sample_ask_job,
        .forget_job = sample_forget_job,
        .order = port_order,
        .reload = port_reload,
        .requests = sample_requests,
        .book = sample_book,
    };
    struct loop *loop = NULL;
    struct api *api = NULL;
    struct err e = {0};
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (loop_new(&loop, &e) == 0 && (sample_loop = loop) && api_new(loop, path, &port, NULL, &api, &e) == 0 &&
        write(ready, "", 1) == 1)
        (void)loop_run(loop);
    _exit(1);
}

static void stage_setup(struct stage *stage, struct snapshot *(*snapshot)(void *userdata))
{
    int ready[2];
    char byte;
    *stage = (struct stage){.folder = "/tmp/eyrie-cli-XXXXXX"};
    assert_non_null(mkdtemp(stage->folder));
    stage->path = mem_printf("%s/eyried.sock", stage->folder);
    assert_int_equal(pipe(ready), 0);
    stage->server = fork();
    assert_true(stage->server >= 0);
    if (stage->server == 0)
        serve(stage->path, snapshot, ready[1]);
    (void)close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    assert_int_equal(setenv("EYRIE_SOCKET", stage->path, 1), 0);
}

static void stage_end(struct stage *stage)
{
    (void)kill(stage->server, SIGKILL);
    (void)waitpid(stage->server, NULL, 0);
    (void)unlink(stage->path);
    (void)rmdir(stage->folder);
    free(stage->path);
}

static void test_looking_at_a_degraded_pool(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    SAID status = eyrie("status");
    assert_int_equal(status.code, CLI_DEGRADED);
    assert_says(status.out, "vpool is degraded");
    assert_says(status.out, "host hv02: stale");
    assert_says(status.out, "3 of 10 (eyrie.yaml:11): 1 booting, 1 busy, 1 lost, 1 foreign");
    assert_says(status.out, "host 1 of 2 fresh");
    assert_says(status.out, "juno uses 8 cpus and its max is 8 (conf.d/juno.yaml:31)");
    assert_says(status.out, "schedd.lab applied");
    assert_says(status.out, "held, 2 of them because a VM refused them");
    assert_null(strchr(status.out, '\033'));
    size_t lines = 0;
    for (const char *p = status.out; *p; p++)
        lines += *p == '\n';
    assert_true(lines <= 24);
    SAID vms = eyrie("vms");
    assert_int_equal(vms.code, CLI_OK);
    assert_says(vms.out, "NAME ");
    assert_says(vms.out, "vpool-small-1a2b9999");
    assert_says(vms.out, "1/2");
    assert_says(vms.out, "booting for 21s");
    SAID plan = eyrie("plan");
    assert_int_equal(plan.code, CLI_CHANGES);
    assert_says(plan.out, "+ create small on hv01 for juno");
    SAID groups = eyrie("groups");
    assert_int_equal(groups.code, CLI_OK);
    assert_says(groups.out, "lhaaso");
    SAID hosts = eyrie("hosts");
    assert_int_equal(hosts.code, CLI_OK);
    assert_says(hosts.out, "no route to host");
    assert_says(hosts.out, "5/16");
    SAID demand = eyrie("demand");
    assert_int_equal(demand.code, CLI_OK);
    assert_says(demand.out, "WAITING");
    assert_says(demand.out, "eve");
    SAID world = eyrie("world");
    assert_int_equal(world.code, CLI_OK);
    assert_says(world.out, "\"vpool-intruder\"");
    SAID flock = eyrie("flock");
    assert_int_equal(flock.code, CLI_OK);
    assert_says(flock.out, "applied");
    stage_end(&stage);
}

static void test_looking_at_a_quiet_pool(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_quiet);
    SAID status = eyrie("status");
    assert_int_equal(status.code, CLI_OK);
    assert_says(status.out, "vpool is ok");
    SAID plan = eyrie("plan");
    assert_int_equal(plan.code, CLI_OK);
    assert_says(plan.out, "nothing to do");
    SAID vms = eyrie("vms");
    assert_string_equal(vms.out, "There are no VMs.\n");
    stage_end(&stage);
}

static void test_explain(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    SAID vm = eyrie("explain vm 1a2b3");
    assert_int_equal(vm.code, CLI_OK);
    assert_says(vm.out, "vpool-small-1a2b3c4d is busy: 1 slot claimed");
    assert_says(vm.out, "drain: idle for 11m40s");
    assert_says(vm.out, "9 idle jobs want it");
    SAID foreign = eyrie("explain vm vpool-intruder");
    assert_says(foreign.out, "not ours: no metadata of ours");
    SAID wrong = eyrie("explain vm vpool-small-1a2b3c4e");
    assert_int_equal(wrong.code, CLI_FAILURE);
    assert_says(wrong.err, "did you mean vpool-small-1a2b3c4d?");
    SAID odd = eyrie("explain vm ../%20?x");
    assert_int_equal(odd.code, CLI_FAILURE);
    assert_says(odd.err, "there is no VM \"../%20?x\"");
    SAID nothing = eyrie("explain");
    assert_int_equal(nothing.code, CLI_USAGE);
    SAID host = eyrie("explain host hv02");
    assert_int_equal(host.code, CLI_OK);
    assert_says(host.out, "hv02 takes no VMs");
    assert_says(host.out, "the last complete answer is");
    assert_says(host.out, "1 lost");
    SAID group = eyrie("explain group juno");
    assert_int_equal(group.code, CLI_OK);
    assert_says(group.out, "juno gets no more VMs now");
    assert_says(group.out, "9 idle jobs of alice (juno) want 1 cpu, 1GiB: 1 fit into VMs that are up, "
                           "2 wait for VMs being started, 6 are over group juno's max of 8 cpus "
                           "(conf.d/juno.yaml:31)");
    assert_says(group.out, "max          8 (conf.d/juno.yaml:31)");
    assert_says(group.out, "planned      create small: 9 idle jobs want it");
    assert_says(group.out, "submitter    bob");
    SAID unknown = eyrie("explain group june");
    assert_int_equal(unknown.code, CLI_FAILURE);
    assert_says(unknown.err, "did you mean juno?");
    SAID odd_kind = eyrie("explain jobs 1.0");
    assert_int_equal(odd_kind.code, CLI_USAGE);
    stage_end(&stage);
}

static void test_explain_job(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } cases[] = {
        {"explain job 12.3", CLI_OK,
         "12.3 of alice waits, as some like it do: juno uses 8 cpus and its max is 8"},
        {"explain job schedd.lab#12.3", CLI_OK, "like it      9 idle jobs of alice (juno) want 1 cpu"},
        {"explain job 12.3 --schedd schedd.lab -o json", CLI_OK, "\"id\":\"12.3\""},
        {"explain job 12.3 --schedd schedd.lib", CLI_FAILURE, "did you mean schedd.lab?"},
        {"explain job 404.0", CLI_FAILURE, "schedd.lab has no job 404.0 in its queue"},
        {"explain job 500.0", CLI_FAILURE, "schedd.lab does not tell: connection refused"},
        {"explain job 12", CLI_FAILURE, "\"12\" is no job: say 12.3"},
        {"explain job 1.9", CLI_UNREACHABLE, "try again in a moment"},
        {"explain vm 1a2b3 --schedd schedd.lab", CLI_USAGE, "--schedd is for a job"},
    };
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SAID said = eyrie(cases[i].line);
        if (said.code != cases[i].code)
            fail_msg("eyrie %s: %d\n%s%s", cases[i].line, said.code, said.out, said.err);
        assert_says(strstr(said.out, cases[i].says) ? said.out : said.err, cases[i].says);
    }
    stage_end(&stage);
}

static void test_request(void **state)
{
    static const char *const wrong[][2] = {
        {"request book", "usage: eyrie request add | preview | list | show REQUEST"},
        {"request show", "usage: eyrie request"},
        {"request list r-17", "usage: eyrie request"},
        {"request show r-17 --cpus 4", "eyrie request show takes no --cpus"},
        {"request list --shared", "eyrie request list takes no --shared"},
        {"request cancel r-17 --reason x", "eyrie request cancel takes no --reason"},
        {"request cancel r-17 --watch", "eyrie request cancel cannot be watched"},
        {"request show r-17 -o name", "eyrie request show has no names to show"},
        {"request add --group juno --vms 1.5", "--vms=1.5 is not a whole number from 1 on"},
        {"vms --whole-host", "eyrie vms takes no --whole-host"},
    };
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    SAID list = eyrie("request");
    assert_int_equal(list.code, CLI_OK);
    assert_says(list.out, "r-16 waiting juno  alice    3 0/2 small");
    assert_null(strstr(list.out, "r-9 "));
    SAID all = eyrie("request list --all -o name");
    assert_string_equal(all.out, "r-9\nr-16\nr-17\n");
    SAID none = eyrie("request list --group lhaaso");
    assert_string_equal(none.out, "Nothing is booked.\n");
    SAID one = eyrie("request show r-9");
    assert_says(one.out, "r-9 of juno: 4 cpus as 2 × small (2 cpus), exclusive, ");
    assert_says(one.out, "  has ended at ");
    assert_says(one.out, "  9.0 cpu-hours were delivered of 20.0 asked for\n  asked by     alice\n");
    SAID added = eyrie("request add --group juno --cpus 3 --for 2h");
    assert_int_equal(added.code, CLI_OK);
    assert_says(added.out, "granted as r-18\nVMs start now. Submit with:  +VirtualPool = True   ");
    SAID preview = eyrie("request preview --group juno --vms 1 --for 2h --from +1d --whole-host");
    assert_says(preview.out, "exclusive on whole hosts, ");
    assert_says(preview.out, "would be granted\n");
    SAID refused = eyrie("request add --group juno --vms 9 --for 2h");
    assert_int_equal(refused.code, CLI_FAILURE);
    assert_string_equal(refused.out, "");
    assert_says(refused.err, "refused: ");
    SAID json = eyrie("request add --group juno --vms 9 --for 2h -o json");
    assert_int_equal(json.code, CLI_FAILURE);
    assert_says(json.out, "\"offers\":");
    SAID unknown = eyrie("request deny r-99 --why no");
    assert_int_equal(unknown.code, CLI_FAILURE);
    assert_says(unknown.err, "there is no request \"r-99\"");
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        SAID usage = eyrie(wrong[i][0]);
        assert_int_equal(usage.code, CLI_USAGE);
        assert_says(usage.err, wrong[i][1]);
    }
    stage_end(&stage);
}

static void test_reload(void **state)
{
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    SAID good = eyrie("reload");
    assert_int_equal(good.code, CLI_OK);
    assert_says(good.out, "eyrie.yaml is in force; it changes\n");
    assert_says(good.out, "  limits.cpus: 400 → 200 (eyrie.yaml:12)\n  groups.juno: removed\n");
    assert_says(good.out, "\n+ create small on hv01 for juno");
    SAID bad = eyrie("reload");
    assert_int_equal(bad.code, CLI_CONFIGURATION);
    assert_string_equal(bad.out, "");
    assert_says(bad.err, "eyrie.yaml:1:1: the file is empty\n");
    assert_says(bad.err, "the policy from before stays in force");
    SAID json = eyrie("reload -o json");
    assert_int_equal(json.code, CLI_CONFIGURATION);
    assert_says(json.out, "\"error\"");
    stage_end(&stage);
}

static void test_json_is_the_answer(void **state)
{
    static const char *const lines[] = {"status -o json",
                                        "vms --output=json",
                                        "-o json plan",
                                        "groups -ojson",
                                        "hosts -o json",
                                        "flock status -o json",
                                        "explain vm 1a2b3 -o json",
                                        "pause --yes -o json",
                                        "events -o json",
                                        "drain hv01 -o json --yes",
                                        "demand -o json",
                                        "world",
                                        "explain host hv01 -o json",
                                        "explain group juno -o json"};
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        SAID said = eyrie(lines[i]);
        AUTOJSON struct json_object *o = NULL;
        assert_int_equal(json_parse(said.out, strlen(said.out), &o, NULL), 0);
        assert_int_equal(json_int_or(o, "version", 0), 1);
    }
    SAID status = eyrie("status -o json");
    assert_int_equal(status.code, CLI_DEGRADED);
    stage_end(&stage);
}

static void test_vms_are_chosen_and_sorted(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says; /* all of it, for names */
    } cases[] = {
        {"vms -o name", CLI_OK,
         "vpool-small-1a2b3c4d\nvpool-small-1a2b9999\nvpool-small-5e6f7a8b\nvpool-intruder\n"},
        {"vms -o name --state busy", CLI_OK, "vpool-small-1a2b3c4d\n"},
        {"vms -o name --host hv02", CLI_OK, "vpool-small-5e6f7a8b\n"},
        {"vms -o name --group juno --sort age", CLI_OK,
         "vpool-small-1a2b3c4d\nvpool-small-1a2b9999\n"},
        {"vms -o name --sort state", CLI_OK,
         "vpool-small-1a2b9999\nvpool-small-1a2b3c4d\nvpool-small-5e6f7a8b\nvpool-intruder\n"},
        {"vms -o name --sort name --host hv01", CLI_OK,
         "vpool-intruder\nvpool-small-1a2b3c4d\nvpool-small-1a2b9999\n"},
        {"vms --group lhaaso", CLI_OK, "There are no such VMs.\n"},
        {"hosts -o name", CLI_OK, "hv01\nhv02\n"},
        {"groups -o name", CLI_OK, "juno\nlhaaso\n"},
        {"vms --state bussy", CLI_FAILURE,
         "eyrie: there is no state \"bussy\"; did you mean busy?\n"},
        {"vms --host hv03", CLI_FAILURE, "eyrie: there is no host \"hv03\"; did you mean hv01?\n"},
        {"vms --group nobody", CLI_FAILURE,
         "eyrie: there is no group \"nobody\" (eyrie groups lists them)\n"},
        {"vms --sort size", CLI_FAILURE,
         "eyrie: VMs cannot be sorted by \"size\", but by age, group, host, name or state\n"},
        {"status -o name", CLI_USAGE, "eyrie: eyrie status has no names to show\nTry eyrie --help.\n"},
    };
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SAID said = eyrie(cases[i].line);
        assert_int_equal(said.code, cases[i].code);
        assert_string_equal(said.code == CLI_OK ? said.out : said.err, cases[i].says);
    }
    stage_end(&stage);
}

static void test_orders(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says; /* on either */
    } cases[] = {
        {"pause --yes", CLI_OK, "no VM is started, drained, powered off or removed"},
        {"pause", CLI_USAGE, "eyrie pause needs --yes where nobody can be asked"},
        {"resume", CLI_OK, "the pool is not paused"},
        {"cordon hv01 -y --reason disks", CLI_OK, "hv01 takes no new VM"},
        {"cordon hv01", CLI_USAGE, "2 VMs on it stay and take jobs"},
        {"cordon", CLI_USAGE, "usage: eyrie cordon HOST"},
        {"cordon hv03 --yes", CLI_FAILURE, "did you mean hv0"},
        {"uncordon hv01 --yes", CLI_OK, "hv01 is not cordoned"},
        {"fence hv01", CLI_OK, "hv01 answers, so it is not off"},
        {"fence hv02", CLI_USAGE, "1 VM on it counts as gone"},
        {"fence", CLI_USAGE, "usage: eyrie fence HOST"},
        {"unfence hv02", CLI_OK, "hv02 is not fenced"},
        {"drain hv01 --yes", CLI_OK, "1 slot is claimed: its job ends first"},
        {"drain 1a2b3 --now", CLI_USAGE, "its job is lost (12.3 in vpool-small-1a2b3c4d)"},
        {"drain 1a2b3 --now --yes", CLI_OK, "is powered off at once"},
        {"drain 1a2b3 --cancel", CLI_OK, "is not drained by an admin"},
        {"drain 1a2b3 --cancel --now", CLI_USAGE, "--cancel takes a drain back"},
        {"drain vpool-intruder --yes", CLI_FAILURE, "never touched"},
        {"drain zebra --yes", CLI_FAILURE, "neither a host nor a VM \"zebra\""},
        {"drain", CLI_USAGE, "usage: eyrie drain HOST | VM"},
        {"flock remove --yes", CLI_FAILURE, "disk I/O error"},
        {"flock apply --yes", CLI_OK, "is wanted already"},
        {"flock --yes", CLI_USAGE, "changes nothing"},
        {"cordon hv01 --now", CLI_USAGE, "eyrie cordon takes no --now"},
    };
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SAID said = eyrie(cases[i].line);
        if (said.code != cases[i].code)
            fail_msg("eyrie %s: %d\n%s%s", cases[i].line, said.code, said.out, said.err);
        assert_says(strstr(said.out, cases[i].says) ? said.out : said.err, cases[i].says);
    }
    stage_end(&stage);
}

static void test_orders_of_others_are_refused(void **state)
{
    static const char *const lines[] = {"pause --yes", "cordon hv01", "drain 1a2b3 --now --yes"};
    struct stage stage;
    (void)state;
    forbids = true;
    stage_setup(&stage, port_degraded);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        SAID said = eyrie(lines[i]);
        assert_int_equal(said.code, CLI_NOT_PERMITTED);
        assert_string_equal(said.out, "");
        assert_says(said.err, "access.admins in /etc/eyrie/eyrie.yaml names who may");
    }
    forbids = false;
    stage_end(&stage);
}

static void test_events(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *says;
    } cases[] = {
        {"events", CLI_OK, "create            vpool-small-1a2b9999: 9 idle jobs want it"},
        {"events --vm vpool-small-1a2b9999", CLI_OK, "  create  "},
        {"events --host hv02", CLI_OK, "host-failed       hv02: no route to host"},
        {"events --host hv03", CLI_FAILURE, "there is no host \"hv03\""},
        {"events --vm zebra", CLI_FAILURE, "there is no VM \"zebra\""},
        {"events -n 1 -o json", CLI_OK, "\"last\": 1"},
        {"events --since 2001-02-03", CLI_OK, "joined"},
        {"events --since 2001-02-03T04:05:06Z -o json", CLI_OK, "\"id\": 3"},
        {"events --since soon", CLI_USAGE, "--since=soon is no time"},
        {"events --lines 0", CLI_USAGE, "not a number from 1 to 1000"},
        {"events --lines 1 --since 2h", CLI_USAGE, "do not go together"},
        {"events now", CLI_USAGE, "usage: eyrie events"},
    };
    struct stage stage;
    (void)state;
    stage_setup(&stage, port_degraded);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SAID said = eyrie(cases[i].line);
        if (said.code != cases[i].code)
            fail_msg("eyrie %s: %d\n%s%s", cases[i].line, said.code, said.out, said.err);
        assert_says(strstr(said.out, cases[i].says) ? said.out : said.err, cases[i].says);
    }
    SAID one = eyrie("events -n 1");
    assert_null(strstr(one.out, "create"));
    stage_end(&stage);
}

static void test_no_daemon(void **state)
{
    (void)state;
    assert_int_equal(setenv("EYRIE_SOCKET", "/nonexistent/eyried.sock", 1), 0);
    SAID said = eyrie("status");
    assert_int_equal(said.code, CLI_UNREACHABLE);
    assert_string_equal(said.out, "");
    assert_says(said.err, "/nonexistent/eyried.sock");
    assert_says(said.err, "is it running?");
    struct stage stage;
    stage_setup(&stage, port_none);
    SAID early = eyrie("status");
    assert_int_equal(early.code, CLI_UNREACHABLE);
    assert_says(early.err, "there is no plan yet");
    stage_end(&stage);
}

static void test_usage(void **state)
{
    static const struct {
        const char *line;
        const char *says;
    } cases[] = {
        {"stats", "did you mean status?"},
        {"--wacth status", "did you mean --watch?"},
        {"zzzzzz", "there is no verb \"zzzzzz\""},
        {"status -x", "unknown option \"-x\""},
        {"status -o yaml", "\"yaml\" is no output"},
        {"status -o", "needs a value"},
        {"status --watch=soon", "not a number of seconds"},
        {"status --watch=0", "not a number of seconds"},
        {"pause --watch", "cannot be watched"},
        {"flock apply --watch", "cannot be watched"},
        {"flock leave", "usage: eyrie flock"},
        {"status now", "usage: eyrie status"},
        {"status -c x.yaml", "eyrie status takes no --config"},
        {"replay --world w.json", "eyrie replay takes no --world"},
        {"plan --world w.json --watch", "cannot be watched with --config or --world"},
        {"replay", "usage: eyrie replay FOLDER"},
        {"world now", "usage: eyrie world"},
        {"demand now", "usage: eyrie demand"},
        {"", "Usage: eyrie VERB"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        SAID said = eyrie(cases[i].line);
        assert_int_equal(said.code, CLI_USAGE);
        assert_string_equal(said.out, "");
        assert_says(said.err, cases[i].says);
    }
}

static void test_help_and_version(void **state)
{
    (void)state;
    SAID help = eyrie("--help");
    assert_int_equal(help.code, CLI_OK);
    assert_says(help.out, "Verbs:");
    assert_says(help.out, "Exit codes:");
    SAID verb = eyrie("vms --help");
    assert_int_equal(verb.code, CLI_OK);
    assert_says(verb.out, "eyrie vms --watch=1");
    SAID version = eyrie("--version");
    assert_int_equal(version.code, CLI_OK);
    assert_says(version.out, "eyrie 0");
}

static void test_names_do_not_steer_the_terminal(void **state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    (void)state;
    paint_text(out, "a\033[2Jb\nc\x7f\xc2\x9b" "d\xc3\xa9", false);
    (void)fclose(out);
    assert_string_equal(text, "a?[2Jb?c??d\xc3\xa9");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looking_at_a_degraded_pool),
        cmocka_unit_test(test_looking_at_a_quiet_pool),
        cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_job),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_json_is_the_answer),
        cmocka_unit_test(test_vms_are_chosen_and_sorted),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_orders_of_others_are_refused),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_no_daemon),
        cmocka_unit_test(test_usage),
        cmocka_unit_test(test_help_and_version),
        cmocka_unit_test(test_names_do_not_steer_the_terminal),
    };
    (void)setlocale(LC_ALL, "C.UTF-8");
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return r;
}
