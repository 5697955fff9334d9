#include "cli/options.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"
#include "config/spelling.h"

enum { WATCH_SECONDS = 2, LONG_ONLY = 256, HELP_COLUMN = 26 };

#define FLAG(member) OPTION_FLAG, offsetof(struct cli, member)
#define TEXT(member) OPTION_TEXT, offsetof(struct cli, member)
#define OWN OPTION_OWN, 0

static const struct option_row rows[] = {
    {"all", 0, NULL, COMMAND_REQUEST, FLAG(all), "what is over, too"},
    {"cancel", 0, NULL, COMMAND_DRAIN, FLAG(cancel), "take back the drain of a VM"},
    {"config", 'c', "FILE", COMMAND_POLICY, TEXT(policy), "the policy (default: " CLI_POLICY ")"},
    {"cpus", 0, "N", COMMAND_REQUEST, TEXT(cpus), "so many cpus, in as many VMs as that takes"},
    {"days", 0, "N", COMMAND_WORKLOAD, TEXT(days), "so long (default: until all is done)"},
    {"faults", 0, "LIST", COMMAND_WORKLOAD, TEXT(faults), "all, none or names (default: none)"},
    {"follow", 'f', NULL, COMMAND_EVENTS, FLAG(follow), "go on with what happens"},
    {"for", 0, "DURATION", COMMAND_REQUEST, TEXT(length), "so long; of extend: +6h, so much longer"},
    {"from", 0, "TIME", COMMAND_REQUEST, TEXT(from),
     "when it begins: 2026-12-01T20:00, now (the default), +2h"},
    {"group", 0, "GROUP", COMMAND_FILTER | COMMAND_REQUEST, TEXT(group),
     "which accounting group's"},
    {"help", 'h', NULL, 0, FLAG(help), "this text; after a verb, that verb's"},
    {"host", 0, "HOST", COMMAND_FILTER | COMMAND_EVENTS | COMMAND_HOST, TEXT(host),
     "only what is about this host"},
    {"lines", 'n', "N", COMMAND_EVENTS, TEXT(lines), "the last N (default: 40)"},
    {"no-color", 0, NULL, 0, FLAG(no_color), "no colour, also on a terminal; so does NO_COLOR"},
    {"now", 0, NULL, COMMAND_DRAIN, FLAG(now), "at once: the jobs that run there are lost"},
    {"output", 'o', "FORMAT", 0, OWN,
     "table (the default), json (the API's answer), name (only names)"},
    {"quiet", 'q', NULL, COMMAND_QUIET, FLAG(quiet), "only what is wrong"},
    {"reason", 0, "TEXT", COMMAND_ORDER | COMMAND_REQUEST, TEXT(reason), "why, for others to read"},
    {"schedd", 0, "SCHEDD", COMMAND_EXPLAIN, TEXT(schedd),
     "whose job it is, where there are several"},
    {"seed", 0, "N", COMMAND_WORKLOAD, TEXT(seed),
     "the same seed gives the same report (default: 1)"},
    {"shared", 0, NULL, COMMAND_REQUEST, FLAG(shared), "for all jobs of the group, not only those that name it"},
    {"since", 0, "TIME", COMMAND_EVENTS, TEXT(since),
     "from then on: 2h (ago), or 2026-11-22 20:00"},
    {"socket", 's', "PATH", 0, TEXT(socket),
     "of eyried (default: $EYRIE_SOCKET, or " CLI_SOCKET ")"},
    {"sort", 0, "KEY", COMMAND_FILTER, TEXT(sort), "age, group, host, name or state"},
    {"state", 0, "STATE", COMMAND_FILTER, TEXT(state), "only VMs in this state"},
    {"synthetic", 0, "SPEC", COMMAND_WORKLOAD, TEXT(synthetic),
     "jobs by a description, see eyrie(1)"},
    {"template", 0, "TEMPLATE", COMMAND_REQUEST, TEXT(template),
     "of its VMs; may be left out when the group has one"},
    {"trace", 0, "FILE", COMMAND_WORKLOAD, TEXT(trace),
     "jobs in the Standard Workload Format, also gzip"},
    {"until", 0, "TIME", COMMAND_REQUEST, TEXT(until), "when it ends, instead of --for"},
    {"version", 'V', NULL, 0, FLAG(version), "which eyrie this is"},
    {"vm", 0, "VM", COMMAND_EVENTS, TEXT(vm), "only what is about this VM"},
    {"vms", 0, "N", COMMAND_REQUEST, TEXT(vms), "so many VMs, instead of --cpus"},
    {"watch", 'w', "[=SECONDS]", COMMAND_WATCH, OWN,
     "show it again and again (default: every 2 s)"},
    {"whole-host", 0, NULL, COMMAND_REQUEST, FLAG(whole_host),
     "no other VM is on the hosts of its VMs"},
    {"why", 0, "TEXT", COMMAND_REQUEST, TEXT(why), "of approve, deny and cancel: for others to read"},
    {"world", 0, "FILE", COMMAND_WORLD, TEXT(world), "a world; - is standard input"},
    {"yes", 'y', NULL, COMMAND_ORDER, FLAG(yes), "do it without asking"},
};

const struct option_row *option_at(size_t i)
{
    return i < ARRAY_SIZE(rows) ? &rows[i] : NULL;
}

static bool is_optional(const struct option_row *row)
{
    return row->value && row->value[0] == '[';
}

static int unknown_option(const struct cli *cli, const char *word)
{
    const char *best = NULL;
    AUTOFREE char *bare = mem_strdup(word + strspn(word, "-"));
    bare[strcspn(bare, "=")] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        spelling_nearer(bare, rows[i].name, &best);
    if (best && strncmp(word, "--", 2) == 0)
        return cli_usage(cli, "unknown option \"%s\"; did you mean --%s?", word, best);
    return cli_usage(cli, "unknown option \"%s\"", word);
}

/* A number of seconds, or a duration with a unit. */
static int parse_watch(const char *text, usec *ret)
{
    int64_t seconds;
    usec watch;
    if (units_parse_count(text, &seconds) == 0)
        watch = seconds * USEC_PER_SEC;
    else if (units_parse_duration(text, &watch) < 0)
        return -EINVAL;
    if (watch < 100 * 1000)
        return -EINVAL;
    *ret = watch;
    return 0;
}

static int take_own(struct cli *cli, const struct option_row *row)
{
    if (row->letter == 'o') {
        cli->json = strcmp(optarg, "json") == 0;
        cli->names = strcmp(optarg, "name") == 0;
        if (!cli->json && !cli->names && strcmp(optarg, "table") != 0)
            return cli_usage(cli, "\"%s\" is no output; there are table, json and name", optarg);
        return 0;
    }
    cli->watch = WATCH_SECONDS * USEC_PER_SEC;
    if (optarg && parse_watch(optarg, &cli->watch) < 0)
        return cli_usage(cli, "--watch=%s is not a number of seconds (the least is 100ms)", optarg);
    return 0;
}

static int take(struct cli *cli, const struct option_row *row)
{
    const bool yes = true;
    switch (row->kind) {
    case OPTION_FLAG:
        memcpy((char *)cli + row->offset, &yes, sizeof(yes));
        return 0;
    case OPTION_TEXT:
        memcpy((char *)cli + row->offset, &optarg, sizeof(optarg));
        return 0;
    case OPTION_OWN:
        break;
    }
    return take_own(cli, row);
}

int options_parse(struct cli *cli, int argc, char **argv, uint64_t *ret_seen)
{
    struct option options[ARRAY_SIZE(rows) + 1] = {0};
    char letters[3 * ARRAY_SIZE(rows) + 2] = ":";
    static_assert(ARRAY_SIZE(rows) <= 64, "a bit for each");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *colons = !rows[i].value ? "" : is_optional(&rows[i]) ? "::" : ":";
        options[i] = (struct option){rows[i].name, (int)strlen(colons), NULL, LONG_ONLY + (int)i};
        if (rows[i].letter) {
            (void)strncat(letters, &rows[i].letter, 1);
            (void)strcat(letters, colons);
        }
    }
    optind = 0; /* a new scan, as glibc has it */
    opterr = 0;
    for (;;) {
        int at = optind ? optind : 1;
        int c = getopt_long(argc, argv, letters, options, NULL);
        if (c < 0)
            return 0;
        if (c == ':')
            return cli_usage(cli, "%s needs a value", argv[at]);
        if (c == '?')
            return unknown_option(cli,
                                  optopt > 0 && optopt < LONG_ONLY && argv[optind - 1][1] != '-'
                                      ? (char[]){'-', (char)optopt, '\0'}
                                      : argv[optind - 1]);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
            if (c != LONG_ONLY + (int)i && c != rows[i].letter)
                continue;
            int r = take(cli, &rows[i]);
            if (r != 0)
                return r;
            *ret_seen |= UINT64_C(1) << i;
        }
    }
}

void options_help(int takes, FILE *out)
{
    (void)fputs("Options:\n", out);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct option_row *row = &rows[i];
        char letter[] = {'-', row->letter, ',', '\0'};
        if (row->takes && !(row->takes & takes))
            continue;
        int n = fprintf(out, "  %-3s --%s%s%s", row->letter ? letter : "", row->name,
                        row->value && !is_optional(row) ? "=" : "", row->value ? row->value : "");
        (void)fprintf(out, "%*s%s\n", n < HELP_COLUMN ? HELP_COLUMN - n : 2, "", row->help);
    }
}
