/*
 * What the service manager is told (sd_notify). Without one all of this does nothing.
 */
#pragma once

#include <stdbool.h>

#include "loop/loop.h"

/** Started; or a reload has ended. */
void notify_ready(void);
/** A new policy is read; notify_ready says that it is over. */
void notify_reloading(void);
/** One line of status (printf style). */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
void notify_stopping(void);

struct watchdog;

/**
 * Feed the service manager's watchdog, if it wants that, from @loop: so only one that turns is fed;
 * and only while @alive says that what the loop is for goes on. Returns NULL when none wants it;
 * owned by the caller (watchdog_free).
 */
struct watchdog *watchdog_new(struct loop *loop, bool (*alive)(void *userdata), void *userdata);
/** Accepts NULL; returns NULL. */
struct watchdog *watchdog_free(struct watchdog *w);
