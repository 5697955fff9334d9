#include "serve/answer.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "serve/view.h"

struct answer answer_body(struct json_object *body)
{
    return (struct answer){.status = 200, .body = body};
}

struct answer answer_text(const char *text)
{
    struct json_object *o = json_object_new_object();
    json_add_int(o, "version", VIEW_VERSION);
    json_add_string(o, "text", text);
    return answer_body(o);
}

struct answer answer_refusal(unsigned status, const char *format, ...)
{
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int n = vasprintf(&text, format, list);
    va_end(list);
    if (n < 0)
        mem_exhausted();
    struct answer a = {.status = status, .body = view_error(text)};
    free(text);
    return a;
}

void answer_done(struct answer *a)
{
    (void)json_object_put(a->body);
    text_done(&a->text);
    *a = (struct answer){0};
}

static unsigned status_of(int r)
{
    switch (-r) {
    case ENOENT:
        return 404;
    case EPERM:
    case EACCES:
        return 403;
    case EAGAIN:
    case EBUSY:
        return 503;
    case EINVAL:
    case ENOTUNIQ:
        return 409;
    default:
        return 500;
    }
}

struct answer answer_failure(int r, const struct err *e)
{
    return answer_refusal(status_of(r), "%s", e->text);
}
