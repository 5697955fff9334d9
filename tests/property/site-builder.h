/*
 * A world while it is made: arrays with room, which the files of the generator fill.
 */
#pragma once

#include "property/site.h"

enum { VMS_MAX = 24, HOSTS_MAX = 6, SHAPES_MAX = 8, EXTRA = 4 };

struct builder {
    struct arena *arena;
    struct draw *d;
    const struct policy *p;
    struct world *w;
    struct world_host *hosts;
    struct world_domain *domains[HOSTS_MAX];
    struct world_volume *volumes[HOSTS_MAX];
    struct world_startd *startds;
    struct world_record *records;
    struct world_start *starts;
};

/** A time between @least and @most before now, in whole seconds. */
usec site_ago(struct builder *b, usec least, usec most);
/** The name of a group; sometimes of none. */
const char *site_group(struct builder *b);
/** The id of a request of @group; mostly of none. */
const char *site_request(struct builder *b, const char *group);
/** A UUID that nothing has yet. */
const char *site_uuid(struct builder *b);
void site_add_domain(struct builder *b, size_t host, const struct world_domain *domain);
void site_add_volume(struct builder *b, size_t host, const char *uuid, bool seed);
/** A VM at some stage of its life. */
void site_add_vm(struct builder *b);
