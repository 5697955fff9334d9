#include "doctor/negotiators.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

bool negotiators_admit(const char *value, const char *trust_domain, const char *central_manager)
{
    static const char between[] = ", \t";
    AUTOFREE char *host = mem_strdup(central_manager);
    char *port = strrchr(host, ':');
    if (port)
        *port = '\0';
    for (const char *p = value + strspn(value, between); *p; p += strspn(p, between)) {
        AUTOFREE char *word = mem_strdup(p);
        word[strcspn(word, between)] = '\0';
        p += strlen(word);
        word[strcspn(word, "/")] = '\0'; /* identity/host */
        const char *at = strchr(word, '@');
        const char *domain = at ? at + 1 : word;
        if (strchr(domain, '*') || strcasecmp(domain, trust_domain) == 0 ||
            strcasecmp(domain, host) == 0)
            return true;
    }
    return false;
}
