#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include <libxml/parser.h>

#include "base/mem.h"
#include "host/capabilities.h"
#include "host/document.h"
#include "host/domain.h"

#define UUID "1a2b3c4d-0000-4000-8000-0a0b0c0d0e0f"
#define DISK "<disk type='file' device='disk'><target dev='vda' bus='virtio'/></disk>"
#define ROOT                                                                                       \
    "<filesystem type='mount'><source dir='/old'/><target dir='/'/><readonly/></filesystem>"
#define RUN                                                                                        \
    "<filesystem type='ram'><source usage='64' units='MiB'/><target dir='/run'/></filesystem>"
#define PLAIN "<domain type='kvm'><devices>" DISK "</devices></domain>"

/* The whole document after it was filled; owned by the caller. */
static char *fill(const char *xml)
{
    struct document *d CLEANUP(document_free_p) = NULL;
    struct fault f;
    char name[] = "vpool-small-1a2b3c4d", pool[] = "vpool", template[] = "small";
    char generation[] = "g<1>&\"", group[] = "juno", request[] = "r-17";
    struct vm vm = {.name = name,
                    .uuid = UUID,
                    .pool = pool,
                    .template = template,
                    .generation = generation,
                    .group = group,
                    .request = request,
                    .exclusive = true,
                    .born = 1700000000000000,
                    .memory = 805306368,
                    .cpus = 3};
    assert_int_equal(document_parse(xml, &d, &f), 0);
    assert_int_equal(document_fill(d, &vm, "/i/a&b.disk", false, "/i/a.seed", &f), 0);
    return document_text(d);
}

static void has(const char *text, const char *piece)
{
    if (!strstr(text, piece))
        fail_msg("no %s in\n%s", piece, text);
}

static void has_not(const char *text, const char *piece)
{
    if (strstr(text, piece))
        fail_msg("%s in\n%s", piece, text);
}

static void what_is_ours_is_set(void **state)
{
    (void)state;
    char *text AUTOFREE = fill(
        "<domain type='kvm'><name>old</name><uuid>x</uuid><memory unit='GiB'>9</memory>"
        "<currentMemory>1</currentMemory><vcpu placement='static' current='1'>9</vcpu>"
        "<vcpus><vcpu id='0' enabled='yes'/></vcpus>"
        "<devices><disk type='network' device='disk'><driver name='qemu' type='raw' cache='none'/>"
        "<source protocol='rbd' name='x'><host name='h'/></source><backingStore/>"
        "<target dev='vda' bus='virtio'/></disk></devices></domain>");
    has(text, "<name>vpool-small-1a2b3c4d</name><uuid>" UUID "</uuid>");
    has(text, "<memory unit=\"b\">805306368</memory>");
    has(text, "<currentMemory unit=\"b\">805306368</currentMemory>");
    has(text, "<vcpu placement=\"static\">3</vcpu>");
    has(text, "<disk type=\"file\" device=\"disk\">");
    has(text, "<driver name=\"qemu\" type=\"qcow2\" cache=\"none\"/>");
    has(text, "<source file=\"/i/a&amp;b.disk\"/>");
    has(text, "<sysinfo type=\"fwcfg\"><entry name=\"opt/org.eyrie/seed\" file=\"/i/a.seed\"/>");
    has(text, "<eyrie:vm xmlns:eyrie=\"urn:eyrie:vm:1\" pool=\"vpool\" uuid=\"" UUID "\" "
              "template=\"small\" generation=\"g&lt;1&gt;&amp;&quot;\" group=\"juno\" request=\"r-17\" "
              "exclusive=\"true\" born=\"1700000000000000\"/>");
    has(text, "<channel type=\"unix\"><target type=\"virtio\" name=\"org.eyrie.token\"/></channel>");
    has_not(text, "rbd");
    has_not(text, "backingStore");
    has_not(text, "<vcpus>");
}

static void what_is_not_ours_stays(void **state)
{
    (void)state;
    char *text AUTOFREE =
        fill("<!-- a comment --><domain type='qemu' "
             "xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
             "<metadata><site:rack xmlns:site='urn:site'>7</site:rack>"
             "<e:vm xmlns:e='urn:eyrie:vm:1' pool='stale'/></metadata>"
             "<sysinfo type='smbios'><system><entry name='uuid'>stale</entry>"
             "<entry name='serial'>s</entry></system></sysinfo>"
             "<sysinfo type='fwcfg'><entry name='opt/com.site/x'>y</entry>"
             "<entry name='opt/org.eyrie/seed' file='/stale'/></sysinfo>"
             "<devices><disk type='file'><source file='/other'/><target dev='vdb'/></disk>" DISK
             "<serial type='pty'/></devices>"
             "<q:commandline><q:arg value='-S'/></q:commandline></domain>");
    has(text, "<!-- a comment -->");
    has(text, "xmlns:q=\"http://libvirt.org/schemas/domain/qemu/1.0\"");
    has(text, "<q:commandline><q:arg value=\"-S\"/></q:commandline>");
    has(text, "<site:rack xmlns:site=\"urn:site\">7</site:rack>");
    has(text, "<entry name=\"uuid\">" UUID "</entry><entry name=\"serial\">s</entry>");
    has(text, "<entry name=\"opt/com.site/x\">y</entry>"
              "<entry name=\"opt/org.eyrie/seed\" file=\"/i/a.seed\"/>");
    has(text, "<source file=\"/other\"/><target dev=\"vdb\"/>");
    has(text, "<serial type=\"pty\"/>");
    has_not(text, "stale");
}

static void a_port_for_tokens_is_there_once_and_only_where_qemu_is(void **state)
{
    (void)state;
    char *own AUTOFREE =
        fill("<domain type='qemu'><devices>" DISK "<channel type='unix'><target type='virtio' "
             "name='org.eyrie.token' state='x'/></channel></devices></domain>");
    has(own, "<target type=\"virtio\" name=\"org.eyrie.token\" state=\"x\"/></channel></devices>");
    char *container AUTOFREE = fill("<domain type='lxc'><devices>" ROOT RUN "</devices></domain>");
    has_not(container, "<channel");
    has(container, "<console type=\"pty\"/><console type=\"pty\"/>");
    has_not(container, "<console type=\"pty\"/><console type=\"pty\"/><console");
}

static void each_interface_has_an_address_made_of_the_uuid(void **state)
{
    (void)state;
    char *text AUTOFREE = fill("<domain type='kvm'><devices>" DISK "<interface type='user'/>"
                               "<interface type='user'/></devices></domain>");
    has(text, "<mac address=\"52:0b:0c:0d:0e:0f\"/>");
    has(text, "<mac address=\"52:0b:0c:0d:0e:10\"/>");
}

/* What a site may have in a template beside what is ours to set, to the byte. */
static void machines_of_any_kind_keep_what_they_have(void **state)
{
    static const struct {
        const char *outside; /* of <devices> */
        const char *devices;
    } rows[] = {
        {/* q35 with UEFI, its variables and a TPM */
         "<os firmware=\"efi\"><type arch=\"x86_64\" machine=\"q35\">hvm</type><loader secure=\"yes\"/>"
         "<nvram template=\"/usr/share/OVMF/OVMF_VARS_4M.ms.fd\"/></os><features><smm state=\"on\"/></features>",
         "<tpm model=\"tpm-crb\"><backend type=\"emulator\" version=\"2.0\"/></tpm>"},
        {/* hugepages, pinned to a NUMA node */
         "<memoryBacking><hugepages><page size=\"1\" unit=\"G\" nodeset=\"0\"/></hugepages></memoryBacking>"
         "<cputune><vcpupin vcpu=\"0\" cpuset=\"2\"/></cputune>"
         "<numatune><memory mode=\"strict\" nodeset=\"1\"/></numatune><cpu mode=\"host-passthrough\"/>",
         ""},
        {/* a GPU of the host's */ "",
         "<hostdev mode=\"subsystem\" type=\"pci\" managed=\"yes\"><source><address domain=\"0x0000\" bus=\"0x3b\" "
         "slot=\"0x00\" function=\"0x0\"/></source></hostdev>"},
        {/* more disks, of other kinds */ "",
         "<disk type=\"block\" device=\"disk\"><source dev=\"/dev/vg0/scratch\"/><target dev=\"vdb\" bus=\"virtio\"/></disk>"
         "<disk type=\"network\" device=\"cdrom\"><source protocol=\"https\" name=\"x.iso\"><host name=\"h\" port=\"443\"/>"
         "</source><target dev=\"sda\" bus=\"sata\"/><readonly/></disk>"},
        {/* a folder of the host's, a watchdog, a socket */
         "<memoryBacking><source type=\"memfd\"/><access mode=\"shared\"/></memoryBacking>",
         "<filesystem type=\"mount\" accessmode=\"passthrough\"><driver type=\"virtiofs\"/><source dir=\"/cvmfs\"/>"
         "<target dir=\"cvmfs\"/></filesystem><watchdog model=\"itco\" action=\"reset\"/>"
         "<vsock model=\"virtio\"><cid auto=\"yes\"/></vsock>"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char *xml AUTOFREE = mem_printf("<domain type=\"kvm\">%s<devices>%s%s</devices></domain>", rows[i].outside,
                                        rows[i].devices, DISK);
        char *text AUTOFREE = fill(xml);
        has(text, rows[i].outside);
        has(text, rows[i].devices);
        has(text, "<source file=\"/i/a&amp;b.disk\"/>");
    }
}

static void networks_keep_all_but_their_addresses(void **state)
{
    (void)state;
    char *text AUTOFREE = fill("<domain type='kvm'><devices>" DISK
                               "<interface type=\"bridge\"><source bridge=\"br0\"/><vlan><tag id=\"42\"/></vlan></interface>"
                               "<interface type=\"direct\"><source dev=\"ens1\" mode=\"vepa\"/><model type=\"virtio\"/></interface>"
                               "</devices></domain>");
    has(text, "<source bridge=\"br0\"/><vlan><tag id=\"42\"/></vlan><mac ");
    has(text, "<source dev=\"ens1\" mode=\"vepa\"/><model type=\"virtio\"/><mac ");
}

static void a_container_has_the_image_as_its_root_and_a_seed_but_no_disk(void **state)
{
    (void)state;
    char *text AUTOFREE =
        fill("<domain type='lxc'><os><type>exe</type><init>/init</init></os><devices>" ROOT RUN
             "<interface type='bridge'><source bridge='b'/></interface></devices></domain>");
    has(text, "<filesystem type=\"mount\"><target dir=\"/\"/><readonly/><source "
              "dir=\"/i/a&amp;b.disk\"/>");
    has(text, "<filesystem type=\"mount\"><source dir=\"/i/a.seed\"/>"
              "<target dir=\"/run/eyrie-seed\"/><readonly/></filesystem></devices>");
    has(text, "<init>/init</init>");
    has(text, "<source usage=\"64\" units=\"MiB\"/>");
    has(text, "<mac address=\"52:0b:0c:0d:0e:0f\"/>");
    has_not(text, "/old");
    has_not(text, "fwcfg");
}

static void a_template_that_cannot_work_is_refused_by_element(void **state)
{
    static const struct {
        const char *xml;
        const char *says;
    } rows[] = {
        {"", "domain template"},
        {"<domain type='kvm'>", "line 1"},
        {"<network/>", "<network>"},
        {"<domain/>", "type="},
        {"<domain xmlns='urn:x' type='kvm'/>", "<domain>"},
        {"<domain type='kvm'/>", "vda"},
        {"<domain type=''><devices><disk><target dev='vdb'/></disk></devices></domain>", "vda"},
        {"<domain type='kvm'><devices><disk device='cdrom'><target dev='vda'/></disk></devices>"
         "</domain>",
         "cdrom"},
        {"<domain type='kvm'><devices><disk><transient/><target dev='vda'/></disk></devices>"
         "</domain>",
         "<transient/>"},
        {"<domain type='kvm'><devices><disk><readonly/><target dev='vda'/></disk></devices>"
         "</domain>",
         "<readonly/>"},
        {"<domain type='kvm'><devices>" DISK "<interface><mac address='52:54:00:00:00:01'/>"
         "</interface></devices></domain>",
         "<mac>"},
        {"<domain type='kvm'><on_poweroff>restart</on_poweroff><devices>" DISK
         "</devices></domain>",
         "<on_poweroff>"},
        {"<domain type='kvm'><cpu><numa><cell id='0'/></numa></cpu><devices>" DISK
         "</devices></domain>",
         "<numa>"},
        {"<!DOCTYPE d [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><domain type='kvm'>&e;</domain>",
         "DOCTYPE"},
        {"<domain type='lxc'><devices>" DISK RUN "</devices></domain>", "<target dir='/'/>"},
        {"<domain type='lxc'><devices><filesystem type='file'><target "
         "dir='/'/><readonly/></filesystem>" RUN "</devices></domain>",
         "type='file'"},
        {"<domain type='lxc'><devices><filesystem><target dir='/'/></filesystem>" RUN
         "</devices></domain>",
         "<readonly/>"},
        {"<domain type='lxc'><devices>" ROOT "</devices></domain>", "<target dir='/run'/>"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct document *d = NULL;
        struct fault f = {0};
        assert_int_equal(document_parse(rows[i].xml, &d, &f), -EIO);
        assert_int_equal(f.code, VIR_ERR_XML_ERROR);
        has(f.err.text, rows[i].says);
        assert_null(d);
    }
}

static void a_value_that_is_no_text_is_refused(void **state)
{
    struct document *d CLEANUP(document_free_p) = NULL;
    struct fault f;
    char bad[] = "\xff\xfe";
    struct vm vm = {.name = bad, .uuid = UUID};
    (void)state;
    assert_int_equal(document_parse(PLAIN, &d, &f), 0);
    assert_int_equal(document_fill(d, &vm, "/d", false, NULL, &f), -EIO);
    assert_int_equal(f.code, VIR_ERR_INVALID_ARG);
}

static void what_was_written_is_read_back(void **state)
{
    char *text AUTOFREE = fill(PLAIN);
    struct vm vm CLEANUP(vm_done) = {0};
    char claimed[VM_UUID_SIZE];
    struct fault f;
    (void)state;
    assert_int_equal(document_read(text, &vm, claimed, &f), 0);
    assert_string_equal(claimed, UUID);
    assert_string_equal(vm.pool, "vpool");
    assert_string_equal(vm.template, "small");
    assert_string_equal(vm.generation, "g<1>&\"");
    assert_string_equal(vm.group, "juno");
    assert_string_equal(vm.request, "r-17");
    assert_true(vm.exclusive);
    assert_int_equal(vm.born, 1700000000000000);
    assert_int_equal(vm.memory, 805306368);
    assert_int_equal(vm.cpus, 3);
}

static void a_domain_is_ours_only_when_everything_says_so(void **state)
{
    char pool[] = "vpool", other[] = "vpool2";
    struct vm ours = {.pool = pool}, others = {.pool = other}, none = {0};
    const char *name = "vpool-small-1a2b3c4d";
    (void)state;
    assert_null(domain_foreign("vpool", name, UUID, &ours, UUID));
    assert_non_null(domain_foreign("vpool", name, UUID, &none, ""));
    assert_non_null(domain_foreign("vpool", name, UUID, &others, UUID));
    assert_non_null(domain_foreign("vpool", name, UUID, &ours, ""));
    assert_non_null(
        domain_foreign("vpool", name, UUID, &ours, "1a2b3c4d-0000-4000-8000-0a0b0c0d0e0e"));
    assert_non_null(domain_foreign("vpool", "vpool-small-1a2b3c4e", UUID, &ours, UUID));
    assert_non_null(domain_foreign("vpool", "small-1a2b3c4d", UUID, &ours, UUID));
    assert_non_null(domain_foreign("vpool", "vpool-1a2b3c4d", UUID, &ours, UUID));
}

static void volumes_are_known_by_name(void **state)
{
    static const char *const bad[] = {
        "vpool." UUID,
        "vpool." UUID ".iso",
        "vpool." UUID ".disk2",
        "vpool-" UUID ".disk",
        "vpool2." UUID ".disk",
        "pool." UUID ".disk",
        "vpool.1A2B3C4D"
        ".disk",
        "",
        "vpool",
        "vpool.1A2b3c4d-0000-4000-8000-0a0b0c0d0e0f.disk",
        "vpool." UUID "/disk",
    };
    char *made AUTOFREE = vm_volume_make("vpool", UUID, VM_VOLUME_SEED);
    char uuid[VM_UUID_SIZE];
    enum vm_volume kind;
    (void)state;
    assert_string_equal(made, "vpool." UUID ".seed");
    assert_true(vm_volume_parse("vpool", made, uuid, &kind));
    assert_string_equal(uuid, UUID);
    assert_int_equal(kind, VM_VOLUME_SEED);
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_false(vm_volume_parse("vpool", bad[i], uuid, &kind));
}

static void the_owner_is_that_of_dac(void **state)
{
    long uid = -1, gid = -1;
    (void)state;
    assert_true(capabilities_read_owner(
        "<capabilities><host><secmodel><model>apparmor</model><baselabel>+9:+9</baselabel>"
        "</secmodel><secmodel><model>dac</model><doi>0</doi><baselabel type='kvm'>+64055:+106"
        "</baselabel></secmodel></host></capabilities>",
        &uid, &gid));
    assert_int_equal(uid, 64055);
    assert_int_equal(gid, 106);
    assert_false(capabilities_read_owner("<capabilities><host/></capabilities>", &uid, &gid));
    assert_false(capabilities_read_owner("", &uid, &gid));
    assert_int_equal(uid, 64055);
}

static void what_a_host_can_run_is_by_architecture(void **state)
{
    static const char xml[] =
        "<capabilities><guest><arch name='i686'><domain type='xen'/></arch></guest>"
        "<guest><arch name='x86_64'><domain type='qemu'/><domain type='kvm'/></arch></guest>"
        "</capabilities>";
    struct json_object *types = json_object_new_array();
    (void)state;
    capabilities_read_offered(xml, "x86_64", types);
    capabilities_read_offered(xml, "s390x", types);
    capabilities_read_offered("no XML", "x86_64", types);
    assert_string_equal(json_object_to_json_string_ext(types, JSON_C_TO_STRING_PLAIN),
                        "[\"qemu\",\"kvm\"]");
    (void)json_object_put(types);
}

static void only_an_emulated_cpu_with_cx16_is_one_that_linux_does_not_survive(void **state)
{
    static const struct {
        const char *cpu;
        const char *type;
        const char *arch;
        bool emulates;
    } rows[] = {
        {"", "qemu", "x86_64", true},
        {"<cpu mode='custom'><model>qemu64</model></cpu>", "qemu", "x86_64", true},
        {"<cpu><feature policy='require' name='cx16'/></cpu>", "qemu", "x86_64", true},
        {"<cpu><feature policy='disable' name='sse'/>"
         "<feature policy='disable' name='cx16'/></cpu>", "qemu", "x86_64", false},
        {"", "kvm", "x86_64", false},
        {"", "qemu", "aarch64", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct document *d CLEANUP(document_free_p) = NULL;
        struct fault f;
        char *xml AUTOFREE = mem_printf(
            "<domain type='%s'><os><type arch='%s'>hvm</type></os>%s<devices><interface><source "
            "bridge='b'/></interface><interface><source network='n'/></interface><disk><target "
            "dev='vda'/></disk></devices></domain>", rows[i].type, rows[i].arch, rows[i].cpu);
        assert_int_equal(document_parse(xml, &d, &f), 0);
        assert_int_equal(document_emulates_cx16(d), rows[i].emulates);
        char *network AUTOFREE = document_network(d, 0);
        assert_string_equal(network, "n");
        assert_null(document_network(d, 1));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_ours_is_set),
        cmocka_unit_test(what_is_not_ours_stays),
        cmocka_unit_test(a_port_for_tokens_is_there_once_and_only_where_qemu_is),
        cmocka_unit_test(each_interface_has_an_address_made_of_the_uuid),
        cmocka_unit_test(machines_of_any_kind_keep_what_they_have),
        cmocka_unit_test(networks_keep_all_but_their_addresses),
        cmocka_unit_test(a_container_has_the_image_as_its_root_and_a_seed_but_no_disk),
        cmocka_unit_test(a_template_that_cannot_work_is_refused_by_element),
        cmocka_unit_test(a_value_that_is_no_text_is_refused),
        cmocka_unit_test(what_was_written_is_read_back),
        cmocka_unit_test(a_domain_is_ours_only_when_everything_says_so),
        cmocka_unit_test(volumes_are_known_by_name),
        cmocka_unit_test(the_owner_is_that_of_dac),
        cmocka_unit_test(what_a_host_can_run_is_by_architecture),
        cmocka_unit_test(only_an_emulated_cpu_with_cx16_is_one_that_linux_does_not_survive),
    };
    int r = cmocka_run_group_tests_name("host/document", tests, NULL, NULL);
    xmlCleanupParser();
    return r;
}
