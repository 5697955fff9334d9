/*
 * Of which generation a VM is: what its template is made from, which is the policy's to know, and the
 * image that it was made of, where that is known: "0123456789ab-89abcdef". A host knows an image's
 * digest when eyrie image push brought it there. What is not known of both makes no VM old, so that
 * an image whose digest becomes known drains nothing.
 */
#include "plan/rungs.h"

#include <string.h>

static const struct world_seal *seal_of(const struct world_host *host, const char *image)
{
    for (size_t i = 0; host && i < host->n_seals; i++)
        if (strcmp(host->seals[i].image, image) == 0)
            return &host->seals[i];
    return NULL;
}

void plan_generation(const struct policy_template *t, const struct world_host *host,
                     char buffer[static PLAN_GENERATION_MAX])
{
    const struct world_seal *seal = seal_of(host, t->image);
    size_t length = strlen(t->generation), digest = seal && seal->intact ? strlen(seal->digest) : 0;
    if (length > PLAN_GENERATION_MAX - PLAN_IMAGE_DIGITS - 2)
        length = PLAN_GENERATION_MAX - PLAN_IMAGE_DIGITS - 2;
    memcpy(buffer, t->generation, length);
    if (digest >= PLAN_IMAGE_DIGITS) {
        buffer[length++] = '-';
        memcpy(buffer + length, seal->digest, PLAN_IMAGE_DIGITS);
        length += PLAN_IMAGE_DIGITS;
    }
    buffer[length] = '\0';
}

struct reason generation_is_old(const struct policy_template *t, const struct world_host *host,
                                const char *made_from)
{
    size_t length = strlen(t->generation);
    if (strncmp(made_from, t->generation, length) != 0 ||
        (made_from[length] != '\0' && made_from[length] != '-'))
        return (struct reason){REASON_OLD_GENERATION};
    const struct world_seal *seal = seal_of(host, t->image);
    if (!made_from[length] || !seal)
        return (struct reason){0};
    if (!seal->intact || strncmp(made_from + length + 1, seal->digest, PLAN_IMAGE_DIGITS) != 0)
        return (struct reason){REASON_IMAGE_CHANGED, .subject = t->image};
    return (struct reason){0};
}
