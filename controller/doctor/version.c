#include "doctor/version.h"

#include <stdio.h>
#include <string.h>

bool version_read(const char *text, unsigned *ret_major, unsigned *ret_minor, unsigned *ret_patch)
{
    static const char before[] = "$CondorVersion: ";
    unsigned major, minor, patch;
    const char *at = strstr(text, before);
    if (!at || sscanf(at + strlen(before), "%3u.%3u.%3u", &major, &minor, &patch) != 3)
        return false;
    *ret_major = major;
    *ret_minor = minor;
    *ret_patch = patch;
    return true;
}
