#include "act/parcel.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"

/* What is signed: all but the text, for which its digest stands. A line each, and none has a break.
 */
static const char *sign(const struct parcel *p, const char *digest, const char *token,
                        char *signature)
{
    AUTOFREE char *text =
        mem_printf("eyrie-fragment %d\n%s\n%s\n%s\n%" PRId64 "\n%s\n%s\n%s\n", PARCEL_VERSION,
                   p->controller, p->name, p->daemon, p->revision, p->knob, p->mark, digest);
    return secret_sign(token, text, signature);
}

struct json_object *parcel_write(const struct parcel *p, const char *token)
{
    struct json_object *o = json_object_new_object();
    char digest[SECRET_DIGEST_MAX], signature[SECRET_DIGEST_MAX];
    (void)secret_digest(p->text, strlen(p->text), digest);
    json_add_int(o, "version", PARCEL_VERSION);
    json_add_string(o, "controller", p->controller);
    json_add_string(o, "name", p->name);
    json_add_string(o, "daemon", p->daemon);
    json_add_int(o, "revision", p->revision);
    json_add_string(o, "knob", p->knob);
    json_add_string(o, "mark", p->mark);
    json_add_string(o, "text", p->text);
    json_add_string(o, "digest", digest);
    json_add_string(o, "signature", sign(p, digest, token, signature));
    return o;
}

/* A line of what is signed. */
static int get_line(struct json_object *o, const char *key, const char **ret, struct err *e)
{
    int r = json_get_string(o, key, ret, e);
    if (r == 0 && strpbrk(*ret, "\n\r"))
        return err_set(e, EBADMSG, "the fragment's \"%s\" has a line break", key);
    return r;
}

int parcel_read(struct json_object *o, const char *token, struct parcel *ret, struct err *e)
{
    const char *digest, *signature;
    char real[SECRET_DIGEST_MAX], expected[SECRET_DIGEST_MAX];
    int64_t version;
    ret->revision = json_int_or(o, "revision", 0);
    int r = json_get_int(o, "version", &version, e);
    if (r == 0 && version != PARCEL_VERSION)
        return err_set(e, EBADMSG,
                       "the fragment comes in version %" PRId64 " and this agent knows %d: "
                       "install the eyrie-agent of the controller's release",
                       version, PARCEL_VERSION);
    if (r == 0)
        r = get_line(o, "controller", &ret->controller, e);
    if (r == 0)
        r = get_line(o, "name", &ret->name, e);
    if (r == 0)
        r = get_line(o, "daemon", &ret->daemon, e);
    if (r == 0)
        r = get_line(o, "knob", &ret->knob, e);
    if (r == 0)
        r = get_line(o, "mark", &ret->mark, e);
    if (r == 0)
        r = get_line(o, "digest", &digest, e);
    if (r == 0)
        r = get_line(o, "signature", &signature, e);
    if (r == 0)
        r = json_get_string(o, "text", &ret->text, e);
    if (r < 0)
        return r;
    if (!secret_equal(signature, sign(ret, digest, token, expected)))
        return err_set(e, EKEYREJECTED,
                       "the fragment (revision %" PRId64 ") is not signed with the "
                       "token of this agent",
                       ret->revision);
    if (!secret_equal(digest, secret_digest(ret->text, strlen(ret->text), real)))
        return err_set(e, EKEYREJECTED,
                       "the text of the fragment (revision %" PRId64 ") is not the "
                       "one that was signed: %.12s instead of %.12s",
                       ret->revision, real, digest);
    return 0;
}
