/*
 * A policy of several files: which of them are read, in what order, what becomes of a key that two
 * of them set, and where messages say a mistake is.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"

static char folder[] = "/tmp/eyrie-files-XXXXXX";

static const char common[] =
    "pool: { name: vpool, central_manager: vcm.lab }\n"
    "schedds:\n"
    "  - { name: schedd.lab, collector: cm.lab, flock: /run/schedd/60.conf }\n"
    "limits: { cpus: 40 }\n"
    "hosts:\n"
    "  - { uri: \"qemu+tls://hv01.lab/system\", cpus: 32, memory: 64GiB, tags: [ssd] }\n"
    "  - { uri: \"test:///default\" }\n"
    "templates:\n"
    "  small: { domain: small.xml, image: d13.qcow2, cpus: 2, memory: 2GiB, disk: 2GiB }\n"
    "groups:\n"
    "  juno: { quota: 20, max: 30, submitters: [alice, bob] }\n"; /* 11 */

/* ---- help ------------------------------------------------------------------------------------ */

static const char *path_of(const char *name)
{
    static char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void remove_file(const char *name)
{
    assert_int_equal(unlink(path_of(name)), 0);
}

static void write_main(const char *include)
{
    AUTOFREE char *text = mem_printf("%s%s", common, include);
    write_file("eyrie.yaml", text);
}

static struct config *load(void)
{
    struct config *c = NULL;
    char *messages = NULL;
    if (config_load(path_of("eyrie.yaml"), &c, &messages) < 0)
        fail_msg("%s", messages);
    return c;
}

/* The messages without the name of the test's folder. */
static char *messages_of(void)
{
    struct config *c = NULL;
    char *messages = NULL;
    size_t prefix = strlen(folder) + 1;
    assert_int_equal(config_load(path_of("eyrie.yaml"), &c, &messages), -EINVAL);
    assert_null(c);
    for (char *at; (at = strstr(messages, folder));)
        memmove(at, at + prefix, strlen(at + prefix) + 1);
    return messages;
}

static void assert_printed(const struct config *c, const char *part)
{
    AUTOFREE char *text = NULL;
    size_t length;
    FILE *f = open_memstream(&text, &length);
    assert_non_null(f);
    config_print(c, f);
    assert_int_equal(fclose(f), 0);
    if (!strstr(text, part))
        fail_msg("no %s in:\n%s", part, text);
}

/* The path of file @index, without the test's folder. */
static const char *file_of(const struct config *c, size_t index)
{
    size_t n;
    const char *const *files = config_files(c, &n);
    assert_true(index < n);
    assert_true(text_starts_with(files[index], folder));
    return files[index] + strlen(folder) + 1;
}

/* ---- what is read ---------------------------------------------------------------------------- */

static void files_are_read_in_alphabetical_order_and_later_ones_win(void **state)
{
    (void)state;
    write_main("include: conf.d/*.yaml\n");
    write_file("conf.d/b.yaml", "groups: { juno: { max: 32 } }\n");
    write_file("conf.d/a.yaml", "groups: { juno: { max: 31, weight: 3 } }\n");
    write_file("conf.d/.hidden.yaml", "not: read\n");
    write_file("conf.d/b.yaml~", "not: read\n");
    CLEANUP(config_free_p) struct config *c = load();
    const struct policy *p = config_policy(c);
    size_t n;
    assert_int_equal(p->n_files, 3);
    assert_string_equal(p->files[0], "eyrie.yaml");
    assert_string_equal(p->files[1], "conf.d/a.yaml");
    assert_string_equal(p->files[2], "conf.d/b.yaml");
    assert_string_equal(file_of(c, 0), "eyrie.yaml");
    assert_string_equal(file_of(c, 2), "conf.d/b.yaml");
    const char *const *folders = config_folders(c, &n);
    assert_int_equal(n, 1);
    assert_string_equal(folders[0], path_of("conf.d"));

    assert_int_equal(p->n_groups, 1);
    const struct policy_group *juno = &p->groups[0];
    assert_int_equal(juno->quota.value, 20); /* of the first file */
    assert_int_equal(juno->quota.at.file, 0);
    assert_int_equal(juno->weight.value, 3);
    assert_int_equal(juno->weight.at.file, 1);
    assert_int_equal(juno->max.value, 32);
    assert_int_equal(juno->max.at.file, 2);
    assert_int_equal(juno->max.at.line, 1);
    assert_int_equal(juno->at.file, 0);
    assert_int_equal(juno->at.line, 11);
    assert_printed(c, "\n    max: 32                                             "
                      "# conf.d/b.yaml:1, over conf.d/a.yaml:1, over eyrie.yaml:11\n");
    remove_file("conf.d/a.yaml");
    remove_file("conf.d/b.yaml");
    remove_file("conf.d/.hidden.yaml");
    remove_file("conf.d/b.yaml~");
}

static void hosts_and_schedds_merge_by_name(void **state)
{
    (void)state;
    write_main("include: conf.d/*.yaml\n");
    write_file("conf.d/a.yaml",
               "hosts:\n"
               "  - { name: hv09, uri: \"qemu+tls://hv09/system\" }\n"
               "  - { name: hv01.lab, max_vms: 5, tags: [gpu] }\n" /* the name is in its uri */
               "schedds: [{ name: schedd.lab, tools: /opt/condor }]\n");
    write_file("conf.d/b.yaml", "hosts: [{ name: hv09, cpus: 8 }]\n");
    CLEANUP(config_free_p) struct config *c = load();
    const struct policy *p = config_policy(c);
    assert_int_equal(p->n_hosts, 3);
    assert_string_equal(p->hosts[0].name, "hv01.lab");
    assert_int_equal(p->hosts[0].cpus, 32);
    assert_int_equal(p->hosts[0].max_vms.value, 5);
    assert_int_equal(p->hosts[0].n_tags, 1); /* a list of words is one value */
    assert_string_equal(p->hosts[0].tags[0], "gpu");
    assert_string_equal(p->hosts[1].name, "local");
    assert_string_equal(p->hosts[2].name, "hv09");
    assert_int_equal(p->hosts[2].cpus, 8);
    assert_int_equal(p->hosts[2].at.file, 1);
    assert_int_equal(p->n_schedds, 1);
    assert_string_equal(p->schedds[0].tools, "/opt/condor");
    assert_string_equal(p->schedds[0].collector, "cm.lab");
    remove_file("conf.d/a.yaml");
    remove_file("conf.d/b.yaml");
}

static void a_file_may_add_many_things(void **state)
{
    struct text text = {0};
    char name[16];
    (void)state;
    write_main("include: conf.d/*.yaml\n");
    text_add(&text, "groups:\n");
    for (int i = 99; i >= 0; i--)
        text_printf(&text, "  g%02d: { weight: %d }\n", i, i + 1);
    write_file("conf.d/a.yaml", text_get(&text));
    CLEANUP(config_free_p) struct config *c = load();
    const struct policy *p = config_policy(c);
    assert_int_equal(p->n_groups, 101);
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "g%02d", i);
        assert_string_equal(p->groups[i].name, name);
        assert_int_equal(p->groups[i].weight.value, i + 1);
        assert_int_equal(p->groups[i].at.line, 101 - i);
    }
    text_done(&text);
    remove_file("conf.d/a.yaml");
}

static void paths_start_from_the_folder_of_their_file(void **state)
{
    (void)state;
    write_main("include: [conf.d/a.yaml, \"*.yaml\"]\n"); /* which matches eyrie.yaml itself */
    write_file("conf.d/own.xml", "<domain/>\n");
    write_file("conf.d/a.yaml", "templates: { own: { domain: own.xml, image: i, cpus: 1, "
                                "memory: 1GiB, disk: 1GiB } }\n");
    CLEANUP(config_free_p) struct config *c = load();
    const struct policy *p = config_policy(c);
    assert_int_equal(p->n_files, 2);
    assert_int_equal(p->n_templates, 2);
    assert_string_equal(p->templates[1].domain, path_of("conf.d/own.xml"));
    assert_string_equal(p->templates[1].domain_xml, "<domain/>\n");
    assert_int_equal(p->groups[0].n_templates, 2); /* all, also those of later files */
    remove_file("conf.d/own.xml");
    remove_file("conf.d/a.yaml");
}

static void what_matches_nothing_is_fine(void **state)
{
    size_t n;
    (void)state;
    write_main("include: [nowhere/*.yaml, conf.d/*.yaml, \"conf.d/[0-9]*\"]\n");
    CLEANUP(config_free_p) struct config *c = load();
    assert_int_equal(config_policy(c)->n_files, 1);
    (void)config_folders(c, &n);
    assert_int_equal(n, 2); /* nowhere may come to be */
}

/* ---- what is wrong --------------------------------------------------------------------------- */

static void mistakes_of_all_files_are_told_at_once(void **state)
{
    (void)state;
    write_main("include: conf.d/*.yaml\n");
    write_file("conf.d/a.yaml", "# of juno\ngroups:\n  juno: { max: 8oo }\n");
    write_file("conf.d/b.yaml", "groups:\n  juno: { max: 10 }\nlimits: { vm: 3 }\n");
    AUTOFREE char *messages = messages_of();
    assert_string_equal(messages,
                        "eyrie.yaml:11:18: groups.juno.quota: 20 cpus are more than the group's "
                        "max (10, conf.d/b.yaml:2)\n"
                        "      juno: { quota: 20, max: 30, submitters: [alice, bob] }\n"
                        "                     ^\n"
                        "conf.d/a.yaml:3:16: groups.juno.max: \"8oo\" is not a number of cpus; "
                        "did you mean 800?\n"
                        "      juno: { max: 8oo }\n"
                        "                   ^\n"
                        "conf.d/b.yaml:3:11: limits.vm: unknown key; did you mean vms?\n"
                        "    limits: { vm: 3 }\n"
                        "              ^\n");
    remove_file("conf.d/a.yaml");
    remove_file("conf.d/b.yaml");
}

static void a_file_that_is_no_yaml_does_not_hide_the_others(void **state)
{
    (void)state;
    write_main("include: conf.d/*\n");
    write_file("conf.d/a.yaml", "groups: {\n");
    write_file("conf.d/b.yaml", "groups: [\n");
    write_file("conf.d/c.yaml", "# nothing\n");
    AUTOFREE char *messages = messages_of();
    assert_non_null(strstr(messages, "conf.d/a.yaml:2:1: not YAML: "));
    assert_non_null(strstr(messages, "conf.d/b.yaml:2:1: not YAML: "));
    assert_non_null(strstr(messages, "conf.d/c.yaml:1:1: the file is empty"));
    assert_int_equal(unlink(path_of("conf.d/a.yaml")), 0);
    remove_file("conf.d/b.yaml");
    remove_file("conf.d/c.yaml");
}

static void a_bad_file_is_one_to_watch(void **state)
{
    struct config *c = NULL;
    char *messages = NULL;
    size_t n;
    (void)state;
    write_main("include: [conf.d/*.yaml, gone.yaml]\n");
    write_file("conf.d/a.yaml", "groups: {\n");
    assert_int_equal(config_try(path_of("eyrie.yaml"), &c, &messages), -EINVAL);
    assert_null(config_policy(c));
    (void)config_files(c, &n);
    assert_int_equal(n, 3);
    assert_string_equal(file_of(c, 1), "conf.d/a.yaml");
    assert_string_equal(file_of(c, 2), "gone.yaml");
    (void)config_folders(c, &n);
    assert_int_equal(n, 1);
    free(messages);
    (void)config_free(c);
    remove_file("conf.d/a.yaml");
}

/* A folder that cannot be looked into is not an empty one: its groups must not vanish. */
static void a_folder_that_may_not_be_read_is_refused(void **state)
{
    uid_t before = geteuid();
    (void)state;
    write_main("include: conf.d/*.yaml\n");
    assert_int_equal(chmod(folder, 0755), 0);
    assert_int_equal(chmod(path_of("conf.d"), 0), 0);
    if (before == 0)
        assert_int_equal(seteuid(65534), 0);
    AUTOFREE char *messages = messages_of();
    assert_int_equal(seteuid(before), 0);
    assert_int_equal(chmod(path_of("conf.d"), 0755), 0);
    assert_string_equal(messages,
                        "eyrie.yaml:12:10: include: cannot look into conf.d: Permission denied\n"
                        "    include: conf.d/*.yaml\n"
                        "             ^\n");
}

static void too_many_files_are_refused(void **state)
{
    char name[32];
    (void)state;
    write_main("include: conf.d/*\n");
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "conf.d/%d.yaml", i);
        write_file(name, "{}\n");
    }
    AUTOFREE char *messages = messages_of();
    assert_true(text_starts_with(messages, "eyrie.yaml:12:10: include: more than 1000 files\n"));
    remove_file("conf.d/0.yaml");
    CLEANUP(config_free_p) struct config *c = load();
    assert_int_equal(config_policy(c)->n_files, 1000);
    for (int i = 1; i < 1000; i++) {
        (void)snprintf(name, sizeof(name), "conf.d/%d.yaml", i);
        remove_file(name);
    }
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder) || mkdir(path_of("conf.d"), 0755) < 0)
        return -1;
    write_file("small.xml", "<domain type='kvm'/>\n");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    remove_file("eyrie.yaml");
    remove_file("small.xml");
    return rmdir(path_of("conf.d")) < 0 ? -1 : rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_in_alphabetical_order_and_later_ones_win),
        cmocka_unit_test(hosts_and_schedds_merge_by_name),
        cmocka_unit_test(a_file_may_add_many_things),
        cmocka_unit_test(paths_start_from_the_folder_of_their_file),
        cmocka_unit_test(what_matches_nothing_is_fine),
        cmocka_unit_test(mistakes_of_all_files_are_told_at_once),
        cmocka_unit_test(a_file_that_is_no_yaml_does_not_hide_the_others),
        cmocka_unit_test(a_bad_file_is_one_to_watch),
        cmocka_unit_test(a_folder_that_may_not_be_read_is_refused),
        cmocka_unit_test(too_many_files_are_refused),
    };
    return cmocka_run_group_tests_name("config/files", tests, make_folder, remove_folder);
}
