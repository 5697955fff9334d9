/*
 * The table of eyrie-vm-life(7), in scdoc: the planner itself is asked what it makes of a VM, for each
 * thing that may be seen of it and each thing that the ledger may know. So the table is total, and a
 * page that says something else than the planner does cannot be.
 *
 * usage: life-page PAGE     PAGE with its line "@LIFE@" replaced
 *        life-page --check  nothing but the exit status: whether each cell keeps the rules
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "plan/plan.h"

#define NOW (1000 * USEC_PER_DAY)
#define LONG_AGO (NOW - USEC_PER_DAY) /* every timer below is over */
#define UUID "1a2b3c4d-0000-4000-8000-000000000001"
#define NAME "vpool-small-1a2b3c4d"

static const struct policy policy = {
    .pool = {.name = "vpool", .central_manager = "vcm"},
    .limits = {.vms = {10}, .cpus = {POLICY_UNLIMITED}, .memory = {POLICY_UNLIMITED}},
    .timing = {.idle_before_drain = {10 * USEC_PER_MINUTE},
               .join_within = {10 * USEC_PER_MINUTE},
               .first_job_within = {30 * USEC_PER_MINUTE},
               .poweroff_within = {2 * USEC_PER_MINUTE},
               .drain_within = {2 * USEC_PER_DAY},
               .max_age = {14 * USEC_PER_DAY},
               .trust_for = {USEC_PER_MINUTE}},
    .hosts = &(const struct policy_host){.name = "hv", .max_vms = {POLICY_UNLIMITED}},
    .n_hosts = 1,
    .templates = &(const struct policy_template){.name = "small", .generation = "g", .cpus = 2,
                                                 .memory = GIB, .max_vms = {POLICY_UNLIMITED}},
    .n_templates = 1,
};

/* What is seen of it. */
static const struct {
    const char *what;
    bool silent;   /* the host does not answer */
    bool domain, foreign;
    bool slots;
    struct world_startd startd;
} rows[] = {
    {.what = "its host does not answer", .silent = true, .slots = true},
    {.what = "a domain that is not ours", .domain = true, .foreign = true},
    {.what = "no domain"},
    {.what = "a domain, no slot", .domain = true},
    {.what = "slots, none claimed", .domain = true, .slots = true},
    {.what = "a claimed slot", .domain = true, .slots = true, .startd = {.claimed = 1}},
    {.what = "draining, a slot still claimed", .domain = true, .slots = true,
     .startd = {.claimed = 1, .draining = true}},
    {.what = "drained and empty", .domain = true, .slots = true,
     .startd = {.draining = true, .drained = true}},
    {.what = "drained, yet a slot is claimed", .domain = true, .slots = true,
     .startd = {.claimed = 1, .draining = true, .drained = true}},
};

/* What the ledger knows of it; long ago but for the second. */
static const struct {
    const char *what;
    struct world_record record; /* no uuid: none */
} columns[] = {
    {"nothing", {0}},
    {"just decided", {.uuid = UUID, .create_decided = NOW}},
    {"created", {.uuid = UUID}},
    {"joined", {.uuid = UUID, .joined = LONG_AGO, .first_job = LONG_AGO}},
    {"given up", {.uuid = UUID, .joined = LONG_AGO, .given_up = LONG_AGO}},
    {"told to power off", {.uuid = UUID, .joined = LONG_AGO, .first_job = LONG_AGO, .poweroff_decided = LONG_AGO}},
    {"told to be destroyed", {.uuid = UUID, .destroy_decided = LONG_AGO}},
};

struct cell {
    const struct plan_vm *vm;          /* NULL: there is none to speak of */
    const struct plan_action *action; /* NULL: nothing is done */
};

static struct cell ask(struct arena *a, size_t row, size_t column)
{
    const struct world_fact good = {.asked = NOW, .since = LONG_AGO, .error = ""};
    const struct world_fact none = {.asked = LONG_AGO, .failed = NOW, .error = ""};
    struct world_record record = columns[column].record;
    struct world_startd startd = rows[row].startd;
    struct world_domain domain = {.uuid = UUID, .name = NAME, .state = "running",
                                  .ours = !rows[row].foreign, .why_foreign = "", .template = "small",
                                  .generation = "g", .group = "", .cpus = 2, .memory = GIB,
                                  .request = ""};
    record.name = NAME;
    record.host = "hv";
    record.template = "small";
    record.generation = "g";
    record.group = record.why = record.request = "";
    record.order = (struct world_order)WORLD_NOBODY;
    if (!record.create_decided) {
        record.create_decided = record.create_answered = LONG_AGO;
        record.create_answer = WORLD_ANSWER_OK;
    }
    domain.born = record.create_decided;
    record.idle_since = LONG_AGO;
    startd.uuid = UUID;
    startd.name = startd.machine = NAME;
    startd.address = startd.job = "";
    startd.cpus = 2;
    startd.usable = true;
    startd.heard = NOW;
    struct world_host host = {.name = "hv", .fact = rows[row].silent ? none : good,
                              .order = WORLD_NOBODY, .cpus = 64, .memory = 64 * GIB,
                              .domains = &domain, .n_domains = rows[row].domain};
    struct world w = {.now = NOW, .order = WORLD_NOBODY,
                      .pool = {.fact = good, .startds = &startd, .n_startds = rows[row].slots},
                      .hosts = &host, .n_hosts = 1, .records = &record, .n_records = record.uuid != NULL};
    const struct plan *plan = plan_make(a, &policy, &w);
    struct cell cell = {0};
    for (size_t i = 0; i < plan->n_vms && !cell.vm; i++)
        if (strcmp(plan->vms[i].uuid, UUID) == 0)
            cell.vm = &plan->vms[i];
    for (size_t i = 0; i < plan->n_actions && !cell.action; i++)
        if (strcmp(plan->actions[i].uuid, UUID) == 0)
            cell.action = &plan->actions[i];
    return cell;
}

static void put_table(struct arena *a)
{
    printf("[[ *What is seen of it*\n");
    for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
        printf(":[ *%s*\n", columns[c].what);
    for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
        printf("|  %s\n", rows[r].what);
        for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
            struct cell cell = ask(a, r, c);
            printf(":  %s", cell.vm ? vm_state_name(cell.vm->state) : "-");
            printf(cell.action ? " → _%s_\n" : "\n",
                   cell.action ? action_kind_name(cell.action->kind) : "");
        }
    }
}

/* S1: what has a claimed slot stays. Unknown is never touched, nor is what is somebody else's. */
static int check(struct arena *a)
{
    int wrong = 0;
    for (size_t r = 0; r < ARRAY_SIZE(rows); r++) {
        for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
            struct cell cell = ask(a, r, c);
            bool ends = cell.action && (cell.action->kind == ACTION_POWEROFF ||
                                        cell.action->kind == ACTION_DESTROY);
            bool untouched = !cell.vm || cell.vm->state == VM_LOST || cell.vm->state == VM_FOREIGN;
            if ((ends && rows[r].startd.claimed > 0) || (untouched && cell.action)) {
                (void)fprintf(stderr, "%s, and the ledger knows: %s: it is %s\n", rows[r].what,
                              columns[c].what, action_kind_name(cell.action->kind));
                wrong = 1;
            }
        }
    }
    return wrong;
}

int main(int argc, char **argv)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    char line[1024];
    if (argc == 2 && strcmp(argv[1], "--check") == 0)
        return check(a);
    FILE *page = argc == 2 ? fopen(argv[1], "re") : NULL;
    if (!page) {
        (void)fprintf(stderr, "usage: life-page PAGE | --check\n");
        return 64;
    }
    while (fgets(line, sizeof(line), page)) {
        if (strcmp(line, "@LIFE@\n") == 0)
            put_table(a);
        else
            (void)fputs(line, stdout);
    }
    (void)fclose(page);
    return 0;
}
