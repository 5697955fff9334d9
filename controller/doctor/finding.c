#include "doctor/finding.h"

#include "base/mem.h"

const char *finding_verdict_name(enum finding_verdict verdict)
{
    static const char *const names[FINDING_VERDICTS] = {
        [FINDING_OK] = "ok",
        [FINDING_WRONG] = "wrong",
        [FINDING_SKIPPED] = "skipped",
    };
    return names[verdict];
}

const char *finding_part_name(enum finding_part part)
{
    static const char *const names[PART_COUNT] = {
        [PART_TOOLS] = "tools",       [PART_EYRIED] = "eyried", [PART_SCHEDDS] = "schedds",
        [PART_POOL] = "virtual pool", [PART_VMS] = "VMs",       [PART_HOSTS] = "hosts",
    };
    return names[part];
}

struct json_object *finding_view(const struct finding *findings, size_t n)
{
    struct json_object *view = json_object_new_object();
    struct json_object *rows = json_object_new_array();
    int64_t counts[FINDING_VERDICTS] = {0};
    for (size_t i = 0; i < n; i++) {
        const struct finding *f = &findings[i];
        struct json_object *row = json_object_new_object();
        counts[f->verdict]++;
        json_add_string(row, "part", finding_part_name(f->part));
        json_add_string(row, "check", f->check);
        json_add_string(row, "subject", f->subject);
        json_add_string(row, "verdict", finding_verdict_name(f->verdict));
        json_add_string(row, "what", f->what);
        json_add_string(row, "why", f->why);
        json_add_string(row, "mend", f->mend);
        (void)json_object_array_add(rows, row);
    }
    json_add_int(view, "version", 1);
    for (int i = 0; i < FINDING_VERDICTS; i++)
        json_add_int(view, finding_verdict_name((enum finding_verdict)i), counts[i]);
    json_add(view, "checks", rows);
    return view;
}
