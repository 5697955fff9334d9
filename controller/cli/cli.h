/*
 * eyrie, the command line. One table of verbs (command.c), one file per verb; options are the same
 * for all and may stand anywhere. A verb asks eyried one question and shows the answer, as a table
 * for people or as the API's own JSON.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/units.h"

/** What eyrie exits with, besides 0 and 1. The numbers from 64 are those of sysexits.h. */
enum {
    CLI_OK = 0,
    CLI_FAILURE = 1,
    CLI_CHANGES = 2,        /* plan: there is something to do */
    CLI_DEGRADED = 3,       /* status: something is not as it should be */
    CLI_USAGE = 64,
    CLI_UNREACHABLE = 69,   /* eyried does not answer */
    CLI_NOT_PERMITTED = 77,
    CLI_CONFIGURATION = 78, /* the policy has errors */
};

#define CLI_SOCKET "/run/eyrie/eyried.sock"
#define CLI_POLICY "/etc/eyrie/eyrie.yaml"

/** The options, resolved. */
struct cli {
    const char *socket;
    const char *policy; /* --config; NULL: not given */
    const char *world;  /* --world; likewise */
    const char *trace, *synthetic, *seed, *days, *faults; /* of simulate; likewise */
    const char *vm, *host, *group, *state, *sort;         /* of events and vms; likewise */
    const char *since, *lines;                            /* of events; likewise */
    const char *reason, *schedd;                          /* likewise */
    const char *cpus, *vms, *template, *from, *length, *until, *why; /* of request; likewise */
    bool all, shared, whole_host;
    bool json;
    bool names; /* --output=name */
    bool quiet; /* --quiet */
    bool yes, now, cancel, follow, help, version, no_color;
    bool color;
    bool terminal; /* out is one */
    int width;     /* of the terminal; 0: tables may be as wide as they like */
    int height;
    usec watch; /* 0: once */
    FILE *out;
    FILE *err;
};

/** Run eyrie with these arguments; returns the exit code. */
int cli_main(int argc, char **argv, FILE *out, FILE *err);
/** Whether out is a terminal, and its size. */
void cli_measure(struct cli *cli);
/** Print "eyrie: " and a sentence, and where to read more; returns CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
