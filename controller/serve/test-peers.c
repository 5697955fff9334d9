#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdint.h>

#include "serve/peers.h"

static const uid_t alice = 1000, bob = 1001;

static void test_the_one_that_waits_longest(void **state)
{
    static struct peers p;
    (void)state;
    assert_null(peers_oldest(&p, NULL));
    struct peer *first = peers_add(&p, alice, 3, 100);
    struct peer *second = peers_add(&p, bob, 4, 50);
    struct peer *third = peers_add(&p, alice, 5, 70);
    assert_ptr_equal(peers_oldest(&p, NULL), second);
    assert_ptr_equal(peers_oldest(&p, &alice), third);
    third->since = 200; /* a request came */
    assert_ptr_equal(peers_oldest(&p, &alice), first);
    first->cut = true; /* is on its way out */
    assert_ptr_equal(peers_oldest(&p, &alice), third);
    assert_int_equal(peers_of(&p, alice), 2); /* but still there */
    peers_remove(&p, first);
    assert_int_equal(peers_of(&p, alice), 1);
    peers_remove(&p, second);
    peers_remove(&p, third);
    peers_remove(&p, NULL);
    assert_int_equal(p.n, 0);
    assert_null(peers_oldest(&p, NULL));
}

static void test_places_are_used_again(void **state)
{
    static struct peers p;
    struct peer *last = NULL;
    (void)state;
    for (int i = 0; i < PEERS_MAX; i++)
        last = peers_add(&p, bob, i, i);
    assert_int_equal(p.n, PEERS_MAX);
    peers_remove(&p, last);
    assert_ptr_equal(peers_add(&p, alice, 7, 7), last);
    assert_int_equal(peers_of(&p, bob), PEERS_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_one_that_waits_longest),
        cmocka_unit_test(test_places_are_used_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
