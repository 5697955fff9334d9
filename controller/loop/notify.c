#include "loop/notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/mem.h"

/* So often within the time after which the service manager loses its patience. */
enum { FEEDS = 3 };

void notify_ready(void)
{
    (void)sd_notify(0, "READY=1");
}

/* By the time systemd tells this reload from the one before. */
void notify_reloading(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    (void)sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
                     (int64_t)now.tv_sec * USEC_PER_SEC + now.tv_nsec / 1000);
}

void notify_status(const char *format, ...)
{
    AUTOFREE char *status = NULL;
    va_list ap;
    va_start(ap, format);
    int n = vasprintf(&status, format, ap);
    va_end(ap);
    if (n < 0)
        mem_exhausted();
    (void)sd_notifyf(0, "STATUS=%s", status);
}

void notify_stopping(void)
{
    (void)sd_notify(0, "STOPPING=1");
}

struct watchdog {
    struct loop_timer *timer;
    usec every;
    bool (*alive)(void *userdata);
    void *userdata;
};

static void feed(void *userdata)
{
    struct watchdog *w = userdata;
    if (w->alive(w->userdata))
        (void)sd_notify(0, "WATCHDOG=1");
    loop_timer_set(w->timer, w->every);
}

struct watchdog *watchdog_new(struct loop *loop, bool (*alive)(void *userdata), void *userdata)
{
    uint64_t patience = 0;
    if (sd_watchdog_enabled(0, &patience) <= 0)
        return NULL;
    struct watchdog *w = mem_new(1, sizeof(*w));
    *w = (struct watchdog){
        .timer = loop_timer_new(loop, feed, w),
        .every = (usec)(patience / FEEDS),
        .alive = alive,
        .userdata = userdata,
    };
    loop_timer_set(w->timer, w->every);
    return w;
}

struct watchdog *watchdog_free(struct watchdog *w)
{
    if (!w)
        return NULL;
    (void)loop_timer_free(w->timer);
    free(w);
    return NULL;
}
