#include "serve/request.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "serve/listen.h"
#include "serve/peers.h"
#include "serve/who.h"

enum {
    THROWN_BYTES = 1024 * 1024, /* of a body that is too long are read, to be able to say so */
    PARAMETERS_MAX = 16,
    GROUPS_MAX = 1024, /* of a user */
    ASKING_MAX = 16,   /* names that the system is asked for at once */
    TAG_BYTES = 64,
};

struct request {
    struct requests *all;
    struct MHD_Connection *connection;
    struct request *next; /* of those that wait */
    struct waiting *waiting; /* NULL: does not wait */
    struct answer answer;    /* what it waited for; status 0: not there yet */
    const char *route;
    bool asks_name; /* it waits for @user */
    char *user;     /* who asks to change something; NULL: not known yet */
    char *why_not;  /* and cannot be told; NULL: it can */
    struct text body;
    bool too_long; /* the body is; the rest of it is read and thrown away */
    size_t thrown;
};

struct parameters {
    struct parameter list[PARAMETERS_MAX];
    size_t n;
};

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
    (void)MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
    if (answer->allow)
        (void)MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, answer->allow);
    return r;
}

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static struct peer *find_peer(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Who asks; with the groups, in @groups, of somebody who may be about to change something. */
static struct asker find_asker(const struct request *request, const char *method, gid_t *groups)
{
    const struct peer *peer = find_peer(request->connection);
    if (!peer)
        return (struct asker){.uid = (uid_t)-1, .user = ""};
    struct asker asker = {.uid = peer->uid, .groups = groups, .user = request->user ? request->user : ""};
    if (strcmp(method, "POST") == 0)
        asker.n_groups = listen_groups(peer->fd, groups, GROUPS_MAX);
    return asker;
}

static enum MHD_Result send_answer(struct requests *rs, struct MHD_Connection *connection,
                                   struct answer *answer)
{
    struct MHD_Response *response = response_new(answer);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    traffic_count(&rs->traffic, answer->route, answer->status);
    enum MHD_Result r = MHD_queue_response(connection, answer->status, response);
    MHD_destroy_response(response);
    answer_done(answer);
    return r;
}

static enum MHD_Result send_refusal(struct requests *rs, struct MHD_Connection *connection,
                                    const char *sentence)
{
    struct answer answer = answer_refusal(503, "%s", sentence);
    return send_answer(rs, connection, &answer);
}

/* "Nothing happened since": ages grow, but those who have an older answer can tell themselves. */
static enum MHD_Result send_unchanged(struct requests *rs, struct MHD_Connection *connection,
                                      const struct shared_answer *shared, const char *tag)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
    if (!response)
        mem_exhausted();
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
    traffic_count(&rs->traffic, shared->route, 304);
    enum MHD_Result r = MHD_queue_response(connection, 304, response);
    MHD_destroy_response(response);
    return r;
}

/* A step of one run of eyried. */
static void add_tag(struct MHD_Response *response, const struct snapshot *s)
{
    char tag[TAG_BYTES];
    (void)snprintf(tag, sizeof(tag), "W/\"%" PRIx64 "-%" PRId64 "\"", (uint64_t)s->server.started,
                   s->server.steps);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ETAG, tag);
}

/* What everyone sees: from what was made for an earlier question, if it still holds. */
static enum MHD_Result send_shared(struct requests *rs, struct MHD_Connection *connection,
                                   const struct question *q)
{
    CLEANUP(snapshot_unref_p) struct snapshot *now = rs->port->snapshot(rs->userdata);
    const struct shared_answer *shared = shared_find(&rs->shared, q->path, now, q->now);
    const char *known = header(connection, MHD_HTTP_HEADER_IF_NONE_MATCH);
    if (!shared) {
        struct answer answer = route_answer(rs->port, rs->userdata, q);
        struct MHD_Response *response = response_new(&answer);
        if (now && answer.status == 200 && !answer.type)
            add_tag(response, now);
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-cache");
        shared = shared_keep(&rs->shared, q->path, now, q->now, &answer, response);
        answer_done(&answer);
    }
    const char *tag = MHD_get_response_header(shared->response, MHD_HTTP_HEADER_ETAG);
    if (known && tag && strstr(known, tag))
        return send_unchanged(rs, connection, shared, tag);
    traffic_count(&rs->traffic, shared->route, shared->status);
    return MHD_queue_response(connection, shared->status, shared->response);
}

static void unlink_waiting(struct request *request)
{
    for (struct request **p = &request->all->waiting; *p; p = &(*p)->next) {
        if (*p != request)
            continue;
        *p = request->next;
        request->next = NULL;
        break;
    }
    request->waiting = waiting_free(request->waiting);
    request->all->asking -= request->asks_name;
    request->asks_name = false;
}

/* microhttpd turns to the connection again, and asks request_take for the answer. */
static void wake(struct request *request, struct answer *answer)
{
    request->answer = *answer;
    request->answer.route = request->route;
    unlink_waiting(request);
    MHD_resume_connection(request->connection);
    loop_poke(request->all->wake);
}

static usec later_now(void *userdata)
{
    return loop_now(((struct request *)userdata)->all->loop);
}

static void later_ready(void *userdata, struct answer *answer)
{
    wake(userdata, answer);
}

/* The connection rests until the answer is there. */
static enum MHD_Result wait_for(struct request *request, const struct answer *answer)
{
    request->waiting = answer->waiting;
    request->route = answer->route;
    request->next = request->all->waiting;
    request->all->waiting = request;
    MHD_suspend_connection(request->connection);
    return MHD_YES;
}

/* The connection is turned to again, and its request answered by somebody's name. */
static void name_told(void *userdata, const char *name, const char *error)
{
    struct request *request = userdata;
    const struct peer *peer = find_peer(request->connection);
    request->user = name ? mem_strdup(name) : mem_printf("uid %" PRIuMAX, (uintmax_t)(peer ? peer->uid : (uid_t)-1));
    request->why_not = error ? mem_strdup(error) : NULL;
    unlink_waiting(request);
    MHD_resume_connection(request->connection);
    loop_poke(request->all->wake);
}

/* Whether the answer waits for the name of who asks. Root needs no directory to be told who it is. */
static bool asks_name(struct request *request, const struct question *q)
{
    if (strcmp(q->method, "POST") != 0 || request->user || q->who.uid == (uid_t)-1)
        return false;
    if (q->who.uid == 0) {
        request->user = mem_strdup("root");
        return false;
    }
    if (request->all->asking >= ASKING_MAX) { /* an admin is let in by the number */
        request->user = mem_printf("uid %" PRIuMAX, (uintmax_t)q->who.uid);
        request->why_not = mem_strdup("too many ask for changes at once: try again in a moment");
        return false;
    }
    struct answer later = {.waiting = who_ask(request->all->loop, q->who.uid, name_told, request)};
    request->asks_name = true;
    request->all->asking++;
    (void)wait_for(request, &later);
    return true;
}

void requests_stop(struct requests *rs)
{
    while (rs->waiting) {
        struct answer answer = answer_refusal(503, "eyried ends");
        wake(rs->waiting, &answer);
    }
}

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

static enum MHD_Result answer_request(struct requests *rs, struct MHD_Connection *connection,
                                      const char *method, const char *path,
                                      struct request *request)
{
    AUTOJSON struct json_object *body = NULL;
    struct parameters parameters = {.n = 0};
    gid_t groups[GROUPS_MAX];
    struct err e = {0};
    struct answer answer;
    (void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, take_parameter, &parameters);
    struct question q = {
        .method = method,
        .path = path,
        .parameters = parameters.list,
        .n_parameters = parameters.n,
        .accept = header(connection, MHD_HTTP_HEADER_ACCEPT),
        .authorization = header(connection, MHD_HTTP_HEADER_AUTHORIZATION),
        .who = find_asker(request, method, groups),
        .now = loop_now(rs->loop),
        .traffic = &rs->traffic,
        .later = {later_now, later_ready, request},
    };
    if (request->too_long) {
        answer = answer_refusal(413, "the body is longer than %d bytes", REQUEST_BODY_BYTES);
    } else if (request->body.length > 0 &&
               (json_parse(request->body.data, request->body.length, &body, &e) < 0 ||
                !json_object_is_type(body, json_type_object))) {
        answer = answer_refusal(400, "the body must be a JSON object%s%s", e.text[0] ? ": " : "",
                                e.text);
    } else {
        q.body = body;
        if (rs->port && route_is_shared(&q))
            return send_shared(rs, connection, &q);
        if (rs->port && asks_name(request, &q))
            return MHD_YES;
        q.who.user = request->user ? request->user : "";
        if (request->why_not && rs->port->allow(rs->userdata, &q.who, &e) < 0) /* admins need no name */
            return send_refusal(rs, connection, request->why_not);
        answer = rs->port ? route_answer(rs->port, rs->userdata, &q) : remote_answer(rs->remote, &q);
        if (answer.waiting)
            return wait_for(request, &answer);
    }
    return send_answer(rs, connection, &answer);
}

/* As the client announces it; a body that comes in chunks is counted as it comes. */
static unsigned long long body_length(struct MHD_Connection *connection)
{
    const char *length = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return length ? strtoull(length, NULL, 10) : 0;
}

/* The headers are there. A body is read before it is refused, unless it is far too long: a client
 * that still writes when we have closed may not see the answer. */
static enum MHD_Result check_head(struct requests *rs, struct MHD_Connection *connection,
                                  const char *url)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    struct answer answer;
    if (strlen(url) > REQUEST_PATH_BYTES)
        answer = answer_refusal(414, "the path is longer than %d bytes", REQUEST_PATH_BYTES);
    else if (info && info->header_size > REQUEST_HEAD_BYTES)
        answer = answer_refusal(431,
                                "the request line and headers are longer than %d bytes: send "
                                "fewer headers",
                                REQUEST_HEAD_BYTES);
    else if (body_length(connection) > THROWN_BYTES)
        answer = answer_refusal(413, "the body is longer than %d bytes", REQUEST_BODY_BYTES);
    else
        return MHD_YES;
    return send_answer(rs, connection, &answer);
}

static enum MHD_Result take_body(struct request *request, const char *bytes, size_t n)
{
    request->too_long = request->too_long || request->body.length + n > REQUEST_BODY_BYTES;
    if (!request->too_long) {
        text_add_bytes(&request->body, bytes, n);
        return MHD_YES;
    }
    request->thrown += n;
    return request->thrown > THROWN_BYTES ? MHD_NO : MHD_YES; /* MHD_NO closes the connection */
}

enum MHD_Result request_take(void *userdata, struct MHD_Connection *connection, const char *url,
                             const char *method, const char *version, const char *upload,
                             size_t *upload_size, void **context)
{
    struct requests *rs = userdata;
    struct request *request = *context;
    (void)version;
    if (!request) {
        struct peer *peer = find_peer(connection);
        if (peer) /* it did not idle: from here on the answer is awaited */
            peer->since = loop_ticks(rs->loop);
        *context = request = mem_new(1, sizeof(*request));
        request->all = rs;
        request->connection = connection;
        return check_head(rs, connection, url);
    }
    if (*upload_size > 0) {
        size_t n = *upload_size;
        *upload_size = 0;
        return take_body(request, upload, n);
    }
    return request->answer.status ? send_answer(rs, connection, &request->answer)
                                  : answer_request(rs, connection, method, url, request);
}

void request_free(void **context)
{
    struct request *request = *context;
    if (request) {
        unlink_waiting(request);
        answer_done(&request->answer);
        text_done(&request->body);
        free(request->user);
        free(request->why_not);
    }
    free(request);
    *context = NULL;
}
