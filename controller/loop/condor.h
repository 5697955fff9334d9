/*
 * HTCondor's tools as children: which folder they are in, how long they may take, and an
 * environment in which they give up early rather than late. HTCondor has no C API.
 */
#pragma once

#include "loop/child.h"

/** The deadline of a tool that sets none. */
#define CONDOR_DEADLINE (20 * USEC_PER_SEC)

/**
 * As child_run for one of HTCondor's tools. @tools: the folder it is in, "" = PATH. Of @args, tools
 * and environment are set here, and the deadline when it is 0.
 */
struct child *condor_run(struct loop *loop, const char *tools, const struct child_args *args)
    __attribute__((returns_nonnull));
