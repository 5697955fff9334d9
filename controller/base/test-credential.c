#include "base/credential.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/mem.h"

struct fixture {
    char given[64], runtime[64];
};

/* A credential, as systemd 252 leaves it: ours alone, and not to be changed. */
static void give(const struct fixture *f, const char *name, const char *content, mode_t mode)
{
    AUTOFREE char *path = mem_printf("%s/%s", f->given, name);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    assert_true(fputs(content, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static void expect(const char *folder, const char *name, const char *content, mode_t mode)
{
    AUTOFREE char *path = mem_printf("%s/%s", folder, name);
    char got[64] = "";
    struct stat s;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fread(got, 1, sizeof(got) - 1, file), strlen(content));
    assert_int_equal(fstat(fileno(file), &s), 0);
    (void)fclose(file);
    assert_string_equal(got, content);
    assert_int_equal(s.st_mode & 0777, mode);
}

static int setup(void **state)
{
    static struct fixture f;
    f = (struct fixture){"/tmp/eyrie-credential-XXXXXX", "/tmp/eyrie-runtime-XXXXXX"};
    assert_non_null(mkdtemp(f.given));
    assert_non_null(mkdtemp(f.runtime));
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f.given, 1), 0);
    assert_int_equal(setenv("RUNTIME_DIRECTORY", f.runtime, 1), 0);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    const struct fixture *f = *state;
    AUTOFREE char *command = mem_printf("rm -r %s %s", f->given, f->runtime);
    (void)unsetenv("CREDENTIALS_DIRECTORY");
    (void)unsetenv("RUNTIME_DIRECTORY");
    return system(command); /* NOLINT(cert-env33-c): names of our own */
}

static void test_a_name_is_told_from_a_path(void **state)
{
    (void)state;
    assert_null(credential_name("/etc/eyrie/agents.key"));
    assert_string_equal(credential_name("credential:agents.key"), "agents.key");
    assert_true(credential_name_valid("token_main"));
    assert_false(credential_name_valid(""));
    assert_false(credential_name_valid(".."));
    assert_false(credential_name_valid("a/b"));
    assert_false(credential_name_valid("a:b"));
    assert_false(credential_name_valid("a b"));
}

static void test_a_credential_is_a_file_of_its_folder(void **state)
{
    const struct fixture *f = *state;
    AUTOFREE char *path = NULL, *other = NULL, *wanted = mem_printf("%s/key", f->given);
    struct err e;
    give(f, "key", "k", 0400);
    assert_int_equal(credential_path("credential:key", &path, &e), 0);
    assert_string_equal(path, wanted);
    assert_int_equal(credential_path("/etc/eyrie/key", &other, &e), 0);
    assert_string_equal(other, "/etc/eyrie/key");
}

static void test_one_that_was_not_given_is_named_with_what_to_do(void **state)
{
    char *path = NULL;
    struct err e;
    (void)state;
    assert_int_equal(credential_path("credential:key", &path, &e), -ENOENT);
    assert_null(path);
    assert_string_equal(e.text, "credential:key: the service manager handed over none of that "
                                "name: the unit needs LoadCredential=key:PATH, and a restart");
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_int_equal(credential_path("credential:key", &path, &e), -ENOENT);
    assert_non_null(strstr(e.text, "$CREDENTIALS_DIRECTORY is not set"));
    assert_null(credential_find("key"));
}

static void test_files_of_ours_alone_are_used_where_they_are(void **state)
{
    const struct fixture *f = *state;
    struct err e;
    give(f, "EYRIE", "secret", 0400);
    assert_int_equal(credential_settle(&e), 0);
    assert_string_equal(credential_folder(), f->given);
}

/* As an access list shows: the group's bits are its mask. */
static void test_those_that_others_may_read_are_copied_all(void **state)
{
    const struct fixture *f = *state;
    AUTOFREE char *wanted = mem_printf("%s/credentials", f->runtime);
    struct err e;
    give(f, "EYRIE", "secret", 0440);
    give(f, "token_main", "token", 0400);
    assert_int_equal(setenv("EYRIE_TEST_FOLDER", f->given, 1), 0);
    assert_int_equal(credential_settle(&e), 0);
    assert_string_equal(credential_folder(), wanted);
    assert_string_equal(getenv("EYRIE_TEST_FOLDER"), wanted);
    assert_string_equal(getenv("RUNTIME_DIRECTORY"), f->runtime);
    expect(wanted, "EYRIE", "secret", 0600);
    expect(wanted, "token_main", "token", 0600);
    AUTOFREE char *path = credential_find("EYRIE");
    assert_int_equal(strncmp(path, wanted, strlen(wanted)), 0);

    /* Again, by the next one that is started there. */
    give(f, "EYRIE", "other", 0640);
    assert_int_equal(setenv("CREDENTIALS_DIRECTORY", f->given, 1), 0);
    assert_int_equal(credential_settle(&e), 0);
    expect(wanted, "EYRIE", "other", 0600);
    (void)unsetenv("EYRIE_TEST_FOLDER");
}

static void test_without_a_place_for_copies_that_is_said(void **state)
{
    const struct fixture *f = *state;
    struct err e;
    give(f, "EYRIE", "secret", 0440);
    assert_int_equal(unsetenv("RUNTIME_DIRECTORY"), 0);
    assert_int_equal(credential_settle(&e), -EACCES);
    assert_non_null(strstr(e.text, "without RuntimeDirectory= in the unit"));
    assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
    assert_int_equal(credential_settle(&e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_told_from_a_path),
        cmocka_unit_test_setup_teardown(test_a_credential_is_a_file_of_its_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_that_was_not_given_is_named_with_what_to_do, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_files_of_ours_alone_are_used_where_they_are, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_those_that_others_may_read_are_copied_all, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_without_a_place_for_copies_that_is_said, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
