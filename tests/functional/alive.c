/*
 * A stand-in for HTCondor that lives: under the names of its tools, a queue of equal jobs and a
 * pool whose slots run them. A VM that got a token joins at the next condor_status; each further
 * one lets a slot begin its job, or go on with it: for two of them, as one may go by between two
 * steps of eyried. Then it takes no other. condor_drain and condor_advertise do what they say, and a
 * startd that drains refuses to be told again. All of it is in the file $FAKE_CONDOR/pool. With
 * $FAKE_THERE, a file (domains.c), a VM is there as long as the file has it, and as long its ads come
 * back when they were taken away; without, until that.
 *
 *     alive begin JOBS    so many idle jobs, and nothing else
 *     alive print         what has come of them
 *
 * It is started some times in the life of each VM: it links nothing, so as to cost next to nothing.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { UUID_LENGTH = 36, VMS_MAX = 20000 };

enum state { BORN, IDLE, CLAIMED, OWNER, DRAINED };

struct vm {
    char uuid[UUID_LENGTH + 1];
    enum state state;
    int looks; /* at its job */
    bool draining;
    bool seen;   /* its domain is there */
    bool dead;   /* it is gone, its ad is not */
    bool taken;  /* its ads were taken away while it was there, */
    bool hidden; /* and it has not sent new ones yet */
};

struct pool {
    int64_t idle, done; /* jobs */
    int64_t tokens;     /* VMs that were to be */
    int64_t killed;     /* jobs that lost their VM */
    int64_t most;       /* VMs at once */
    int64_t n;
    struct vm vms[VMS_MAX];
};

static _Noreturn void die(const char *what)
{
    perror(what);
    exit(1);
}

static struct pool pool;

static size_t pool_bytes(void)
{
    return offsetof(struct pool, vms) + (size_t)pool.n * sizeof(pool.vms[0]);
}

/* A tool may be killed at any time: the file is the old or the new one. */
static void write_pool(void)
{
    FILE *file = fopen("pool.new", "we");
    if (!file || fwrite(&pool, pool_bytes(), 1, file) != 1 || fclose(file) != 0 ||
        rename("pool.new", "pool") < 0)
        die("pool");
}

static void read_pool(void)
{
    int lock = open("pool.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* until we end */
    FILE *file = lock < 0 || flock(lock, LOCK_EX) < 0 ? NULL : fopen("pool", "re");
    if (!file || fread(&pool, 1, sizeof(pool), file) < offsetof(struct pool, vms))
        die("pool");
    (void)fclose(file);
}

static struct vm *find(const char *uuid)
{
    for (int64_t i = 0; i < pool.n; i++)
        if (strncmp(pool.vms[i].uuid, uuid, UUID_LENGTH) == 0)
            return &pool.vms[i];
    return NULL;
}

static void lose_job(struct vm *vm)
{
    if (vm->state != CLAIMED)
        return;
    pool.killed++;
    pool.idle++;
    vm->state = IDLE;
}

static void token(const char *identity)
{
    struct vm *vm = find(identity + strlen("vm-"));
    if (!vm && pool.n < VMS_MAX) { /* else it is renewed */
        vm = &pool.vms[pool.n++];
        memset(vm, 0, sizeof(*vm));
        (void)snprintf(vm->uuid, sizeof(vm->uuid), "%s", identity + strlen("vm-"));
        pool.tokens++;
    }
    (void)puts("eyJhbGciOiJIUzI1NiJ9.canary-of-the-fake-token.signature");
}

static void drain(const char *machine, bool cancel)
{
    const char *at = strchr(machine, '@');
    struct vm *vm = find(at ? at + 1 : machine);
    if (!vm || vm->dead) {
        (void)fprintf(stderr, "no such startd: %s\n", machine);
        exit(1);
    }
    if (vm->draining && !cancel) { /* the words of condor_drain 23.9.6 */
        (void)fprintf(stderr, "Error: received failure from startd: error code 10001: Draining "
                              "already in progress.\n");
        exit(1);
    }
    vm->draining = !cancel;
    if ((vm->state == IDLE || vm->state == OWNER) && !cancel)
        vm->state = DRAINED;
    else if (vm->state == DRAINED && cancel)
        vm->state = OWNER;
    (void)puts("Sent request to drain");
}

static void look_at_domains(const char *path);

static void advertise(const char *command)
{
    char line[4096];
    const char *there = getenv("FAKE_THERE");
    if (strcmp(command, "INVALIDATE_STARTD_ADS") != 0)
        return;
    if (there)
        look_at_domains(there);
    while (fgets(line, sizeof(line), stdin)) {
        const char *uuid = strstr(line, "EyrieUUID =?= \"");
        struct vm *vm = uuid ? find(uuid + strlen("EyrieUUID =?= \"")) : NULL;
        if (!vm)
            continue;
        if (there && !vm->dead) {
            vm->taken = vm->hidden = true;
            continue;
        }
        lose_job(vm);
        *vm = pool.vms[--pool.n];
    }
}

/* Which of the VMs are there, as domains.c wrote it down. Without it nobody knows more than before. */
static void look_at_domains(const char *path)
{
    char line[64];
    FILE *there = fopen(path, "re");
    if (!there)
        return;
    for (int64_t i = 0; i < pool.n; i++)
        pool.vms[i].seen = false;
    while (fgets(line, sizeof(line), there)) {
        struct vm *vm = find(line);
        if (vm)
            vm->seen = true;
    }
    (void)fclose(there);
    for (int64_t i = pool.n; i-- > 0;) {
        struct vm *vm = &pool.vms[i];
        if (!vm->seen)
            lose_job(vm);
        vm->dead = !vm->seen;
        if (vm->dead && vm->taken) /* nobody sends ads any more */
            *vm = pool.vms[--pool.n];
    }
}

static void live(void)
{
    int64_t alive = 0;
    if (getenv("FAKE_THERE"))
        look_at_domains(getenv("FAKE_THERE"));
    for (int64_t i = 0; i < pool.n; i++) {
        struct vm *vm = &pool.vms[i];
        if (vm->dead)
            continue;
        alive++;
        if (vm->state == BORN) {
            vm->state = IDLE;
        } else if (vm->state == IDLE && !vm->draining && pool.idle > 0) {
            vm->state = CLAIMED;
            pool.idle--;
        } else if (vm->state == CLAIMED && ++vm->looks == 2) {
            vm->state = vm->draining ? DRAINED : OWNER;
            pool.done++;
        }
    }
    if (alive > pool.most)
        pool.most = alive;
}

static void print_slots(void)
{
    static const char *const states[] = {"", "Unclaimed", "Claimed", "Owner", "Drained"};
    const char *comma = "[";
    for (int64_t i = 0; i < pool.n; i++) {
        struct vm *vm = &pool.vms[i];
        bool hidden = vm->hidden;
        vm->hidden = false;
        if (vm->state == BORN || hidden)
            continue;
        (void)printf("%s{ \"MyType\": \"Machine\", \"Name\": \"slot1@%s\", \"Machine\": \"%s\","
                     " \"SlotType\": \"Partitionable\", \"State\": \"%s\", \"Activity\": \"%s\","
                     " \"Draining\": %s, \"Cpus\": 2, \"Memory\": 2048, \"TotalSlotCpus\": 2,"
                     " \"TotalSlotMemory\": 2048, \"NumDynamicSlots\": 0, \"EyriePool\": \"vpool\","
                     " \"EyrieName\": \"vm-%s\", \"EyrieUUID\": \"%s\", \"LastHeardFrom\": %lld,"
                     " \"MyAddress\": \"<127.0.0.1:9618>\" }\n",
                     comma, vm->uuid, vm->uuid, states[vm->state],
                     vm->state == CLAIMED ? "Busy" : "Idle", vm->draining ? "true" : "false",
                     vm->uuid, vm->uuid, (long long)time(NULL));
        comma = ",";
    }
    (void)puts(*comma == ',' ? "]" : "");
}

static void print_queue(void)
{
    int64_t running = 0;
    for (int64_t i = 0; i < pool.n; i++)
        running += pool.vms[i].state == CLAIMED;
    int64_t count[] = {pool.idle, running};
    const char *comma = "[";
    for (int i = 0; i < 2; i++) {
        if (count[i] == 0)
            continue;
        (void)printf("%s{ \"JobStatus\": %d, \"Owner\": \"alice\", \"AcctGroup\": \"juno\","
                     " \"VirtualPool\": true, \"RequestCpus\": 2, \"RequestMemory\": 100,"
                     " \"RequestDisk\": 1000, \"JobCount\": %" PRId64 ", \"Id\": %d,"
                     " \"JobIds\": \"1.0 ... 1.9\" }\n",
                     comma, i + 1, count[i], i + 1);
        comma = ",";
    }
    (void)puts(*comma == ',' ? "]" : "");
}

int main(int argc, char **argv)
{
    const char *slash = strrchr(argv[0], '/'), *tool = slash ? slash + 1 : argv[0];
    const char *folder = getenv("FAKE_CONDOR"), *last = argv[argc - 1];
    if (!folder || chdir(folder) < 0)
        die("FAKE_CONDOR");
    if (strcmp(tool, "alive") == 0 && argc == 3) {
        pool.idle = atol(last);
        write_pool();
        return 0;
    }
    read_pool();
    if (strcmp(tool, "alive") == 0) {
        int64_t ads = 0; /* one that was never there has none */
        for (int64_t i = 0; i < pool.n; i++)
            ads += pool.vms[i].state != BORN;
        (void)printf("idle %" PRId64 " done %" PRId64 " tokens %" PRId64 " killed %" PRId64
                     " most %" PRId64 " ads %" PRId64 "\n",
                     pool.idle, pool.done, pool.tokens, pool.killed, pool.most, ads);
        return 0;
    }
    if (strcmp(tool, "condor_q") == 0)
        print_queue();
    else if (strcmp(tool, "condor_token_create") == 0 && argc > 2)
        token(argv[2]);
    else if (strcmp(tool, "condor_drain") == 0)
        drain(last, strcmp(argv[argc - 2], "-cancel") == 0);
    else if (strcmp(tool, "condor_advertise") == 0 && argc > 4)
        advertise(argv[4]);
    else if (strcmp(tool, "condor_status") == 0)
        live();
    if (strcmp(tool, "condor_status") == 0)
        print_slots();
    write_pool();
    return 0;
}
