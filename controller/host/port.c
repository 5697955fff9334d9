#include "host/port.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "host/container.h"

enum { ANSWER_MAX = 64 };

/* Shared by who asks and libvirt's event loop, which may be in the callback when the wait is over. */
struct asking {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int references;
    bool ended; /* the answer is complete, or none will come */
    size_t length;
    char answer[ANSWER_MAX];
};

static void asking_unref(void *userdata)
{
    struct asking *a = userdata;
    (void)pthread_mutex_lock(&a->lock);
    bool last = --a->references == 0;
    (void)pthread_mutex_unlock(&a->lock);
    if (!last)
        return;
    (void)pthread_cond_destroy(&a->changed);
    (void)pthread_mutex_destroy(&a->lock);
    free(a);
}

static struct asking *asking_new(void)
{
    struct asking *a = mem_new(1, sizeof(*a));
    pthread_condattr_t monotonic;
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&a->lock, NULL);
    (void)pthread_cond_init(&a->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    a->references = 1;
    return a;
}

/* In the thread of the event loop. */
static void on_stream(virStreamPtr stream, int events, void *userdata)
{
    struct asking *a = userdata;
    char bytes[ANSWER_MAX];
    int n = events & VIR_STREAM_EVENT_READABLE ? virStreamRecv(stream, bytes, sizeof(bytes)) : -1;
    if (n == -2) /* nothing yet */
        return;
    (void)pthread_mutex_lock(&a->lock);
    for (int i = 0; i < n && !a->ended; i++) {
        a->ended = bytes[i] == '\n' || a->length == sizeof(a->answer) - 1;
        if (!a->ended)
            a->answer[a->length++] = bytes[i];
    }
    a->ended = a->ended || n <= 0;
    if (a->ended)
        (void)virStreamEventUpdateCallback(stream, 0);
    (void)pthread_cond_broadcast(&a->changed);
    (void)pthread_mutex_unlock(&a->lock);
}

/* By force, which LXC does not know: a worker that was killed may have left it open. */
static int open_port(virConnectPtr conn, virDomainPtr domain, virStreamPtr stream, struct fault *f)
{
    const char *driver = virConnectGetType(conn);
    int r = driver && strcmp(driver, "LXC") == 0
                ? virDomainOpenConsole(domain, CONTAINER_CONSOLE, stream, 0)
                : virDomainOpenChannel(domain, PORT_NAME, stream, VIR_DOMAIN_CHANNEL_FORCE);
    return r < 0 ? fault_libvirt(f, "its port") : 0;
}

static int send_line(virStreamPtr stream, const char *line, struct fault *f)
{
    size_t left = strlen(line);
    while (left > 0) {
        int sent = virStreamSend(stream, line, left);
        if (sent == -2)
            return fault_set(f, VIR_ERR_OPERATION_TIMEOUT, "its port takes nothing");
        if (sent < 0)
            return fault_libvirt(f, "its port");
        line += sent;
        left -= (size_t)sent;
    }
    return 0;
}

static int await(struct asking *a, const char *wanted, usec within, struct fault *f)
{
    struct timespec until;
    int waited = 0, r = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(within / USEC_PER_SEC);
    (void)pthread_mutex_lock(&a->lock);
    while (!a->ended && waited == 0)
        waited = pthread_cond_timedwait(&a->changed, &a->lock, &until);
    if (!a->ended || strcmp(a->answer, wanted) != 0)
        r = fault_set(f, VIR_ERR_AGENT_UNRESPONSIVE, "the guest did not take it: %s",
                      a->ended ? "it answered something else" : "it does not answer");
    (void)pthread_mutex_unlock(&a->lock);
    return r;
}

int port_ask(virConnectPtr conn, virDomainPtr domain, const char *line, const char *wanted,
             usec within, struct fault *f)
{
    virStreamPtr stream AUTOSTREAM = virStreamNew(conn, VIR_STREAM_NONBLOCK);
    if (!stream)
        return fault_libvirt(f, "no stream");
    int r = open_port(conn, domain, stream, f);
    if (r < 0)
        return r;
    struct asking *a = asking_new();
    r = send_line(stream, line, f);
    if (r >= 0) {
        a->references++;
        if (virStreamEventAddCallback(stream,
                                      VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_ERROR |
                                          VIR_STREAM_EVENT_HANGUP,
                                      on_stream, a, asking_unref) < 0) {
            a->references--;
            r = fault_libvirt(f, "its port");
        } else {
            r = await(a, wanted, within, f);
            (void)virStreamEventRemoveCallback(stream);
        }
    }
    asking_unref(a);
    (void)virStreamAbort(stream);
    return r;
}
