/*
 * The leak bound: the real controller takes steps as fast as it can, on libvirt's test driver, and its
 * resident memory after the last one is held against that after the first 1,000. They are counted from
 * when the pool lives: some VMs have come and gone. The test in lives.sh keeps the pool alive.
 *
 *     steps POLICY NUMBER
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "controller-parts.h"

enum {
    LIVES = 2000,   /* events: 150 VMs or so, by when the allocator has seen every size */
    SETTLED = 1000, /* steps */
    LOOKED = 800,   /* steps: the least of so many counts, as buffers come and go */
    TRIMMED = 100,  /* steps: so often what the allocator keeps of freed memory is given back meanwhile */
};

struct run {
    struct controller *controller;
    struct loop_timer *timer;
    long most;
    long taken;  /* steps, since the pool lives */
    long before; /* KiB */
    long after;
};

static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*d %ld", &pages) != 1)
        abort();
    (void)fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void look(const struct run *run, long *least)
{
    if (run->taken % TRIMMED == 0)
        (void)malloc_trim(0);
    long now = resident_kib();
    if (*least == 0 || now < *least)
        *least = now;
}

static void step(void *userdata)
{
    struct run *run = userdata;
    struct controller *c = run->controller;
    controller_step(c);
    if (c->n_events > LIVES)
        run->taken++;
    if (run->taken > SETTLED - LOOKED && run->taken <= SETTLED)
        look(run, &run->before);
    if (run->taken > run->most - LOOKED)
        look(run, &run->after);
    if (run->taken < run->most) {
        loop_timer_set(run->timer, 0);
        return;
    }
    (void)printf("resident after %d steps: %ld KiB, after %ld: %ld KiB (%+.1f %%)\n", SETTLED,
                 run->before, run->most, run->after,
                 (double)(run->after - run->before) * 100 / (double)run->before);
    loop_quit(c->loop, run->after * 100 > run->before * 102);
}

int main(int argc, char **argv)
{
    struct run run = {.most = argc == 3 ? atol(argv[2]) : 0};
    CLEANUP(config_free_p) struct config *config = NULL;
    AUTOFREE char *messages = NULL;
    struct loop *loop = NULL;
    struct err e;
    if (run.most <= SETTLED || config_load(argv[1], &config, &messages) < 0 ||
        loop_new(&loop, &e) < 0 || controller_new(loop, config, &run.controller, &e) < 0) {
        (void)fputs("usage: steps POLICY NUMBER; or the policy cannot be used\n", stderr);
        return 64;
    }
    run.timer = loop_timer_new(loop, step, &run);
    controller_start(run.controller);
    loop_timer_set(run.timer, 0);
    int status = loop_run(loop);
    (void)loop_timer_free(run.timer);
    (void)controller_free(run.controller);
    (void)loop_free(loop);
    return status;
}
