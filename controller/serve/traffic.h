/*
 * What the API's clients did: requests by route and status, connections. For the metrics.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { TRAFFIC_ROWS = 512 };

/** Why a connection was ended by us. */
enum traffic_cut {
    TRAFFIC_SLOW,    /* no request was completed in time */
    TRAFFIC_CROWDED, /* the oldest one made room for a new one */
    TRAFFIC_CUTS,
};

struct traffic_row {
    const char *route; /* as route_name; "" when there is none */
    unsigned status;
    int64_t requests;
};

/** All zero at the start. */
struct traffic {
    struct traffic_row rows[TRAFFIC_ROWS]; /* there are fewer routes × statuses than rows */
    size_t n_rows;
    int64_t connections; /* open now */
    int64_t cuts[TRAFFIC_CUTS];
};

/** Count an answer; @route must live as long as @t, NULL: none. */
void traffic_count(struct traffic *t, const char *route, unsigned status);
/** "slow", "crowded". */
const char *traffic_cut_name(enum traffic_cut cut);
