#include "sim/swf.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/mem.h"

enum {
    LINE_MAX_BYTES = 4096,
    FIELDS = 18,
    FIELD_SUBMIT = 1,
    FIELD_RUNTIME = 3,
    FIELD_CPUS = 4,
    FIELD_MEMORY = 6,
    FIELD_CPUS_ASKED = 7,
    FIELD_MEMORY_ASKED = 9,
    FIELD_USER = 11,
    FIELD_GROUP = 12,
};

/* Ten years of seconds at most, and so many cpus: more is garbage, and must not overflow. */
static const int64_t most_seconds = 3650LL * 86400;
static const int64_t most_cpus = 1 << 20;
static const int64_t most_kib = 1LL << 40;

static void gz_close_p(gzFile *file)
{
    if (*file)
        (void)gzclose(*file);
}

/* Numbers of a line; the fields may have decimals, which are cut. Returns how many there are. */
static int parse_numbers(const char *line, int64_t fields[static FIELDS], bool *ret_garbage)
{
    int n = 0;
    for (const char *p = line; ; n++) {
        p += strspn(p, " \t\r\n");
        if (!*p)
            return n;
        char *end;
        double value = strtod(p, &end);
        if (end == p || (*end && !strchr(" \t\r\n", *end)) || !(value > -1e15 && value < 1e15)) {
            *ret_garbage = true;
            return n;
        }
        if (n < FIELDS)
            fields[n] = (int64_t)value;
        p = end;
    }
}

static size_t find_group(const struct policy *p, int64_t number)
{
    char name[32];
    (void)snprintf(name, sizeof(name), "g%" PRId64, number);
    for (size_t i = 0; i < p->n_groups; i++)
        if (strcmp(p->groups[i].name, name) == 0)
            return i;
    return workload_group(p, number);
}

static bool is_between(int64_t value, int64_t least, int64_t most)
{
    return value >= least && value <= most;
}

static void add_job(struct workload *w, const struct policy *p, const int64_t f[static FIELDS],
                    struct swf_figures *figures)
{
    int64_t cpus = f[FIELD_CPUS] > 0 ? f[FIELD_CPUS] : f[FIELD_CPUS_ASKED];
    int64_t kib = f[FIELD_MEMORY_ASKED] > 0 ? f[FIELD_MEMORY_ASKED] : f[FIELD_MEMORY];
    if (!is_between(f[FIELD_SUBMIT], 0, most_seconds) || !is_between(cpus, 1, most_cpus) ||
        !is_between(f[FIELD_RUNTIME], 1, most_seconds) || kib > most_kib) {
        figures->skipped++;
        return;
    }
    size_t group = find_group(p, f[FIELD_GROUP]);
    struct kind kind = {
        .owner = workload_owner(w, p, group, f[FIELD_USER]),
        .group = group == SIZE_MAX ? "" : p->groups[group].name,
        .policy_group = group,
        .cpus = cpus,
        .memory = kib > 0 ? kib * KIB * cpus : workload_memory_per_cpu(p) * cpus,
        .disk = 1 * GIB,
    };
    workload_add(w, f[FIELD_SUBMIT] * USEC_PER_SEC, f[FIELD_RUNTIME] * USEC_PER_SEC, &kind);
    figures->jobs++;
}

/* Whether all that was read so far was good. */
static int check_stream(gzFile file, const char *path, struct err *e)
{
    int code = Z_OK;
    const char *text = gzerror(file, &code);
    if (code == Z_ERRNO)
        return err_set(e, errno ? errno : EIO, "%s: %s", path, strerror(errno));
    if (code != Z_OK && code != Z_STREAM_END)
        return err_set(e, EBADMSG, "%s: %s", path,
                       code == Z_BUF_ERROR ? "it ends in the middle" : text);
    return 0;
}

static int read_jobs(gzFile file, const char *path, struct workload *w, const struct policy *p,
                     struct swf_figures *figures, struct err *e)
{
    char line[LINE_MAX_BYTES];
    for (int64_t number = 1; gzgets(file, line, sizeof(line)); number++) {
        size_t length = strlen(line);
        if (length > 0 && line[length - 1] != '\n' && check_stream(file, path, e) < 0)
            return -EBADMSG;
        int64_t fields[FIELDS] = {0};
        bool garbage = false;
        if (line[strspn(line, " \t\r\n")] == ';' || !line[strspn(line, " \t\r\n")])
            continue;
        if (length + 1 == sizeof(line) && line[length - 1] != '\n')
            return err_set(e, EBADMSG, "%s:%" PRId64 ": the line is too long for a job", path,
                           number);
        int n = parse_numbers(line, fields, &garbage);
        if (garbage)
            return err_set(e, EBADMSG, "%s:%" PRId64 ": field %d is no number; a job is %d numbers",
                           path, number, n + 1, FIELDS);
        if (n != FIELDS)
            return err_set(e, EBADMSG, "%s:%" PRId64 ": %d numbers; a job has %d", path, number, n,
                           FIELDS);
        add_job(w, p, fields, figures);
    }
    return check_stream(file, path, e);
}

int swf_read(const char *path, const struct policy *p, struct workload **ret,
             struct swf_figures *ret_figures, struct err *e)
{
    CLEANUP(workload_free_p) struct workload *w = workload_new();
    struct swf_figures figures = {0};
    CLEANUP(gz_close_p) gzFile file = gzopen(path, "re");
    if (!file)
        return err_set(e, errno ? errno : ENOMEM, "%s: %s", path,
                       errno ? strerror(errno) : "out of memory");
    int r = read_jobs(file, path, w, p, &figures, e);
    if (r < 0)
        return r;
    if (figures.jobs == 0)
        return err_set(e, EBADMSG, "%s: it holds no job that ran", path);
    workload_sort(w);
    *ret = w;
    *ret_figures = figures;
    w = NULL;
    return 0;
}
