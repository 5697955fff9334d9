#include "host/host.h"

#include <errno.h>
#include <libxml/parser.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/units.h"
#include "host/channel.h"
#include "host/check.h"
#include "host/connection.h"
#include "host/domain.h"
#include "host/image.h"
#include "host/jobs.h"
#include "host/list.h"
#include "host/protocol.h"

/* A destroy of a stuck QEMU takes libvirt up to 40 s. */
enum { FINISH_WITHIN_MS = 60000 };

struct host {
    struct domain_place place;
    struct channel *channel;
    struct connection *connection;
    struct list *list;
    struct jobs *jobs;
    int in;
    int input;    /* libvirt's watch of the input */
    int signals;  /* signalfd */
    int finished; /* eventfd: some job was done */
    bool ending;
    bool late;
};

typedef int (*domain_call)(const struct domain_place *place, const struct lease *lease,
                           const struct request *q, struct json_object *answer, struct fault *f);

static const domain_call domain_calls[PROTOCOL_OP_MAX] = {
    [PROTOCOL_CHECK] = check_take,
    [PROTOCOL_CREATE] = domain_create,
    [PROTOCOL_DELETE_VOLUME] = domain_delete_volume,
    [PROTOCOL_DESTROY] = domain_destroy,
    [PROTOCOL_RENEW] = domain_renew,
    [PROTOCOL_SHUTDOWN] = domain_shutdown,
};

static usec now(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

/* Of a push that is under way. */
struct pushing {
    struct host *host;
    int64_t id;
    usec told;
};

static void on_progress(void *userdata, int64_t done, int64_t all)
{
    struct pushing *p = userdata;
    if (now() < p->told + USEC_PER_SEC / 4)
        return;
    p->told = now();
    struct json_object *event = protocol_event("progress");
    json_add_int(event, "of", p->id);
    json_add_int(event, "done", done);
    json_add_int(event, "all", all);
    channel_write(p->host->channel, event);
}

static int push_image(struct host *h, const struct lease *lease, const struct request *q,
                      struct json_object *answer, struct fault *f)
{
    struct pushing pushing = {.host = h, .id = q->id};
    const struct image_push push = {.storage_pool = h->place.storage_pool,
                                    .name = q->volume,
                                    .file = q->file,
                                    .progress = on_progress,
                                    .userdata = &pushing};
    return image_push(&push, lease, answer, f);
}

static int do_request(struct host *h, const struct request *q, struct json_object *answer,
                      struct fault *f)
{
    struct lease lease = {0};
    int r = connection_acquire(h->connection, &lease, f);
    if (r < 0)
        return r;
    if (domain_calls[q->op])
        r = domain_calls[q->op](&h->place, &lease, q, answer, f);
    else if (q->op == PROTOCOL_LIST)
        r = list_take(h->list, &lease, answer, f);
    else if (q->op == PROTOCOL_PUSH)
        r = push_image(h, &lease, q, answer, f);
    connection_release(h->connection, &lease, r < 0);
    return r;
}

/* In a thread: do a request; NULL stands for "see that there is a connection". */
static void on_run(void *userdata, void *work)
{
    struct host *h = userdata;
    struct request *q CLEANUP(protocol_free_p) = work;
    struct fault f;
    if (!q) {
        struct lease lease = {0};
        if (connection_acquire(h->connection, &lease, &f) >= 0)
            connection_release(h->connection, &lease, false);
        return;
    }
    usec begun = now();
    struct json_object *answer = protocol_answer(q->id);
    if (do_request(h, q, answer, &f) < 0) {
        (void)json_object_put(answer);
        answer = protocol_failure(q->id, &f);
    }
    json_add_int(answer, "took", now() - begun);
    channel_write(h->channel, answer);
}

static void on_drop(void *userdata, void *work)
{
    (void)userdata;
    (void)protocol_free(work);
}

static void on_done(void *userdata)
{
    struct host *h = userdata;
    (void)eventfd_write(h->finished, 1); /* the main thread may be waiting for the last one */
}

static void on_connected(void *userdata, const char *driver, unsigned long libvirt_version)
{
    struct host *h = userdata;
    struct json_object *event = protocol_event("connected");
    json_add_string(event, "driver", driver);
    json_add_int(event, "libvirt", (int64_t)libvirt_version);
    channel_write(h->channel, event);
}

static void on_disconnected(void *userdata, const char *reason)
{
    struct host *h = userdata;
    struct json_object *event = protocol_event("disconnected");
    json_add_string(event, "error", reason);
    channel_write(h->channel, event);
}

static void on_domain(void *userdata, const char *uuid, const char *name, const char *what,
                      const char *detail)
{
    struct host *h = userdata;
    struct json_object *event = protocol_event("domain");
    json_add_string(event, "uuid", uuid);
    json_add_string(event, "name", name);
    json_add_string(event, "what", what);
    if (detail)
        json_add_string(event, "detail", detail);
    channel_write(h->channel, event);
}

static void on_console(void *userdata, const char *uuid, const char *name, const char *text)
{
    struct host *h = userdata;
    struct json_object *event = protocol_event("console");
    json_add_string(event, "uuid", uuid);
    json_add_string(event, "name", name);
    json_add_string(event, "text", text);
    channel_write(h->channel, event);
}

static void on_retry(void *userdata)
{
    struct host *h = userdata;
    (void)jobs_add(h->jobs, NULL, NULL, true);
}

static void on_late(int timer, void *userdata)
{
    struct host *h = userdata;
    virEventUpdateTimeout(timer, -1);
    h->late = true;
}

/* Take no more requests; what is under way may finish. */
static void end(struct host *h)
{
    if (h->ending)
        return;
    h->ending = true;
    virEventUpdateHandle(h->input, 0);
    (void)virEventAddTimeout(FINISH_WITHIN_MS, on_late, h, NULL);
    jobs_stop(h->jobs);
}

static void refuse(struct host *h, int64_t id, const struct fault *f)
{
    channel_write(h->channel, protocol_failure(id, f));
}

static void take_line(struct host *h, const char *line, size_t length)
{
    struct request *q = NULL;
    struct fault f;
    int64_t id = 0;
    if (protocol_parse(line, length, h->place.pool, &q, &id, &f) < 0) {
        refuse(h, id, &f);
        return;
    }
    /* Looking is cheap and others wait for it: before what is queued. */
    bool urgent = q->op == PROTOCOL_LIST || q->op == PROTOCOL_PING;
    if (jobs_add(h->jobs, q, q->vm.uuid[0] ? q->vm.uuid : NULL, urgent))
        return;
    (void)fault_set(&f, VIR_ERR_RESOURCE_BUSY, "%d requests are waiting; no more are taken",
                    JOBS_QUEUE_MAX);
    refuse(h, id, &f);
    (void)protocol_free(q);
}

static void on_input(int watch, int fd, int events, void *userdata)
{
    struct host *h = userdata;
    (void)watch, (void)fd, (void)events;
    int r = channel_read(h->channel);
    if (r == -EAGAIN)
        return;
    if (r <= 0) {
        end(h);
        return;
    }
    const char *line;
    size_t length;
    while ((r = channel_next(h->channel, &line, &length)) != 0) {
        struct fault f;
        if (r > 0) {
            take_line(h, line, length);
            continue;
        }
        (void)fault_set(&f, VIR_ERR_INVALID_ARG, "a line of more than %d bytes", LIMIT_LINE_BYTES);
        refuse(h, 0, &f);
    }
}

static void on_signal(int watch, int fd, int events, void *userdata)
{
    struct signalfd_siginfo info;
    (void)watch, (void)events;
    (void)!read(fd, &info, sizeof(info));
    end(userdata);
}

static void on_finished(int watch, int fd, int events, void *userdata)
{
    eventfd_t count;
    (void)watch, (void)events, (void)userdata;
    (void)eventfd_read(fd, &count);
}

/* libvirt prints each error to stderr unless told not to; we hand them to eyried. */
static void on_libvirt_error(void *userdata, virErrorPtr error)
{
    (void)userdata, (void)error;
}

/* The signals that end us come as a file; before any thread exists, so that all inherit it. */
static int catch_signals(void)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return -errno;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static int loop(struct host *h, struct err *e)
{
    while (!(h->ending && (h->late || jobs_idle(h->jobs))))
        if (virEventRunDefaultImpl() < 0)
            return err_set(e, EIO, "libvirt's event loop failed");
    return h->late ? err_set(e, ETIMEDOUT, "calls to libvirt did not finish") : 0;
}

int host_run(const struct host_options *options, struct err *e)
{
    static struct host h;
    const struct connection_hooks connection_hooks = {.userdata = &h,
                                                      .connected = on_connected,
                                                      .disconnected = on_disconnected,
                                                      .domain = on_domain,
                                                      .retry = on_retry};
    const struct jobs_hooks jobs_hooks = {
        .userdata = &h, .run = on_run, .drop = on_drop, .done = on_done};
    h = (struct host){
        .place = {.pool = options->pool, .storage_pool = options->storage_pool},
        .in = options->in,
        .signals = catch_signals(),
        .finished = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    if (h.signals < 0 || h.finished < 0)
        return err_set(e, EMFILE, "no file descriptors for signals and events");
    xmlInitParser();
    virSetErrorFunc(NULL, on_libvirt_error);
    if (virInitialize() < 0 || virEventRegisterDefaultImpl() < 0)
        return err_set(e, EIO, "libvirt cannot be started");
    h.channel = channel_new(options->in, options->out);
    h.connection = connection_new(options->uri, &connection_hooks);
    h.place.test = connection_is_test(h.connection);
    h.place.consoles = consoles_new(on_console, &h);
    h.list = list_new(options->pool, options->storage_pool);
    h.jobs = jobs_new(LIMIT_CALLS_PER_HOST, &jobs_hooks);
    h.input = virEventAddHandle(h.in, VIR_EVENT_HANDLE_READABLE | VIR_EVENT_HANDLE_HANGUP, on_input,
                                &h, NULL);
    if (h.input < 0 ||
        virEventAddHandle(h.signals, VIR_EVENT_HANDLE_READABLE, on_signal, &h, NULL) < 0 ||
        virEventAddHandle(h.finished, VIR_EVENT_HANDLE_READABLE, on_finished, &h, NULL) < 0)
        return err_set(e, EIO, "libvirt's event loop takes no files");
    int r = loop(&h, e);
    if (h.late)
        return r; /* threads are stuck in libvirt: nothing may be freed */
    h.jobs = jobs_free(h.jobs);
    h.place.consoles = consoles_free(h.place.consoles);
    h.connection = connection_free(h.connection);
    h.list = list_free(h.list);
    h.channel = channel_free(h.channel);
    xmlCleanupParser();
    return r;
}
