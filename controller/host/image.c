#include "host/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/secret.h"
#include "base/text.h"
#include "host/seal.h"
#include "host/volume.h"

enum { HEAD_BYTES = 64 * 1024, PIECE_BYTES = 256 * 1024 };

static const char qcow2_magic[] = {'Q', 'F', 'I', '\xfb'};
static const char under_way[] = "An upload of eyrie image push that is not whole.\n";

/* An upload while it lasts. */
struct upload {
    const struct image_push *push;
    virConnectPtr conn;
    virStoragePoolPtr pool;
    virStorageVolPtr volume; /* NULL: not there yet */
    int fd;
    int64_t size, done;
    char *piece; /* PIECE_BYTES */
    char digest[SECRET_DIGEST_MAX];
};

static int file_failed(const struct upload *u, struct fault *f)
{
    return fault_set(f, VIR_ERR_SYSTEM_ERROR, "%s: %s", u->push->file,
                     errno ? strerror(errno) : "it is shorter than it was");
}

/* Read @length bytes at @offset of the file into u->piece. */
static int read_piece(struct upload *u, int64_t offset, size_t length, struct fault *f)
{
    for (size_t have = 0; have < length;) {
        errno = 0;
        ssize_t n = pread(u->fd, u->piece + have, length - have, offset + (int64_t)have);
        if (n <= 0 && errno != EINTR)
            return file_failed(u, f);
        have += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

static size_t piece_at(int64_t offset, int64_t end)
{
    return end - offset < PIECE_BYTES ? (size_t)(end - offset) : PIECE_BYTES;
}

static int open_file(struct upload *u, struct fault *f)
{
    struct stat st;
    u->fd = open(u->push->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (u->fd < 0 || fstat(u->fd, &st) < 0)
        return file_failed(u, f);
    u->size = S_ISREG(st.st_mode) ? st.st_size : 0;
    if (u->size < (int64_t)sizeof(under_way) || read_piece(u, 0, sizeof(qcow2_magic), f) < 0 ||
        memcmp(u->piece, qcow2_magic, sizeof(qcow2_magic)) != 0)
        return fault_set(f, VIR_ERR_INVALID_ARG, "%s is no qcow2 file", u->push->file);
    struct secret_hash *hash = secret_hash_new();
    int r = 0;
    for (int64_t at = 0; r == 0 && at < u->size; at += PIECE_BYTES) {
        size_t length = piece_at(at, u->size);
        r = read_piece(u, at, length, f);
        if (r == 0)
            secret_hash_add(hash, u->piece, length);
    }
    secret_hash_end(hash, u->digest);
    return r;
}

static void tell(struct upload *u, size_t more)
{
    u->done += (int64_t)more;
    if (u->push->progress)
        u->push->progress(u->push->userdata, u->done, 2 * u->size);
}

static int send_bytes(virStreamPtr stream, const char *bytes, size_t length)
{
    while (length > 0) {
        int n = virStreamSend(stream, bytes, length);
        if (n < 0)
            return -EIO;
        bytes += n;
        length -= (size_t)n;
    }
    return 0;
}

/* Write @from to @end of the file there; or, with @mark, that the upload is not whole. */
static int send_range(struct upload *u, int64_t from, int64_t end, bool mark, struct fault *f)
{
    virStreamPtr stream AUTOSTREAM = virStreamNew(u->conn, 0);
    if (!stream || virStorageVolUpload(u->volume, stream, (unsigned long long)from,
                                       (unsigned long long)(end - from), 0) < 0)
        return fault_libvirt(f, "cannot upload %s", u->push->name);
    for (int64_t at = from; at < end; at += PIECE_BYTES) {
        size_t length = piece_at(at, end);
        int r = mark ? 0 : read_piece(u, at, length, f);
        if (mark)
            memcpy(u->piece, under_way, length);
        if (r == 0 && send_bytes(stream, u->piece, length) < 0)
            r = fault_libvirt(f, "cannot upload %s", u->push->name);
        if (r < 0) {
            (void)virStreamAbort(stream);
            return r;
        }
        tell(u, mark ? 0 : length);
    }
    if (virStreamFinish(stream) < 0)
        return fault_libvirt(f, "cannot upload %s", u->push->name);
    return 0;
}

/* What is in the volume: its digest, and whether it begins as an upload that broke off: with the mark,
 * or with nothing, where not even that was written. */
static int read_back(struct upload *u, char digest[static SECRET_DIGEST_MAX], bool *ret_broken,
                     struct fault *f)
{
    virStreamPtr stream AUTOSTREAM = virStreamNew(u->conn, 0);
    if (!stream || virStorageVolDownload(u->volume, stream, 0, 0, 0) < 0)
        return fault_libvirt(f, "cannot read %s back", u->push->name);
    struct secret_hash *hash = secret_hash_new();
    const size_t mark = strlen(under_way);
    size_t have = 0, marked = 0, empty = 0; /* of the beginning */
    int n;
    *ret_broken = false;
    while ((n = virStreamRecv(stream, u->piece, PIECE_BYTES)) > 0) {
        for (size_t i = 0; i < (size_t)n && have < mark; i++, have++) {
            marked += u->piece[i] == under_way[have];
            empty += u->piece[i] == '\0';
        }
        *ret_broken = marked == mark || empty == mark;
        if (*ret_broken)
            break;
        secret_hash_add(hash, u->piece, (size_t)n);
        tell(u, (size_t)n);
    }
    secret_hash_end(hash, digest);
    if (*ret_broken)
        (void)virStreamAbort(stream);
    if (n < 0 || (!*ret_broken && virStreamFinish(stream) < 0))
        return fault_libvirt(f, "cannot read %s back", u->push->name);
    return 0;
}

/* What the host has by that name: nothing, this image, or what is left of an upload, which goes. */
static int look_there(struct upload *u, bool *ret_already, struct fault *f)
{
    char digest[SECRET_DIGEST_MAX];
    bool broken = false;
    u->volume = virStorageVolLookupByName(u->pool, u->push->name);
    if (!u->volume && virGetLastErrorCode() != VIR_ERR_NO_STORAGE_VOL)
        return fault_libvirt(f, "volume %s", u->push->name);
    if (!u->volume)
        return 0;
    int r = read_back(u, digest, &broken, f);
    if (r < 0)
        return r;
    *ret_already = !broken && strcmp(digest, u->digest) == 0;
    if (!broken && !*ret_already)
        return fault_set(f, VIR_ERR_STORAGE_VOL_EXIST,
                         "the host has another image of the name %s, on which VMs may run: give "
                         "this one another name, and name it in the template",
                         u->push->name);
    if (broken && virStorageVolDelete(u->volume, 0) < 0)
        return fault_libvirt(f, "cannot delete what is left of an upload of %s", u->push->name);
    u->done = 0;
    if (broken) {
        (void)virStorageVolFree(u->volume);
        u->volume = NULL;
    }
    return 0;
}

static int compare(struct upload *u, struct fault *f)
{
    char digest[SECRET_DIGEST_MAX];
    bool broken = false;
    int r = read_back(u, digest, &broken, f);
    if (r < 0 || strcmp(digest, u->digest) == 0)
        return r;
    return fault_set(f, VIR_ERR_OPERATION_FAILED,
                     "what the host has is not what was sent (SHA-256 %.12s…, not %.12s…)", digest,
                     u->digest);
}

static int upload(struct upload *u, struct fault *f)
{
    const int64_t head = u->size < HEAD_BYTES ? u->size : HEAD_BYTES;
    int r = volume_make_raw(u->pool, u->push->name, u->size, &u->volume, f);
    if (r == 0)
        r = send_range(u, 0, (int64_t)strlen(under_way), true, f);
    if (r == 0 && head < u->size)
        r = send_range(u, head, u->size, false, f);
    if (r == 0)
        r = send_range(u, 0, head, false, f);
    if (r == 0)
        r = compare(u, f);
    if (r < 0 && u->volume)
        (void)virStorageVolDelete(u->volume, 0); /* nobody else made it */
    if (r == 0) /* libvirt looks at what kind of file it is when it lists the pool anew */
        (void)virStoragePoolRefresh(u->pool, 0);
    return r;
}

int image_push(const struct image_push *push, const struct lease *lease, struct json_object *answer,
               struct fault *f)
{
    virStoragePoolPtr pool AUTOPOOL = NULL;
    struct upload u = {.push = push, .conn = lease->conn, .fd = -1};
    bool already = false;
    u.piece = mem_new(1, PIECE_BYTES);
    int r = open_file(&u, f);
    if (r == 0)
        r = volume_pool(lease->conn, push->storage_pool, &pool, f);
    u.pool = pool;
    if (r == 0)
        r = look_there(&u, &already, f);
    if (r == 0 && !already)
        r = upload(&u, f);
    if (r == 0)
        r = seal_put(pool, push->name, u.digest, f);
    if (r == 0) {
        json_add_string(answer, "digest", u.digest);
        json_add_int(answer, "size", u.size);
        json_add_bool(answer, "already", already);
    }
    fault_free_volume(&u.volume);
    if (u.fd >= 0)
        (void)close(u.fd);
    free(u.piece);
    return r;
}
