/* Files that change, in the ways in which editors and admins change them. */
#include "loop/files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"

struct fixture {
    struct loop *loop;
    struct files *files;
    struct loop_timer *timer;
    int told;
    char folder[64];
};

static void changed(void *userdata)
{
    struct fixture *f = userdata;
    f->told++;
    loop_quit(f->loop, 0);
}

static int setup(void **state)
{
    static struct fixture f;
    struct err e;
    f = (struct fixture){.folder = "/tmp/eyrie-files-XXXXXX"};
    *state = &f;
    if (!mkdtemp(f.folder) || loop_new(&f.loop, &e) < 0)
        return -1;
    return files_new(f.loop, changed, &f, &f.files, &e);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    AUTOFREE char *command = mem_printf("rm -rf %s", f->folder);
    f->files = files_free(f->files);
    f->timer = loop_timer_free(f->timer);
    f->loop = loop_free(f->loop);
    return system(command); /* NOLINT(cert-env33-c) */
}

static char *in(const struct fixture *f, const char *name)
{
    return mem_printf("%s/%s", f->folder, name);
}

static void put(const struct fixture *f, const char *name, const char *text)
{
    AUTOFREE char *path = in(f, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    (void)fputs(text, file);
    assert_int_equal(fclose(file), 0);
}

static void watch(const struct fixture *f, const char *name, const char *folder)
{
    AUTOFREE char *path = in(f, name), *inside = folder ? in(f, folder) : NULL;
    files_watch(f->files, (const char *const[]){path}, 1, (const char *const[]){inside},
                folder ? 1 : 0);
}

/* The next thing that is told; a burst that began before it is over by then. */
static void wait_told(struct fixture *f)
{
    int before = f->told;
    assert_int_equal(loop_run(f->loop), 0);
    assert_int_equal(f->told, before + 1);
}

static void test_written_over(void **state)
{
    struct fixture *f = *state;
    put(f, "a.yaml", "1");
    watch(f, "a.yaml", NULL);
    put(f, "a.yaml", "2");
    wait_told(f);
}

static void test_renamed_over(void **state)
{
    struct fixture *f = *state;
    AUTOFREE char *from = in(f, ".a.yaml.new"), *to = in(f, "a.yaml");
    put(f, "a.yaml", "1");
    watch(f, "a.yaml", NULL);
    put(f, ".a.yaml.new", "2");
    assert_int_equal(rename(from, to), 0);
    wait_told(f);
    put(f, "a.yaml", "3"); /* the new file is watched as the old one was */
    wait_told(f);
}

static void test_removed_and_made_again(void **state)
{
    struct fixture *f = *state;
    AUTOFREE char *path = in(f, "a.yaml");
    put(f, "a.yaml", "1");
    watch(f, "a.yaml", NULL);
    assert_int_equal(unlink(path), 0);
    wait_told(f);
    put(f, "a.yaml", "2");
    wait_told(f);
}

/* Once for all that happened at once, and only for the names that count. */
static void test_a_burst_is_told_once(void **state)
{
    struct fixture *f = *state;
    watch(f, "a.yaml", NULL);
    for (int i = 0; i < 20; i++) {
        put(f, "a.yaml", "x");
        put(f, "b.yaml", "x");
    }
    wait_told(f);
    for (int i = 0; i < 20; i++)
        put(f, "b.yaml", "y");
    put(f, "a.yaml", "y");
    wait_told(f);
    assert_int_equal(f->told, 2);
}

static void end_of_quiet(void *userdata)
{
    struct fixture *f = userdata;
    loop_quit(f->loop, 1);
}

static void test_other_names_are_not_told(void **state)
{
    struct fixture *f = *state;
    watch(f, "a.yaml", NULL);
    put(f, "b.yaml", "x");
    f->timer = loop_timer_new(f->loop, end_of_quiet, f);
    loop_timer_set(f->timer, USEC_PER_SEC);
    assert_int_equal(loop_run(f->loop), 1);
    assert_int_equal(f->told, 0);
}

static void test_a_link_and_what_it_leads_to(void **state)
{
    struct fixture *f = *state;
    AUTOFREE char *folder = in(f, "real"), *link = in(f, "a.yaml"), *link2 = in(f, "a.yaml.2");
    assert_int_equal(mkdir(folder, 0700), 0);
    put(f, "real/b.yaml", "1");
    assert_int_equal(symlink("real/b.yaml", link), 0);
    watch(f, "a.yaml", NULL);
    put(f, "real/b.yaml", "2");
    wait_told(f);
    assert_int_equal(symlink("real/c.yaml", link2), 0);
    assert_int_equal(rename(link2, link), 0);
    wait_told(f);
}

static void test_a_folder_that_comes_and_goes(void **state)
{
    struct fixture *f = *state;
    AUTOFREE char *folder = in(f, "conf.d"), *away = in(f, "away");
    watch(f, "a.yaml", "conf.d");
    assert_int_equal(mkdir(folder, 0700), 0);
    wait_told(f);
    files_mend(f->files);
    wait_told(f);
    put(f, "conf.d/any.yaml", "1");
    wait_told(f);
    assert_int_equal(rename(folder, away), 0);
    wait_told(f);
    put(f, "away/any.yaml", "2"); /* concerns nobody any more */
    assert_int_equal(mkdir(folder, 0700), 0);
    wait_told(f);
    watch(f, "a.yaml", "conf.d"); /* as after a reload */
    put(f, "conf.d/any.yaml", "3");
    wait_told(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_written_over),
        TEST(test_renamed_over),
        TEST(test_removed_and_made_again),
        TEST(test_a_burst_is_told_once),
        TEST(test_other_names_are_not_told),
        TEST(test_a_link_and_what_it_leads_to),
        TEST(test_a_folder_that_comes_and_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
