/*
 * What a client sends to the API, in pieces of a length that the first byte says, over a real
 * socket: the HTTP library, the limits, the routes and the views. JSON that comes back must be
 * whole.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/json.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"
#include "serve/api.h"
#include "serve/sample.h"

static char folder[] = "/tmp/eyrie-fuzz-http-XXXXXX";
static struct sockaddr_un address = {.sun_family = AF_UNIX};
static struct api_port port;
static struct loop *loop;
static struct api *api;

/* The client of one input. */
struct client {
    struct loop_io *io;
    const uint8_t *at;
    size_t left;
    size_t piece;
    int turns; /* since all was sent */
    struct text answer;
};

static int order(void *userdata, const struct order *o, struct err *e)
{
    (void)userdata;
    (void)e;
    assert(o->subject && o->name && o->reason && o->user);
    return 0;
}

static void end(void)
{
    api = api_free(api);
    loop = loop_free(loop);
    (void)rmdir(folder);
}

static void begin(void)
{
    struct err e = {""};
    int r = mkdtemp(folder) ? 0 : -errno;
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", folder);
    if (r == 0)
        r = loop_new(&loop, &e);
    sample_loop = loop;
    port = sample_port;
    port.order = order;
    if (r == 0)
        r = api_new(loop, address.sun_path, &port, NULL, &api, &e);
    if (r < 0) {
        (void)fprintf(stderr, "fuzz-http: %s\n", e.text);
        abort();
    }
    api_set_patience(api, USEC_PER_SEC / 20); /* for who misses the end nevertheless */
    (void)atexit(end);
}

static void send_piece(struct client *c, int fd)
{
    size_t n = c->left < c->piece ? c->left : c->piece;
    ssize_t sent = n ? send(fd, c->at, n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
    if (sent > 0) {
        c->at += sent;
        c->left -= (size_t)sent;
    }
    if (c->left > 0 && (sent > 0 || errno == EAGAIN))
        return;
    /* microhttpd does not see an end that comes with the last bytes before it has read those */
    if (c->turns++ < 3)
        return;
    (void)shutdown(fd, SHUT_WR); /* no more comes: the answer, if any, and the end */
    loop_io_set(c->io, EPOLLIN);
}

static void on_client(void *userdata, int fd, uint32_t events)
{
    struct client *c = userdata;
    char bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (n > 0)
        text_add_bytes(&c->answer, bytes, (size_t)n);
    else if (n == 0 || errno != EAGAIN)
        loop_quit(loop, 0);
    else if (events & EPOLLOUT)
        send_piece(c, fd);
}

/* The first answer: when it is JSON and all there, it is an object of version 1. */
static void check_answer(const struct text *answer)
{
    const char *text = text_get(answer), *body = strstr(text, "\r\n\r\n");
    if (answer->length == 0)
        return;
    assert(strncmp(text, "HTTP/1.", 7) == 0);
    if (!body)
        return;
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    const char *type = strcasestr(text, "\r\nContent-Type: application/json\r\n");
    if (!length || length > body || !type || type > body)
        return;
    size_t n = strtoul(length + 18, NULL, 10);
    body += 4;
    if (n > answer->length - (size_t)(body - text))
        return; /* it was cut when the client broke off */
    AUTOJSON struct json_object *o = NULL;
    struct err e = {""};
    int r = json_parse(body, n, &o, &e);
    assert(r == 0);
    assert(json_int_or(o, "version", 0) == 1);
    assert(text[9] == '2' || json_string_or(o, "error", NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct client c = {
        .at = data + 1, .left = size ? size - 1 : 0, .piece = size ? data[0] + 1U : 1};
    if (!loop)
        begin();
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    if (c.piece == 256) /* all at once */
        c.piece = 65536;
    int r = connect(fd, (const struct sockaddr *)&address, sizeof(address));
    assert(r == 0);
    r = loop_io_new(loop, fd, EPOLLIN | EPOLLOUT, on_client, &c, &c.io);
    assert(r == 0);
    r = loop_run(loop);
    assert(r == 0);
    /* an answer to HEAD has a length and no body */
    if (!memmem(data, size, "HEAD", 4))
        check_answer(&c.answer);
    c.io = loop_io_free(c.io);
    (void)close(fd);
    text_done(&c.answer);
    return 0;
}
