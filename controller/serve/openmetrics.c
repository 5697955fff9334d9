#include "serve/openmetrics.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    const char *name;
    const char *suffix; /* of its samples */
} types[] = {
    [OPENMETRICS_COUNTER] = {"counter", "_total"},
    [OPENMETRICS_GAUGE] = {"gauge", ""},
    [OPENMETRICS_HISTOGRAM] = {"histogram", ""},
    [OPENMETRICS_INFO] = {"info", "_info"},
};

const char *openmetrics_type_name(enum openmetrics_type type)
{
    return types[type].name;
}

static void add_escaped(struct text *out, const char *value)
{
    for (size_t n; *value; value += n) {
        n = strcspn(value, "\\\"\n");
        text_add_bytes(out, value, n);
        if (!value[n])
            break;
        text_add(out, value[n] == '\n' ? "\\n" : value[n] == '"' ? "\\\"" : "\\\\");
        n++;
    }
}

void openmetrics_begin(struct text *out, const struct openmetrics_family *f)
{
    text_printf(out, "# TYPE %s %s\n", f->name, openmetrics_type_name(f->type));
    if (f->unit)
        text_printf(out, "# UNIT %s %s\n", f->name, f->unit);
    text_printf(out, "# HELP %s ", f->name);
    add_escaped(out, f->help);
    text_add(out, "\n");
}

/* The name of a sample and its labels. */
static void add_head(struct text *out, const struct openmetrics_family *f, va_list labels)
{
    const char *label, *mark = "{";
    text_printf(out, "%s%s", f->name, types[f->type].suffix);
    while ((label = va_arg(labels, const char *))) {
        const char *value = va_arg(labels, const char *);
        text_printf(out, "%s%s=\"", mark, label);
        add_escaped(out, value ? value : "");
        text_add(out, "\"");
        mark = ",";
    }
    text_add(out, *mark == ',' ? "} " : " ");
}

static void add_seconds(struct text *out, usec value)
{
    text_printf(out, "%s%" PRId64 ".%06" PRId64 "\n", value < 0 ? "-" : "",
                (value < 0 ? -value : value) / USEC_PER_SEC,
                (value < 0 ? -value : value) % USEC_PER_SEC);
}

void openmetrics_add(struct text *out, const struct openmetrics_family *f, int64_t value, ...)
{
    va_list labels;
    va_start(labels, value);
    add_head(out, f, labels);
    va_end(labels);
    text_printf(out, "%" PRId64 "\n", value);
}

void openmetrics_add_seconds(struct text *out, const struct openmetrics_family *f, usec value, ...)
{
    va_list labels;
    va_start(labels, value);
    add_head(out, f, labels);
    va_end(labels);
    add_seconds(out, value);
}

void openmetrics_add_histogram(struct text *out, const struct openmetrics_family *f,
                               const struct histogram *h)
{
    int64_t n = 0;
    for (size_t i = 0; i <= HISTOGRAM_BOUNDS; i++) {
        n += h->buckets[i];
        text_printf(out, "%s_bucket{le=\"%s\"} %" PRId64 "\n", f->name,
                    i < HISTOGRAM_BOUNDS ? histogram_bound(i) : "+Inf", n);
    }
    text_printf(out, "%s_count %" PRId64 "\n%s_sum ", f->name, n, f->name);
    add_seconds(out, h->sum);
}

void openmetrics_end(struct text *out)
{
    text_add(out, "# EOF\n");
}
