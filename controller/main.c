/*
 * eyried: parse, wire, run.
 */
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/credential.h"
#include "base/mem.h"
#include "config/config.h"
#include "controller.h"
#include "loop/loop.h"
#include "loop/notify.h"

static const char usage[] =
    "usage: eyried [-n] [-c FILE]\n"
    "\n"
    "The controller of an Eyrie pool.\n"
    "\n"
    "  -c, --config FILE   the policy (default /etc/eyrie/eyrie.yaml)\n"
    "  -n, --check         check the policy, print it as `eyrie check` does, and exit\n"
    "  -h, --help          this text\n"
    "  -V, --version       the version\n"
    "\n"
    "Exit status: 0 ended as asked, 1 failure, 64 usage, 78 configuration error.\n"
    "See eyried(8) and eyrie.yaml(5); `eyrie status` shows what it does.\n";

struct options {
    const char *config;
    bool check;
};

/* Returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"check", no_argument, NULL, 'n'},
                                          {"help", no_argument, NULL, 'h'},
                                          {"version", no_argument, NULL, 'V'},
                                          {0}};
    int option;
    while ((option = getopt_long(argc, argv, "c:nhV", longs, NULL)) != -1) {
        switch (option) {
        case 'c':
            o->config = optarg;
            break;
        case 'n':
            o->check = true;
            break;
        case 'h':
            (void)fputs(usage, stdout);
            return EXIT_SUCCESS;
        case 'V':
            (void)puts("eyried " EYRIE_VERSION);
            return EXIT_SUCCESS;
        default:
            (void)fputs("eyried: try --help\n", stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "eyried: %s: no such argument; try --help\n", argv[optind]);
        return EX_USAGE;
    }
    return -1;
}

static void asked_to_stop(void *userdata, int signal)
{
    (void)signal;
    loop_quit(userdata, EXIT_SUCCESS);
}

static void asked_to_reload(void *userdata, int signal)
{
    struct controller **controller = userdata;
    bool refused;
    (void)signal;
    if (*controller)
        (void)json_object_put(controller_reload(*controller, "SIGHUP", &refused));
}

static bool is_alive(void *userdata)
{
    return controller_is_alive(userdata);
}

static int run(struct loop *loop, struct config *config)
{
    struct controller *controller = NULL;
    struct watchdog *watchdog = NULL;
    struct loop_signal *term = NULL, *interrupt = NULL, *hangup = NULL;
    struct err e;
    int r = loop_signal_new(loop, SIGTERM, asked_to_stop, loop, &term);
    if (r == 0)
        r = loop_signal_new(loop, SIGINT, asked_to_stop, loop, &interrupt);
    if (r == 0)
        r = loop_signal_new(loop, SIGHUP, asked_to_reload, &controller, &hangup);
    if (r < 0)
        (void)err_set(&e, -r, "cannot watch for signals: %s", strerror(-r));
    else
        r = controller_new(loop, config, &controller, &e);
    if (r < 0) {
        (void)fprintf(stderr, "eyried: %s\n", e.text);
        r = EXIT_FAILURE;
    } else {
        watchdog = watchdog_new(loop, is_alive, controller);
        controller_start(controller);
        notify_ready();
        r = loop_run(loop);
        notify_stopping();
    }
    (void)watchdog_free(watchdog);
    (void)controller_free(controller);
    (void)loop_signal_free(term);
    (void)loop_signal_free(interrupt);
    (void)loop_signal_free(hangup);
    return r < 0 ? EXIT_FAILURE : r;
}

int main(int argc, char **argv)
{
    struct options options = {.config = "/etc/eyrie/eyrie.yaml"};
    struct loop *loop = NULL;
    struct err e;
    int r = parse_options(argc, argv, &options);
    if (r >= 0)
        return r;

    if (credential_settle(&e) < 0) {
        (void)fprintf(stderr, "eyried: %s\n", e.text);
        return EXIT_FAILURE;
    }
    AUTOFREE char *messages = NULL;
    CLEANUP(config_free_p) struct config *config = NULL;
    if (config_load(options.config, &config, &messages) < 0) {
        (void)fputs(messages, stderr);
        return EX_CONFIG;
    }
    if (options.check) {
        config_print(config, stdout);
        return EXIT_SUCCESS;
    }
    if (loop_new(&loop, &e) < 0) {
        (void)fprintf(stderr, "eyried: %s\n", e.text);
        return EXIT_FAILURE;
    }
    r = run(loop, config);
    (void)loop_free(loop);
    return r;
}
