#include "record/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/limits.h"
#include "base/mem.h"
#include "record/world.h"

enum { RECORDING_VERSION = 1, PIECE_BYTES = 64 * 1024 };

struct json_object *recording_actions(const struct plan *plan)
{
    CLEANUP(text_done) struct text what = {0}, why = {0};
    struct json_object *rows = json_object_new_array();
    for (size_t i = 0; i < plan->n_actions; i++) {
        const struct plan_action *a = &plan->actions[i];
        struct json_object *row = json_object_new_object();
        text_clear(&what);
        text_clear(&why);
        plan_render_action(plan, a, &what);
        reason_render(&a->reason, plan->policy->files, &why);
        json_add_string(row, "action", action_kind_name(a->kind));
        json_add_string(row, "what", text_get(&what));
        json_add_string(row, "why", text_get(&why));
        (void)json_object_array_add(rows, row);
    }
    return rows;
}

static void gz_done(gzFile *file)
{
    if (*file)
        (void)gzclose(*file);
}

/* What zlib says of @file, as an errno: a full disk is told from a damaged file. */
static int gz_errno(gzFile file)
{
    int number = 0;
    int saved = errno;
    (void)gzerror(file, &number);
    return number == Z_ERRNO && saved ? saved : EBADMSG;
}

int recording_write(int fd, const struct world *w, const struct plan *plan, struct err *e)
{
    AUTOJSON struct json_object *o = json_object_new_object();
    json_add_int(o, "version", RECORDING_VERSION);
    json_add_int(o, "made", plan->now);
    json_add_string(o, "policy", plan->policy->file);
    json_add(o, "world", world_to_json(w));
    json_add(o, "actions", recording_actions(plan));
    size_t length;
    const char *json = json_object_to_json_string_length(
        o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &length);

    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0); /* zlib closes its own */
    gzFile file = copy < 0 ? NULL : gzdopen(copy, "wb1");
    if (!file) {
        if (copy >= 0)
            (void)close(copy);
        return err_set(e, copy < 0 ? errno : ENOMEM, "cannot compress a world");
    }
    int r = 0;
    for (size_t done = 0; r == 0 && done < length; done += PIECE_BYTES) {
        size_t piece = length - done < PIECE_BYTES ? length - done : PIECE_BYTES;
        errno = 0;
        if (gzwrite(file, json + done, (unsigned)piece) == 0)
            r = -gz_errno(file);
    }
    errno = 0;
    if (gzclose(file) != Z_OK && r == 0)
        r = errno ? -errno : -EIO;
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    return r < 0 ? err_set(e, -r, "%s", strerror(-r)) : 0;
}

static int read_text(const char *path, struct text *out, struct err *e)
{
    AUTOFREE char *piece = mem_new(1, PIECE_BYTES);
    int fd = strcmp(path, "-") == 0 ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
                                    : open(path, O_RDONLY | O_CLOEXEC);
    CLEANUP(gz_done) gzFile file = fd < 0 ? NULL : gzdopen(fd, "rb");
    if (!file) {
        int code = fd < 0 ? errno : ENOMEM;
        if (fd >= 0)
            (void)close(fd);
        return err_set(e, code, "%s", strerror(code));
    }
    for (;;) {
        errno = 0;
        int n = gzread(file, piece, PIECE_BYTES);
        if (n < 0) {
            int code = gz_errno(file);
            return err_set(e, code, "%s", code == EBADMSG ? "a damaged gzip file" : strerror(code));
        }
        if (n == 0)
            break;
        if (out->length + (size_t)n > LIMIT_WORLD_BYTES)
            return err_set(e, EFBIG, "a world of more than %d MiB",
                           (int)(LIMIT_WORLD_BYTES / MIB));
        text_add_bytes(out, piece, (size_t)n);
    }
    return 0;
}

int recording_read(struct arena *a, const char *path, const struct world **ret,
                   struct json_object **ret_actions, struct err *e)
{
    CLEANUP(text_done) struct text json = {0};
    AUTOJSON struct json_object *root = NULL;
    int r = read_text(path, &json, e);
    if (r == 0)
        r = json_parse(text_get(&json), json.length, &root, e);
    if (r < 0)
        return err_prefix(e, r, "%s", path);
    struct json_object *world = json_object_or_null(root, "world"); /* a world has no such member */
    r = world_from_json(a, world ? world : root, ret, e);
    if (r < 0)
        return err_prefix(e, r, "%s%s", path, world ? ": world" : "");
    if (ret_actions)
        *ret_actions = world ? json_object_get(json_array_or_null(root, "actions")) : NULL;
    return 0;
}
