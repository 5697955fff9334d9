/*
 * The table of verbs. Help, suggestions and the manual's list come from it.
 */
#pragma once

#include "cli/cli.h"

/** The options that a verb takes besides those that all do. */
enum {
    COMMAND_WATCH = 1 << 0,  /* --watch */
    COMMAND_POLICY = 1 << 1, /* --config */
    COMMAND_WORLD = 1 << 2,  /* --world */
    COMMAND_WORKLOAD = 1 << 3, /* --trace, --synthetic, --seed, --days, --faults */
    COMMAND_ORDER = 1 << 4,  /* --yes, --reason */
    COMMAND_DRAIN = 1 << 5,  /* --now, --cancel */
    COMMAND_EVENTS = 1 << 6, /* --follow, --since, --lines, --vm, --host */
    COMMAND_FILTER = 1 << 7, /* --state, --host, --group, --sort */
    COMMAND_EXPLAIN = 1 << 8, /* --schedd */
    COMMAND_NAMES = 1 << 9,  /* --output=name */
    COMMAND_QUIET = 1 << 10, /* --quiet */
    COMMAND_HOST = 1 << 12,  /* --host */
    COMMAND_REQUEST = 1 << 11, /* --cpus, --vms, --template, --from, --for, … and --group, --reason */
};

struct command {
    const char *name;
    const char *arguments; /* as help shows them, and as completion reads them: words in small
                              letters are themselves, HOST, VM, … stand for names (completion.c) */
    const char *summary;   /* one line */
    const char *examples;  /* lines of "  eyrie …" */
    int takes;             /* COMMAND_… */
    /* @argv holds the @argc words after the verb. Returns the exit code. */
    int (*run)(const struct cli *cli, int argc, char **argv);
};

/** The verb called @name, or NULL. */
const struct command *command_find(const char *name);
/** The verb that @name was probably meant to be, or NULL. */
const struct command *command_nearest(const char *name);
/** Write the help of one verb, or of eyrie when @c is NULL. */
void command_help(const struct command *c, FILE *out);
/** The verbs in alphabetical order; NULL after the last. */
const struct command *command_at(size_t i);
/** Say how the words after the verb @name should have been; returns CLI_USAGE. */
int command_wrong_arguments(const struct cli *cli, const char *name);

int agent_run(const struct cli *cli, int argc, char **argv);
int check_run(const struct cli *cli, int argc, char **argv);
int completion_run(const struct cli *cli, int argc, char **argv);
int cordon_run(const struct cli *cli, int argc, char **argv);
int demand_run(const struct cli *cli, int argc, char **argv);
int doctor_run(const struct cli *cli, int argc, char **argv);
int drain_run(const struct cli *cli, int argc, char **argv);
int events_run(const struct cli *cli, int argc, char **argv);
int explain_run(const struct cli *cli, int argc, char **argv);
int flock_diff(const struct cli *cli, const char *name); /* @name: NULL, all */
int fence_run(const struct cli *cli, int argc, char **argv);
int flock_run(const struct cli *cli, int argc, char **argv);
int groups_run(const struct cli *cli, int argc, char **argv);
int hosts_run(const struct cli *cli, int argc, char **argv);
int image_run(const struct cli *cli, int argc, char **argv);
int pause_run(const struct cli *cli, int argc, char **argv);
int plan_run(const struct cli *cli, int argc, char **argv);
int reload_run(const struct cli *cli, int argc, char **argv);
int replay_run(const struct cli *cli, int argc, char **argv);
int request_run(const struct cli *cli, int argc, char **argv);
int resume_run(const struct cli *cli, int argc, char **argv);
int simulate_run(const struct cli *cli, int argc, char **argv);
int status_run(const struct cli *cli, int argc, char **argv);
int uncordon_run(const struct cli *cli, int argc, char **argv);
int unfence_run(const struct cli *cli, int argc, char **argv);
int vms_run(const struct cli *cli, int argc, char **argv);
int world_run(const struct cli *cli, int argc, char **argv);
