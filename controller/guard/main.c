#include <argp.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "guard/guard.h"

struct options {
    struct guard_rules rules;
    const char **folders;
    const char **allowed;
    const char *domain;
    const char *operation;
};

static void add(const char ***list, size_t *n, const char *word)
{
    *list = mem_resize(*list, *n + 1, sizeof(**list));
    (*list)[(*n)++] = word;
}

static error_t on_option(int key, char *argument, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'p':
        o->rules.pool = argument;
        return 0;
    case 'f':
        if (argument[0] != '/' || argument[strlen(argument) - 1] == '/')
            argp_error(state, "--folder %s: an absolute path without a / at its end, please",
                       argument);
        add(&o->folders, &o->rules.n_folders, argument);
        return 0;
    case 'a':
        add(&o->allowed, &o->rules.n_allowed, argument);
        return 0;
    case ARGP_KEY_ARG: /* the hook's: domain, operation, sub-operation, extra argument */
        if (state->arg_num == 0)
            o->domain = argument;
        else if (state->arg_num == 1)
            o->operation = argument;
        return 0;
    case ARGP_KEY_END:
        if (!o->rules.pool || !o->rules.pool[0] || !o->rules.n_folders || !o->operation)
            argp_error(state, "--pool, --folder and the hook's own arguments are needed");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int read_all(FILE *in, struct text *ret)
{
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), in)) > 0 &&
           ret->length + n <= LIMIT_DOMAIN_XML_BYTES)
        text_add_bytes(ret, piece, n);
    return n || ferror(in) ? -1 : 0;
}

int main(int argc, char **argv)
{
    static const struct argp_option table[] = {
        {"pool", 'p', "NAME", 0, "the rules are about domains named NAME-…; others start as ever",
         0},
        {"folder", 'f', "DIR", 0, "domains may have files below DIR; may be given again", 0},
        {"allow", 'a', "WHAT", 0,
         "domains may have WHAT, as a refusal names it; may be given again", 0},
        {0},
    };
    static const struct argp parser = {
        .options = table,
        .parser = on_option,
        .args_doc = "DOMAIN OPERATION [SUBOPERATION [EXTRA]]",
        .doc =
            "libvirt's hook that lets Eyrie's domains start only as the host's owner wants them.",
    };
    struct options o = {0};
    struct text xml CLEANUP(text_done) = {0};
    struct err e;
    argp_err_exit_status = EX_USAGE;
    argp_program_version = "eyrie-guard " EYRIE_VERSION;
    (void)argp_parse(&parser, argc, argv, 0, NULL, &o);
    o.rules.folders = o.folders;
    o.rules.allowed = o.allowed;
    int r = 0;
    bool starts = strcmp(o.operation, "prepare") == 0 || strcmp(o.operation, "start") == 0;
    if (starts && guard_is_about(&o.rules, o.domain)) {
        r = read_all(stdin, &xml);
        if (r < 0)
            (void)err_set(&e, 0, "its description cannot be read, or is too long");
        else
            r = guard_check(&o.rules, text_get(&xml), &e);
        if (r < 0) /* libvirt makes it part of the failed call's message */
            (void)fprintf(stderr, "eyrie-guard: domain %s: %s\n", o.domain, e.text);
    }
    free(o.folders);
    free(o.allowed);
    return r < 0 ? 1 : 0;
}
