#include "cli/show.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/http.h"
#include "cli/paint.h"
#include "cli/screen.h"

int show_failure(const struct cli *cli, int code, const struct err *e)
{
    (void)fputs("eyrie: ", cli->err);
    paint_text(cli->err, e->text, false);
    (void)fputc('\n', cli->err);
    return code;
}

void show_add_parameter(struct text *path, const char *key, const char *value)
{
    AUTOFREE char *escaped = value ? http_escape(value) : NULL;
    if (value)
        text_printf(path, "%c%s=%s", strchr(text_get(path), '?') ? '&' : '?', key, escaped);
}

static void show_names(struct json_object *rows, FILE *out)
{
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        paint_text(out, json_string_or(row, "name", json_string_or(row, "schedd", "")), false);
        (void)fputc('\n', out);
    }
}

/* Ask once and write the answer to @out. */
static int show_once(const struct cli *cli, const char *path, const struct show *show, FILE *out,
                     struct err *e)
{
    CLEANUP(text_done) struct text body = {0};
    AUTOJSON struct json_object *view = NULL;
    int code = http_ask(cli, "GET", path, &body, e);
    if (code != CLI_OK)
        return code;
    if (json_parse(text_get(&body), body.length, &view, e) < 0) {
        (void)err_prefix(e, 0, "eyried's answer");
        return CLI_FAILURE;
    }
    if (cli->json)
        (void)fwrite(text_get(&body), 1, body.length, out);
    else if (cli->names)
        show_names(json_array_or_null(view, show->list), out);
    else
        show->render(cli, view, out);
    return show->judge ? show->judge(view) : CLI_OK;
}

static void wait_for(usec d)
{
    const struct timespec pause = {.tv_sec = (time_t)(d / USEC_PER_SEC),
                                   .tv_nsec = (long)(d % USEC_PER_SEC) * 1000};
    (void)nanosleep(&pause, NULL);
}

/* The view as text, or why there is none; owned by the caller. *@ret_code: the exit code. */
static char *make_block(const struct cli *cli, const char *path, const struct show *show,
                        size_t *ret_length, struct err *e, int *ret_code)
{
    char *block = NULL;
    FILE *out = open_memstream(&block, ret_length);
    if (!out)
        mem_exhausted();
    *ret_code = show_once(cli, path, show, out, e);
    if (*e->text && !cli->json) {
        (void)fputs("eyrie: ", out);
        paint_text(out, e->text, false);
        (void)fputc('\n', out);
    }
    (void)fclose(out);
    return block;
}

/* On a terminal: in place, until q or a signal. */
static int watch_screen(const struct cli *cli, const char *path, const struct show *show)
{
    CLEANUP(screen_close_p) struct screen *screen = screen_open(cli);
    struct cli now = *cli;
    for (;;) {
        struct err e = {0};
        size_t length = 0;
        int code;
        cli_measure(&now); /* it may have another size by now */
        AUTOFREE char *block = make_block(&now, path, show, &length, &e, &code);
        if (code == CLI_USAGE || code == CLI_NOT_PERMITTED) {
            screen = screen_close(screen);
            return show_failure(cli, code, &e);
        }
        screen_draw(screen, now.height, block, length);
        if (!screen_wait(screen, cli->watch))
            return CLI_OK;
    }
}

/* Elsewhere: block after block, until the reader goes away or a signal ends us. */
static int watch_blocks(const struct cli *cli, const char *path, const struct show *show)
{
    for (bool first = true;; first = false) {
        struct err e = {0};
        size_t length = 0;
        int code;
        AUTOFREE char *block = make_block(cli, path, show, &length, &e, &code);
        if (code == CLI_USAGE || code == CLI_NOT_PERMITTED)
            return show_failure(cli, code, &e);
        if (!first && !cli->json)
            (void)fputc('\n', cli->out);
        if (cli->json && *e.text)
            (void)show_failure(cli, code, &e);
        (void)fwrite(block, 1, length, cli->out);
        if (fflush(cli->out) != 0)
            return CLI_FAILURE;
        wait_for(cli->watch);
    }
}

int show_view(const struct cli *cli, const char *path, const struct show *show)
{
    AUTOFREE char *block = NULL;
    size_t length = 0;
    struct err e = {0};
    if (cli->watch)
        return cli->terminal && !cli->json ? watch_screen(cli, path, show)
                                           : watch_blocks(cli, path, show);
    FILE *out = open_memstream(&block, &length);
    if (!out)
        mem_exhausted();
    int code = show_once(cli, path, show, out, &e);
    (void)fclose(out);
    if (*e.text)
        return show_failure(cli, code, &e);
    (void)fwrite(block, 1, length, cli->out);
    return code;
}

int show_here(const struct cli *cli, struct json_object *view, const struct show *show)
{
    if (cli->json) {
        size_t length;
        const char *json =
            json_object_to_json_string_length(view, JSON_C_TO_STRING_NOSLASHESCAPE, &length);
        AUTOFREE char *answer = mem_printf("%s\n", json);
        utf8_mend(answer, length);
        (void)fwrite(answer, 1, length + 1, cli->out);
    } else {
        show->render(cli, view, cli->out);
    }
    return show->judge ? show->judge(view) : CLI_OK;
}

const char *show_reason(struct json_object *o, const char *key)
{
    return json_string_or(json_object_or_null(o, key), "text", "");
}

const char *show_ago(struct json_object *o, const char *key, usec now,
                     char buffer[static UNITS_TEXT_MAX])
{
    usec at = json_int_or(o, key, 0);
    if (at == 0)
        return strcpy(buffer, "");
    return paint_age(now > at ? now - at : 0, buffer);
}
