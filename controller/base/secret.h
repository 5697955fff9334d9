/*
 * The one wrapper around GnuTLS: tokens, digests and signatures of what travels between eyried and
 * its agents. All results are text: lower-case hex, or what curl takes as a pin.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/** Room for the text of a digest or a signature. */
enum { SECRET_DIGEST_MAX = 65 };

/** "@prefix-" and 256 random bits; owned by the caller (secret_free). */
char *secret_new(const char *prefix) __attribute__((returns_nonnull));
/** Wipe and free; accepts NULL; returns NULL. */
char *secret_free(char *secret);
/** SHA-256 of @length bytes; returns @buffer. */
const char *secret_digest(const char *bytes, size_t length, char buffer[static SECRET_DIGEST_MAX]);
/** The same of bytes that come in pieces. Owned by the caller, who ends it with secret_hash_end. */
struct secret_hash *secret_hash_new(void) __attribute__((returns_nonnull));
void secret_hash_add(struct secret_hash *h, const char *bytes, size_t length);
/** Free @h; with @buffer (SECRET_DIGEST_MAX bytes) not NULL, the digest is written there first. */
void secret_hash_end(struct secret_hash *h, char *buffer);
/** HMAC-SHA-256 of @text under @key; returns @buffer. */
const char *secret_sign(const char *key, const char *text, char buffer[static SECRET_DIGEST_MAX]);
/** Whether both are the same; how long that takes says nothing about where they differ. */
bool secret_equal(const char *a, const char *b);
/**
 * The pin of a certificate's public key, as CURLOPT_PINNEDPUBLICKEY takes it ("sha256//…"). @pem:
 * the certificate first. Returns 0 and the pin (owned by the caller, free), or -EBADMSG.
 */
int secret_pin(const char *pem, char **ret, struct err *e);

static inline void secret_free_p(char **secret)
{
    (void)secret_free(*secret);
}
