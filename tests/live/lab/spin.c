/* To be preloaded into a program: from SIGUSR2 on it does nothing but turn in a circle, wherever it
 * was. */
#include <signal.h>

static void spin(int signal)
{
    (void)signal;
    for (volatile int turns = 0;; turns = turns + 1)
        ;
}

__attribute__((constructor)) static void prepare(void)
{
    (void)signal(SIGUSR2, spin);
}
