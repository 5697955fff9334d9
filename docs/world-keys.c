/* The keys of a world, one a line, as record/world.c writes them: for the test of eyrie-world(5).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "record/world.h"

/* A world with one of everything. */
static const char one_of_each[] =
    "{\"version\": 1, \"now\": 1, \"queues\": [{\"shapes\": [{}]}], \"pool\": {\"startds\": [{}]},"
    " \"hosts\": [{\"domains\": [{}], \"volumes\": [{}], \"seals\": [{}]}], \"templates\": [{}], \"groups\": [{}], \"records\": [{}],"
    " \"flocks\": [{}], \"requests\": [{\"seats\": [{}]}], \"starts\": [{}]}";

static void list_keys(struct json_object *value)
{
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; i < json_object_array_length(value); i++)
            list_keys(json_object_array_get_idx(value, i));
    } else if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach(value, key, inside)
        {
            (void)puts(key);
            list_keys(inside);
        }
    }
}

int main(void)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    AUTOJSON struct json_object *in = NULL, *out = NULL;
    const struct world *w = NULL;
    struct err e;
    if (json_parse(one_of_each, strlen(one_of_each), &in, &e) < 0 ||
        world_from_json(a, in, &w, &e) < 0) {
        (void)fprintf(stderr, "%s\n", e.text);
        return EXIT_FAILURE;
    }
    out = world_to_json(w);
    list_keys(out);
    return EXIT_SUCCESS;
}
