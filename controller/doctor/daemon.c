/* eyried: whether it answers, and what it finds wrong itself; and its unit. */
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "doctor/checks.h"

/* As `eyrie status` exits (eyrie(1)). */
enum { STATUS_DEGRADED = 3 };

static void judge_status(struct visit *v, struct json_object *status)
{
    struct json_object *server = json_object_or_null(status, "server");
    struct json_object *wrong = json_array_or_null(status, "degraded");
    const char *version = json_string_or(server, "version", "");
    size_t n = wrong ? json_object_array_length(wrong) : 0;
    if (strcmp(version, EYRIE_VERSION) != 0)
        visit_wrong(
            v, CHECK_DAEMON, "",
            visit_text(v, "the eyried that runs is %s; this eyrie is " EYRIE_VERSION, version),
            "what was installed is not what runs", "systemctl restart eyried");
    else
        visit_ok(v, CHECK_DAEMON, "", "eyried %s answers on %s", version, v->socket);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_object_get_string(json_object_array_get_idx(wrong, i));
        visit_wrong(v, CHECK_DAEMON, "", visit_text(v, "eyried says: %s", text ? text : "?"),
                    "it starts, drains or destroys less until this is over",
                    "the other findings here may say why; else: eyrie status, eyrie plan");
    }
}

static void status_told(struct visit *v, const void *about, const struct child_result *r)
{
    struct json_object *value = NULL;
    (void)about;
    bool answered = r->end == CHILD_EXITED && (r->code == 0 || r->code == STATUS_DEGRADED);
    if (answered && json_parse(r->output, r->output_length, &value, NULL) == 0) {
        AUTOJSON struct json_object *status = value;
        judge_status(v, status);
        return;
    }
    if (!v->ran_here && access(v->socket, F_OK) < 0) {
        visit_ok(v, CHECK_DAEMON, "", "eyried has not run here yet");
        return;
    }
    visit_wrong(v, CHECK_DAEMON, "", visit_reason(v, r),
                "nobody grows, shrinks or mends the pool; VMs and jobs that run go on",
                "systemctl restart eyried; journalctl -u eyried -n 50");
}

void daemon_begin(struct visit *v)
{
    visit_send(v,
               &(struct errand_args){.argv = (const char *const[]){v->eyrie, "status", "-o", "json",
                                                                   "--socket", v->socket, NULL},
                                     .done = status_told});
}

/* `systemctl show` of systemd 252 cannot print LoadCredential=. */
static void text_told(struct visit *v, const void *about, const struct child_result *r)
{
    (void)about;
    if (!r->error)
        identity_read_secrets(&v->identity, v->arena, r->output);
}

static void unit_told(struct visit *v, const void *about, const struct child_result *r)
{
    (void)about;
    if (r->error) {
        visit_skip(v, CHECK_UNIT, "", "systemctl: %s", visit_reason(v, r));
        return;
    }
    const char *load = identity_property(v->arena, r->output, "LoadState");
    const char *enabled = identity_property(v->arena, r->output, "UnitFileState");
    const char *active = identity_property(v->arena, r->output, "ActiveState");
    if (strcmp(load, "loaded") == 0) {
        v->identity = identity_read(v->arena, r->output);
        visit_send(v, &(struct errand_args){
                          .argv = (const char *const[]){"systemctl", "cat", "eyried.service", NULL},
                          .done = text_told});
    }
    if (strcmp(load, "loaded") != 0 && !v->ran_here)
        visit_skip(v, CHECK_UNIT, "", "the unit is not installed yet");
    else if (strcmp(load, "loaded") != 0)
        visit_wrong(v, CHECK_UNIT, "", visit_text(v, "the unit eyried.service is \"%s\"", load),
                    "nothing starts eyried again when it or the machine goes down",
                    "install Eyrie (meson install), then: systemctl daemon-reload");
    else if (strcmp(active, "failed") == 0)
        visit_wrong(v, CHECK_UNIT, "", "eyried.service has failed",
                    "nobody grows, shrinks or mends the pool; VMs and jobs that run go on",
                    "journalctl -u eyried -n 50; systemctl restart eyried");
    else if (strcmp(enabled, "enabled") != 0 && strcmp(active, "active") == 0)
        visit_wrong(v, CHECK_UNIT, "", visit_text(v, "eyried.service runs and is \"%s\"", enabled),
                    "after a reboot eyried would not start", "systemctl enable eyried");
    else
        visit_ok(v, CHECK_UNIT, "", "eyried.service is %s and %s", enabled, active);
}

void unit_begin(struct visit *v)
{
    visit_send(
        v, &(struct errand_args){
               .argv = (const char *const[]){"systemctl", "show", "eyried.service", "--property",
                                             "LoadState,UnitFileState,ActiveState,User,Environment,"
                                             "EnvironmentFiles",
                                             NULL},
               .done = unit_told});
}
