/* The text of the metrics; tests/api/check-metrics reads it with Prometheus' own parser. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "serve/metrics.h"
#include "serve/sample.h"

static struct text render(struct snapshot *s, usec now)
{
    struct text out = {0};
    struct traffic t = {.connections = 3};
    traffic_count(&t, "GET /v1/vms", 200);
    traffic_count(&t, "GET /v1/vms", 200);
    traffic_count(&t, NULL, 404);
    metrics_render(s, &t, now, &out);
    (void)snapshot_unref(s);
    return out;
}

static void test_the_sample(void **state)
{
    static const char *const lines[] = {
        "# TYPE eyrie_vms gauge\n# HELP eyrie_vms VMs by state.\neyrie_vms{state=\"creating\"} 0\n",
        "\neyrie_vms{state=\"busy\"} 1\n",
        "\neyrie_used_cpus 6\n",
        "\neyrie_limit_cpus 16\n",
        "# UNIT eyrie_used_memory_bytes bytes\n",
        "\neyrie_group_vms{group=\"juno\",state=\"busy\"} 1\n",
        "\neyrie_group_limited{group=\"juno\",reason=\"limit-group\"} 1\n",
        "\neyrie_host_vms{host=\"hv02\",state=\"lost\"} 1\n",
        "\neyrie_host_vms{host=\"hv01\",state=\"foreign\"} 1\n",
        "\neyrie_host_failures{host=\"hv02\"} 2\n",
        "\neyrie_host_resting{host=\"hv01\"} 0\n",
        "\neyrie_template_vms{template=\"small\",state=\"booting\"} 1\n",
        "\neyrie_jobs{group=\"juno\",state=\"waiting\"} 6\n",
        "\neyrie_jobs{group=\"\",state=\"waiting\"} 50\n", /* no group of the policy's */
        "\neyrie_jobs_waiting{group=\"\",reason=\"jobs-no-group\"} 50\n",
        "\neyrie_facts_age_seconds{kind=\"host\",name=\"hv02\"} 127.000000\n", /* 2 s later */
        "\neyrie_facts_trusted{kind=\"host\",name=\"hv02\"} 0\n",
        "\neyrie_flock_applied{schedd=\"schedd.lab\"} 1\n",
        "\neyrie_planned_actions{action=\"drain\"} 1\n",
        "\neyrie_build_info{version=\"" EYRIE_VERSION "\"} 1\n",
        "\neyrie_step_duration_seconds_bucket{le=\"0.0005\"} 8000\n",
        ("\neyrie_step_duration_seconds_bucket{le=\"+Inf\"} 8640\n"
         "eyrie_step_duration_seconds_count 8640\neyrie_step_duration_seconds_sum 7.000000\n"),
        "\neyrie_look_failures_total 10\n",
        "\neyrie_actions_total{action=\"create\",result=\"started\"} 2\n",
        "\neyrie_actions_total{action=\"create\",result=\"done\"} 1\n",
        "\neyrie_actions_total{action=\"create\",result=\"failed\"} 0\n",
        "\neyrie_events_total{kind=\"host-failed\"} 1\n",
        "\neyrie_policy_reloads_total{result=\"failed\"} 0\n",
        "\neyrie_ledger_writable 1\n",
        "\neyrie_api_requests_total{method=\"GET\",route=\"/v1/vms\",code=\"200\"} 2\n",
        "\neyrie_api_requests_total{method=\"\",route=\"\",code=\"404\"} 1\n",
        "\neyrie_api_connections 3\n",
    };
    (void)state;
    struct text out = render(sample_snapshot(NULL, NULL), SAMPLE_NOW + 2 * USEC_PER_SEC);
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
        if (!strstr(text_get(&out), lines[i]))
            fail_msg("no %s in:\n%s", lines[i], text_get(&out));
    assert_null(strstr(text_get(&out), "\neyrie_limit_memory_bytes ")); /* there is no such limit */
    assert_null(strstr(text_get(&out), "alice"));                       /* users are no labels */
    assert_string_equal(text_get(&out) + out.length - 6, "# EOF\n");
    text_done(&out);
}

static void test_before_the_first_step(void **state)
{
    (void)state;
    struct text out = render(NULL, SAMPLE_NOW);
    assert_null(strstr(text_get(&out), "eyrie_vms{"));
    assert_non_null(strstr(text_get(&out), "\neyrie_api_connections 3\n"));
    text_done(&out);
}

static void test_labels_are_escaped(void **state)
{
    static const struct openmetrics_family f = {"eyrie_x", OPENMETRICS_GAUGE, NULL, "a\\b"};
    struct text out = {0};
    (void)state;
    openmetrics_begin(&out, &f);
    openmetrics_add(&out, &f, -1, "l", "a\"b\\c\nd\\", NULL);
    openmetrics_add_seconds(&out, &f, -1500000, "l", "", NULL);
    assert_string_equal(text_get(&out), "# TYPE eyrie_x gauge\n# HELP eyrie_x a\\\\b\n"
                                        "eyrie_x{l=\"a\\\"b\\\\c\\nd\\\\\"} -1\n"
                                        "eyrie_x{l=\"\"} -1.500000\n");
    text_done(&out);
}

static void test_kinds_of_events_are_bounded(void **state)
{
    struct counts c = {.n_events = 0};
    (void)state;
    for (int i = 0; i < 1000; i++) {
        AUTOFREE char *kind = mem_printf("kind-%d", i);
        counts_event(&c, kind);
        counts_event(&c, "a-kind-that-is-too-long-to-be-kept-anywhere");
    }
    int64_t sum = 0;
    for (size_t i = 0; i < c.n_events; i++)
        sum += c.events[i].n;
    assert_in_range(c.n_events, 10, COUNTS_KINDS);
    assert_int_equal(sum, 2000);
    assert_int_equal(counts_of(&c, "kind-7"), 1);
    assert_int_equal(counts_of(&c, "kind-999"), 0);
    assert_true(counts_of(&c, "other") > 1000);
}

static void test_durations_by_size(void **state)
{
    struct histogram h = {.sum = 0};
    (void)state;
    histogram_add(&h, 0);
    histogram_add(&h, 500);
    histogram_add(&h, 501);
    histogram_add(&h, USEC_PER_HOUR);
    assert_int_equal(h.buckets[0], 2);
    assert_int_equal(h.buckets[1], 1);
    assert_int_equal(h.buckets[HISTOGRAM_BOUNDS], 1);
    assert_int_equal(h.sum, 1001 + USEC_PER_HOUR);
    assert_string_equal(histogram_bound(0), "0.0005");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_sample),
        cmocka_unit_test(test_before_the_first_step),
        cmocka_unit_test(test_labels_are_escaped),
        cmocka_unit_test(test_kinds_of_events_are_bounded),
        cmocka_unit_test(test_durations_by_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
