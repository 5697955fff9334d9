#include "agent/fetch.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

enum { CONNECT_SECONDS = 10, ANSWER_BYTES = 3 * LIMIT_CONFIG_BYTES /* a fragment, escaped */ };

struct fetch {
    struct loop *loop;
    CURLM *multi;
    CURL *curl;
    struct curl_slist *headers;
    struct loop_timer *timer; /* curl's */
    struct text body;
    char said[CURL_ERROR_SIZE];
    char *server;
    fetch_done done;
    void *userdata;
};

static size_t take(char *bytes, size_t size, size_t count, void *userdata)
{
    struct fetch *f = userdata;
    if (f->body.length + size * count > ANSWER_BYTES)
        return 0;
    text_add_bytes(&f->body, bytes, size * count);
    return size * count;
}

/* The sentence for an answer that is not 200. */
static char *refusal(const struct fetch *f, long status, struct json_object *body)
{
    const char *sentence = body ? json_string_or(body, "error", NULL) : NULL;
    return sentence ? mem_printf("eyried says: %s", sentence)
                    : mem_printf("%s answered with status %ld", f->server, status);
}

static char *failure(const struct fetch *f, CURLcode code)
{
    if (code == CURLE_SSL_PINNEDPUBKEYNOTMATCH)
        return mem_printf("%s does not have the key that it should have (--pin): it is another "
                          "controller, or its key was changed; nothing was sent to it",
                          f->server);
    return mem_printf("no answer from %s: %s", f->server,
                      f->said[0] ? f->said : curl_easy_strerror(code));
}

static void finish(struct fetch *f, CURLcode code)
{
    AUTOJSON struct json_object *body = NULL;
    AUTOFREE char *error = NULL;
    struct err e;
    long status = FETCH_NO_ANSWER;
    if (code == CURLE_OK) {
        (void)curl_easy_getinfo(f->curl, CURLINFO_RESPONSE_CODE, &status);
        int r = json_parse(text_get(&f->body), f->body.length, &body, &e);
        if (status != 200)
            error = refusal(f, status, r == 0 ? body : NULL);
        else if (r < 0 || !json_object_is_type(body, json_type_object))
            error = mem_printf("%s does not answer as eyried does: %s", f->server,
                               r < 0 ? e.text : "no object");
    } else {
        status = code == CURLE_SSL_PINNEDPUBKEYNOTMATCH ? FETCH_OTHER_KEY : FETCH_NO_ANSWER;
        error = failure(f, code);
    }
    f->done(f->userdata, status, error, body);
}

/* Something happened: let curl go on, and see whether that was all. */
static void drive(struct fetch *f, curl_socket_t fd, int events)
{
    int running, left;
    (void)curl_multi_socket_action(f->multi, fd, events, &running);
    CURLMsg *message = curl_multi_info_read(f->multi, &left);
    if (message && message->msg == CURLMSG_DONE)
        finish(f, message->data.result);
}

static void on_io(void *userdata, int fd, uint32_t events)
{
    drive(userdata, fd,
          (events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
              (events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0));
}

static void on_timer(void *userdata)
{
    drive(userdata, CURL_SOCKET_TIMEOUT, 0);
}

static int watch_socket(CURL *curl, curl_socket_t fd, int what, void *userdata, void *socket)
{
    struct fetch *f = userdata;
    struct loop_io *io = socket;
    uint32_t events = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    (void)curl;
    if (what == CURL_POLL_REMOVE)
        io = loop_io_free(io);
    else if (io)
        loop_io_set(io, events);
    else if (loop_io_new(f->loop, fd, events, on_io, f, &io) < 0)
        return -1; /* curl gives up */
    (void)curl_multi_assign(f->multi, fd, io);
    return 0;
}

static int set_timer(CURLM *multi, long ms, void *userdata)
{
    struct fetch *f = userdata;
    (void)multi;
    loop_timer_set(f->timer, ms < 0 ? USEC_NEVER : (usec)ms * 1000);
    return 0;
}

static void set_server(struct fetch *f, const struct fetch_server *server)
{
    if (*server->pin) { /* says more than any authority could */
        (void)curl_easy_setopt(f->curl, CURLOPT_PINNEDPUBLICKEY, server->pin);
        (void)curl_easy_setopt(f->curl, CURLOPT_SSL_VERIFYPEER, 0L);
        (void)curl_easy_setopt(f->curl, CURLOPT_SSL_VERIFYHOST, 0L);
        (void)curl_easy_setopt(f->curl, CURLOPT_CAINFO, NULL); /* they would be read all the same */
        (void)curl_easy_setopt(f->curl, CURLOPT_CAPATH, NULL);
    } else if (*server->ca) {
        (void)curl_easy_setopt(f->curl, CURLOPT_CAINFO, server->ca);
    }
    (void)curl_easy_setopt(f->curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(f->curl, CURLOPT_PROTOCOLS_STR, "https");
}

struct fetch *fetch_start(struct loop *loop, const struct fetch_server *server, const char *path,
                          const char *token, const char *json, usec deadline, fetch_done done,
                          void *userdata)
{
    struct fetch *f = mem_new(1, sizeof(*f));
    AUTOFREE char *url = mem_printf("https://%s%s", server->server, path);
    AUTOFREE char *authorization = token ? mem_printf("Authorization: Bearer %s", token) : NULL;
    *f = (struct fetch){.loop = loop, .done = done, .userdata = userdata};
    f->server = mem_strdup(server->server);
    f->timer = loop_timer_new(loop, on_timer, f);
    f->multi = curl_multi_init();
    f->curl = curl_easy_init();
    if (!f->multi || !f->curl)
        mem_exhausted();
    f->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (authorization)
        f->headers = curl_slist_append(f->headers, authorization);
    (void)curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, watch_socket);
    (void)curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
    (void)curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, set_timer);
    (void)curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
    (void)curl_easy_setopt(f->curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(f->curl, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(f->curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(f->curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    (void)curl_easy_setopt(f->curl, CURLOPT_TIMEOUT_MS, (long)(deadline / 1000));
    (void)curl_easy_setopt(f->curl, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(f->curl, CURLOPT_WRITEDATA, f);
    (void)curl_easy_setopt(f->curl, CURLOPT_ERRORBUFFER, f->said);
    (void)curl_easy_setopt(f->curl, CURLOPT_HTTPHEADER, f->headers);
    (void)curl_easy_setopt(f->curl, CURLOPT_COPYPOSTFIELDS, json);
    set_server(f, server);
    (void)curl_multi_add_handle(f->multi, f->curl);
    if (authorization)
        explicit_bzero(authorization, strlen(authorization));
    return f;
}

struct fetch *fetch_free(struct fetch *f)
{
    if (!f)
        return NULL;
    (void)curl_multi_remove_handle(f->multi, f->curl);
    curl_easy_cleanup(f->curl);
    (void)curl_multi_cleanup(f->multi);
    curl_slist_free_all(f->headers);
    (void)loop_timer_free(f->timer);
    text_done(&f->body);
    free(f->server);
    free(f);
    return NULL;
}
