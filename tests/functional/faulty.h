/*
 * The filter program: what both of its halves, for HTCondor's tools and for eyrie-host, need of it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sim/filter.h"

_Noreturn void faulty_die(const char *what);
/** What is to be done to this call of ours; counted in the folder, under a lock. */
struct filter_verdict faulty_decide(enum filter_call call);
/**
 * Go on as a process that nobody kills with us, in @delay; true there, false in the caller. It ends
 * with faulty_late_done(), or when the folder is no more.
 */
bool faulty_late(usec delay);
_Noreturn void faulty_late_done(void);
/** Write all of it; false when nobody reads any more. */
bool faulty_write(int fd, const char *bytes, size_t length);

/** As eyrie-host, with its arguments: between eyried, on our stdin and stdout, and the true one. */
int faulty_host(char **argv);
