/*
 * What a changed file changes, as the admin is told. A row is the file with one text replaced, and
 * the lines that come of it.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/mem.h"
#include "config/config.h"

static char folder[] = "/tmp/eyrie-difference-XXXXXX";

static const char file[] =
    "pool: { name: vpool, central_manager: vcm.lab }\n"                               /* 1 */
    "paths: { state: /srv/eyrie }\n"                                                  /* 2 */
    "schedds:\n"                                                                      /* 3 */
    "  - { name: schedd.lab, collector: cm.lab, flock: /run/60.conf }\n"              /* 4 */
    "limits: { vms: 10, cpus: 40, memory: 80GiB }\n"                                  /* 5 */
    "timing: { max_age: 2d, drain_within: 1d }\n"                                     /* 6 */
    "hosts:\n"                                                                        /* 7 */
    "  - { name: hv01, uri: \"qemu:///system\", cpus: 8 }\n"                          /* 8 */
    "  - { name: hv02, uri: \"qemu:///b\", tags: [a] }\n"                        /* 9 */
    "templates:\n"                                                                    /* 10 */
    "  small: { domain: small.xml, image: d13, cpus: 2, memory: 1GiB, disk: 2GiB }\n" /* 11 */
    "groups:\n"                                                                       /* 12 */
    "  juno: { quota: 20, max: 30 }\n"                                                /* 13 */
    "  lhaaso: { submitters: [alice] }\n"                                             /* 14 */
    "spare: { small: 2 }\n";                                                          /* 15 */

static struct config *load(const char *name, const char *from, const char *to)
{
    AUTOFREE char *path = mem_printf("%s/%s", folder, name);
    AUTOFREE char *messages = NULL;
    const char *at = from ? strstr(file, from) : file;
    struct config *c = NULL;
    assert_non_null(at);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    if (from)
        (void)fprintf(f, "%.*s%s%s", (int)(at - file), file, to, at + strlen(from));
    else
        (void)fputs(file, f);
    assert_int_equal(fclose(f), 0);
    if (config_load(path, &c, &messages) < 0)
        fail_msg("%s", messages);
    return c;
}

static void write_domain(const char *xml)
{
    AUTOFREE char *path = mem_printf("%s/small.xml", folder);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    (void)fputs(xml, f);
    assert_int_equal(fclose(f), 0);
}

static char *lines(const struct difference *d)
{
    struct text t = {0};
    for (size_t i = 0; i < d->n; i++) {
        change_render(&d->items[i], &t);
        text_add(&t, "\n");
    }
    char *all = mem_strdup(text_get(&t));
    text_done(&t);
    return all;
}

static const struct {
    const char *from, *to, *expected;
} rows[] = {
    {NULL, NULL, ""},
    {"cpus: 40", "cpus: 400", "limits.cpus: 40 → 400 (new.yaml:5)\n"},
    {", memory: 80GiB", "", "limits.memory: 80GiB → unlimited\n"},
    {"limits:", "# said\nlimits:", ""},
    {"max_age: 2d", "max_age: 3d",
     "timing.max_age: 2d → 3d (new.yaml:6)\n"},
    {"  - { name: hv01, uri: \"qemu:///system\", cpus: 8 }\n", "", "hosts.hv01: removed\n"},
    {"templates:", "  - { uri: \"qemu+tls://hv03/system\" }\ntemplates:",
     "hosts.hv03: added (new.yaml:10)\n"},
    {"hosts:\n  - { name: hv01, uri: \"qemu:///system\", cpus: 8 }\n"
     "  - { name: hv02, uri: \"qemu:///b\", tags: [a] }\n",
     "hosts:\n  - { name: hv02, uri: \"qemu:///b\", tags: [a, b] }\n"
     "  - { name: hv01, uri: \"qemu:///system\" }\n",
     "hosts.hv02.tags: [a] → [a, b] (new.yaml:8)\nhosts.hv01.cpus: 8 → 0\n"},
    {"  juno: { quota: 20, max: 30 }\n", "", "groups.juno: removed\n"},
    {"submitters: [alice]", "", "groups.lhaaso.submitters: [alice] → anyone\n"},
    {"juno: {", "juno: { templates: [small], exclusive: true,",
     "groups.juno.templates: all templates → [small] (new.yaml:13)\n"
     "groups.juno.exclusive: false → true (new.yaml:13)\n"},
    {"spare: { small: 2 }", "spare: {}", "spare.small: 2 → 0\n"},
    {"spare:", "requests: approve\nspare:",
     "groups.juno.requests.answer: grant → approve\n"
     "groups.lhaaso.requests.answer: grant → approve\nrequests: grant → approve (new.yaml:15)\n"},
    {"juno: {", "juno: { requests: { max_cpus: 8 },",
     "groups.juno.requests.max_cpus: unlimited → 8 (new.yaml:13)\n"},
    {"spare:", "blackouts:\n  - { from: 2026-12-24, until: 2026-12-27 }\nspare:",
     "blackouts.2026-12-24: added (new.yaml:16)\n"},
    {"flock: /run/60.conf", "flock: /run/61.conf",
     "schedds.schedd.lab.flock: /run/60.conf → /run/61.conf (new.yaml:4)\n"},
};

static void test_changes(void **state)
{
    (void)state;
    CLEANUP(config_free_p) struct config *old = load("old.yaml", NULL, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        CLEANUP(arena_free_p) struct arena *a = arena_new();
        CLEANUP(config_free_p) struct config *new = load("new.yaml", rows[i].from, rows[i].to);
        AUTOFREE char *messages = NULL;
        struct difference d;
        assert_int_equal(config_compare(old, new, a, &d, &messages), 0);
        assert_null(messages);
        AUTOFREE char *said = lines(&d);
        assert_string_equal(said, rows[i].expected);
    }
}

static void test_a_changed_domain_is_a_new_generation(void **state)
{
    (void)state;
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(config_free_p) struct config *old = load("old.yaml", NULL, NULL);
    write_domain("<domain><name/></domain>\n");
    CLEANUP(config_free_p) struct config *new = load("new.yaml", NULL, NULL);
    write_domain("<domain/>\n");
    AUTOFREE char *messages = NULL;
    struct difference d;
    assert_int_equal(config_compare(old, new, a, &d, &messages), 0);
    assert_int_equal(d.n, 1);
    assert_string_equal(d.items[0].key, "templates.small.generation");
    assert_string_equal(d.items[0].new, config_policy(new)->templates[0].generation);
}

static void check_fixed(const char *from, const char *to, const char *expected)
{
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    CLEANUP(config_free_p) struct config *old = load("old.yaml", NULL, NULL);
    CLEANUP(config_free_p) struct config *new = load("new.yaml", from, to);
    AUTOFREE char *messages = NULL;
    struct difference d = {.n = 77};
    assert_int_equal(config_compare(old, new, a, &d, &messages), -EBUSY);
    assert_int_equal(d.n, 77);
    assert_non_null(messages);
    if (!strstr(messages, expected))
        fail_msg("not \"%s\" in: %s", expected, messages);
}

static void test_what_needs_a_restart(void **state)
{
    (void)state;
    check_fixed("name: vpool", "name: xpool",
                "new.yaml:1:15: pool.name: cannot change from vpool to xpool while eyried runs: "
                "restart eyried");
    check_fixed("/srv/eyrie", "/srv/other",
                "new.yaml:2:17: paths.state: cannot change from /srv/eyrie to /srv/other");
    check_fixed("state: /srv/eyrie", "state: /srv/eyrie, socket: /run/s",
                "new.yaml:2:37: paths.socket: cannot change from /run/eyrie/eyried.sock to /run/s");
    check_fixed("state: /srv/eyrie", "",
                "without paths.state: cannot change from /srv/eyrie to /var/lib/eyrie while");
}

/* A reference keeps the policy while somebody still answers by it. */
static void test_references(void **state)
{
    (void)state;
    struct config *c = load("old.yaml", NULL, NULL);
    const struct policy *p = config_policy(c);
    struct config *held = config_ref(c);
    assert_null(config_free(c));
    assert_string_equal(p->pool.name, "vpool");
    assert_null(config_free(held));
}

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    write_domain("<domain/>\n");
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"old.yaml", "new.yaml", "small.xml"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTOFREE char *path = mem_printf("%s/%s", folder, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_changes),
        cmocka_unit_test(test_a_changed_domain_is_a_new_generation),
        cmocka_unit_test(test_what_needs_a_restart),
        cmocka_unit_test(test_references),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
