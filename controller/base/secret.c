#include "base/secret.h"

#include <assert.h>
#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"

enum { SECRET_BYTES = 32, DIGEST_BYTES = 32 };

static const char *write_hex(const uint8_t *bytes, size_t n, char *buffer)
{
    for (size_t i = 0; i < n; i++) {
        buffer[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        buffer[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    buffer[2 * n] = '\0';
    return buffer;
}

char *secret_new(const char *prefix)
{
    uint8_t bytes[SECRET_BYTES];
    char hex[2 * SECRET_BYTES + 1];
    int r = gnutls_rnd(GNUTLS_RND_KEY, bytes, sizeof(bytes));
    assert(r == 0); /* a kernel without random numbers: better no token than a weak one */
    char *secret = mem_printf("%s-%s", prefix, write_hex(bytes, sizeof(bytes), hex));
    explicit_bzero(bytes, sizeof(bytes));
    explicit_bzero(hex, sizeof(hex));
    return secret;
}

char *secret_free(char *secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    free(secret);
    return NULL;
}

const char *secret_digest(const char *bytes, size_t length, char buffer[static SECRET_DIGEST_MAX])
{
    uint8_t digest[DIGEST_BYTES];
    int r = gnutls_hash_fast(GNUTLS_DIG_SHA256, bytes, length, digest);
    assert(r == 0);
    return write_hex(digest, sizeof(digest), buffer);
}

struct secret_hash {
    gnutls_hash_hd_t handle;
};

struct secret_hash *secret_hash_new(void)
{
    struct secret_hash *h = mem_new(1, sizeof(*h));
    int r = gnutls_hash_init(&h->handle, GNUTLS_DIG_SHA256);
    assert(r == 0);
    return h;
}

void secret_hash_add(struct secret_hash *h, const char *bytes, size_t length)
{
    int r = gnutls_hash(h->handle, bytes, length);
    assert(r == 0);
}

void secret_hash_end(struct secret_hash *h, char *buffer)
{
    uint8_t digest[DIGEST_BYTES];
    gnutls_hash_deinit(h->handle, digest);
    if (buffer)
        (void)write_hex(digest, sizeof(digest), buffer);
    free(h);
}

const char *secret_sign(const char *key, const char *text, char buffer[static SECRET_DIGEST_MAX])
{
    uint8_t digest[DIGEST_BYTES];
    int r = gnutls_hmac_fast(GNUTLS_MAC_SHA256, key, strlen(key), text, strlen(text), digest);
    assert(r == 0);
    return write_hex(digest, sizeof(digest), buffer);
}

bool secret_equal(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && gnutls_memcmp(a, b, strlen(a)) == 0;
}

/* SHA-256 of the key as it stands in the certificate (SubjectPublicKeyInfo, DER), in base64. */
static int pin_of(gnutls_x509_crt_t certificate, gnutls_pubkey_t key, char **ret)
{
    gnutls_datum_t der = {0}, base64 = {0};
    uint8_t digest[DIGEST_BYTES];
    int r = gnutls_pubkey_import_x509(key, certificate, 0);
    if (r == 0)
        r = gnutls_pubkey_export2(key, GNUTLS_X509_FMT_DER, &der);
    if (r == 0)
        r = gnutls_hash_fast(GNUTLS_DIG_SHA256, der.data, der.size, digest);
    if (r == 0)
        r = gnutls_base64_encode2(&(gnutls_datum_t){digest, sizeof(digest)}, &base64);
    if (r == 0)
        *ret = mem_printf("sha256//%.*s", (int)base64.size, (const char *)base64.data);
    gnutls_free(der.data);
    gnutls_free(base64.data);
    return r;
}

int secret_pin(const char *pem, char **ret, struct err *e)
{
    gnutls_x509_crt_t certificate = NULL;
    gnutls_pubkey_t key = NULL;
    union {
        const char *text;
        unsigned char *data; /* the datum's pointer is not const */
    } in = {.text = pem};
    int r = gnutls_x509_crt_init(&certificate);
    if (r == 0)
        r = gnutls_pubkey_init(&key);
    if (r == 0)
        r = gnutls_x509_crt_import(certificate, &(gnutls_datum_t){in.data, (unsigned)strlen(pem)},
                                   GNUTLS_X509_FMT_PEM);
    if (r == 0)
        r = pin_of(certificate, key, ret);
    if (key)
        gnutls_pubkey_deinit(key);
    if (certificate)
        gnutls_x509_crt_deinit(certificate);
    return r == 0 ? 0 : err_set(e, EBADMSG, "is no certificate in PEM: %s", gnutls_strerror(r));
}
