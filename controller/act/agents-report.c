/*
 * What agents say: an object with the revision it "have"s, and one it "refused"; the marks
 * "present" in the file and "believed" by the daemon; an "error"; its "program"'s version; "wait",
 * the seconds that it waits for news; and "once", when nobody knows when it asks again.
 */
#include <inttypes.h>
#include <string.h>

#include "act/agents-private.h"
#include "base/text.h"
#include "base/utf8.h"

enum { SENTENCE_BYTES = 1000, WAIT_SECONDS_MOST = 3600 };

static void tell(const struct agents *a, const char *kind, const struct agent *agent,
                 const char *text)
{
    a->callbacks.event(a->callbacks.userdata, kind, agent->name, text);
}

void agents_watch(void *userdata)
{
    struct agents *a = userdata;
    usec now = loop_now(a->loop), next = USEC_NEVER;
    for (size_t i = 0; i < a->n; i++) {
        struct agent *agent = a->list[i];
        if (!*agent->token || !agent->due || agent->silent)
            continue;
        if (now < agent->due) {
            next = agent->due < next ? agent->due : next;
            continue;
        }
        agent->silent = true;
        tell(a, "agent-silent", agent, "the fragment that it applied last stays there");
        a->callbacks.reported(a->callbacks.userdata);
    }
    loop_timer_set(a->timer, next == USEC_NEVER ? USEC_NEVER : next - now);
}

void agents_forget_report(struct agent *agent)
{
    agent->heard = agent->failed = agent->has = 0;
    agent->silent = false;
    mem_replace(&agent->present, "");
    mem_replace(&agent->believed, "");
    mem_replace(&agent->error, "");
}

/* A string that may be anything, as something that can be shown; whether it is another than before.
 */
static bool take(char **slot, struct json_object *o, const char *key)
{
    AUTOFREE char *text = mem_printf("%.*s", SENTENCE_BYTES, json_string_or(o, key, ""));
    utf8_mend(text, strlen(text));
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    bool changed = strcmp(*slot, text) != 0;
    mem_replace(slot, text);
    return changed;
}

void agents_report(struct agents *a, struct agent *agent, struct json_object *report)
{
    usec now = loop_now(a->loop);
    int64_t wait = json_int_or(report, "wait", 0), has = json_int_or(report, "have", 0);
    wait = wait < 0 ? 0 : wait > WAIT_SECONDS_MOST ? WAIT_SECONDS_MOST : wait;
    bool was_silent = agent->silent, first = !agent->heard, changed = has != agent->has;
    agent->heard = now;
    agent->due =
        json_bool_or(report, "once", false) ? 0 : now + wait * USEC_PER_SEC + AGENTS_PATIENCE;
    agent->silent = false;
    agent->has = has;
    changed = take(&agent->present, report, "present") || changed;
    changed = take(&agent->believed, report, "believed") || changed;
    (void)take(&agent->program, report, "program");
    bool new_error = take(&agent->error, report, "error");
    if (new_error)
        agent->failed = *agent->error ? now : 0;
    if (was_silent)
        tell(a, "agent-back", agent, "");
    if (new_error && *agent->error)
        tell(a, "agent-failed", agent, agent->error);
    if (changed && has == agent->revision && strcmp(agent->present, agent->mark) == 0 &&
        strcmp(agent->believed, agent->mark) == 0) {
        AUTOFREE char *text = mem_printf("revision %" PRId64 "%s", has,
                                         *agent->mark ? "" : ": nothing is left of the fragment");
        tell(a, "agent-applied", agent, text);
    }
    agents_watch(a);
    if (was_silent || first || changed || new_error)
        a->callbacks.reported(a->callbacks.userdata);
}

static void add_time(struct json_object *o, const char *key, usec at)
{
    if (at)
        json_add_int(o, key, at);
    else
        json_add(o, key, NULL);
}

struct json_object *agents_view(const struct agents *a)
{
    struct json_object *rows = json_object_new_array();
    usec now = loop_now(a->loop);
    for (size_t i = 0; i < a->n; i++) {
        const struct agent *agent = a->list[i];
        bool invited = *agent->invite && now <= agent->invited_until;
        const char *state = *agent->token ? agent->silent   ? "silent"
                                            : agent->failed ? "failing"
                                            : agent->heard  ? "well"
                                                            : "awaited"
                            : invited     ? "invited"
                                          : "absent";
        struct json_object *row = json_object_new_object();
        json_add_string(row, "name", agent->name);
        json_add_string(row, "state", state);
        add_time(row, "invited_until", invited ? agent->invited_until : 0);
        add_time(row, "joined", agent->joined);
        add_time(row, "heard", agent->heard);
        json_add_int(row, "revision", agent->revision);
        json_add_int(row, "has", agent->has);
        json_add_string(row, "error", *agent->error ? agent->error : NULL);
        json_add_string(row, "program", *agent->program ? agent->program : NULL);
        (void)json_object_array_add(rows, row);
    }
    return rows;
}
