/*
 * Limits on everything that comes from outside, in one place.
 */
#pragma once

enum {
    LIMIT_CONFIG_BYTES = 4 * 1024 * 1024,      /* eyrie.yaml and what it includes */
    LIMIT_CONFIG_FILES = 1000,
    LIMIT_QUERY_BYTES = 64 * 1024 * 1024,      /* output of one condor tool */
    LIMIT_WORLD_BYTES = 512 * 1024 * 1024,     /* a dumped world, uncompressed */
    LIMIT_OBJECT_BYTES = 256 * 1024,           /* one ClassAd in that output */
    LIMIT_ERROR_BYTES = 16 * 1024,             /* stderr of one condor tool */
    LIMIT_LINE_BYTES = 16 * 1024 * 1024,       /* one line from eyrie-host */
    LIMIT_DOMAIN_XML_BYTES = 4 * 1024 * 1024,  /* as libvirt shows it to a hook */
    LIMIT_NAME_BYTES = 255,                    /* any name: VM, host, group, owner */
    LIMIT_SHAPES = 100000,
    LIMIT_SLOTS = 200000,
    LIMIT_DOMAINS = 100000,
    LIMIT_IMAGES = 10000,                      /* volumes of a storage pool that are not ours */
    LIMIT_SEALS = 100,                         /* of its images: libvirt is asked for each */
    LIMIT_RULES_BYTES = 48 * 1024,             /* who may submit, as a line that a guest reads */
    LIMIT_ACTIONS_PER_STEP = 200,
    LIMIT_CALLS_PER_HOST = 4,                  /* libvirt: 5 starve keepalive, see docs of host/ */
    LIMIT_REFUSED_JOBS = 1000,                 /* of one schedd, in one answer */
    LIMIT_JOB_QUERIES = 4,                     /* for one job each, besides those */
    LIMIT_CONDOR_TOOLS = 8,                    /* children at once */
    LIMIT_INVALIDATED_AT_ONCE = 200,           /* VMs whose ads one of them takes away */
    LIMIT_EVENTS = 200000,                     /* kept in the ledger, 40 MB or so */
    LIMIT_BOOTS = 1000,                        /* of the last VMs, learned from at the start */
    LIMIT_EVENTS_SHOWN = 1000,                 /* in one answer */
    LIMIT_REQUESTS = 10000,                    /* of all groups that are not over */
    LIMIT_REQUESTS_SHOWN = 1000,               /* of the history, in one answer */
    LIMIT_CONSOLE_BYTES = 4096,                /* of the last lines of one */
    LIMIT_REASON_BYTES = 200,                  /* what an admin gives as the reason of an order */
    LIMIT_NOTICES_UNDER_WAY = 8,               /* webhooks and commands that tell groups something */
    LIMIT_LETTER_BYTES = 64 * 1024,            /* what eyrie-notify reads */
    LIMIT_SECRET_BYTES = 1024,                 /* that goes with it */
    LIMIT_JSON_DEPTH = 32,
};
