/* The views of a hand-made snapshot (sample.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "serve/sample.h"
#include "serve/view.h"

static struct json_object *at(struct json_object *o, const char *pointer)
{
    struct json_object *found = NULL;
    if (json_pointer_get(o, pointer, &found) != 0)
        fail_msg("no %s in %s", pointer, json_object_to_json_string(o));
    return found;
}

static void assert_text(struct json_object *o, const char *pointer, const char *expected)
{
    assert_string_equal(json_object_get_string(at(o, pointer)), expected);
}

static void assert_int(struct json_object *o, const char *pointer, int64_t expected)
{
    assert_int_equal(json_object_get_int64(at(o, pointer)), expected);
}

static void assert_absent(struct json_object *o, const char *pointer)
{
    if (at(o, pointer))
        fail_msg("%s is not null in %s", pointer, json_object_to_json_string(o));
}

static void test_status_of_a_degraded_pool(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    AUTOJSON struct json_object *v = view_status(s, SAMPLE_NOW + USEC_PER_SEC);
    (void)state;
    assert_int(v, "/version", 1);
    assert_text(v, "/pool", "vpool");
    assert_text(v, "/state", "degraded");
    assert_int(v, "/vms/busy", 1);
    assert_int(v, "/vms/foreign", 1);
    assert_int(v, "/limits/vms/used", 3); /* the foreign one does not count */
    assert_int(v, "/limits/vms/limit", 10);
    assert_int(v, "/limits/vms/line", 11);
    assert_int(v, "/limits/cpus/used", 6);
    assert_absent(v, "/limits/memory/limit"); /* unlimited */
    assert_int(v, "/limits/starts_in_flight/used", 1);
    assert_int(v, "/groups/0/max", 8);
    assert_int(v, "/groups/0/max_line", 31);
    assert_absent(v, "/groups/1/max");
    assert_text(v, "/groups/0/limited/code", "limit-group");
    assert_text(v, "/groups/0/limited/text",
                "juno uses 8 cpus and its max is 8 (conf.d/juno.yaml:31)");
    assert_absent(v, "/groups/1/limited");
    assert_int(v, "/demand/idle", 59);
    assert_int(v, "/demand/waiting", 56);
    assert_text(v, "/demand/shapes/0/owner", "eve"); /* most waiting first */
    assert_absent(v, "/demand/shapes/0/group");
    assert_text(v, "/demand/shapes/0/reason/code", "jobs-no-group");
    assert_text(v, "/facts/3/name", "hv02");
    assert_int(v, "/facts/3/age", 126 * USEC_PER_SEC); /* grows between two steps */
    assert_int(v, "/facts/3/asked", SAMPLE_NOW - 125 * USEC_PER_SEC);
    assert_text(v, "/facts/3/error", "no route to host");
    assert_text(v, "/flock/0/state", "applied");
    assert_int(v, "/server/last_query_bytes", 5800);
    assert_text(v, "/events/1/text", "host hv02: no route to host");
    assert_int_equal(json_object_array_length(at(v, "/degraded")), 3);
    assert_text(v, "/degraded/0",
                "host hv02: stale, the last complete answer is 2m6s old: no route to host");
    assert_text(v, "/degraded/1", "host hv02: 2 failed starts in a row, the last 1m31s ago; "
                                 "one VM may try it next");
    assert_text(v, "/degraded/2", "1 VM is lost: the host or the slot ad is missing");
}

static void test_status_of_a_quiet_pool_is_ok(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_quiet();
    AUTOJSON struct json_object *v = view_status(s, SAMPLE_NOW);
    (void)state;
    assert_text(v, "/state", "ok");
    assert_int(v, "/changes", 0);
    assert_int(v, "/demand/idle", 0);
    assert_absent(v, "/server/next_look");
    assert_absent(v, "/server/last_error");
    assert_int_equal(json_object_array_length(at(v, "/degraded")), 0);
}

static void test_facts_without_any_answer(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_quiet();
    const struct plan_trust none[] = {
        {.kind = "pool", .name = "vpool", .age = USEC_NEVER, .error = ""},
    };
    struct plan plan = *s->plan;
    (void)state;
    plan.trust = none;
    plan.n_trust = 1;
    s->plan = &plan;
    AUTOJSON struct json_object *v = view_status(s, SAMPLE_NOW);
    assert_text(v, "/degraded/0", "pool vpool: no complete answer yet");
    assert_absent(v, "/facts/0/age");
    assert_absent(v, "/facts/0/asked");
}

static void test_paused_is_no_fault_but_frozen_is(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_quiet();
    struct world world = *s->world;
    struct plan plan = *s->plan;
    (void)state;
    world.paused = true;
    plan.frozen.code = REASON_PAUSED;
    s->world = &world;
    s->plan = &plan;
    AUTOJSON struct json_object *paused = view_status(s, SAMPLE_NOW);
    assert_text(paused, "/state", "paused");
    assert_text(paused, "/frozen/code", "paused");
    plan.frozen = (struct reason){.code = REASON_FROZEN, .n = 5, .limit = 9};
    AUTOJSON struct json_object *frozen = view_status(s, SAMPLE_NOW);
    assert_text(frozen, "/state", "degraded");
}

static void test_state_of_a_fragment(void **state)
{
    static const struct {
        const char *wanted, *present, *believed, *word;
    } cases[] = {
        {"a", "a", "a", "applied"}, {"a", "a", "b", "unverified"}, {"a", "b", "a", "differs"},
        {"a", "", "", "missing"},   {"", "a", "a", "leaving"},     {"", "", "a", "leaving"},
        {"", "", "", "absent"},     {"a", "?", "?", "unknown"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP(snapshot_unref_p) struct snapshot *s = sample_quiet();
        struct world world = *s->world;
        const struct world_flock flock = {.schedd = "s", .wanted = cases[i].wanted,
                                          .present = cases[i].present,
                                          .believed = cases[i].believed, .failed = 1,
                                          .error = "syntax"};
        world.flocks = &flock;
        s->world = &world;
        AUTOJSON struct json_object *v = view_status(s, SAMPLE_NOW);
        assert_text(v, "/flock/0/state", cases[i].word);
        assert_text(v, "/degraded/0", "flocking of s: syntax");
    }
}

static void test_vms(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    AUTOJSON struct json_object *v = view_vms(s, SAMPLE_NOW);
    (void)state;
    assert_int_equal(json_object_array_length(at(v, "/vms")), 4);
    assert_text(v, "/vms/0/name", "vpool-small-1a2b3c4d");
    assert_text(v, "/vms/0/state", "busy");
    assert_text(v, "/vms/0/job", "12.3");
    assert_absent(v, "/vms/1/job");
    assert_text(v, "/vms/1/reason/text", "booting for 21s");
    assert_absent(v, "/vms/2/group"); /* shared by all */
    assert_text(v, "/vms/3/state", "foreign");
}

static void test_plan(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    AUTOJSON struct json_object *v = view_plan(s, SAMPLE_NOW);
    (void)state;
    assert_int(v, "/changes", 2);
    assert_int(v, "/create", 1);
    assert_int(v, "/drain", 1);
    assert_int(v, "/destroy", 0);
    assert_text(v, "/actions/0/template", "small");
    assert_text(v, "/actions/0/group", "juno");
    assert_text(v, "/actions/1/name", "vpool-small-1a2b3c4d");
    assert_non_null(strstr(json_object_get_string(at(v, "/text")), "+ create small on hv01"));
}

static void test_groups_and_hosts(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    AUTOJSON struct json_object *groups = view_groups(s, SAMPLE_NOW);
    AUTOJSON struct json_object *hosts = view_hosts(s, SAMPLE_NOW);
    (void)state;
    assert_text(groups, "/groups/0/name", "juno");
    assert_text(groups, "/groups/0/submitters/1", "bob");
    assert_text(groups, "/groups/0/templates/0", "small");
    assert_text(hosts, "/hosts/0/state", "ready");
    assert_int(hosts, "/hosts/0/vms", 2);
    assert_int(hosts, "/hosts/0/foreign", 1);
    assert_int(hosts, "/hosts/0/cpus_used", 5); /* foreign ones take room too */
    assert_int(hosts, "/hosts/0/cpus", 16);
    assert_text(hosts, "/hosts/1/state", "unknown");
    assert_int(hosts, "/hosts/1/cpus", 8); /* as the host says */
    assert_int(hosts, "/hosts/1/failures", 2);
}

static void test_explain_by_name_uuid_and_prefix(void **state)
{
    static const char *const words[] = {
        "vpool-small-1a2b3c4d", "1a2b3c4d-0000-4000-8000-000000000001", "1A2B3",
        "vpool-small-1a2b3",
    };
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        AUTOJSON struct json_object *v = NULL;
        struct err e = {0};
        assert_int_equal(view_explain_vm(s, SAMPLE_NOW, words[i], &v, &e), 0);
        assert_text(v, "/vm/name", "vpool-small-1a2b3c4d");
        assert_text(v, "/domain/state", "running");
        assert_text(v, "/startd/machine", "vpool-small-1a2b3c4d.lab");
        assert_text(v, "/record/create_answer", "ok");
        assert_text(v, "/planned/0/action", "drain");
    }
}

static void test_explain_helps_when_the_name_is_wrong(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct json_object *v = NULL;
    struct err e = {0};
    (void)state;
    assert_int_equal(view_explain_vm(s, SAMPLE_NOW, "1a2b", &v, &e), -ENOTUNIQ);
    assert_string_equal(e.text, "\"1a2b\" could be any of 2 VMs: vpool-small-1a2b3c4d, "
                                "vpool-small-1a2b9999");
    assert_int_equal(view_explain_vm(s, SAMPLE_NOW, "vpool-small-1a2b3c4e", &v, &e), -ENOENT);
    assert_string_equal(e.text, "there is no VM \"vpool-small-1a2b3c4e\"; did you mean "
                                "vpool-small-1a2b3c4d?");
    assert_int_equal(view_explain_vm(s, SAMPLE_NOW, "", &v, &e), -ENOENT);
    assert_int_equal(view_explain_vm(s, SAMPLE_NOW, "zebra", &v, &e), -ENOENT);
    assert_ptr_equal(v, NULL);
}

static void note_freed(void *userdata)
{
    ++*(int *)userdata;
}

static void test_demand(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    AUTOJSON struct json_object *v = view_demand(s, SAMPLE_NOW);
    (void)state;
    assert_int(v, "/demand/shapes_total", 2);
    assert_text(v, "/demand/shapes/1/text",
                "9 idle jobs of alice (juno) want 1 cpu, 1GiB: 1 fit into VMs that are up, 2 wait "
                "for VMs being started, 6 are over group juno's max of 8 cpus "
                "(conf.d/juno.yaml:31)");
}

static void test_world_is_the_one_of_the_step(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    AUTOJSON struct json_object *v = view_world(s, SAMPLE_NOW + USEC_PER_HOUR);
    (void)state;
    assert_int(v, "/version", 1);
    assert_int(v, "/now", SAMPLE_NOW);
    assert_text(v, "/hosts/0/domains/1/name", "vpool-intruder");
}

static struct json_object *explain(int (*view)(const struct snapshot *s, usec now, const char *name,
                                               struct json_object **ret, struct err *e),
                                   const char *name)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct json_object *v = NULL;
    struct err e = {0};
    if (view(s, SAMPLE_NOW, name, &v, &e) < 0)
        fail_msg("%s", e.text);
    return v;
}

static void test_explain_host(void **state)
{
    AUTOJSON struct json_object *good = explain(view_explain_host, "hv01");
    AUTOJSON struct json_object *bad = explain(view_explain_host, "hv02");
    (void)state;
    assert_true(json_bool_or(good, "takes", false));
    assert_text(good, "/why/0", "5 of 16 cpus and 9GiB of 64GiB are used by 2 VMs of ours and 1 "
                                "foreign domain; 500GiB of storage are left");
    assert_int(good, "/vms/booting", 1);
    assert_text(good, "/planned/0/action", "create");
    assert_false(json_bool_or(bad, "takes", true));
    assert_text(bad, "/why/0",
                "its facts are stale, the last complete answer is 2m5s old: no route to host");
    assert_text(bad, "/why/1", "2 starts in a row failed, the last 1m30s ago: it rests after each, "
                               "then one VM probes");
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct err e = {0};
    struct json_object *none = NULL;
    assert_int_equal(view_explain_host(s, SAMPLE_NOW, "hv03", &none, &e), -ENOENT);
    assert_non_null(strstr(e.text, "did you mean hv0"));
}

/* A policy's reasons and an admin's are looked up, not found again. */
static void test_a_host_that_left_the_policy(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct policy policy = *s->policy;
    struct json_object *v = NULL;
    (void)state;
    policy.n_hosts = 1; /* hv01 */
    s->policy = &policy;
    assert_int_equal(view_explain_host(s, SAMPLE_NOW, "hv02", &v, NULL), 0);
    assert_false(json_bool_or(v, "takes", true));
    assert_text(v, "/host/state", "removed");
    assert_text(v, "/why/0", "host hv02 is not in the policy any more");
    (void)json_object_put(v);
    v = view_hosts(s, SAMPLE_NOW);
    assert_text(v, "/hosts/0/state", "ready");
    assert_text(v, "/hosts/1/name", "hv02");
    assert_text(v, "/hosts/1/state", "removed");
    (void)json_object_put(v);
    assert_int_equal(view_explain_host(s, SAMPLE_NOW, "hv03", &v, NULL), -ENOENT);
}

static void test_a_policy_that_is_refused(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_quiet();
    (void)state;
    s->server.refused = "eyrie.yaml:5:3: one\neyrie.yaml:6:3: two";
    s->server.policy_loaded = SAMPLE_NOW - USEC_PER_HOUR;
    s->server.refused_at = SAMPLE_NOW - USEC_PER_MINUTE;
    struct json_object *v = view_status(s, SAMPLE_NOW);
    assert_text(v, "/state", "degraded");
    assert_text(v, "/degraded/0",
                "the policy is 1h old, and its files have been refused for 1m");
    assert_text(v, "/policy/refused", s->server.refused);
    (void)json_object_put(v);
}

static void test_explain_host_that_rests_or_is_cordoned(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct world world = *s->world;
    struct world_host hosts[] = {world.hosts[0], world.hosts[1]};
    struct plan plan = *s->plan;
    struct plan_group groups[] = {plan.groups[0], plan.groups[1]};
    struct json_object *v = NULL;
    (void)state;
    hosts[0].cordoned = true;
    world.hosts = hosts;
    groups[0].limited = (struct reason){REASON_HOST_BACKOFF, 3, 40 * USEC_PER_SEC, {0}, "hv01"};
    plan.groups = groups;
    plan.frozen = (struct reason){REASON_PAUSED};
    s->world = &world;
    s->plan = &plan;
    assert_int_equal(view_explain_host(s, SAMPLE_NOW, "hv01", &v, NULL), 0);
    assert_false(json_bool_or(v, "takes", true));
    assert_text(v, "/why/0", "an admin paused the pool");
    assert_text(v, "/why/1", "it is cordoned by an admin");
    assert_text(v, "/why/2", "host hv01 failed 3 times in a row and is left alone for 40s");
    (void)json_object_put(v);
}

/* What holds the pool back, by itself and by hand. */
static void test_status_tells_orders_and_rests(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct world world = *s->world;
    struct world_host hosts[] = {world.hosts[0], world.hosts[1]};
    struct world_record records[] = {world.records[0]};
    struct policy policy = *s->policy;
    (void)state;
    const struct world_order order = {SAMPLE_NOW - 65 * USEC_PER_SEC, "carol", "new disks"};
    policy.timing.rest_after_failure.value = USEC_PER_MINUTE;
    policy.timing.rest_at_most.value = USEC_PER_HOUR;
    hosts[0].cordoned = true;
    hosts[0].order = order;
    records[0].drain = records[0].drain_now = true;
    records[0].order = order;
    world.paused = true;
    world.order = (struct world_order){0, "", ""};
    world.hosts = hosts;
    world.records = records;
    s->world = &world;
    s->policy = &policy;
    AUTOJSON struct json_object *v = view_status(s, SAMPLE_NOW);
    assert_text(v, "/orders/0/text", "the pool is paused by an admin");
    assert_text(v, "/orders/1/text", "hv01 is cordoned by carol 1m5s ago: new disks");
    assert_text(v, "/orders/2/text",
                "vpool-small-1a2b3c4d is drained at once by carol 1m5s ago: new disks");
    /* two failures: twice the rest after one, from the last, 90 s ago */
    assert_text(v, "/resting/0/name", "hv02");
    assert_text(v, "/resting/0/text",
                "host hv02: 2 failed starts in a row, the last 1m30s ago; it rests for 30s more");
    assert_text(v, "/doing/0/action", "create");
    assert_text(v, "/doing/0/reason/text", "9 idle jobs want it");
    assert_text(v, "/doing/1/reason/code", "idle");
}

static void test_explain_group(void **state)
{
    AUTOJSON struct json_object *juno = explain(view_explain_group, "juno");
    AUTOJSON struct json_object *lhaaso = explain(view_explain_group, "lhaaso");
    (void)state;
    assert_true(json_bool_or(juno, "stopped", false));
    assert_text(juno, "/why/0", "juno uses 8 cpus and its max is 8 (conf.d/juno.yaml:31)");
    assert_int(juno, "/demand/idle", 9);
    assert_int(juno, "/vms/busy", 1);
    assert_text(juno, "/planned/0/action", "create");
    assert_text(juno, "/planned/1/action", "drain"); /* by the group of its VM */
    assert_false(json_bool_or(lhaaso, "stopped", true));
    assert_text(lhaaso, "/why/0", "none of its jobs is idle");
    assert_int_equal(json_object_array_length(at(lhaaso, "/planned")), 0);
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct err e = {0};
    struct json_object *none = NULL;
    assert_int_equal(view_explain_group(s, SAMPLE_NOW, "junos", &none, &e), -ENOENT);
    assert_non_null(strstr(e.text, "did you mean juno?"));
}

static void test_explain_a_group_that_only_jobs_know(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct plan plan = *s->plan;
    struct world_shape shape = {.owner = "eve", .group = "dark", .cpus = 1, .idle = 3};
    struct plan_shape shapes[] = {
        {.schedd = "schedd.lab", .shape = &shape, .waiting = 3,
         .reason = {REASON_JOBS_UNKNOWN_GROUP, 3, 0, {0}, "dark"}}};
    struct json_object *v = NULL;
    (void)state;
    plan.shapes = shapes;
    plan.n_shapes = 1;
    s->plan = &plan;
    assert_int_equal(view_explain_group(s, SAMPLE_NOW, "dark", &v, NULL), 0);
    assert_absent(v, "/group");
    assert_text(v, "/why/0", "it is not in the policy: its jobs ask for nothing");
    assert_text(v, "/demand/shapes/0/reason/code", "jobs-unknown-group");
    (void)json_object_put(v);
}

static void test_snapshot_lives_as_long_as_its_last_reference(void **state)
{
    int freed = 0;
    struct snapshot *s = sample_snapshot(note_freed, &freed), *held = snapshot_ref(s);
    (void)state;
    assert_ptr_equal(snapshot_unref(s), NULL);
    assert_int_equal(freed, 0);
    assert_ptr_equal(snapshot_unref(held), NULL);
    assert_int_equal(freed, 1);
    assert_ptr_equal(snapshot_ref(NULL), NULL);
    assert_ptr_equal(snapshot_unref(NULL), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status_of_a_degraded_pool),
        cmocka_unit_test(test_status_of_a_quiet_pool_is_ok),
        cmocka_unit_test(test_facts_without_any_answer),
        cmocka_unit_test(test_paused_is_no_fault_but_frozen_is),
        cmocka_unit_test(test_state_of_a_fragment),
        cmocka_unit_test(test_vms),
        cmocka_unit_test(test_plan),
        cmocka_unit_test(test_groups_and_hosts),
        cmocka_unit_test(test_explain_by_name_uuid_and_prefix),
        cmocka_unit_test(test_explain_helps_when_the_name_is_wrong),
        cmocka_unit_test(test_demand),
        cmocka_unit_test(test_world_is_the_one_of_the_step),
        cmocka_unit_test(test_explain_host),
        cmocka_unit_test(test_explain_host_that_rests_or_is_cordoned),
        cmocka_unit_test(test_a_host_that_left_the_policy),
        cmocka_unit_test(test_a_policy_that_is_refused),
        cmocka_unit_test(test_status_tells_orders_and_rests),
        cmocka_unit_test(test_explain_group),
        cmocka_unit_test(test_explain_a_group_that_only_jobs_know),
        cmocka_unit_test(test_snapshot_lives_as_long_as_its_last_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
