#include "cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

struct screen {
    FILE *out;
    int signals;     /* fd */
    sigset_t before; /* what was blocked */
    bool keys;       /* stdin is a terminal, and gives them one by one */
    struct termios as_it_was;
};

struct screen *screen_open(const struct cli *cli)
{
    struct screen *s = mem_new(1, sizeof(*s));
    sigset_t ours;
    s->out = cli->out;
    (void)sigemptyset(&ours);
    (void)sigaddset(&ours, SIGINT);
    (void)sigaddset(&ours, SIGTERM);
    (void)sigaddset(&ours, SIGHUP);
    (void)sigaddset(&ours, SIGWINCH);
    (void)sigprocmask(SIG_BLOCK, &ours, &s->before);
    s->signals = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
    s->keys = tcgetattr(STDIN_FILENO, &s->as_it_was) == 0;
    if (s->keys) {
        struct termios raw = s->as_it_was;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    (void)fputs("\033[?1049h\033[?25l\033[2J", s->out); /* another screen, without a cursor */
    return s;
}

struct screen *screen_close(struct screen *s)
{
    if (!s)
        return NULL;
    (void)fputs("\033[?7h\033[?25h\033[?1049l", s->out);
    (void)fflush(s->out);
    if (s->keys)
        (void)tcsetattr(STDIN_FILENO, TCSANOW, &s->as_it_was);
    mem_close_p(&s->signals);
    (void)sigprocmask(SIG_SETMASK, &s->before, NULL);
    free(s);
    return NULL;
}

void screen_draw(struct screen *s, int height, const char *block, size_t length)
{
    const char *end = block + length;
    int left = height - 1;
    (void)fputs("\033[?7l\033[H", s->out);
    for (const char *line = block; line < end && left > 0; left--) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        stop = stop ? stop : end;
        (void)fwrite(line, 1, (size_t)(stop - line), s->out);
        (void)fputs(left > 1 || stop + 1 >= end ? "\033[K\n" : "\033[K\n…", s->out);
        line = stop + 1;
    }
    (void)fputs("\033[J\033[?7h", s->out);
    (void)fflush(s->out);
}

/* What the user pressed; false: it is to end. */
static bool take_keys(struct screen *s)
{
    char keys[64];
    ssize_t n = read(STDIN_FILENO, keys, sizeof(keys));
    if (n == 0)
        s->keys = false; /* nobody is there any more to press one */
    for (ssize_t i = 0; i < n; i++)
        if (keys[i] == 'q' || keys[i] == 'Q')
            return false;
    return true;
}

static usec ticks(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (usec)t.tv_sec * USEC_PER_SEC + t.tv_nsec / 1000;
}

bool screen_wait(struct screen *s, usec d)
{
    usec until = ticks() + d;
    for (usec left = d; left > 0; left = until - ticks()) {
        struct pollfd fds[] = {{.fd = s->signals, .events = POLLIN},
                               {.fd = s->keys ? STDIN_FILENO : -1, .events = POLLIN}};
        const struct timespec t = {.tv_sec = (time_t)(left / USEC_PER_SEC),
                                   .tv_nsec = (long)(left % USEC_PER_SEC) * 1000};
        struct signalfd_siginfo info;
        if (ppoll(fds, ARRAY_SIZE(fds), &t, NULL) < 0)
            return false;
        if (fds[0].revents && read(s->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
            return info.ssi_signo == SIGWINCH;
        if (fds[1].revents && !take_keys(s))
            return false;
    }
    return true;
}
