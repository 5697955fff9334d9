#include "host/connection.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "host/capabilities.h"

enum {
    KEEPALIVE_INTERVAL = 1, /* s */
    KEEPALIVE_COUNT = 2,
    RETRY_LEAST_MS = 250,
    RETRY_MOST_MS = 15000,
};

struct connection {
    char *uri;
    const struct connection_hooks *hooks;
    int timer; /* libvirt's, for the next try */
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool opening;      /* some thread is in virConnectOpen */
    struct lease link; /* conn is NULL while not open */
    struct lease dead; /* lost, and to be closed */
    int pause_ms;
    usec next_try;
    struct fault last; /* why it is not open */
    bool told;         /* eyried knows of that reason */
};

static usec now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

/* With the lock held: the link is down for the reason @why; plan the next try. */
static bool note_failure(struct connection *c, const struct fault *why)
{
    bool news = !c->told || strcmp(c->last.err.text, why->err.text) != 0;
    c->last = *why;
    c->told = true;
    c->pause_ms = c->pause_ms ? c->pause_ms * 2 : RETRY_LEAST_MS;
    if (c->pause_ms > RETRY_MOST_MS)
        c->pause_ms = RETRY_MOST_MS;
    c->next_try = now() + (usec)c->pause_ms * 1000;
    virEventUpdateTimeout(c->timer, c->pause_ms);
    return news;
}

static void on_close(virConnectPtr conn, int reason, void *userdata);

/* @conn is of no use any more. It is only put aside, because libvirt may be in the middle of
 * telling us; connection_acquire closes it. */
static void lose(struct connection *c, virConnectPtr conn, const char *reason)
{
    struct fault why;
    bool news = false;
    (void)fault_set(&why, VIR_ERR_NO_CONNECT, "connection to %s lost: %s", c->uri, reason);
    (void)pthread_mutex_lock(&c->lock);
    if (conn && c->link.conn == conn) {
        c->dead = c->link;
        c->link = (struct lease){0};
        c->pause_ms = 0;
        news = note_failure(c, &why);
    }
    (void)pthread_mutex_unlock(&c->lock);
    if (news)
        c->hooks->disconnected(c->hooks->userdata, why.err.text);
}

/* Each registered callback holds a reference, also on a connection that is dead. */
static void close_link(struct lease *link)
{
    if (!link->conn)
        return;
    if (link->events >= 0)
        (void)virConnectDomainEventDeregisterAny(link->conn, link->events);
    (void)virConnectUnregisterCloseCallback(link->conn, on_close);
    (void)virConnectClose(link->conn);
    link->conn = NULL;
}

static void on_close(virConnectPtr conn, int reason, void *userdata)
{
    static const char *const reasons[] = {
        [VIR_CONNECT_CLOSE_REASON_ERROR] = "input or output error",
        [VIR_CONNECT_CLOSE_REASON_EOF] = "the daemon closed it",
        [VIR_CONNECT_CLOSE_REASON_KEEPALIVE] = "no answer to keepalive",
        [VIR_CONNECT_CLOSE_REASON_CLIENT] = "closed by us",
    };
    bool known = reason >= 0 && (size_t)reason < ARRAY_SIZE(reasons);
    lose(userdata, conn, known ? reasons[reason] : "no reason given");
}

static int on_domain(virConnectPtr conn, virDomainPtr domain, int event, int detail, void *userdata)
{
    static const char *const events[] = {
        [VIR_DOMAIN_EVENT_DEFINED] = "defined",   [VIR_DOMAIN_EVENT_UNDEFINED] = "undefined",
        [VIR_DOMAIN_EVENT_STARTED] = "started",   [VIR_DOMAIN_EVENT_SUSPENDED] = "suspended",
        [VIR_DOMAIN_EVENT_RESUMED] = "resumed",   [VIR_DOMAIN_EVENT_STOPPED] = "stopped",
        [VIR_DOMAIN_EVENT_SHUTDOWN] = "shutdown", [VIR_DOMAIN_EVENT_PMSUSPENDED] = "pmsuspended",
        [VIR_DOMAIN_EVENT_CRASHED] = "crashed",
    };
    static const char *const ends[] = {
        [VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN] = "shutdown",
        [VIR_DOMAIN_EVENT_STOPPED_DESTROYED] = "destroyed",
        [VIR_DOMAIN_EVENT_STOPPED_CRASHED] = "crashed",
        [VIR_DOMAIN_EVENT_STOPPED_MIGRATED] = "migrated",
        [VIR_DOMAIN_EVENT_STOPPED_SAVED] = "saved",
        [VIR_DOMAIN_EVENT_STOPPED_FAILED] = "failed",
        [VIR_DOMAIN_EVENT_STOPPED_FROM_SNAPSHOT] = "from snapshot",
    };
    struct connection *c = userdata;
    char uuid[VIR_UUID_STRING_BUFLEN];
    (void)conn;
    if (virDomainGetUUIDString(domain, uuid) < 0)
        return 0;
    bool known = event >= 0 && (size_t)event < ARRAY_SIZE(events);
    bool end =
        event == VIR_DOMAIN_EVENT_STOPPED && detail >= 0 && (size_t)detail < ARRAY_SIZE(ends);
    c->hooks->domain(c->hooks->userdata, uuid, virDomainGetName(domain),
                     known ? events[event] : "unknown", end ? ends[detail] : NULL);
    return 0;
}

static void on_timer(int timer, void *userdata)
{
    struct connection *c = userdata;
    virEventUpdateTimeout(timer, -1);
    c->hooks->retry(c->hooks->userdata);
}

struct connection *connection_new(const char *uri, const struct connection_hooks *hooks)
{
    struct connection *c = mem_new(1, sizeof(*c));
    c->uri = mem_strdup(uri);
    c->hooks = hooks;
    (void)pthread_mutex_init(&c->lock, NULL);
    (void)pthread_cond_init(&c->opened, NULL);
    c->timer = virEventAddTimeout(0, on_timer, c, NULL);
    if (c->timer < 0)
        mem_exhausted();
    return c;
}

struct connection *connection_free(struct connection *c)
{
    if (!c)
        return NULL;
    (void)virEventRemoveTimeout(c->timer);
    close_link(&c->dead);
    close_link(&c->link);
    (void)pthread_cond_destroy(&c->opened);
    (void)pthread_mutex_destroy(&c->lock);
    free(c->uri);
    free(c);
    return NULL;
}

/* Open and prepare a connection; no lock held. What a driver does not have (the test driver knows
 * no keepalive and nobody who could close it) is done without. */
static int open_link(struct connection *c, struct lease *ret, struct fault *f)
{
    struct lease link = {.conn = virConnectOpen(c->uri)};
    if (!link.conn)
        return fault_libvirt(f, "cannot connect to %s", c->uri);
    (void)virConnectSetKeepAlive(link.conn, KEEPALIVE_INTERVAL, KEEPALIVE_COUNT);
    (void)virConnectRegisterCloseCallback(link.conn, on_close, c, NULL);
    link.events = virConnectDomainEventRegisterAny(link.conn, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                                   VIR_DOMAIN_EVENT_CALLBACK(on_domain), c, NULL);
    char *capabilities AUTOFREE = virConnectGetCapabilities(link.conn);
    if (capabilities)
        link.has_owner = capabilities_read_owner(capabilities, &link.uid, &link.gid);
    *ret = link;
    return 0;
}

/* Open, for all who wait. With the lock held, which is given up meanwhile. */
static int open_locked(struct connection *c, struct fault *f)
{
    struct lease link = {0}, dead = c->dead;
    unsigned long version = 0;
    c->opening = true;
    c->dead = (struct lease){0};
    (void)pthread_mutex_unlock(&c->lock);
    close_link(&dead);
    int r = open_link(c, &link, f);
    if (r >= 0) {
        (void)virConnectGetLibVersion(link.conn, &version);
        c->hooks->connected(c->hooks->userdata, virConnectGetType(link.conn), version);
    }
    (void)pthread_mutex_lock(&c->lock);
    bool news = false;
    if (r >= 0) {
        c->link = link;
        c->pause_ms = 0;
        c->told = false;
        virEventUpdateTimeout(c->timer, -1);
    } else {
        news = note_failure(c, f);
    }
    if (news) {
        (void)pthread_mutex_unlock(&c->lock);
        c->hooks->disconnected(c->hooks->userdata, f->err.text);
        (void)pthread_mutex_lock(&c->lock);
    }
    c->opening = false;
    (void)pthread_cond_broadcast(&c->opened);
    return r;
}

int connection_acquire(struct connection *c, struct lease *ret, struct fault *f)
{
    int r = 0;
    (void)pthread_mutex_lock(&c->lock);
    while (c->opening)
        (void)pthread_cond_wait(&c->opened, &c->lock);
    if (!c->link.conn)
        r = now() < c->next_try ? fault_set(f, c->last.code, "%s", c->last.err.text)
                                : open_locked(c, f);
    if (r >= 0) {
        *ret = c->link;
        (void)virConnectRef(ret->conn);
    }
    (void)pthread_mutex_unlock(&c->lock);
    return r;
}

void connection_release(struct connection *c, struct lease *lease, bool failed)
{
    if (!lease->conn)
        return;
    if (failed && virConnectIsAlive(lease->conn) != 1)
        lose(c, lease->conn, "a call failed and it is no longer alive");
    (void)virConnectClose(lease->conn);
    lease->conn = NULL;
}

bool connection_is_test(const struct connection *c)
{
    return text_starts_with(c->uri, "test:") || text_starts_with(c->uri, "test+");
}
