/*
 * Answers of condor_q, in pieces of a length that the first byte says.
 */
#include <assert.h>

#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "sense/queue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct queue_parser *parser = queue_parser_new(a, 0);
    struct world_shape *shapes = NULL;
    size_t n = 0, piece = size ? (size_t)data[0] + 1 : 1;
    struct err e = {""};
    int r = 0;
    for (size_t at = 1; r >= 0 && at < size; at += piece)
        r = queue_parser_feed(parser, (const char *)data + at,
                              size - at < piece ? size - at : piece, &e);
    if (r >= 0)
        r = queue_parser_end(parser, &shapes, &n, &e);
    assert(r >= 0 || e.text[0]);
    assert(r < 0 || n == 0 || shapes);
    (void)queue_parser_free(parser);
    return 0;
}
