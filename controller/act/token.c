#include "act/token.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/credential.h"
#include "base/mem.h"
#include "loop/condor.h"

/* A token is about 400 bytes. */
enum { TOKEN_BYTES_MAX = 16 * 1024 };

struct token {
    struct child *child;
    token_done done;
    void *userdata;
};

/* One line, of the characters that a token consists of (JWT: RFC 7519, base64url and dots). */
static bool token_valid(const char *text, size_t length)
{
    return length > 0 && strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_.") == length;
}

static void tool_done(void *userdata, const struct child_result *r)
{
    struct token *t = userdata;
    if (r->error) {
        t->done(t->userdata, NULL, r->error);
        return;
    }
    size_t length = r->output_length;
    while (length > 0 && r->output[length - 1] == '\n')
        length--;
    char *text = mem_new(length + 1, 1);
    memcpy(text, r->output, length);
    if (token_valid(text, length))
        t->done(t->userdata, text, NULL);
    else
        t->done(t->userdata, NULL, "condor_token_create printed something that is no token");
    explicit_bzero(text, length);
    free(text);
}

/* Where the tool finds the key, if the service manager handed it to us: "NAME=VALUE", or NULL: as
 * HTCondor is configured. Owned by the caller. */
static char *key_setting(const char *key)
{
    AUTOFREE char *given = credential_find(key);
    if (!given)
        return NULL;
    /* Its first key has a knob of its own (manual, SEC_TOKEN_POOL_SIGNING_KEY_FILE). */
    return strcmp(key, "POOL") == 0
               ? mem_printf("_CONDOR_SEC_TOKEN_POOL_SIGNING_KEY_FILE=%s", given)
               : mem_printf("_CONDOR_SEC_PASSWORD_DIRECTORY=%s", credential_folder());
}

struct token *token_create(struct loop *loop, const struct policy *p, const char *uuid,
                           token_done done, void *userdata)
{
    AUTOFREE char *identity = mem_printf("vm-%s@%s", uuid, p->pool.trust_domain);
    AUTOFREE char *life =
        mem_printf("%lld", (long long)(p->timing.token_life.value / USEC_PER_SEC));
    /* The issuer is the trust domain of who signs, which need not be this machine's. */
    AUTOFREE char *issuer = mem_printf("_CONDOR_TRUST_DOMAIN=%s", p->pool.trust_domain);
    const char *const argv[] = {
        "condor_token_create", "-identity", identity, "-authz", "ADVERTISE_STARTD",
        "-authz", "ADVERTISE_MASTER", "-lifetime", life,
        "-key", p->pool.signing_key, NULL,
    };
    AUTOFREE char *key = key_setting(p->pool.signing_key);
    struct token *t = mem_new(1, sizeof(*t));
    t->done = done;
    t->userdata = userdata;
    t->child =
        condor_run(loop, p->pool.tools,
                   &(struct child_args){.argv = argv,
                                        .environment = (const char *const[]){issuer, key, NULL},
                                        .limit = TOKEN_BYTES_MAX,
                                        .secret = true,
                                        .done = tool_done,
                                        .userdata = t});
    return t;
}

struct token *token_free(struct token *t)
{
    if (!t)
        return NULL;
    t->child = child_free(t->child);
    free(t);
    return NULL;
}
