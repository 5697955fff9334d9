/*
 * The reader of worlds: what it accepts it writes, and reads again as the same.
 */
#include <assert.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "record/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    AUTOJSON struct json_object *json = NULL;
    const struct world *w = NULL, *again = NULL;
    struct err e = {""};
    if (json_parse((const char *)data, size, &json, &e) < 0)
        return 0;
    if (world_from_json(a, json, &w, &e) < 0) {
        assert(e.text[0]);
        return 0;
    }
    AUTOJSON struct json_object *first = world_to_json(w);
    int r = world_from_json(a, first, &again, &e);
    assert(r == 0);
    AUTOJSON struct json_object *second = world_to_json(world_copy(a, again));
    assert(strcmp(json_object_to_json_string(first), json_object_to_json_string(second)) == 0);
    return 0;
}
