#include "serve/traffic.h"

#include <assert.h>

#include "base/text.h"

void traffic_count(struct traffic *t, const char *route, unsigned status)
{
    size_t i = 0;
    if (!route)
        route = "";
    while (i < t->n_rows && (t->rows[i].status != status || !text_equal(t->rows[i].route, route)))
        i++;
    assert(i < TRAFFIC_ROWS);
    if (i == t->n_rows)
        t->rows[t->n_rows++] = (struct traffic_row){.route = route, .status = status};
    t->rows[i].requests++;
}

const char *traffic_cut_name(enum traffic_cut cut)
{
    static const char *const names[] = {
        [TRAFFIC_SLOW] = "slow",
        [TRAFFIC_CROWDED] = "crowded",
    };
    assert(cut < TRAFFIC_CUTS);
    return names[cut];
}
