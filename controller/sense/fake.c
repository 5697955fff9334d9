#include "sense/fake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"

static char folder[64];

static FILE *file_open(const char *name, const char *mode)
{
    AUTOFREE char *path = mem_printf("%s/%s", folder, name);
    FILE *file = fopen(path, mode);
    assert_non_null(file);
    return file;
}

void fake_open(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/eyrie-fake-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)setenv("EYRIE_FAKE", folder, 1);
}

void fake_close(void)
{
    AUTOFREE char *command = mem_printf("rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

void fake_put(const char *name, const char *content)
{
    FILE *file = file_open(name, "we");
    (void)fputs(content, file);
    (void)fclose(file);
}

void fake_drop(const char *name)
{
    AUTOFREE char *path = mem_printf("%s/%s", folder, name);
    (void)unlink(path);
}

FILE *fake_read(const char *name)
{
    return file_open(name, "re");
}
