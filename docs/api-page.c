/*
 * The parts of eyrie-api(5) that are made from the tables which eyried answers with.
 *
 * usage: api-page PAGE      PAGE with its lines "@ROUTES@" and "@METRICS@" replaced
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/metrics.h"
#include "serve/route.h"

/* As scdoc wants it: an underscore would begin an emphasis. */
static void put_escaped(const char *text)
{
    for (; *text; text++) {
        if (strchr("_*\\~`[", *text))
            (void)putchar('\\');
        (void)putchar(*text);
    }
}

static void put_routes(void)
{
    for (size_t i = 0; route_name(i); i++) {
        (void)fputs(i ? "++\n*" : "*", stdout);
        put_escaped(route_name(i));
        (void)fputs("*", stdout);
    }
    (void)putchar('\n');
}

static void put_metrics(const struct metric *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct openmetrics_family *f = &list[i].family;
        (void)putchar('*');
        put_escaped(f->name);
        (void)printf("* (%s)\n\t", openmetrics_type_name(f->type));
        put_escaped(f->help);
        (void)fputs("\n\n", stdout);
    }
}

int main(int argc, char **argv)
{
    char line[4096];
    int found = 0;
    FILE *page = argc == 2 ? fopen(argv[1], "re") : NULL;
    if (!page) {
        (void)fprintf(stderr, "usage: api-page PAGE\n");
        return EXIT_FAILURE;
    }
    while (fgets(line, sizeof(line), page)) {
        if (strcmp(line, "@ROUTES@\n") == 0) {
            found |= 1;
            put_routes();
        } else if (strcmp(line, "@METRICS@\n") == 0) {
            found |= 2;
            put_metrics(metrics_pool, metrics_pool_count);
            put_metrics(metrics_server, metrics_server_count);
        } else {
            (void)fputs(line, stdout);
        }
    }
    (void)fclose(page);
    return found == 3 && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
