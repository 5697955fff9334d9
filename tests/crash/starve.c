/*
 * To be preloaded: one allocation of a program fails, the $STARVE_NTH of all its threads from the
 * start on, and those after it do not. How many there were goes to $STARVE_OUT, "hit" when one
 * failed. What the program starts is left alone.
 *
 * With $STARVE_EACH each of them fails, in a copy of the process that must end with a word, while
 * the program itself goes on. To $STARVE_OUT goes "tried N wrong M", and the number of the last
 * that was wrong. For programs of one thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* glibc's own, under the names that it keeps for those who replace the others. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_long seen;
static long nth;
static int out = -1;
static int copies[2] = {-1, -1}; /* a pipe to what copies say; -1: none are made */

__attribute__((constructor)) static void begin(void)
{
    const char *number = getenv("STARVE_NTH"), *path = getenv("STARVE_OUT");
    if (!path)
        return;
    out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)unsetenv("LD_PRELOAD");
    (void)unsetenv("STARVE_OUT");
    if (getenv("STARVE_EACH"))
        (void)!pipe2(copies, O_CLOEXEC | O_NONBLOCK);
    atomic_store(&seen, 0);
    nth = number ? atol(number) : 0;
}

static void say(const char *text)
{
    (void)!pwrite(out, text, strlen(text), 0);
}

/* True in the copy, which is to fail. */
static bool fails_in_a_copy(long n)
{
    static const char word[] = ": out of memory\n";
    static long wrong, last;
    char said[64] = "", text[64];
    int status = 0;
    pid_t copy = _Fork();
    if (copy == 0) {
        (void)dup2(copies[1], STDERR_FILENO);
        copies[0] = -1;
        (void)alarm(20); /* one that lives on is wrong, and is not waited for */
        return true;
    }
    pid_t ended = copy < 0 ? copy : waitpid(copy, &status, 0);
    ssize_t length = read(copies[0], said, sizeof(said) - 1);
    if (ended < 0 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT || length < 0 ||
        !strstr(said, word)) {
        wrong++;
        last = n;
    }
    (void)snprintf(text, sizeof(text), "tried %ld wrong %ld %ld\n", n, wrong, last);
    say(text);
    return false;
}

/* A program that is killed says nothing at its end: the number is kept up to date. */
static bool fails(void)
{
    char text[32];
    long n = atomic_fetch_add(&seen, 1) + 1;
    if (copies[0] >= 0)
        return fails_in_a_copy(n);
    if (out >= 0 && nth == 0) {
        (void)snprintf(text, sizeof(text), "%ld\n", n);
        say(text);
    }
    if (nth == 0 || n != nth)
        return false;
    say("hit\n");
    errno = ENOMEM;
    return true;
}

void *malloc(size_t size)
{
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
    return fails() ? NULL : __libc_realloc(old, size);
}
