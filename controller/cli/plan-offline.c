#include "cli/plan-offline.h"

#include <errno.h>

#include "base/mem.h"
#include "cli/paint.h"
#include "plan/plan.h"
#include "serve/view.h"

int offline_policy(const struct cli *cli, struct config **ret)
{
    AUTOFREE char *messages = NULL;
    if (config_load(cli->policy ? cli->policy : CLI_POLICY, ret, &messages) == 0)
        return CLI_OK;
    paint_text(cli->err, messages, true);
    return CLI_CONFIGURATION;
}

struct json_object *offline_view(const struct policy *p, const struct world *w)
{
    static const struct server_facts nothing = {.version = "", .last_error = "", .refused = ""};
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    const struct plan *plan = plan_make(a, p, w);
    CLEANUP(snapshot_unref_p) struct snapshot *s = snapshot_new(p, w, plan, &nothing, NULL, NULL);
    return view_plan(s, w->now);
}
