/*
 * HTCondor's tools as children: which folder they are in, how long they may take, and an
 * environment in which they give up early rather than late. HTCondor has no C API.
 */
#pragma once

#include "loop/child.h"

/** How many settings of its own a caller may add to the environment. */
enum { CONDOR_SETTINGS = 4 };

/** The deadline of a tool that sets none. */
#define CONDOR_DEADLINE (20 * USEC_PER_SEC)

/**
 * As child_run for one of HTCondor's tools. @tools: the folder it is in, "" = PATH. Of @args, tools
 * is set here, the deadline when it is 0, and its environment (CONDOR_SETTINGS at most) is added to.
 */
struct child *condor_run(struct loop *loop, const char *tools, const struct child_args *args)
    __attribute__((returns_nonnull));
