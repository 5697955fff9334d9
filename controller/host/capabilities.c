#include "host/capabilities.h"

#include <stdio.h>

#include "base/mem.h"
#include "base/text.h"
#include "host/element.h"

/* NULL when it is not XML: whoever looks in it finds nothing then. */
static xmlDoc *parse(const char *text)
{
    xmlDoc *doc = NULL;
    (void)element_parse(text, &doc, NULL);
    return doc;
}

void capabilities_read_offered(const char *capabilities, const char *arch,
                               struct json_object *array)
{
    xmlDoc *doc AUTODOC = parse(capabilities);
    xmlNode *guest = element_child(xmlDocGetRootElement(doc), "guest");
    for (; guest; guest = element_next(guest)) {
        xmlNode *a = element_child(guest, "arch");
        char *name AUTOFREE = element_attribute(a, "name");
        if (!text_equal(name, arch))
            continue;
        for (xmlNode *n = element_child(a, "domain"); n; n = element_next(n)) {
            char *type AUTOFREE = element_attribute(n, "type");
            (void)json_object_array_add(array, json_object_new_string(type ? type : ""));
        }
    }
}

bool capabilities_read_owner(const char *capabilities, long *ret_uid, long *ret_gid)
{
    xmlDoc *doc AUTODOC = parse(capabilities);
    xmlNode *model = element_child(element_child(xmlDocGetRootElement(doc), "host"), "secmodel");
    for (; model; model = element_next(model)) {
        char *name AUTOFREE = element_text(element_child(model, "model"));
        char *label AUTOFREE = element_text(element_child(model, "baselabel"));
        long uid, gid;
        if (text_equal(name, "dac") && label && sscanf(label, "+%ld:+%ld", &uid, &gid) == 2) {
            *ret_uid = uid;
            *ret_gid = gid;
            return true;
        }
    }
    return false;
}
