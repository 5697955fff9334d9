#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

bool log_is_journal(const char *journal_stream, int fd)
{
    uintmax_t device, inode;
    char end;
    struct stat st;
    return journal_stream &&
           sscanf(journal_stream, "%" SCNuMAX ":%" SCNuMAX "%c", &device, &inode, &end) == 2 &&
           fstat(fd, &st) == 0 && st.st_dev == device && st.st_ino == inode;
}

void log_event(int priority, const char *kind, const char *subject, const char *text)
{
    const char *colon = text[0] ? ": " : "";
    if (log_is_journal(getenv("JOURNAL_STREAM"), STDERR_FILENO)) {
        (void)sd_journal_send("MESSAGE=%s %s%s%s", kind, subject, colon, text, "PRIORITY=%i",
                              priority, "EYRIE_KIND=%s", kind, "EYRIE_SUBJECT=%s", subject,
                              "EYRIE_TEXT=%s", text, (char *)NULL);
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
