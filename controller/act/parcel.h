/*
 * A fragment on its way to an agent: its text, which revision of whose fragment it is, and who
 * sends it, signed with the agent's own token. What was changed on the way, or comes from
 * elsewhere, is seen before anything is done with it.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

enum { PARCEL_VERSION = 1 };

struct parcel {
    const char *controller; /* its id */
    const char *name;       /* the schedd's, or the virtual pool's central manager */
    const char *daemon;     /* "-schedd" or "-negotiator", as HTCondor's tools take it */
    int64_t revision;       /* of that name's fragment; grows */
    const char *knob;       /* that the daemon is asked for */
    const char *mark; /* its value once the daemon has read the text; "": no fragment at all */
    const char *text; /* "" when there is to be none */
};

/** As JSON, signed with @token; owned by the caller (json_object_put). */
struct json_object *parcel_write(const struct parcel *p, const char *token);
/**
 * Take a parcel apart that was signed with @token. Strings belong to @o. Returns 0; -EBADMSG when
 * it is none; -EKEYREJECTED when the signature or the digest of the text is wrong. @ret then holds
 * the revision that it says it is, or 0.
 */
int parcel_read(struct json_object *o, const char *token, struct parcel *ret, struct err *e);
