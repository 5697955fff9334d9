/*
 * What a host would make of a template, without making anything: for `eyrie doctor`. Each thing
 * that could not be is a sentence in the answer, and none of them keeps the others from being
 * found.
 */
#pragma once

#include "host/domain.h"

/**
 * Look for what a VM of the template in the request @q needs, and add `driver`, `node`, `storage`,
 * `image` and `domain` to its @answer (README.md says what is in them).
 */
int check_take(const struct domain_place *place, const struct lease *lease, const struct request *q,
               struct json_object *answer, struct fault *f);
