/*
 * For tests: an answer that HTCondor really gave (tests/data/condor), fed to a parser whole, in pieces,
 * cut short and spoiled.
 */
#pragma once

#include <stddef.h>

/** What a parser makes of @bytes, fed @piece at a time, as text: "error: …" for an error. The caller's. */
typedef char *(*recorded_parser)(const char *bytes, size_t length, size_t piece);

/** The answer in @file gives @wanted, in pieces of any size. */
void recorded_gives(const char *file, recorded_parser parse, const char *wanted);
/** Cut short anywhere, it is an error; but nothing at all is an empty answer. */
void recorded_cut(const char *file, recorded_parser parse);
/** Any byte changed to any of a few others: an answer or an error, never a crash. */
void recorded_spoiled(const char *file, recorded_parser parse);
