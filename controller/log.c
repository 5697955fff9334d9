#include "log.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

void log_event(int priority, const char *kind, const char *subject, const char *text)
{
    const char *colon = text[0] ? ": " : "";
    if (getenv("JOURNAL_STREAM")) {
        (void)sd_journal_send("MESSAGE=%s %s%s%s", kind, subject, colon, text, "PRIORITY=%i",
                              priority, "EYRIE_EVENT=%s", kind, "EYRIE_SUBJECT=%s", subject,
                              (char *)NULL);
        return;
    }
    struct timespec now;
    struct tm tm;
    char when[32] = "";
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &tm))
        (void)strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm);
    (void)fprintf(stderr, "%s.%03ldZ %s%s %s%s%s\n", when, now.tv_nsec / 1000000,
                  priority <= LOG_WARNING ? "! " : "", kind, subject, colon, text);
}
