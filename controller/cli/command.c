#include "cli/command.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "config/spelling.h"

static const struct command commands[] = {
    {"explain", "vm NAME", "why a VM is in its state, and all that is known of it",
     "  eyrie explain vm vpool-small-1a2b3c4d\n"
     "  eyrie explain vm 1a2b                     the beginning of a UUID is enough\n",
     true, explain_run},
    {"flock", "show | apply | remove", "the flocking configuration of the schedds",
     "  eyrie flock                               the same as eyrie flock show\n"
     "  eyrie flock remove                        leave: take the fragments away again\n",
     true, flock_run},
    {"groups", "", "the accounting groups: use, quota, max and what stops their growth",
     "  eyrie groups\n"
     "  eyrie groups -o json | jq '.groups[] | select(.limited)'\n",
     true, groups_run},
    {"hosts", "", "the hypervisor hosts: room, failures, and when they last answered",
     "  eyrie hosts --watch\n", true, hosts_run},
    {"pause", "", "change nothing until eyrie resume; what runs goes on",
     "  eyrie pause\n", false, pause_run},
    {"plan", "", "what the next step does and why; exits with 2 when there is something to do",
     "  eyrie plan\n"
     "  eyrie plan >/dev/null; test $? = 2 && echo busy\n",
     true, plan_run},
    {"resume", "", "the end of eyrie pause",
     "  eyrie resume\n", false, resume_run},
    {"status", "", "the pool on one screen; exits with 3 when something is wrong",
     "  eyrie status --watch\n"
     "  eyrie status -o json | jq .vms\n",
     true, status_run},
    {"vms", "", "every VM: state, age, host, group, cpus in use, job, reason",
     "  eyrie vms\n"
     "  eyrie vms --watch=1\n",
     true, vms_run},
};

static const char options[] =
    "Options:\n"
    "  -o, --output=table|json   for people (the default), or the API's answer as it is\n"
    "  -s, --socket=PATH         of eyried (default: $EYRIE_SOCKET, or " CLI_SOCKET ")\n"
    "  -w, --watch[=SECONDS]     show it again and again (default: every 2 s)\n"
    "      --no-color            no colour, also on a terminal; so does NO_COLOR\n"
    "  -h, --help                this text; after a verb, that verb's\n"
    "  -V, --version\n";

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
        (void)fprintf(out, "Usage: eyrie %s%s%s [OPTION…]\n\n%s: %s.\n\nExamples:\n%s\n%s",
                      c->name, *c->arguments ? " " : "", c->arguments, c->name, c->summary,
                      c->examples, options);
        return;
    }
    (void)fprintf(out, "Usage: eyrie VERB [OPTION…]\n\n"
                       "Sees and steers an elastic virtual pool for HTCondor.\n\nVerbs:\n");
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        (void)fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    (void)fprintf(out,
                  "\n%s\nExamples:\n"
                  "  eyrie status --watch\n"
                  "  eyrie vms\n"
                  "  eyrie explain vm 1a2b\n"
                  "\nExit codes: 0 ok, 1 failure, 2 changes (plan), 3 degraded (status), 64 usage, "
                  "69 eyried\nunreachable, 77 not permitted. More in eyrie(1).\n",
                  options);
}

int command_wrong_arguments(const struct cli *cli, const char *name)
{
    const struct command *c = command_find(name);
    assert(c); /* its own name */
    return cli_usage(cli, "usage: eyrie %s%s%s", name, *c->arguments ? " " : "", c->arguments);
}
