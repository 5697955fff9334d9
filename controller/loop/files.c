#include "loop/files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/mem.h"

/* A burst has ended when nothing happened for so long; one that does not end is told of at last. */
static const usec settle = 250 * 1000;
static const usec settle_at_most = 2 * USEC_PER_SEC;

static const uint32_t events_wanted = IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_DELETE |
                                      IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF |
                                      IN_ONLYDIR;

/* A name in a folder; or all names in it. */
struct watch {
    char *folder;
    char *name; /* NULL: all */
    int wd;     /* -1: the folder is not there */
};

struct files {
    struct loop *loop;
    int fd;
    struct loop_io *io;
    struct loop_timer *timer;
    usec first; /* ticks, of the burst; 0: there is none */
    loop_callback changed;
    void *userdata;
    struct watch *watches;
    size_t n, capacity;
};

static void touch(struct files *f)
{
    usec now = loop_ticks(f->loop);
    if (!f->first)
        f->first = now;
    usec left = f->first + settle_at_most - now;
    loop_timer_set(f->timer, left < settle ? left : settle);
}

static void settled(void *userdata)
{
    struct files *f = userdata;
    f->first = 0;
    f->changed(f->userdata);
}

static bool concerns(const struct files *f, const struct inotify_event *event)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct watch *w = &f->watches[i];
        if (w->wd == event->wd &&
            (!w->name || event->len == 0 || strcmp(w->name, event->name) == 0))
            return true;
    }
    return (event->mask & IN_Q_OVERFLOW) != 0;
}

static void take(struct files *f, const struct inotify_event *event)
{
    if (concerns(f, event))
        touch(f);
    if (!(event->mask & (IN_IGNORED | IN_MOVE_SELF)))
        return;
    for (size_t i = 0; i < f->n; i++) /* the folder is gone, or another one by now */
        if (f->watches[i].wd == event->wd)
            f->watches[i].wd = -1;
    if (event->mask & IN_MOVE_SELF)
        (void)inotify_rm_watch(f->fd, event->wd);
}

static void readable(void *userdata, int fd, uint32_t events)
{
    struct files *f = userdata;
    _Alignas(struct inotify_event) char buffer[16 * 1024];
    (void)events;
    /* Once: the loop comes back for more. Who writes to the folder all the time must not hold it. */
    ssize_t n = read(fd, buffer, sizeof(buffer));
    for (const char *p = buffer; n > 0 && p < buffer + n;) {
        const struct inotify_event *event = (const struct inotify_event *)(const void *)p;
        take(f, event);
        p += sizeof(*event) + event->len;
    }
}

int files_new(struct loop *loop, loop_callback changed, void *userdata, struct files **ret,
              struct err *e)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (fd < 0)
        return err_set(e, errno, "cannot watch files: %s", strerror(errno));
    struct files *f = mem_new(1, sizeof(*f));
    *f = (struct files){.loop = loop, .fd = fd, .changed = changed, .userdata = userdata};
    int r = loop_io_new(loop, fd, EPOLLIN, readable, f, &f->io);
    if (r < 0) {
        (void)close(fd);
        free(f);
        return err_set(e, -r, "cannot watch files: %s", strerror(-r));
    }
    f->timer = loop_timer_new(loop, settled, f);
    *ret = f;
    return 0;
}

static void watches_free(struct watch *watches, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(watches[i].folder);
        free(watches[i].name);
    }
    free(watches);
}

struct files *files_free(struct files *f)
{
    if (!f)
        return NULL;
    (void)loop_io_free(f->io);
    (void)loop_timer_free(f->timer);
    (void)close(f->fd);
    watches_free(f->watches, f->n);
    free(f);
    return NULL;
}

static void add(struct files *f, const char *folder, const char *name)
{
    if (f->n == f->capacity) {
        f->capacity = f->capacity ? 2 * f->capacity : 8;
        f->watches = mem_resize(f->watches, f->capacity, sizeof(*f->watches));
    }
    f->watches[f->n++] = (struct watch){
        .folder = mem_strdup(folder),
        .name = mem_strdup(name),
        .wd = inotify_add_watch(f->fd, folder, events_wanted),
    };
}

/* The name that an absolute path ends with, in its folder. */
static void add_path(struct files *f, const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTOFREE char *folder = mem_printf("%.*s", slash == path ? 1 : (int)(slash - path), path);
    add(f, folder, slash + 1);
}

static bool is_watched(const struct files *f, int wd)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->watches[i].wd == wd)
            return true;
    return false;
}

void files_watch(struct files *f, const char *const *files, size_t n_files,
                 const char *const *folders, size_t n_folders)
{
    struct watch *old = f->watches;
    size_t n_old = f->n;
    f->watches = NULL;
    f->n = f->capacity = 0;
    for (size_t i = 0; i < n_files; i++) {
        AUTOFREE char *real = realpath(files[i], NULL);
        add_path(f, files[i]);
        if (real && strcmp(real, files[i]) != 0)
            add_path(f, real);
    }
    for (size_t i = 0; i < n_folders; i++) {
        add(f, folders[i], NULL);
        add_path(f, folders[i]); /* it may come, or be replaced */
    }
    for (size_t i = 0; i < n_old; i++)
        if (old[i].wd >= 0 && !is_watched(f, old[i].wd))
            (void)inotify_rm_watch(f->fd, old[i].wd);
    watches_free(old, n_old);
}

void files_mend(struct files *f)
{
    for (size_t i = 0; f && i < f->n; i++) {
        struct watch *w = &f->watches[i];
        if (w->wd >= 0)
            continue;
        w->wd = inotify_add_watch(f->fd, w->folder, events_wanted);
        if (w->wd >= 0)
            touch(f);
    }
}
