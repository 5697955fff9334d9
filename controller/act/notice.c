#include "act/notice.h"

#include <assert.h>
#include <inttypes.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/when.h"

enum { NOTICE_VERSION = 1 };

static const usec ending_at_most = USEC_PER_HOUR;

#define BIT(event) (INT64_C(1) << (event))

const char *notice_event_name(enum notice_event event)
{
    static const char *const names[NOTICE_EVENTS] = {
        [NOTICE_GRANTED] = "granted", [NOTICE_READY] = "ready",   [NOTICE_SHORT] = "short",
        [NOTICE_ENDING] = "ending",   [NOTICE_ENDED] = "ended",   [NOTICE_DENIED] = "denied",
        [NOTICE_HANDED_BACK] = "handed-back",
    };
    assert(event < NOTICE_EVENTS);
    return names[event];
}

static usec ends_soon_from(const struct world_request *b)
{
    usec before = (b->until - b->from) / 4;
    return b->until - (before < ending_at_most ? before : ending_at_most);
}

/* The later one of these two takes the other's place: what is ready may become short again. */
static int64_t of_its_vms(const struct world_request *b, const struct plan_request *row, usec now,
                          int64_t told)
{
    if (!row || row->phase != REQUEST_OPEN)
        return 0;
    if (row->up >= b->vms)
        return BIT(NOTICE_READY) & ~told;
    /* One that is being replaced is no shortage; one that was never there is. */
    bool missing = row->vms + row->starting < b->vms || !(told & BIT(NOTICE_READY));
    return now >= b->from && missing ? BIT(NOTICE_SHORT) & ~told : 0;
}

static void later(usec *next, usec now, usec at)
{
    if (at > now && at < *next)
        *next = at;
}

static int64_t while_granted(const struct world_request *b, const struct plan_request *row, usec now,
                             int64_t *told, usec *next)
{
    if (now < ends_soon_from(b)) /* it was extended */
        *told &= ~BIT(NOTICE_ENDING);
    int64_t due = BIT(NOTICE_GRANTED) & ~*told;
    if (now < b->until)
        due |= of_its_vms(b, row, now, *told);
    if (now >= ends_soon_from(b))
        due |= BIT(NOTICE_ENDING) & ~*told;
    if (due & BIT(NOTICE_READY))
        *told &= ~BIT(NOTICE_SHORT);
    if (due & BIT(NOTICE_SHORT))
        *told &= ~BIT(NOTICE_READY);
    later(next, now, b->from);
    later(next, now, ends_soon_from(b));
    return due;
}

int64_t notice_due(const struct ledger_request *r, const struct plan_request *row, usec now,
                   int64_t *ret_told, usec *next)
{
    int64_t told = r->told, due = 0;
    switch (r->state) {
    case LEDGER_REQUEST_GRANTED:
        due = while_granted(&r->booking, row, now, &told, next);
        break;
    case LEDGER_REQUEST_DENIED:
        due = BIT(NOTICE_DENIED) & ~told;
        break;
    case LEDGER_REQUEST_HANDED_BACK:
        due = BIT(NOTICE_HANDED_BACK) & ~told;
        break;
    case LEDGER_REQUEST_CANCELLED:
    case LEDGER_REQUEST_ENDED:
        due = BIT(NOTICE_ENDED) & ~told;
        break;
    case LEDGER_REQUEST_WAITING:
    case LEDGER_REQUEST_STATES:
        break;
    }
    *ret_told = told | due;
    return due;
}

static void say_decision(const struct ledger_request *r, const char *what, struct text *out)
{
    text_printf(out, "%s is %s", r->booking.id, what);
    if (*r->decided.by)
        text_printf(out, " by %s", r->decided.by);
    if (*r->decided.reason)
        text_printf(out, ": %s", r->decided.reason);
}

static void say(const struct ledger_request *r, const struct plan_request *row,
                enum notice_event event, usec now, const char *const *files, struct text *out)
{
    const struct world_request *b = &r->booking;
    char from[WHEN_TEXT_MAX], until[WHEN_TEXT_MAX];
    (void)when_say(b->from, now, from);
    (void)when_say(b->until, now, until);
    switch (event) {
    case NOTICE_GRANTED:
        text_printf(out, "%s is granted: %" PRId64 " VM%s of %s for %s, %s – %s", b->id, b->vms,
                    b->vms == 1 ? "" : "s", b->template, b->group, from, until);
        break;
    case NOTICE_READY:
        text_printf(out, "%s is ready: %" PRId64 " of its %" PRId64 " VMs up, until %s", b->id,
                    row->up, b->vms, until);
        break;
    case NOTICE_SHORT:
        text_printf(out, "%s is short: %" PRId64 " of its %" PRId64 " VMs up", b->id, row->up,
                    b->vms);
        if (row->reason.code) {
            text_add(out, "; ");
            reason_render(&row->reason, files, out);
        }
        break;
    case NOTICE_ENDING:
        text_printf(out, "%s ends %s; jobs that may run longer are not started", b->id, until);
        break;
    case NOTICE_ENDED:
        if (r->state == LEDGER_REQUEST_CANCELLED)
            say_decision(r, "cancelled", out);
        else
            text_printf(out, "%s is over since %s", b->id, until);
        break;
    case NOTICE_DENIED:
        say_decision(r, "denied", out);
        break;
    case NOTICE_HANDED_BACK:
        say_decision(r, "handed back", out);
        break;
    case NOTICE_EVENTS:
        break;
    }
}

char *notice_body(const struct ledger_request *r, const struct plan_request *row,
                  enum notice_event event, usec now, const char *const *files)
{
    const struct world_request *b = &r->booking;
    CLEANUP(text_done) struct text sentence = {0};
    AUTOJSON struct json_object *o = json_object_new_object();
    /* A receiver that has seen it knows it again; also after the ledger was lost. */
    AUTOFREE char *id =
        mem_printf("%s-%s-%" PRId64, b->id, notice_event_name(event), now / USEC_PER_SEC);
    if (!o)
        mem_exhausted();
    say(r, row, event, now, files, &sentence);
    json_add_int(o, "version", NOTICE_VERSION);
    json_add_string(o, "id", id);
    json_add_string(o, "event", notice_event_name(event));
    json_add_int(o, "at", now);
    json_add_string(o, "request", b->id);
    json_add_string(o, "group", b->group);
    json_add_string(o, "user", b->user);
    json_add_string(o, "template", b->template);
    json_add_int(o, "vms", b->vms);
    json_add(o, "up", row ? json_object_new_int64(row->up) : NULL);
    json_add_int(o, "cpus", r->cpus);
    json_add_bool(o, "exclusive", b->exclusive);
    json_add_int(o, "from", b->from);
    json_add_int(o, "until", b->until);
    json_add_string(o, "reason", r->reason);
    json_add_string(o, "sentence", text_get(&sentence));
    return mem_strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
                                                            JSON_C_TO_STRING_NOSLASHESCAPE));
}
