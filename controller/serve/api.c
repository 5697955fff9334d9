#include "serve/api.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "serve/listen.h"

enum {
    CONNECTIONS_MAX = 256,
    CONNECTIONS_PER_USER = 64,  /* but root's */
    IDLE_SECONDS = 10,          /* a connection on which nothing moves is closed */
    HEADER_BYTES = 16 * 1024,   /* request line, headers and read buffer of one connection */
    BODY_BYTES = 64 * 1024,
    THROWN_BYTES = 1024 * 1024, /* of a longer one are read, to be able to say so */
    PARAMETERS_MAX = 16,
    PATH_BYTES = 1024,
    SHARED_MAX = 16,
};

/* An answer that may be given again: to whoever asks for the same, within a second of one step. */
struct shared {
    char *path;
    const struct plan *plan; /* only compared */
    int64_t steps;
    usec made;
    unsigned status;
    struct MHD_Response *response;
};

struct api {
    struct loop *loop;
    const struct api_port *port;
    void *userdata;
    struct listen *listen;
    struct loop_io *accept_io;
    struct MHD_Daemon *daemon;
    struct loop_io *daemon_io;
    struct loop_timer *timer; /* of the daemon */
    struct loop_timer *accept_later;
    uid_t peers[CONNECTIONS_MAX]; /* of the open connections, in no order */
    size_t n_peers;
    struct shared shared[SHARED_MAX];
};

/* One request under way. */
struct request {
    struct text body;
    bool too_long; /* the body is; the rest of it is read and thrown away */
    size_t thrown;
};

static void drive(struct api *a)
{
    MHD_UNSIGNED_LONG_LONG ms;
    (void)MHD_run(a->daemon);
    bool waits = MHD_get_timeout(a->daemon, &ms) == MHD_YES;
    loop_timer_set(a->timer, waits ? (usec)ms * 1000 : USEC_NEVER);
    bool accepts = a->n_peers < CONNECTIONS_MAX && !loop_timer_armed(a->accept_later);
    loop_io_set(a->accept_io, accepts ? EPOLLIN : 0);
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

static size_t count_peers(const struct api *a, uid_t uid)
{
    size_t count = 0;
    for (size_t i = 0; i < a->n_peers; i++)
        count += a->peers[i] == uid;
    return count;
}

/* One connection a turn: the next one is accepted when this one has been counted. */
static void on_accept(void *userdata, int fd, uint32_t events)
{
    struct api *a = userdata;
    const struct sockaddr_un address = {.sun_family = AF_UNIX};
    uid_t uid;
    (void)events;
    int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (peer < 0) {
        /* No descriptors or no memory: the client stays in the queue, and we do not spin on it. */
        if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
            loop_timer_set(a->accept_later, USEC_PER_SEC);
    } else if (listen_peer(peer, &uid) < 0 ||
               (uid != 0 && count_peers(a, uid) >= CONNECTIONS_PER_USER)) {
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
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *info =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
        uid_t uid;
        assert(a->n_peers < CONNECTIONS_MAX);
        if (!info || listen_peer(info->connect_fd, &uid) < 0)
            uid = (uid_t)-1;
        uid_t *mine = mem_new(1, sizeof(*mine));
        *context = mine;
        a->peers[a->n_peers++] = *mine = uid;
        return;
    }
    uid_t *mine = *context;
    for (size_t i = 0; mine && i < a->n_peers; i++)
        if (a->peers[i] == *mine) {
            a->peers[i] = a->peers[--a->n_peers];
            break;
        }
    free(mine);
    *context = NULL;
}

static uid_t connection_uid(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info && info->socket_context ? *(const uid_t *)info->socket_context : (uid_t)-1;
}

static struct MHD_Response *response_new(const struct answer *answer)
{
    size_t length = answer->text.length;
    const char *text = text_get(&answer->text);
    if (!answer->type)
        text = json_object_to_json_string_length(answer->body, JSON_C_TO_STRING_NOSLASHESCAPE,
                                                 &length);
    char *body = mem_resize(NULL, length + 1, 1);
    memcpy(body, text, length);
    utf8_mend(body, length);
    if (!answer->type)
        body[length++] = '\n';
    struct MHD_Response *r = MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
    if (!r)
        mem_exhausted();
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE,
                                  answer->type ? answer->type : "application/json");
    (void)MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (answer->allow)
        (void)MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, answer->allow);
    return r;
}

static void shared_drop(struct shared *s)
{
    free(s->path);
    if (s->response)
        MHD_destroy_response(s->response);
    *s = (struct shared){0};
}

/* The kept answer for @path, made anew when the step or the second has passed. */
static struct shared *shared_get(struct api *a, const char *path, uid_t who)
{
    CLEANUP(snapshot_unref_p) struct snapshot *now = a->port->snapshot(a->userdata);
    struct shared *slot = NULL;
    usec at = loop_now(a->loop);
    for (size_t i = 0; i < SHARED_MAX; i++) {
        struct shared *s = &a->shared[i];
        if (s->path && text_equal(s->path, path))
            slot = s;
        else if (!slot && !s->path)
            slot = s;
    }
    assert(slot); /* there are fewer shared paths than SHARED_MAX */
    if (slot->path && now && slot->plan == now->plan && slot->steps == now->server.steps &&
        at >= slot->made && at - slot->made < USEC_PER_SEC)
        return slot;
    shared_drop(slot);
    struct answer answer = route_answer(
        a->port, a->userdata,
        &(struct question){.method = "GET", .path = path, .who = who, .now = at});
    *slot = (struct shared){
        .path = mem_strdup(path),
        .plan = now ? now->plan : NULL,
        .steps = now ? now->server.steps : 0,
        .made = at,
        .status = answer.status,
        .response = response_new(&answer),
    };
    answer_done(&answer);
    return slot;
}

/* The parameters of a request, as they come. */
struct parameters {
    struct parameter list[PARAMETERS_MAX];
    size_t n;
};

static enum MHD_Result take_parameter(void *userdata, enum MHD_ValueKind kind, const char *key,
                                      const char *value)
{
    struct parameters *p = userdata;
    (void)kind;
    if (p->n == PARAMETERS_MAX)
        return MHD_NO;
    p->list[p->n++] = (struct parameter){key, value ? value : ""};
    return MHD_YES;
}

static enum MHD_Result queue(struct MHD_Connection *connection, struct answer *answer)
{
    struct MHD_Response *response = response_new(answer);
    enum MHD_Result r = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    answer_done(answer);
    return r;
}

static enum MHD_Result respond(struct api *a, struct MHD_Connection *connection,
                               const char *method, const char *path, const struct request *request)
{
    AUTOJSON struct json_object *body = NULL;
    struct parameters parameters = {.n = 0};
    struct err e = {0};
    struct answer answer;
    struct question q = {
        .method = method,
        .path = path,
        .parameters = parameters.list,
        .who = connection_uid(connection),
        .now = loop_now(a->loop),
    };
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_parameter, &parameters);
    q.n_parameters = parameters.n;
    bool get = text_equal(method, "GET") || text_equal(method, "HEAD");
    if (get && q.n_parameters == 0 && route_is_shared(path)) {
        struct shared *s = shared_get(a, path, q.who);
        return MHD_queue_response(connection, s->status, s->response);
    }
    if (request->too_long) {
        answer = answer_refusal(413, "the body is longer than %d bytes", BODY_BYTES);
    } else if (request->body.length > 0 &&
               (json_parse(request->body.data, request->body.length, &body, &e) < 0 ||
                !json_object_is_type(body, json_type_object))) {
        answer = answer_refusal(400, "the body is no JSON object%s%s", e.text[0] ? ": " : "",
                                e.text);
    } else {
        q.body = body;
        answer = route_answer(a->port, a->userdata, &q);
    }
    return queue(connection, &answer);
}

/* As the client announces it; a body that comes in chunks is counted as it comes. */
static unsigned long long body_length(struct MHD_Connection *connection)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length ? strtoull(length, NULL, 10) : 0;
}

/* The headers are there: what is too long is refused before its body is read. */
static enum MHD_Result begin(struct MHD_Connection *connection, const char *url)
{
    struct answer answer;
    if (strlen(url) > PATH_BYTES)
        answer = answer_refusal(414, "the path is longer than %d bytes", PATH_BYTES);
    else if (body_length(connection) > BODY_BYTES)
        answer = answer_refusal(413, "the body is longer than %d bytes", BODY_BYTES);
    else
        return MHD_YES;
    return queue(connection, &answer);
}

static enum MHD_Result take_body(struct request *request, const char *bytes, size_t n)
{
    request->too_long = request->too_long || request->body.length + n > BODY_BYTES;
    if (!request->too_long) {
        text_add_bytes(&request->body, bytes, n);
        return MHD_YES;
    }
    request->thrown += n;
    return request->thrown > THROWN_BYTES ? MHD_NO : MHD_YES; /* MHD_NO closes the connection */
}

/* Called once for the headers, then for each piece of the body, then at its end. */
static enum MHD_Result on_request(void *userdata, struct MHD_Connection *connection,
                                  const char *url, const char *method, const char *version,
                                  const char *upload, size_t *upload_size, void **context)
{
    struct request *request = *context;
    (void)version;
    if (!request) {
        *context = mem_new(1, sizeof(*request));
        return begin(connection, url);
    }
    if (*upload_size > 0) {
        size_t n = *upload_size;
        *upload_size = 0;
        return take_body(request, upload, n);
    }
    return respond(userdata, connection, method, url, request);
}

static void on_completed(void *userdata, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    (void)userdata;
    (void)connection;
    (void)code;
    struct request *request = *context;
    if (request)
        text_done(&request->body);
    free(request);
    *context = NULL;
}

static int start_daemon(struct api *a, struct err *e)
{
    a->daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL, on_request, a,
        MHD_OPTION_CONNECTION_LIMIT, 2U * CONNECTIONS_MAX, /* ours comes first */
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_SECONDS,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, a,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_END);
    if (!a->daemon)
        return err_set(e, EIO, "the HTTP server did not start");
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(a->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    if (!info)
        return err_set(e, EIO, "the HTTP server has no epoll descriptor");
    return loop_io_new(a->loop, info->epoll_fd, EPOLLIN, on_daemon, a, &a->daemon_io);
}

int api_new(struct loop *loop, const char *path, const struct api_port *port, void *userdata,
            struct api **ret, struct err *e)
{
    CLEANUP(api_free_p) struct api *a = mem_new(1, sizeof(*a));
    a->loop = loop;
    a->port = port;
    a->userdata = userdata;
    a->timer = loop_timer_new(loop, on_timer, a);
    a->accept_later = loop_timer_new(loop, on_timer, a);
    int r = listen_new(path, &a->listen, e);
    if (r == 0)
        r = start_daemon(a, e);
    if (r == 0)
        r = loop_io_new(loop, listen_fd(a->listen), EPOLLIN, on_accept, a, &a->accept_io);
    if (r < 0)
        return r;
    *ret = a;
    a = NULL;
    return 0;
}

struct api *api_free(struct api *a)
{
    if (!a)
        return NULL;
    a->accept_io = loop_io_free(a->accept_io);
    a->daemon_io = loop_io_free(a->daemon_io);
    if (a->daemon)
        MHD_stop_daemon(a->daemon);
    for (size_t i = 0; i < SHARED_MAX; i++)
        shared_drop(&a->shared[i]);
    a->listen = listen_free(a->listen);
    a->timer = loop_timer_free(a->timer);
    a->accept_later = loop_timer_free(a->accept_later);
    free(a);
    return NULL;
}
