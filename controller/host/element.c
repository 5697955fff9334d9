#include "host/element.h"

#include <ctype.h>
#include <errno.h>
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int element_parse(const char *text, xmlDoc **ret, struct err *e)
{
    xmlParserCtxt *parser = xmlNewParserCtxt();
    if (!parser)
        mem_exhausted();
    xmlDoc *doc = xmlCtxtReadMemory(parser, text, (int)strlen(text), NULL, NULL,
                                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    int r = 0;
    if (!doc) {
        const char *reason = parser->lastError.message ? parser->lastError.message : "not XML";
        r = err_set(e, EIO, "line %d: %.*s", parser->lastError.line, (int)strcspn(reason, "\n"),
                    reason);
    } else if (doc->intSubset || doc->extSubset) {
        xmlFreeDoc(doc);
        r = err_set(e, EIO, "a <!DOCTYPE> is not allowed");
    } else {
        *ret = doc;
    }
    xmlFreeParserCtxt(parser);
    return r;
}

bool element_is(const xmlNode *n, const char *name)
{
    return n && n->type == XML_ELEMENT_NODE && !n->ns && strcmp((const char *)n->name, name) == 0;
}

bool element_is_ns(const xmlNode *n, const char *name, const char *uri)
{
    return n && n->type == XML_ELEMENT_NODE && n->ns && n->ns->href &&
           strcmp((const char *)n->ns->href, uri) == 0 &&
           (!name || strcmp((const char *)n->name, name) == 0);
}

xmlNode *element_child(const xmlNode *parent, const char *name)
{
    for (xmlNode *n = parent ? parent->children : NULL; n; n = n->next)
        if (element_is(n, name))
            return n;
    return NULL;
}

xmlNode *element_next(const xmlNode *n)
{
    for (xmlNode *next = n ? n->next : NULL; next; next = next->next)
        if (element_is(next, (const char *)n->name))
            return next;
    return NULL;
}

char *element_attribute(const xmlNode *n, const char *name)
{
    xmlChar *value = n ? xmlGetNoNsProp(n, BAD_CAST name) : NULL;
    char *copy = mem_strdup((const char *)value);
    xmlFree(value);
    return copy;
}

char *element_text(const xmlNode *n)
{
    xmlChar *content = n ? xmlNodeGetContent(n) : NULL;
    if (!content)
        return NULL;
    const char *from = (const char *)content;
    while (isspace((unsigned char)*from))
        from++;
    char *copy = mem_strdup(from);
    for (size_t end = strlen(copy); end > 0 && isspace((unsigned char)copy[end - 1]); end--)
        copy[end - 1] = '\0';
    xmlFree(content);
    return copy;
}

int64_t element_bytes(const xmlNode *n)
{
    static const struct {
        const char *unit;
        int64_t size;
    } units[] = {{"b", 1},           {"bytes", 1},     {"KB", 1000},     {"KiB", 1 << 10},
                 {"k", 1 << 10},     {"MB", 1000000},  {"MiB", 1 << 20}, {"M", 1 << 20},
                 {"GB", 1000000000}, {"GiB", 1 << 30}, {"G", 1 << 30}};
    char *text AUTOFREE = element_text(n);
    char *unit AUTOFREE = element_attribute(n, "unit");
    int64_t value = text ? strtoll(text, NULL, 10) : 0, size = 1 << 10;
    for (size_t i = 0; unit && i < ARRAY_SIZE(units); i++)
        if (strcmp(unit, units[i].unit) == 0)
            size = units[i].size;
    return value < 0 || value > INT64_MAX / size ? 0 : value * size;
}

xmlNode *element_add(xmlNode *parent, const char *name)
{
    xmlNode *n = xmlNewChild(parent, NULL, BAD_CAST name, NULL);
    if (!n)
        mem_exhausted();
    n->ns = NULL; /* not that of a parent in a namespace */
    return n;
}

xmlNode *element_add_ns(xmlNode *parent, const char *name, const char *uri, const char *prefix)
{
    xmlNode *n = element_add(parent, name);
    n->ns = xmlNewNs(n, BAD_CAST uri, BAD_CAST prefix);
    if (!n->ns)
        mem_exhausted();
    return n;
}

xmlNode *element_make(xmlNode *parent, const char *name)
{
    xmlNode *n = element_child(parent, name);
    return n ? n : element_add(parent, name);
}

void element_set(xmlNode *n, const char *name, const char *value)
{
    if (!xmlSetProp(n, BAD_CAST name, BAD_CAST(value ? value : "")))
        mem_exhausted();
}

void element_unset(xmlNode *n, const char *name)
{
    (void)xmlUnsetProp(n, BAD_CAST name);
}

void element_set_text(xmlNode *n, const char *text)
{
    xmlNode *content = xmlNewText(BAD_CAST text); /* escapes; xmlNodeSetContent would not */
    if (!content)
        mem_exhausted();
    xmlNodeSetContent(n, NULL);
    if (!xmlAddChild(n, content))
        mem_exhausted();
}

void element_remove(xmlNode *n)
{
    if (!n)
        return;
    xmlUnlinkNode(n);
    xmlFreeNode(n);
}
