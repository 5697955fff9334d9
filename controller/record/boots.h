/*
 * How long VMs take to boot, from the create to their first slot, as those have shown that did: for
 * each template on each host the longest of late. In memory; what it is made of is in the ledger.
 */
#pragma once

#include "base/err.h"
#include "base/units.h"

struct boots;
struct ledger;

/** Nothing is known yet. Owned by the caller (boots_free). */
struct boots *boots_new(void) __attribute__((returns_nonnull));
/** Learn from the last LIMIT_BOOTS VMs that the ledger knows to have joined. Returns 0 or -errno. */
int boots_recall(struct boots *b, struct ledger *l, struct err *e);
/** A VM of @template on @host took @took µs. */
void boots_learn(struct boots *b, const char *template, const char *host, usec took);
/** What one may take, in µs; 0: none has booted there yet. */
usec boots_of(const struct boots *b, const char *template, const char *host);
struct boots *boots_free(struct boots *b);
