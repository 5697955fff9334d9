/*
 * What is on $FAKE_DOMAINS, a host of libvirt's test driver, for a stand-in HTCondor (alive.c) and
 * for tests.
 *
 *     domains          the UUIDs of the domains that run, one a line, and "all" when these are all
 *     domains left     how many domains and volumes are Eyrie's, and how many others'
 *     domains clean    take away all that is Eyrie's
 */
#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static int list_running(virConnectPtr connection)
{
    virDomainPtr *all = NULL;
    int n = connection ? virConnectListAllDomains(connection, &all, VIR_CONNECT_LIST_DOMAINS_ACTIVE)
                       : -1;
    for (int i = 0; i < n; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];
        if (virDomainGetUUIDString(all[i], uuid) == 0)
            (void)puts(uuid);
        (void)virDomainFree(all[i]);
    }
    free(all);
    if (n >= 0)
        (void)puts("all");
    return n < 0;
}

static bool is_ours(const char *name)
{
    return strncmp(name, "vpool", strlen("vpool")) == 0;
}

/* Count, and take away what is Eyrie's if @clean. */
static void look_at_host(virConnectPtr connection, bool clean)
{
    int domains = 0, volumes = 0, others = 0;
    virDomainPtr *all = NULL;
    virStorageVolPtr *vols = NULL;
    virStoragePoolPtr storage =
        connection ? virStoragePoolLookupByName(connection, "default-pool") : NULL;
    int n = connection ? virConnectListAllDomains(connection, &all, 0) : -1;
    int n_vols = storage ? virStoragePoolListAllVolumes(storage, &vols, 0) : -1;
    if (n < 0 || n_vols < 0)
        die("the host");
    for (int i = 0; i < n; i++) {
        bool ours = is_ours(virDomainGetName(all[i]));
        domains += ours;
        others += !ours;
        if (ours && clean)
            (void)virDomainDestroy(all[i]);
        (void)virDomainFree(all[i]);
    }
    for (int i = 0; i < n_vols; i++) {
        bool ours = is_ours(virStorageVolGetName(vols[i]));
        volumes += ours;
        others += !ours;
        if (ours && clean)
            (void)virStorageVolDelete(vols[i], 0);
        (void)virStorageVolFree(vols[i]);
    }
    free(all);
    free(vols);
    (void)virStoragePoolFree(storage);
    if (!clean)
        (void)printf("domains %d volumes %d others %d\n", domains, volumes, others);
}

int main(int argc, char **argv)
{
    virConnectPtr connection = virConnectOpen(getenv("FAKE_DOMAINS"));
    int status = 0;
    if (argc == 1)
        status = list_running(connection);
    else
        look_at_host(connection, strcmp(argv[1], "clean") == 0);
    if (connection)
        (void)virConnectClose(connection);
    return status;
}
