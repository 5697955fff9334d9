#include "act/messenger.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/mem.h"
#include "loop/child.h"

enum { VARIABLES = 7, UNWANTED_MAX = 16 };

static const usec deadline = USEC_PER_MINUTE;
static const usec longest_pause = 30 * USEC_PER_MINUTE;
static const usec give_up_after = USEC_PER_DAY;

/* One way to one group. */
struct line {
    struct messenger *m;
    struct line *next;
    char *group;
    enum messenger_way way;
    struct child *child; /* NULL: nothing is under way */
    int64_t number;      /* of the notice that is, */
    usec at;             /* when it was written down, */
    char *about;         /* and what it is about */
    bool seen;           /* in this round: of several the first one goes */
    int failures;        /* in a row */
    usec again;          /* in ticks: not before */
};

struct messenger {
    struct loop *loop;
    struct ledger *ledger;
    struct messenger_args args;
    struct loop_timer *timer;
    struct line *lines;
};

static const char *way_name(enum messenger_way way)
{
    return way == MESSENGER_POST ? "webhook" : "command";
}

int64_t messenger_ways(const struct policy_group *group)
{
    return (*group->notify.url ? MESSENGER_POST : 0) | (*group->notify.command ? MESSENGER_RUN : 0);
}

static struct line *find_line(struct messenger *m, const char *group, enum messenger_way way)
{
    struct line *line = m->lines;
    while (line && (line->way != way || strcmp(line->group, group) != 0))
        line = line->next;
    if (line)
        return line;
    line = mem_new(1, sizeof(*line));
    *line = (struct line){.m = m, .next = m->lines, .group = mem_strdup(group), .way = way};
    m->lines = line;
    return line;
}

static usec pause_after(const struct messenger *m, int failures)
{
    usec pause = m->args.pause;
    for (int i = 1; i < failures && pause < longest_pause; i++)
        pause *= 2;
    return pause < longest_pause ? pause : longest_pause;
}

/* It was told in that way, or will not be. */
static int settle(struct messenger *m, int64_t number, int64_t way)
{
    struct err e;
    int r = ledger_notice_settle(m->ledger, number, way, &e);
    if (r < 0)
        m->args.event(m->args.userdata, "ledger-failed", "notice", e.text);
    return r;
}

static void told(void *userdata, const struct child_result *result)
{
    struct line *line = userdata;
    struct messenger *m = line->m;
    bool too_late = loop_now(m->loop) - line->at > give_up_after;
    AUTOFREE char *text =
        mem_printf("%s of %s%s%s%s", way_name(line->way), line->group, result->error ? ": " : "",
                   result->error ? result->error : "",
                   result->error && too_late ? "; it is not tried again" : "");
    m->args.event(m->args.userdata, result->error ? "notify-failed" : "notified",
                       line->about, text);
    /* What cannot be written down would be told again at once. */
    bool settled = (!result->error || too_late) && settle(m, line->number, line->way) == 0;
    line->failures = result->error || !settled ? line->failures + 1 : 0;
    line->again = line->failures ? loop_ticks(m->loop) + pause_after(m, line->failures) : 0;
    line->child = child_free(line->child);
    messenger_wake(m);
}

static struct child *post(struct line *line, const struct policy *p, const struct policy_group *group,
                          const char *body)
{
    AUTOJSON struct json_object *letter = json_object_new_object();
    const char *const argv[] = {p->paths.notify_program, NULL};
    if (!letter)
        mem_exhausted();
    json_add_string(letter, "url", group->notify.url);
    json_add_string(letter, "secret_file", group->notify.secret_file);
    json_add_string(letter, "body", body);
    const char *text = json_object_to_json_string(letter);
    return child_run(line->m->loop,
                     &(struct child_args){.argv = argv, .input = text, .input_length = strlen(text),
                                          .deadline = deadline, .limit = LIMIT_ERROR_BYTES,
                                          .done = told, .userdata = line});
}

/* The same as variables, for commands that read no JSON. */
static struct child *run(struct line *line, const struct policy_group *group, const char *body)
{
    static const char *const members[VARIABLES] = {"id",   "event", "request", "group",
                                                   "user", "reason", "sentence"};
    static const char *const names[VARIABLES] = {"ID",   "EVENT", "REQUEST", "GROUP",
                                                 "USER", "REASON", "SENTENCE"};
    AUTOJSON struct json_object *o = NULL;
    char *variables[VARIABLES + 1] = {NULL};
    const char *const argv[] = {group->notify.command, NULL};
    (void)json_parse(body, strlen(body), &o, NULL);
    for (size_t i = 0; i < VARIABLES; i++)
        variables[i] = mem_printf("EYRIE_%s=%s", names[i], o ? json_string_or(o, members[i], "") : "");
    struct child *child =
        child_run(line->m->loop, &(struct child_args){.argv = argv,
                                                      .environment = (const char *const *)variables,
                                                      .input = body, .input_length = strlen(body),
                                                      .deadline = deadline,
                                                      .limit = LIMIT_ERROR_BYTES,
                                                      .done = told, .userdata = line});
    for (size_t i = 0; i < VARIABLES; i++)
        free(variables[i]);
    return child;
}

static const struct policy_group *find_group(const struct policy *p, const char *name)
{
    for (size_t i = 0; p && i < p->n_groups; i++)
        if (strcmp(p->groups[i].name, name) == 0)
            return &p->groups[i];
    return NULL;
}

struct unwanted {
    int64_t number, way;
};

/* One look at what is owed. */
struct round {
    struct messenger *m;
    usec next; /* in ticks */
    size_t running;
    struct unwanted unwanted[UNWANTED_MAX]; /* for nobody any more; the ledger may not be changed while it is read */
    size_t n_unwanted;
};

static void begin(struct round *round, struct line *line, const struct policy *p,
                  const struct policy_group *group, const struct ledger_notice *notice)
{
    line->seen = true;
    if (line->child || round->running >= LIMIT_NOTICES_UNDER_WAY)
        return;
    if (loop_ticks(line->m->loop) < line->again) {
        round->next = line->again < round->next ? line->again : round->next;
        return;
    }
    line->number = notice->number;
    line->at = notice->at;
    mem_replace(&line->about, notice->about);
    line->child = line->way == MESSENGER_POST ? post(line, p, group, notice->body)
                                              : run(line, group, notice->body);
    round->running++;
}

static void look_at(void *userdata, const struct ledger_notice *notice)
{
    struct round *round = userdata;
    struct messenger *m = round->m;
    const struct policy *p = m->args.policy(m->args.userdata);
    const struct policy_group *group = find_group(p, notice->group);
    for (int64_t way = MESSENGER_POST; way <= MESSENGER_RUN; way *= 2) {
        if (!(notice->owed & way))
            continue;
        if (!group || !(messenger_ways(group) & way)) {
            if (round->n_unwanted < UNWANTED_MAX) /* else in the next round */
                round->unwanted[round->n_unwanted++] = (struct unwanted){notice->number, way};
            continue;
        }
        struct line *line = find_line(m, notice->group, (enum messenger_way)way);
        if (!line->seen)
            begin(round, line, p, group, notice);
    }
}

void messenger_wake(struct messenger *m)
{
    struct round round = {.m = m, .next = USEC_NEVER};
    struct err e;
    for (struct line *line = m->lines; line; line = line->next) {
        line->seen = false;
        round.running += line->child != NULL;
    }
    if (ledger_notices(m->ledger, look_at, &round, &e) < 0)
        round.next = loop_ticks(m->loop) + m->args.pause;
    for (size_t i = 0; i < round.n_unwanted; i++)
        (void)settle(m, round.unwanted[i].number, round.unwanted[i].way);
    loop_timer_set(m->timer, round.next == USEC_NEVER ? USEC_NEVER
                                                      : round.next - loop_ticks(m->loop));
}

static void timer_fired(void *userdata)
{
    messenger_wake(userdata);
}

struct messenger *messenger_new(struct loop *loop, struct ledger *ledger,
                                const struct messenger_args *args)
{
    struct messenger *m = mem_new(1, sizeof(*m));
    *m = (struct messenger){.loop = loop, .ledger = ledger, .args = *args};
    m->timer = loop_timer_new(loop, timer_fired, m);
    return m;
}

struct messenger *messenger_free(struct messenger *m)
{
    if (!m)
        return NULL;
    for (struct line *line = m->lines, *next; line; line = next) {
        next = line->next;
        (void)child_free(line->child);
        free(line->group);
        free(line->about);
        free(line);
    }
    (void)loop_timer_free(m->timer);
    free(m);
    return NULL;
}
