/*
 * What we want of the XML that describes a host: as whom QEMU runs there, and what it can run.
 */
#pragma once

#include <stdbool.h>

#include "base/json.h"

/**
 * The user and group as whom QEMU runs, from the host's capabilities (`<baselabel>` of the secmodel
 * `dac`). False when they do not say; then nothing is stored.
 */
bool capabilities_read_owner(const char *capabilities, long *ret_uid, long *ret_gid);

/** Add to @array the domain types ("qemu", "kvm") that the host's capabilities offer for @arch. */
void capabilities_read_offered(const char *capabilities, const char *arch,
                               struct json_object *array);
