/* eyrie events: the history in the ledger, a line an event; with --follow it goes on. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/http.h"
#include "cli/paint.h"
#include "cli/show.h"

enum { LINES = 40, FOLLOW_SECONDS = 1 };

/* What is asked for: which events, and where to go on. */
struct asking {
    const struct cli *cli;
    int64_t lines; /* the last so many; 0: all from @since */
    usec since;
    int64_t after; /* -1: nothing was seen yet */
};

static int64_t wall_clock(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

/* "2h" (ago), "2026-11-22 20:00" of the local time, or "2026-11-22T20:00:00Z". */
static int parse_since(const char *text, usec *ret)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S",
                                          "%Y-%m-%d %H:%M", "%Y-%m-%d"};
    usec ago;
    if (units_parse_duration(text, &ago) == 0) {
        *ret = wall_clock() - ago;
        return *ret > 0 ? 0 : -EINVAL;
    }
    for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
        struct tm tm = {.tm_isdst = -1};
        const char *end = strptime(text, formats[i], &tm);
        if (!end || *end)
            continue;
        time_t seconds = i == 0 ? timegm(&tm) : mktime(&tm);
        *ret = (usec)seconds * USEC_PER_SEC;
        return seconds > 0 ? 0 : -EINVAL;
    }
    return -EINVAL;
}

/* One page of them; *@ret_view: the answer. */
static int ask(struct asking *a, struct json_object **ret_view, struct err *e)
{
    CLEANUP(text_done) struct text path = {0}, body = {0};
    char number[24];
    text_add(&path, "/v1/events");
    show_add_parameter(&path, "vm", a->cli->vm);
    show_add_parameter(&path, "host", a->cli->host);
    if (a->after < 0 && a->lines) {
        (void)snprintf(number, sizeof(number), "%" PRId64, a->lines);
        show_add_parameter(&path, "n", number);
    } else {
        (void)snprintf(number, sizeof(number), "%" PRId64, a->after < 0 ? 0 : a->after);
        show_add_parameter(&path, "after", number);
    }
    if (a->since) {
        (void)snprintf(number, sizeof(number), "%" PRId64, a->since);
        show_add_parameter(&path, "since", number);
    }
    int code = http_ask(a->cli, "GET", text_get(&path), &body, e);
    if (code == CLI_OK && json_parse(text_get(&body), body.length, ret_view, e) < 0)
        return CLI_FAILURE;
    return code;
}

static void show_line(const struct cli *cli, struct json_object *event)
{
    const char *kind = json_string_or(event, "kind", ""), *text = json_string_or(event, "text", "");
    time_t seconds = (time_t)(json_int_or(event, "at", 0) / USEC_PER_SEC);
    enum paint paint = strstr(kind, "failed") ? PAINT_BAD : PAINT_NONE;
    char time[32] = "";
    struct tm tm;
    if (localtime_r(&seconds, &tm))
        (void)strftime(time, sizeof(time), "%Y-%m-%d %H:%M:%S", &tm);
    (void)fprintf(cli->out, "%s%s%s  %s%-16s%s  ", paint_begin(cli, PAINT_FAINT), time,
                  paint_end(cli, PAINT_FAINT), paint_begin(cli, paint), kind,
                  paint_end(cli, paint));
    paint_text(cli->out, json_string_or(event, "subject", ""), false);
    (void)fputs(*text ? ": " : "", cli->out);
    paint_text(cli->out, text, false);
    (void)fputc('\n', cli->out);
}

static void show_event(const struct cli *cli, struct json_object *event)
{
    if (cli->json)
        (void)fprintf(cli->out, "%s\n",
                      json_object_to_json_string_ext(event, JSON_C_TO_STRING_PLAIN));
    else
        show_line(cli, event);
}

/* Until a page is not full. The rows of all pages end up in the first view's. */
static int ask_all(struct asking *a, struct json_object **ret_view, struct err *e)
{
    AUTOJSON struct json_object *all = NULL;
    for (;;) {
        AUTOJSON struct json_object *page = NULL;
        int code = ask(a, &page, e);
        if (code != CLI_OK)
            return code;
        struct json_object *rows = json_array_or_null(page, "events");
        size_t n = rows ? json_object_array_length(rows) : 0;
        bool last = n < LIMIT_EVENTS_SHOWN || (a->after < 0 && a->lines);
        a->after = json_int_or(page, "last", a->after);
        for (size_t i = 0; all && i < n; i++)
            (void)json_object_array_add(json_array_or_null(all, "events"),
                                        json_object_get(json_object_array_get_idx(rows, i)));
        if (!all)
            all = json_object_get(page);
        if (last)
            break;
    }
    json_add_int(all, "last", a->after);
    *ret_view = json_object_get(all);
    return CLI_OK;
}

/* Ends with the reader, or by a signal. eyried may come and go meanwhile. */
static int follow(struct asking *a)
{
    const struct timespec pause = {.tv_sec = FOLLOW_SECONDS};
    bool said = false;
    for (;;) {
        AUTOJSON struct json_object *view = NULL;
        struct err e = {0};
        int code = ask_all(a, &view, &e);
        if (code != CLI_OK && (code != CLI_UNREACHABLE || a->after < 0))
            return show_failure(a->cli, code, &e);
        if (code != CLI_OK && !said)
            (void)show_failure(a->cli, code, &e);
        said = code != CLI_OK;
        struct json_object *rows = json_array_or_null(view, "events");
        for (size_t i = 0; rows && i < json_object_array_length(rows); i++)
            show_event(a->cli, json_object_array_get_idx(rows, i));
        if (fflush(a->cli->out) != 0)
            return CLI_FAILURE;
        (void)nanosleep(&pause, NULL);
    }
}

int events_run(const struct cli *cli, int argc, char **argv)
{
    struct asking a = {.cli = cli, .lines = cli->since ? 0 : LINES, .after = -1};
    AUTOJSON struct json_object *view = NULL;
    struct err e = {0};
    (void)argv;
    if (argc > 0)
        return command_wrong_arguments(cli, "events");
    if (cli->since && parse_since(cli->since, &a.since) < 0)
        return cli_usage(cli,
                         "--since=%s is no time: \"2h\" is two hours ago; or \"2026-11-22 20:00\"",
                         cli->since);
    if (cli->since && cli->lines)
        return cli_usage(cli, "--since and --lines do not go together");
    if (cli->lines && (units_parse_count(cli->lines, &a.lines) < 0 || a.lines < 1 ||
                       a.lines > LIMIT_EVENTS_SHOWN))
        return cli_usage(cli, "--lines=%s is not a number from 1 to %d", cli->lines,
                         LIMIT_EVENTS_SHOWN);
    if (cli->follow)
        return follow(&a);
    int code = ask_all(&a, &view, &e);
    if (code != CLI_OK)
        return show_failure(cli, code, &e);
    if (cli->json) {
        (void)fprintf(cli->out, "%s\n", json_object_to_json_string(view));
        return CLI_OK;
    }
    struct json_object *rows = json_array_or_null(view, "events");
    for (size_t i = 0; rows && i < json_object_array_length(rows); i++)
        show_line(cli, json_object_array_get_idx(rows, i));
    return CLI_OK;
}
