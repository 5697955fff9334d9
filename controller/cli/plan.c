/* eyrie plan */
#include <string.h>

#include "cli/command.h"
#include "cli/paint.h"
#include "cli/show.h"

/* The colour of a line of the plan, by the sign that it begins with. */
static enum paint paint_of_line(char sign)
{
    switch (sign) {
    case '+':
        return PAINT_GOOD;
    case '-':
    case '!':
        return PAINT_BAD;
    case '~':
        return PAINT_BUSY;
    default:
        return PAINT_NONE;
    }
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    char line[1024];
    for (const char *p = json_string_or(view, "text", ""); *p;) {
        size_t length = strcspn(p, "\n");
        enum paint paint = paint_of_line(*p);
        (void)snprintf(line, sizeof(line), "%.*s", (int)length, p);
        (void)fputs(paint_begin(cli, paint), out);
        paint_text(out, line, false);
        (void)fputs(paint_end(cli, paint), out);
        (void)fputc('\n', out);
        p += length + (p[length] == '\n');
    }
}

static int judge(struct json_object *view)
{
    return json_int_or(view, "changes", 0) > 0 ? CLI_CHANGES : CLI_OK;
}

int plan_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .judge = judge};
    (void)argv;
    return argc > 0 ? command_wrong_arguments(cli, "plan") : show_view(cli, "/v1/plan", &show);
}
