#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "agent/agent.h"
#include "agent/keeper.h"
#include "base/mem.h"

static const struct state_joined joined = {.server = "vcm.lab:9617",
                                           .pin = "sha256//x",
                                           .ca = "",
                                           .controller = "one",
                                           .name = "schedd.lab",
                                           .token = "token",
                                           .fragment = "/etc/60-eyrie.conf",
                                           .tools = ""};

/* What the agent keeps. */
static const struct parcel held = {"one", "schedd.lab", "-schedd", 7, "EYRIE_REVISION_vpool",
                                   "m",   "A = 1\n"};

static void test_what_is_taken_and_what_is_refused(void **state)
{
    const struct {
        struct parcel parcel;
        const char *why; /* NULL: taken */
    } cases[] = {
        {{"one", "schedd.lab", "-schedd", 8, "EYRIE_REVISION_vpool", "m", "A = 1\n"}, NULL},
        {{"one", "schedd.lab", "-schedd", 7, "EYRIE_REVISION_vpool", "m", "A = 1\n"}, NULL},
        {{"one", "schedd.lab", "-schedd", 8, "EYRIE_REVISION_vpool", "", ""}, NULL},
        {{"one", "schedd.lab", "-schedd", 6, "EYRIE_REVISION_vpool", "m", "A = 1\n"},
         "is an old one: revision 6, and 7 was applied"},
        {{"one", "schedd.lab", "-schedd", -1, "EYRIE_REVISION_vpool", "m", "A = 1\n"},
         "is an old one"},
        {{"one", "schedd.lab", "-schedd", 7, "EYRIE_REVISION_vpool", "m", "A = 2\n"},
         "another text than the one applied by that number"},
        {{"one", "schedd.lab", "-schedd", 7, "EYRIE_REVISION_vpool", "n", "A = 1\n"},
         "another text than the one applied by that number"},
        {{"two", "schedd.lab", "-schedd", 8, "EYRIE_REVISION_vpool", "m", "A = 1\n"},
         "is of controller two, and this agent joined one"},
        {{"one", "other", "-schedd", 8, "EYRIE_REVISION_vpool", "m", "A = 1\n"},
         "is for other, and this is the agent of schedd.lab"},
        {{"one", "schedd.lab", "-master", 8, "EYRIE_REVISION_vpool", "m", "A = 1\n"},
         "for no daemon that this agent knows"},
        {{"one", "schedd.lab", "-schedd", 8, "PATH", "m", "A = 1\n"},
         "for no daemon that this agent knows"},
        {{"one", "schedd.lab", "-schedd", 8, "EYRIE_-set X=1", "m", "A = 1\n"},
         "for no daemon that this agent knows"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {""};
        int r = keeper_judge(&joined, &held, &cases[i].parcel, &e);
        assert_int_equal(r, cases[i].why ? -EKEYREJECTED : 0);
        if (cases[i].why && !strstr(e.text, cases[i].why))
            fail_msg("\"%s\" is not in \"%s\"", cases[i].why, e.text);
        assert_true(keeper_judge(&joined, NULL, &cases[i].parcel, &e) == 0 || i > 6);
    }
}

static void test_a_lost_controller_is_asked_soon_and_then_less_often(void **state)
{
    (void)state;
    for (unsigned failures = 0; failures < 100; failures++) {
        usec least = agent_rest(failures, 0), most = agent_rest(failures, UINT32_MAX);
        assert_true(least > 0 && most <= (failures < 4 ? 2 : 32) * USEC_PER_SEC);
        assert_true(most > least); /* not all at once */
        assert_true(least >= agent_rest(failures ? failures - 1 : 0, 0));
    }
}

static void test_what_is_known_is_nobody_elses(void **state)
{
    char folder[] = "/tmp/eyrie-agent-XXXXXX";
    AUTOFREE char *deep = NULL, *file = NULL, *parcel = NULL;
    AUTOJSON struct json_object *o = NULL, *sent = json_object_new_object(), *got = NULL;
    struct state_joined read;
    struct stat st;
    struct err e;
    (void)state;
    assert_non_null(mkdtemp(folder));
    deep = mem_printf("%s/agent", folder);
    file = mem_printf("%s/joined.json", deep);
    parcel = mem_printf("%s/fragment.json", deep);
    assert_int_equal(state_read_joined(deep, &read, &o, &e), -ENOENT);
    assert_int_equal(state_write_joined(deep, &joined, &e), 0);
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(state_read_joined(deep, &read, &o, &e), 0);
    assert_string_equal(read.token, joined.token);
    assert_string_equal(read.fragment, joined.fragment);
    assert_int_equal(state_write_parcel(deep, sent, &e), 0);
    assert_int_equal(stat(parcel, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(state_read_parcel(deep, &got, &e), 0);
    assert_int_equal(state_write_joined(deep, &joined, &e),
                     0); /* anew: what was kept is forgotten */
    (void)json_object_put(got);
    got = NULL;
    assert_int_equal(state_read_parcel(deep, &got, &e), -ENOENT);
    assert_int_equal(truncate(file, 10), 0);
    (void)json_object_put(o);
    o = NULL;
    assert_int_equal(state_read_joined(deep, &read, &o, &e), -EBADMSG);
    assert_non_null(strstr(e.text, file));
    assert_int_equal(unlink(file), 0);
    assert_int_equal(rmdir(deep), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_taken_and_what_is_refused),
        cmocka_unit_test(test_a_lost_controller_is_asked_soon_and_then_less_often),
        cmocka_unit_test(test_what_is_known_is_nobody_elses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
