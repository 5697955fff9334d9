/*
 * What several views are put together from.
 */
#pragma once

#include "serve/view.h"

/** {"version", "now"}: how each view begins. */
struct json_object *part_begin(usec now);
/** Add a point in time or a duration; null for 0 (a point) or USEC_NEVER. */
void part_add_time(struct json_object *o, const char *key, usec at);
void part_add_duration(struct json_object *o, const char *key, usec duration);
/** Add a string, null when it is "" or NULL. */
void part_add_name(struct json_object *o, const char *key, const char *name);
/** Add a number, null when it is POLICY_UNLIMITED. */
void part_add_limit(struct json_object *o, const char *key, int64_t limit);
/** Add the name of the file and the line of @at under these keys, null for the default. */
void part_add_place(struct json_object *o, const char *file_key, const char *line_key,
                    struct policy_place at, const char *const *files);
/** Add a reason, null when there is none. */
void part_add_reason(struct json_object *o, const char *key, const struct reason *r,
                     const char *const *files);
/** Whether there is a reason at all. */
bool part_is_reason(const struct reason *r);

/** What is used of each limit: all VMs but those that are gone or somebody else's. */
struct part_use {
    int64_t vms;
    int64_t cpus;
    int64_t memory;
};
struct part_use part_use(const struct plan *plan);

/**
 * Totals over all shapes, and the @max shapes with the most waiting jobs; @group: only those that
 * name it, NULL = all.
 */
struct json_object *part_demand(const struct snapshot *s, const char *group, size_t max);
/** What jobs of a shape want, and what they got, as a sentence. */
void part_render_shape(const struct snapshot *s, const struct plan_shape *p, struct text *out);
/** The planned actions on one host (NULL: any), for one group's VMs (likewise). */
struct json_object *part_actions(const struct snapshot *s, const char *host, const char *group);

/** Which VM is meant: view_explain_vm's @name; -ENOENT or -ENOTUNIQ with a sentence that helps. */
int part_find_vm(const struct plan *plan, const char *name, const struct plan_vm **ret,
                 struct err *e);
/** Which host is meant; -ENOENT with the nearest name. */
int part_find_host(const struct policy *p, const char *name, const struct policy_host **ret,
                   struct err *e);
/** What is known of a host, or NULL. */
const struct world_host *part_world_host(const struct world *w, const char *name);

/** "by carol 5m ago: new disks". */
void part_render_order(struct text *t, const struct world_order *order, usec now);
/** Add what an admin ordered about a host or a VM as "order", or null. */
void part_add_host_order(struct json_object *row, const struct world_host *host, usec now);
void part_add_vm_order(struct json_object *row, const struct world_record *record, usec now);
/** All orders in force, each with a sentence; VIEW_ORDERS_MAX of VMs at most. */
struct json_object *part_orders(const struct snapshot *s, usec now);
/** Hosts and templates that failed, until when they rest, each with a sentence. */
struct json_object *part_resting(const struct snapshot *s, usec now);
/** What the last plan does, in a row for each kind of action and cause. */
struct json_object *part_doing(const struct plan *plan, const struct policy *p);

/** A request as a row; @plan: NULL before the first step. */
struct json_object *part_request(const struct policy *p, const struct plan *plan,
                                 const struct ledger_request *r);
/** What was asked for, in one line: "juno: 200 cpus as 13 × big (16 cpus), exclusive, 1 Dec …". */
void part_render_request(const struct policy *p, const struct ledger_request *r, usec now,
                         struct text *out);
/** "1 Dec 20:00 – 3 Dec 08:00", in the site's zone. */
void part_render_span(usec from, usec until, usec now, struct text *out);
/** The cpus of a template's VMs; 0: it is not in the policy any more. */
int64_t part_template_cpus(const struct policy *p, const char *name);
/** Move the sentence @t to the end of @lines. */
void part_add_line(struct json_object *lines, struct text *t);

/** The rows of view_groups, view_hosts and view_vms. */
struct json_object *part_groups(const struct snapshot *s);
/** What the plan thinks of the facts of a host, or NULL. */
const struct plan_trust *part_trust(const struct plan *plan, const char *host);
/** A host of the policy, or one as part_removed_host gives it. */
struct json_object *part_host(const struct snapshot *s, const struct policy_host *set, usec now);
/** Whether it is a host that left the policy and has VMs of ours; *ret then stands for it. */
bool part_removed_host(const struct snapshot *s, const char *name, struct policy_host *ret);
struct json_object *part_vm(const struct snapshot *s, const struct plan_vm *vm, usec now);
