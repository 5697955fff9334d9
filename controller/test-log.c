/* Where the log goes. */
#include "log.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"

static void test_the_journal_is_known_by_its_stream(void **state)
{
    int here[2], elsewhere[2];
    struct stat st;
    (void)state;
    assert_int_equal(pipe(here), 0);
    assert_int_equal(pipe(elsewhere), 0);
    assert_int_equal(fstat(here[1], &st), 0);
    AUTOFREE char *stream = mem_printf("%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    AUTOFREE char *longer = mem_printf("%s:1", stream);
    assert_true(log_is_journal(stream, here[1]));
    assert_false(log_is_journal(stream, elsewhere[1])); /* inherited, and redirected since */
    assert_false(log_is_journal(longer, here[1]));
    assert_false(log_is_journal("", here[1]));
    assert_false(log_is_journal(NULL, here[1]));
    for (int i = 0; i < 2; i++) {
        (void)close(here[i]);
        (void)close(elsewhere[i]);
    }
}

/* Without a journal: one line on stderr. */
static void test_a_line(void **state)
{
    char line[256] = "";
    int ends[2], saved = dup(STDERR_FILENO);
    (void)state;
    assert_int_equal(pipe(ends), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    log_event(LOG_INFO, "joined", "vpool-small-1", "");
    log_event(LOG_WARNING, "create-failed", "vpool-small-2", "no space");
    (void)dup2(saved, STDERR_FILENO);
    assert_true(read(ends[0], line, sizeof(line) - 1) > 0);
    const char *first = strchr(line, 'Z'), *second = strchr(line, '\n');
    assert_non_null(first);
    assert_non_null(second);
    assert_int_equal(strncmp(first, "Z joined vpool-small-1\n", strlen("Z joined vpool-small-1\n")), 0);
    assert_non_null(strstr(second, "Z ! create-failed vpool-small-2: no space\n"));
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_journal_is_known_by_its_stream),
        cmocka_unit_test(test_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
