/* Who may change something. Of the names only root is known to be there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/access.h"

enum { STRANGER = 4000000, ROOT_GROUP = 0 };

static bool allows(const char *admin, struct asker asker)
{
    CLEANUP(text_done) struct text unknown = {0};
    struct access *a = access_new(&admin, admin ? 1 : 0, &unknown);
    bool may = access_allows(a, &asker);
    (void)access_free(a);
    return may;
}

static void root_and_the_own_user_may(void **state)
{
    (void)state;
    assert_true(allows(NULL, (struct asker){.uid = 0}));
    assert_true(allows(NULL, (struct asker){.uid = geteuid()}));
    assert_false(allows(NULL, (struct asker){.uid = STRANGER}));
    assert_false(allows("root", (struct asker){.uid = STRANGER}));
    assert_false(allows("root", (struct asker){.uid = (uid_t)-1})); /* the kernel does not tell */
}

static void members_of_a_named_group_may(void **state)
{
    static const gid_t groups[] = {STRANGER, ROOT_GROUP};
    (void)state;
    assert_true(allows("@root", (struct asker){STRANGER, groups, 2}));
    assert_false(allows("@root", (struct asker){STRANGER, groups, 1}));
    assert_false(allows("root", (struct asker){STRANGER, groups, 2})); /* a user of that name */
}

static void names_that_nobody_bears_are_told(void **state)
{
    static const char *const admins[] = {"root", "no-such-user", "@no-such-group"};
    CLEANUP(text_done) struct text unknown = {0};
    (void)state;
    struct access *a = access_new(admins, ARRAY_SIZE(admins), &unknown);
    assert_string_equal(text_get(&unknown), "no-such-user @no-such-group");
    (void)access_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_and_the_own_user_may),
        cmocka_unit_test(members_of_a_named_group_may),
        cmocka_unit_test(names_that_nobody_bears_are_told),
    };
    return cmocka_run_group_tests_name("serve/access", tests, NULL, NULL);
}
