#include "base/when.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { YEAR_MIN = 1970, YEAR_MAX = 2999, OFFSET_MAX = 24 * 3600 };

/* As many digits as @format has 'd's at *@p, with its other characters between them. */
static bool take(const char **p, const char *format, int *first, int *second, int *third)
{
    int *fields[] = {first, second, third}, field = 0;
    const char *s = *p;
    for (const char *f = format; *f; f++, s++) {
        if (*f == 'd' ? !isdigit((unsigned char)*s) : *s != *f)
            return false;
        if (*f == 'd')
            *fields[field] = *fields[field] * 10 + (*s - '0');
        else
            field++;
    }
    *p = s;
    return true;
}

/* "Z" or "+08:00" at the end of the text. */
static bool take_offset(const char *p, long *ret)
{
    int hours = 0, minutes = 0;
    bool west = *p == '-';
    if (strcmp(p, "Z") == 0) {
        *ret = 0;
        return true;
    }
    if (*p++ != '+' && !west)
        return false;
    if (!take(&p, "dd:dd", &hours, &minutes, NULL) || *p || hours > 23 || minutes > 59)
        return false;
    *ret = (west ? -1 : 1) * (hours * 3600L + minutes * 60L);
    return true;
}

static bool same_clock(const struct tm *a, const struct tm *b)
{
    return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday &&
           a->tm_hour == b->tm_hour && a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

static long offset_at(time_t t)
{
    struct tm local;
    (void)localtime_r(&t, &local);
    return local.tm_gmtoff;
}

/* The instants at which the clocks here show @clock, the earlier first; returns how many: 0, 1, 2.
   @utc: the instant at which those of Greenwich do. Every offset that can matter is in force a day
   before or after it. */
static int instants(const struct tm *clock, time_t utc, time_t ret[static 2])
{
    const long offsets[] = {offset_at(utc - OFFSET_MAX), offset_at(utc + OFFSET_MAX)};
    int n = 0;
    for (int i = 0; i < 2; i++) {
        struct tm shown;
        time_t t = utc - offsets[i];
        (void)localtime_r(&t, &shown);
        if (same_clock(clock, &shown) && (n == 0 || t != ret[0]))
            ret[n++] = t;
    }
    if (n == 2 && ret[1] < ret[0]) {
        time_t later = ret[0];
        ret[0] = ret[1];
        ret[1] = later;
    }
    return n;
}

static const char *format_offset(long offset, char buffer[static WHEN_TEXT_MAX])
{
    long minutes = (offset < 0 ? -offset : offset) / 60;
    (void)snprintf(buffer, WHEN_TEXT_MAX, "%c%02ld:%02ld", offset < 0 ? '-' : '+', minutes / 60,
                   minutes % 60);
    return buffer;
}

static int local_instant(const char *text, const struct tm *clock, time_t utc, time_t *ret,
                         struct err *e)
{
    char before[WHEN_TEXT_MAX], after[WHEN_TEXT_MAX];
    time_t t[2] = {0};
    int n = instants(clock, utc, t);
    if (n == 1) {
        *ret = t[0];
        return 0;
    }
    if (n == 2)
        return err_set(e, EINVAL,
                       "\"%s\" comes twice here, as the clocks are set back; add %s for the first, %s "
                       "for the second",
                       text, format_offset(offset_at(t[0]), before),
                       format_offset(offset_at(t[1]), after));
    return err_set(e, EINVAL,
                   "\"%s\" does not come here: the clocks are set forward then, from offset %s to %s",
                   text, format_offset(offset_at(utc - OFFSET_MAX), before),
                   format_offset(offset_at(utc + OFFSET_MAX), after));
}

int when_parse(const char *text, usec *ret, struct err *e)
{
    struct tm clock = {0}, again;
    const char *p = text;
    long offset;
    int year = 0, month = 0, day = 0;
    bool good = take(&p, "dddd-dd-dd", &year, &month, &day);
    if (good && *p == 'T') {
        p++;
        good = take(&p, "dd:dd", &clock.tm_hour, &clock.tm_min, NULL) &&
               (*p != ':' || (p++, take(&p, "dd", &clock.tm_sec, NULL, NULL)));
    }
    clock.tm_year = year - 1900;
    clock.tm_mon = month - 1;
    clock.tm_mday = day;
    again = clock;
    time_t t = timegm(&again); /* 30 February would have become a day of March */
    if (!good || year < YEAR_MIN || year > YEAR_MAX || !same_clock(&clock, &again) ||
        (*p && !take_offset(p, &offset)))
        return err_set(e, EINVAL, "\"%.100s\" is not a time, such as 2026-12-01T20:00", text);
    if (*p)
        t -= offset;
    else if (local_instant(text, &clock, t, &t, e) < 0)
        return -EINVAL;
    *ret = (usec)t * USEC_PER_SEC;
    return 0;
}

int when_parse_after(const char *text, usec now, usec *ret, struct err *e)
{
    usec after;
    if (strcmp(text, "now") == 0) {
        *ret = now;
        return 0;
    }
    if (*text != '+')
        return when_parse(text, ret, e);
    if (units_parse_duration(text + 1, &after) < 0)
        return err_set(e, EINVAL, "\"%.100s\" is not a time from now, such as +2h or +1h30m", text);
    *ret = now + after;
    return 0;
}

const char *when_format(usec t, char buffer[static WHEN_TEXT_MAX])
{
    struct tm local;
    char offset[WHEN_TEXT_MAX] = "";
    time_t seconds = (time_t)(t / USEC_PER_SEC), both[2] = {0};
    (void)localtime_r(&seconds, &local);
    if (instants(&local, seconds + local.tm_gmtoff, both) == 2)
        (void)format_offset(local.tm_gmtoff, offset);
    int length = (int)strftime(buffer, WHEN_TEXT_MAX, "%Y-%m-%dT%H:%M", &local);
    if (local.tm_sec)
        length += snprintf(buffer + length, WHEN_TEXT_MAX - (size_t)length, ":%02d", local.tm_sec);
    (void)snprintf(buffer + length, WHEN_TEXT_MAX - (size_t)length, "%s", offset);
    return buffer;
}

const char *when_say(usec t, usec now, char buffer[static WHEN_TEXT_MAX])
{
    struct tm local, today;
    time_t seconds = (time_t)(t / USEC_PER_SEC), present = (time_t)(now / USEC_PER_SEC);
    (void)localtime_r(&seconds, &local);
    (void)localtime_r(&present, &today);
    int length = snprintf(buffer, WHEN_TEXT_MAX, "%d ", local.tm_mday);
    (void)strftime(buffer + length, WHEN_TEXT_MAX - (size_t)length,
                   local.tm_year == today.tm_year ? "%b %H:%M" : "%b %Y %H:%M", &local);
    return buffer;
}
