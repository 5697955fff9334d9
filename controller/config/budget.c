#include "config/budget.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    const char *name;
    unsigned days;
} words[] = {
    {"weekdays", POLICY_WEEKDAYS}, {"weekend", POLICY_WEEKEND}, {"daily", POLICY_EVERY_DAY},
    {"mon", 1 << 0}, {"tue", 1 << 1}, {"wed", 1 << 2}, {"thu", 1 << 3},
    {"fri", 1 << 4}, {"sat", 1 << 5}, {"sun", 1 << 6},
};

static void skip(const char **p, const char *what)
{
    *p += strspn(*p, what);
}

/* Days at *@p, if there are any: words with commas between them. */
static bool take_days(const char **p, unsigned *days)
{
    while (isalpha((unsigned char)**p)) {
        size_t length = 0, i = 0;
        while (isalpha((unsigned char)(*p)[length]))
            length++;
        while (i < ARRAY_SIZE(words) &&
               (strlen(words[i].name) != length || strncmp(*p, words[i].name, length) != 0))
            i++;
        if (i == ARRAY_SIZE(words))
            return false;
        *days |= words[i].days;
        *p += length;
        skip(p, ",");
    }
    skip(p, " ");
    return true;
}

/* "08:00" at *@p, as a minute of the day; 24:00 is the end of it. */
static bool take_time(const char **p, int *ret)
{
    const char *s = *p;
    for (int i = 0; i < 5; i++)
        if (i == 2 ? s[i] != ':' : !isdigit((unsigned char)s[i]))
            return false;
    int hour = (s[0] - '0') * 10 + s[1] - '0', minute = (s[3] - '0') * 10 + s[4] - '0';
    if (minute > 59 || hour * 60 + minute > POLICY_DAY_MINUTES)
        return false;
    *ret = hour * 60 + minute;
    *p += 5;
    return true;
}

static bool take_number(const char **p, int64_t *ret)
{
    int64_t n = 0;
    if (!isdigit((unsigned char)**p))
        return false;
    for (; isdigit((unsigned char)**p) && n < 1000000; (*p)++)
        n = n * 10 + **p - '0';
    *ret = n;
    return true;
}

int budget_parse(const char *text, struct policy_budget *ret, struct err *e)
{
    struct policy_budget b = {.until = POLICY_DAY_MINUTES};
    const char *p = text;
    bool good = take_days(&p, &b.days);
    if (good && isdigit((unsigned char)p[0]) && isdigit((unsigned char)p[1]) && p[2] == ':') {
        good = take_time(&p, &b.from) && *p++ == '-' && take_time(&p, &b.until) &&
               b.from != b.until && b.from < POLICY_DAY_MINUTES;
        skip(&p, ": ");
    } else if (good) {
        skip(&p, ": ");
    }
    good = good && take_number(&p, &b.number);
    if (good && *p == '%') {
        b.percent = true;
        p++;
        good = b.number <= 100;
    }
    if (!good || *p)
        return err_set(e, EINVAL,
                       "\"%.100s\" is not a disruption budget: write 2, 5%%, or weekdays "
                       "08:00-18:00: 5%%",
                       text);
    if (!b.days)
        b.days = POLICY_EVERY_DAY;
    b.at = ret->at;
    *ret = b;
    return 0;
}
