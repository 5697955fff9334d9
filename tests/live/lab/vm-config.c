/*
 * vm-config POLICY TEMPLATE NAME UUID [group=GROUP] [exclusive] [request=ID until=SECONDS] [by-name]
 *
 * Prints the HTCondor configuration that eyried puts into a VM's seed, for machines that stand in for
 * VMs in the tests of this folder.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "act/fragment.h"
#include "act/seed.h"
#include "base/limits.h"
#include "base/mem.h"
#include "config/config.h"

_Noreturn static void fail(const char *text)
{
    (void)fprintf(stderr, "vm-config: %s\n", text);
    exit(1);
}

static const struct policy_template *template_of(const struct policy *p, const char *name)
{
    for (size_t i = 0; i < p->n_templates; i++)
        if (strcmp(p->templates[i].name, name) == 0)
            return &p->templates[i];
    fail("the policy has no such template");
}

static struct seed_vm read_vm(char **words)
{
    struct seed_vm vm = {.name = words[0], .uuid = words[1], .group = "", .token = ""};
    for (char **word = words + 2; *word; word++) {
        if (text_starts_with(*word, "group="))
            vm.group = *word + strlen("group=");
        else if (text_starts_with(*word, "request="))
            vm.request = *word + strlen("request=");
        else if (text_starts_with(*word, "until="))
            vm.until = strtoll(*word + strlen("until="), NULL, 10) * USEC_PER_SEC;
        else if (strcmp(*word, "exclusive") == 0)
            vm.exclusive = true;
        else if (strcmp(*word, "by-name") == 0)
            vm.by_name = true;
        else
            fail(*word);
    }
    return vm;
}

int main(int argc, char **argv)
{
    static const char before[] = "CONFIG\n";
    CLEANUP(config_free_p) struct config *config = NULL;
    CLEANUP(text_done) struct text fragment = {0};
    CLEANUP(text_done) struct text seed = {0};
    AUTOFREE char *messages = NULL;
    struct err e;
    if (argc < 5)
        fail("usage: vm-config POLICY TEMPLATE NAME UUID [group=GROUP] [exclusive] "
             "[request=ID until=SECONDS] [by-name]");
    if (config_load(argv[1], &config, &messages) < 0)
        fail(messages);
    const struct policy *p = config_policy(config);
    const struct seed_vm vm = read_vm(argv + 3);
    AUTOFREE char *path = mem_printf("%s/vm-startd.conf", p->paths.fragments);
    if (fragment_read(path, LIMIT_CONFIG_BYTES, &fragment, &e) < 0 ||
        seed_render(p, template_of(p, argv[2]), &vm, text_get(&fragment), &seed, &e) < 0)
        fail(e.text);
    (void)fputs(strstr(text_get(&seed), before) + strlen(before), stdout);
    return 0;
}
