#include "guard/guard.h"

#include <errno.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/element.h"

/* Devices that reach nothing outside the domain but by the paths and types that are looked at. */
static const char *const harmless[] = {
    "audio",      "channel", "console",   "controller", "crypto",     "disk",  "emulator",
    "filesystem", "input",   "interface", "iommu",      "memballoon", "panic", "parallel",
    "rng",        "serial",  "sound",     "tpm",        "video",      "vsock", "watchdog",
};

/* Of these elements only such types. A type that is not given is libvirt's default, which is one of
 * them. */
static const struct {
    const char *element;
    const char *types[8];
} typed[] = {
    {"channel", {"pty", "unix", "null", "spicevmc", "file"}},
    {"console", {"pty", "unix", "null", "file"}},
    {"disk", {"file", "block"}},
    {"filesystem", {"mount", "ram", "file", "block"}},
    {"input", {"mouse", "keyboard", "tablet"}},
    {"interface", {"bridge", "network", "user"}},
    {"parallel", {"pty", "unix", "null", "file"}},
    {"serial", {"pty", "unix", "null", "file"}},
};

/* Files of libvirt's, QEMU's and the system's own that any domain may have. */
static const char *const common[] = {
    "/dev/hwrng",
    "/dev/pts/",
    "/dev/random",
    "/dev/urandom",
    "/run/libvirt/qemu/channel/",
    "/usr/bin/qemu-system-",
    "/usr/lib/libvirt/libvirt_lxc",
    "/usr/share/AAVMF/",
    "/usr/share/OVMF/",
    "/usr/share/qemu/",
    "/var/lib/libvirt/qemu/channel/",
};

/* No paths of the host's files, but inside the guest or of a cgroup: an element, and the attribute
 * or NULL for its text. */
static const struct {
    const char *element;
    const char *attribute;
} inside[] = {
    {"init", NULL},    {"initarg", NULL},   {"initdir", NULL},
    {"initenv", NULL}, {"partition", NULL}, {"target", "dir"},
};

bool guard_is_about(const struct guard_rules *rules, const char *name)
{
    size_t length = strlen(rules->pool);
    return strncmp(name, rules->pool, length) == 0 && name[length] == '-';
}

static bool is_one_of(const char *word, const char *const *words, size_t n)
{
    for (size_t i = 0; i < n && words[i]; i++)
        if (strcmp(word, words[i]) == 0)
            return true;
    return false;
}

/* Refuse what is called @what unless it is allowed by that word. */
static int refuse(const struct guard_rules *rules, const xmlNode *n, const char *what,
                  struct err *e)
{
    if (is_one_of(what, rules->allowed, rules->n_allowed))
        return 0;
    return err_set(
        e, EPERM, "line %ld: <%s> is refused by this host's owner; what would allow it: --allow %s",
        xmlGetLineNo(n), (const char *)n->name, what);
}

/* The domain's own store of UEFI variables, which libvirt names after it. */
static bool is_own_nvram(const char *path, const char *name)
{
    char *own AUTOFREE = mem_printf("/var/lib/libvirt/qemu/nvram/%s_VARS.fd", name);
    return strcmp(path, own) == 0;
}

static int check_path(const struct guard_rules *rules, const xmlNode *n, const char *name,
                      const char *attribute, const char *path, struct err *e)
{
    const char *element = (const char *)n->name;
    if (path[0] != '/')
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(inside); i++)
        if (strcmp(element, inside[i].element) == 0 && text_equal(attribute, inside[i].attribute))
            return 0;
    if (!strstr(path, "/..")) {
        for (size_t i = 0; i < ARRAY_SIZE(common); i++)
            if (text_starts_with(path, common[i]))
                return 0;
        for (size_t i = 0; i < rules->n_folders; i++) {
            size_t length = strlen(rules->folders[i]);
            if (strncmp(path, rules->folders[i], length) == 0 && path[length] == '/')
                return 0;
        }
        if (strcmp(element, "nvram") == 0 && is_own_nvram(path, name))
            return 0;
    }
    return err_set(e, EPERM,
                   "line %ld: <%s> names %s, which is in none of the folders that this host's "
                   "owner gave (--folder)",
                   xmlGetLineNo(n), element, path);
}

static int check_paths(const struct guard_rules *rules, const xmlNode *n, const char *name,
                       struct err *e)
{
    int r = 0;
    for (const xmlAttr *a = n->properties; a && r >= 0; a = a->next) {
        char *value AUTOFREE = element_attribute(n, (const char *)a->name);
        if (value)
            r = check_path(rules, n, name, (const char *)a->name, value, e);
    }
    if (r >= 0 && !xmlFirstElementChild((xmlNode *)n)) {
        char *text AUTOFREE = element_text(n);
        if (text)
            r = check_path(rules, n, name, NULL, text, e);
    }
    return r;
}

/* The element itself, as a device, and its type. */
static int check_device(const struct guard_rules *rules, const xmlNode *n, struct err *e)
{
    const char *element = (const char *)n->name;
    char *type AUTOFREE = element_attribute(n, "type");
    if (!is_one_of(element, harmless, ARRAY_SIZE(harmless)))
        return refuse(rules, n, element, e);
    for (size_t i = 0; type && i < ARRAY_SIZE(typed); i++)
        if (strcmp(element, typed[i].element) == 0 &&
            !is_one_of(type, typed[i].types, ARRAY_SIZE(typed[i].types))) {
            char *what AUTOFREE = mem_printf("%s-%s", element, type);
            return refuse(rules, n, what, e);
        }
    return 0;
}

/* A domain whose processes are not confined as all are. */
static int check_label(const struct guard_rules *rules, const xmlNode *n, struct err *e)
{
    char *type AUTOFREE = element_attribute(n, "type");
    return !type || strcmp(type, "dynamic") == 0 ? 0 : refuse(rules, n, "seclabel", e);
}

/* @n and all below it. */
static int check_tree(const struct guard_rules *rules, const xmlNode *n, const char *name,
                      struct err *e)
{
    int r = 0;
    if (n->ns) /* raw arguments of QEMU's, and the like */
        return refuse(rules, n, "raw", e);
    if (element_is(n->parent, "devices"))
        r = check_device(rules, n, e);
    else if (element_is(n, "seclabel"))
        r = check_label(rules, n, e);
    if (r >= 0)
        r = check_paths(rules, n, name, e);
    for (const xmlNode *c = xmlFirstElementChild((xmlNode *)n); c && r >= 0;
         c = xmlNextElementSibling((xmlNode *)c))
        if (!element_is(n, "domain") || !element_is(c, "metadata"))
            r = check_tree(rules, c, name, e);
    return r;
}

int guard_check(const struct guard_rules *rules, const char *xml, struct err *e)
{
    xmlDoc *doc AUTODOC = NULL;
    int r = element_parse(xml, &doc, e);
    if (r < 0)
        return r;
    xmlNode *domain = xmlDocGetRootElement(doc);
    char *name AUTOFREE = element_text(element_child(domain, "name"));
    if (!element_is(domain, "domain") || !name)
        return err_set(e, EIO, "the document is no <domain> with a <name>");
    return check_tree(rules, domain, name, e);
}
