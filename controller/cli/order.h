/*
 * Giving an order: eyried is asked what it would do, that is shown, and then it is done; on a terminal
 * after a yes, elsewhere only with --yes.
 */
#pragma once

#include "cli/cli.h"

/** POST to @path as an order. @verb: as usage names it. Returns the exit code. */
int order_give(const struct cli *cli, const char *verb, const char *path);
/** The same for @path and a name after it. */
int order_give_about(const struct cli *cli, const char *verb, const char *path, const char *name);
