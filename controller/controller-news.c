#include "controller-parts.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "log.h"

/* News: take a step soon. */
void controller_poke(void *userdata)
{
    struct controller *c = userdata;
    if (c->step_due)
        return;
    c->step_due = true;
    loop_timer_set(c->step_timer, CONTROLLER_DEBOUNCE);
}

void controller_note(void *userdata, const char *kind, const char *subject, const char *text)
{
    struct controller *c = userdata;
    bool bad = strstr(kind, "failed") != NULL;
    usec now = loop_now(c->loop);
    struct controller_event *slot = &c->events[c->n_events++ % CONTROLLER_EVENTS];
    free(slot->text);
    slot->at = now;
    slot->text = mem_printf("%s %s%s%s", kind, subject, text[0] ? ": " : "", text);
    if (bad) {
        mem_replace(&c->last_error, slot->text);
        c->last_error_at = now;
    }
    counts_event(&c->counts, kind);
    log_event(bad ? LOG_WARNING : LOG_INFO, kind, subject, text);
    struct err e;
    if (ledger_event_add(c->ledger, &(struct ledger_event){0, now, kind, subject, text}, &e) < 0)
        log_event(LOG_ERR, "ledger-failed", "event", e.text);
}

void controller_note_ledger(struct controller *c)
{
    const char *pool = c->policy->pool.name, *aside = ledger_aside(c->ledger);
    if (*aside && !text_equal(c->ledger_aside, aside)) {
        AUTOFREE char *text = mem_printf("it was damaged, and is kept as %s; a new one is in its place",
                                         aside);
        mem_replace(&c->ledger_aside, aside);
        controller_note(c, "ledger-failed", pool, text);
    }
    if (*ledger_error(c->ledger))
        controller_note(c, "ledger-failed", pool, ledger_error(c->ledger));
}

void controller_mend_ledger(struct controller *c)
{
    struct err e;
    if (!*ledger_error(c->ledger) || ledger_mend(c->ledger, &e) < 0)
        return;
    controller_note_ledger(c);
    controller_keep_sites(c);
    controller_note(c, "ledger-back", c->policy->pool.name, "all that is known is written down");
}

void controller_renewed(void *userdata)
{
    struct controller *c = userdata;
    counts_event(&c->counts, "renewed");
}

void controller_console(void *userdata, const char *uuid, const char *name, const char *text)
{
    struct controller *c = userdata;
    size_t n = 0;
    bool joined = false; /* of one that ended so fast that it is forgotten by now it is unknown */
    const struct world_record *records = ledger_records(c->ledger, &n);
    for (size_t i = 0; i < n; i++)
        joined = joined || (records[i].joined && text_equal(records[i].uuid, uuid));
    if (!joined)
        controller_note(c, "console", name, text);
}

struct host *controller_find_host(void *userdata, const char *name)
{
    struct host_slot *slot = controller_find_slot(userdata, name);
    return slot ? slot->worker : NULL;
}

static struct record_of_starts *find_template(struct controller *c, const char *name)
{
    for (size_t i = 0; i < c->policy->n_templates; i++)
        if (strcmp(c->policy->templates[i].name, name) == 0)
            return &c->templates[i];
    return NULL;
}

void controller_start_failed(void *userdata, const char *host, const char *template)
{
    struct controller *c = userdata;
    struct host_slot *slot = controller_find_slot(c, host);
    struct record_of_starts *of[] = {slot ? &slot->starts : NULL, find_template(c, template)};
    for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
        if (!of[i])
            continue;
        of[i]->failures++;
        of[i]->last_failure = loop_now(c->loop);
        of[i]->joined = 0;
    }
}

void controller_start_succeeded(struct controller *c, const char *host, const char *template,
                                usec took)
{
    struct host_slot *slot = controller_find_slot(c, host);
    struct record_of_starts *of[] = {slot ? &slot->starts : NULL, find_template(c, template)};
    for (size_t i = 0; i < ARRAY_SIZE(of); i++) {
        if (!of[i] || of[i]->jobless) /* that it joins is no news where VMs join and get no job */
            continue;
        of[i]->failures = 0;
        of[i]->joined++;
    }
    boots_learn(c->boots, template, host, took);
}

enum { PARTIES = 3 }; /* that may be to blame for a VM without a job */

/* By the world and policy of the step that is being taken. */
static void find_parties(struct controller *c, const struct plan_vm *vm,
                         struct record_of_starts *of[static PARTIES])
{
    of[0] = vm->world_host == SIZE_MAX ? NULL : &c->hosts[vm->world_host].starts;
    of[1] = vm->policy_template == SIZE_MAX ? NULL : &c->templates[vm->policy_template];
    of[2] = vm->policy_group == SIZE_MAX ? NULL : &c->groups[vm->policy_group];
}

void controller_got_job(struct controller *c, const struct plan_vm *vm, bool first)
{
    struct record_of_starts *of[PARTIES];
    find_parties(c, vm, of);
    for (size_t i = 0; i < PARTIES; i++) {
        if (!of[i])
            continue;
        of[i]->worked = loop_now(c->loop);
        if (first && of[i]->jobless) {
            of[i]->failures = of[i]->jobless = 0;
            of[i]->joined = 1;
        }
    }
}

void controller_got_no_job(struct controller *c, const struct plan_vm *vm, const char *why)
{
    const char *const what[PARTIES] = {"host ", "template ", "group "};
    const char *const name[PARTIES] = {vm->host, vm->template, vm->group};
    struct record_of_starts *of[PARTIES];
    CLEANUP(text_done) struct text text = {0};
    const char *before = "; counts against ";
    find_parties(c, vm, of);
    text_add(&text, why);
    for (size_t i = 0; i < PARTIES; i++) {
        if (!of[i] || of[i]->worked >= vm->record->joined)
            continue;
        of[i]->failures++;
        of[i]->jobless++;
        of[i]->last_failure = loop_now(c->loop);
        of[i]->joined = 0;
        text_printf(&text, "%s%s%s", before, what[i], name[i]);
        before = ", ";
    }
    controller_note(c, "start-failed", vm->name, text_get(&text));
}

void controller_log_host(void *userdata, const char *host, const char *line)
{
    (void)userdata;
    log_event(LOG_INFO, "host", host, line);
}

void controller_refused_job(void *userdata, const struct refused_job *job)
{
    struct controller *c = userdata;
    AUTOFREE char *subject = mem_printf("%s %" PRId64 ".%" PRId64, job->schedd, job->cluster, job->proc);
    AUTOFREE char *text = mem_printf("of %s, group %s: %s", job->owner, job->group, job->reason);
    if (!ledger_event_known(c->ledger, "job-refused", subject))
        controller_note(c, "job-refused", subject, text);
}

static void looked(void *userdata)
{
    struct controller *c = userdata;
    struct look_figures figures;
    struct world w;
    look_fill(c->look, &w);
    refused_look(c->refused_jobs, c->policy, w.queues, w.n_queues);
    look_get_figures(c->look, &figures);
    histogram_add(&c->counts.looks, figures.took);
    c->counts.look_failures = figures.failures;
    c->counts.queue_bytes = figures.queue_bytes;
    c->counts.pool_bytes = figures.pool_bytes;
    controller_poke(userdata);
}

void controller_look(void *userdata)
{
    struct controller *c = userdata;
    controller_look_flocks(c);
    for (size_t i = 0; i < c->n_hosts; i++)
        if (c->hosts[i].worker)
            host_look(c->hosts[i].worker);
    files_mend(c->files);
    (void)look_start(c->look, c->policy, looked, c);
    loop_timer_set(c->look_timer, c->policy->timing.look_every.value);
}
