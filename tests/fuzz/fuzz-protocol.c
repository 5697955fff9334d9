/*
 * A line from eyried to eyrie-host: a request that is complete and within its limits, or a fault.
 */
#include <assert.h>

#include "fuzz/fuzz.h"
#include "host/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request *request = NULL;
    struct fault fault = {0};
    int64_t id = 0;
    int r = protocol_parse((const char *)data, size, "vpool", &request, &id, &fault);
    assert((r >= 0) == (request != NULL));
    (void)protocol_free(request);
    return 0;
}
