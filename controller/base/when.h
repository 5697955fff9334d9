/*
 * Points in time as people write them: ISO 8601, in the site's zone. A time that the clocks skip, or
 * that they show twice, is refused with what to write instead: nobody's VMs should come an hour off.
 */
#pragma once

#include "base/err.h"
#include "base/units.h"

/** Room for what when_format writes. */
enum { WHEN_TEXT_MAX = 48 };

/**
 * Parse "2026-12-01", "2026-12-01T20:00" or "2026-12-01T20:00:30", in local time, or with an offset
 * behind it ("Z", "+08:00"). Years are from 1970 to 2999. Returns 0, or -EINVAL with a sentence.
 */
int when_parse(const char *text, usec *ret, struct err *e);
/** The same, or "now", or "+2h": so long after @now. */
int when_parse_after(const char *text, usec now, usec *ret, struct err *e);
/**
 * Write @t so that when_parse reads it, to the second: local time, with its offset where the clocks
 * show that time twice. Returns @buffer.
 */
const char *when_format(usec t, char buffer[static WHEN_TEXT_MAX]);
/** Write @t as people say it, to the minute: "1 Dec 20:00", with the year unless @now is in it. */
const char *when_say(usec t, usec now, char buffer[static WHEN_TEXT_MAX]);
