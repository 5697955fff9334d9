#include "serve/sample.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define AGO(seconds) (SAMPLE_NOW - (seconds) * USEC_PER_SEC)

static const struct policy_schedd schedds[] = {
    {.name = "schedd.lab", .collector = "cm.lab", .flock = "/etc/condor/config.d/60-eyrie.conf"},
};

static const struct policy_host hosts[] = {
    {.name = "hv01", .uri = "qemu+tls://hv01/system", .storage_pool = "eyrie", .cpus = 16,
     .memory = 64 * GIB, .max_vms = {POLICY_UNLIMITED}, .at = {20}},
    {.name = "hv02", .uri = "qemu+tls://hv02/system", .storage_pool = "eyrie",
     .max_vms = {POLICY_UNLIMITED}, .at = {21}},
};

static const struct policy_template templates[] = {
    {.name = "small", .generation = "g1", .cpus = 2, .memory = 4 * GIB, .disk = 20 * GIB,
     .max_vms = {POLICY_UNLIMITED}, .at = {24}},
};

static const size_t small_only[] = {0};
static const char *juno_submitters[] = {"alice", "bob"};

static const struct policy_group groups[] = {
    {.name = "juno", .quota = {8, {30, 1}}, .max = {8, {31, 1}}, .max_vms = {POLICY_UNLIMITED},
     .max_memory = {POLICY_UNLIMITED}, .weight = {2, {32, 1}}, .templates = small_only,
     .n_templates = 1, .submitters = juno_submitters, .n_submitters = 2, .exclusive = true,
     .requests = {.max_cpus = {POLICY_UNLIMITED}, .max_open = {POLICY_UNLIMITED}}, .at = {29, 1}},
    {.name = "lhaaso", .max = {POLICY_UNLIMITED}, .max_vms = {POLICY_UNLIMITED},
     .max_memory = {POLICY_UNLIMITED}, .weight = {1}, .templates = small_only,
     .n_templates = 1,
     .requests = {.answer = {POLICY_APPROVE, {34}}, .max_cpus = {POLICY_UNLIMITED},
                  .max_open = {POLICY_UNLIMITED}},
     .at = {33}},
};

static const char *const files[] = {"eyrie.yaml", "conf.d/juno.yaml"};

static const struct policy policy = {
    .file = "/etc/eyrie/eyrie.yaml",
    .files = files,
    .n_files = ARRAY_SIZE(files),
    .pool = {.name = "vpool", .flag = "VirtualPool", .central_manager = "vcm.lab:9618"},
    .limits = {.vms = {10, {11}}, .cpus = {16, {11}}, .memory = {POLICY_UNLIMITED},
               .starts_in_flight = {4, {11}}, .starts_per_minute = {60}},
    .timing = {.look_every = {10 * USEC_PER_SEC, {13}}, .trust_for = {60 * USEC_PER_SEC}},
    .schedds = schedds,
    .n_schedds = ARRAY_SIZE(schedds),
    .hosts = hosts,
    .n_hosts = ARRAY_SIZE(hosts),
    .templates = templates,
    .n_templates = ARRAY_SIZE(templates),
    .placement.overcommit = {100},
    .groups = groups,
    .n_groups = ARRAY_SIZE(groups),
};

static const struct world_shape shapes[] = {
    {.owner = "alice", .group = "juno", .cpus = 1, .memory = GIB, .idle = 9, .running = 3,
     .request = ""},
    {.owner = "eve", .group = "", .cpus = 2, .memory = GIB, .idle = 50, .held = 1,
     .request = ""},
};

static const struct world_queue queues[] = {
    {.schedd = "schedd.lab", .fact = {.asked = AGO(3)}, .shapes = shapes, .n_shapes = 2},
};

static const struct world_domain domains[] = {
    {.uuid = "1a2b3c4d-0000-4000-8000-000000000001", .name = "vpool-small-1a2b3c4d",
     .state = "running", .ours = true, .why_foreign = "", .template = "small", .generation = "g1",
     .group = "juno", .exclusive = true, .born = AGO(3725), .cpus = 2, .memory = 4 * GIB},
    {.uuid = "ffffffff-0000-4000-8000-000000000009", .name = "vpool-intruder", .state = "running",
     .ours = false, .why_foreign = "no metadata of ours", .template = "", .generation = "",
     .group = "", .cpus = 1, .memory = GIB},
};

static const char *const sample_jobs[] = {"12.3"};

static const struct world_startd startds[] = {
    {.uuid = "1a2b3c4d-0000-4000-8000-000000000001", .name = "vpool-small-1a2b3c4d",
     .machine = "vpool-small-1a2b3c4d.lab", .address = "<10.77.0.100:9618>", .cpus = 2,
     .memory = 4 * GIB, .free_cpus = 1, .free_memory = 3 * GIB, .claimed = 1, .usable = true,
     .heard = AGO(4), .job = "12.3", .jobs = sample_jobs, .n_jobs = 1},
};

static const struct world_host world_hosts[] = {
    {.name = "hv01", .fact = {.asked = AGO(2)}, .cpus = 16, .memory = 64 * GIB,
     .storage_available = 500 * GIB, .domains = domains, .n_domains = 2, .order = WORLD_NOBODY},
    {.name = "hv02", .fact = {.asked = AGO(125), .failed = AGO(5), .error = "no route to host"},
     .cpus = 8, .memory = 32 * GIB, .failures = 2, .last_failure = AGO(90), .order = WORLD_NOBODY},
};

static const struct world_record records[] = {
    {.uuid = "1a2b3c4d-0000-4000-8000-000000000001", .name = "vpool-small-1a2b3c4d",
     .host = "hv01", .template = "small", .generation = "g1", .group = "juno", .exclusive = true,
     .create_decided = AGO(3726), .create_answer = WORLD_ANSWER_OK, .joined = AGO(3690),
     .why = "9 idle jobs want it", .order = WORLD_NOBODY},
};

static const struct world_flock flocks[] = {
    {.schedd = "schedd.lab", .wanted = "d1", .present = "d1", .believed = "d1", .error = ""},
};

static const struct world world = {
    .now = SAMPLE_NOW,
    .order = WORLD_NOBODY,
    .queues = queues,
    .n_queues = 1,
    .pool = {.fact = {.asked = AGO(4)}, .startds = startds, .n_startds = 1},
    .hosts = world_hosts,
    .n_hosts = 2,
    .records = records,
    .n_records = 1,
    .flocks = flocks,
    .n_flocks = 1,
};

static const struct plan_vm vms[] = {
    {.uuid = "1a2b3c4d-0000-4000-8000-000000000001", .name = "vpool-small-1a2b3c4d",
     .host = "hv01", .template = "small", .group = "juno", .exclusive = true, .state = VM_BUSY,
     .reason = {REASON_IN_USE, 1}, .born = AGO(3725), .cpus = 2,
     .memory = 4 * GIB, .free_cpus = 1, .free_memory = 3 * GIB, .claimed = 1,
     .startd = &startds[0], .domain = &domains[0], .record = &records[0]},
    {.uuid = "1a2b9999-0000-4000-8000-000000000002", .name = "vpool-small-1a2b9999",
     .host = "hv01", .template = "small", .group = "juno", .state = VM_BOOTING,
     .reason = {REASON_WAITING_FOR_SLOT, 21 * USEC_PER_SEC}, .born = AGO(21),
     .cpus = 2, .memory = 4 * GIB, .free_cpus = 2},
    {.uuid = "5e6f7a8b-0000-4000-8000-000000000003", .name = "vpool-small-5e6f7a8b",
     .host = "hv02", .template = "small", .group = "", .state = VM_LOST, .world_host = 1,
     .policy_group = SIZE_MAX,
     .reason = {REASON_HOST_UNKNOWN, 0, 0, {0}, "hv02"}, .born = AGO(9000), .cpus = 2,
     .memory = 4 * GIB},
    {.uuid = "ffffffff-0000-4000-8000-000000000009", .name = "vpool-intruder", .host = "hv01",
     .template = "", .group = "", .state = VM_FOREIGN,
     .reason = {REASON_FOREIGN, 0, 0, {0}, "no metadata of ours"}, .cpus = 1, .memory = GIB,
     .domain = &domains[1], .policy_template = SIZE_MAX, .policy_group = SIZE_MAX},
};

static const struct plan_shape plan_shapes[] = {
    {.schedd = "schedd.lab", .shape = &shapes[0], .served = 1, .starting = 2, .waiting = 6,
     .reason = {REASON_LIMIT_GROUP, 8, 8, {31, 1}, "juno"}},
    {.schedd = "schedd.lab", .shape = &shapes[1], .waiting = 50,
     .reason = {REASON_JOBS_NO_GROUP, 50, 0, {0}, "eve"}},
};

static const struct plan_group plan_groups[] = {
    {.name = "juno", .vms = 2, .cpus = 4, .idle_jobs = 9, .running_jobs = 3, .starting = 1,
     .limited = {REASON_LIMIT_GROUP, 8, 8, {31, 1}, "juno"}},
    {.name = "lhaaso"},
};

static const struct plan_trust trust[] = {
    {.kind = "pool", .name = "vpool", .trusted = true, .age = 4 * USEC_PER_SEC, .error = ""},
    {.kind = "queue", .name = "schedd.lab", .trusted = true, .age = 3 * USEC_PER_SEC, .error = ""},
    {.kind = "host", .name = "hv01", .trusted = true, .age = 2 * USEC_PER_SEC, .error = ""},
    {.kind = "host", .name = "hv02", .age = 125 * USEC_PER_SEC, .error = "no route to host"},
};

static const struct plan_action actions[] = {
    {.kind = ACTION_CREATE, .reason = {REASON_DEMAND, 9}, .uuid = "", .name = "",
     .host = "hv01", .volume = "", .machine = "", .request = "", .exclusive = true},
    {.kind = ACTION_DRAIN,
     .reason = {REASON_IDLE, 700 * USEC_PER_SEC, 600 * USEC_PER_SEC, {13}},
     .uuid = "1a2b3c4d-0000-4000-8000-000000000001", .name = "vpool-small-1a2b3c4d",
     .host = "hv01", .volume = "", .machine = "vpool-small-1a2b3c4d.lab", .request = ""},
};

static const struct plan plan = {
    .policy = &policy,
    .now = SAMPLE_NOW,
    .next_look = SAMPLE_NOW + 7 * USEC_PER_SEC,
    .trust = trust,
    .n_trust = ARRAY_SIZE(trust),
    .vms = vms,
    .n_vms = ARRAY_SIZE(vms),
    .shapes = plan_shapes,
    .n_shapes = ARRAY_SIZE(plan_shapes),
    .groups = plan_groups,
    .n_groups = ARRAY_SIZE(plan_groups),
    .actions = actions,
    .n_actions = ARRAY_SIZE(actions),
    .counts = {[VM_BOOTING] = 1, [VM_BUSY] = 1, [VM_LOST] = 1, [VM_FOREIGN] = 1},
};

static const struct world quiet_world = {
    .now = SAMPLE_NOW, .order = WORLD_NOBODY, .flocks = flocks, .n_flocks = 1};

static const struct plan quiet_plan = {
    .policy = &policy,
    .now = SAMPLE_NOW,
    .next_look = USEC_NEVER,
    .trust = trust,
    .n_trust = 3,
    .groups = &(const struct plan_group[]){{.name = "juno"}, {.name = "lhaaso"}}[0],
    .n_groups = 2,
};

static const struct server_event events[] = {
    {AGO(21), "create vpool-small-1a2b9999 on hv01: 9 idle jobs want it"},
    {AGO(5), "host hv02: no route to host"},
};

static const struct server_facts server = {
    .version = "0.1.0",
    .pid = 4242,
    .started = AGO(86400),
    .steps = 8640,
    .last_step = AGO(1),
    .last_step_took = 850,
    .under_way = 1,
    .looks = 8000,
    .last_query_bytes = 5800,
    .last_query_took = 410000,
    .policy_loaded = AGO(600),
    .refused = "",
    .last_error = "host hv02: no route to host",
    .last_error_at = AGO(5),
    .refused_jobs = 2,
    .events = events,
    .n_events = ARRAY_SIZE(events),
    .ledger_error = "",
    .ledger_aside = "",
    .counts = {.events = {{"create", 2}, {"create-done", 1}, {"host-failed", 1}},
               .n_events = 3,
               .steps = {.buckets = {8000, 600, 40}, .sum = 7 * USEC_PER_SEC},
               .looks = {.buckets = {[8] = 7990, [11] = 10}, .sum = 900 * USEC_PER_SEC},
               .look_failures = 10,
               .queue_bytes = 5800,
               .pool_bytes = 1234},
};

struct snapshot *sample_snapshot(void (*free)(void *userdata), void *userdata)
{
    return snapshot_new(&policy, &world, &plan, &server, free, userdata);
}

struct snapshot *sample_quiet(void)
{
    static const struct server_facts quiet = {
        .version = "0.1.0", .pid = 4242, .started = AGO(60), .steps = 6, .last_step = AGO(1),
        .refused = "", .last_error = "", .ledger_error = "", .ledger_aside = ""};
    return snapshot_new(&policy, &quiet_world, &quiet_plan, &quiet, NULL, NULL);
}

bool sample_allows(const struct asker *asker)
{
    static const struct access *access;
    CLEANUP(text_done) struct text unknown = {0};
    if (!access)
        access = access_new(NULL, 0, &unknown);
    return access_allows(access, asker);
}

int sample_events(void *userdata, const struct ledger_events_wanted *wanted,
                  void (*callback)(void *userdata, const struct ledger_event *event),
                  void *callback_userdata, struct err *e)
{
    static const struct ledger_event history[] = {
        {1, AGO(3690), "joined", "vpool-small-1a2b3c4d", ""},
        {2, AGO(21), "create", "vpool-small-1a2b9999", "9 idle jobs want it"},
        {3, AGO(5), "host-failed", "hv02", "no route to host"},
    };
    size_t given = 0;
    (void)userdata;
    (void)e;
    for (size_t i = 0; i < ARRAY_SIZE(history) && given < wanted->max; i++) {
        const struct ledger_event *event = &history[i];
        if (event->id <= wanted->after || event->at < wanted->since ||
            (wanted->vm && !text_equal(event->subject, wanted->vm)) ||
            (wanted->host && !text_equal(event->subject, wanted->host)))
            continue;
        callback(callback_userdata, event);
        given++;
    }
    return 0;
}

struct loop *sample_loop;
struct world_job sample_job = {
    .found = true,
    .status = WORLD_JOB_IDLE,
    .flagged = true,
    .flocks = true,
    .shape = {.owner = "alice", .group = "juno", .cpus = 1, .memory = GIB, .request = ""},
    .hold_reason = "",
    .remote_host = "",
    .submitted = AGO(200),
    .since = AGO(100),
};

struct job_query {
    struct loop_poke *poke;
    int64_t cluster;
    job_told told;
    void *userdata;
};

void sample_tell(struct job_query *q)
{
    const struct world_job none = {.found = false};
    if (q->cluster == 500)
        q->told(q->userdata, NULL, "connection refused");
    else
        q->told(q->userdata, q->cluster == 404 ? &none : &sample_job, NULL);
}

static void tell_later(void *userdata)
{
    sample_tell(userdata);
}

struct job_query *sample_ask_job(void *userdata, const char *schedd, int64_t cluster, int64_t proc,
                                 job_told told, void *told_userdata, struct err *e)
{
    (void)userdata;
    (void)schedd;
    if (proc > 8) {
        (void)err_set(e, EBUSY, "jobs are being asked for already: try again in a moment");
        return NULL;
    }
    struct job_query *q = mem_new(1, sizeof(*q));
    *q = (struct job_query){NULL, cluster, told, told_userdata};
    if (sample_loop) {
        q->poke = loop_poke_new(sample_loop, tell_later, q);
        loop_poke(q->poke);
    }
    return q;
}

void sample_forget_job(void *userdata, struct job_query *q)
{
    (void)userdata;
    if (q)
        (void)loop_poke_free(q->poke);
    free(q);
}

struct json_object *sample_reload(bool refused)
{
    static const struct change changes[] = {
        {.key = "limits.cpus", .old = "400", .new = "200", .file = "eyrie.yaml", .line = 12},
        {.key = "groups.juno", .old = ""},
    };
    static const struct difference difference = {changes, ARRAY_SIZE(changes)};
    return view_reload(
        &(struct server_reload){.file = "/etc/eyrie/eyrie.yaml",
                                .refused = refused ? "eyrie.yaml:1:1: the file is empty" : NULL,
                                .changes = &difference,
                                .plan = &plan},
        SAMPLE_NOW);
}

static struct json_object *parse(const char *text)
{
    struct json_object *o = NULL;
    int r = json_parse(text, strlen(text), &o, NULL);
    assert(r == 0);
    return o;
}

struct json_object *sample_agents(void *userdata)
{
    (void)userdata;
    return parse("[{\"name\": \"schedd.lab\", \"state\": \"well\", \"invited_until\": null,"
                 " \"joined\": 1767319445000000, \"heard\": 1767323044000000, \"revision\": 3,"
                 " \"has\": 3, \"error\": null, \"program\": \"0.1.0\"},"
                 " {\"name\": \"vcm.lab:9618\", \"state\": \"invited\","
                 " \"invited_until\": 1767326645000000, \"joined\": null, \"heard\": null,"
                 " \"revision\": 0, \"has\": 0, \"error\": null, \"program\": null}]");
}

int sample_agent_add(void *userdata, const char *name, const char *user, struct json_object **ret,
                     struct err *e)
{
    (void)userdata;
    if (!*user || strcmp(name, "schedd.lab") != 0)
        return err_set(e, ENOENT, "there is no schedd %s", name);
    *ret = parse("{\"version\": 1, \"name\": \"schedd.lab\", \"secret\": \"eyrie-join-0\","
                 " \"until\": 1767326645000000, \"server\": \"vcm.lab:9617\","
                 " \"pin\": \"sha256//x\", \"command\": \"eyrie-agent join --pin=sha256//x\"}");
    return 0;
}

int sample_agent_remove(void *userdata, const char *name, const char *user, struct err *e)
{
    (void)userdata;
    return *user && strcmp(name, "schedd.lab") == 0 ? 0
                                                    : err_set(e, ENOENT, "there is no agent of %s", name);
}

#define BOOKED(name_, hours_)                                                                      \
    {.id = name_, .group = "juno", .template = "small", .vms = 2, .exclusive = true,               \
     .user = "alice", .from = SAMPLE_NOW + (hours_)*USEC_PER_HOUR,                                 \
     .until = SAMPLE_NOW + ((hours_) + 5) * USEC_PER_HOUR}
static const struct ledger_request booked[] = {
    {.booking = BOOKED("r-9", -48), .number = 9, .state = LEDGER_REQUEST_ENDED, .cpus = 4,
     .reason = "calibration", .uid = 1001, .asked = AGO(200000), .decided = WORLD_NOBODY,
     .seen = {.used = AGO(172000), .delivered = 9 * USEC_PER_HOUR}},
    {.booking = BOOKED("r-16", 48), .number = 16, .state = LEDGER_REQUEST_WAITING, .cpus = 3,
     .reason = "", .uid = 1001, .asked = AGO(900), .decided = WORLD_NOBODY},
    {.booking = BOOKED("r-17", 1), .number = 17, .state = LEDGER_REQUEST_GRANTED, .cpus = 4,
     .reason = "a release", .uid = 1001, .asked = AGO(900),
     .decided = {AGO(300), "carol", "go ahead"}},
};

int sample_requests(void *userdata, int64_t number, bool all,
                    void (*callback)(void *userdata, const struct ledger_request *r),
                    void *callback_userdata, struct err *e)
{
    (void)userdata;
    (void)e;
    for (size_t i = 0; i < ARRAY_SIZE(booked); i++)
        if ((all || i > 0) && (!number || number == booked[i].number))
            callback(callback_userdata, &booked[i]);
    return 0;
}

int sample_book(void *userdata, struct booking *b, const struct asker *asker,
                struct json_object **ret, bool *ret_refused, struct err *e)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(snapshot_unref_p) struct snapshot *s = sample_snapshot(NULL, NULL);
    struct world w = *s->world;
    struct booking_answer answer;
    (void)userdata;
    w.requests = &booked[2].booking;
    w.n_requests = 1;
    b->uid = asker->uid;
    b->admin = sample_allows(asker);
    const struct booking_facts facts = {s->policy, &w, s->plan, booked, ARRAY_SIZE(booked)};
    int r = booking_decide(a, &facts, b, &answer, e);
    if (r < 0)
        return r;
    *ret_refused = answer.refused;
    if (!answer.refused && !answer.request.number && !b->preview)
        answer.request.booking.id = "r-18";
    *ret = view_booking(&facts, b, &answer);
    return 0;
}

static struct snapshot *port_snapshot(void *userdata)
{
    (void)userdata;
    return sample_snapshot(NULL, NULL);
}

static int port_allow(void *userdata, const struct asker *asker, struct err *e)
{
    (void)userdata;
    (void)asker;
    (void)e;
    return 0;
}

static int port_look(void *userdata, uid_t who, struct err *e)
{
    (void)userdata;
    (void)who;
    (void)e;
    return 0;
}

static int port_order(void *userdata, const struct order *o, struct err *e)
{
    (void)userdata;
    (void)o;
    (void)e;
    return 0;
}

static struct json_object *port_reload(void *userdata, const char *user, bool *ret_refused)
{
    (void)userdata;
    (void)user;
    *ret_refused = false;
    return sample_reload(false);
}

const struct api_port sample_port = {.snapshot = port_snapshot,
                                     .allow = port_allow,
                                     .look = port_look,
                                     .events = sample_events,
                                     .ask_job = sample_ask_job,
                                     .forget_job = sample_forget_job,
                                     .order = port_order,
                                     .reload = port_reload,
                                     .agents = sample_agents,
                                     .agent_add = sample_agent_add,
                                     .agent_remove = sample_agent_remove,
                                     .requests = sample_requests,
                                     .book = sample_book};
