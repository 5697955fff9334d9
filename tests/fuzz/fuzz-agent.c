/*
 * What travels between eyried and an agent: a report, which may be anything, changes nothing but
 * what is known of that agent; a parcel that nobody signed is never opened.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "act/agents.h"
#include "act/parcel.h"
#include "base/mem.h"
#include "fuzz/fuzz.h"

static struct agents *agents;
static char *token;

static void nothing(void *userdata)
{
    (void)userdata;
}

static void event(void *userdata, const char *kind, const char *subject, const char *text)
{
    (void)userdata;
    assert(*kind && strcmp(subject, "schedd") == 0);
    for (const char *c = text; *c; c++)
        assert((unsigned char)*c >= ' ' && *c != 0x7f);
}

static void begin(void)
{
    const struct flock_target target = {.name = "schedd", .daemon = "-schedd"};
    struct loop *loop = NULL;
    struct ledger *ledger = NULL;
    struct json_object *joined = NULL;
    char *secret = NULL;
    struct err e;
    int r = loop_new(&loop, &e);
    if (r == 0)
        r = ledger_open(":memory:", &ledger, &e);
    if (r == 0)
        r = agents_new(loop, ledger, &(struct agents_callbacks){nothing, nothing, event, NULL},
                       &agents, &e);
    if (r == 0)
        r = agents_invite(agents, "schedd", &secret, &e);
    if (r == 0)
        r = agents_join(agents, secret, &joined, &e);
    assert(r == 0);
    token = mem_strdup(json_string_or(joined, "token", ""));
    const struct flock_remote *remote = agents_remote(agents);
    r = remote->offer(remote->userdata, &target, "KNOB", "mark", "text", &e);
    assert(r == 0);
    (void)json_object_put(joined);
    free(secret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTOJSON struct json_object *o = NULL;
    struct parcel parcel;
    struct err e;
    if (!agents)
        begin();
    if (json_parse((const char *)data, size, &o, NULL) < 0 ||
        !json_object_is_type(o, json_type_object))
        return 0;
    assert(parcel_read(o, token, &parcel, &e) < 0);
    agents_report(agents, agents_find(agents, token), o);
    AUTOJSON struct json_object *view = agents_view(agents);
    assert(json_object_array_length(view) == 1);
    AUTOJSON struct json_object *news =
        agents_news(agents, agents_find(agents, token), token, json_int_or(o, "have", 0),
                    json_int_or(o, "refused", 0));
    int r = news ? parcel_read(news, token, &parcel, &e) : 0;
    assert(r == 0);
    return 0;
}
