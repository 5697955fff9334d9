/*
 * What an agent knows when it starts, in a folder of its own that nobody else reads: the last
 * fragment that it was given and found good. And which controller it joined, with its token:
 * root's, whose unit hands it over, or in the same folder.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define STATE_FOLDER "/var/lib/eyrie-agent"
#define JOINED_FOLDER "/etc/eyrie/agent"

/** Strings belong to the object that they were read from. */
struct state_joined {
    const char *server;     /* host:port */
    const char *pin;        /* of its key; "" */
    const char *ca;         /* file; "" */
    const char *controller; /* its id */
    const char *name;       /* whose fragment it is */
    const char *token;
    const char *fragment; /* absolute path */
    const char *tools;    /* folder of HTCondor's tools; "" = PATH */
};

/**
 * What was joined, from the credential joined.json (base/credential) or else from @folder. Returns
 * 0 and the object (owned by the caller, json_object_put); -ENOENT: nothing was; or -errno.
 */
int state_read_joined(const char *folder, struct state_joined *ret, struct json_object **ret_object,
                      struct err *e);
/** Make @folder if it is not there, and see that it can be written to. Returns 0 or -errno. */
int state_prepare(const char *folder, struct err *e);
/** Write it, as mode 0600, and forget the last fragment: it may be another controller's. */
int state_write_joined(const char *folder, const struct state_joined *joined, struct err *e);

/**
 * The last fragment, as it came (act/parcel.h). Returns 0 and the object, the caller's; -ENOENT:
 * there is none; or -errno.
 */
int state_read_parcel(const char *folder, struct json_object **ret, struct err *e);
int state_write_parcel(const char *folder, struct json_object *parcel, struct err *e);
