/* The seed of a VM: what it says of who runs there. */
#include "act/seed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static const struct policy policy = {
    .pool = {.name = "vpool",
             .flag = "VirtualPool",
             .central_manager = "vcm:9618",
             .trust_domain = "vcm"},
};
static const struct policy_template template = {
    .name = "small", .generation = "g1", .cpus = 2, .memory = 4 * GIB};

static void expect_rendered(const struct seed_vm *vm, const char *fragment, const char *wanted)
{
    CLEANUP(text_done) struct text seed = {0};
    struct err e = {""};
    assert_int_equal(seed_render(&policy, &template, vm, fragment, &seed, &e), 0);
    const char *config = strstr(text_get(&seed), "CONFIG\n");
    assert_non_null(config);
    assert_string_equal(config + strlen("CONFIG\n"), wanted);
}

/* The VM's START, and the request that its slots carry. */
static void expect(const struct seed_vm *vm, const char *wanted)
{
    expect_rendered(vm, "@START@ of @REQUEST@\n", wanted);
}

static void a_vm_runs_the_jobs_it_was_started_for(void **state)
{
    (void)state;
    struct seed_vm vm = {.name = "v", .uuid = "u", .group = "juno", .token = "t"};
    expect(&vm, "(TARGET.EyrieRequest ?: \"\") == \"\" of \n");
    vm.exclusive = true;
    expect(&vm, "TARGET.AcctGroup =?= \"juno\" && (TARGET.EyrieRequest ?: \"\") == \"\" of \n");
    vm.request = "r-17";
    expect(&vm, "TARGET.AcctGroup =?= \"juno\" && ((TARGET.EyrieRequest ?: \"\") == \"\" || "
                "TARGET.EyrieRequest =?= \"r-17\") of r-17\n");
    vm.by_name = true;
    expect(&vm, "TARGET.AcctGroup =?= \"juno\" && TARGET.EyrieRequest =?= \"r-17\" of r-17\n");
}

static void a_vm_knows_the_end_of_its_request(void **state)
{
    static const char end[] = "if @HAS_REQUEST@ @UNTIL@ @MAX_WALLTIME@ endif\n";
    struct seed_vm vm = {.name = "v", .uuid = "u", .group = "juno", .token = "t"};
    (void)state;
    expect_rendered(&vm, end, "if false 0 0 endif\n");
    vm.request = "r-17";
    vm.until = 1700000000 * USEC_PER_SEC + 1;
    vm.max_walltime = 2 * USEC_PER_HOUR;
    expect_rendered(&vm, end, "if true 1700000000 7200 endif\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vm_knows_the_end_of_its_request),
        cmocka_unit_test(a_vm_runs_the_jobs_it_was_started_for),
    };
    return cmocka_run_group_tests_name("act/seed", tests, NULL, NULL);
}
