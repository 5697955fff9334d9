/*
 * What is done to one VM on a host: create, shut down, destroy, delete a volume of it.
 *
 * Nothing is changed unless name, UUID and metadata say that it is ours (rule S3), and each look
 * at the metadata is a fresh one. Domains are transient: when they stop, nothing of them stays
 * defined.
 */
#pragma once

#include "host/connection.h"
#include "host/console.h"
#include "host/protocol.h"

/** Where domains are made. */
struct domain_place {
    const char *pool;         /* ours */
    const char *storage_pool; /* libvirt's */
    bool test;                /* libvirt's test driver */
    struct consoles *consoles;
};

/*
 * Each does what the request @q asks and adds to its @answer, or fails. `unknown` in the fault says
 * that the request may have had its effect all the same.
 */
int domain_create(const struct domain_place *place, const struct lease *lease,
                  const struct request *q, struct json_object *answer, struct fault *f);
int domain_shutdown(const struct domain_place *place, const struct lease *lease,
                    const struct request *q, struct json_object *answer, struct fault *f);
int domain_destroy(const struct domain_place *place, const struct lease *lease,
                   const struct request *q, struct json_object *answer, struct fault *f);
/** Hand a new token to the guest and wait until it has it. */
int domain_renew(const struct domain_place *place, const struct lease *lease,
                 const struct request *q, struct json_object *answer, struct fault *f);
int domain_delete_volume(const struct domain_place *place, const struct lease *lease,
                         const struct request *q, struct json_object *answer, struct fault *f);

/**
 * Why the domain with this name and these metadata is not ours, or NULL when it is.
 * @metadata: its pool is NULL when there is none; @claimed: the UUID that it names
 */
const char *domain_foreign(const char *pool, const char *name, const char *uuid,
                           const struct vm *metadata, const char *claimed);
