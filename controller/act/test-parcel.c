#include "act/parcel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"

static const struct parcel sent = {
    .controller = "5d8e2b9c",
    .name = "schedd.lab",
    .daemon = "-schedd",
    .revision = 7,
    .knob = "EYRIE_REVISION_vpool",
    .mark = "0123",
    .text = "FLOCK_BY_DEFAULT = false\n\"\\\t\n",
};

/* As it arrives: what was written, as text, and read again. */
static struct json_object *travel(const char *token)
{
    AUTOJSON struct json_object *o = parcel_write(&sent, token);
    const char *text = json_object_to_json_string(o);
    struct json_object *arrived = NULL;
    assert_int_equal(json_parse(text, strlen(text), &arrived, NULL), 0);
    return arrived;
}

static void test_what_is_sent_arrives(void **state)
{
    AUTOJSON struct json_object *o = travel("token");
    struct parcel got;
    struct err e;
    (void)state;
    assert_int_equal(parcel_read(o, "token", &got, &e), 0);
    assert_string_equal(got.controller, sent.controller);
    assert_string_equal(got.name, sent.name);
    assert_string_equal(got.daemon, sent.daemon);
    assert_int_equal(got.revision, sent.revision);
    assert_string_equal(got.knob, sent.knob);
    assert_string_equal(got.mark, sent.mark);
    assert_string_equal(got.text, sent.text);
    assert_null(strstr(json_object_to_json_string(o), "token"));
}

static void test_another_token_does_not_open_it(void **state)
{
    AUTOJSON struct json_object *o = travel("token");
    struct parcel got;
    struct err e;
    (void)state;
    assert_int_equal(parcel_read(o, "nekot", &got, &e), -EKEYREJECTED);
    assert_non_null(strstr(e.text, "(revision 7) is not signed with the token of this agent"));
    assert_int_equal(got.revision, 7);
}

/* Whatever is changed on the way, or left out, or of another type, is seen. */
static void test_any_change_is_seen(void **state)
{
    static const char *const keys[] = {"version", "controller", "name",   "daemon", "revision",
                                       "knob",    "mark",       "digest", "text",   "signature"};
    struct parcel got;
    struct err e;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
        AUTOJSON struct json_object *other = travel("token");
        AUTOJSON struct json_object *without = travel("token");
        AUTOJSON struct json_object *typed = travel("token");
        bool number = i == 0 || i == 4;
        json_add(other, keys[i],
                 number ? json_object_new_int64(8) : json_object_new_string("another"));
        assert_true(parcel_read(other, "token", &got, &e) < 0);
        json_object_object_del(without, keys[i]);
        assert_true(parcel_read(without, "token", &got, &e) < 0);
        json_add(typed, keys[i], json_object_new_array());
        assert_true(parcel_read(typed, "token", &got, &e) < 0);
    }
}

/* The lines of what is signed cannot be moved from one member to the next. */
static void test_a_line_break_is_refused(void **state)
{
    struct parcel p = sent, got;
    struct err e;
    (void)state;
    p.name = "schedd.lab\n-schedd";
    AUTOJSON struct json_object *o = parcel_write(&p, "token");
    assert_int_equal(parcel_read(o, "token", &got, &e), -EBADMSG);
    assert_string_equal(e.text, "the fragment's \"name\" has a line break");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_sent_arrives),
        cmocka_unit_test(test_another_token_does_not_open_it),
        cmocka_unit_test(test_any_change_is_seen),
        cmocka_unit_test(test_a_line_break_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
