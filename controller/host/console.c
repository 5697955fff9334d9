#include "host/console.h"

#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/tail.h"
#include "host/vm.h"

struct console {
    struct consoles *all;
    struct console *next;
    virConnectPtr conn; /* a reference */
    virStreamPtr stream;
    int timer;
    char uuid[VM_UUID_SIZE];
    char *name;
    struct tail tail;
};

struct consoles {
    pthread_mutex_t lock; /* of the list */
    struct console *first;
    consoles_ended ended;
    void *userdata;
};

/* libvirt lets go of it: after its callback, if that is where it was ended. */
static void free_console(void *userdata)
{
    struct console *c = userdata;
    (void)virConnectClose(c->conn);
    free(c->name);
    free(c);
}

/* In the event loop's thread, or when that has ended. */
static void end(struct console *c)
{
    struct consoles *all = c->all;
    virStreamPtr stream = c->stream;
    (void)pthread_mutex_lock(&all->lock);
    struct console **at = &all->first;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    (void)pthread_mutex_unlock(&all->lock);
    (void)virEventRemoveTimeout(c->timer);
    (void)virStreamEventRemoveCallback(stream); /* frees c, now or later */
    (void)virStreamAbort(stream);
    (void)virStreamFree(stream);
}

static void on_stream(virStreamPtr stream, int events, void *userdata)
{
    struct console *c = userdata;
    char bytes[1024];
    int n = -1;
    (void)events;
    while ((n = virStreamRecv(stream, bytes, sizeof(bytes))) > 0)
        tail_add(&c->tail, bytes, (size_t)n);
    if (n == -2) /* no more for now */
        return;
    /* Its end is an error, too, when the other side of a terminal is gone; so is a lost connection,
     * of which nothing can be concluded. */
    struct text text CLEANUP(text_done) = {0};
    if (virConnectIsAlive(c->conn) == 1)
        tail_render(&c->tail, &text);
    if (text.length > 0)
        c->all->ended(c->all->userdata, c->uuid, c->name, text_get(&text));
    end(c);
}

static void on_time(int timer, void *userdata)
{
    (void)timer;
    end(userdata);
}

void consoles_watch(struct consoles *all, virConnectPtr conn, virDomainPtr domain, const char *uuid,
                    usec how_long)
{
    virStreamPtr stream = virStreamNew(conn, VIR_STREAM_NONBLOCK);
    if (!stream)
        return;
    if (virDomainOpenConsole(domain, NULL, stream, 0) < 0) {
        (void)virStreamFree(stream);
        return;
    }
    struct console *c = mem_new(1, sizeof(*c));
    *c = (struct console){.all = all, .conn = conn, .stream = stream};
    (void)virConnectRef(conn);
    c->name = mem_strdup(virDomainGetName(domain));
    (void)strncat(c->uuid, uuid, sizeof(c->uuid) - 1);
    int64_t ms = how_long / 1000;
    (void)pthread_mutex_lock(&all->lock); /* the event loop may be in on_stream before it is in the list */
    if (virStreamEventAddCallback(stream,
                                  VIR_STREAM_EVENT_READABLE | VIR_STREAM_EVENT_ERROR |
                                      VIR_STREAM_EVENT_HANGUP,
                                  on_stream, c, free_console) < 0) {
        (void)virStreamAbort(stream);
        (void)virStreamFree(stream);
        free_console(c);
    } else {
        c->timer = virEventAddTimeout(ms > INT_MAX ? INT_MAX : (int)ms, on_time, c, NULL);
        c->next = all->first;
        all->first = c;
    }
    (void)pthread_mutex_unlock(&all->lock);
}

struct consoles *consoles_new(consoles_ended ended, void *userdata)
{
    struct consoles *all = mem_new(1, sizeof(*all));
    all->ended = ended;
    all->userdata = userdata;
    (void)pthread_mutex_init(&all->lock, NULL);
    return all;
}

struct consoles *consoles_free(struct consoles *all)
{
    if (!all)
        return NULL;
    while (all->first)
        end(all->first);
    (void)pthread_mutex_destroy(&all->lock);
    free(all);
    return NULL;
}
