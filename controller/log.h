/*
 * The edge's log: one line an event, with its fields apart when the journal listens.
 */
#pragma once

#include <syslog.h>

/** @priority: as of syslog(3). Goes to the journal under systemd, else to stderr. */
void log_event(int priority, const char *kind, const char *subject, const char *text);
