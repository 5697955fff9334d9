#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "host/host.h"

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct host_options *options = state->input;
    switch (key) {
    case 'p':
        options->pool = argument;
        return 0;
    case 's':
        options->storage_pool = argument;
        return 0;
    case ARGP_KEY_ARG:
        if (options->uri)
            argp_error(state, "one URI, please");
        options->uri = argument;
        return 0;
    case ARGP_KEY_END:
        if (!options->uri || !options->pool || !options->storage_pool)
            argp_error(state, "--pool, --storage-pool and a URI are needed");
        if (!options->pool[0] || strpbrk(options->pool, "/ \t\n"))
            argp_error(state, "--pool cannot be part of a name");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"pool", 'p', "NAME", 0, "name of the virtual pool, with which our names begin", 0},
        {"storage-pool", 's', "NAME", 0, "libvirt's storage pool for volumes", 0},
        {0},
    };
    static const struct argp parser = {
        .options = table,
        .parser = on_option,
        .args_doc = "URI",
        .doc = "Serves eyried: does on one libvirt host what requests on standard input ask.",
    };
    const struct rlimit no_core = {0};
    struct host_options options = {.in = STDIN_FILENO, .out = STDOUT_FILENO};
    struct err e;
    argp_err_exit_status = EX_USAGE;
    argp_program_version = "eyrie-host " EYRIE_VERSION;
    (void)argp_parse(&parser, argc, argv, 0, NULL, &options);
    (void)setrlimit(RLIMIT_CORE, &no_core); /* seeds pass through this memory */
    if (host_run(&options, &e) < 0) {
        (void)fprintf(stderr, "eyrie-host: %s: %s\n", options.uri, e.text);
        (void)fflush(NULL);
        _exit(EX_SOFTWARE); /* threads may be stuck in libvirt */
    }
    return 0;
}
