/*
 * A hand-made snapshot for the tests of serve/ and cli/: a pool with two groups, a host that
 * answers and one that does not, and a VM in each state that needs a word.
 */
#pragma once

#include "loop/loop.h"
#include "serve/access.h"
#include "serve/job.h"
#include "serve/route.h"
#include "serve/view.h"

/** "Now" in the sample: 2026-01-02 03:04:05 UTC. */
#define SAMPLE_NOW ((usec)1767323045 * USEC_PER_SEC)

/** A new snapshot over static data; @free and @userdata: as snapshot_new. */
struct snapshot *sample_snapshot(void (*free)(void *userdata), void *userdata);
/** The same pool with nothing wrong and nothing to do. */
struct snapshot *sample_quiet(void);
/** Root and who runs the test may change something. */
bool sample_allows(const struct asker *asker);
/**
 * A schedd for api_port. It tells of sample_job (its cluster 404: is not found; 500: an error) when
 * sample_tell is called, or when sample_loop, which is set by who has one, turns.
 */
extern struct loop *sample_loop;
extern struct world_job sample_job;
void sample_tell(struct job_query *q);
struct job_query *sample_ask_job(void *userdata, const char *schedd, int64_t cluster, int64_t proc,
                                 job_told told, void *told_userdata, struct err *e);
void sample_forget_job(void *userdata, struct job_query *q);
/** What came of a changed policy, as the port answers it; or, when @refused, of a bad one. */
struct json_object *sample_reload(bool refused);
/** Three events; an events_function. */
int sample_events(void *userdata, const struct ledger_events_wanted *wanted,
                  void (*callback)(void *userdata, const struct ledger_event *event),
                  void *callback_userdata, struct err *e);
/** An agent that is well and one that is invited, as the port has them; and how one joins. */
struct json_object *sample_agents(void *userdata);
int sample_agent_add(void *userdata, const char *name, const char *user, struct json_object **ret,
                     struct err *e);
/** Only "schedd.lab" has one. */
int sample_agent_remove(void *userdata, const char *name, const char *user, struct err *e);
/** Requests of juno: r-9 has ended, r-16 waits, r-17 is granted; a requests_function. */
int sample_requests(void *userdata, int64_t number, bool all,
                    void (*callback)(void *userdata, const struct ledger_request *r),
                    void *callback_userdata, struct err *e);
/** As api_port's, about those and sample_snapshot; what is new becomes r-18. */
int sample_book(void *userdata, struct booking *b, const struct asker *asker,
                struct json_object **ret, bool *ret_refused, struct err *e);
/** A controller that lets everybody do everything, and does nothing; the pool is sample_snapshot. */
extern const struct api_port sample_port;
