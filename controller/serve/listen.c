#include "serve/listen.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/mem.h"

struct listen {
    int fd;
    char *path; /* NULL: none */
    dev_t device; /* of the socket that we put there */
    ino_t inode;
};

static int make_folder(const char *path, struct err *e)
{
    AUTOFREE char *folder = mem_strdup(path);
    char *slash = strrchr(folder, '/');
    if (!slash || slash == folder)
        return 0;
    *slash = '\0';
    if (mkdir(folder, 0755) < 0 && errno != EEXIST)
        return err_set(e, errno, "cannot make the folder %s: %s", folder,
                       strerror(errno));
    return 0;
}

/* Bind beside @path and move into place. */
static int put_in_place(struct listen *l, struct err *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTOFREE char *beside = mem_printf("%s.new", l->path);
    struct stat st;
    if (strlen(beside) >= sizeof(address.sun_path))
        return err_set(e, ENAMETOOLONG, "%s is too long for the name of a socket (%zu bytes)",
                       l->path, sizeof(address.sun_path) - sizeof(".new"));
    memcpy(address.sun_path, beside, strlen(beside) + 1);
    (void)unlink(beside);
    if (bind(l->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return err_set(e, errno, "cannot bind the socket %s: %s", beside,
                       strerror(errno));
    /* Anyone may look; the peer's uid decides about the rest. */
    int r = 0;
    if (chmod(beside, 0666) < 0 || stat(beside, &st) < 0 || listen(l->fd, SOMAXCONN) < 0 ||
        rename(beside, l->path) < 0) {
        r = err_set(e, errno, "cannot put the socket %s in place: %s", l->path,
                    strerror(errno));
        (void)unlink(beside);
        return r;
    }
    l->device = st.st_dev;
    l->inode = st.st_ino;
    return 0;
}

int listen_new(const char *path, struct listen **ret, struct err *e)
{
    CLEANUP(listen_free_p) struct listen *l = mem_new(1, sizeof(*l));
    l->path = mem_strdup(path);
    l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0)
        return err_set(e, errno, "cannot make a socket: %s", strerror(errno));
    int r = make_folder(path, e);
    if (r == 0)
        r = put_in_place(l, e);
    if (r < 0)
        return r;
    *ret = l;
    l = NULL;
    return 0;
}

/* The first address of @endpoint, with its length. */
static int find_address(const char *endpoint, struct addrinfo **ret, struct err *e)
{
    const char *colon = strrchr(endpoint, ':');
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    bool brackets = endpoint[0] == '[';
    AUTOFREE char *host = mem_printf("%.*s", (int)(colon - endpoint) - 2 * brackets,
                                     endpoint + brackets);
    int r = getaddrinfo(host, colon + 1, &hints, ret);
    return r == 0 ? 0 : err_set(e, EADDRNOTAVAIL, "%s: %s", endpoint, gai_strerror(r));
}

int listen_new_network(const char *endpoint, struct listen **ret, struct err *e)
{
    CLEANUP(listen_free_p) struct listen *l = mem_new(1, sizeof(*l));
    struct addrinfo *address = NULL;
    l->fd = -1;
    int r = find_address(endpoint, &address, e);
    if (r < 0)
        return r;
    l->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (l->fd < 0 || setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)) < 0 ||
        bind(l->fd, address->ai_addr, address->ai_addrlen) < 0 || listen(l->fd, SOMAXCONN) < 0)
        r = err_set(e, errno, "cannot listen on %s: %s", endpoint, strerror(errno));
    freeaddrinfo(address);
    if (r < 0)
        return r;
    *ret = l;
    l = NULL;
    return 0;
}

struct listen *listen_free(struct listen *l)
{
    struct stat st;
    if (!l)
        return NULL;
    if (l->path && l->inode && stat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode)
        (void)unlink(l->path);
    if (l->fd >= 0)
        (void)close(l->fd);
    free(l->path);
    free(l);
    return NULL;
}

int listen_fd(const struct listen *l)
{
    return l->fd;
}

int listen_peer(int fd, uid_t *ret)
{
    struct ucred peer;
    socklen_t length = sizeof(peer);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return -errno;
    *ret = peer.uid;
    return 0;
}

size_t listen_groups(int fd, gid_t *groups, size_t max)
{
    struct ucred peer;
    socklen_t length = sizeof(peer), bytes = (socklen_t)((max - 1) * sizeof(*groups));
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
        return 0;
    groups[0] = peer.gid;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups + 1, &bytes) < 0)
        return 1; /* more than max: only the primary one counts */
    return 1 + bytes / sizeof(*groups);
}
