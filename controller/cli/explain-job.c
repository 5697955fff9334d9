/* eyrie explain job CLUSTER.PROC */
#include "cli/explain.h"

#include <inttypes.h>

#include "base/mem.h"
#include "cli/paint.h"
#include "cli/show.h"

static void line_time(FILE *out, struct json_object *job, const char *key, const char *name,
                      usec now)
{
    char ago[UNITS_TEXT_MAX];
    if (!*show_ago(job, key, now, ago))
        return;
    explain_label(out, name);
    (void)fprintf(out, "%s ago\n", ago);
}

void explain_job(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *job = json_object_or_null(view, "job");
    usec now = json_int_or(view, "now", 0);
    char memory[UNITS_TEXT_MAX], disk[UNITS_TEXT_MAX];
    (void)cli;
    paint_text(out, json_string_or(job, "id", ""), false);
    (void)fputs(" of ", out);
    paint_text(out, json_string_or(job, "owner", ""), false);
    (void)fputc(' ', out);
    paint_text(out, json_string_or(view, "text", ""), false);
    (void)fputc('\n', out);
    explain_list(out, "like it", json_array_or_null(view, "why"));
    explain_line(out, "vm", json_string_or(view, "vm", ""));
    explain_line(out, "slot", json_string_or(job, "slot", ""));
    explain_line(out, "status", json_string_or(job, "status", ""));
    explain_line(out, "schedd", json_string_or(job, "schedd", ""));
    explain_line(out, "group", json_string_or(job, "group", "none"));
    explain_label(out, "requests");
    (void)fprintf(out, "%" PRId64 " cpus, %s of memory, %s of disk", json_int_or(job, "cpus", 0),
                  units_format_bytes(json_int_or(job, "memory", 0), memory),
                  units_format_bytes(json_int_or(job, "disk", 0), disk));
    if (json_int_or(job, "gpus", 0) > 0)
        (void)fprintf(out, ", %" PRId64 " gpus", json_int_or(job, "gpus", 0));
    (void)fputs(json_bool_or(job, "assumed", false) ? " (of what is an expression the default)\n"
                                                    : "\n",
                out);
    line_time(out, job, "submitted", "submitted", now);
    line_time(out, job, "since", "so since", now);
}
