/*
 * eyrie-agent: parse, wire, run.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>

#include "agent/agent.h"
#include "base/credential.h"
#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "loop/notify.h"

static const char usage[] =
    "usage: eyrie-agent join --server=HOST:PORT --pin=PIN --fragment=PATH [OPTION…]\n"
    "       eyrie-agent [--once] [--state=FOLDER]\n"
    "\n"
    "Keeps the flocking configuration of this machine's schedd, or the groups' shares of this\n"
    "virtual pool's central manager, as an eyried elsewhere wants it. `eyrie agent add NAME` on\n"
    "eyried's machine prints the first line; it asks for the token that comes with it.\n"
    "\n"
    "  --server=HOST:PORT  where eyried listens for agents\n"
    "  --pin=PIN           the key that it must have: sha256//…\n"
    "  --ca=FILE           or who must have signed its certificate, PEM\n"
    "  --fragment=PATH     the file to keep, in a folder that HTCondor reads\n"
    "  --tools=FOLDER      HTCondor's tools (default: by PATH)\n"
    "  --secret=FILE       a file with the token to join with (default: standard input)\n"
    "  --once              ask, apply, report and end; for cron\n"
    "  --state=FOLDER      what it knows, and what it joined (default: the former is in\n"
    "                      " STATE_FOLDER ", the latter in " JOINED_FOLDER ")\n"
    "  -h, --help          this text\n"
    "  -V, --version       the version\n"
    "\n"
    "Exit status: 0 ended as asked, 1 failure, 64 usage, 69 eyried unreachable, 77 refused,\n"
    "78 not joined. See eyrie-agent(8).\n";

struct options {
    const char *folder; /* NULL: by default */
    const char *secret;
    struct state_joined joined;
    bool once;
    bool join;
};

static int complain(const char *format, const char *word)
{
    (void)fputs("eyrie-agent: ", stderr);
    (void)fprintf(stderr, format, word);
    (void)fputs("; try --help\n", stderr);
    return AGENT_USAGE;
}

/* What joining needs. Returns -1 to go on, else the exit status. */
static int check_join(const struct options *o)
{
    const struct state_joined *j = &o->joined;
    if (!*j->server || !strchr(j->server, ':'))
        return complain("join needs --server=HOST:PORT%s", "");
    if (!*j->pin && !*j->ca)
        return complain("join needs --pin, as eyrie agent add prints it, or --ca%s", "");
    if (*j->pin && !text_starts_with(j->pin, "sha256//"))
        return complain("--pin=%s does not begin with sha256//", j->pin);
    if (*j->fragment != '/' || (*j->ca && *j->ca != '/') || (*j->tools && *j->tools != '/'))
        return complain("join needs --fragment, and all paths from /%s", "");
    return -1;
}

/* Returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"server", required_argument, NULL, 'a'},
                                          {"pin", required_argument, NULL, 'p'},
                                          {"ca", required_argument, NULL, 'c'},
                                          {"fragment", required_argument, NULL, 'f'},
                                          {"tools", required_argument, NULL, 't'},
                                          {"secret", required_argument, NULL, 's'},
                                          {"state", required_argument, NULL, 'd'},
                                          {"once", no_argument, NULL, 'o'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {0}};
    const char **slots[] = {
        ['a'] = &o->joined.server,   ['p'] = &o->joined.pin,   ['c'] = &o->joined.ca,
        ['f'] = &o->joined.fragment, ['t'] = &o->joined.tools, ['s'] = &o->secret,
        ['d'] = &o->folder};
    int option;
    while ((option = getopt_long(argc, argv, "hV", longs, NULL)) != -1) {
        switch (option) {
        case 'o':
            o->once = true;
            break;
        case 'h':
            (void)fputs(usage, stdout);
            return EXIT_SUCCESS;
        case 'V':
            (void)puts("eyrie-agent " EYRIE_VERSION);
            return EXIT_SUCCESS;
        case '?':
            (void)fputs("eyrie-agent: try --help\n", stderr);
            return AGENT_USAGE;
        default:
            *slots[option] = optarg;
            break;
        }
    }
    o->join = optind < argc && strcmp(argv[optind], "join") == 0;
    if (optind + o->join < argc)
        return complain("%s: no such argument", argv[optind + o->join]);
    if (o->join)
        return check_join(o);
    if (*o->joined.server || *o->joined.pin || *o->joined.fragment || o->secret)
        return complain("only eyrie-agent join takes these options%s", "");
    return -1;
}

/* A line of @file, or what is typed unseen; owned by the caller (secret_free). NULL: there is none.
 */
static char *read_secret(const char *file)
{
    FILE *in = file ? fopen(file, "re") : stdin;
    struct termios old;
    char *line = NULL;
    size_t size = 0;
    if (!in)
        return NULL;
    bool typed = in == stdin && tcgetattr(STDIN_FILENO, &old) == 0;
    if (typed) {
        struct termios silent = old;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        (void)fputs("Token to join with: ", stderr);
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    ssize_t n = getline(&line, &size, in);
    if (typed) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &old);
        (void)fputc('\n', stderr);
    }
    if (in != stdin)
        (void)fclose(in);
    if (n > 0)
        line[strcspn(line, " \r\n")] = '\0';
    if (n > 0 && *line)
        return line;
    free(line);
    return NULL;
}

static int join(struct loop *loop, const struct options *o)
{
    CLEANUP(secret_free_p) char *secret = read_secret(o->secret);
    if (!secret) {
        (void)fprintf(stderr, "eyrie-agent: there is no token to join with in %s\n",
                      o->secret ? o->secret : "standard input");
        return AGENT_USAGE;
    }
    return agent_join(loop, o->folder ? o->folder : JOINED_FOLDER, &o->joined, secret);
}

static void asked_to_stop(void *userdata, int signal)
{
    (void)signal;
    loop_quit(userdata, EXIT_SUCCESS);
}

static void asked_to_ask(void *userdata, int signal)
{
    struct agent **agent = userdata;
    (void)signal;
    if (*agent)
        agent_ask(*agent);
}

static bool alive(void *userdata)
{
    (void)userdata;
    return true; /* the loop turns: nothing here blocks */
}

static int keep(struct loop *loop, const struct options *o)
{
    AUTOJSON struct json_object *object = NULL;
    struct loop_signal *term = NULL, *interrupt = NULL, *hangup = NULL;
    struct state_joined joined;
    struct agent *agent = NULL;
    struct err e;
    const char *place = o->folder ? o->folder : JOINED_FOLDER;
    const char *folder = o->folder ? o->folder : STATE_FOLDER;
    int r = state_read_joined(place, &joined, &object, &e);
    if (r == -ENOENT)
        (void)err_set(&e, ENOENT,
                      "%s: this machine has joined no controller; eyrie agent add NAME "
                      "there tells how",
                      place);
    if (r < 0) {
        (void)fprintf(stderr, "eyrie-agent: %s\n", e.text);
        return AGENT_NOT_JOINED;
    }
    if (state_prepare(folder, &e) < 0) { /* from cron no unit has made it */
        (void)fprintf(stderr, "eyrie-agent: %s\n", e.text);
        return EXIT_FAILURE;
    }
    if (loop_signal_new(loop, SIGTERM, asked_to_stop, loop, &term) < 0 ||
        loop_signal_new(loop, SIGINT, asked_to_stop, loop, &interrupt) < 0 ||
        loop_signal_new(loop, SIGHUP, asked_to_ask, &agent, &hangup) < 0) {
        (void)fprintf(stderr, "eyrie-agent: cannot watch for signals\n");
        r = EXIT_FAILURE;
    } else {
        struct watchdog *watchdog = watchdog_new(loop, alive, NULL);
        agent = agent_new(loop, folder, &joined, o->once);
        notify_ready();
        r = loop_run(loop);
        notify_stopping();
        agent = agent_free(agent);
        (void)watchdog_free(watchdog);
    }
    (void)loop_signal_free(term);
    (void)loop_signal_free(interrupt);
    (void)loop_signal_free(hangup);
    return r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char **argv)
{
    struct options options = {.joined = {"", "", "", "", "", "", "", ""}};
    struct loop *loop = NULL;
    struct err e;
    int r = parse_options(argc, argv, &options);
    if (r >= 0)
        return r;
    if (credential_settle(&e) < 0 || loop_new(&loop, &e) < 0) {
        (void)fprintf(stderr, "eyrie-agent: %s\n", e.text);
        return EXIT_FAILURE;
    }
    r = options.join ? join(loop, &options) : keep(loop, &options);
    (void)loop_free(loop);
    return r;
}
