/* Joining: a token that is good once, for one that is this agent's own. */
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/fetch.h"
#include "base/mem.h"

static const usec answer_within = 30 * USEC_PER_SEC;

struct joining {
    struct loop *loop;
    const char *folder;
    const struct state_joined *wanted;
};

static void answered(void *userdata, long status, const char *error, struct json_object *body)
{
    struct joining *j = userdata;
    struct state_joined joined = *j->wanted;
    struct err e;
    if (error) {
        (void)fprintf(stderr, "eyrie-agent: %s\n", error);
        loop_quit(j->loop, status == 401              ? AGENT_REFUSED
                           : status > FETCH_OTHER_KEY ? 1
                                                      : AGENT_UNREACHABLE);
        return;
    }
    int r = json_get_string(body, "controller", &joined.controller, &e);
    if (r == 0)
        r = json_get_string(body, "name", &joined.name, &e);
    if (r == 0)
        r = json_get_string(body, "token", &joined.token, &e);
    if (r == 0)
        r = state_write_joined(j->folder, &joined, &e);
    if (r < 0)
        (void)fprintf(stderr,
                      "eyrie-agent: %s; the token to join with is used up, eyrie agent add "
                      "prints a new one\n",
                      e.text);
    else
        (void)printf("Joined as the agent of %s. Now start eyrie-agent: systemctl enable --now "
                     "eyrie-agent\n",
                     joined.name);
    loop_quit(j->loop, r < 0 ? 1 : 0);
}

int agent_join(struct loop *loop, const char *folder, const struct state_joined *joined,
               const char *secret)
{
    const struct fetch_server server = {joined->server, joined->pin, joined->ca};
    struct joining j = {loop, folder, joined};
    struct err e;
    if (state_prepare(folder, &e) < 0) { /* before the token is used up */
        (void)fprintf(stderr, "eyrie-agent: %s\n", e.text);
        return 1;
    }
    AUTOJSON struct json_object *question = json_object_new_object();
    json_add_int(question, "version", 1);
    json_add_string(question, "secret", secret);
    struct fetch *fetch =
        fetch_start(loop, &server, "/v1/join", NULL, json_object_to_json_string(question),
                    answer_within, answered, &j);
    int r = loop_run(loop);
    (void)fetch_free(fetch);
    return r;
}
