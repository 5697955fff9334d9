#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "host/channel.h"
#include "host/protocol.h"

#define UUID "1a2b3c4d-0000-4000-8000-000000000001"
#define METADATA                                                                                   \
    "\"metadata\":{\"template\":\"small\",\"generation\":\"g\",\"group\":\"\",\"request\":\"\","   \
    "\"born\":7}"
#define CREATE(name, memory, metadata)                                                             \
    "{\"id\":2,\"op\":\"create\",\"uuid\":\"" UUID "\",\"name\":\"" name "\",\"image\":\"i\","     \
    "\"cpus\":2,\"memory\":" memory ",\"disk\":0," metadata ",\"domain_xml\":\"<d/>\","            \
    "\"seed\":\"TOKEN secret\"}"

static void a_create_is_read_whole(void **state)
{
    const char *line = CREATE("vpool-small-1a2b3c4d", "1073741824", METADATA);
    struct request *q CLEANUP(protocol_free_p) = NULL;
    struct fault f;
    int64_t id;
    (void)state;
    assert_int_equal(protocol_parse(line, strlen(line), "vpool", &q, &id, &f), 0);
    assert_int_equal(id, 2);
    assert_int_equal(q->op, PROTOCOL_CREATE);
    assert_string_equal(q->vm.uuid, UUID);
    assert_string_equal(q->vm.pool, "vpool");
    assert_string_equal(q->vm.template, "small");
    assert_int_equal(q->vm.memory, 1073741824);
    assert_int_equal(q->vm.born, 7);
    assert_string_equal(q->domain_xml, "<d/>");
    assert_string_equal(q->seed, "TOKEN secret");
}

static void bad_requests_are_refused_with_their_id(void **state)
{
    static const struct {
        const char *line;
        int64_t id;
        const char *says;
    } rows[] = {
        {"", 0, "not JSON"},
        {"list", 0, "not JSON"},
        {"[]", 0, "\"id\""},
        {"{\"op\":\"list\"}", 0, "\"id\""},
        {"{\"id\":\"1\",\"op\":\"list\"}", 0, "\"id\""},
        {"{\"id\":-1,\"op\":\"list\"}", 0, "\"id\""},
        {"{\"id\":1}", 1, "\"op\""},
        {"{\"id\":1,\"op\":\"fly\"}", 1, "fly"},
        {"{\"id\":1,\"op\":\"list\"} x", 0, "not JSON"},
        {"{\"id\":3,\"op\":\"destroy\"}", 3, "\"uuid\""},
        {"{\"id\":3,\"op\":\"destroy\",\"uuid\":\"1A2B3C4D-0000-4000-8000-000000000001\"}", 3,
         "\"uuid\""},
        {"{\"id\":3,\"op\":\"destroy\",\"uuid\":\"*\"}", 3, "\"uuid\""},
        {"{\"id\":5,\"op\":\"renew\",\"uuid\":\"" UUID "\"}", 5, "\"token\""},
        {"{\"id\":5,\"op\":\"renew\",\"uuid\":\"" UUID "\",\"token\":\"t\",\"rules\":\"a/b\\nTOKEN x\"}", 5,
         "\"rules\""},
        {"{\"id\":5,\"op\":\"renew\",\"uuid\":\"" UUID "\",\"token\":\"secret\\nx\"}", 5,
         "\"token\""},
        {"{\"id\":4,\"op\":\"delete_volume\",\"name\":\"debian13-condor.qcow2\"}", 4,
         "not a volume"},
        {"{\"id\":4,\"op\":\"delete_volume\",\"name\":\"vpool2." UUID ".disk\"}", 4,
         "not a volume"},
        {CREATE("vpool-small-00000000", "1073741824", METADATA), 2, "\"name\""},
        {CREATE("other-small-1a2b3c4d", "1073741824", METADATA), 2, "\"name\""},
        {CREATE("vpool-s/l-1a2b3c4d", "1073741824", METADATA), 2, "\"name\""},
        {CREATE("vpool-s\\u0001l-1a2b3c4d", "1073741824", METADATA), 2, "\"name\""},
        {CREATE("vpool-small-1a2b3c4d", "-1", METADATA), 2, "\"memory\""},
        {CREATE("vpool-small-1a2b3c4d", "1e9", METADATA), 2, "\"memory\""},
        {CREATE("vpool-small-1a2b3c4d", "9223372036854775807", METADATA), 2, "\"memory\""},
        {CREATE("vpool-small-1a2b3c4d", "1073741824", "\"metadata\":[]"), 2, "\"metadata\""},
        {CREATE("vpool-small-1a2b3c4d", "1073741824", "\"metadata\":{\"template\":1}"), 2,
         "\"template\""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct request *q = NULL;
        struct fault f = {0};
        int64_t id = -1;
        assert_int_equal(protocol_parse(rows[i].line, strlen(rows[i].line), "vpool", &q, &id, &f),
                         -EIO);
        if (!strstr(f.err.text, rows[i].says))
            fail_msg("row %zu: %s", i, f.err.text);
        assert_null(strstr(f.err.text, "secret"));
        assert_int_equal(f.code, VIR_ERR_INVALID_ARG);
        assert_int_equal(id, rows[i].id);
        assert_null(q);
    }
}

static void a_failure_says_whether_the_result_is_known(void **state)
{
    struct fault f;
    (void)state;
    (void)fault_set(&f, VIR_ERR_OPERATION_FAILED, "a \"sentence\"");
    f.unknown = true;
    struct json_object *o AUTOJSON = protocol_failure(9, &f);
    assert_string_equal(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
                        "{\"id\":9,\"ok\":false,\"code\":9,\"error\":\"a \\\"sentence\\\"\","
                        "\"unknown\":true}");
}

static void put(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void lines_come_whole_in_any_pieces(void **state)
{
    int fds[2];
    const char *line;
    size_t length;
    (void)state;
    assert_int_equal(pipe(fds), 0);
    struct channel *c CLEANUP(channel_free_p) = channel_new(fds[0], -1);
    put(fds[1], "one\ntw");
    assert_int_equal(channel_read(c), 1);
    assert_int_equal(channel_next(c, &line, &length), 1);
    assert_int_equal(length, 3);
    assert_memory_equal(line, "one", 3);
    assert_int_equal(channel_next(c, &line, &length), 0);
    put(fds[1], "o\n\n");
    assert_int_equal(channel_read(c), 1);
    assert_int_equal(channel_next(c, &line, &length), 1);
    assert_int_equal(length, 3);
    assert_memory_equal(line, "two", 3);
    assert_int_equal(channel_next(c, &line, &length), 1);
    assert_int_equal(length, 0);
    assert_int_equal(channel_next(c, &line, &length), 0);
    (void)close(fds[1]);
    assert_int_equal(channel_read(c), 0);
    (void)close(fds[0]);
}

static void a_line_without_end_is_skipped(void **state)
{
    char *piece AUTOFREE = mem_new(32 * 1024, 1);
    int fds[2], refused = 0;
    const char *line;
    size_t length;
    (void)state;
    assert_int_equal(pipe(fds), 0);
    struct channel *c CLEANUP(channel_free_p) = channel_new(fds[0], -1);
    memset(piece, 'x', 32 * 1024);
    for (size_t sent = 0; sent < LIMIT_LINE_BYTES + 256 * 1024; sent += 32 * 1024) {
        assert_int_equal(write(fds[1], piece, 32 * 1024), 32 * 1024);
        assert_int_equal(channel_read(c), 1);
        int r = channel_next(c, &line, &length);
        refused += r == -EMSGSIZE;
        assert_true(r <= 0);
    }
    assert_int_equal(refused, 1);
    put(fds[1], "tail\nnext\n");
    assert_int_equal(channel_read(c), 1);
    assert_int_equal(channel_next(c, &line, &length), 1);
    assert_memory_equal(line, "next", 4);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_create_is_read_whole),
        cmocka_unit_test(bad_requests_are_refused_with_their_id),
        cmocka_unit_test(a_failure_says_whether_the_result_is_known),
        cmocka_unit_test(lines_come_whole_in_any_pieces),
        cmocka_unit_test(a_line_without_end_is_skipped),
    };
    return cmocka_run_group_tests_name("host/protocol", tests, NULL, NULL);
}
