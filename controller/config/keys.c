#include "config/keys.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"
#include "config/policy.h"

#define AT(type, member) .offset = offsetof(struct type, member)
#define MANY(type, member) AT(type, member), .count_offset = offsetof(struct type, n_##member)
#define SECTION(keys_) .keys = keys_, .n = ARRAY_SIZE(keys_)
#define ELEMENT(type, keys_)                                                                       \
    SECTION(keys_), .size = sizeof(struct type), .name_offset = offsetof(struct type, name),       \
                    .at_offset = offsetof(struct type, at)

#define HOST_PATTERN "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
#define HOST_WHAT "a host name"
#define USER_PATTERN "[A-Za-z0-9_][A-Za-z0-9_.@-]*"
#define LABEL_PATTERN "[a-z]([a-z0-9-]*[a-z0-9])?"
#define LABEL_WHAT "a name of a-z, 0-9 and - (it becomes part of host names)"

static const char *const instead_of_a_path[] = {POLICY_AGENT, NULL};

/* ---- pool ------------------------------------------------------------------------------------ */

static const struct key pool_keys[] = {
    {"name", KEY_TEXT, .fixed = true, AT(policy, pool.name), .pattern = "[a-z][a-z0-9-]{0,30}",
     .what = "a pool name: a-z, 0-9 and -, a letter first, at most 31",
     .help = "Prefix of the name of every domain; slots carry it as EyriePool."},
    {"flag", KEY_TEXT, AT(policy, pool.flag), .fallback = "VirtualPool",
     .pattern = "[A-Za-z_][A-Za-z0-9_]*", .what = "the name of a ClassAd attribute",
     .help = "Job attribute that, when true, asks for the virtual pool."},
    {"central_manager", KEY_ADDRESS, AT(policy, pool.central_manager),
     .help = "Central manager of the virtual pool, host:port (9618 when the port is left out)."},
    {"trust_domain", KEY_TEXT, AT(policy, pool.trust_domain), .pattern = HOST_PATTERN,
     .what = "a trust domain", .otherwise = "the host in central_manager",
     .help = "TRUST_DOMAIN of the virtual pool."},
    {"signing_key", KEY_TEXT, AT(policy, pool.signing_key), .fallback = "EYRIE",
     .pattern = "[A-Za-z0-9_][A-Za-z0-9_.-]*", .what = "the name of a signing key",
     .help = "Key in the virtual pool's password directory that signs the tokens of the VMs."},
    {"tools", KEY_PATH, AT(policy, pool.tools), .fallback = "",
     .help = "Folder with HTCondor's tools as the virtual pool's machines use them; empty: PATH."},
    {"shares", KEY_PATH, AT(policy, pool.shares), .fallback = "", .choices = instead_of_a_path,
     .help = "Path on this host of the fragment with the groups' shares, in a folder that the central "
             "manager of the virtual pool reads; or agent: eyrie-agent(8) keeps it on that machine; "
             "empty: none is written."},
};
static const struct section pool = {SECTION(pool_keys)};

/* ---- paths ----------------------------------------------------------------------------------- */

static const struct key paths_keys[] = {
    {"state", KEY_PATH, .fixed = true, AT(policy, paths.state), .fallback = "/var/lib/eyrie",
     .help = "Folder of the ledger."},
    {"socket", KEY_PATH, .fixed = true, AT(policy, paths.socket), .fallback = "/run/eyrie/eyried.sock",
     .help = "Unix socket of the API."},
    {"fragments", KEY_PATH, AT(policy, paths.fragments),
     .fallback = "/usr/share/eyrie/flock-config",
     .help = "Folder with the HTCondor fragments that Eyrie fills in."},
    {"host_program", KEY_PATH, AT(policy, paths.host_program),
     .fallback = "/usr/libexec/eyrie/eyrie-host",
     .help = "The program that talks to one libvirt host."},
    {"notify_program", KEY_PATH, AT(policy, paths.notify_program),
     .fallback = "/usr/libexec/eyrie/eyrie-notify",
     .help = "The program that posts to webhooks."},
    {"recorder", KEY_PATH, AT(policy, paths.recorder), .fallback = "",
     .help = "Folder in which worlds are recorded for eyrie replay; empty: none are."},
};
static const struct section paths = {SECTION(paths_keys)};

/* ---- agents ---------------------------------------------------------------------------------- */

#define ENDPOINT_PATTERN "((" HOST_PATTERN "|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5})?"

static const struct key agents_keys[] = {
    {"listen", KEY_TEXT, AT(policy, agents.listen), .fallback = "", .pattern = ENDPOINT_PATTERN,
     .what = "an address as host:port",
     .help = "Where agents are listened for, by TLS: an address of this machine and a port; empty: "
             "nowhere."},
    {"address", KEY_TEXT, AT(policy, agents.address), .fallback = "", .pattern = ENDPOINT_PATTERN,
     .what = "an address as host:port",
     .help = "The same as agents reach it; empty: as listen. To be given where that is 0.0.0.0 or "
             "[::]."},
    {"certificate", KEY_PATH, AT(policy, agents.certificate), .fallback = "", .secret = true,
     .help = "PEM file with the certificate, and those that signed it if agents check that. Agents "
             "that know its key need no authority."},
    {"key", KEY_PATH, AT(policy, agents.key), .fallback = "", .secret = true,
     .help = "PEM file with its private key, for eyried's eyes only."},
};
static const struct section agents_section = {SECTION(agents_keys)};

/* ---- access ---------------------------------------------------------------------------------- */

static const struct key access_keys[] = {
    {"admins", KEY_TEXTS, AT(policy, access.admins),
     .count_offset = offsetof(struct policy, access.n_admins),
     .pattern = "@?[A-Za-z0-9_][A-Za-z0-9_.@+-]*[$]?",
     .what = "a user, or a unix group as \"@group\"",
     .otherwise = "root and the user that eyried runs as",
     .help = "Who may change what the pool does, besides looking: users, or all members of unix "
             "groups. YAML wants quotation marks around a word that begins with @."},
};
static const struct section access_section = {SECTION(access_keys)};

/* ---- schedds --------------------------------------------------------------------------------- */

static const struct key schedd_keys[] = {
    {"name", KEY_TEXT, AT(policy_schedd, name), .pattern = USER_PATTERN,
     .what = "the name of a schedd", .help = "As condor_q -name takes it."},
    {"collector", KEY_TEXT, AT(policy_schedd, collector),
     .pattern = "(" HOST_PATTERN "|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?",
     .what = "a host name, with or without :port", .help = "Its pool, as condor_q -pool takes it."},
    {"flock", KEY_PATH, AT(policy_schedd, flock), .choices = instead_of_a_path,
     .help = "Path on this host of the fragment with the flocking configuration, in a folder that "
             "the schedd reads; or agent: eyrie-agent(8) keeps it on the schedd's host."},
    {"tools", KEY_PATH, AT(policy_schedd, tools), .fallback = "",
     .help = "Folder with the HTCondor tools of the schedd's machine; empty: PATH."},
};
static const struct section schedds = {ELEMENT(policy_schedd, schedd_keys)};

/* ---- limits ---------------------------------------------------------------------------------- */

static const struct key limits_keys[] = {
    {"vms", KEY_COUNT, true, AT(policy, limits.vms), .fallback = "unlimited",
     .what = "a number of VMs", .help = "VMs at once, in every state."},
    {"cpus", KEY_COUNT, true, AT(policy, limits.cpus), .fallback = "unlimited",
     .what = "a number of cpus", .help = "Cpus of all VMs at once."},
    {"memory", KEY_BYTES, true, AT(policy, limits.memory), .fallback = "unlimited",
     .help = "Memory of all VMs at once."},
    {"starts_in_flight", KEY_COUNT, true, AT(policy, limits.starts_in_flight), .fallback = "10",
     .what = "a number of VMs", .help = "VMs between their create call and their first slot."},
    {"starts_per_minute", KEY_COUNT, true, AT(policy, limits.starts_per_minute), .fallback = "60",
     .what = "a number of VMs", .help = "Create calls a minute."},
    {"host_starts_in_flight", KEY_COUNT, true, AT(policy, limits.host_starts_in_flight),
     .fallback = "unlimited", .least = 1, .what = "a number of VMs",
     .help = "As starts_in_flight, on one host."},
    {"host_starts_per_minute", KEY_COUNT, true, AT(policy, limits.host_starts_per_minute),
     .fallback = "unlimited", .least = 1, .what = "a number of VMs",
     .help = "As starts_per_minute, on one host."},
    {"slow_start", KEY_COUNT, true, AT(policy, limits.slow_start), .fallback = "1",
     .most = 100000, .what = "a number of VMs",
     .help = "VMs being started at once on a host, or of a template, that has not proved itself: it "
             "doubles with each VM that joins, until the first failure. 0: no slow start."},
    {"recorded_worlds", KEY_COUNT, AT(policy, limits.recorded_worlds), .fallback = "1000",
     .least = 1, .most = 1000000, .what = "a number of worlds",
     .help = "Worlds kept in paths.recorder; the oldest goes first."},
};
static const struct section limits = {SECTION(limits_keys)};

/* ---- placement ------------------------------------------------------------------------------- */

static const char *const placements[] = {
    [POLICY_SPREAD] = "spread",
    [POLICY_PACK] = "pack",
    NULL,
};

static const struct key placement_keys[] = {
    {"order", KEY_CHOICE, AT(policy, placement.order), .fallback = "spread", .choices = placements,
     .help = "spread: the host with the most memory left. pack: the one with the least that fits."},
    {"overcommit", KEY_PERCENT, true, AT(policy, placement.overcommit), .fallback = "100%",
     .least = 1, .most = 10000,
     .help = "Share of a host's cpus that all its domains may have together."},
};
static const struct section placement = {SECTION(placement_keys)};

/* ---- timing ---------------------------------------------------------------------------------- */

static const char *const drain_timeouts[] = {
    [POLICY_DRAIN_WAIT] = "wait",
    [POLICY_DRAIN_KILL] = "kill",
    NULL,
};

static const struct key timing_keys[] = {
    {"look_every", KEY_DURATION, true, AT(policy, timing.look_every), .fallback = "10s",
     .least = USEC_PER_SEC / 10, .most = USEC_PER_HOUR,
     .help = "How often the queue and the slots are asked for when nothing happens."},
    {"settle", KEY_DURATION, true, AT(policy, timing.settle), .fallback = "0",
     .help = "How long jobs must have been idle before VMs are started for them."},
    {"idle_before_drain", KEY_DURATION, true, AT(policy, timing.idle_before_drain),
     .fallback = "10m", .help = "How long a VM that nobody needs stays."},
    {"min_life", KEY_DURATION, true, AT(policy, timing.min_life), .fallback = "0",
     .help = "No VM is drained for being idle before it is so old."},
    {"cool_down", KEY_DURATION, true, AT(policy, timing.cool_down), .fallback = "0",
     .help = "No VM is drained for being idle within so long of a start of its template."},
    {"join_within", KEY_DURATION, true, AT(policy, timing.join_within), .fallback = "10m",
     .least = USEC_PER_SEC,
     .help = "Create call to slot; a VM that takes longer is removed. One that nobody removes powers "
             "itself off after twice as long."},
    {"first_job_within", KEY_DURATION, true, AT(policy, timing.first_job_within), .fallback = "30m",
     .help = "How long a VM that joined may go without its first job while jobs wait that it could "
             "run. Then it is drained, and it counts as a failure of its host, template and group, of "
             "those of which no VM ran a job meanwhile. 0: for ever."},
    {"drain_within", KEY_DURATION, true, AT(policy, timing.drain_within), .fallback = "24h",
     .help = "How long a drain may wait for jobs before on_drain_timeout applies; 0: no deadline."},
    {"on_drain_timeout", KEY_CHOICE, AT(policy, timing.on_drain_timeout), .fallback = "wait",
     .choices = drain_timeouts,
     .help = "wait: go on waiting and say so. kill: destroy the VM with its jobs."},
    {"poweroff_within", KEY_DURATION, true, AT(policy, timing.poweroff_within), .fallback = "2m",
     .least = USEC_PER_SEC,
     .help = "How long a drained VM may take to power off before it is destroyed; and how long before "
             "the end of a request its VMs are drained, but for a quarter of its time at most."},
    {"max_age", KEY_DURATION, true, AT(policy, timing.max_age), .fallback = "14d",
     .least = USEC_PER_SEC, .help = "A VM older than this is drained."},
    {"rest_after_failure", KEY_DURATION, true, AT(policy, timing.rest_after_failure),
     .fallback = "10s", .least = USEC_PER_SEC,
     .help = "How long a host or template is left alone after a VM failed to be created or to join, "
             "or got no job. Doubles with each failure in a row; then one VM probes."},
    {"rest_at_most", KEY_DURATION, true, AT(policy, timing.rest_at_most), .fallback = "10m",
     .least = USEC_PER_SEC, .help = "The longest rest."},
    {"trust_for", KEY_DURATION, true, AT(policy, timing.trust_for), .fallback = "60s",
     .least = USEC_PER_SEC,
     .help = "Facts older than this are stale: nothing is drained or destroyed by them."},
    {"token_life", KEY_DURATION, true, AT(policy, timing.token_life), .fallback = "8h",
     .least = USEC_PER_SEC,
     .help = "Life of the token by which a VM is admitted to the pool. The VM gets a new one each "
             "quarter of that; with eyried away for three quarters its slots leave the pool."},
    {"orphan_after", KEY_DURATION, true, AT(policy, timing.orphan_after), .fallback = "6h",
     .help = "A VM powers itself off when no job runs in it and for so long the pool has not taken "
             "its token and eyried has sent no new one; 0: never."},
    {"give_back_after", KEY_DURATION, true, AT(policy, timing.give_back_after), .fallback = "1h",
     .help = "A request whose VMs were idle so long from its beginning, and of which no job was seen, "
             "is handed back. 0: never."},
};
static const struct section timing = {SECTION(timing_keys)};

/* ---- hosts ----------------------------------------------------------------------------------- */

static const struct key host_keys[] = {
    {"name", KEY_TEXT, AT(policy_host, name), .pattern = HOST_PATTERN, .what = HOST_WHAT,
     .otherwise = "the host in uri, or \"local\"", .help = "Its name in everything Eyrie says."},
    {"uri", KEY_TEXT, AT(policy_host, uri), .pattern = "[a-z][a-z0-9+.-]*://[^ ]*",
     .what = "a libvirt URI, such as qemu+tls://hv01.example.org/system",
     .help = "libvirt connection URI."},
    {"cpus", KEY_COUNT, AT(policy_host, cpus), .fallback = "0", .what = "a number of cpus",
     .help = "Cpus for domains; 0: as many as the host says it has."},
    {"memory", KEY_BYTES, AT(policy_host, memory), .fallback = "0",
     .help = "Memory for domains; 0: as much as the host says it has, less the reserve."},
    {"reserve", KEY_BYTES, AT(policy_host, reserve), .fallback = "1GiB",
     .help = "Memory that the host keeps for itself, where memory is 0."},
    {"storage_pool", KEY_TEXT, AT(policy_host, storage_pool), .fallback = "eyrie",
     .pattern = "[A-Za-z0-9_][A-Za-z0-9_.+-]*", .what = "the name of a storage pool",
     .help = "libvirt storage pool with the images, in which the VMs' volumes are made."},
    {"max_vms", KEY_COUNT, true, AT(policy_host, max_vms), .fallback = "unlimited",
     .what = "a number of VMs", .help = "VMs of ours on it at once."},
    {"tags", KEY_TEXTS, MANY(policy_host, tags), .pattern = LABEL_PATTERN, .what = "a tag",
     .otherwise = "none", .help = "What it has to offer; a template may need one."},
};
static const struct section hosts = {ELEMENT(policy_host, host_keys)};

/* ---- templates ------------------------------------------------------------------------------- */

static const struct key template_name = {"name", KEY_TEXT, .pattern = LABEL_PATTERN,
                                         .what = LABEL_WHAT};

static const struct key template_keys[] = {
    {"domain", KEY_PATH, AT(policy_template, domain),
     .help = "libvirt domain XML that the VMs are made from."},
    {"image", KEY_TEXT, AT(policy_template, image), .pattern = "[A-Za-z0-9_][A-Za-z0-9_.+-]*",
     .what = "the name of a volume",
     .help = "Volume in the storage pool under the VMs' own disks."},
    {"cpus", KEY_COUNT, AT(policy_template, cpus), .least = 1, .most = 4096,
     .what = "a number of cpus", .help = "Cpus of each VM."},
    {"memory", KEY_BYTES, AT(policy_template, memory), .least = 16 * MIB,
     .help = "Memory of each VM."},
    {"disk", KEY_BYTES, AT(policy_template, disk), .least = MIB, .help = "Disk of each VM."},
    {"gpus", KEY_COUNT, AT(policy_template, gpus), .fallback = "0", .most = 64,
     .what = "a number of GPUs", .help = "GPUs that the domain XML passes on to each VM."},
    {"max_vms", KEY_COUNT, true, AT(policy_template, max_vms), .fallback = "unlimited",
     .what = "a number of VMs", .help = "VMs of the template at once."},
    {"needs", KEY_TEXTS, MANY(policy_template, needs), .pattern = LABEL_PATTERN, .what = "a tag",
     .otherwise = "none", .help = "Tags that a host must have, all of them."},
};
static const struct section templates = {ELEMENT(policy_template, template_keys),
                                         .name = &template_name};

/* ---- groups ---------------------------------------------------------------------------------- */

static const char *const jobs_run[] = {
    [POLICY_VIRTUAL_ONLY] = "virtual-only",
    [POLICY_OVERFLOW] = "overflow",
    NULL,
};

static const char *const answers[] = {
    [POLICY_GRANT] = "grant",
    [POLICY_APPROVE] = "approve",
    [POLICY_REFUSE] = "refuse",
    NULL,
};

static const struct key group_requests_keys[] = {
    {"answer", KEY_CHOICE, true, AT(policy_group, requests.answer), .choices = answers,
     .otherwise = "what requests says for all groups", .help = "As requests, for this group."},
    {"max_cpus", KEY_COUNT, true, AT(policy_group, requests.max_cpus), .fallback = "unlimited",
     .what = "a number of cpus", .help = "Cpus of one request."},
    {"max_length", KEY_DURATION, true, AT(policy_group, requests.max_length), .fallback = "0",
     .help = "Time from the beginning of a request to its end. 0: no cap."},
    {"max_lead", KEY_DURATION, true, AT(policy_group, requests.max_lead), .fallback = "0",
     .help = "How long before its beginning a request may be made. 0: no cap."},
    {"max_open", KEY_COUNT, true, AT(policy_group, requests.max_open), .fallback = "unlimited",
     .what = "a number of requests", .help = "Requests that wait for an admin, or are granted and "
                                             "not over, at once."},
};
static const struct section group_requests = {SECTION(group_requests_keys)};

static const struct key group_notify_keys[] = {
    {"url", KEY_TEXT, AT(policy_group, notify.url), .fallback = "", .pattern = "(https?://[^ ]+)?",
     .what = "a URL that begins with http:// or https://",
     .help = "Where what becomes of the group's requests is posted, as JSON; empty: nowhere."},
    {"secret_file", KEY_PATH, AT(policy_group, notify.secret_file), .fallback = "", .secret = true,
     .help = "File with the secret that is sent along, for eyried's eyes only; empty: none is."},
    {"command", KEY_PATH, AT(policy_group, notify.command), .fallback = "",
     .help = "Program that is run for it, with the same JSON as its input; empty: none is."},
};
static const struct section group_notify = {SECTION(group_notify_keys)};

static const struct key group_name = {"name", KEY_TEXT, .pattern = "[A-Za-z0-9_][A-Za-z0-9_.-]*",
                                      .what = "an accounting group"};

static const struct key group_keys[] = {
    {"quota", KEY_COUNT, true, AT(policy_group, quota), .fallback = "0", .what = "a number of cpus",
     .help = "Cpus that the group gets before any surplus is shared."},
    {"max", KEY_COUNT, true, AT(policy_group, max), .fallback = "unlimited",
     .what = "a number of cpus", .help = "Cpus that the group never exceeds."},
    {"max_vms", KEY_COUNT, true, AT(policy_group, max_vms), .fallback = "unlimited",
     .what = "a number of VMs", .help = "VMs that the group never exceeds."},
    {"max_memory", KEY_BYTES, true, AT(policy_group, max_memory), .fallback = "unlimited",
     .help = "Memory of VMs that the group never exceeds."},
    {"weight", KEY_COUNT, true, AT(policy_group, weight), .fallback = "1", .most = 1000000,
     .what = "a weight: a whole number", .help = "Share of the surplus, against other groups."},
    {"templates", KEY_TEMPLATES, MANY(policy_group, templates), .otherwise = "all templates",
     .help = "Templates that its jobs may run in, the preferred one first."},
    {"submitters", KEY_TEXTS, MANY(policy_group, submitters), .pattern = USER_PATTERN,
     .what = "a user", .otherwise = "anyone", .help = "Owners whose jobs count for the group."},
    {"exclusive", KEY_BOOL, AT(policy_group, exclusive), .fallback = "false",
     .help = "Whether its VMs run its jobs only."},
    {"placement", KEY_CHOICE, AT(policy_group, placement), .fallback = "virtual-only",
     .choices = jobs_run,
     .help = "virtual-only: its flagged jobs run in VMs. overflow: in the main pool as well; a job may "
             "say otherwise with +EyriePlacement."},
    {"overflow_after", KEY_DURATION, true, AT(policy_group, overflow_after), .fallback = "0",
     .help = "How long an overflow job waits for the main pool alone before VMs may take it."},
    {"max_walltime", KEY_DURATION, true, AT(policy_group, max_walltime), .fallback = "0",
     .help = "Cap of allowed_execute_duration; jobs that ask for none get it. 0: no cap."},
    {"long_job", KEY_DURATION, true, AT(policy_group, long_job), .fallback = "0",
     .help = "A job that may run longer, or does not say how long, is a long one. 0: none is."},
    {"long_jobs", KEY_COUNT, true, AT(policy_group, long_jobs), .fallback = "unlimited",
     .what = "a number of jobs", .help = "Long jobs of one user that run in VMs at once."},
    {"disruption", KEY_TEXTS, MANY(policy_group, disruption_text), .pattern = ".*",
     .what = "a disruption budget", .otherwise = "no bound",
     .help = "How many of the group's busy VMs may be draining at once for age, generation or host: "
             "\"2\", \"5%\", \"weekdays 08:00-18:00: 5%\". The first whose window holds counts."},
    {"requests", KEY_SECTION, .section = &group_requests, .fallback = "{}",
     .help = "Caps on the capacity that the group may book, by eyrie request."},
    {"notify", KEY_SECTION, .section = &group_notify, .fallback = "{}",
     .help = "Who is told what becomes of the group's requests."},
};
static const struct section groups = {ELEMENT(policy_group, group_keys), .name = &group_name};

/* ---- blackouts ------------------------------------------------------------------------------- */

static const struct key blackout_keys[] = {
    {"from", KEY_TEXT, AT(policy_blackout, from_text), .pattern = ".*", .what = "a time",
     .help = "When it begins, such as 2026-12-24T08:00; see VALUES."},
    {"until", KEY_TEXT, AT(policy_blackout, until_text), .pattern = ".*", .what = "a time",
     .help = "When it is over."},
    {"reason", KEY_TEXT, AT(policy_blackout, reason), .fallback = "", .what = "a sentence",
     .help = "What those are told who ask for a request then."},
};
static const struct section blackouts = {
    SECTION(blackout_keys), .size = sizeof(struct policy_blackout),
    .name_offset = offsetof(struct policy_blackout, from_text),
    .at_offset = offsetof(struct policy_blackout, at)};

/* ---- the file -------------------------------------------------------------------------------- */

/* Templates stand before what refers to them. */
static const struct key file_keys[] = {
    {"include", KEY_INCLUDE, .fallback = "[]",
     .help = "Other files that belong to the policy, such as conf.d/*.yaml: a pattern, or a list of "
             "them; see INCLUDED FILES."},
    {"pool", KEY_SECTION, .section = &pool, .help = "The virtual pool."},
    {"paths", KEY_SECTION, .section = &paths, .fallback = "{}",
     .help = "Where Eyrie's own files are."},
    {"agents", KEY_SECTION, .section = &agents_section, .fallback = "{}",
     .help = "The way to eyried for the agents that keep fragments on other machines."},
    {"access", KEY_SECTION, .section = &access_section, .fallback = "{}",
     .help = "Who may do what by the API. Anyone may look."},
    {"schedds", KEY_LIST, MANY(policy, schedds), .section = &schedds,
     .help = "The schedds whose flagged jobs the pool serves."},
    {"limits", KEY_SECTION, .section = &limits, .fallback = "{}",
     .help = "What is never exceeded. What is left out has no limit, except for the starts."},
    {"placement", KEY_SECTION, .section = &placement, .fallback = "{}",
     .help = "How hosts are chosen."},
    {"timing", KEY_SECTION, .section = &timing, .fallback = "{}", .help = "How long things take."},
    {"hosts", KEY_LIST, MANY(policy, hosts), .section = &hosts, .help = "The libvirt hosts."},
    {"templates", KEY_MAP, MANY(policy, templates), .section = &templates,
     .help = "What VMs are made from."},
    {"groups", KEY_MAP, MANY(policy, groups), .section = &groups,
     .help = "The accounting groups that may use the pool."},
    {"requests", KEY_CHOICE, true, AT(policy, requests), .fallback = "grant", .choices = answers,
     .help = "What becomes of a request for capacity (eyrie request) that the calendar has room for. "
             "grant: it is granted at once. approve: it waits for an admin. refuse: there are none."},
    {"blackouts", KEY_LIST, MANY(policy, blackouts), .section = &blackouts, .fallback = "[]",
     .help = "Times for which no request is granted. They drain nothing."},
    {"spare", KEY_SPARE, .fallback = "{}", .what = "a number of VMs",
     .help = "Per template: VMs kept booted and idle."},
};
const struct section keys_file = {SECTION(file_keys)};

const struct key *keys_find(const char *section, const char *name)
{
    const struct section *s = NULL;
    size_t i = 0;
    for (size_t k = 0; k < keys_file.n; k++)
        if (strcmp(keys_file.keys[k].name, section) == 0)
            s = keys_file.keys[k].section;
    assert(s);
    while (i < s->n && strcmp(s->keys[i].name, name) != 0)
        i++;
    assert(i < s->n);
    return &s->keys[i];
}
