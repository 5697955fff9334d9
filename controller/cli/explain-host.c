/* eyrie explain host NAME */
#include "cli/explain.h"

#include "cli/paint.h"
#include "cli/show.h"

void explain_host(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *host = json_object_or_null(view, "host");
    bool takes = json_bool_or(view, "takes", false);
    enum paint paint = takes ? PAINT_GOOD : PAINT_BAD;
    char ago[UNITS_TEXT_MAX];
    paint_text(out, json_string_or(host, "name", ""), false);
    (void)fprintf(out, " %s%s%s\n", paint_begin(cli, paint), takes ? "takes VMs" : "takes no VMs",
                  paint_end(cli, paint));
    explain_list(out, "because", json_array_or_null(view, "why"));
    explain_planned(out, json_array_or_null(view, "planned"));
    explain_counts(out, "VMs", json_object_or_null(view, "vms"));
    explain_line(out, "uri", json_string_or(host, "uri", ""));
    if (*show_ago(host, "asked", json_int_or(view, "now", 0), ago)) {
        explain_label(out, "answered");
        (void)fprintf(out, "%s ago\n", ago);
    }
}
