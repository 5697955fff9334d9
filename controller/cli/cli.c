#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "cli/command.h"
#include "config/spelling.h"

enum {
    OPTION_NO_COLOR = 256,
    OPTION_WORLD,
    OPTION_TRACE,
    OPTION_SYNTHETIC,
    OPTION_SEED,
    OPTION_DAYS,
    OPTION_FAULTS,
    WATCH_SECONDS = 2,
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'},
    {"days", required_argument, NULL, OPTION_DAYS},
    {"faults", required_argument, NULL, OPTION_FAULTS},
    {"help", no_argument, NULL, 'h'},
    {"no-color", no_argument, NULL, OPTION_NO_COLOR},
    {"output", required_argument, NULL, 'o'},
    {"seed", required_argument, NULL, OPTION_SEED},
    {"socket", required_argument, NULL, 's'},
    {"synthetic", required_argument, NULL, OPTION_SYNTHETIC},
    {"trace", required_argument, NULL, OPTION_TRACE},
    {"version", no_argument, NULL, 'V'},
    {"watch", optional_argument, NULL, 'w'},
    {"world", required_argument, NULL, OPTION_WORLD},
    {0},
};

/* What getopt found, before it is checked against the verb. */
struct parsed {
    bool help;
    bool version;
    bool no_color;
};

int cli_usage(const struct cli *cli, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    (void)fputs("eyrie: ", cli->err);
    (void)vfprintf(cli->err, format, ap);
    (void)fputs("\nTry eyrie --help.\n", cli->err);
    va_end(ap);
    return CLI_USAGE;
}

static int unknown_option(const struct cli *cli, const char *word)
{
    const char *best = NULL;
    const char *name = word + strspn(word, "-");
    AUTOFREE char *bare = mem_strdup(name);
    bare[strcspn(bare, "=")] = '\0';
    for (const struct option *o = long_options; o->name; o++)
        spelling_nearer(bare, o->name, &best);
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

/* Returns 0, or CLI_USAGE after saying why. */
static int parse(struct cli *cli, struct parsed *p, int argc, char **argv)
{
    optind = 0; /* a new scan, as glibc has it */
    opterr = 0;
    for (;;) {
        int at = optind ? optind : 1;
        int c = getopt_long(argc, argv, ":c:ho:s:Vw::", long_options, NULL);
        if (c < 0)
            return 0;
        switch (c) {
        case 'c':
            cli->policy = optarg;
            break;
        case 'h':
            p->help = true;
            break;
        case 'o':
            if (strcmp(optarg, "json") != 0 && strcmp(optarg, "table") != 0)
                return cli_usage(cli, "\"%s\" is no output; there are table and json", optarg);
            cli->json = strcmp(optarg, "json") == 0;
            break;
        case 's':
            cli->socket = optarg;
            break;
        case 'V':
            p->version = true;
            break;
        case 'w':
            cli->watch = WATCH_SECONDS * USEC_PER_SEC;
            if (optarg && parse_watch(optarg, &cli->watch) < 0)
                return cli_usage(cli, "--watch=%s is not a number of seconds (the least is 100ms)",
                                 optarg);
            break;
        case OPTION_WORLD:
            cli->world = optarg;
            break;
        case OPTION_TRACE:
            cli->trace = optarg;
            break;
        case OPTION_SYNTHETIC:
            cli->synthetic = optarg;
            break;
        case OPTION_SEED:
            cli->seed = optarg;
            break;
        case OPTION_DAYS:
            cli->days = optarg;
            break;
        case OPTION_FAULTS:
            cli->faults = optarg;
            break;
        case OPTION_NO_COLOR:
            p->no_color = true;
            break;
        case ':':
            return cli_usage(cli, "%s needs a value", argv[at]);
        default:
            return unknown_option(cli, optopt > 0 && optopt < 256 && argv[optind - 1][1] != '-'
                                           ? (char[]){'-', (char)optopt, '\0'}
                                           : argv[optind - 1]);
        }
    }
}

static void measure_terminal(struct cli *cli)
{
    struct winsize size;
    int fd = fileno(cli->out);
    cli->terminal = fd >= 0 && isatty(fd);
    if (!cli->terminal)
        return;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        cli->width = size.ws_col;
        cli->height = size.ws_row;
    } else {
        cli->width = 80;
        cli->height = 24;
    }
}

static bool wants_color(const struct cli *cli, const struct parsed *p)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return cli->terminal && !p->no_color && (!no_color || !*no_color) &&
           !(term && strcmp(term, "dumb") == 0);
}

static int unknown_verb(const struct cli *cli, const char *word)
{
    const struct command *nearest = command_nearest(word);
    if (nearest)
        return cli_usage(cli, "there is no verb \"%s\"; did you mean %s?", word, nearest->name);
    return cli_usage(cli, "there is no verb \"%s\"", word);
}

int cli_main(int argc, char **argv, FILE *out, FILE *err)
{
    const char *socket = getenv("EYRIE_SOCKET");
    struct cli cli = {
        .socket = socket && *socket ? socket : CLI_SOCKET,
        .out = out,
        .err = err,
    };
    struct parsed p = {0};
    int r = parse(&cli, &p, argc, argv);
    if (r != 0)
        return r;
    measure_terminal(&cli);
    cli.color = wants_color(&cli, &p);
    if (p.version) {
        (void)fputs("eyrie " EYRIE_VERSION "\n", out);
        return CLI_OK;
    }
    const char *verb = optind < argc ? argv[optind] : NULL;
    if (verb && strcmp(verb, "help") == 0) {
        p.help = true;
        verb = optind + 1 < argc ? argv[++optind] : NULL;
    }
    const struct command *command = verb ? command_find(verb) : NULL;
    if (verb && !command)
        return unknown_verb(&cli, verb);
    if (p.help) {
        command_help(command, out);
        return CLI_OK;
    }
    if (!command) {
        command_help(NULL, err);
        return CLI_USAGE;
    }
    if (cli.watch && (!(command->takes & COMMAND_WATCH) || cli.policy || cli.world))
        return cli_usage(&cli, "eyrie %s cannot be watched%s", verb,
                         command->takes & COMMAND_WATCH ? " with --config or --world" : "");
    if (cli.policy && !(command->takes & COMMAND_POLICY))
        return cli_usage(&cli, "eyrie %s takes no --config", verb);
    if (cli.world && !(command->takes & COMMAND_WORLD))
        return cli_usage(&cli, "eyrie %s takes no --world", verb);
    if ((cli.trace || cli.synthetic || cli.seed || cli.days || cli.faults) &&
        !(command->takes & COMMAND_WORKLOAD))
        return cli_usage(&cli, "eyrie %s simulates nothing", verb);
    r = command->run(&cli, argc - optind - 1, argv + optind + 1);
    if (fflush(out) != 0 || ferror(out)) {
        (void)fprintf(err, "eyrie: cannot write the answer: %s\n", strerror(errno));
        return CLI_FAILURE;
    }
    return r;
}
