#include "serve/booking.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/when.h"
#include "config/spelling.h"

/* ---- who, and about what --------------------------------------------------------------------- */

/* An ask on its way. */
struct deciding {
    struct arena *a;
    const struct booking_facts *f;
    const struct booking *b;
    usec now;
};

/* " (conf.d/juno.yaml:3)" */
static const char *place(const struct deciding *d, struct policy_place at)
{
    return at.line ? arena_printf(d->a, " (%s:%u)", d->f->policy->files[at.file], at.line) : "";
}

static int find_group(const struct deciding *d, const char *name, const struct policy_group **ret,
                      struct err *e)
{
    const struct policy *p = d->f->policy;
    const char *near = NULL;
    if (!*name)
        return err_set(e, EINVAL, "which group is it for? Give --group");
    for (size_t i = 0; i < p->n_groups; i++) {
        if (strcmp(p->groups[i].name, name) == 0) {
            *ret = &p->groups[i];
            return 0;
        }
        spelling_nearer(name, p->groups[i].name, &near);
    }
    return near ? err_set(e, ENOENT, "there is no group \"%s\"; did you mean %s?", name, near)
                : err_set(e, ENOENT, "there is no group \"%s\"", name);
}

/* Submitters of a group manage its requests, admins those of all. */
static int may_manage(const struct deciding *d, const struct policy_group *g, struct err *e)
{
    if (d->b->admin || g->n_submitters == 0)
        return 0;
    for (size_t i = 0; i < g->n_submitters; i++)
        if (strcmp(g->submitters[i], d->b->user) == 0)
            return 0;
    return err_set(e, EPERM, "%s may not book for group %s: groups.%s.submitters%s names who may",
                   d->b->user, g->name, g->name, place(d, g->at));
}

static int may_judge(const struct deciding *d, const char *what, struct err *e)
{
    if (d->b->admin)
        return 0;
    return err_set(e, EPERM, "%s may not %s requests; access.admins in %s names who may",
                   d->b->user, what, d->f->policy->file);
}

static int find_request(const struct deciding *d, const struct ledger_request **ret, struct err *e)
{
    for (size_t i = 0; i < d->f->n_requests; i++) {
        const struct ledger_request *r = &d->f->requests[i];
        if (strcmp(r->booking.id, d->b->id) != 0)
            continue;
        if (!ledger_request_is_open(r))
            return err_set(e, EINVAL, "%s is %s, there is nothing to change any more",
                           r->booking.id, ledger_request_state_name(r->state));
        *ret = r;
        return 0;
    }
    return err_set(e, ENOENT, "there is no request \"%.64s\" that could be changed; eyrie request list "
                              "shows them", d->b->id);
}

static const struct policy_template *find_template(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_templates; i++)
        if (strcmp(p->templates[i].name, name) == 0)
            return &p->templates[i];
    return NULL;
}

/* The template that is named, or the group's only one. Whether it may use it, the calendar knows. */
static int pick_template(const struct deciding *d, const struct policy_group *g,
                         const struct policy_template **ret, struct err *e)
{
    const struct policy *p = d->f->policy;
    CLEANUP(text_done) struct text names = {0};
    const char *near = NULL;
    for (size_t i = 0; i < g->n_templates; i++) {
        const char *name = p->templates[g->templates[i]].name;
        text_printf(&names, "%s%s", i ? ", " : "", name);
        spelling_nearer(d->b->template, name, &near);
    }
    if (!*d->b->template && g->n_templates != 1)
        return err_set(e, EINVAL, "which template? Group %s has several: %s", g->name,
                       text_get(&names));
    *ret = *d->b->template ? find_template(p, d->b->template) : &p->templates[g->templates[0]];
    if (*ret)
        return 0;
    return err_set(e, ENOENT, "there is no template \"%s\"%s%s%s; group %s has %s", d->b->template,
                   near ? "; did you mean " : "", near ? near : "", near ? "?" : "", g->name,
                   text_get(&names));
}

/* ---- deciding -------------------------------------------------------------------------------- */

/* When it is, of a new request. What begins in the past begins now. */
static int read_times(const struct deciding *d, struct world_request *r, struct err *e)
{
    const struct booking *b = d->b;
    usec length;
    if (when_parse_after(*b->from ? b->from : "now", d->now, &r->from, e) < 0)
        return -EINVAL;
    if (!*b->until == !*b->length)
        return err_set(e, EINVAL, "how long? Give either --for, such as --for 36h, or --until");
    if (*b->until && when_parse_after(b->until, d->now, &r->until, e) < 0)
        return -EINVAL;
    if (*b->length && (units_parse_duration(b->length, &length) < 0 || length <= 0))
        return err_set(e, EINVAL, "\"%s\" is not a duration, such as 36h or 1h30m", b->length);
    if (*b->length)
        r->until = r->from + length;
    r->from = r->from < d->now ? d->now : r->from;
    return 0;
}

/* Ask the calendar about @r, which stands for the one that has its id. */
static void ask(const struct deciding *d, struct ledger_request *r, const char *replaces,
                struct booking_answer *ret)
{
    const struct world_request *w = &r->booking;
    const struct calendar_ask *asked = memcpy(
        arena_take(d->a, 1, sizeof(struct calendar_ask)),
        &(struct calendar_ask){.group = w->group, .template = w->template, .vms = w->vms,
                               .from = w->from, .until = w->until, .exclusive = w->exclusive,
                               .whole_host = w->whole_host, .replaces = replaces},
        sizeof(struct calendar_ask));
    ret->calendar = calendar_ask(d->a, d->f->policy, d->f->world, asked);
    ret->refused = ret->calendar.reason.code != REASON_NONE;
    r->booking.seats = ret->calendar.seats;
    r->booking.n_seats = ret->calendar.n_seats;
}

/* Those that wait for an admin are not in the calendar, but open. */
static void count_open(const struct deciding *d, const struct policy_group *g,
                       struct booking_answer *ret)
{
    const struct setting *most = &g->requests.max_open;
    int64_t open = 0;
    for (size_t i = 0; i < d->f->n_requests; i++)
        open += ledger_request_is_open(&d->f->requests[i]) &&
                strcmp(d->f->requests[i].booking.group, g->name) == 0;
    if (ret->refused || open < most->value)
        return;
    ret->refused = true;
    ret->calendar.reason =
        (struct reason){REASON_ASK_OPEN, open, most->value, most->at, .subject = g->name};
}

static int decide_add(const struct deciding *d, struct booking_answer *ret, struct err *e)
{
    const struct booking *b = d->b;
    const struct policy_group *g = NULL;
    const struct policy_template *t = NULL;
    struct ledger_request *r = &ret->request;
    int code = find_group(d, b->group, &g, e);
    if (code == 0)
        code = may_manage(d, g, e);
    if (code == 0)
        code = pick_template(d, g, &t, e);
    if (code < 0)
        return code;
    if (!b->cpus == !b->vms)
        return err_set(e, EINVAL, "how much? Give either --cpus or --vms");
    if (d->f->n_requests >= LIMIT_REQUESTS)
        return err_set(e, EINVAL, "there are %d requests already: cancel some first", LIMIT_REQUESTS);
    *r = (struct ledger_request){
        .booking = {.id = "", .group = g->name, .template = t->name, .exclusive = !b->shared,
                    .vms = b->vms ? b->vms : (b->cpus + t->cpus - 1) / t->cpus,
                    .whole_host = b->whole_host, .user = b->user},
        .cpus = b->cpus ? b->cpus : b->vms * t->cpus, .uid = b->uid, .reason = b->reason,
        .asked = d->now, .decided = WORLD_NOBODY};
    code = read_times(d, &r->booking, e);
    if (code < 0)
        return code;
    ask(d, r, "", ret);
    count_open(d, g, ret);
    bool waits = g->requests.answer.value == POLICY_APPROVE && !b->admin;
    r->state = waits ? LEDGER_REQUEST_WAITING : LEDGER_REQUEST_GRANTED;
    r->booking.n_seats = waits ? 0 : r->booking.n_seats;
    ret->event = waits ? "request-waiting" : "request-granted";
    return 0;
}

static int decide_extend(const struct deciding *d, const struct policy_group *g,
                         struct booking_answer *ret, struct err *e)
{
    const struct booking *b = d->b;
    struct ledger_request *r = &ret->request;
    usec was = r->booking.until, more;
    bool granted = r->state == LEDGER_REQUEST_GRANTED;
    if (!*b->until == !*b->length)
        return err_set(e, EINVAL, "how long? Give either --for, such as --for +6h, or --until");
    if (*b->until && when_parse_after(b->until, d->now, &r->booking.until, e) < 0)
        return -EINVAL;
    if (*b->length && (b->length[0] != '+' || units_parse_duration(b->length + 1, &more) < 0))
        return err_set(e, EINVAL, "\"%s\" is not how much longer: write +6h or +1h30m", b->length);
    if (*b->length)
        r->booking.until = was + more;
    if (r->booking.until <= was)
        return err_set(e, EINVAL, "%s ends no later by that; eyrie request cancel gives it back",
                       r->booking.id);
    if (g->requests.answer.value == POLICY_APPROVE && !b->admin && granted)
        return err_set(e, EPERM,
                       "groups.%s.requests.answer is approve%s: what is granted is extended by an "
                       "admin",
                       g->name, place(d, g->requests.answer.at));
    ask(d, r, granted ? r->booking.id : "", ret);
    r->booking.n_seats = granted ? r->booking.n_seats : 0;
    r->decided = (struct world_order){d->now, b->user, b->reason};
    ret->event = "request-extended";
    return 0;
}

static int decide_approve(const struct deciding *d, struct booking_answer *ret, struct err *e)
{
    struct ledger_request *r = &ret->request;
    if (r->state != LEDGER_REQUEST_WAITING)
        return err_set(e, EINVAL, "%s is granted already", r->booking.id);
    r->booking.from = r->booking.from < d->now ? d->now : r->booking.from;
    ask(d, r, "", ret);
    r->state = LEDGER_REQUEST_GRANTED;
    r->decided = (struct world_order){d->now, d->b->user, d->b->reason};
    ret->event = "request-granted";
    return 0;
}

/* Its running jobs end first, as with every drain: the planner sees to that. */
static int decide_end(const struct deciding *d, struct booking_answer *ret, struct err *e)
{
    struct ledger_request *r = &ret->request;
    bool deny = d->b->verb == BOOKING_DENY;
    if (deny && r->state != LEDGER_REQUEST_WAITING)
        return err_set(e, EINVAL, "%s is granted already; eyrie request cancel ends it",
                       r->booking.id);
    r->state = deny ? LEDGER_REQUEST_DENIED : LEDGER_REQUEST_CANCELLED;
    r->booking.ended = d->now;
    r->decided = (struct world_order){d->now, d->b->user, d->b->reason};
    ret->event = deny ? "request-denied" : "request-cancelled";
    return 0;
}

/* The ledger's own strings go when it is changed. */
static struct ledger_request copy(struct arena *a, const struct ledger_request *from)
{
    struct ledger_request r = *from;
    r.booking.id = arena_strdup(a, from->booking.id);
    r.booking.group = arena_strdup(a, from->booking.group);
    r.booking.template = arena_strdup(a, from->booking.template);
    r.booking.user = arena_strdup(a, from->booking.user);
    r.reason = arena_strdup(a, from->reason);
    r.decided.by = arena_strdup(a, from->decided.by);
    r.decided.reason = arena_strdup(a, from->decided.reason);
    return r;
}

int booking_decide(struct arena *a, const struct booking_facts *f, const struct booking *b,
                   struct booking_answer *ret, struct err *e)
{
    const struct deciding d = {.a = a, .f = f, .b = b, .now = f->world->now};
    const struct ledger_request *r = NULL;
    const struct policy_group *g = NULL;
    struct booking_answer answer = {0};
    int code = 0;
    if (b->verb == BOOKING_APPROVE || b->verb == BOOKING_DENY)
        code = may_judge(&d, b->verb == BOOKING_DENY ? "deny" : "approve", e);
    if (code == 0 && b->verb != BOOKING_ADD)
        code = find_request(&d, &r, e);
    if (code < 0)
        return code;
    if (r)
        answer.request = copy(a, r);
    if (b->verb == BOOKING_EXTEND || (b->verb == BOOKING_CANCEL && !b->admin)) {
        code = find_group(&d, r->booking.group, &g, e);
        if (code == 0)
            code = may_manage(&d, g, e);
        if (code < 0)
            return code;
    }
    switch (b->verb) {
    case BOOKING_ADD:
        code = decide_add(&d, &answer, e);
        break;
    case BOOKING_EXTEND:
        code = decide_extend(&d, g, &answer, e);
        break;
    case BOOKING_APPROVE:
        code = decide_approve(&d, &answer, e);
        break;
    case BOOKING_CANCEL:
    case BOOKING_DENY:
        code = decide_end(&d, &answer, e);
        break;
    }
    if (code == 0)
        *ret = answer;
    return code;
}
