/* What an order says it will do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "serve/order.h"
#include "serve/sample.h"

static const struct order by_carol = {.subject = "", .name = "", .reason = "", .user = "carol"};

/* The sentences of an order about @asked, one a line. */
static void tell(struct snapshot *s, enum order_verb verb, const char *asked, bool now,
                 struct text *out)
{
    struct order o = by_carol;
    struct err e;
    o.verb = verb;
    o.now = now;
    assert_int_equal(order_resolve(s, &o, asked, &e), 0);
    AUTOJSON struct json_object *view = view_order(s, SAMPLE_NOW, &o, true);
    struct json_object *effects = json_array_or_null(view, "effects");
    text_clear(out);
    for (size_t i = 0; i < json_object_array_length(effects); i++)
        text_printf(out, "%s\n", json_object_get_string(json_object_array_get_idx(effects, i)));
    text_printf(out, "%s, %d slots lost\n",
                json_bool_or(view, "changes", false) ? "changes" : "nothing",
                (int)json_int_or(view, "slots_lost", -1));
}

static void a_cordon_keeps_the_vms(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    CLEANUP(text_done) struct text t = {0};
    (void)state;
    tell(s, ORDER_CORDON, "hv01", false, &t);
    assert_string_equal(text_get(&t), "hv01 takes no new VM until eyrie uncordon hv01\n"
                                      "2 VMs on it stay and take jobs\n"
                                      "changes, 0 slots lost\n");
    tell(s, ORDER_UNCORDON, "hv01", false, &t);
    assert_string_equal(text_get(&t), "hv01 is not cordoned\nnothing, 0 slots lost\n");
}

static void a_drain_waits_for_jobs(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    CLEANUP(text_done) struct text t = {0};
    (void)state;
    tell(s, ORDER_DRAIN, "hv01", false, &t);
    assert_string_equal(
        text_get(&t),
        "hv01 takes no new VM until eyrie uncordon hv01\n"
        "2 VMs on it take no more jobs, and each is powered off when the last job has ended\n"
        "1 slot is claimed: its job ends first (12.3 in vpool-small-1a2b3c4d)\n"
        "changes, 0 slots lost\n");
}

static void a_drain_at_once_says_which_jobs_are_lost(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    CLEANUP(text_done) struct text t = {0};
    (void)state;
    tell(s, ORDER_DRAIN, "1a2b3", true, &t);
    assert_string_equal(text_get(&t),
                        "vpool-small-1a2b3c4d is powered off at once\n"
                        "1 slot is claimed: its job is lost (12.3 in vpool-small-1a2b3c4d)\n"
                        "changes, 1 slots lost\n");
}

static void only_a_host_that_does_not_answer_is_fenced(void **state)
{
    struct snapshot *s = sample_snapshot(NULL, NULL);
    CLEANUP(text_done) struct text t = {0};
    struct world w = *s->world;
    struct world_host hosts[2] = {w.hosts[0], w.hosts[1]};
    (void)state;
    tell(s, ORDER_FENCE, "hv01", false, &t);
    assert_string_equal(text_get(&t), "hv01 answers, so it is not off (eyrie drain takes its VMs out "
                                      "of service)\nnothing, 0 slots lost\n");
    tell(s, ORDER_FENCE, "hv02", false, &t);
    assert_string_equal(
        text_get(&t),
        "hv02 is held to be off, with everything on it: see that it is\n"
        "1 VM on it counts as gone: other hosts may take its place, and its slot ads are taken away\n"
        "it takes no new VM until eyrie unfence hv02; what runs there when it is back is drained\n"
        "changes, 0 slots lost\n");
    tell(s, ORDER_UNFENCE, "hv02", false, &t);
    assert_string_equal(text_get(&t), "hv02 is not fenced\nnothing, 0 slots lost\n");
    hosts[1].fenced = SAMPLE_NOW - 65 * USEC_PER_SEC;
    hosts[1].order = (struct world_order){hosts[1].fenced, "dave", "no power"};
    w.hosts = hosts;
    struct snapshot *changed = snapshot_new(s->policy, &w, s->plan, &s->server, NULL, NULL);
    tell(changed, ORDER_FENCE, "hv02", false, &t);
    assert_string_equal(text_get(&t), "hv02 is fenced already, by dave 1m5s ago: no power\n"
                                      "nothing, 0 slots lost\n");
    tell(changed, ORDER_UNFENCE, "hv02", false, &t);
    assert_string_equal(text_get(&t), "hv02 takes new VMs again, as soon as it answers\n"
                                      "changes, 0 slots lost\n");
    hosts[1].fact.asked = hosts[1].fenced + 1; /* it was back, and is off once more */
    tell(changed, ORDER_FENCE, "hv02", false, &t);
    assert_non_null(strstr(text_get(&t), "counts as gone"));
    (void)snapshot_unref(changed);
    (void)snapshot_unref(s);
}

static void what_was_asked_before_is_told(void **state)
{
    struct snapshot *s = sample_snapshot(NULL, NULL);
    CLEANUP(text_done) struct text t = {0};
    struct world w = *s->world;
    struct world_host hosts[2] = {w.hosts[0], w.hosts[1]};
    (void)state;
    hosts[0].cordoned = hosts[0].drain = true;
    hosts[0].order = (struct world_order){SAMPLE_NOW - 65 * USEC_PER_SEC, "dave", "new disks"};
    w.hosts = hosts;
    w.paused = true;
    w.order = hosts[0].order;
    struct snapshot *changed = snapshot_new(s->policy, &w, s->plan, &s->server, NULL, NULL);
    tell(changed, ORDER_DRAIN_HOST, "hv01", false, &t);
    assert_string_equal(text_get(&t), "hv01 is drained already, by dave 1m5s ago: new disks\n"
                                      "nothing, 0 slots lost\n");
    tell(changed, ORDER_PAUSE, "", false, &t);
    assert_string_equal(text_get(&t), "the pool is paused already, by dave 1m5s ago: new disks\n"
                                      "nothing, 0 slots lost\n");
    tell(changed, ORDER_DRAIN_HOST, "hv01", true, &t);
    assert_non_null(strstr(text_get(&t), "2 VMs on it are powered off at once\n"));
    assert_non_null(strstr(text_get(&t), "nothing of it happens before eyrie resume\n"));
    tell(changed, ORDER_UNCORDON, "hv01", false, &t);
    assert_non_null(strstr(text_get(&t), "its VMs are not drained any more"));
    (void)snapshot_unref(changed);
    (void)snapshot_unref(s);
}

static int resolve(const struct snapshot *s, enum order_verb verb, const char *asked, struct err *e)
{
    struct order o = by_carol;
    o.verb = verb;
    return order_resolve(s, &o, asked, e);
}

static void unknown_names_and_foreign_domains_are_refused(void **state)
{
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct err e;
    (void)state;
    assert_int_equal(resolve(s, ORDER_CORDON, "hv10", &e), -ENOENT);
    assert_non_null(strstr(e.text, "did you mean hv01?"));
    assert_int_equal(resolve(s, ORDER_DRAIN_VM, "vpool-small-1a2b3c4e", &e), -ENOENT);
    assert_int_equal(resolve(s, ORDER_DRAIN_VM, "1a2b", &e), -ENOTUNIQ);
    assert_int_equal(resolve(s, ORDER_DRAIN, "hv10", &e), -ENOENT);
    assert_string_equal(e.text, "there is neither a host nor a VM \"hv10\"; did you mean hv01?");
    assert_int_equal(resolve(s, ORDER_DRAIN, "1a2b", &e), -ENOTUNIQ);
    assert_int_equal(resolve(s, ORDER_DRAIN, "zzzzzzzz", &e), -ENOENT);
    assert_non_null(strstr(e.text, "eyrie hosts and eyrie vms list them"));
    assert_int_equal(resolve(s, ORDER_DRAIN_VM, "vpool-intruder", &e), -EINVAL);
    assert_non_null(strstr(e.text, "never touched"));
    assert_int_equal(resolve(NULL, ORDER_CORDON, "hv01", &e), -EAGAIN);
    assert_int_equal(resolve(NULL, ORDER_PAUSE, "", &e), 0);
}

static void the_pool_can_be_paused_before_its_first_step(void **state)
{
    struct order o = by_carol;
    (void)state;
    o.verb = ORDER_PAUSE;
    AUTOJSON struct json_object *view = view_order(NULL, SAMPLE_NOW, &o, false);
    assert_true(json_bool_or(view, "changes", false));
    assert_false(json_bool_or(view, "preview", true));
    assert_string_equal(json_string_or(view, "order", ""), "pause");
    assert_string_equal(json_string_or(view, "by", ""), "carol");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cordon_keeps_the_vms),
        cmocka_unit_test(a_drain_waits_for_jobs),
        cmocka_unit_test(a_drain_at_once_says_which_jobs_are_lost),
        cmocka_unit_test(only_a_host_that_does_not_answer_is_fenced),
        cmocka_unit_test(what_was_asked_before_is_told),
        cmocka_unit_test(unknown_names_and_foreign_domains_are_refused),
        cmocka_unit_test(the_pool_can_be_paused_before_its_first_step),
    };
    return cmocka_run_group_tests_name("serve/order", tests, NULL, NULL);
}
