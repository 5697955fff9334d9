#include "notify/post.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/credential.h"
#include "base/limits.h"
#include "base/mem.h"

enum { CONNECT_SECONDS = 10, ANSWER_SECONDS = 30 };

static void slist_done(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static void easy_done(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

int post_letter_parse(const char *text, size_t length, struct post_letter *ret, struct err *e)
{
    AUTOJSON struct json_object *all = NULL;
    struct post_letter letter = {0};
    int r = json_parse(text, length, &all, e);
    if (r == 0)
        r = json_get_string(all, "url", &letter.url, e);
    if (r == 0)
        r = json_get_string(all, "secret_file", &letter.secret_file, e);
    if (r == 0)
        r = json_get_string(all, "body", &letter.body, e);
    if (r < 0)
        return r;
    letter.all = json_object_get(all);
    *ret = letter;
    return 0;
}

void post_letter_done(struct post_letter *letter)
{
    (void)json_object_put(letter->all);
    letter->all = NULL;
}

/* The one line of the file into @secret; what else is in it could break the header. */
static int read_secret(const char *path, char secret[static LIMIT_SECRET_BYTES], struct err *e)
{
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, errno, "%s: %s", path, strerror(errno));
    ssize_t n = read(fd, secret, LIMIT_SECRET_BYTES);
    if (n < 0)
        return err_set(e, errno, "%s: %s", path, strerror(errno));
    while (n > 0 && (secret[n - 1] == '\n' || secret[n - 1] == '\r'))
        n--;
    if (n == 0)
        return err_set(e, EINVAL, "%s is empty: it must hold the secret, in one line", path);
    if (n == LIMIT_SECRET_BYTES)
        return err_set(e, EINVAL, "%s is too long for a secret: %d bytes are allowed", path,
                       LIMIT_SECRET_BYTES - 1);
    for (ssize_t i = 0; i < n; i++)
        if (secret[i] <= ' ' || secret[i] > '~')
            return err_set(e, EINVAL, "%s must hold the secret alone, in one line without blanks",
                           path);
    secret[n] = '\0';
    return 0;
}

static void add_header(struct curl_slist **headers, const char *header)
{
    struct curl_slist *more = curl_slist_append(*headers, header);
    if (!more)
        mem_exhausted();
    *headers = more;
}

static int add_secret(struct curl_slist **headers, const char *place, struct err *e)
{
    static const char begins[] = "Authorization: Bearer ";
    char header[sizeof(begins) + LIMIT_SECRET_BYTES];
    memcpy(header, begins, sizeof(begins));
    AUTOFREE char *path = NULL;
    int r = credential_path(place, &path, e);
    if (r == 0)
        r = read_secret(path, header + sizeof(begins) - 1, e);
    if (r == 0)
        add_header(headers, header);
    explicit_bzero(header, sizeof(header));
    return r;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *userdata)
{
    (void)bytes;
    (void)userdata;
    return size * count;
}

int post_send(const struct post_letter *letter, struct err *e)
{
    CLEANUP(slist_done) struct curl_slist *headers = NULL;
    CLEANUP(easy_done) CURL *curl = curl_easy_init();
    char said[CURL_ERROR_SIZE] = "";
    long status = 0;
    if (!curl)
        mem_exhausted();
    add_header(&headers, "Content-Type: application/json");
    int r = *letter->secret_file ? add_secret(&headers, letter->secret_file, e) : 0;
    if (r < 0)
        return r;
    (void)curl_easy_setopt(curl, CURLOPT_URL, letter->url);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_USERAGENT, "eyrie/" EYRIE_VERSION);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)ANSWER_SECONDS);
    (void)curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, said);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, letter->body);
    CURLcode code = curl_easy_perform(curl);
    for (struct curl_slist *h = headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        return err_set(e, EINVAL, "its url is not one that can be posted to: %s",
                       curl_easy_strerror(code));
    if (code != CURLE_OK)
        return err_set(e, EIO, "%s", said[0] ? said : curl_easy_strerror(code));
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 300 && status < 400)
        return err_set(e, EREMOTEIO,
                       "the server answered with status %ld: it wants to be asked elsewhere, which "
                       "is not done with a secret; change the url in the policy", status);
    if (status < 200 || status >= 300)
        return err_set(e, EREMOTEIO, "the server answered with status %ld", status);
    return 0;
}
