/* eyrie explain vm NAME */
#include "cli/explain.h"

#include <inttypes.h>

#include "base/mem.h"
#include "cli/paint.h"
#include "cli/show.h"

static void line_size(FILE *out, struct json_object *vm)
{
    char memory[UNITS_TEXT_MAX], free_memory[UNITS_TEXT_MAX];
    explain_label(out, "size");
    (void)fprintf(out, "%" PRId64 " cpus (%" PRId64 " free), %s (%s free)\n",
                  json_int_or(vm, "cpus", 0), json_int_or(vm, "free_cpus", 0),
                  units_format_bytes(json_int_or(vm, "memory", 0), memory),
                  units_format_bytes(json_int_or(vm, "free_memory", 0), free_memory));
}

/* The points in time of a VM's life, in the order of life. */
static void lines_times(FILE *out, struct json_object *vm, struct json_object *record, usec now)
{
    static const struct {
        const char *key;
        const char *name;
        bool of_vm;
    } times[] = {
        {"create_decided", "decided", false},
        {"create_answered", "created", false},
        {"born", "born", true},
        {"joined", "joined", true},
        {"first_job", "first job", true},
        {"idle_since", "idle since", true},
        {"jobless_since", "waits since", true},
        {"given_up", "given up", false},
        {"drain_decided", "drain", false},
        {"drain_accepted", "draining", false},
        {"poweroff_decided", "power-off", false},
        {"destroy_decided", "destroy", false},
    };
    char age[UNITS_TEXT_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        if (!*show_ago(times[i].of_vm ? vm : record, times[i].key, now, age))
            continue;
        explain_label(out, times[i].name);
        (void)fprintf(out, "%s ago\n", age);
    }
    explain_line(out, "decided for", json_string_or(record, "why", ""));
}

static void lines_domain(FILE *out, struct json_object *domain)
{
    if (!domain) {
        explain_line(out, "domain", "none is seen");
        return;
    }
    explain_line(out, "domain", json_string_or(domain, "state", ""));
    explain_line(out, "foreign", json_string_or(domain, "why_foreign", ""));
    explain_line(out, "generation", json_string_or(domain, "generation", ""));
}

static void lines_startd(FILE *out, struct json_object *startd, usec now)
{
    char heard[UNITS_TEXT_MAX];
    if (!startd) {
        explain_line(out, "slots", "none is seen");
        return;
    }
    explain_label(out, "slots");
    (void)fprintf(out, "%" PRId64 " claimed, %" PRId64 " of %" PRId64 " cpus free%s%s%s, heard ",
                  json_int_or(startd, "claimed", 0), json_int_or(startd, "free_cpus", 0),
                  json_int_or(startd, "cpus", 0),
                  json_bool_or(startd, "draining", false) ? ", draining" : "",
                  json_bool_or(startd, "drained", false) ? ", drained" : "",
                  json_bool_or(startd, "usable", true) ? "" : ", would start no job");
    (void)fprintf(out, "%s ago\n", show_ago(startd, "heard", now, heard));
    explain_line(out, "machine", json_string_or(startd, "machine", ""));
    explain_line(out, "job", json_string_or(startd, "job", ""));
}

/* What happened to it of late; the last lines of a console that did not get far are among it. */
static void lines_events(FILE *out, struct json_object *events, usec now)
{
    char age[UNITS_TEXT_MAX];
    for (size_t i = 0; events && i < json_object_array_length(events); i++) {
        struct json_object *event = json_object_array_get_idx(events, i);
        const char *text = json_string_or(event, "text", "");
        explain_label(out, i ? "" : "history");
        (void)fprintf(out, "%s ago ", show_ago(event, "at", now, age));
        paint_text(out, json_string_or(event, "kind", ""), false);
        (void)fputs(*text ? ": " : "", out);
        paint_text(out, text, false);
        (void)fputc('\n', out);
    }
}

void explain_vm(const struct cli *cli, struct json_object *view, FILE *out)
{
    struct json_object *vm = json_object_or_null(view, "vm");
    struct json_object *events = json_array_or_null(view, "events");
    usec now = json_int_or(view, "now", 0);
    if (!vm) {
        (void)fputs("it is gone\n", out);
        lines_events(out, events, now);
        return;
    }
    const char *state = json_string_or(vm, "state", ""), *reason = show_reason(vm, "reason");
    const char *group = json_string_or(vm, "group", "");
    paint_text(out, json_string_or(vm, "name", ""), false);
    (void)fprintf(out, " is %s%s%s%s", paint_begin(cli, paint_of_state(state)), state,
                  paint_end(cli, paint_of_state(state)), *reason ? ": " : "");
    paint_text(out, reason, false);
    (void)fputc('\n', out);
    explain_line(out, "order", json_string_or(json_object_or_null(vm, "order"), "text", ""));
    explain_planned(out, json_array_or_null(view, "planned"));
    explain_line(out, "uuid", json_string_or(vm, "uuid", ""));
    explain_line(out, "host", json_string_or(vm, "host", ""));
    explain_line(out, "template", json_string_or(vm, "template", ""));
    explain_line(out, "group", *group ? group : "shared by all");
    explain_line(out, "request", json_string_or(vm, "request", ""));
    if (json_bool_or(vm, "exclusive", false))
        explain_line(out, "exclusive", "runs jobs of its group only");
    line_size(out, vm);
    lines_times(out, vm, json_object_or_null(view, "record"), now);
    lines_domain(out, json_object_or_null(view, "domain"));
    lines_startd(out, json_object_or_null(view, "startd"), now);
    lines_events(out, events, now);
}
