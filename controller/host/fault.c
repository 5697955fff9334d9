#include "host/fault.h"

#include <errno.h>
#include <stdio.h>

int fault_set(struct fault *f, int code, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    *f = (struct fault){.code = code};
    (void)vsnprintf(f->err.text, sizeof(f->err.text), format, ap);
    va_end(ap);
    return -EIO;
}

int fault_libvirt(struct fault *f, const char *format, ...)
{
    char beginning[ERR_TEXT_MAX];
    virErrorPtr last = virGetLastError();
    va_list ap;
    va_start(ap, format);
    (void)vsnprintf(beginning, sizeof(beginning), format, ap);
    va_end(ap);
    *f = (struct fault){.code = last && last->code ? last->code : VIR_ERR_INTERNAL_ERROR};
    (void)err_set(&f->err, EIO, "%s",
                  last && last->message ? last->message : "libvirt gave no reason");
    return err_prefix(&f->err, -EIO, "%s", beginning);
}

void fault_free_domain(virDomainPtr *domain)
{
    if (*domain)
        (void)virDomainFree(*domain);
}

void fault_free_pool(virStoragePoolPtr *pool)
{
    if (*pool)
        (void)virStoragePoolFree(*pool);
}

void fault_free_volume(virStorageVolPtr *volume)
{
    if (*volume)
        (void)virStorageVolFree(*volume);
}

void fault_free_stream(virStreamPtr *stream)
{
    if (*stream)
        (void)virStreamFree(*stream);
}
