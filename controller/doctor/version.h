/*
 * HTCondor's version in what its tools and ads say: "$CondorVersion: 23.9.6 2026-07-12 … $".
 */
#pragma once

#include <stdbool.h>

/** False, and nothing stored, when @text names none. */
bool version_read(const char *text, unsigned *ret_major, unsigned *ret_minor, unsigned *ret_patch);
