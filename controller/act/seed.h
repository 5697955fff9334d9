/*
 * The seed of a VM: the one small text that makes a machine this VM and no other. It holds the token,
 * so it is wiped when it was handed over. Its format is in vm-templates/guest/README.md.
 */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/text.h"
#include "config/policy.h"

struct seed_vm {
    const char *name;
    const char *uuid;
    const char *group;
    const char *request; /* NULL or "": it is started for none */
    bool exclusive;      /* only the group's jobs */
    bool by_name;        /* only jobs that name the request */
    usec until;          /* when the request ends; 0: it is started for none */
    usec max_walltime;   /* of a job that gives none; 0: such a job may run until the end */
    const char *generation; /* NULL: the template's */
    const char *token;
};

/** Render the seed of @vm; @fragment: text of flock-config/vm-startd.conf. 0, or as fragment_render. */
int seed_render(const struct policy *p, const struct policy_template *t, const struct seed_vm *vm,
                const char *fragment, struct text *out, struct err *e);
/** Overwrite and free. */
void seed_wipe(struct text *seed);
