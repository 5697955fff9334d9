#include "doctor/visit.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "loop/condor.h"

/* Children at once: enough that a dead host or two do not hold up the rest. */
enum { ERRANDS_OUT = 32, WORDS_MAX = 32 };

struct errand {
    struct errand *next;
    struct visit *v;
    struct errand_args args;
    struct child *child;
};

static const char *const *words_copy(struct visit *v, const char *const *words)
{
    size_t n = 0;
    while (words[n])
        n++;
    assert(n < WORDS_MAX);
    return memcpy(arena_take(v->arena, n + 1, sizeof(*words)), words, n * sizeof(*words));
}

static void start(struct visit *v);

static void child_ended(void *userdata, const struct child_result *r)
{
    struct errand *e = userdata;
    struct visit *v = e->v;
    for (struct errand **at = &v->out; *at; at = &(*at)->next)
        if (*at == e) {
            *at = e->next;
            break;
        }
    e->args.done(v, e->args.about, r);
    (void)child_free(e->child);
    start(v);
    visit_release(v);
}

/* Start what waits, as far as there is room. */
static void start(struct visit *v)
{
    size_t running = 0;
    for (const struct errand *e = v->out; e; e = e->next)
        running++;
    for (; v->waiting && running < ERRANDS_OUT; running++) {
        struct errand *e = v->waiting;
        v->waiting = e->next;
        if (!v->waiting)
            v->last_waiting = &v->waiting;
        e->next = v->out;
        v->out = e;
        e->child = condor_run(v->loop, e->args.tools,
                              &(struct child_args){.argv = e->args.argv,
                                                   .environment = e->args.environment,
                                                   .deadline = e->args.deadline,
                                                   .done = child_ended,
                                                   .userdata = e});
    }
}

void visit_send(struct visit *v, const struct errand_args *args)
{
    struct errand *e = arena_take(v->arena, 1, sizeof(*e));
    *e = (struct errand){.v = v, .args = *args};
    e->args.argv = words_copy(v, args->argv);
    if (args->environment)
        e->args.environment = words_copy(v, args->environment);
    if (!v->last_waiting)
        v->last_waiting = &v->waiting;
    *v->last_waiting = e;
    v->last_waiting = &e->next;
    visit_hold(v);
    start(v);
}

void visit_hold(struct visit *v)
{
    v->n_out++;
}

void visit_release(struct visit *v)
{
    assert(v->n_out > 0);
    if (--v->n_out == 0)
        loop_quit(v->loop, 0);
}

void visit_end(struct visit *v)
{
    for (struct errand *e = v->out; e; e = e->next)
        e->child = child_free(e->child);
    v->out = NULL;
    v->waiting = NULL;
}

static void note(struct visit *v, enum check_id check, const struct finding *f)
{
    v->findings = arena_grow(v->arena, v->findings, v->n, &v->capacity, sizeof(*v->findings));
    v->findings[v->n] = *f;
    v->findings[v->n].part = doctor_checks[check].part;
    v->findings[v->n].check = doctor_checks[check].name;
    v->n++;
}

static char *text_of(struct visit *v, const char *format, va_list ap)
{
    char *text = NULL;
    if (vasprintf(&text, format, ap) < 0)
        mem_exhausted();
    char *copy = arena_strdup(v->arena, text);
    free(text);
    return copy;
}

void visit_ok(struct visit *v, enum check_id check, const char *subject, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    note(v, check,
         &(struct finding){
             .subject = subject, .verdict = FINDING_OK, .what = text_of(v, format, ap)});
    va_end(ap);
}

void visit_skip(struct visit *v, enum check_id check, const char *subject, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    note(v, check,
         &(struct finding){
             .subject = subject, .verdict = FINDING_SKIPPED, .what = text_of(v, format, ap)});
    va_end(ap);
}

void visit_wrong(struct visit *v, enum check_id check, const char *subject, const char *what,
                 const char *why, const char *mend)
{
    note(v, check,
         &(struct finding){.subject = subject,
                           .verdict = FINDING_WRONG,
                           .what = arena_strdup(v->arena, what),
                           .why = arena_strdup(v->arena, why),
                           .mend = arena_strdup(v->arena, mend)});
}

const char *visit_reason(struct visit *v, const struct child_result *r)
{
    const char *said = *r->messages ? r->messages : r->output;
    size_t end = strlen(said);
    while (end > 0 && strchr(" \t\r\n", said[end - 1]))
        end--;
    size_t from = end;
    while (from > 0 && said[from - 1] != '\n')
        from--;
    if (r->end != CHILD_EXITED || end == from)
        return arena_strdup(v->arena, r->error ? r->error : "no reason given");
    return arena_printf(v->arena, "%.*s", (int)(end - from), said + from);
}
