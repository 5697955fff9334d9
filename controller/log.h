/*
 * The edge's log: one line an event, with its fields apart when the journal listens.
 */
#pragma once

#include <stdbool.h>
#include <syslog.h>

/** @priority: as of syslog(3). Goes to the journal when that is what stderr is, else to stderr. */
void log_event(int priority, const char *kind, const char *subject, const char *text);
/**
 * Whether @fd is the stream that @journal_stream names, which is $JOURNAL_STREAM (may be NULL), as
 * "device:inode": it may be inherited by a process whose output goes elsewhere.
 */
bool log_is_journal(const char *journal_stream, int fd);
