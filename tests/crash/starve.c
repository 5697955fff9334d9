/*
 * To be preloaded: one allocation of a program fails, the $STARVE_NTH of all its threads from the start on,
 * and those after it do not. How many there were goes to $STARVE_OUT, "hit" when one failed. What the
 * program starts is left alone.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* glibc's own, under the names that it keeps for those who replace the others. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

static atomic_long seen;
static long nth;
static int out = -1;

__attribute__((constructor)) static void begin(void)
{
    const char *number = getenv("STARVE_NTH"), *path = getenv("STARVE_OUT");
    if (!path)
        return;
    out = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    (void)unsetenv("LD_PRELOAD");
    (void)unsetenv("STARVE_OUT");
    atomic_store(&seen, 0);
    nth = number ? atol(number) : 0;
}

static void say(const char *text)
{
    (void)!pwrite(out, text, strlen(text), 0);
}

/* A program that is killed says nothing at its end: the number is kept up to date. */
static bool fails(void)
{
    char text[32];
    long n = atomic_fetch_add(&seen, 1) + 1;
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
