/*
 * The consoles of VMs that were made a while ago. What each writes is kept, its last lines only; when it
 * ends while it is watched, by itself or because it was destroyed, they are told: a VM that did not
 * boot says why. A stream of libvirt's, so it works from afar, and nothing is on a disk.
 */
#pragma once

#include "base/units.h"
#include "host/fault.h"

struct consoles;

/** Told the last lines (host/tail.h) of a VM, when there are any; in libvirt's event loop. */
typedef void (*consoles_ended)(void *userdata, const char *uuid, const char *name, const char *text);

/** Owned by the caller (consoles_free). */
struct consoles *consoles_new(consoles_ended ended, void *userdata);
/** No thread may be in consoles_watch, nor libvirt's event loop be turned. Returns NULL. */
struct consoles *consoles_free(struct consoles *c);
/**
 * Watch the console of @domain for @how_long µs; meanwhile nobody else can open it, but by force. A
 * domain or driver that has none is not watched. Any thread.
 */
void consoles_watch(struct consoles *c, virConnectPtr conn, virDomainPtr domain, const char *uuid,
                    usec how_long);
