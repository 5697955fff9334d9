#include "base/secret.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* FIPS 180-2, appendix B.1. */
static void test_a_digest_is_sha_256(void **state)
{
    char digest[SECRET_DIGEST_MAX];
    (void)state;
    assert_string_equal(secret_digest("abc", 3, digest),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

/* RFC 4231, test case 2. */
static void test_a_signature_is_hmac_sha_256(void **state)
{
    char signature[SECRET_DIGEST_MAX];
    (void)state;
    assert_string_equal(secret_sign("Jefe", "what do ya want for nothing?", signature),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

static void test_no_two_tokens_are_the_same(void **state)
{
    CLEANUP(secret_free_p) char *one = secret_new("eyrie-join"), *two = secret_new("eyrie-join");
    (void)state;
    assert_int_equal(strlen(one), strlen("eyrie-join-") + 64);
    assert_memory_equal(one, "eyrie-join-", strlen("eyrie-join-"));
    assert_false(secret_equal(one, two));
    assert_true(secret_equal(one, one));
    assert_false(secret_equal(one, "eyrie-join-"));
    assert_null(secret_free(NULL));
}

static void test_what_is_no_certificate_has_no_pin(void **state)
{
    static const char *const texts[] = {
        "", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"};
    char *pin = NULL;
    struct err e;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_int_equal(secret_pin(texts[i], &pin, &e), -EBADMSG);
        assert_non_null(strstr(e.text, "is no certificate in PEM"));
    }
    assert_null(pin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_digest_is_sha_256),
        cmocka_unit_test(test_a_signature_is_hmac_sha_256),
        cmocka_unit_test(test_no_two_tokens_are_the_same),
        cmocka_unit_test(test_what_is_no_certificate_has_no_pin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
