/*
 * eyrie-notify: posts one letter, which eyried gives it as one line of JSON on stdin, and says on
 * stderr what went wrong. Exit status 0: delivered; 1: not; 64: that is no letter.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "notify/post.h"

static int read_all(struct text *out)
{
    char piece[4096];
    ssize_t n;
    while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0)
            text_add_bytes(out, piece, (size_t)n);
        if (out->length > LIMIT_LETTER_BYTES)
            return -EMSGSIZE;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)puts("eyrie-notify " EYRIE_VERSION);
        return 0;
    }
    CLEANUP(text_done) struct text text = {0};
    CLEANUP(post_letter_done) struct post_letter letter = {0};
    const struct rlimit no_core = {0};
    (void)setrlimit(RLIMIT_CORE, &no_core); /* a secret passes through this memory */
    struct err e = {.text = "stdin cannot be read"};
    if (read_all(&text) < 0 || post_letter_parse(text_get(&text), text.length, &letter, &e) < 0) {
        (void)fprintf(stderr, "not a letter of eyried's: %s\n", e.text);
        return EX_USAGE;
    }
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
    int r = post_send(&letter, &e);
    if (r < 0)
        (void)fprintf(stderr, "%s\n", e.text);
    curl_global_cleanup();
    return r < 0 ? 1 : 0;
}
