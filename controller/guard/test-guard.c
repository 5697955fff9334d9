#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "base/mem.h"
#include "guard/guard.h"

static const char *const folders[] = {"/srv/eyrie"};
static const struct guard_rules rules = {.pool = "vpool", .folders = folders, .n_folders = 1};

/* Hold a domain with these elements against @r; @says: part of the refusal, NULL when it may start.
 */
static void check(const struct guard_rules *r, const char *elements, const char *says)
{
    struct err e = {""};
    char *xml AUTOFREE =
        mem_printf("<domain type='kvm'><name>vpool-small-1a2b3c4d</name>%s</domain>", elements);
    assert_int_equal(guard_check(r, xml, &e), says ? -EPERM : 0);
    if (says && !strstr(e.text, says))
        fail_msg("no %s in: %s", says, e.text);
}

static void only_domains_of_the_pool_are_held_against_the_rules(void **state)
{
    (void)state;
    assert_true(guard_is_about(&rules, "vpool-small-1a2b3c4d"));
    assert_false(guard_is_about(&rules, "vpool2-small-1a2b3c4d"));
    assert_false(guard_is_about(&rules, "web"));
}

static void a_usual_vm_may_start(void **state)
{
    (void)state;
    check(&rules,
          "<metadata><eyrie:vm xmlns:eyrie='urn:eyrie:vm:1' pool='/etc'/></metadata>"
          "<os><kernel>/srv/eyrie/vmlinuz</kernel><loader>/usr/share/OVMF/OVMF_CODE.fd</loader>"
          "<nvram>/var/lib/libvirt/qemu/nvram/vpool-small-1a2b3c4d_VARS.fd</nvram>"
          "<cmdline>root=/dev/vda</cmdline></os>"
          "<sysinfo type='fwcfg'><entry name='opt/org.eyrie/seed' "
          "file='/srv/eyrie/a.seed'/></sysinfo>"
          "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"
          "<disk type='file'><source file='/srv/eyrie/a.disk'/><backingStore type='file'>"
          "<source file='/srv/eyrie/image.qcow2'/></backingStore></disk>"
          "<interface type='bridge'><source bridge='br0'/></interface>"
          "<serial type='pty'><source path='/dev/pts/3'/></serial>"
          "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng></devices>"
          "<seclabel type='dynamic' model='dac'><label>+64055:+64055</label></seclabel>",
          NULL);
}

static void a_container_of_the_folder_may_start(void **state)
{
    (void)state;
    check(&rules,
          "<resource><partition>/machine</partition></resource><os><type>exe</type><init>/usr/lib/"
          "eyrie/container</init></os>"
          "<devices><emulator>/usr/lib/libvirt/libvirt_lxc</emulator>"
          "<filesystem type='mount'><source dir='/srv/eyrie/root'/><target dir='/'/></filesystem>"
          "<filesystem type='ram'><source usage='1'/><target dir='/run'/></filesystem></devices>",
          NULL);
}

static void what_reaches_outside_is_refused_by_name(void **state)
{
    static const struct {
        const char *elements;
        const char *says;
    } rows[] = {
        {"<devices><disk type='file'><source file='/etc/shadow'/></disk></devices>", "/etc/shadow"},
        {"<devices><disk type='file'><source file='/srv/eyrie/../../etc/shadow'/></disk></devices>",
         "/etc/shadow"},
        {"<devices><disk type='file'><source file='/srv/eyrie2/x'/></disk></devices>",
         "/srv/eyrie2/x"},
        {"<devices><disk type='file'><source file='/srv/eyrie/a'/><backingStore type='file'>"
         "<source file='/root/x'/></backingStore></disk></devices>",
         "/root/x"},
        {"<devices><disk type='block'><source dev='/dev/sda'/></disk></devices>", "/dev/sda"},
        {"<devices><disk type='network'><source protocol='nbd'/></disk></devices>",
         "--allow disk-network"},
        {"<devices><filesystem type='mount'><source dir='/'/><target "
         "dir='/'/></filesystem></devices>",
         "names /,"},
        {"<devices><filesystem type='bind'><source dir='/srv/eyrie/x'/></filesystem></devices>",
         "--allow filesystem-bind"},
        {"<devices><hostdev mode='subsystem' type='pci'/></devices>", "--allow hostdev"},
        {"<devices><interface type='hostdev'/></devices>", "--allow interface-hostdev"},
        {"<devices><serial type='tcp'/></devices>", "--allow serial-tcp"},
        {"<devices><graphics type='vnc'/></devices>", "--allow graphics"},
        {"<devices><input type='evdev'/></devices>", "--allow input-evdev"},
        {"<devices><tpm><backend type='passthrough'><device "
         "path='/dev/tpm0'/></backend></tpm></devices>",
         "/dev/tpm0"},
        {"<devices><emulator>/tmp/mine</emulator></devices>", "/tmp/mine"},
        {"<os><nvram>/var/lib/libvirt/qemu/nvram/other_VARS.fd</nvram></os>", "other_VARS.fd"},
        {"<seclabel type='none'/>", "--allow seclabel"},
        {"<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'/>", "--allow raw"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        check(&rules, rows[i].elements, rows[i].says);
}

static void the_owner_may_allow_what_is_refused(void **state)
{
    static const char *const allowed[] = {"hostdev"};
    struct guard_rules r = rules;
    (void)state;
    r.allowed = allowed;
    r.n_allowed = 1;
    check(&r, "<devices><hostdev mode='subsystem' type='pci'/></devices>", NULL);
    check(&r, "<devices><shmem name='x'/></devices>", "--allow shmem");
}

static void a_refusal_names_the_line(void **state)
{
    (void)state;
    check(&rules, "\n<devices>\n<hostdev/></devices>", "line 3: <hostdev>");
}

static void what_is_no_domain_is_refused(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(guard_check(&rules, "", &e), -EIO);
    assert_int_equal(guard_check(&rules, "<domain/>", &e), -EIO);
    assert_int_equal(guard_check(&rules, "<network><name>x</name></network>", &e), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_domains_of_the_pool_are_held_against_the_rules),
        cmocka_unit_test(a_usual_vm_may_start),
        cmocka_unit_test(a_container_of_the_folder_may_start),
        cmocka_unit_test(what_reaches_outside_is_refused_by_name),
        cmocka_unit_test(the_owner_may_allow_what_is_refused),
        cmocka_unit_test(a_refusal_names_the_line),
        cmocka_unit_test(what_is_no_domain_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
