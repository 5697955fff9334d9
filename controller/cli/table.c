#include "cli/table.h"

#include <inttypes.h>
#include <libsmartcols.h>
#include <stdarg.h>

#include "base/mem.h"

struct table {
    const struct cli *cli;
    struct libscols_table *scols;
    struct libscols_line *line;
    size_t n_columns;
    size_t next; /* column */
};

static void must(int r)
{
    if (r != 0)
        mem_exhausted(); /* libsmartcols fails for nothing else here */
}

struct table *table_new(const struct cli *cli, const struct table_column *columns, size_t count)
{
    struct table *t = mem_new(1, sizeof(*t));
    t->cli = cli;
    t->n_columns = count;
    t->scols = scols_new_table();
    if (!t->scols)
        mem_exhausted();
    (void)scols_table_enable_colors(t->scols, cli->color);
    /* The answer is put together in memory: libsmartcols must be told about the terminal. */
    (void)scols_table_set_termforce(t->scols, cli->width ? SCOLS_TERMFORCE_ALWAYS
                                                         : SCOLS_TERMFORCE_NEVER);
    if (cli->width)
        (void)scols_table_set_termwidth(t->scols, (size_t)cli->width);
    for (size_t i = 0; i < count; i++) {
        int flags = (columns[i].flags & TABLE_RIGHT ? SCOLS_FL_RIGHT : 0) |
                    (columns[i].flags & TABLE_CUT ? SCOLS_FL_TRUNC : 0);
        if (!scols_table_new_column(t->scols, columns[i].name, 0, flags))
            mem_exhausted();
    }
    return t;
}

struct table *table_free(struct table *t)
{
    if (!t)
        return NULL;
    scols_unref_table(t->scols);
    free(t);
    return NULL;
}

void table_row(struct table *t)
{
    while (t->line && t->next < t->n_columns)
        table_cell(t, NULL);
    t->line = scols_table_new_line(t->scols, NULL);
    if (!t->line)
        mem_exhausted();
    t->next = 0;
}

void table_cell(struct table *t, const char *content)
{
    must(scols_line_set_data(t->line, t->next++, content && *content ? content : "-"));
}

void table_cell_number(struct table *t, int64_t number)
{
    table_cell_printf(t, "%" PRId64, number);
}

void table_cell_printf(struct table *t, const char *format, ...)
{
    char content[256];
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(content, sizeof(content), format, ap);
    va_end(ap);
    table_cell(t, content);
}

void table_paint(struct table *t, enum paint paint)
{
    const char *sequence = paint_begin(t->cli, paint);
    if (*sequence)
        must(scols_cell_set_color(scols_line_get_cell(t->line, t->next - 1), sequence));
}

void table_print(struct table *t, FILE *out)
{
    if (!t->line)
        return;
    while (t->next < t->n_columns)
        table_cell(t, NULL);
    must(scols_table_set_stream(t->scols, out));
    must(scols_print_table(t->scols));
}
