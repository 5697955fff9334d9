/*
 * Between the table of routes (route.c) and what answers them: what looks (route-look.c) and what
 * changes something (route-change.c).
 */
#pragma once

#include "serve/route.h"

/* A question on its way through the table. */
struct asked {
    const struct question *question;
    const struct api_port *port;
    void *userdata;
    const struct snapshot *s; /* NULL before the first step */
    const char *name;         /* what stands for the part in braces; "" when there is none */
};

struct answer route_healthy(const struct asked *asked);
struct answer route_ready(const struct asked *asked);
struct answer route_metrics(const struct asked *asked);
struct answer route_events(const struct asked *asked);
struct answer route_job(const struct asked *asked);
struct answer route_vm(const struct asked *asked);
struct answer route_vms(const struct asked *asked);
struct answer route_requests(const struct asked *asked);
struct answer route_request(const struct asked *asked);
/** The refusal before the first step. */
struct answer route_no_snapshot(void);

struct answer route_look(const struct asked *asked);
struct answer route_reload(const struct asked *asked);
struct answer route_agents(const struct asked *asked);
struct answer route_agent_add(const struct asked *asked);
struct answer route_agent_remove(const struct asked *asked);
struct answer route_order(const struct asked *asked, enum order_verb verb);
struct answer route_book(const struct asked *asked, enum booking_verb verb);
