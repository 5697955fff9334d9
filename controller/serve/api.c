#include "serve/api.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/listen.h"
#include "serve/peers.h"
#include "serve/request.h"

enum { CONNECTIONS_PER_USER = 64 }; /* but root's */

struct api {
    struct loop *loop;
    bool remote; /* peers are agents, over TLS: nobody knows their uids */
    struct listen *listen;
    struct loop_io *accept_io;
    struct MHD_Daemon *daemon;
    struct loop_io *daemon_io;
    struct loop_timer *timer; /* of the daemon */
    struct loop_timer *accept_later;
    struct loop_timer *patience_timer;
    usec patience;
    struct peers peers;
    struct requests requests;
};

static void drive(struct api *a)
{
    MHD_UNSIGNED_LONG_LONG ms;
    (void)MHD_run(a->daemon);
    bool waits = MHD_get_timeout(a->daemon, &ms) == MHD_YES;
    loop_timer_set(a->timer, waits ? (usec)ms * 1000 : USEC_NEVER);
    loop_io_set(a->accept_io, loop_timer_armed(a->accept_later) ? 0 : EPOLLIN);
    if (a->peers.n > 0 && !loop_timer_armed(a->patience_timer))
        loop_timer_set(a->patience_timer, a->patience);
}

static void on_daemon(void *userdata, int fd, uint32_t events)
{
    (void)fd;
    (void)events;
    drive(userdata);
}

static void on_timer(void *userdata)
{
    drive(userdata);
}

/* microhttpd has no call to end a connection, but sees that it was shut down. */
static void cut(struct api *a, struct peer *peer, enum traffic_cut why)
{
    peer->cut = true;
    a->requests.traffic.cuts[why]++;
    (void)shutdown(peer->fd, SHUT_RDWR);
}

/* End the connections that have had time enough, and see when the next one has. */
static void on_patience(void *userdata)
{
    struct api *a = userdata;
    usec now = loop_ticks(a->loop);
    struct peer *oldest;
    while ((oldest = peers_oldest(&a->peers, NULL)) && now - oldest->since >= a->patience)
        cut(a, oldest, TRAFFIC_SLOW);
    loop_timer_set(a->patience_timer, oldest ? oldest->since + a->patience - now : USEC_NEVER);
    drive(a);
}

static bool has_room(const struct api *a, uid_t uid)
{
    return a->peers.n < PEERS_MAX &&
           (uid == 0 || a->remote || peers_of(&a->peers, uid) < CONNECTIONS_PER_USER);
}

/* When there are too many connections, the one that waits longest makes room. One whose answer is
 * still being made ends only then. */
static bool make_room(struct api *a, uid_t uid)
{
    if (has_room(a, uid))
        return true;
    bool many = uid != 0 && !a->remote && peers_of(&a->peers, uid) >= CONNECTIONS_PER_USER;
    struct peer *oldest = peers_oldest(&a->peers, many ? &uid : NULL);
    if (oldest) {
        cut(a, oldest, TRAFFIC_CROWDED);
        (void)MHD_run(a->daemon);
    }
    return has_room(a, uid);
}

/* One connection a turn: the next one is accepted when this one has been counted. */
static void on_accept(void *userdata, int fd, uint32_t events)
{
    struct api *a = userdata;
    const struct sockaddr_un address = {.sun_family = AF_UNIX};
    uid_t uid = (uid_t)-1;
    (void)events;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0) {
        /* No descriptors or no memory: the client stays in the queue, and we do not spin on it. */
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            loop_timer_set(a->accept_later, USEC_PER_SEC);
    } else if ((!a->remote && listen_peer(peer, &uid) < 0) || !make_room(a, uid)) {
        (void)close(peer);
    } else { /* which closes it when it fails */
        (void)MHD_add_connection(a->daemon, peer, (const struct sockaddr *)&address,
                                 sizeof(address));
    }
    drive(a);
}

/* Connections begin and end: keep count of whose they are. */
static void on_connection(void *userdata, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct api *a = userdata;
    if (code != MHD_CONNECTION_NOTIFY_STARTED) {
        peers_remove(&a->peers, *context);
        *context = NULL;
        a->requests.traffic.connections = (int64_t)a->peers.n;
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    uid_t uid = (uid_t)-1;
    assert(info);
    if (!a->remote)
        (void)listen_peer(info->connect_fd, &uid);
    *context = peers_add(&a->peers, uid, info->connect_fd, loop_ticks(a->loop));
    a->requests.traffic.connections = (int64_t)a->peers.n;
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct api *a = userdata;
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK && info && info->socket_context)
        ((struct peer *)info->socket_context)->since = loop_ticks(a->loop);
    request_free(context);
}

/* @place: with TLS; NULL: without. */
static int start_daemon(struct api *a, const struct remote_place *place, struct err *e)
{
    const struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, place ? (void *)(uintptr_t)place->certificate : NULL},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, place ? (void *)(uintptr_t)place->key : NULL},
        {MHD_OPTION_END, 0, NULL}};
    a->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
            (place ? MHD_USE_TLS : MHD_NO_FLAG),
        0, NULL, NULL, request_take, &a->requests,
        MHD_OPTION_ARRAY, place ? tls : &tls[2],
        MHD_OPTION_CONNECTION_LIMIT, 2U * PEERS_MAX, /* ours comes first */
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_POOL_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, a,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, a, MHD_OPTION_END);
    if (!a->daemon)
        return err_set(e, EIO, "the HTTP server did not start");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return err_set(e, EIO, "the HTTP server has no epoll descriptor");
    return loop_io_new(a->loop, info->epoll_fd, EPOLLIN, on_daemon, a, &a->daemon_io);
}

static struct api *make(struct loop *loop, usec patience)
{
    struct api *a = mem_new(1, sizeof(*a));
    a->loop = loop;
    a->patience = patience;
    a->requests.loop = loop;
    a->requests.wake = loop_poke_new(loop, on_timer, a);
    a->timer = loop_timer_new(loop, on_timer, a);
    a->accept_later = loop_timer_new(loop, on_timer, a);
    a->patience_timer = loop_timer_new(loop, on_patience, a);
    return a;
}

static int start(struct api *a, const struct remote_place *place, struct err *e)
{
    int r = start_daemon(a, place, e);
    return r < 0 ? r : loop_io_new(a->loop, listen_fd(a->listen), EPOLLIN, on_accept, a, &a->accept_io);
}

int api_new(struct loop *loop, const char *path, const struct api_port *port, void *userdata,
            struct api **ret, struct err *e)
{
    CLEANUP(api_free_p) struct api *a = make(loop, API_PATIENCE);
    a->requests.port = port;
    a->requests.userdata = userdata;
    int r = listen_new(path, &a->listen, e);
    if (r == 0)
        r = start(a, NULL, e);
    if (r < 0)
        return r;
    *ret = a;
    a = NULL;
    return 0;
}

int api_new_remote(struct loop *loop, const struct remote_place *place, struct remote *remote,
                   struct api **ret, struct err *e)
{
    CLEANUP(api_free_p) struct api *a = make(loop, API_REMOTE_PATIENCE);
    a->remote = true;
    a->requests.remote = remote;
    int r = listen_new_network(place->listen, &a->listen, e);
    if (r == 0)
        r = start(a, place, e);
    if (r == -EIO)
        (void)err_set(e, EIO, "TLS for agents does not start: is agents.key the key of agents.certificate?");
    if (r < 0)
        return r;
    *ret = a;
    a = NULL;
    return 0;
}

void api_set_patience(struct api *a, usec patience)
{
    assert(patience > 0);
    a->patience = patience;
    loop_timer_set(a->patience_timer, 0);
}

struct api *api_free(struct api *a)
{
    if (!a)
        return NULL;
    a->accept_io = loop_io_free(a->accept_io);
    a->daemon_io = loop_io_free(a->daemon_io);
    requests_stop(&a->requests);
    if (a->daemon)
        MHD_stop_daemon(a->daemon);
    shared_done(&a->requests.shared);
    a->listen = listen_free(a->listen);
    a->requests.wake = loop_poke_free(a->requests.wake);
    a->timer = loop_timer_free(a->timer);
    a->accept_later = loop_timer_free(a->accept_later);
    a->patience_timer = loop_timer_free(a->patience_timer);
    free(a);
    return NULL;
}
