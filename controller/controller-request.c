/*
 * What groups have booked: the facts for the planner, what they make of it, and what is asked for. A
 * request is on disk before it is answered; what its jobs use is written down every few minutes.
 */
#include "controller-parts.h"

#include <inttypes.h>
#include <string.h>

#include "base/limits.h"

static const usec save_every = 5 * USEC_PER_MINUTE;
static const usec remember_for = USEC_PER_DAY; /* what has ended, for jobs that still name it */

const struct world_request *controller_fill_requests(const struct controller *c, struct arena *a,
                                                     size_t *ret_n)
{
    size_t n, of = 0;
    const struct ledger_request *all = ledger_requests(c->ledger, &n);
    struct world_request *rows = arena_take(a, n, sizeof(*rows));
    for (size_t i = 0; i < n; i++)
        if (all[i].state != LEDGER_REQUEST_WAITING && all[i].state != LEDGER_REQUEST_DENIED)
            rows[of++] = all[i].booking;
    *ret_n = of;
    return rows;
}

int64_t controller_waiting_requests(const struct controller *c)
{
    size_t n;
    int64_t waiting = 0;
    const struct ledger_request *all = ledger_requests(c->ledger, &n);
    for (size_t i = 0; i < n; i++)
        waiting += all[i].state == LEDGER_REQUEST_WAITING;
    return waiting;
}

/* ---- time goes on ---------------------------------------------------------------------------- */

/* Write @r down as it has become; an event tells of it. */
static void move(struct controller *c, const struct ledger_request *r, const char *event,
                 const char *why)
{
    struct err e;
    AUTOFREE char *id = mem_strdup(r->booking.id); /* the ledger's own goes with the change */
    AUTOFREE char *text = mem_printf("%s, of %s: %s", r->booking.group, r->booking.user, why);
    if (ledger_request_set(c->ledger, r, &e) < 0)
        controller_note(c, "ledger-failed", id, e.text);
    else
        controller_note(c, event, id, text);
}

static void hand_back(struct controller *c, const struct ledger_request *r, usec now)
{
    struct ledger_request after = *r;
    char idle[UNITS_TEXT_MAX];
    usec allowed = c->policy->timing.give_back_after.value;
    AUTOFREE char *why = mem_printf("its VMs were idle for %s and no job named it",
                                    units_format_duration(allowed, idle));
    after.state = LEDGER_REQUEST_HANDED_BACK;
    after.booking.ended = now;
    after.decided = (struct world_order){now, "", why};
    move(c, &after, "request-handed-back", why);
}

static void end(struct controller *c, const struct ledger_request *r)
{
    struct ledger_request after = *r;
    const double hour = (double)USEC_PER_HOUR;
    AUTOFREE char *why =
        mem_printf("its time is over; %.1f cpu-hours were delivered of %.1f",
                   (double)r->seen.delivered / hour,
                   (double)r->cpus * (double)(r->booking.until - r->booking.from) / hour);
    if (r->state == LEDGER_REQUEST_GRANTED) {
        after.state = LEDGER_REQUEST_ENDED;
        move(c, &after, "request-ended", why);
        return;
    }
    after.state = LEDGER_REQUEST_DENIED;
    after.decided = (struct world_order){loop_now(c->loop), "", "nobody decided in time"};
    move(c, &after, "request-denied", after.decided.reason);
}

void controller_settle_requests(struct controller *c)
{
    usec now = loop_now(c->loop);
    size_t n;
    ledger_requests_forget(c->ledger, now - remember_for);
    const struct ledger_request *all = ledger_requests(c->ledger, &n);
    for (size_t i = 0; i < n && !*ledger_error(c->ledger); i++)
        if (ledger_request_is_open(&all[i]) && all[i].booking.until <= now)
            end(c, &all[i]);
}

/* ---- what was seen --------------------------------------------------------------------------- */

/* Of one request, in the facts of a step. */
struct sight {
    bool jobs;     /* one names it, or runs in its VMs */
    bool unknown;  /* a VM of it is lost: nobody knows what runs there */
    int64_t up;    /* VMs */
    int64_t cpus;  /* that jobs have in them */
};

static void see_vms(const struct plan *plan, struct sight *sights)
{
    for (size_t i = 0; i < plan->n_vms; i++) {
        const struct plan_vm *vm = &plan->vms[i];
        if (vm->request >= plan->n_requests)
            continue;
        struct sight *s = &sights[vm->request];
        s->unknown = s->unknown || vm->state == VM_LOST;
        s->up += vm->state == VM_IDLE || vm->state == VM_BUSY;
        if (vm->startd && vm->claimed > 0) {
            s->jobs = true;
            s->cpus += vm->startd->cpus - vm->startd->free_cpus;
        }
    }
}

/* Its place in the world, which has them in the order of their numbers; or SIZE_MAX. */
static size_t find_request(const struct world *w, int64_t number)
{
    size_t low = 0, high = w->n_requests;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ledger_request_number(w->requests[middle].id) < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < w->n_requests && ledger_request_number(w->requests[low].id) == number ? low
                                                                                      : SIZE_MAX;
}

static void see_jobs(const struct world *w, const struct plan *plan, struct sight *sights)
{
    for (size_t i = 0; i < plan->n_shapes; i++) {
        const struct world_shape *shape = plan->shapes[i].shape;
        size_t k = find_request(w, ledger_request_number(shape->request));
        if (k != SIZE_MAX && strcmp(w->requests[k].group, shape->group) == 0)
            sights[k].jobs = true;
    }
}

/* How long the present answer of the pool stands for: since the last one, if that was not long ago. */
static usec span_of_answer(struct controller *c, const struct world *w)
{
    usec asked = w->pool.fact.asked, span = asked - c->pool_counted;
    bool usual = c->pool_counted && span > 0 && span <= c->policy->timing.trust_for.value;
    c->pool_counted = asked;
    return usual ? span : 0;
}

static bool is_all_trusted(const struct plan *plan)
{
    for (size_t i = 0; i < plan->n_trust; i++)
        if (!plan->trust[i].trusted && strcmp(plan->trust[i].kind, "host") != 0)
            return false;
    return true;
}

/* Whether nobody has used it for too long, as far as is known for sure. */
static bool is_idle(const struct controller *c, const struct world *w, const struct ledger_request *r,
                    const struct sight *s)
{
    usec allowed = c->policy->timing.give_back_after.value;
    usec since = r->seen.up > r->booking.from ? r->seen.up : r->booking.from;
    since = w->clock_jumped > since ? w->clock_jumped : since;
    return allowed && r->state == LEDGER_REQUEST_GRANTED && r->seen.up && !r->seen.used &&
           !s->unknown && w->now - since >= allowed;
}

void controller_see_requests(struct controller *c, const struct world *w, const struct plan *plan)
{
    AUTOFREE struct sight *sights = mem_new(w->n_requests, sizeof(*sights));
    bool trusted = is_all_trusted(plan) && !*ledger_error(c->ledger);
    usec span = span_of_answer(c, w);
    struct err e;
    size_t n, k = 0;
    see_vms(plan, sights);
    see_jobs(w, plan, sights);
    const struct ledger_request *all = ledger_requests(c->ledger, &n);
    for (size_t i = 0; i < n; i++) {
        const struct ledger_request *r = &all[i];
        if (k == w->n_requests || strcmp(w->requests[k].id, r->booking.id) != 0)
            continue; /* it is not granted: the world has the others in the same order */
        const struct sight *s = &sights[k++];
        struct ledger_request_seen seen = r->seen;
        seen.used = !seen.used && s->jobs ? w->now : seen.used;
        seen.up = s->up == 0 ? 0 : seen.up ? seen.up : w->now;
        seen.delivered += s->cpus * span;
        ledger_request_see(c->ledger, r->number, &seen);
        if (trusted && is_idle(c, w, r, s))
            hand_back(c, r, w->now);
    }
    if (w->now - c->requests_saved < save_every && w->now >= c->requests_saved)
        return;
    c->requests_saved = w->now;
    if (ledger_requests_keep_seen(c->ledger, &e) < 0)
        controller_note(c, "ledger-failed", "requests", e.text);
}

/* ---- the API's side -------------------------------------------------------------------------- */

int controller_requests(void *userdata, int64_t number, bool all,
                        void (*callback)(void *userdata, const struct ledger_request *r),
                        void *callback_userdata, struct err *e)
{
    struct controller *c = userdata;
    size_t n;
    if (all)
        return ledger_requests_read(c->ledger, number, LIMIT_REQUESTS_SHOWN, callback,
                                    callback_userdata, e);
    const struct ledger_request *rows = ledger_requests(c->ledger, &n);
    for (size_t i = 0; i < n; i++)
        callback(callback_userdata, &rows[i]);
    return 0;
}

/* Write the answer down, and tell of it. */
static int keep(struct controller *c, struct arena *a, const struct booking *b,
                struct ledger_request *r, const char *event, struct err *e)
{
    CLEANUP(text_done) struct text text = {0};
    int code = r->number ? ledger_request_set(c->ledger, r, e)
                         : ledger_request_add(c->ledger, r, &r->number, e);
    if (code < 0)
        return code;
    r->booking.id = arena_printf(a, "r-%" PRId64, r->number);
    part_render_request(c->policy, r, loop_now(c->loop), &text);
    text_printf(&text, ", by %s (uid %" PRIuMAX ")%s%s", b->user, (uintmax_t)b->uid,
                *b->reason ? ": " : "", b->reason);
    controller_note(c, event, r->booking.id, text_get(&text));
    controller_poke(c);
    return 0;
}

int controller_book(void *userdata, struct booking *b, const struct asker *asker,
                    struct json_object **ret, bool *ret_refused, struct err *e)
{
    struct controller *c = userdata;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    struct world w = *c->snapshot->world; /* facts change with a step; what is booked, at once */
    struct booking_facts facts = {.policy = c->policy, .world = &w};
    struct booking_answer answer;
    w.now = loop_now(c->loop);
    w.requests = controller_fill_requests(c, a, &w.n_requests);
    if (c->snapshot->policy == c->policy) /* its reasons name lines of that one */
        facts.plan = c->snapshot->plan;
    facts.requests = ledger_requests(c->ledger, &facts.n_requests);
    b->uid = asker->uid;
    b->admin = access_allows(c->access, asker);
    int r = booking_decide(a, &facts, b, &answer, e);
    if (r == 0 && !answer.refused && !b->preview)
        r = keep(c, a, b, &answer.request, answer.event, e);
    if (r < 0)
        return r;
    *ret_refused = answer.refused;
    *ret = view_booking(&facts, b, &answer);
    return 0;
}
