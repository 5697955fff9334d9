/*
 * The real program over a socketpair, on libvirt's test driver: what eyried would see.
 * Run as: test-host PROGRAM NODE_XML
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"
#include "host/channel.h"
#include "host/fault.h"

#define FOREIGN "6695eb01-f6a4-8304-79aa-97f2502e193f"       /* test, of the test driver */
#define FOREIGN_NAMED "11111111-2222-4333-8444-555555555555" /* with a name like ours */

enum { PATIENCE_MS = 20000 };

static const char *program;
static char *node_uri;

struct child {
    pid_t pid;
    int fd;
    struct channel *channel;
};

static struct child start(const char *uri)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    struct child c = {.pid = fork(), .fd = pair[0]};
    assert_true(c.pid >= 0);
    if (c.pid == 0) {
        (void)dup2(pair[1], STDIN_FILENO);
        (void)dup2(pair[1], STDOUT_FILENO);
        execl(program, program, "--pool", "vpool", "--storage-pool", "eyrie", uri, (char *)NULL);
        _exit(127);
    }
    (void)close(pair[1]);
    c.channel = channel_new(c.fd, c.fd);
    return c;
}

/* The next message; owned by the caller. NULL at the end. */
static struct json_object *next(struct child *c)
{
    const char *line;
    size_t length;
    while (channel_next(c->channel, &line, &length) != 1) {
        struct pollfd p = {.fd = c->fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
        if (channel_read(c->channel) <= 0)
            return NULL;
    }
    struct json_object *o = NULL;
    struct err e;
    assert_int_equal(json_parse(line, length, &o, &e), 0);
    return o;
}

/* The answer with @id; owned by the caller. */
static struct json_object *answer(struct child *c, int64_t id)
{
    for (;;) {
        struct json_object *o = next(c);
        assert_non_null(o);
        if (json_int_or(o, "id", -1) == id)
            return o;
        (void)json_object_put(o);
    }
}

static void send_text(struct child *c, const char *text)
{
    assert_int_equal(send(c->fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Send `{"id":@id,"op":"@op"` and the rest of the object. */
static void request(struct child *c, int id, const char *op, const char *rest)
{
    char *line AUTOFREE = mem_printf("{\"id\":%d,\"op\":\"%s\"%s}\n", id, op, rest);
    send_text(c, line);
}

static struct json_object *ask(struct child *c, int id, const char *op, const char *rest)
{
    request(c, id, op, rest);
    return answer(c, id);
}

static void make_uuid(char buffer[static 37], unsigned n)
{
    (void)snprintf(buffer, 37, "%08x-0000-4000-8000-%012x", n, n);
}

static void request_create(struct child *c, int id, unsigned n, const char *devices)
{
    char uuid[37];
    make_uuid(uuid, n);
    char *rest AUTOFREE = mem_printf(
        ",\"uuid\":\"%s\",\"name\":\"vpool-small-%.8s\",\"image\":\"debian13-condor.qcow2\","
        "\"cpus\":2,\"memory\":805306368,\"disk\":4294967296,\"metadata\":{\"template\":\"small\","
        "\"generation\":\"g1\",\"group\":\"juno\",\"request\":\"r\",\"born\":12},"
        "\"seed\":\"EYRIE-SEED 1\\nTOKEN secret\\n\",\"domain_xml\":\"<domain type='qemu'><os>"
        "<type>hvm</type></os><devices>%s<disk type='file' device='disk'><target dev='vda' "
        "bus='virtio'/></disk></devices></domain>\"",
        uuid, uuid, devices);
    request(c, id, "create", rest);
}

static struct json_object *find(struct json_object *list, const char *array, const char *uuid)
{
    struct json_object *rows = json_array_or_null(list, array);
    assert_non_null(rows);
    for (size_t i = 0; i < json_object_array_length(rows); i++) {
        struct json_object *row = json_object_array_get_idx(rows, i);
        if (text_equal(json_string_or(row, "uuid", ""), uuid))
            return row;
    }
    return NULL;
}

static void check_ok(struct json_object *o)
{
    if (!json_bool_or(o, "ok", false))
        fail_msg("%s", json_object_to_json_string(o));
    (void)json_object_put(o);
}

static void check_refused(struct json_object *o, int code)
{
    assert_false(json_bool_or(o, "ok", true));
    if (json_int_or(o, "code", -1) != code)
        fail_msg("%s", json_object_to_json_string(o));
    assert_false(json_bool_or(o, "unknown", true));
    (void)json_object_put(o);
}

/* Close our side (or leave it, when @by_signal) and see it go. */
static void finish(struct child *c, int by_signal)
{
    int status;
    if (by_signal)
        assert_int_equal(kill(c->pid, by_signal), 0);
    else
        assert_int_equal(shutdown(c->fd, SHUT_WR), 0);
    for (struct json_object *o; (o = next(c));)
        (void)json_object_put(o);
    assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    c->channel = channel_free(c->channel);
    (void)close(c->fd);
}

static void a_host_without_our_storage_pool_says_how_to_make_one(void **state)
{
    struct child c = start("test:///default");
    struct json_object *o = ask(&c, 1, "list", "");
    (void)state;
    assert_true(json_bool_or(o, "complete", false));
    assert_false(json_bool_or(find(o, "domains", FOREIGN), "ours", true));
    const char *error = json_string_or(json_object_or_null(o, "storage"), "error", "");
    assert_non_null(strstr(error, "pool-define-as eyrie"));
    assert_null(json_array_or_null(o, "volumes"));
    (void)json_object_put(o);
    request_create(&c, 2, 7, "");
    check_refused(answer(&c, 2), VIR_ERR_NO_STORAGE_POOL);
    finish(&c, 0);
}

static void a_vm_lives_and_goes(void **state)
{
    struct child c = start(node_uri);
    char uuid[37];
    (void)state;
    make_uuid(uuid, 0xabcdef01);
    char *of_uuid AUTOFREE = mem_printf(",\"uuid\":\"%s\"", uuid);
    char *disk AUTOFREE = mem_printf(",\"name\":\"vpool.%s.disk\"", uuid);

    request_create(&c, 1, 0xabcdef01, "");
    struct json_object *o = answer(&c, 1);
    assert_false(json_bool_or(o, "exists", true));
    assert_string_equal(json_string_or(o, "seed", ""), "skipped");
    assert_true(json_int_or(o, "took", -1) >= 0);
    check_ok(o);
    request_create(&c, 2, 0xabcdef01, "");
    o = answer(&c, 2);
    assert_true(json_bool_or(o, "exists", false));
    check_ok(o);

    for (int id = 3; id < 5; id++) { /* read, and then remembered */
        o = ask(&c, id, "list", "");
        struct json_object *d = find(o, "domains", uuid);
        assert_true(json_bool_or(d, "ours", false));
        assert_string_equal(json_string_or(d, "name", ""), "vpool-small-abcdef01");
        assert_string_equal(json_string_or(d, "state", ""), "running");
        assert_string_equal(json_string_or(d, "template", ""), "small");
        assert_string_equal(json_string_or(d, "generation", ""), "g1");
        assert_string_equal(json_string_or(d, "group", ""), "juno");
        assert_string_equal(json_string_or(d, "request", ""), "r");
        assert_int_equal(json_int_or(d, "born", 0), 12);
        assert_int_equal(json_int_or(d, "memory", 0), 805306368);
        assert_int_equal(json_int_or(d, "cpus", 0), 2);
        assert_string_equal(json_string_or(find(o, "volumes", uuid), "kind", ""), "disk");
        assert_int_equal(json_object_array_length(json_array_or_null(o, "volumes")), 1);
        check_ok(o);
    }
    check_refused(ask(&c, 5, "delete_volume", disk), VIR_ERR_OPERATION_DENIED);
    check_ok(ask(&c, 6, "shutdown", of_uuid));
    o = ask(&c, 7, "destroy", of_uuid);
    assert_true(json_bool_or(o, "gone", false));
    check_ok(o);
    o = ask(&c, 8, "delete_volume", disk);
    assert_false(json_bool_or(o, "gone", true));
    check_ok(o);
    o = ask(&c, 9, "delete_volume", disk);
    assert_true(json_bool_or(o, "gone", false));
    check_ok(o);
    o = ask(&c, 10, "list", "");
    assert_null(find(o, "domains", uuid));
    assert_null(find(o, "volumes", uuid));
    check_ok(o);
    finish(&c, 0);
}

static void a_foreign_domain_is_shown_and_never_touched(void **state)
{
    static const char *const uuids[] = {FOREIGN, FOREIGN_NAMED};
    struct child c = start(node_uri);
    int id = 1;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(uuids); i++) {
        char *of_uuid AUTOFREE = mem_printf(",\"uuid\":\"%s\"", uuids[i]);
        check_refused(ask(&c, id++, "destroy", of_uuid), VIR_ERR_OPERATION_DENIED);
        check_refused(ask(&c, id++, "shutdown", of_uuid), VIR_ERR_OPERATION_DENIED);
        char *token AUTOFREE = mem_printf("%s,\"token\":\"t\"", of_uuid);
        check_refused(ask(&c, id++, "renew", token), VIR_ERR_OPERATION_DENIED);
        struct json_object *o = ask(&c, id++, "list", "");
        struct json_object *d = find(o, "domains", uuids[i]);
        assert_false(json_bool_or(d, "ours", true));
        assert_string_equal(json_string_or(d, "why", ""), "no metadata of ours");
        assert_string_equal(json_string_or(d, "state", ""), "running");
        assert_true(json_int_or(d, "memory", 0) > 0);
        assert_true(json_int_or(d, "cpus", 0) > 0);
        check_ok(o);
    }
    finish(&c, 0);
}

static void a_failed_create_leaves_nothing(void **state)
{
    struct child c = start(node_uri);
    (void)state;
    request_create(&c, 1, 5, "<disk/>"); /* for libvirt to refuse, after the volumes are made */
    struct json_object *o = answer(&c, 1);
    assert_false(json_bool_or(o, "ok", true));
    assert_false(json_bool_or(o, "unknown", true));
    (void)json_object_put(o);
    o = ask(&c, 2, "list", "");
    assert_int_equal(json_object_array_length(json_array_or_null(o, "volumes")), 0);
    check_ok(o);
    finish(&c, 0);
}

static void a_check_finds_what_a_template_needs_and_makes_nothing(void **state)
{
    static const char good[] =
        ",\"image\":\"debian13-condor.qcow2\",\"cpus\":2,\"memory\":805306368,\"disk\":4294967296,"
        "\"domain_xml\":\"<domain type='qemu'><os><type>hvm</type></os><devices><disk type='file' "
        "device='disk'><target dev='vda'/></disk></devices></domain>\"";
    static const char bad[] =
        ",\"image\":\"nothing.qcow2\",\"cpus\":2,\"memory\":805306368,\"disk\":4294967296,"
        "\"domain_xml\":\"<domain type='test'><os><type>hvm</type></os><devices><interface "
        "type='network'><source network='nowhere'/></interface><disk type='file' device='disk'>"
        "<target dev='vda'/></disk></devices></domain>\"";
    struct child c = start(node_uri);
    (void)state;
    struct json_object *o = ask(&c, 1, "check", good);
    assert_true(json_bool_or(o, "ok", false));
    struct json_object *image = json_object_or_null(o, "image");
    struct json_object *domain = json_object_or_null(o, "domain");
    assert_string_equal(json_string_or(image, "format", ""), "qcow2");
    assert_string_equal(json_string_or(domain, "type", ""), "qemu");
    assert_string_equal(json_string_or(domain, "error", ""), "");
    assert_true(json_bool_or(domain, "cx16", false));
    assert_false(json_bool_or(domain, "validated", true));
    assert_true(json_int_or(json_object_or_null(o, "storage"), "available", 0) > 0);
    assert_true(json_int_or(json_object_or_null(o, "node"), "memory", 0) > 0);
    (void)json_object_put(o);

    o = ask(&c, 2, "check", bad);
    assert_true(json_bool_or(o, "ok", false));
    assert_non_null(strstr(json_string_or(json_object_or_null(o, "image"), "error", ""), "nothing"));
    domain = json_object_or_null(o, "domain");
    assert_non_null(strstr(json_string_or(domain, "error", ""), "no network nowhere"));
    assert_false(json_bool_or(domain, "cx16", true));
    (void)json_object_put(o);

    o = ask(&c, 3, "list", "");
    assert_int_equal(json_object_array_length(json_array_or_null(o, "volumes")), 0);
    (void)json_object_put(o);
    finish(&c, 0);
}

static void fifty_creates_in_one_breath_make_fifty_vms(void **state)
{
    struct child c = start(node_uri);
    int done = 0, existed = 0, started = 0;
    (void)state;
    for (int id = 1; id <= 100; id++) /* each twice */
        request_create(&c, id, 0x100u + (unsigned)(id - 1) / 2, "");
    while (done < 100 || started < 50) {
        struct json_object *o = next(&c);
        assert_non_null(o);
        if (json_int_or(o, "id", 0) > 0) {
            existed += json_bool_or(o, "exists", false);
            done++;
            check_ok(o);
        } else {
            started += text_equal(json_string_or(o, "what", ""), "started");
            (void)json_object_put(o);
        }
    }
    assert_int_equal(existed, 50);
    struct json_object *o = ask(&c, 1000, "list", "");
    assert_int_equal(json_object_array_length(json_array_or_null(o, "domains")), 52);
    assert_int_equal(json_object_array_length(json_array_or_null(o, "volumes")), 50);
    check_ok(o);
    finish(&c, 0);
}

static void bad_lines_are_answered_and_forgotten(void **state)
{
    struct child c = start(node_uri);
    (void)state;
    send_text(&c, "what?\n");
    check_refused(answer(&c, 0), VIR_ERR_INVALID_ARG);
    check_refused(ask(&c, 3, "fly", ""), VIR_ERR_INVALID_ARG);
    check_refused(ask(&c, 4, "destroy", ",\"uuid\":\"*\""), VIR_ERR_INVALID_ARG);
    check_ok(ask(&c, 5, "ping", ""));
    finish(&c, 0);
}

/* The test driver has no uploads: what was begun is taken away again. */
static void a_push_that_fails_leaves_nothing(void **state)
{
    char file[] = "/tmp/eyrie-push-XXXXXX";
    int fd = mkstemp(file);
    (void)state;
    assert_true(fd >= 0);
    char *rest AUTOFREE = mem_printf(",\"name\":\"new.qcow2\",\"file\":\"%s\"", file);
    struct child c = start(node_uri);
    struct json_object *o = ask(&c, 1, "push", rest);
    assert_non_null(strstr(json_string_or(o, "error", ""), "is no qcow2 file"));
    check_refused(o, VIR_ERR_INVALID_ARG);
    assert_int_equal(write(fd, "QFI\xfb", 4), 4);
    assert_int_equal(ftruncate(fd, 100000), 0);
    check_refused(ask(&c, 2, "push", rest), VIR_ERR_NO_SUPPORT);
    check_refused(ask(&c, 3, "push", ",\"name\":\"new.img\",\"file\":\"/x\""), VIR_ERR_INVALID_ARG);
    check_refused(ask(&c, 4, "push", ",\"name\":\"../new.qcow2\",\"file\":\"/x\""),
                  VIR_ERR_INVALID_ARG);
    o = ask(&c, 5, "list", "");
    assert_int_equal(json_object_array_length(json_array_or_null(o, "images")), 1);
    struct json_object *seals = json_array_or_null(o, "seals");
    assert_int_equal(json_object_array_length(seals), 1); /* of the image that the node has */
    assert_true(json_bool_or(json_object_array_get_idx(seals, 0), "intact", false));
    check_ok(o);
    finish(&c, 0);
    (void)close(fd);
    (void)unlink(file);
}

static void it_goes_when_eyried_goes_whatever_is_queued(void **state)
{
    static const int signals[] = {0, SIGTERM};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        struct child c = start(node_uri);
        for (int id = 1; id <= 200; id++)
            request_create(&c, id, 0x1000u + (unsigned)id, "");
        finish(&c, signals[i]);
    }
}

static void no_connection_is_an_event_and_a_quick_refusal(void **state)
{
    struct child c = start("qemu+unix:///system?socket=/nonexistent");
    (void)state;
    struct json_object *o;
    while ((o = next(&c)) && !text_equal(json_string_or(o, "event", ""), "disconnected"))
        (void)json_object_put(o);
    assert_non_null(strstr(json_string_or(o, "error", ""), "/nonexistent"));
    (void)json_object_put(o);
    o = ask(&c, 1, "list", "");
    assert_false(json_bool_or(o, "ok", true));
    assert_non_null(strstr(json_string_or(o, "error", ""), "/nonexistent"));
    (void)json_object_put(o);
    finish(&c, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_without_our_storage_pool_says_how_to_make_one),
        cmocka_unit_test(a_vm_lives_and_goes),
        cmocka_unit_test(a_foreign_domain_is_shown_and_never_touched),
        cmocka_unit_test(a_failed_create_leaves_nothing),
        cmocka_unit_test(a_check_finds_what_a_template_needs_and_makes_nothing),
        cmocka_unit_test(fifty_creates_in_one_breath_make_fifty_vms),
        cmocka_unit_test(bad_lines_are_answered_and_forgotten),
        cmocka_unit_test(a_push_that_fails_leaves_nothing),
        cmocka_unit_test(it_goes_when_eyried_goes_whatever_is_queued),
        cmocka_unit_test(no_connection_is_an_event_and_a_quick_refusal),
    };
    if (argc != 3)
        return 64;
    program = argv[1];
    node_uri = mem_printf("test://%s", argv[2]);
    int r = cmocka_run_group_tests_name("host/host", tests, NULL, NULL);
    free(node_uri);
    return r;
}
