/*
 * The planner on sites that the fuzzer draws, held to every rule of the property tests.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "property/trial.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct draw d = draw_from_bytes(data, size);
    struct trial t = trial_make(a, &d);
    const char *rule = "";
    struct err e = {""};
    if (trial_check(&t, &rule, &e) == 0)
        return 0;
    (void)fprintf(stderr, "broken: %s\n  %s\n", rule, e.text);
    abort();
}
