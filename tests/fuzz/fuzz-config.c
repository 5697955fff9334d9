/*
 * eyrie.yaml: any text is either a policy or a list of sentences, and never both or neither.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/config.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(config_free_p) struct config *config = NULL;
    AUTOFREE char *messages = NULL;
    AUTOCLOSE int fd = memfd_create("eyrie.yaml", MFD_CLOEXEC);
    assert(fd >= 0);
    if (write(fd, data, size) != (ssize_t)size)
        return 0;
    AUTOFREE char *path = mem_printf("/proc/self/fd/%d", fd);
    int r = config_load(path, &config, &messages);
    assert((r == 0) == (config != NULL) && (r == 0) == (messages == NULL));
    if (config) {
        FILE *null = fopen("/dev/null", "we");
        assert(null);
        config_print(config, null);
        (void)fclose(null);
    }
    return 0;
}
