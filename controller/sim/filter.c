#include "sim/filter.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "config/spelling.h"
#include "sim/random.h"

enum { TIMES_MOST = 1000000 };

#define CAN(effect) (1u << FILTER_##effect)
#define ASKS (CAN(DELAY) | CAN(FAIL) | CAN(HANG) | CAN(LIE))
#define DOES (ASKS | CAN(DUPLICATE) | CAN(LATE))

static const struct {
    const char *name;
    unsigned effects;
    const char *lie;
} calls[FILTER_CALLS] = {
    [FILTER_HOST_LIST] = {"host.list", ASKS, "a whole list lacks one domain of ours"},
    [FILTER_HOST_CREATE] = {"host.create", DOES, "an error, and the VM is made"},
    [FILTER_HOST_SHUTDOWN] = {"host.shutdown", DOES, "done, and the guest was never asked"},
    [FILTER_HOST_DESTROY] = {"host.destroy", DOES, "gone, and the domain runs on"},
    [FILTER_HOST_DELETE_VOLUME] = {"host.delete_volume", DOES, "gone, and the volume is there"},
    [FILTER_HOST_RENEW] = {"host.renew", DOES, "done, and the guest has no new token"},
    [FILTER_CONDOR_Q] = {"condor_q", ASKS, "half of the queue"},
    [FILTER_CONDOR_STATUS] = {"condor_status", ASKS, "an empty pool"},
    [FILTER_CONDOR_DRAIN] = {"condor_drain", DOES, "sent, and the startd never heard of it"},
    [FILTER_CONDOR_ADVERTISE] = {"condor_advertise", DOES, "sent, and the ads stay"},
    [FILTER_CONDOR_TOKEN_CREATE] = {"condor_token_create", ASKS,
                                    "a token that is good for nothing"},
    [FILTER_CONDOR_CONFIG_VAL] = {"condor_config_val", ASKS, "nothing is defined"},
    [FILTER_CONDOR_RECONFIG] = {"condor_reconfig", DOES, "sent, and the daemon read nothing"},
    [FILTER_LEDGER_WRITE] = {"ledger.write", CAN(FAIL), NULL},
};

static const struct {
    const char *name;
    bool timed;
} effects[FILTER_EFFECTS] = {
    [FILTER_NONE] = {"none", false}, [FILTER_DELAY] = {"delay", true},
    [FILTER_FAIL] = {"fail", false}, [FILTER_HANG] = {"hang", false},
    [FILTER_LIE] = {"lie", false},   [FILTER_DUPLICATE] = {"duplicate", false},
    [FILTER_LATE] = {"late", true},
};

struct rule {
    unsigned calls; /* bits by enum filter_call */
    enum filter_effect effect;
    usec least, most;
    int64_t every, nth, times; /* 0: no such condition */
    int64_t percent;           /* -1: none */
};

struct filter {
    uint64_t seed;
    struct rule *rules;
    struct filter_count *counts; /* as rules */
    size_t n;
};

const char *filter_effect_name(enum filter_effect effect)
{
    return effects[effect].name;
}

const char *filter_call_name(enum filter_call call)
{
    return calls[call].name;
}

enum filter_call filter_call_find(const char *name)
{
    enum filter_call call = 0;
    while (call < FILTER_CALLS && strcmp(calls[call].name, name) != 0)
        call++;
    return call;
}

int filter_applies(enum filter_call call, enum filter_effect effect)
{
    return effect != FILTER_NONE && (calls[call].effects & (1u << effect)) != 0;
}

const char *filter_lie(enum filter_call call)
{
    return calls[call].lie;
}

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r", text[length - 1]))
        text[--length] = '\0';
    return text;
}

/* "host.*" and "condor_*" are all calls of a port; "*" is every call. */
static int parse_calls(const char *word, struct rule *rule, struct err *e)
{
    const char *nearest = NULL;
    size_t length = strlen(word);
    bool all = length > 0 && word[length - 1] == '*';
    for (enum filter_call c = 0; c < FILTER_CALLS; c++) {
        if (all ? strncmp(calls[c].name, word, length - 1) == 0 : strcmp(calls[c].name, word) == 0)
            rule->calls |= 1u << c;
        spelling_nearer(word, calls[c].name, &nearest);
    }
    if (!rule->calls)
        return err_set(e, EINVAL, "there is no call \"%s\"%s%s%s", word,
                       nearest ? "; did you mean " : "", nearest ? nearest : "",
                       nearest ? "?" : "");
    return 0;
}

static int parse_time(char *text, struct rule *rule, struct err *e)
{
    char *dash = strchr(text, '-');
    if (dash)
        *dash = '\0';
    if (units_parse_duration(text, &rule->least) < 0 ||
        units_parse_duration(dash ? dash + 1 : text, &rule->most) < 0)
        return err_set(e, EINVAL, "\"%s%s%s\" is no time: write 3s, 100ms or 1s-100s", text,
                       dash ? "-" : "", dash ? dash + 1 : "");
    if (rule->least > rule->most)
        return err_set(e, EINVAL, "%s is more than %s", text, dash + 1);
    return 0;
}

static int parse_effect(char *text, struct rule *rule, struct err *e)
{
    const char *nearest = NULL;
    char *time = text + strcspn(text, " \t");
    bool only = __builtin_popcount(rule->calls) == 1;
    if (*time) {
        *time++ = '\0';
        time += strspn(time, " \t");
    }
    for (enum filter_effect f = FILTER_DELAY; f < FILTER_EFFECTS; f++) {
        if (strcmp(effects[f].name, text) == 0)
            rule->effect = f;
        spelling_nearer(text, effects[f].name, &nearest);
    }
    if (rule->effect == FILTER_NONE)
        return err_set(e, EINVAL, "there is no effect \"%s\"; %s%s", text,
                       nearest ? "did you mean "
                               : "they are delay, fail, hang, lie, duplicate, late",
                       nearest ? nearest : "");
    for (enum filter_call c = 0; c < FILTER_CALLS; c++) {
        if (!(rule->calls & (1u << c)) || filter_applies(c, rule->effect))
            continue;
        if (only)
            return err_set(e, EINVAL, "%s cannot %s%s", calls[c].name,
                           rule->effect == FILTER_LATE ? "succeed " : "", text);
        rule->calls &= ~(1u << c);
    }
    if (effects[rule->effect].timed && !*time)
        return err_set(e, EINVAL, "%s wants a time, as in \"%s 3s\"", text, text);
    if (!effects[rule->effect].timed && *time)
        return err_set(e, EINVAL, "%s takes no time", text);
    return *time ? parse_time(time, rule, e) : 0;
}

/* A number from 1 with one of those endings; false: it is none. */
static bool number_with(const char *text, const char *const *endings, int64_t *ret)
{
    char *end = NULL;
    long long n = strtoll(text, &end, 10);
    if (end == text || *text < '0' || *text > '9' || n < 1 || n > TIMES_MOST)
        return false;
    end += strspn(end, " \t");
    for (; *endings; endings++) {
        if (strcmp(end, *endings) == 0) {
            *ret = n;
            return true;
        }
    }
    return false;
}

static int parse_condition(const char *text, struct rule *rule, struct err *e)
{
    static const char *const ordinals[] = {"st", "nd", "rd", "th", NULL};
    static const char *const times[] = {"times", "time", NULL};
    static const char *const percent[] = {"%", NULL};
    static const char every[] = "every ";
    if (strncmp(text, every, strlen(every)) == 0 &&
        number_with(text + strlen(every), ordinals, &rule->every))
        return 0;
    if (number_with(text, ordinals, &rule->nth) || number_with(text, times, &rule->times))
        return 0;
    if (number_with(text, percent, &rule->percent) && rule->percent <= 100)
        return 0;
    return err_set(e, EINVAL, "\"%s\" is no condition: write every 3rd, 3rd, 30%% or 3 times",
                   text);
}

static int parse_rule(char *text, struct rule *rule, struct err *e)
{
    char *rest = NULL, *colon = strchr(text, ':');
    *rule = (struct rule){.percent = -1};
    if (!colon)
        return err_set(e, EINVAL, "\"%s\" is no rule: write CALL: EFFECT", text);
    *colon = '\0';
    int r = parse_calls(trim(text), rule, e);
    char *word = strtok_r(colon + 1, ",", &rest);
    if (r == 0 && !word)
        r = err_set(e, EINVAL, "%s: no effect", text);
    if (r == 0)
        r = parse_effect(trim(word), rule, e);
    while (r == 0 && (word = strtok_r(NULL, ",", &rest)) != NULL)
        r = parse_condition(trim(word), rule, e);
    return r;
}

int filter_parse(const char *rules, uint64_t seed, struct filter **ret, struct err *e)
{
    AUTOFREE char *copy = mem_strdup(rules);
    CLEANUP(filter_free_p) struct filter *f = mem_new(1, sizeof(*f));
    f->seed = seed;
    int line = 1;
    for (char *at = copy; at; line++) {
        char *comment, *next = strchr(at, '\n'), *rest = NULL;
        if (next)
            *next++ = '\0';
        if ((comment = strchr(at, '#')) != NULL)
            *comment = '\0';
        for (char *one = strtok_r(at, ";", &rest); one; one = strtok_r(NULL, ";", &rest)) {
            one = trim(one);
            if (!*one)
                continue;
            f->rules = mem_resize(f->rules, f->n + 1, sizeof(*f->rules));
            int r = parse_rule(one, &f->rules[f->n], e);
            if (r < 0)
                return err_prefix(e, r, "line %d", line);
            f->n++;
        }
        at = next;
    }
    f->counts = mem_new(f->n + 1, sizeof(*f->counts));
    *ret = f;
    f = NULL;
    return 0;
}

struct filter *filter_free(struct filter *f)
{
    if (!f)
        return NULL;
    free(f->rules);
    free(f->counts);
    free(f);
    return NULL;
}

struct filter_count *filter_counts(struct filter *f, size_t *ret_n)
{
    *ret_n = f->n;
    return f->counts;
}

/* What is drawn is of the seed, the rule and how often it was asked: other calls change nothing. */
static struct random random_of(const struct filter *f, size_t rule)
{
    struct random r = {f->seed ^ ((rule + 1) * UINT64_C(0xd1342543de82ef95))};
    r.state = random_next(&r) + (uint64_t)f->counts[rule].seen;
    return r;
}

static bool strikes(const struct rule *rule, const struct filter_count *count, struct random *r)
{
    if ((rule->times && count->struck >= rule->times) || (rule->nth && count->seen != rule->nth) ||
        (rule->every && count->seen % rule->every != 0))
        return false;
    return rule->percent < 0 || random_chance(r, (int)rule->percent);
}

struct filter_verdict filter_decide(struct filter *f, enum filter_call call)
{
    struct filter_verdict verdict = {FILTER_NONE, 0, 0};
    assert(call < FILTER_CALLS);
    for (size_t i = 0; i < f->n; i++) {
        const struct rule *rule = &f->rules[i];
        if (!(rule->calls & (1u << call)))
            continue;
        f->counts[i].seen++;
        struct random r = random_of(f, i);
        if (verdict.effect != FILTER_NONE || !strikes(rule, &f->counts[i], &r))
            continue;
        f->counts[i].struck++;
        verdict.effect = rule->effect;
        verdict.time = random_range(&r, rule->least, rule->most);
        verdict.chance = random_next(&r);
    }
    return verdict;
}
