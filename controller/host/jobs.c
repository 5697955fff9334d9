#include "host/jobs.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

enum { KEY_SIZE = 40 };

struct job {
    struct job *next;
    void *work;
    char key[KEY_SIZE]; /* "" is none */
    bool urgent;
};

struct worker {
    struct jobs *jobs;
    pthread_t thread;
    const struct job *job; /* under way */
};

struct jobs {
    const struct jobs_hooks *hooks;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job *queue; /* urgent ones first, each part in order of arrival */
    size_t queued;
    bool stopped;
    size_t count;
    struct worker workers[];
};

static bool key_under_way(const struct jobs *j, const char *key)
{
    for (size_t i = 0; key[0] && i < j->count; i++)
        if (j->workers[i].job && strcmp(j->workers[i].job->key, key) == 0)
            return true;
    return false;
}

/* Whether one more job that is not urgent would leave no thread for those that are. */
static bool others_fill(const struct jobs *j)
{
    size_t n = 0;
    for (size_t i = 0; i < j->count; i++)
        n += j->workers[i].job && !j->workers[i].job->urgent;
    return n + 1 >= j->count;
}

/* Take the first job whose VM nobody works on. */
static struct job *take(struct jobs *j)
{
    bool urgent_only = others_fill(j);
    for (struct job **slot = &j->queue; *slot; slot = &(*slot)->next) {
        struct job *job = *slot;
        if (key_under_way(j, job->key) || (urgent_only && !job->urgent))
            continue;
        *slot = job->next;
        j->queued--;
        return job;
    }
    return NULL;
}

static void *work(void *userdata)
{
    struct worker *w = userdata;
    struct jobs *j = w->jobs;
    (void)pthread_mutex_lock(&j->lock);
    for (;;) {
        struct job *job = take(j);
        if (job) {
            w->job = job;
            (void)pthread_mutex_unlock(&j->lock);
            j->hooks->run(j->hooks->userdata, job->work);
            (void)pthread_mutex_lock(&j->lock);
            w->job = NULL;
            free(job);
            (void)pthread_cond_broadcast(&j->changed); /* its key is free now */
            j->hooks->done(j->hooks->userdata);
        } else if (j->stopped) {
            break;
        } else {
            (void)pthread_cond_wait(&j->changed, &j->lock);
        }
    }
    (void)pthread_mutex_unlock(&j->lock);
    return NULL;
}

struct jobs *jobs_new(size_t threads, const struct jobs_hooks *hooks)
{
    struct jobs *j = mem_new(1, sizeof(*j) + threads * sizeof(j->workers[0]));
    j->hooks = hooks;
    (void)pthread_mutex_init(&j->lock, NULL);
    (void)pthread_cond_init(&j->changed, NULL);
    (void)pthread_mutex_lock(&j->lock);
    for (size_t i = 0; i < threads; i++) {
        j->workers[i].jobs = j;
        if (pthread_create(&j->workers[i].thread, NULL, work, &j->workers[i]) != 0)
            mem_exhausted();
        j->count++;
    }
    (void)pthread_mutex_unlock(&j->lock);
    return j;
}

void jobs_stop(struct jobs *j)
{
    (void)pthread_mutex_lock(&j->lock);
    j->stopped = true;
    for (struct job *job = j->queue, *next; job; job = next) {
        next = job->next;
        j->hooks->drop(j->hooks->userdata, job->work);
        free(job);
    }
    j->queue = NULL;
    j->queued = 0;
    (void)pthread_cond_broadcast(&j->changed);
    (void)pthread_mutex_unlock(&j->lock);
}

struct jobs *jobs_free(struct jobs *j)
{
    if (!j)
        return NULL;
    jobs_stop(j);
    for (size_t i = 0; i < j->count; i++)
        (void)pthread_join(j->workers[i].thread, NULL);
    (void)pthread_cond_destroy(&j->changed);
    (void)pthread_mutex_destroy(&j->lock);
    free(j);
    return NULL;
}

bool jobs_add(struct jobs *j, void *work_, const char *key, bool urgent)
{
    bool taken = false;
    (void)pthread_mutex_lock(&j->lock);
    if (!j->stopped && j->queued < JOBS_QUEUE_MAX) {
        struct job *job = mem_new(1, sizeof(*job));
        job->work = work_;
        job->urgent = urgent;
        if (key)
            (void)strncat(job->key, key, KEY_SIZE - 1);
        struct job **slot = &j->queue;
        while (*slot && (!urgent || (*slot)->urgent))
            slot = &(*slot)->next;
        job->next = *slot;
        *slot = job;
        j->queued++;
        taken = true;
        (void)pthread_cond_broadcast(&j->changed); /* not each thread may take each job */
    }
    (void)pthread_mutex_unlock(&j->lock);
    return taken;
}

bool jobs_idle(struct jobs *j)
{
    (void)pthread_mutex_lock(&j->lock);
    bool idle = !j->queue;
    for (size_t i = 0; i < j->count; i++)
        idle = idle && !j->workers[i].job;
    (void)pthread_mutex_unlock(&j->lock);
    return idle;
}
