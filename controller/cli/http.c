#include "cli/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

enum {
    CONNECT_SECONDS = 5,
    ANSWER_SECONDS = 30,
    ANSWER_BYTES = 256 * 1024 * 1024,
};

static void easy_done(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

static size_t take(char *bytes, size_t size, size_t count, void *userdata)
{
    struct text *body = userdata;
    if (body->length + size * count > ANSWER_BYTES)
        return 0;
    text_add_bytes(body, bytes, size * count);
    return size * count;
}

static int unreachable(const struct cli *cli, CURL *curl, CURLcode code, struct err *e)
{
    long number = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_COULDNT_CONNECT && number == EACCES) {
        (void)err_set(e, EACCES, "no permission to use the socket %s", cli->socket);
        return CLI_NOT_PERMITTED;
    }
    if (code == CURLE_COULDNT_CONNECT)
        (void)err_set(e, ECONNREFUSED, "eyried does not listen on %s%s%s; is it running?",
                      cli->socket, number ? ": " : "", number ? strerror((int)number) : "");
    else if (code == CURLE_OPERATION_TIMEDOUT)
        (void)err_set(e, ETIMEDOUT, "eyried did not answer on %s within %d s", cli->socket,
                      ANSWER_SECONDS);
    else
        (void)err_set(e, EIO, "no answer from eyried on %s: %s", cli->socket,
                      curl_easy_strerror(code));
    return CLI_UNREACHABLE;
}

/* The exit code for an answer that is not 200; its sentence becomes ours. */
static int refused(long status, const struct text *body, struct err *e)
{
    AUTOJSON struct json_object *o = NULL;
    const char *sentence = NULL;
    if (json_parse(text_get(body), body->length, &o, NULL) == 0)
        sentence = json_string_or(o, "error", NULL);
    if (sentence)
        (void)err_set(e, EREMOTEIO, "%s", sentence);
    else
        (void)err_set(e, EREMOTEIO, "eyried answered with status %ld", status);
    switch (status) {
    case 403:
        return CLI_NOT_PERMITTED;
    case 422:
        return CLI_CONFIGURATION;
    case 503:
        return CLI_UNREACHABLE;
    default:
        return CLI_FAILURE;
    }
}

static void slist_done(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

int http_ask(const struct cli *cli, const char *method, const char *path, struct text *ret,
             struct err *e)
{
    return http_send(cli, method, path, NULL, ret, e);
}

int http_send(const struct cli *cli, const char *method, const char *path, const char *json,
              struct text *ret, struct err *e)
{
    CLEANUP(slist_done) struct curl_slist *headers = NULL;
    CLEANUP(easy_done) CURL *curl = curl_easy_init();
    CLEANUP(text_done) struct text body = {0};
    AUTOFREE char *url = mem_printf("http://eyried%s", path);
    long status = 0;
    if (!curl)
        mem_exhausted();
    (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, cli->socket);
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(curl, CURLOPT_PROXY, ""); /* the environment's is for other hosts */
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
    if (json) {
        headers = curl_slist_append(headers, "Content-Type: application/json");
        (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, json);
    }
    CURLcode code = curl_easy_perform(curl);
    if (code != CURLE_OK)
        return unreachable(cli, curl, code, e);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    int exit = status == 200 ? CLI_OK : refused(status, &body, e);
    *ret = body;
    body = (struct text){0};
    return exit;
}

char *http_escape(const char *word)
{
    char *escaped = curl_easy_escape(NULL, word, 0);
    if (!escaped)
        mem_exhausted();
    char *copy = mem_strdup(escaped);
    curl_free(escaped);
    return copy;
}
