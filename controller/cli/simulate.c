/*
 * eyrie simulate: what a policy would have done with a workload. No eyried is asked: the same planner
 * runs here, against a site that is made up.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/command.h"
#include "cli/paint.h"
#include "cli/plan-offline.h"
#include "cli/show.h"
#include "cli/table.h"
#include "sim/sim.h"
#include "sim/swf.h"
#include "sim/synthetic.h"

enum { DAYS_MOST = 3650 };

static int parse_number(const struct cli *cli, const char *option, const char *text, int64_t most,
                        int64_t *ret)
{
    int64_t n;
    if (!text)
        return CLI_OK;
    if (units_parse_count(text, &n) < 0 || n > most)
        return cli_usage(cli, "--%s=%s is not a whole number from 0 to %" PRId64, option, text, most);
    *ret = n;
    return CLI_OK;
}

static int load(const struct cli *cli, const struct policy *p, uint64_t seed, struct workload **ret)
{
    struct swf_figures figures;
    struct err e;
    if (p->n_hosts == 0 || p->n_templates == 0 || p->n_groups == 0) {
        (void)err_set(&e, EINVAL, "%s: a simulation needs hosts, templates and groups", p->file);
        return show_failure(cli, CLI_FAILURE, &e);
    }
    if (cli->trace && swf_read(cli->trace, p, ret, &figures, &e) < 0)
        return show_failure(cli, CLI_FAILURE, &e);
    if (!cli->trace && synthetic_make(cli->synthetic, p, seed, ret, &e) < 0)
        return cli_usage(cli, "%s", e.text);
    return CLI_OK;
}

/* A line that is drawn in place. */
static void progress(void *userdata, usec at, int64_t steps, int64_t jobs_done)
{
    const struct cli *cli = userdata;
    (void)fprintf(cli->err, "\r%6.2f days, %" PRId64 " steps, %" PRId64 " jobs done ",
                  (double)at / (double)USEC_PER_DAY, steps, jobs_done);
    (void)fflush(cli->err);
}

static void add_double(struct json_object *o, const char *key, double value)
{
    char text[64];
    (void)snprintf(text, sizeof(text), "%.4f", value);
    json_add(o, key, json_object_new_double_s(value, text));
}

static struct json_object *view_groups(const struct sim_result *r)
{
    struct json_object *list = json_object_new_array();
    for (size_t i = 0; i < r->n_groups; i++) {
        const struct sim_group *g = &r->groups[i];
        struct json_object *o = json_object_new_object();
        json_add_string(o, "name", g->name);
        json_add_int(o, "jobs", g->jobs);
        json_add_int(o, "wait_median", g->wait_median);
        json_add_int(o, "wait_p95", g->wait_p95);
        json_add_int(o, "wait_most", g->wait_most);
        add_double(o, "cpu_hours", g->cpu_hours);
        (void)json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *view_new(const char *policy, uint64_t seed, const struct sim_result *r)
{
    struct json_object *o = json_object_new_object(), *wrong = json_object_new_array();
    json_add_int(o, "version", 1);
    json_add_string(o, "policy", policy);
    json_add_int(o, "seed", (int64_t)seed);
    json_add_int(o, "simulated", r->simulated);
    json_add_int(o, "steps", r->steps);
    json_add_int(o, "looks", r->looks);
    json_add_int(o, "jobs", r->jobs);
    json_add_int(o, "jobs_done", r->jobs_done);
    json_add_int(o, "jobs_lost", r->jobs_lost);
    json_add_int(o, "jobs_held", r->jobs_held);
    json_add_int(o, "vms_started", r->vms_started);
    json_add_int(o, "vms_peak", r->vms_peak);
    add_double(o, "vm_hours", r->vm_hours);
    add_double(o, "vm_hours_bound", r->bound_vm_hours);
    add_double(o, "cpu_hours", r->cpu_hours);
    add_double(o, "utilisation", r->utilisation);
    if (r->utilisation_full >= 0)
        add_double(o, "utilisation_full", r->utilisation_full);
    add_double(o, "hours_full", r->hours_full);
    add_double(o, "vms_per_1000_jobs",
               r->jobs_done ? 1000.0 * (double)r->vms_started / (double)r->jobs_done : 0);
    json_add_int(o, "faults", r->faults);
    json_add_int(o, "destroyed_unseen", r->unseen);
    json_add_int(o, "violations", r->violations);
    for (int i = 0; i < r->violations && i < SIM_VIOLATIONS_SHOWN; i++)
        (void)json_object_array_add(wrong, json_object_new_string(r->violation[i]));
    json_add(o, "violated", wrong);
    json_add(o, "groups", view_groups(r));
    return o;
}

static void render_groups(const struct cli *cli, struct json_object *view, FILE *out)
{
    static const struct table_column columns[] = {
        {"GROUP", 0}, {"JOBS", TABLE_RIGHT}, {"CPU-HOURS", TABLE_RIGHT},
        {"WAIT MEDIAN", TABLE_RIGHT}, {"P95", TABLE_RIGHT}, {"MOST", TABLE_RIGHT},
    };
    static const char *const waits[] = {"wait_median", "wait_p95", "wait_most"};
    CLEANUP(table_free_p) struct table *t = table_new(cli, columns, ARRAY_SIZE(columns));
    struct json_object *groups = json_array_or_null(view, "groups");
    char text[UNITS_TEXT_MAX];
    for (size_t i = 0; groups && i < json_object_array_length(groups); i++) {
        struct json_object *g = json_object_array_get_idx(groups, i);
        table_row(t);
        table_cell(t, json_string_or(g, "name", ""));
        table_cell_number(t, json_int_or(g, "jobs", 0));
        table_cell_printf(t, "%.1f", json_double_or(g, "cpu_hours", 0));
        for (size_t k = 0; k < ARRAY_SIZE(waits); k++)
            table_cell(t, paint_age(json_int_or(g, waits[k], 0), text));
    }
    table_print(t, out);
}

static void render(const struct cli *cli, struct json_object *view, FILE *out)
{
    double hours = json_double_or(view, "vm_hours", 0);
    double bound = json_double_or(view, "vm_hours_bound", 0);
    int64_t violations = json_int_or(view, "violations", 0);
    struct json_object *wrong = json_array_or_null(view, "violated");
    char text[UNITS_TEXT_MAX];
    for (size_t i = 0; wrong && i < json_object_array_length(wrong); i++)
        (void)fprintf(out, "%s! %s%s\n", paint_begin(cli, PAINT_BAD),
                      json_object_get_string(json_object_array_get_idx(wrong, i)),
                      paint_end(cli, PAINT_BAD));
    render_groups(cli, view, out);
    (void)fprintf(out, "\n%s simulated, %" PRId64 " steps, %" PRId64 " faults, %" PRId64
                       " violations\n",
                  paint_age(json_int_or(view, "simulated", 0), text), json_int_or(view, "steps", 0),
                  json_int_or(view, "faults", 0), violations);
    (void)fprintf(out, "jobs    %" PRId64 " of %" PRId64 " done, %.1f cpu-hours; %" PRId64
                       " were lost with their VM, %" PRId64 " held for it\n",
                  json_int_or(view, "jobs_done", 0), json_int_or(view, "jobs", 0),
                  json_double_or(view, "cpu_hours", 0), json_int_or(view, "jobs_lost", 0),
                  json_int_or(view, "jobs_held", 0));
    (void)fprintf(out, "VMs     %" PRId64 " started (%.1f for 1000 jobs), %" PRId64 " at once\n",
                  json_int_or(view, "vms_started", 0), json_double_or(view, "vms_per_1000_jobs", 0),
                  json_int_or(view, "vms_peak", 0));
    (void)fprintf(out, "hours   %.1f of VMs, %.3f times the least there could be\n", hours,
                  bound > 0 ? hours / bound : 0);
    (void)fprintf(out, "use     %.1f %% of the VMs' cpus",
                  100 * json_double_or(view, "utilisation", 0));
    if (json_double_or(view, "hours_full", 0) > 0)
        (void)fprintf(out, "; %.1f %% in the %.1f hours in which demand exceeded capacity",
                      100 * json_double_or(view, "utilisation_full", 0),
                      json_double_or(view, "hours_full", 0));
    (void)fputc('\n', out);
}

static int judge(struct json_object *view)
{
    return json_int_or(view, "violations", 0) > 0 ? CLI_FAILURE : CLI_OK;
}

int simulate_run(const struct cli *cli, int argc, char **argv)
{
    static const struct show show = {.render = render, .judge = judge};
    CLEANUP(config_free_p) struct config *config = NULL;
    CLEANUP(workload_free_p) struct workload *w = NULL;
    AUTOJSON struct json_object *view = NULL;
    struct sim_result result;
    fault_set faults = 0;
    int64_t seed = 1, days = 0;
    struct err e;
    (void)argv;
    if (argc > 0 || !cli->trace == !cli->synthetic)
        return command_wrong_arguments(cli, "simulate");
    int code = parse_number(cli, "seed", cli->seed, 1000000000, &seed);
    if (code == CLI_OK)
        code = parse_number(cli, "days", cli->days, DAYS_MOST, &days);
    if (code == CLI_OK && cli->faults && fault_parse(cli->faults, &faults, &e) < 0)
        code = cli_usage(cli, "--faults: %s", e.text);
    if (code == CLI_OK)
        code = offline_policy(cli, &config);
    if (code == CLI_OK)
        code = load(cli, config_policy(config), (uint64_t)seed, &w);
    if (code != CLI_OK)
        return code;
    sim_run(&(struct sim_setup){.policy = config_policy(config),
                                .workload = w,
                                .seed = (uint64_t)seed,
                                .horizon = days * USEC_PER_DAY,
                                .faults = faults,
                                .progress = cli->terminal && !cli->json ? progress : NULL,
                                .userdata = (void *)cli},
            &result);
    if (cli->terminal && !cli->json)
        (void)fputs("\r\033[K", cli->err);
    view = view_new(config_policy(config)->file, (uint64_t)seed, &result);
    sim_result_done(&result);
    return show_here(cli, view, &show);
}
