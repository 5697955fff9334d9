#include "agent/keeper.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/mem.h"

static const usec look_every = 5 * USEC_PER_SEC;
static const usec rest_after_failure = 10 * USEC_PER_SEC;

struct keeper {
    struct loop *loop;
    const char *folder;
    const struct state_joined *joined;
    struct keeper_callbacks callbacks;
    struct json_object *object; /* the parcel; NULL: none yet */
    struct parcel parcel;
    struct flocking *flock;
    bool renew; /* the parcel is another than that flock was made of */
    bool well;  /* at the last look: settled, and nothing overrides it */
    struct loop_timer *timer;
};

static const char *daemons[] = {"-schedd", "-negotiator"};

static bool is_daemon(const char *daemon)
{
    for (size_t i = 0; i < ARRAY_SIZE(daemons); i++)
        if (strcmp(daemon, daemons[i]) == 0)
            return true;
    return false;
}

/* It becomes an argument of HTCondor's tools. */
static bool is_knob(const char *knob)
{
    return text_starts_with(knob, "EYRIE_") &&
           strspn(knob, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") ==
               strlen(knob);
}

int keeper_judge(const struct state_joined *joined, const struct parcel *held,
                 const struct parcel *parcel, struct err *e)
{
    if (strcmp(parcel->controller, joined->controller) != 0)
        return err_set(
            e, EKEYREJECTED,
            "the fragment is of controller %.36s, and this agent joined %.36s: there are "
            "two, or the ledger was lost; eyrie-agent join lets the new one in",
            parcel->controller, joined->controller);
    if (strcmp(parcel->name, joined->name) != 0)
        return err_set(e, EKEYREJECTED,
                       "the fragment is for %.128s, and this is the agent of %.128s", parcel->name,
                       joined->name);
    if (!is_daemon(parcel->daemon) || !is_knob(parcel->knob))
        return err_set(e, EKEYREJECTED,
                       "the fragment is for no daemon that this agent knows: %.64s, %.64s",
                       parcel->daemon, parcel->knob);
    if (held && parcel->revision < held->revision)
        return err_set(e, EKEYREJECTED,
                       "the fragment is an old one: revision %" PRId64 ", and %" PRId64
                       " was applied; if eyried's ledger was put back from a backup, join anew",
                       parcel->revision, held->revision);
    if (held && parcel->revision == held->revision &&
        (strcmp(parcel->mark, held->mark) != 0 || strcmp(parcel->text, held->text) != 0))
        return err_set(e, EKEYREJECTED,
                       "revision %" PRId64 " is another text than the one applied by that number: "
                       "are there two controllers with one ledger?",
                       parcel->revision);
    return 0;
}

/* From here on @object is what is kept. */
static void hold(struct keeper *k, struct json_object *object, const struct parcel *parcel)
{
    (void)json_object_put(k->object);
    k->object = json_object_get(object);
    k->parcel = *parcel;
    k->renew = true;
}

static void applied(void *userdata, const char *error)
{
    struct keeper *k = userdata;
    AUTOFREE char *text = mem_printf("revision %" PRId64 "%s%s", k->parcel.revision,
                                     error ? ": " : "", error ? error : "");
    if (!k->renew)
        k->callbacks.event(error ? "apply-failed" : "applied", k->joined->name, text);
    k->callbacks.changed(k->callbacks.userdata);
    keeper_look(k);
}

static void make_flock(struct keeper *k)
{
    const struct flock_target target = {.name = k->joined->name,
                                        .daemon = k->parcel.daemon,
                                        .file = "fragment",
                                        .knob = k->parcel.knob,
                                        .path = k->joined->fragment,
                                        .tools = k->joined->tools};
    (void)flock_free(k->flock);
    k->flock = flock_new_given(k->loop, &target, k->parcel.knob, k->parcel.mark, k->parcel.text);
    flock_want(k->flock, *k->parcel.mark != '\0');
    flock_doubt(k->flock); /* the daemon may have read anything */
    k->renew = k->well = false;
}

void keeper_look(struct keeper *k)
{
    struct world_flock w;
    usec now = loop_now(k->loop), wait = look_every;
    if (k->object && !keeper_is_busy(k)) {
        if (k->renew)
            make_flock(k);
        flock_look(k->flock);
        flock_fill(k->flock, &w);
        bool is_settled = flock_is_settled(k->flock), well = is_settled && !w.failed,
             rests = w.failed && now - w.failed < rest_after_failure;
        if (k->well && !well)
            k->callbacks.event("differs", k->joined->name, w.failed ? w.error : k->joined->fragment);
        if (k->well != well)
            k->callbacks.changed(k->callbacks.userdata);
        k->well = well;
        if (!is_settled && !rests)
            flock_apply(k->flock, applied, k);
        else if (!is_settled)
            wait = w.failed + rest_after_failure - now;
    }
    loop_timer_set(k->timer, wait < look_every ? wait : look_every);
}

static void on_timer(void *userdata)
{
    keeper_look(userdata);
}

/* What was kept when we ended. It was checked before it was written; a disk may say otherwise. */
static void remember(struct keeper *k)
{
    AUTOJSON struct json_object *object = NULL;
    struct parcel parcel;
    struct err e;
    int r = state_read_parcel(k->folder, &object, &e);
    if (r == -ENOENT)
        return;
    if (r == 0)
        r = parcel_read(object, k->joined->token, &parcel, &e);
    if (r == 0)
        r = keeper_judge(k->joined, NULL, &parcel, &e);
    if (r < 0)
        k->callbacks.event("fragment-forgotten", k->joined->name, e.text);
    else
        hold(k, object, &parcel);
}

struct keeper *keeper_new(struct loop *loop, const char *folder, const struct state_joined *joined,
                          const struct keeper_callbacks *callbacks)
{
    struct keeper *k = mem_new(1, sizeof(*k));
    *k = (struct keeper){.loop = loop, .folder = folder, .joined = joined, .callbacks = *callbacks};
    k->timer = loop_timer_new(loop, on_timer, k);
    remember(k);
    return k;
}

struct keeper *keeper_free(struct keeper *k)
{
    if (!k)
        return NULL;
    (void)flock_free(k->flock);
    (void)loop_timer_free(k->timer);
    (void)json_object_put(k->object);
    free(k);
    return NULL;
}

int keeper_take(struct keeper *k, struct json_object *object, int64_t *ret_revision, struct err *e)
{
    struct parcel parcel = {.revision = 0};
    int r = parcel_read(object, k->joined->token, &parcel, e);
    *ret_revision = parcel.revision;
    if (r == 0)
        r = keeper_judge(k->joined, k->object ? &k->parcel : NULL, &parcel, e);
    if (r < 0)
        return -EKEYREJECTED;
    r = state_write_parcel(k->folder, object, e);
    if (r < 0)
        return r;
    hold(k, object, &parcel);
    keeper_look(k);
    return 0;
}

int64_t keeper_revision(const struct keeper *k)
{
    return k->object ? k->parcel.revision : 0;
}

bool keeper_is_settled(const struct keeper *k)
{
    return !k->object || (!k->renew && k->flock && flock_is_settled(k->flock));
}

bool keeper_is_busy(const struct keeper *k)
{
    return k->flock && flock_under_way(k->flock);
}

void keeper_fill(const struct keeper *k, struct world_flock *w)
{
    *w = (struct world_flock){.present = "", .believed = "", .error = ""};
    if (k->flock)
        flock_fill(k->flock, w);
}
