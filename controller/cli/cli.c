#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/options.h"
#include "config/spelling.h"

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

void cli_measure(struct cli *cli)
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

static bool wants_color(const struct cli *cli)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return cli->terminal && !cli->no_color && (!no_color || !*no_color) &&
           !(term && strcmp(term, "dumb") == 0);
}

static int unknown_verb(const struct cli *cli, const char *word)
{
    const struct command *nearest = command_nearest(word);
    if (nearest)
        return cli_usage(cli, "there is no verb \"%s\"; did you mean %s?", word, nearest->name);
    return cli_usage(cli, "there is no verb \"%s\"", word);
}

/* What the verb does not take, but the line has. */
static int check_options(const struct cli *cli, const struct command *command, uint64_t seen)
{
    const struct option_row *row;
    for (size_t i = 0; (row = option_at(i)); i++) {
        if (!(seen >> i & 1) || !row->takes || (row->takes & command->takes))
            continue;
        return row->takes == COMMAND_WATCH
                   ? cli_usage(cli, "eyrie %s cannot be watched", command->name)
                   : cli_usage(cli, "eyrie %s takes no --%s", command->name, row->name);
    }
    if (cli->watch && (cli->policy || cli->world))
        return cli_usage(cli, "eyrie %s cannot be watched with --config or --world", command->name);
    if (cli->names && !(command->takes & COMMAND_NAMES))
        return cli_usage(cli, "eyrie %s has no names to show", command->name);
    return 0;
}

int cli_main(int argc, char **argv, FILE *out, FILE *err)
{
    const char *socket = getenv("EYRIE_SOCKET");
    struct cli cli = {
        .socket = socket && *socket ? socket : CLI_SOCKET,
        .out = out,
        .err = err,
    };
    uint64_t seen = 0;
    int r = options_parse(&cli, argc, argv, &seen);
    if (r != 0)
        return r;
    cli_measure(&cli);
    cli.color = wants_color(&cli);
    if (cli.version) {
        (void)fputs("eyrie " EYRIE_VERSION "\n", out);
        return CLI_OK;
    }
    const char *verb = optind < argc ? argv[optind] : NULL;
    if (verb && strcmp(verb, "help") == 0) {
        cli.help = true;
        verb = optind + 1 < argc ? argv[++optind] : NULL;
    }
    const struct command *command = verb ? command_find(verb) : NULL;
    if (verb && !command)
        return unknown_verb(&cli, verb);
    if (cli.help) {
        command_help(command, out);
        return CLI_OK;
    }
    if (!command) {
        command_help(NULL, err);
        return CLI_USAGE;
    }
    r = check_options(&cli, command, seen);
    if (r == 0)
        r = command->run(&cli, argc - optind - 1, argv + optind + 1);
    if (fflush(out) != 0 || ferror(out)) {
        (void)fprintf(err, "eyrie: cannot write the answer: %s\n", strerror(errno));
        return CLI_FAILURE;
    }
    return r;
}
