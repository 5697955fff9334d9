/* What fragments say of groups, and how the lines of a fragment are repeated for each. */
#include "act/gates.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

#define UNLIMITED {.value = POLICY_UNLIMITED}

static const size_t first_template[] = {0};
static const char *alice_and_bob[] = {"alice", "bob"};
static const struct policy_template templates[] = {
    {.name = "small", .cpus = 2, .memory = 1000 * MIB, .disk = 4 * GIB},
};
static const struct policy_host hosts[] = {{.name = "hv1", .cpus = 100}};

static struct policy policy_of(struct policy_group *groups, size_t n)
{
    for (size_t g = 0; g < n; g++) {
        groups[g].templates = first_template;
        groups[g].n_templates = 1;
    }
    return (struct policy){
        .pool = {.name = "v-pool", .flag = "VirtualPool", .central_manager = "vcm:9618"},
        .limits.cpus = UNLIMITED,
        .placement.overcommit.value = 100,
        .hosts = hosts,
        .n_hosts = 1,
        .templates = templates,
        .n_templates = 1,
        .groups = groups,
        .n_groups = n,
    };
}

static const char *cell(const struct gates *g, size_t row, const char *column)
{
    for (size_t i = 0; i < g->rows.n_columns; i++)
        if (strcmp(g->rows.columns[i], column) == 0)
            return g->rows.cells[row * g->rows.n_columns + i];
    fail_msg("no column %s", column);
    return NULL;
}

static void a_group_in_the_words_of_a_fragment(void **state)
{
    (void)state;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct policy_group groups[] = {
        {.name = "juno-reco", .max.value = 8, .max_vms = UNLIMITED, .weight.value = 1,
         .submitters = alice_and_bob, .n_submitters = 2, .placement = POLICY_OVERFLOW,
         .overflow_after.value = 10 * USEC_PER_MINUTE, .max_walltime.value = USEC_PER_DAY,
         .long_job.value = USEC_PER_HOUR, .long_jobs.value = 3},
        {.name = "lhaaso", .max = UNLIMITED, .weight.value = 1, .long_jobs = UNLIMITED},
    };
    struct policy p = policy_of(groups, ARRAY_SIZE(groups));
    struct gates g = gates_of(a, &p);
    assert_int_equal(g.rows.n, 2);
    assert_string_equal(cell(&g, 0, "GROUP_KNOB"), "juno_reco");
    assert_string_equal(cell(&g, 0, "PLACEMENT"), "overflow");
    assert_string_equal(cell(&g, 0, "OVERFLOW_AFTER"), "600");
    assert_string_equal(cell(&g, 0, "MAX_WALLTIME"), "86400");
    assert_string_equal(cell(&g, 0, "HAS_MAX"), "true");
    assert_string_equal(cell(&g, 0, "MAX"), "8");
    assert_string_equal(cell(&g, 0, "HAS_LONG_JOBS"), "true");
    assert_string_equal(cell(&g, 0, "LONG_JOB"), "3600");
    assert_string_equal(cell(&g, 0, "LONG_JOBS"), "3");
    assert_string_equal(cell(&g, 0, "MEMBERS"), "stringListMember(Owner, \"alice,bob\")");
    assert_string_equal(cell(&g, 0, "DEFAULT_MEMBERS"), cell(&g, 0, "MEMBERS"));
    assert_string_equal(cell(&g, 0, "FITS"),
                        "(RequestCpus <= 2 && RequestMemory <= 896 && RequestDisk <= 4194304 && "
                        "(RequestGPUs ?: 0) <= 0)");
    assert_string_equal(cell(&g, 1, "PLACEMENT"), "virtual-only");
    assert_string_equal(cell(&g, 1, "HAS_MAX"), "false");
    assert_string_equal(cell(&g, 1, "HAS_LONG_JOBS"), "false");
    assert_string_equal(cell(&g, 1, "MEMBERS"), "true");
    /* Anyone may use it, so nobody gets it without a word. */
    assert_string_equal(cell(&g, 1, "DEFAULT_MEMBERS"), "false");
    assert_string_equal(gates_rules(a, &p), "juno-reco/alice juno-reco/bob lhaaso/*");
    AUTOFREE char *knob = gates_knob("EYRIE_REVISION", &p);
    assert_string_equal(knob, "EYRIE_REVISION_v_pool");
}

static void shares_are_quotas_and_a_weighted_rest(void **state)
{
    (void)state;
    static const struct {
        int64_t quota[3], max[3], weight[3], cpus, shares[3];
    } cases[] = {
        /* quotas first, the rest by weight */
        {{40, 0, 0}, {-1, -1, -1}, {1, 1, 2}, -1, {55, 15, 30}},
        /* what a capped group cannot take flows to the others */
        {{0, 0, 0}, {10, -1, -1}, {1, 1, 2}, -1, {10, 30, 60}},
        /* the pool's own limit is smaller than its hosts */
        {{0, 0, 0}, {-1, -1, -1}, {1, 1, 2}, 20, {5, 5, 10}},
        /* more quota than pool: first come */
        {{90, 20, 0}, {-1, -1, -1}, {1, 1, 1}, -1, {90, 10, 0}},
        /* all capped: the rest stays unused */
        {{0, 0, 0}, {1, 2, 3}, {1, 1, 1}, -1, {1, 2, 3}},
        /* no weight, no surplus */
        {{7, 0, 0}, {-1, -1, -1}, {0, 0, 1}, -1, {7, 0, 93}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(arena_free_p) struct arena *a = arena_new();
        struct policy_group groups[3] = {{.name = "a"}, {.name = "b"}, {.name = "c"}};
        for (size_t g = 0; g < 3; g++) {
            groups[g].quota.value = cases[i].quota[g];
            groups[g].max.value = cases[i].max[g] < 0 ? POLICY_UNLIMITED : cases[i].max[g];
            groups[g].weight.value = cases[i].weight[g];
        }
        struct policy p = policy_of(groups, 3);
        if (cases[i].cpus >= 0)
            p.limits.cpus.value = cases[i].cpus;
        const int64_t *shares = gates_shares(a, &p);
        for (size_t g = 0; g < 3; g++)
            assert_int_equal(shares[g], cases[i].shares[g]);
    }
}

static void a_pool_of_unknown_size_has_shares_by_weight(void **state)
{
    (void)state;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    static const struct policy_host unknown[] = {{.name = "hv1"}};
    struct policy_group groups[] = {
        {.name = "a", .weight.value = 1, .max = UNLIMITED, .long_jobs = UNLIMITED},
        {.name = "b", .weight.value = 3, .max = UNLIMITED, .long_jobs = UNLIMITED},
    };
    struct policy p = policy_of(groups, 2);
    p.hosts = unknown;
    struct gates g = gates_of(a, &p);
    assert_string_equal(cell(&g, 1, "QUOTA_KIND"), "QUOTA_DYNAMIC");
    assert_string_equal(cell(&g, 1, "QUOTA"), "0.7500");
}

static void rendered(const char *template_text, const char *wanted)
{
    static const char *const columns[] = {"NAME", "SIZE"};
    static const char *const cells[] = {"a", "1", "b", "2"};
    static const struct fragment_value values[] = {{"POOL", "v"}};
    static const struct fragment_rows rows = {columns, 2, cells, 2};
    struct text out = {0};
    struct err e = {0};
    int r = fragment_render("f.conf", template_text, values, 1, &rows, &out, &e);
    assert_string_equal(r < 0 ? e.text : text_get(&out), wanted);
    text_done(&out);
}

static void lines_are_repeated_for_each_group(void **state)
{
    (void)state;
    rendered("x @POOL@\n#@each\n@NAME@ = @SIZE@ @POOL@\n#@end\ny\n", "x v\na = 1 v\nb = 2 v\ny\n");
    rendered("#@each\n#@end\n", "");
    rendered("#@each\n@NAME@\n#@end", "a\nb\n");
    rendered("mail root@host @@ @lower@ @\n", "mail root@host @@ @lower@ @\n");
    rendered("1\n#@each\n@NAME@\n@NO@\n#@end\n", "f.conf:4: @NO@ is no placeholder of this fragment");
    rendered("1\n@NAME@\n", "f.conf:2: @NAME@ is no placeholder of this fragment outside of #@each … "
                            "#@end");
    rendered("1\n#@each\n@NAME@\n", "f.conf:2: #@each without #@end");
    rendered("#@each\n\n#@end\n\n@NO@\n", "f.conf:5: @NO@ is no placeholder of this fragment outside of "
                                          "#@each … #@end");
}

static void a_value_cannot_smuggle_in_a_line(void **state)
{
    (void)state;
    static const struct fragment_value values[] = {{"POOL", "v\nALLOW_WRITE = *"}};
    struct text out = {0};
    struct err e;
    assert_int_equal(fragment_render("f.conf", "P = @POOL@\n", values, 1, NULL, &out, &e), -EINVAL);
    assert_string_equal(e.text, "f.conf:1: the value of @POOL@ has a line break");
    text_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_in_the_words_of_a_fragment),
        cmocka_unit_test(shares_are_quotas_and_a_weighted_rest),
        cmocka_unit_test(a_pool_of_unknown_size_has_shares_by_weight),
        cmocka_unit_test(lines_are_repeated_for_each_group),
        cmocka_unit_test(a_value_cannot_smuggle_in_a_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
