/*
 * What host.c, the life of a worker and of its calls, and host-request.c, the text of them, have in
 * common.
 */
#pragma once

#include "sense/host.h"

enum host_op {
    HOST_LIST,
    HOST_CREATE,
    HOST_SHUTDOWN,
    HOST_DESTROY,
    HOST_DELETE_VOLUME,
    HOST_RENEW,
};

const char *host_op_name(enum host_op op);
int64_t host_next_id(struct host *host);
/* Take over @line, which ends in a newline, and is the request @id. */
void host_call(struct host *host, enum host_op op, int64_t id, char *line, size_t length,
               host_done done, void *userdata);
/* A request with one member, or none when @key is NULL. */
void host_ask(struct host *host, enum host_op op, const char *key, const char *value,
              host_done done, void *userdata);
