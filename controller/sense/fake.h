/*
 * For tests: the folder in which the stand-ins for HTCondor's tools and for eyrie-host (TEST_FAKE) find
 * what to answer, and write what they were asked. One at a time.
 */
#pragma once

#include <stdio.h>

/** Make the folder, and name it in the environment of what is started from now on. */
void fake_open(void);
/** Take it away, with all that is in it. */
void fake_close(void);

void fake_put(const char *name, const char *content);
void fake_drop(const char *name);
/** Open a file of it to read; the test fails when it is not there. */
FILE *fake_read(const char *name);
