/*
 * Small steps in a libxml2 tree: the elements without a namespace, which are libvirt's own. Every
 * function accepts a NULL node and treats it as one that has nothing.
 */
#pragma once

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/**
 * Parse @text without network, without external entities and without a word on stderr; a DOCTYPE is
 * refused. Returns 0 and the document, owned by the caller (xmlFreeDoc, AUTODOC), or -EIO and a
 * sentence that names the line.
 */
int element_parse(const char *text, xmlDoc **ret, struct err *e);

static inline void element_free_doc_p(xmlDoc **doc)
{
    xmlFreeDoc(*doc);
}
#define AUTODOC __attribute__((cleanup(element_free_doc_p)))

/** Whether @n is the element @name, in no namespace. */
bool element_is(const xmlNode *n, const char *name);
/** Whether @n is the element @name (NULL: any) of the namespace @uri. */
bool element_is_ns(const xmlNode *n, const char *name, const char *uri);
/** The first child element @name of @parent, or NULL. */
xmlNode *element_child(const xmlNode *parent, const char *name);
/** The next sibling of @n with the same name, or NULL. */
xmlNode *element_next(const xmlNode *n);
/** The value of an attribute, or NULL; owned by the caller (free). */
char *element_attribute(const xmlNode *n, const char *name);
/** The text inside @n without white space around it, or NULL; owned by the caller (free). */
char *element_text(const xmlNode *n);
/** The text inside @n as bytes of memory, by its unit= (KiB without one); 0 if none. */
int64_t element_bytes(const xmlNode *n);

/** A new last child @name of @parent. */
xmlNode *element_add(xmlNode *parent, const char *name);
/** A new last child in the namespace @uri, which it declares itself with @prefix. */
xmlNode *element_add_ns(xmlNode *parent, const char *name, const char *uri, const char *prefix);
/** The first child @name of @parent; made when there is none. */
xmlNode *element_make(xmlNode *parent, const char *name);
/** Set an attribute; a NULL value is "". */
void element_set(xmlNode *n, const char *name, const char *value);
/** Remove an attribute, if there. */
void element_unset(xmlNode *n, const char *name);
/** Replace everything inside @n by @text. */
void element_set_text(xmlNode *n, const char *text);
/** Unlink and free @n. */
void element_remove(xmlNode *n);
