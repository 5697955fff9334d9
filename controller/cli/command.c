#include "cli/command.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "cli/options.h"
#include "config/spelling.h"

static const struct command commands[] = {
    {"agent", "list | add NAME | remove NAME", "the agents that keep fragments on other machines",
     "  eyrie agent                               the same as eyrie agent list\n"
     "  eyrie agent add schedd01.example.org      how an agent joins for this schedd\n"
     "  eyrie agent remove schedd01.example.org   its token is good for nothing any more\n",
     COMMAND_WATCH | COMMAND_NAMES, agent_run},
    {"check", "[FILE]", "whether a policy is right; where each of its values comes from",
     "  eyrie check                               /etc/eyrie/eyrie.yaml\n"
     "  eyrie check new.yaml | grep -v default    what its files say, all resolved\n"
     "  eyrie check -o json | jq -r '.values[] | select(.key == \"limits.vms\") | .file'\n",
     COMMAND_POLICY, check_run},
    {"completion", "bash | fish | zsh", "what a shell needs to complete this command line",
     "  source <(eyrie completion bash)\n"
     "  eyrie completion zsh >~/.zfunc/_eyrie     in a folder of fpath\n"
     "  eyrie completion fish >~/.config/fish/completions/eyrie.fish\n",
     0, completion_run},
    {"cordon", "HOST", "a host takes no new VM; those it has stay",
     "  eyrie cordon hv01 --reason 'new disks on Monday'\n", COMMAND_ORDER, cordon_run},
    {"demand", "", "what the queues ask for, and what becomes of it",
     "  eyrie demand\n"
     "  eyrie demand -o json | jq '.demand.shapes[] | select(.waiting > 0) | .text'\n",
     COMMAND_WATCH, demand_run},
    {"doctor", "", "what is wrong with the site, why it matters and what mends it",
     "  eyrie doctor                              before eyried first runs, and whenever something "
     "is odd\n"
     "  eyrie doctor -q -c new.yaml               only what is wrong, for another policy\n"
     "  eyrie doctor -o json | jq -r '.checks[] | select(.verdict == \"wrong\") | .mend'\n",
     COMMAND_POLICY | COMMAND_QUIET, doctor_run},
    {"drain", "HOST | VM", "no new jobs; power off when the last job has ended",
     "  eyrie drain hv01                          a cordon, and all its VMs\n"
     "  eyrie drain 1a2b --reason 'slow disk'     the beginning of a UUID is enough\n"
     "  eyrie drain 1a2b --now                    shows the jobs that are lost, and asks\n"
     "  eyrie drain 1a2b --cancel                 it may stay\n",
     COMMAND_ORDER | COMMAND_DRAIN, drain_run},
    {"events", "", "what happened, and why",
     "  eyrie events --follow\n"
     "  eyrie events --vm 1a2b                    the life of a VM\n"
     "  eyrie events --host hv01 --since 2h\n"
     "  eyrie events --since '2026-11-22 20:00' -o json | jq -r '.events[] | .text'\n",
     COMMAND_EVENTS, events_run},
    {"explain", "vm VM | host HOST | group GROUP | job JOB",
     "which rule decided, with what was measured",
     "  eyrie explain vm vpool-small-1a2b3c4d\n"
     "  eyrie explain vm 1a2b                     the beginning of a UUID is enough\n"
     "  eyrie explain host hv01                   whether it takes VMs, and its room\n"
     "  eyrie explain group juno                  what its jobs wait for\n"
     "  eyrie explain job 12.3                    what became of it\n"
     "  eyrie explain job schedd02#12.3           where there are several schedds\n",
     COMMAND_WATCH | COMMAND_EXPLAIN, explain_run},
    {"fence", "HOST", "a host is off: its VMs are gone, and are replaced",
     "  eyrie fence hv01 --reason 'no power'      see that it is off first\n", COMMAND_ORDER,
     fence_run},
    {"flock", "status | show SCHEDD | diff [SCHEDD] | apply | remove",
     "the flocking configuration of the schedds",
     "  eyrie flock                               the same as eyrie flock status\n"
     "  eyrie flock show schedd01.example.org     the fragment, as the policy wants it\n"
     "  eyrie flock show main-cm.conf             the one for the main pool's central manager\n"
     "  eyrie flock diff                          what is otherwise in the files and the daemons\n"
     "  eyrie flock remove                        leave: take the fragments away again\n",
     COMMAND_WATCH | COMMAND_POLICY | COMMAND_ORDER | COMMAND_NAMES, flock_run},
    {"groups", "", "the accounting groups: use, quota, max and what stops their growth",
     "  eyrie groups\n"
     "  eyrie groups -o json | jq '.groups[] | select(.limited)'\n",
     COMMAND_WATCH | COMMAND_NAMES, groups_run},
    {"hosts", "", "the hypervisor hosts: room, failures, and when they last answered",
     "  eyrie hosts --watch\n", COMMAND_WATCH | COMMAND_NAMES, hosts_run},
    {"image", "push FILE", "bring a qcow2 image to the hosts, and read it back",
     "  eyrie image push debian13-condor-2.qcow2\n"
     "  eyrie image push debian13-condor-2.qcow2 --host hv07\n",
     COMMAND_POLICY | COMMAND_HOST, image_run},
    {"pause", "", "change nothing until eyrie resume; what runs goes on",
     "  eyrie pause --reason 'libvirt is updated'\n", COMMAND_ORDER, pause_run},
    {"plan", "", "what the next step does and why; exits with 2 when there is something to do",
     "  eyrie plan\n"
     "  eyrie plan -c new.yaml                    of the pool as it is, under another policy\n"
     "  eyrie plan --world W.json -c eyrie.yaml   without eyried\n"
     "  eyrie plan >/dev/null; test $? = 2 && echo busy\n",
     COMMAND_WATCH | COMMAND_POLICY | COMMAND_WORLD, plan_run},
    {"reload", "", "read the changed files of the policy, and say what they change",
     "  eyrie plan -c /etc/eyrie/eyrie.yaml       first, without changing anything\n"
     "  eyrie reload || eyrie status\n",
     0, reload_run},
    {"replay", "FOLDER", "what another policy would have decided in recorded worlds",
     "  eyrie replay /var/lib/eyrie/worlds -c new.yaml\n", COMMAND_POLICY, replay_run},
    {"request",
     "add | preview | list | show REQUEST | extend REQUEST | cancel REQUEST | approve REQUEST | "
     "deny REQUEST",
     "book capacity for a group and a time, and see what was booked",
     "  eyrie request add --group juno --cpus 200 --template big --from 2026-12-01T20:00 --for 36h "
     "--reason calibration\n"
     "  eyrie request preview --group juno --vms 4 --for 2h      the same answer, nothing booked\n"
     "  eyrie request list --all                  the history, too\n"
     "  eyrie request show r-17 --watch\n"
     "  eyrie request extend r-17 --for +6h\n"
     "  eyrie request cancel r-17                 its running jobs end first\n"
     "  eyrie request deny r-17 --why 'the hosts are moved that week'\n",
     COMMAND_WATCH | COMMAND_REQUEST | COMMAND_NAMES, request_run},
    {"resume", "", "the end of eyrie pause", "  eyrie resume --yes\n", COMMAND_ORDER, resume_run},
    {"simulate", "--trace=FILE | --synthetic=SPEC", "what a policy would make of a workload",
     "  eyrie simulate -c eyrie.yaml --trace LCG.swf.gz\n"
     "  eyrie simulate --synthetic 'jobs=10000 rate=12/min runtime=exp:10m cpus=1:70,2:30'\n"
     "  eyrie simulate --synthetic jobs=1000 --faults all --seed 7\n",
     COMMAND_POLICY | COMMAND_WORKLOAD, simulate_run},
    {"status", "", "the pool on one screen; exits with 3 when something is wrong",
     "  eyrie status --watch\n"
     "  eyrie status -o json | jq .vms\n",
     COMMAND_WATCH, status_run},
    {"uncordon", "HOST", "a host takes VMs again; the end of its drain, too",
     "  eyrie uncordon hv01\n", COMMAND_ORDER, uncordon_run},
    {"unfence", "HOST", "a host that was off takes VMs again", "  eyrie unfence hv01\n",
     COMMAND_ORDER, unfence_run},
    {"vms", "", "every VM: state, age, host, group, cpus in use, job, reason",
     "  eyrie vms\n"
     "  eyrie vms --watch=1\n"
     "  eyrie vms --state booting --sort age\n"
     "  eyrie vms --host hv01 -o name\n",
     COMMAND_WATCH | COMMAND_FILTER | COMMAND_NAMES, vms_run},
    {"world", "", "the facts of the last step, as JSON",
     "  eyrie world >W.json\n"
     "  eyrie world | eyrie plan --world - -c new.yaml\n",
     0, world_run},
};

const struct command *command_at(size_t i)
{
    return i < ARRAY_SIZE(commands) ? &commands[i] : NULL;
}

const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

const struct command *command_nearest(const char *name)
{
    const char *best = NULL;
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        spelling_nearer(name, commands[i].name, &best);
    return best ? command_find(best) : NULL;
}

void command_help(const struct command *c, FILE *out)
{
    if (c) {
        (void)fprintf(out, "Usage: eyrie %s%s%s [OPTION…]\n\n%s: %s.\n\nExamples:\n%s\n",
                      c->name, *c->arguments ? " " : "", c->arguments, c->name, c->summary,
                      c->examples);
        options_help(c->takes, out);
        return;
    }
    (void)fprintf(out, "Usage: eyrie VERB [OPTION…]\n\n"
                       "Sees and steers an elastic virtual pool for HTCondor.\n\nVerbs:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        (void)fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    (void)fputc('\n', out);
    options_help(0, out);
    (void)fprintf(
        out,
        "\nMore options and examples: eyrie VERB --help\n\nExamples:\n"
        "  eyrie status --watch\n"
        "  eyrie vms\n"
        "  eyrie explain vm 1a2b\n"
        "\nExit codes: 0 ok, 1 failure, 2 changes (plan, replay, flock diff), 3 something is wrong "
        "(status, doctor),\n64 usage, 69 eyried unreachable, 77 not permitted, 78 bad policy. "
        "More in eyrie(1).\n");
}

int command_wrong_arguments(const struct cli *cli, const char *name)
{
    const struct command *c = command_find(name);
    assert(c); /* its own name */
    return cli_usage(cli, "usage: eyrie %s%s%s", name, *c->arguments ? " " : "", c->arguments);
}
