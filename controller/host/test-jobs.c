/* Which jobs are done side by side, and which wait. */
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "base/mem.h"
#include "host/jobs.h"

enum { THREADS = 4 };

/* A piece of work that says when it begins, and ends when it is told to. */
struct work {
    sem_t begun, may_end;
};

static sem_t done;

static void on_run(void *userdata, void *work)
{
    struct work *w = work;
    (void)userdata;
    (void)sem_post(&w->begun);
    (void)sem_wait(&w->may_end);
}

static void on_drop(void *userdata, void *work)
{
    (void)userdata, (void)work;
}

static void on_done(void *userdata)
{
    (void)userdata;
    (void)sem_post(&done);
}

static void work_init(struct work *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(sem_init(&w[i].begun, 0, 0), 0);
        assert_int_equal(sem_init(&w[i].may_end, 0, 0), 0);
    }
}

static bool has_begun(struct work *w)
{
    return sem_trywait(&w->begun) == 0;
}

static const struct jobs_hooks hooks = {.run = on_run, .drop = on_drop, .done = on_done};

static void calls_that_hang_leave_room_for_a_list(void **state)
{
    struct work slow[THREADS], list[1];
    (void)state;
    (void)sem_init(&done, 0, 0);
    work_init(slow, THREADS);
    work_init(list, 1);
    struct jobs *j = jobs_new(THREADS, &hooks);
    for (size_t i = 0; i < THREADS; i++)
        assert_true(jobs_add(j, &slow[i], NULL, false));
    for (size_t i = 0; i < THREADS - 1; i++)
        (void)sem_wait(&slow[i].begun);
    assert_true(jobs_add(j, list, NULL, true));
    (void)sem_wait(&list->begun);
    assert_false(has_begun(&slow[THREADS - 1]));
    (void)sem_post(&list->may_end);
    (void)sem_wait(&done);
    assert_false(has_begun(&slow[THREADS - 1])); /* the thread that is free is not for it */
    (void)sem_post(&slow[0].may_end);
    (void)sem_wait(&slow[THREADS - 1].begun);
    for (size_t i = 1; i < THREADS; i++)
        (void)sem_post(&slow[i].may_end);
    (void)jobs_free(j);
}

static void work_on_one_vm_is_done_one_after_the_other(void **state)
{
    struct work create, destroy, other;
    (void)state;
    (void)sem_init(&done, 0, 0);
    work_init(&create, 1);
    work_init(&destroy, 1);
    work_init(&other, 1);
    struct jobs *j = jobs_new(THREADS, &hooks);
    assert_true(jobs_add(j, &create, "a", false));
    assert_true(jobs_add(j, &destroy, "a", false));
    assert_true(jobs_add(j, &other, "b", false));
    (void)sem_wait(&create.begun);
    (void)sem_wait(&other.begun);
    assert_false(has_begun(&destroy));
    (void)sem_post(&create.may_end);
    (void)sem_wait(&destroy.begun);
    (void)sem_post(&destroy.may_end);
    (void)sem_post(&other.may_end);
    (void)jobs_free(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(calls_that_hang_leave_room_for_a_list),
        cmocka_unit_test(work_on_one_vm_is_done_one_after_the_other),
    };
    return cmocka_run_group_tests_name("host/jobs", tests, NULL, NULL);
}
