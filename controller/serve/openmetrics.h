/*
 * A writer of OpenMetrics 1.0 text (the C client library is not kept up any more, and what it
 * exposes is a format of before). It knows the format only; metrics.h has what is written.
 */
#pragma once

#include <stdint.h>

#include "base/text.h"
#include "base/units.h"
#include "serve/counts.h"

#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

enum openmetrics_type {
    OPENMETRICS_COUNTER, /* its samples get _total */
    OPENMETRICS_GAUGE,
    OPENMETRICS_HISTOGRAM, /* _bucket, _count, _sum */
    OPENMETRICS_INFO,      /* _info, always 1 */
};

/** What all samples of one metric have in common; samples come right after it. */
struct openmetrics_family {
    const char *name;
    enum openmetrics_type type;
    const char *unit; /* the last word of the name, or NULL */
    const char *help; /* one sentence */
};

/** "counter", "gauge", … */
const char *openmetrics_type_name(enum openmetrics_type type);
void openmetrics_begin(struct text *out, const struct openmetrics_family *f);
/** One sample; the rest are names and values of labels, up to a NULL. Values may be any text. */
void openmetrics_add(struct text *out, const struct openmetrics_family *f, int64_t value, ...)
    __attribute__((sentinel));
/** As above, of a duration or a point in time. */
void openmetrics_add_seconds(struct text *out, const struct openmetrics_family *f, usec value, ...)
    __attribute__((sentinel));
/** The samples of a histogram, in seconds. */
void openmetrics_add_histogram(struct text *out, const struct openmetrics_family *f,
                               const struct histogram *h);
/** Nothing comes after this. */
void openmetrics_end(struct text *out);
