/*
 * One unit for each kind of quantity, everywhere: time in microseconds, memory and disk in bytes,
 * capacity in cpus. This file turns the words of people ("10m", "4GiB") into them and back.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/** Microseconds: a duration, or a point in time since the epoch. */
typedef int64_t usec;

#define USEC_PER_SEC ((usec)1000000)
#define USEC_PER_MINUTE (60 * USEC_PER_SEC)
#define USEC_PER_HOUR (60 * USEC_PER_MINUTE)
#define USEC_PER_DAY (24 * USEC_PER_HOUR)
#define USEC_NEVER INT64_MAX

#define KIB ((int64_t)1024)
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define TIB (1024 * GIB)

/** Room for any text that the units_format functions write. */
enum { UNITS_TEXT_MAX = 48 };

/**
 * Parse a duration: a sum of whole numbers with units d, h, m, s, ms ("1h30m"). A unit is
 * required, except for "0". Returns 0, or -EINVAL (not a duration), -ERANGE (over 100 years).
 */
int units_parse_duration(const char *text, usec *ret_usec);
/**
 * Parse a size: a decimal number (a fraction is allowed) with a unit of B, KiB, MiB, GiB, TiB or
 * kB, MB, GB, TB. A unit is required, except for "0". Returns 0, -EINVAL or -ERANGE (over 2^62).
 */
int units_parse_bytes(const char *text, int64_t *ret_bytes);
/** Parse a whole number from 0 to 10^9. Returns 0, -EINVAL or -ERANGE. */
int units_parse_count(const char *text, int64_t *ret_count);

/** Write @d as people say it ("10m", "1h30m", "2d", "450ms"); returns @buffer. */
const char *units_format_duration(usec d, char buffer[static UNITS_TEXT_MAX]);
/** Write @bytes with a binary unit, exactly where that is short ("4GiB", "1.5GiB"); returns @buffer. */
const char *units_format_bytes(int64_t bytes, char buffer[static UNITS_TEXT_MAX]);
