/* What is answered to those who book: in sentences, and as JSON. */
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"
#include "base/when.h"
#include "serve/booking.h"
#include "serve/view-part.h"

static struct json_object *offers(const struct policy *p, const struct booking_answer *answer,
                                  usec now, struct text *all)
{
    struct json_object *list = json_object_new_array();
    int64_t cpus = part_template_cpus(p, answer->request.booking.template);
    for (size_t i = 0; i < answer->calendar.n_offers; i++) {
        const struct calendar_offer *o = &answer->calendar.offers[i];
        CLEANUP(text_done) struct text t = {0};
        struct json_object *row = json_object_new_object();
        text_printf(&t, "%" PRId64 " cpus ", o->vms * cpus);
        part_render_span(o->from, o->until, now, &t);
        text_printf(all, "%s%s", i ? ", or " : "", text_get(&t));
        json_add_int(row, "vms", o->vms);
        json_add_int(row, "cpus", o->vms * cpus);
        part_add_time(row, "from", o->from);
        part_add_time(row, "until", o->until);
        json_add_string(row, "text", text_get(&t));
        (void)json_object_array_add(list, row);
    }
    return list;
}

static void tell_refused(const struct policy *p, const struct booking_answer *answer,
                         struct json_object *view, usec now, struct text *t)
{
    CLEANUP(text_done) struct text fits = {0};
    struct json_object *list = offers(p, answer, now, &fits);
    part_render_request(p, &answer->request, now, t);
    text_add(t, " … refused: ");
    reason_render(&answer->calendar.reason, p->files, t);
    if (fits.length)
        text_printf(t, "; what would fit: %s", text_get(&fits));
    json_add_string(view, "error", text_get(t));
    part_add_reason(view, "reason", &answer->calendar.reason, p->files);
    json_add(view, "offers", list);
}

/* "VMs start from 1 Dec 19:46 so that they are ready at 20:00. Submit with:  …" */
static void tell_use(const struct policy *p, const struct booking_answer *answer,
                     const struct ledger_request *r, usec now, struct text *t)
{
    char starts[WHEN_TEXT_MAX], ready[WHEN_TEXT_MAX];
    const char *at = when_say(r->booking.from, now, ready);
    if (answer->calendar.starts > now)
        text_printf(t, "VMs start from %s so that they are ready at %s. ",
                    when_say(answer->calendar.starts, now, starts), strrchr(at, ' ') + 1);
    else
        text_add(t, "VMs start now. ");
    text_printf(t, "Submit with:  +%s = True", p->pool.flag);
    if (r->booking.exclusive && *r->booking.id)
        text_printf(t, "   +EyrieRequest = \"%s\"", r->booking.id);
}

/* How many VMs there are of what is cancelled, and what becomes of them. */
static void tell_cancelled(const struct plan *plan, const struct ledger_request *r, struct text *t)
{
    int64_t vms = 0, claimed = 0;
    for (size_t i = 0; plan && i < plan->n_vms; i++)
        if (plan->vms[i].state != VM_GONE &&
            strcmp(plan_vm_request(&plan->vms[i]), r->booking.id) == 0) {
            vms++;
            claimed += plan->vms[i].claimed;
        }
    if (vms > 0)
        text_printf(t, ": its %" PRId64 " VMs take no more jobs, and go when the last job has ended (%"
                       PRId64 " slots are claimed)", vms, claimed);
}

static void tell_done(const struct booking_facts *f, const struct booking *b,
                      const struct booking_answer *answer, struct json_object *lines,
                      struct text *t)
{
    const struct ledger_request *r = &answer->request;
    const char *id = *r->booking.id ? r->booking.id : NULL;
    const char *would = b->preview ? "would be " : "";
    usec now = f->world->now;
    part_render_request(f->policy, r, now, t);
    switch (b->verb) {
    case BOOKING_ADD:
    case BOOKING_APPROVE:
        text_add(t, " … ");
        if (r->state == LEDGER_REQUEST_WAITING)
            text_printf(t, "%s for an admin", b->preview ? "would wait" : "waits");
        else
            text_printf(t, "%sgranted", would);
        text_printf(t, "%s%s", id ? " as " : "", id ? id : "");
        part_add_line(lines, t);
        if (r->state == LEDGER_REQUEST_GRANTED)
            tell_use(f->policy, answer, r, now, t);
        else
            text_printf(t, "eyrie request show %s tells what becomes of it.", id ? id : "");
        if (r->state == LEDGER_REQUEST_GRANTED || id)
            part_add_line(lines, t);
        text_clear(t);
        return;
    case BOOKING_EXTEND:
        text_printf(t, " … %s %sextended", id, would);
        break;
    case BOOKING_CANCEL:
        text_printf(t, " … %s %scancelled", id, would);
        tell_cancelled(f->plan, r, t);
        break;
    case BOOKING_DENY:
        text_printf(t, " … %s %sdenied", id, would);
        break;
    }
    part_add_line(lines, t);
}

struct json_object *view_booking(const struct booking_facts *f, const struct booking *b,
                                 const struct booking_answer *answer)
{
    struct json_object *view = part_begin(f->world->now);
    CLEANUP(text_done) struct text t = {0};
    json_add_bool(view, "preview", b->preview);
    if (answer->refused) {
        tell_refused(f->policy, answer, view, f->world->now, &t);
        return view;
    }
    struct json_object *lines = json_object_new_array();
    tell_done(f, b, answer, lines, &t);
    json_add_string(view, "text", json_object_get_string(json_object_array_get_idx(lines, 0)));
    json_add(view, "lines", lines);
    part_add_time(view, "starts", answer->calendar.starts);
    json_add(view, "request", part_request(f->policy, f->plan, &answer->request));
    return view;
}
