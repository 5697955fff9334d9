/*
 * The one wrapper around libsmartcols: tables for people. A cell without content shows "-".
 */
#pragma once

#include "cli/cli.h"
#include "cli/paint.h"

enum {
    TABLE_RIGHT = 1 << 0, /* numbers */
    TABLE_CUT = 1 << 1,   /* gives way when the terminal is narrow */
};

struct table_column {
    const char *name;
    int flags;
};

struct table;

/** A new table; @columns must live as long; owned by the caller (table_free). */
struct table *table_new(const struct cli *cli, const struct table_column *columns, size_t count)
    __attribute__((returns_nonnull));
struct table *table_free(struct table *t);
/** Begin the next row. */
void table_row(struct table *t);
/** The next cell of the row; NULL and "" are no content. */
void table_cell(struct table *t, const char *content);
void table_cell_number(struct table *t, int64_t number);
void table_cell_printf(struct table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/** Colour the last cell. */
void table_paint(struct table *t, enum paint paint);
/** Write it, with headings. A table without rows writes nothing. */
void table_print(struct table *t, FILE *out);

static inline void table_free_p(struct table **t)
{
    (void)table_free(*t);
}
