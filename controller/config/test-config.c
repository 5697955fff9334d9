/*
 * The file as an admin writes it: what it becomes, the example, what is printed, how mistakes are
 * reported, and rubbish. What is said about each kind of mistake is in tests/config.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "config/keys.h"

static char folder[] = "/tmp/eyrie-config-XXXXXX";

static const char good[] =
    "pool: { name: vpool, central_manager: vcm.lab, tools: bin }\n"                     /* 1 */
    "paths: { fragments: fragments }\n"                                                 /* 2 */
    "schedds:\n"                                                                        /* 3 */
    "  - { name: schedd.lab, collector: cm.lab, flock: /run/schedd/60.conf }\n"         /* 4 */
    "limits: { vms: 10, cpus: 40, memory: 80GiB }\n"                                    /* 5 */
    "timing: { look_every: 5s }\n"                                                      /* 6 */
    "hosts:\n"                                                                          /* 7 */
    "  - { uri: \"qemu+tls://root@hv01.lab:16514/system\", cpus: 32, memory: 64GiB }\n" /* 8 */
    "  - { uri: \"qemu+unix:///system?socket=/run/s\" }\n"                              /* 9 */
    "templates:\n"                                                                      /* 10 */
    "  small: { domain: small.xml, image: d13.qcow2, cpus: 2, memory: 1.5GiB, disk: 2GB }\n"
    "  large: { domain: small.xml, image: d13.qcow2, cpus: 8, memory: 8GiB, disk: 20GiB }\n"
    "groups:\n"                                                             /* 13 */
    "  lhaaso: {}\n"                                                        /* 14 */
    "  juno: { quota: 20, max: 30, weight: 2, templates: [large, small],\n" /* 15 */
    "          submitters: [alice, bob], exclusive: true }\n"               /* 16 */
    "spare: { small: 2 }\n";                                                /* 17 */

/* ---- help ------------------------------------------------------------------------------------ */

static const char *write_file(const char *name, const void *bytes, size_t length)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, length, f), length);
    assert_int_equal(fclose(f), 0);
    return path;
}

static int load_bytes(const char *bytes, size_t length, struct config **ret, char **messages)
{
    return config_load(write_file("eyrie.yaml", bytes, length), ret, messages);
}

static struct config *load_good(const char *text)
{
    struct config *c = NULL;
    char *messages = NULL;
    int r = load_bytes(text, strlen(text), &c, &messages);
    if (r < 0)
        fail_msg("%s", messages);
    assert_null(messages);
    return c;
}

/* The messages for @text without the name of the test's folder. */
static char *messages_for(const char *text, size_t length, int want)
{
    struct config *c = NULL;
    char *messages = NULL;
    assert_int_equal(load_bytes(text, length, &c, &messages), want);
    assert_null(c);
    assert_non_null(messages);
    size_t prefix = strlen(folder) + 1;
    for (char *at; (at = strstr(messages, folder));)
        memmove(at, at + prefix, strlen(at + prefix) + 1);
    return messages;
}

static char *replaced(const char *text, const char *old, const char *new)
{
    const char *at = strstr(text, old);
    if (!at)
        fail_msg("the good file has no %s", old);
    return mem_printf("%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

static char *printed(const struct config *c)
{
    char *text = NULL;
    size_t length;
    FILE *f = open_memstream(&text, &length);
    assert_non_null(f);
    config_print(c, f);
    assert_int_equal(fclose(f), 0);
    return text;
}

/* The value of each line, without the comment that says where it came from. */
static void drop_comments(char *text)
{
    char *to = text;
    for (char *line = text, *next; *line; line = next) {
        next = strchrnul(line, '\n');
        size_t length = (size_t)(next - line);
        next += *next == '\n';
        char *comment = memmem(line, length, " # ", 3);
        if (comment)
            length = (size_t)(comment - line);
        while (length && line[length - 1] == ' ')
            length--;
        memmove(to, line, length);
        to += length;
        *to++ = '\n';
    }
    *to = '\0';
}

static char *read_example(void)
{
    static char text[32 * 1024];
    FILE *f = fopen(EXAMPLE, "r");
    assert_non_null(f);
    text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
    (void)fclose(f);
    return text;
}

/* ---- what a good file becomes ---------------------------------------------------------------- */

static void a_good_file_is_resolved(void **state)
{
    CLEANUP(config_free_p) struct config *c = load_good(good);
    const struct policy *p = config_policy(c);
    char path[300];
    (void)state;
    assert_string_equal(p->pool.name, "vpool");
    assert_string_equal(p->pool.flag, "VirtualPool");
    assert_string_equal(p->pool.central_manager, "vcm.lab:9618");
    assert_string_equal(p->pool.trust_domain, "vcm.lab");
    assert_string_equal(p->pool.signing_key, "EYRIE");
    (void)snprintf(path, sizeof(path), "%s/bin", folder);
    assert_string_equal(p->pool.tools, path);
    assert_string_equal(p->paths.state, "/var/lib/eyrie");

    assert_int_equal(p->n_schedds, 1);
    assert_string_equal(p->schedds[0].name, "schedd.lab");
    assert_string_equal(p->schedds[0].tools, "");
    assert_int_equal(p->schedds[0].at.line, 4);

    assert_int_equal(p->limits.memory.value, 80 * GIB);
    assert_int_equal(p->limits.memory.at.line, 5);
    assert_int_equal(p->limits.starts_in_flight.value, 10);
    assert_int_equal(p->limits.starts_in_flight.at.line, 0);
    assert_int_equal(p->timing.look_every.value, 5 * USEC_PER_SEC);
    assert_int_equal(p->timing.token_life.value, 8 * USEC_PER_HOUR);
    assert_int_equal(p->timing.orphan_after.value, 6 * USEC_PER_HOUR);
    assert_int_equal(p->timing.on_drain_timeout, POLICY_DRAIN_WAIT);

    assert_int_equal(p->n_hosts, 2);
    assert_string_equal(p->hosts[0].name, "hv01.lab");
    assert_string_equal(p->hosts[0].storage_pool, "eyrie");
    assert_string_equal(p->hosts[1].name, "local");
    assert_int_equal(p->hosts[1].cpus, 0);
    assert_int_equal(p->hosts[1].at.line, 9);

    assert_int_equal(p->n_templates, 2);
    assert_string_equal(p->templates[0].name, "small");
    assert_int_equal(p->templates[0].memory, 3 * GIB / 2);
    assert_int_equal(p->templates[0].disk, 2000000000);
    assert_int_equal(p->templates[0].spare, 2);
    assert_int_equal(p->templates[1].spare, 0);
    assert_int_equal(p->templates[1].at.line, 12);
    assert_string_equal(p->templates[1].domain_xml, "<domain type='kvm'/>\n");
    assert_int_equal(strlen(p->templates[0].generation), 12);

    assert_int_equal(p->n_groups, 2);
    assert_string_equal(p->groups[0].name, "juno"); /* sorted */
    assert_int_equal(p->groups[0].at.line, 15);
    assert_int_equal(p->groups[0].max.value, 30);
    assert_int_equal(p->groups[0].n_templates, 2);
    assert_int_equal(p->groups[0].templates[0], 1); /* in the order given */
    assert_string_equal(p->groups[0].submitters[1], "bob");
    assert_true(p->groups[0].exclusive);
    assert_int_equal(p->groups[1].max.value, POLICY_UNLIMITED);
    assert_int_equal(p->groups[1].n_templates, 2);
    assert_int_equal(p->groups[1].n_submitters, 0);
    assert_false(p->groups[1].exclusive);
}

static void what_is_said_of_requests_holds_for_groups_that_say_nothing(void **state)
{
    AUTOFREE char *text =
        mem_printf("%srequests: approve\nblackouts:\n"
                   "  - { from: 2026-12-24T08:00Z, until: 2026-12-25T08:00Z, reason: no power }\n",
                   good);
    AUTOFREE char *other = replaced(text, "lhaaso: {}",
                                    "lhaaso: { requests: { answer: refuse, max_length: 7d } }");
    CLEANUP(config_free_p) struct config *c = load_good(other);
    const struct policy *p = config_policy(c);
    (void)state;
    assert_int_equal(p->requests.value, POLICY_APPROVE);
    assert_int_equal(p->groups[0].requests.answer.value, POLICY_APPROVE);
    assert_int_equal(p->groups[0].requests.answer.at.line, 18);
    assert_int_equal(p->groups[0].requests.max_cpus.value, POLICY_UNLIMITED);
    assert_int_equal(p->groups[1].requests.answer.value, POLICY_REFUSE);
    assert_int_equal(p->groups[1].requests.answer.at.line, 14);
    assert_int_equal(p->groups[1].requests.max_length.value, 7 * USEC_PER_DAY);
    assert_string_equal(p->groups[1].notify.url, "");
    assert_int_equal(p->timing.give_back_after.value, USEC_PER_HOUR);
    assert_int_equal(p->n_blackouts, 1);
    assert_int_equal(p->blackouts[0].from, 1798099200 * USEC_PER_SEC);
    assert_int_equal(p->blackouts[0].until - p->blackouts[0].from, USEC_PER_DAY);
    assert_string_equal(p->blackouts[0].reason, "no power");
    assert_int_equal(p->blackouts[0].at.line, 20);
}

static void a_generation_names_all_that_vms_are_made_from(void **state)
{
    static const char *const changes[][2] = {
        {"image: d13.qcow2, cpus: 2", "image: d14.qcow2, cpus: 2"},
        {"cpus: 2,", "cpus: 3,"},
        {"memory: 1.5GiB", "memory: 2GiB"},
        {"disk: 2GB", "disk: 3GB"},
        {"domain: small.xml", "domain: other.xml"},
    };
    CLEANUP(config_free_p) struct config *c = load_good(good);
    const char *generation = config_policy(c)->templates[0].generation;
    (void)state;
    assert_string_not_equal(generation, config_policy(c)->templates[1].generation);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        AUTOFREE char *text = replaced(good, changes[i][0], changes[i][1]);
        CLEANUP(config_free_p) struct config *other = load_good(text);
        assert_string_not_equal(generation, config_policy(other)->templates[0].generation);
        assert_string_equal(config_policy(c)->templates[1].generation,
                            config_policy(other)->templates[1].generation);
    }
    AUTOFREE char *text = replaced(good, "look_every: 5s", "orphan_after: 5h");
    CLEANUP(config_free_p) struct config *orphans = load_good(text); /* in the seed of each */
    assert_string_not_equal(config_policy(c)->templates[1].generation,
                            config_policy(orphans)->templates[1].generation);
    char path[300];
    (void)snprintf(path, sizeof(path), "%s/fragments", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    (void)write_file("fragments/vm-startd.conf", "START = True\n", 13);
    CLEANUP(config_free_p) struct config *other = load_good(good);
    assert_string_not_equal(generation, config_policy(other)->templates[0].generation);
    (void)snprintf(path, sizeof(path), "%s/fragments/vm-startd.conf", folder);
    assert_int_equal(unlink(path), 0);
    CLEANUP(config_free_p) struct config *again = load_good(good);
    assert_string_equal(generation, config_policy(again)->templates[0].generation);
}

static void the_example_loads_and_shows_every_key(void **state)
{
    const char *text = read_example();
    CLEANUP(config_free_p) struct config *c = load_good(text);
    (void)state;
    assert_int_equal(config_policy(c)->n_hosts, 2);
    for (size_t i = 0; i < keys_file.n; i++) {
        const struct section *s = keys_file.keys[i].section;
        AUTOFREE char *section = mem_printf("\n%s:", keys_file.keys[i].name);
        assert_non_null(strstr(text, section));
        for (size_t k = 0; s && k < s->n; k++) {
            AUTOFREE char *key = mem_printf("  %s: ", s->keys[k].name);
            AUTOFREE char *dash = mem_printf("- %s: ", s->keys[k].name);
            if (!strstr(text, key) && !strstr(text, dash))
                fail_msg("the example lacks %s.%s", keys_file.keys[i].name, s->keys[k].name);
            assert_non_null(s->keys[k].help);
        }
    }
}

static void what_is_printed_loads_as_the_same(void **state)
{
    const char *const texts[] = {good, read_example()};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        CLEANUP(config_free_p) struct config *c = load_good(texts[i]);
        AUTOFREE char *first = printed(c);
        CLEANUP(config_free_p) struct config *again = load_good(first);
        AUTOFREE char *second = printed(again);
        drop_comments(first);
        drop_comments(second);
        assert_string_equal(first, second);
        for (size_t k = 0; k < config_policy(c)->n_templates; k++)
            assert_string_equal(config_policy(c)->templates[k].generation,
                                config_policy(again)->templates[k].generation);
    }
}

static void what_is_printed_says_where_it_comes_from(void **state)
{
    static const char *const lines[] = {
        "\n  flag: VirtualPool                                     # default\n",
        "\n  cpus: 40                                              # eyrie.yaml:5\n",
        "\n  starts_in_flight: 10                                  # default\n",
        "\n  - name: hv01.lab                                      # default\n",
        "\n    cpus: 32                                            # eyrie.yaml:8\n",
        "\n    disk: 2000000000B                                   # eyrie.yaml:11\n",
        "\n  juno:                                                 # eyrie.yaml:15\n",
        "\n    submitters: [alice, bob]                            # eyrie.yaml:16\n",
        "\n    max: unlimited                                      # default\n",
        "\n    # submitters: anyone\n",
    };
    CLEANUP(config_free_p) struct config *c = load_good(good);
    AUTOFREE char *text = printed(c);
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
        if (!strstr(text, lines[i]))
            fail_msg("no line %s in:\n%s", lines[i], text);
    }
}

/* ---- what is wrong: every kind of mistake is in tests/config ----------------------------------- */

static void all_mistakes_are_told_at_once_with_a_caret(void **state)
{
    AUTOFREE char *one = replaced(good, "max: 30", "max: 8oo");
    AUTOFREE char *two = replaced(one, "vms: 10", "vm: 10");
    AUTOFREE char *messages = messages_for(two, strlen(two), -EINVAL);
    (void)state;
    assert_string_equal(messages,
                        "eyrie.yaml:5:11: limits.vm: unknown key; did you mean vms?\n"
                        "    limits: { vm: 10, cpus: 40, memory: 80GiB }\n"
                        "              ^\n"
                        "eyrie.yaml:15:27: groups.juno.max: \"8oo\" is not a number of cpus; "
                        "did you mean 800?\n"
                        "      juno: { quota: 20, max: 8oo, weight: 2, templates: [large, small],\n"
                        "                              ^\n");
}

static void too_many_mistakes_are_counted(void **state)
{
    struct text t = {0};
    (void)state;
    for (int i = 0; i < 1000; i++)
        text_printf(&t, "k%d: 1\n", i);
    AUTOFREE char *messages = messages_for(t.data, t.length, -EINVAL);
    assert_non_null(strstr(messages, "\neyrie.yaml: and 95"));
    text_done(&t);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
    struct config *c = NULL;
    char *messages = NULL;
    (void)state;
    assert_int_equal(config_load("/nonexistent/eyrie.yaml", &c, &messages), -ENOENT);
    assert_string_equal(messages, "/nonexistent/eyrie.yaml: No such file or directory\n");
    free(messages);
    assert_int_equal(config_load("/", &c, &messages), -EISDIR);
    free(messages);
    assert_int_equal(config_load("/dev/zero", &c, &messages), -EINVAL);
    assert_string_equal(messages, "/dev/zero: not a regular file\n");
    free(messages);
    assert_null(c);
}

/* As somebody who is not root, for whom every file is readable. */
static void a_file_that_may_not_be_read_is_named(void **state)
{
    struct config *c = NULL;
    AUTOFREE char *messages = NULL;
    const char *path = write_file("eyrie.yaml", good, strlen(good));
    uid_t before = geteuid();
    (void)state;
    assert_int_equal(chmod(path, 0), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    if (before == 0)
        assert_int_equal(seteuid(65534), 0);
    int r = config_load(path, &c, &messages);
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(r, -EACCES);
    AUTOFREE char *wanted = mem_printf("%s: Permission denied\n", path);
    assert_string_equal(messages, wanted);
}

static void a_bad_file_still_says_what_to_watch(void **state)
{
    struct config *c = NULL;
    char *messages = NULL, path[300];
    size_t n;
    (void)state;
    (void)write_file("eyrie.yaml", "pool", 4);
    (void)snprintf(path, sizeof(path), "%s/./eyrie.yaml", folder);
    assert_int_equal(config_try(path, &c, &messages), -EINVAL);
    assert_null(config_policy(c));
    assert_non_null(messages);
    const char *const *files = config_files(c, &n);
    (void)snprintf(path, sizeof(path), "%s/eyrie.yaml", folder);
    assert_int_equal(n, 1);
    assert_string_equal(files[0], path);
    (void)config_folders(c, &n);
    assert_int_equal(n, 0);
    free(messages);
    (void)config_free(c);
}

/* ---- rubbish --------------------------------------------------------------------------------- */

static void try_rubbish(const char *bytes, size_t length)
{
    struct config *c = NULL;
    char *messages = NULL;
    int r = load_bytes(bytes, length, &c, &messages);
    assert_true(r == 0 ? c && !messages : !c && messages && *messages);
    if (c)
        free(printed(c));
    free(messages);
    (void)config_free(c);
}

static void rubbish_does_no_harm(void **state)
{
    size_t length = strlen(good);
    char text[sizeof(good)];
    unsigned random = 1;
    (void)state;
    for (size_t i = 0; i < length; i++)
        try_rubbish(good, i);
    for (size_t i = 0; i < 4 * length; i++) {
        static const char nasty[] = "{}[],:-#&*!|>'\"%@`\n\t 0\x80\xff~?";
        memcpy(text, good, sizeof(text));
        for (unsigned flips = 0; flips <= i % 3; flips++) {
            random = random * 1103515245 + 12345;
            size_t at = (random >> 8) % length;
            random = random * 1103515245 + 12345;
            text[at] = i % 2 ? nasty[(random >> 8) % (sizeof(nasty) - 1)]
                             : (char)(text[at] ^ (1 << (random >> 8) % 8));
        }
        try_rubbish(text, length);
    }
}

/* ---- the folder ------------------------------------------------------------------------------ */

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    (void)write_file("small.xml", "<domain type='kvm'/>\n", 21);
    (void)write_file("other.xml", "<domain type='qemu'/>\n", 22);
    return 0;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"eyrie.yaml", "small.xml", "other.xml"};
    char path[300];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof(path), "%s/fragments", folder);
    (void)rmdir(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_resolved),
        cmocka_unit_test(what_is_said_of_requests_holds_for_groups_that_say_nothing),
        cmocka_unit_test(a_generation_names_all_that_vms_are_made_from),
        cmocka_unit_test(the_example_loads_and_shows_every_key),
        cmocka_unit_test(what_is_printed_loads_as_the_same),
        cmocka_unit_test(what_is_printed_says_where_it_comes_from),
        cmocka_unit_test(all_mistakes_are_told_at_once_with_a_caret),
        cmocka_unit_test(too_many_mistakes_are_counted),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
        cmocka_unit_test(a_file_that_may_not_be_read_is_named),
        cmocka_unit_test(a_bad_file_still_says_what_to_watch),
        cmocka_unit_test(rubbish_does_no_harm),
    };
    return cmocka_run_group_tests_name("config/config", tests, make_folder, remove_folder);
}
