/* eyrie explain group NAME */
#include "cli/explain.h"

#include <inttypes.h>

#include "base/mem.h"
#include "cli/paint.h"

static void limit(FILE *out, struct json_object *group, const char *key)
{
    AUTOFREE char *file_key = mem_printf("%s_file", key), *line_key = mem_printf("%s_line", key);
    int64_t value = json_int_or(group, key, -1), line = json_int_or(group, line_key, 0);
    explain_label(out, key);
    if (value < 0)
        (void)fputs("unlimited", out);
    else
        (void)fprintf(out, "%" PRId64, value);
    if (line > 0) {
        (void)fputs(" (", out);
        paint_text(out, json_string_or(group, file_key, ""), false);
        (void)fprintf(out, ":%" PRId64 ")", line);
    }
    (void)fputc('\n', out);
}

static void lines_policy(FILE *out, struct json_object *group)
{
    struct json_object *submitters = json_array_or_null(group, "submitters");
    explain_label(out, "uses");
    (void)fprintf(out, "%" PRId64 " cpus in %" PRId64 " VMs\n", json_int_or(group, "cpus", 0),
                  json_int_or(group, "vms", 0));
    limit(out, group, "quota");
    limit(out, group, "max");
    limit(out, group, "weight");
    if (json_bool_or(group, "exclusive", false))
        explain_line(out, "exclusive", "its VMs run its jobs only");
    explain_list(out, "template", json_array_or_null(group, "templates"));
    if (submitters && json_object_array_length(submitters) == 0)
        explain_line(out, "submitter", "anyone");
    explain_list(out, "submitter", submitters);
}

void explain_group(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *group = json_object_or_null(view, "group");
    struct json_object *demand = json_object_or_null(view, "demand");
    struct json_object *shapes = json_array_or_null(demand, "shapes");
    bool stopped = json_bool_or(view, "stopped", false);
    enum paint paint = stopped ? PAINT_BUSY : PAINT_GOOD;
    paint_text(out, json_string_or(view, "name", ""), false);
    (void)fprintf(out, " %s%s%s\n", paint_begin(cli, paint),
                  stopped ? "gets no more VMs now" : "may grow", paint_end(cli, paint));
    explain_list(out, "because", json_array_or_null(view, "why"));
    for (size_t i = 0; shapes && i < json_object_array_length(shapes); i++)
        explain_line(out, "demand",
                     json_string_or(json_object_array_get_idx(shapes, i), "text", ""));
    explain_label(out, "jobs");
    (void)fprintf(out, "%" PRId64 " idle, %" PRId64 " running, %" PRId64 " held\n",
                  json_int_or(demand, "idle", 0), json_int_or(demand, "running", 0),
                  json_int_or(demand, "held", 0));
    explain_planned(out, json_array_or_null(view, "planned"));
    explain_counts(out, "VMs", json_object_or_null(view, "vms"));
    if (group)
        lines_policy(out, group);
}
