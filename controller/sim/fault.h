/*
 * What can go wrong at a site, as a table: a name, what it does in the simulated world, whom it hits
 * and for how long. While a fault is on, calls of the controller are struck by its rules (filter.h,
 * fault_of_call()), and the parts of the site ask fault_on() where it bites besides. Each ends, and after
 * the last one the pool must find back by itself (L1).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/units.h"
#include "sim/filter.h"

struct sim;

enum fault {
    FAULT_LIBVIRTD_RESTART,
    FAULT_LIBVIRTD_HANG,
    FAULT_REPLY_LOST,
    FAULT_REPLY_DUPLICATE,
    FAULT_LATE_SUCCESS,
    FAULT_CREATE_REFUSED,
    FAULT_CREATE_HALF,
    FAULT_HOST_DEAD,
    FAULT_HOST_REBOOTED,
    FAULT_HOST_SPLIT,
    FAULT_HOST_SLOW,
    FAULT_HOST_CORDONED,
    FAULT_HOST_DRAINED,
    FAULT_DISK_FULL,
    FAULT_QEMU_STUCK,
    FAULT_VOLUME_BUSY,
    FAULT_FOREIGN_DOMAIN,
    FAULT_VM_NEVER_JOINS,
    FAULT_VM_TAKES_NO_JOBS,
    FAULT_VM_BOOTS_SLOWLY,
    FAULT_VM_DIES,
    FAULT_STARTD_FLAPS,
    FAULT_VM_SPLIT,
    FAULT_SCHEDD_TIMEOUT,
    FAULT_QUEUE_PARTIAL,
    FAULT_JOBS_REMOVED,
    FAULT_COLLECTOR_TIMEOUT,
    FAULT_COLLECTOR_EMPTY,
    FAULT_POOL_PARTIAL,
    FAULT_ADS_STALE,
    FAULT_NEGOTIATOR_DOWN,
    FAULT_DRAIN_REFUSED,
    FAULT_DRAIN_LOST,
    FAULT_JOB_BEFORE_DRAIN,
    FAULT_INVALIDATE_FAILED,
    FAULT_TOKEN_FAILED,
    FAULT_FRAGMENT_LOST,
    FAULT_CLOCK_FORWARD,
    FAULT_CLOCK_BACK,
    FAULT_CONTROLLER_KILLED,
    FAULT_LEDGER_LOST,
    FAULT_LEDGER_FULL,
    FAULT_POLICY_CHANGED,
    FAULT_ADMIN_PAUSES,
    FAULT_HOST_LIES,
    FAULT_LIST_LIES,
    FAULT_QUEUE_HALVED,
    FAULT_POOL_HIDDEN,
    FAULT_TOOLS_LIE,
    FAULT_CALLS_DOUBLED,
    FAULT_CALLS_DELAYED,
    FAULT_TOOLS_LATE,
    FAULT_COUNT,
};

/** Bits by enum fault. */
typedef uint64_t fault_set;
#define FAULTS_ALL ((UINT64_C(1) << FAULT_COUNT) - 1)

const char *fault_name(enum fault f);
/** One sentence: what it does. */
const char *fault_summary(enum fault f);
/** Parse "all", "none" or names with commas. Returns 0, or -EINVAL and a sentence. */
int fault_parse(const char *text, fault_set *ret, struct err *e);

/** Draw when each fault of the set strikes, up to @until; adds the events. */
void fault_schedule(struct sim *s, fault_set set, int count, usec until);
/** An event: the fault @index of the schedule begins, or ends. */
void fault_begin(struct sim *s, uint32_t index);
void fault_end(struct sim *s, uint32_t index);
/** Whether a fault is on; on @host, or SIZE_MAX for those that hit no host. */
bool fault_on(const struct sim *s, enum fault f, size_t host);
/** What becomes of a call to @host, or with SIZE_MAX of a tool: by the rules of the faults that are on. */
struct filter_verdict fault_of_call(struct sim *s, enum filter_call call, size_t host);
/** Whether all that were scheduled have ended; then *@ret_since is when the last did. */
bool fault_over(const struct sim *s, usec *ret_since);
