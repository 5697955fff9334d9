#include "sense/look.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"
#include "loop/condor.h"
#include "sense/pool.h"
#include "sense/queue.h"

/* What one source said in one answer. Replaced as a whole. */
struct facts {
    struct arena *arena;
    struct world_shape *shapes; /* of a queue */
    const struct world_startd *startds; /* of the pool */
    size_t n;
};

struct source {
    struct look *look;
    char *key;  /* what was asked of whom: facts of another question are not ours */
    char *name; /* of the schedd; NULL: the pool */
    struct facts good;
    usec asked, since, failed;
    char *error;

    /* the look under way */
    struct arena *query; /* holds argv */
    const char *const *argv;
    struct child *child;
    struct queue_parser *queue_parser;
    struct pool_parser *pool_parser;
    struct facts next;
    usec next_asked;
    char *next_error; /* NULL: it is good, or not ended */
    size_t bytes;
};

struct sources {
    struct source *pool;
    struct source **queues; /* as in the policy */
    size_t n_queues;
};

struct look {
    struct loop *loop;
    struct sources now;  /* of the last look that ended */
    struct sources next; /* of the look under way; those it shares with now are the same */
    struct world_queue *world_queues;
    struct world_pool world_pool;

    char *tools;
    size_t started; /* queues of the look under way that were started */
    size_t running; /* tools */
    bool under_way;
    struct loop_poke *begin;
    usec began;
    look_done done;
    void *userdata;
    struct look_figures figures;
};

static void facts_drop(struct facts *f)
{
    f->arena = arena_free(f->arena);
    *f = (struct facts){0};
}

static void query_drop(struct source *s)
{
    s->child = child_free(s->child);
    s->queue_parser = queue_parser_free(s->queue_parser);
    s->pool_parser = pool_parser_free(s->pool_parser);
    s->query = arena_free(s->query);
    s->argv = NULL;
}

static struct source *source_free(struct source *s)
{
    if (!s)
        return NULL;
    query_drop(s);
    facts_drop(&s->good);
    facts_drop(&s->next);
    free(s->key);
    free(s->name);
    free(s->error);
    free(s->next_error);
    free(s);
    return NULL;
}

static struct source *source_find(const struct sources *all, const char *key)
{
    if (all->pool && strcmp(all->pool->key, key) == 0)
        return all->pool;
    for (size_t i = 0; i < all->n_queues; i++)
        if (strcmp(all->queues[i]->key, key) == 0)
            return all->queues[i];
    return NULL;
}

/* Free those of @all that @kept does not have. */
static void sources_drop(struct sources *all, const struct sources *kept)
{
    if (all->pool && !source_find(kept, all->pool->key))
        (void)source_free(all->pool);
    for (size_t i = 0; i < all->n_queues; i++)
        if (!source_find(kept, all->queues[i]->key))
            (void)source_free(all->queues[i]);
    free(all->queues);
    *all = (struct sources){0};
}

/* The source that asks @argv: the one that asked the same in the last look, with its facts, or a
 * new one without. Takes over @query, which holds argv. */
static struct source *source_for(struct look *look, const char *name, struct arena *query,
                                 const char *const *argv)
{
    struct text key = {0};
    for (const char *const *word = argv; *word; word++)
        text_printf(&key, "%s\n", *word);
    struct source *s = source_find(&look->now, text_get(&key));
    if (!s) {
        s = mem_new(1, sizeof(*s));
        s->look = look;
        s->key = mem_strdup(text_get(&key));
        s->name = mem_strdup(name);
        s->error = mem_strdup("");
    }
    text_done(&key);
    s->query = query;
    s->argv = argv;
    return s;
}

static int source_output(void *userdata, const char *bytes, size_t length, struct err *e)
{
    struct source *s = userdata;
    return s->name ? queue_parser_feed(s->queue_parser, bytes, length, e)
                   : pool_parser_feed(s->pool_parser, bytes, length, e);
}

static void look_go_on(struct look *look);

static void source_done(void *userdata, const struct child_result *r)
{
    struct source *s = userdata;
    struct look *look = s->look;
    struct err e;
    s->bytes = r->bytes;
    if (r->error)
        s->next_error = mem_strdup(r->error);
    else if ((s->name ? queue_parser_end(s->queue_parser, &s->next.shapes, &s->next.n, &e)
                      : pool_parser_end(s->pool_parser, &s->next.startds, &s->next.n, &e)) < 0)
        s->next_error = mem_printf("the output of %s is not usable: %s", s->argv[0], e.text);
    query_drop(s);
    look->running--;
    look_go_on(look);
}

static void source_start(struct source *s)
{
    s->next.arena = arena_new();
    s->next_asked = loop_now(s->look->loop);
    if (s->name)
        s->queue_parser = queue_parser_new(s->next.arena, s->next_asked);
    else
        s->pool_parser = pool_parser_new(s->next.arena);
    s->look->running++;
    s->child = condor_run(s->look->loop, s->look->tools,
                          &(struct child_args){.argv = s->argv, .output = source_output,
                                               .done = source_done, .userdata = s});
}

static void source_commit(struct source *s, usec now)
{
    if (s->next_error) {
        facts_drop(&s->next);
        free(s->error);
        s->error = s->next_error;
        s->next_error = NULL;
        s->failed = now;
        s->look->figures.failures++;
        return;
    }
    if (s->name)
        queue_keep_first_seen(s->next.shapes, s->next.n, s->good.shapes, s->good.n, s->next_asked);
    facts_drop(&s->good);
    s->good = s->next;
    s->next = (struct facts){0};
    if (s->failed || !s->asked)
        s->since = s->next_asked;
    s->asked = s->next_asked;
    s->failed = 0;
    mem_replace(&s->error, "");
}

static struct world_fact source_fact(const struct source *s)
{
    return (struct world_fact){
        .asked = s->asked, .since = s->since, .failed = s->failed, .error = s->error};
}

/* From here on the facts of this look are the facts. */
static void look_commit(struct look *look)
{
    usec now = loop_now(look->loop);
    sources_drop(&look->now, &look->next);
    look->now = look->next;
    look->next = (struct sources){0};
    const struct sources *all = &look->now;
    source_commit(all->pool, now);
    look->world_pool = (struct world_pool){
        .fact = source_fact(all->pool),
        .startds = all->pool->good.startds,
        .n_startds = all->pool->good.n,
    };
    look->figures.pool_bytes = (int64_t)all->pool->bytes;
    look->figures.queue_bytes = 0;
    look->world_queues = mem_resize(look->world_queues, all->n_queues,
                                    sizeof(*look->world_queues));
    for (size_t i = 0; i < all->n_queues; i++) {
        struct source *s = all->queues[i];
        source_commit(s, now);
        look->figures.queue_bytes += (int64_t)s->bytes;
        look->world_queues[i] = (struct world_queue){
            .schedd = s->name,
            .fact = source_fact(s),
            .shapes = s->good.shapes,
            .n_shapes = s->good.n,
        };
    }
    look->figures.looks++;
    look->figures.took = loop_ticks(look->loop) - look->began;
    look->under_way = false;
    look->done(look->userdata);
}

/* The pool, then all queues, at most so many at once; then the end. */
static void look_go_on(struct look *look)
{
    while (look->started < look->next.n_queues && look->running < LIMIT_CONDOR_TOOLS)
        source_start(look->next.queues[look->started++]);
    if (look->running == 0)
        look_commit(look);
}

static void look_begin(void *userdata)
{
    struct look *look = userdata;
    source_start(look->next.pool);
}

struct look *look_new(struct loop *loop)
{
    struct look *look = mem_new(1, sizeof(*look));
    look->loop = loop;
    look->world_pool.fact.error = "";
    look->begin = loop_poke_new(loop, look_begin, look);
    return look;
}

struct look *look_free(struct look *look)
{
    if (!look)
        return NULL;
    sources_drop(&look->now, &look->next);
    sources_drop(&look->next, &(struct sources){0});
    free(look->world_queues);
    free(look->tools);
    look->begin = loop_poke_free(look->begin);
    free(look);
    return NULL;
}

bool look_start(struct look *look, const struct policy *p, look_done done, void *userdata)
{
    assert(done);
    if (look->under_way)
        return false;
    struct sources *next = &look->next;
    struct arena *query = arena_new();
    next->pool = source_for(look, NULL, query, pool_argv(query, p));
    next->queues = mem_new(p->n_schedds, sizeof(struct source *));
    next->n_queues = p->n_schedds;
    for (size_t i = 0; i < p->n_schedds; i++) {
        query = arena_new();
        next->queues[i] = source_for(look, p->schedds[i].name, query, queue_argv(query, p, i));
    }
    mem_replace(&look->tools, p->pool.tools);
    look->started = 0;
    look->under_way = true;
    look->began = loop_ticks(look->loop);
    look->done = done;
    look->userdata = userdata;
    loop_poke(look->begin);
    return true;
}

bool look_under_way(const struct look *look)
{
    return look->under_way;
}

void look_fill(const struct look *look, struct world *w)
{
    w->pool = look->world_pool;
    w->queues = look->world_queues;
    w->n_queues = look->now.n_queues;
}

void look_get_figures(const struct look *look, struct look_figures *ret)
{
    *ret = look->figures;
    ret->children = (int64_t)look->running;
}
