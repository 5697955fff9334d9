/*
 * The policy: eyrie.yaml, resolved and checked. Everything has a value and every value is in one
 * unit (bytes, microseconds, cpus), so the planner needs no defaults and no parsing. A policy never
 * changes once it is loaded; a new file makes a new policy.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/units.h"

/** No limit was set. */
#define POLICY_UNLIMITED INT64_MAX

/** What says a thing: a line of one of the files of the policy. Line 0: none, it is the default. */
struct policy_place {
    unsigned line;
    unsigned file; /* index into policy.files */
};

/** A number an admin may want to change: its value and what set it. */
struct setting {
    int64_t value;
    struct policy_place at;
};

/** In the place of a fragment's path: an agent keeps it, on another machine. */
#define POLICY_AGENT "agent"

struct policy_schedd {
    const char *name;      /* as condor_q -name takes it */
    const char *collector; /* its pool, as condor_q -pool takes it */
    const char *flock;     /* absolute path of the fragment on this host, or POLICY_AGENT */
    const char *tools;     /* folder with the HTCondor tools of that schedd's machine; "" = PATH */
    struct policy_place at;
};

struct policy_host {
    const char *name; /* unique; from the URI unless given */
    const char *uri;  /* libvirt connection URI */
    const char *storage_pool;
    int64_t cpus;   /* 0: as the host says */
    int64_t memory; /* bytes; 0: as the host says, less the reserve */
    int64_t reserve;
    struct setting max_vms; /* POLICY_UNLIMITED by default */
    const char **tags;      /* what it has to offer: a template may need one */
    size_t n_tags;
    struct policy_place at;
};

struct policy_template {
    const char *name;
    const char *domain;     /* absolute path of the libvirt domain XML */
    const char *domain_xml; /* its text */
    const char *image;      /* volume in the storage pool that the overlay is backed by */
    const char *generation; /* digest of what its VMs are made from */
    int64_t cpus;
    int64_t memory; /* bytes */
    int64_t disk;   /* bytes */
    int64_t gpus;   /* that the domain passes on; 0 by default */
    int64_t spare;  /* VMs kept booted and idle */
    struct setting max_vms; /* POLICY_UNLIMITED by default */
    const char **needs;     /* tags that a host must have, all of them */
    size_t n_needs;
    struct policy_place at;
};

enum {
    POLICY_MONDAY = 1 << 0, /* … */
    POLICY_SUNDAY = 1 << 6,
    POLICY_WEEKDAYS = 0x1f,
    POLICY_WEEKEND = 0x60,
    POLICY_EVERY_DAY = 0x7f,
    POLICY_DAY_MINUTES = 24 * 60,
};

/**
 * How many of a group's VMs may be drained at once, other than idle ones that nobody wants; "5%",
 * "2", "weekdays 08:00-18:00: 5%". The first whose window holds now counts; none: no bound.
 */
struct policy_budget {
    unsigned days;        /* POLICY_MONDAY | …, the days on which the window begins */
    int from;             /* minute of the day, local time */
    int until;            /* minute after the last; less than @from: past midnight */
    int64_t number;       /* VMs, or percent of the group's VMs (rounded down, but at least 1 if > 0) */
    bool percent;
    struct policy_place at;
};

/** Where the flagged jobs of a group may run. */
enum policy_jobs_run {
    POLICY_VIRTUAL_ONLY, /* in VMs */
    POLICY_OVERFLOW,     /* in the main pool, too; in VMs after they have waited */
};

/** What becomes of a request that the calendar has room for. */
enum policy_answer {
    POLICY_GRANT,
    POLICY_APPROVE, /* it waits for an admin */
    POLICY_REFUSE,
};

struct policy_group {
    const char *name;         /* as jobs give it in accounting_group */
    struct setting quota;     /* cpus guaranteed; 0 by default */
    struct setting max;       /* cpus at most; POLICY_UNLIMITED by default */
    struct setting max_vms;   /* VMs at most; POLICY_UNLIMITED by default */
    struct setting max_memory; /* bytes at most; POLICY_UNLIMITED by default */
    struct setting weight;    /* share of the surplus; 1 by default */
    const size_t *templates;  /* indices into policy.templates, in the order given */
    size_t n_templates;       /* all templates by default */
    const char **submitters;  /* owners that may use the group; n_submitters 0 = anyone */
    size_t n_submitters;
    bool exclusive;           /* its VMs run its jobs only */
    enum policy_jobs_run placement; /* of jobs that do not say EyriePlacement themselves */
    struct setting overflow_after;  /* how long an overflow job waits for the main pool alone */
    struct setting max_walltime;    /* no job runs longer; 0: no cap */
    struct setting long_job;        /* a job that may run longer is a long one; 0: none is */
    struct setting long_jobs;       /* long jobs of one user that may run at once */
    const char **disruption_text; /* as written */
    size_t n_disruption_text;
    const struct policy_budget *disruption;
    size_t n_disruption;
    struct {
        struct setting answer;     /* an enum policy_answer; the file's by default */
        struct setting max_cpus;   /* of one request; POLICY_UNLIMITED by default */
        struct setting max_length; /* 0: no cap */
        struct setting max_lead;   /* from now to its beginning; 0: no cap */
        struct setting max_open;   /* waiting, or granted and not over; POLICY_UNLIMITED by default */
    } requests;
    struct {
        const char *url;         /* "" = none */
        const char *secret_file; /* absolute path or credential:NAME (base/credential); "" = none */
        const char *command;     /* likewise */
    } notify;
    struct policy_place at;
};

/** A time for which no request is granted. */
struct policy_blackout {
    const char *from_text; /* as written */
    const char *until_text;
    usec from;
    usec until;
    const char *reason; /* "" = none was given */
    struct policy_place at;
};

enum policy_placement {
    POLICY_SPREAD, /* the host with the most memory left */
    POLICY_PACK,   /* the one with the least that still fits */
};

enum policy_drain_timeout {
    POLICY_DRAIN_WAIT,
    POLICY_DRAIN_KILL,
};

struct policy {
    const char *file; /* the path that was given */
    const char *const *files; /* as reasons name them: "eyrie.yaml", "conf.d/juno.yaml" */
    size_t n_files;

    struct {
        const char *name; /* prefix of domain names, attribute EyriePool */
        const char *flag; /* job attribute */
        const char *central_manager;
        const char *trust_domain;
        const char *signing_key;
        const char *tools; /* folder with HTCondor's tools for the virtual pool; "" = PATH */
        const char *shares; /* path of the fragment with the groups' shares, or POLICY_AGENT; "" = none is written */
    } pool;

    struct {
        const char *state;     /* folder of the ledger */
        const char *socket;    /* of the API */
        const char *fragments; /* folder of the flock-config templates */
        const char *host_program; /* eyrie-host */
        const char *notify_program; /* eyrie-notify */
        const char *recorder; /* folder of the recorded worlds; "" = none are recorded */
    } paths;

    struct {
        const char *listen;      /* host:port, for agents; "" = there are none */
        const char *address;     /* host:port as agents reach it */
        const char *certificate; /* files or credentials, PEM */
        const char *key;
    } agents;

    struct {
        const char **admins; /* users, or unix groups as "@group"; n_admins 0: the default */
        size_t n_admins;
    } access;

    struct {
        struct setting vms;
        struct setting cpus;
        struct setting memory; /* bytes */
        struct setting starts_in_flight;
        struct setting starts_per_minute;
        struct setting host_starts_in_flight;   /* on one host */
        struct setting host_starts_per_minute;
        struct setting slow_start; /* VMs at once on a host or template that has not proved itself;
                                      doubles with each VM that joins; 0: no slow start */
        int64_t recorded_worlds; /* kept in paths.recorder */
    } limits;

    struct {
        enum policy_placement order;
        struct setting overcommit; /* percent of a host's cpus that VMs may have; 100 by default */
    } placement;

    struct {
        struct setting look_every;
        struct setting settle;            /* a shape asks for VMs once it was there so long */
        struct setting idle_before_drain;
        struct setting min_life;          /* no VM is drained for being idle before */
        struct setting cool_down;         /* nor within so long of a start of its template */
        struct setting join_within;     /* create call to slot */
        struct setting first_job_within; /* a VM that jobs wait for, and that never had one; 0: for ever */
        struct setting drain_within;    /* 0: no deadline */
        struct setting poweroff_within; /* power-off asked for to domain gone */
        struct setting max_age;
        struct setting rest_after_failure; /* of a host or template; doubles up to … */
        struct setting rest_at_most;
        struct setting trust_for; /* facts older than this are stale */
        struct setting token_life;   /* of a VM's token, which is renewed each quarter of it */
        struct setting orphan_after; /* a VM ends itself; 0: never */
        struct setting give_back_after; /* a request that nobody used; 0: never */
        enum policy_drain_timeout on_drain_timeout;
    } timing;

    struct setting requests; /* an enum policy_answer */

    const struct policy_schedd *schedds;
    size_t n_schedds;
    const struct policy_host *hosts;
    size_t n_hosts;
    const struct policy_template *templates;
    size_t n_templates;
    const struct policy_group *groups; /* sorted by name */
    size_t n_groups;
    const struct policy_blackout *blackouts; /* in the order of the file */
    size_t n_blackouts;
};
