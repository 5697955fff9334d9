/* New tokens for VMs that live. The tool and the host's worker are stand-ins (tests/functional/fake). */
#include "act/renewals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "sense/fake.h"

struct fixture {
    struct loop *loop;
    struct host *host;
    struct loop_timer *limit;
    struct renewals *renewals;
    struct policy policy;
    struct policy_host policy_host;
    struct text events;
    int renewed;
    int wanted; /* ends, then stop */
};

static void on_changed(void *userdata)
{
    struct fixture *f = userdata;
    if (--f->wanted == 0)
        loop_quit(f->loop, 0);
}

static void on_renewed(void *userdata)
{
    struct fixture *f = userdata;
    f->renewed++;
}

static void on_event(void *userdata, const char *kind, const char *subject, const char *text)
{
    struct fixture *f = userdata;
    text_printf(&f->events, "%s %s: %s\n", kind, subject, text);
}

static struct host *find_host(void *userdata, const char *name)
{
    struct fixture *f = userdata;
    return strcmp(name, "hv1") == 0 ? f->host : NULL;
}

static void on_limit(void *userdata)
{
    struct fixture *f = userdata;
    loop_quit(f->loop, 1);
}

static int setup(void **state)
{
    static struct fixture f;
    struct err e;
    f = (struct fixture){0};
    fake_open();
    fake_put("condor_token_create.out", "eyJh.bG.ci\n");
    f.policy = (struct policy){
        .pool = {.name = "vpool", .trust_domain = "v.lab", .signing_key = "EYRIE",
                 .tools = TEST_FAKE "/tools"},
        .paths.host_program = TEST_FAKE "/eyrie-host",
        .timing.token_life.value = 8 * USEC_PER_HOUR,
    };
    f.policy_host =
        (struct policy_host){.name = "hv1", .uri = "test:///default", .storage_pool = "eyrie"};
    assert_int_equal(loop_new(&f.loop, &e), 0);
    f.limit = loop_timer_new(f.loop, on_limit, &f);
    f.host = host_new(f.loop, &f.policy, &f.policy_host, &(struct host_callbacks){.userdata = &f});
    f.renewals = renewals_new(f.loop, &(struct renewals_callbacks){.changed = on_changed,
                                                                   .renewed = on_renewed,
                                                                   .host = find_host,
                                                                   .event = on_event,
                                                                   .userdata = &f});
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    f->renewals = renewals_free(f->renewals);
    f->host = host_free(f->host);
    f->limit = loop_timer_free(f->limit);
    f->loop = loop_free(f->loop);
    text_done(&f->events);
    fake_close();
    return 0;
}

static const struct world_domain domain;

/* A step in which there are these VMs, which were born @age ago. */
static void step(struct fixture *f, const struct plan_vm *vms, size_t n)
{
    renewals_step(f->renewals, &(struct plan){.policy = &f->policy, .now = USEC_PER_DAY,
                                              .vms = vms, .n_vms = n});
}

static void await_ends(struct fixture *f, int n)
{
    f->wanted = n;
    loop_timer_set(f->limit, 20 * USEC_PER_SEC);
    assert_int_equal(loop_run(f->loop), 0);
}

#define VM(id, how, age)                                                                           \
    {.uuid = id, .name = "v-" id, .host = "hv1", .state = how, .domain = &domain,                  \
     .born = USEC_PER_DAY - (age)}

static int asked(const char *log, const char *what)
{
    char line[512];
    int n = 0;
    FILE *file = fake_read(log);
    while (fgets(line, sizeof(line), file))
        n += strstr(line, what) != NULL;
    (void)fclose(file);
    return n;
}

static void each_vm_that_lives_gets_a_token_once_a_quarter_of_its_life(void **state)
{
    struct fixture *f = *state;
    const struct plan_vm vms[] = {
        VM("u1", VM_BUSY, 3 * USEC_PER_HOUR),   VM("u2", VM_IDLE, USEC_PER_HOUR),
        VM("u3", VM_LOST, 3 * USEC_PER_HOUR),   VM("u4", VM_LEAVING, 3 * USEC_PER_HOUR),
        VM("u5", VM_FOREIGN, 3 * USEC_PER_HOUR),
    };
    step(f, vms, 5);
    step(f, vms, 5); /* the host does one at a time */
    await_ends(f, 1);
    assert_int_equal(asked("log", "condor_token_create"), 1);
    step(f, vms, 5);
    await_ends(f, 1);
    step(f, vms, 5); /* nothing is due now */
    assert_int_equal(f->renewed, 2);
    assert_int_equal(asked("log", "condor_token_create -identity vm-u"), 2);
    assert_int_equal(asked("host.log", "\"op\":\"renew\",\"uuid\":\"u1\",\"token\":\"eyJh.bG.ci\"}"),
                     1);
    assert_int_equal(asked("host.log", "\"op\":\"renew\",\"uuid\":\"u3\""), 1);
    assert_string_equal(text_get(&f->events), "");
}

static void one_that_is_not_taken_is_told_and_tried_later(void **state)
{
    struct fixture *f = *state;
    const struct plan_vm vm = VM("u1", VM_BUSY, 3 * USEC_PER_HOUR);
    fake_put("host.renew", "\"ok\":false,\"code\":86,\"error\":\"no answer\",\"unknown\":true");
    step(f, &vm, 1);
    await_ends(f, 1);
    step(f, &vm, 1);
    assert_int_equal(asked("log", "condor_token_create"), 1);
    assert_string_equal(text_get(&f->events), "renew-failed v-u1: no answer\n");
    assert_int_equal(f->renewed, 0);
}

static void a_vm_that_goes_meanwhile_is_forgotten(void **state)
{
    struct fixture *f = *state;
    const struct plan_vm vm = VM("u1", VM_BUSY, 3 * USEC_PER_HOUR);
    fake_put("host.renew", "\"ok\":false,\"code\":42,\"error\":\"gone\",\"unknown\":false");
    step(f, &vm, 1);
    step(f, NULL, 0); /* while its token is made */
    step(f, &vm, 1);
    await_ends(f, 1);
    assert_string_equal(text_get(&f->events), "renew-failed v-u1: gone\n");
}

/* Also one whose token is new; but one that boots does not read its port yet. */
static void who_may_submit_is_told_to_all_that_run_when_it_changes(void **state)
{
    struct fixture *f = *state;
    const char *submitters[] = {"alice", "bob"};
    const size_t templates[] = {0};
    struct policy_group group = {.name = "juno", .submitters = submitters, .n_submitters = 1,
                                 .templates = templates};
    const struct plan_vm vms[] = {VM("u1", VM_BUSY, 0), VM("u2", VM_BOOTING, 0)};
    f->policy.groups = &group;
    f->policy.n_groups = 1;
    step(f, NULL, 0);
    step(f, vms, 2); /* they came after it: they were started with it */
    step(f, vms, 2);
    group.n_submitters = 2;
    step(f, vms, 2);
    await_ends(f, 1);
    step(f, vms, 2);
    assert_int_equal(asked("log", "condor_token_create"), 1);
    assert_int_equal(asked("host.log", "\"uuid\":\"u1\",\"rules\":\"juno\\/alice juno\\/bob\","), 1);
}

static void a_controller_that_was_started_anew_tells_who_may_submit(void **state)
{
    struct fixture *f = *state;
    struct policy_group group = {.name = "juno"};
    const struct plan_vm vm = VM("u1", VM_BUSY, 0);
    f->policy.groups = &group;
    f->policy.n_groups = 1;
    step(f, &vm, 1);
    await_ends(f, 1);
    assert_int_equal(asked("host.log", "\"rules\":\"juno\\/*\""), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_vm_that_lives_gets_a_token_once_a_quarter_of_its_life,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(one_that_is_not_taken_is_told_and_tried_later, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_vm_that_goes_meanwhile_is_forgotten, setup, teardown),
        cmocka_unit_test_setup_teardown(who_may_submit_is_told_to_all_that_run_when_it_changes, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_controller_that_was_started_anew_tells_who_may_submit, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("act/renewals", tests, NULL, NULL);
}
