/*
 * S6: one active controller for one state folder. On one machine its lock decides; the lease in the
 * ledger does where several machines share the folder (high availability by condor_master).
 */
#include "controller-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <systemd/sd-id128.h>
#include <uuid/uuid.h>

/* How long another machine waits for one that has gone without a word; renewed three times in that. */
static const usec lease_time = USEC_PER_MINUTE;

/* What a disk that is full or read-only still lets us open, to lock it. */
static int open_lock(const char *folder, const char *path, struct err *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int why = errno;
    if (fd < 0)
        fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? err_set(e, why, "%s: %s", path, strerror(why)) : fd;
}

static int held(int fd, const char *path, struct err *e)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    return fcntl(fd, F_GETLK, &l) == 0 && l.l_type != F_UNLCK && l.l_pid > 0
               ? err_set(e, EEXIST, "another eyried (process %d) holds %s", (int)l.l_pid, path)
               : err_set(e, EEXIST, "another eyried holds %s", path);
}

/*
 * The lock goes with the process; and not with a child of a killed eyried that has not become its tool
 * yet, as one by flock(2) would. That one is for what cannot be written: a read lock, which is all that
 * can be had there, keeps out those who can write, and flock(2) those who cannot either.
 */
int controller_lock_state(struct controller *c, struct err *e)
{
    const char *folder = c->policy->paths.state;
    AUTOFREE char *path = mem_printf("%s/lock", folder);
    int r = open_lock(folder, path, e);
    if (r < 0)
        return r;
    c->lock = r;
    bool writable = (fcntl(r, F_GETFL) & O_ACCMODE) == O_RDWR;
    struct flock l = {.l_type = writable ? F_WRLCK : F_RDLCK, .l_whence = SEEK_SET};
    if (fcntl(r, F_SETLK, &l) < 0 || (!writable && flock(r, LOCK_EX | LOCK_NB) < 0))
        return held(r, path, e);
    return 0;
}

/* What tells this kernel from others. A unit that sees no /proc/sys has the machine's id only. */
static void name_kernel(char out[static SD_ID128_STRING_MAX])
{
    sd_id128_t id;
    if (sd_id128_get_boot(&id) < 0 && sd_id128_get_machine(&id) < 0)
        id = SD_ID128_NULL;
    (void)sd_id128_to_string(id, out);
}

static int take(struct controller *c, struct err *e)
{
    usec now = loop_now(c->loop);
    struct ledger_lease lease = {.holder = c->lease.holder,
                                 .host = c->lease.host,
                                 .boot = c->lease.boot,
                                 .pid = getpid(),
                                 .until = now + lease_time};
    int r = ledger_lease_take(c->ledger, &lease, now, e);
    if (r == 0)
        c->lease.until = lease.until;
    return r;
}

bool controller_keep_lease(struct controller *c)
{
    struct err e;
    if (loop_now(c->loop) < c->lease.until - lease_time * 2 / 3 || take(c, &e) != -EEXIST)
        return true;
    controller_note(c, "lease-failed", c->policy->pool.name, e.text);
    loop_quit(c->loop, EXIT_FAILURE);
    return false;
}

static void keep(void *userdata)
{
    struct controller *c = userdata;
    if (controller_keep_lease(c))
        loop_timer_set(c->lease.timer, lease_time / 3);
}

int controller_take_lease(struct controller *c, struct err *e)
{
    uuid_t id;
    uuid_generate_random(id);
    uuid_unparse_lower(id, c->lease.holder);
    if (gethostname(c->lease.host, sizeof(c->lease.host) - 1) < 0)
        c->lease.host[0] = '\0';
    name_kernel(c->lease.boot);
    int r = take(c, e);
    if (r == -EEXIST)
        return r;
    c->lease.timer = loop_timer_new(c->loop, keep, c);
    loop_timer_set(c->lease.timer, lease_time / 3);
    return 0; /* one that cannot be written down: the step goes on trying */
}

void controller_give_lease_back(struct controller *c)
{
    struct err e;
    if (!c->lease.timer)
        return;
    c->lease.timer = loop_timer_free(c->lease.timer);
    (void)ledger_lease_take(c->ledger,
                            &(struct ledger_lease){.holder = c->lease.holder,
                                                   .host = c->lease.host,
                                                   .boot = c->lease.boot,
                                                   .pid = getpid()},
                            loop_now(c->loop), &e);
}
