/*
 * A word with a running VM, without a login and without the network: a line into its virtio port
 * org.eyrie.token (a container's second console), and the line with which the guest answers. So a VM
 * gets its new tokens; nothing
 * of it is written to a disk or shown in a document (rule S7). Every connection of libvirt carries
 * the stream, remote ones too.
 */
#pragma once

#include "base/units.h"
#include "host/fault.h"

#define PORT_NAME "org.eyrie.token"

/**
 * Say @line, which ends in a newline, to the guest of @domain and wait for @wanted as its answer.
 * libvirt's event loop must be turned by another thread.
 * @within: how long the guest may take, µs
 */
int port_ask(virConnectPtr conn, virDomainPtr domain, const char *line, const char *wanted,
             usec within, struct fault *f);
