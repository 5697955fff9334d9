/*
 * What is on $FAKE_DOMAINS, a host of libvirt's test driver, for a stand-in HTCondor (alive.c) and
 * for tests.
 *
 *     domains watch FILE    hold the host open, and keep the UUIDs of the domains that run in FILE, one a line
 *     domains left          how many domains and volumes are Eyrie's, and how many others'
 *     domains clean         take away all that is Eyrie's
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

/* The file is the old or the new one. */
static int write_running(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *userdata)
{
    const char *path = userdata;
    char new[4096];
    virDomainPtr *all = NULL;
    int n = virConnectListAllDomains(connection, &all, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    (void)domain, (void)event, (void)detail;
    (void)snprintf(new, sizeof(new), "%s.new", path);
    FILE *file = n < 0 ? NULL : fopen(new, "we");
    for (int i = 0; i < n; i++) {
        char uuid[VIR_UUID_STRING_BUFLEN];
        if (file && virDomainGetUUIDString(all[i], uuid) == 0)
            (void)fprintf(file, "%s\n", uuid);
        (void)virDomainFree(all[i]);
    }
    free(all);
    if (!file || fclose(file) != 0 || rename(new, path) < 0)
        die(path);
    return 0;
}

/* Until we are killed, or the host ends. */
static int watch(virConnectPtr connection, char *path)
{
    if (virConnectDomainEventRegister(connection, write_running, path, NULL) < 0)
        die("events");
    (void)write_running(connection, NULL, 0, 0, path);
    while (virConnectIsAlive(connection) == 1 && virEventRunDefaultImpl() == 0)
        ;
    return 1;
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
    if (virEventRegisterDefaultImpl() < 0)
        die("libvirt");
    virConnectPtr connection = virConnectOpen(getenv("FAKE_DOMAINS"));
    int status = 0;
    if (argc == 3 && connection)
        status = watch(connection, argv[2]);
    else
        look_at_host(connection, argc > 1 && strcmp(argv[1], "clean") == 0);
    if (connection)
        (void)virConnectClose(connection);
    return status;
}
