/* Of which generation a VM is, by what is known of its image. */
#include "plan/rungs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct policy_template template = {
    .name = "small", .image = "d13.qcow2", .generation = "0123456789ab"};

/* What is wrong with a VM made from @made_from on a host with that seal (NULL: none). */
static enum reason_code judged(const char *made_from, const struct world_seal *seal)
{
    const struct world_host host = {.seals = seal, .n_seals = seal != NULL};
    return generation_is_old(&template, &host, made_from).code;
}

static void an_image_that_is_known_is_a_part_of_it(void **state)
{
    const struct world_seal seals[] = {{"other.qcow2", "ffffffffffff", true},
                                       {"d13.qcow2", "89abcdef0000", true}};
    const struct world_host host = {.seals = seals, .n_seals = 2}, none = {0};
    char text[PLAN_GENERATION_MAX];
    (void)state;
    plan_generation(&template, &host, text);
    assert_string_equal(text, "0123456789ab-89abcdef");
    plan_generation(&template, &none, text);
    assert_string_equal(text, "0123456789ab");
    plan_generation(&template, NULL, text);
    assert_string_equal(text, "0123456789ab");
}

static void a_vm_is_old_when_its_template_or_its_image_is_another_one(void **state)
{
    const struct world_seal same = {"d13.qcow2", "89abcdef0000", true};
    const struct world_seal other = {"d13.qcow2", "ffffffff0000", true};
    const struct world_seal broken = {"d13.qcow2", "89abcdef0000", false};
    (void)state;
    assert_int_equal(judged("0123456789ab-89abcdef", &same), REASON_NONE);
    assert_int_equal(judged("0123456789ab-89abcdef", &other), REASON_IMAGE_CHANGED);
    assert_int_equal(judged("0123456789ab-89abcdef", &broken), REASON_IMAGE_CHANGED);
    assert_int_equal(judged("0123456789ff-89abcdef", &same), REASON_OLD_GENERATION);
    assert_int_equal(judged("0123456789", &same), REASON_OLD_GENERATION);
    assert_int_equal(judged("0123456789abc", &same), REASON_OLD_GENERATION);
}

static void what_is_not_known_makes_no_vm_old(void **state)
{
    const struct world_seal seal = {"d13.qcow2", "89abcdef0000", true};
    const struct world_seal broken = {"d13.qcow2", "89abcdef0000", false};
    (void)state;
    assert_int_equal(judged("0123456789ab", NULL), REASON_NONE);
    assert_int_equal(judged("0123456789ab", &seal), REASON_NONE); /* its digest became known since */
    assert_int_equal(judged("0123456789ab", &broken), REASON_NONE);
    assert_int_equal(judged("0123456789ab-89abcdef", NULL), REASON_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_that_is_known_is_a_part_of_it),
        cmocka_unit_test(a_vm_is_old_when_its_template_or_its_image_is_another_one),
        cmocka_unit_test(what_is_not_known_makes_no_vm_old),
    };
    return cmocka_run_group_tests_name("plan/generation", tests, NULL, NULL);
}
