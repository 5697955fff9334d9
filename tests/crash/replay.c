/*
 * Stands for a tool that answers from files, and costs next to nothing: it runs the tool of its own name in
 * $REPLAY_TOOLS once for each set of arguments and of what there is to read, and says again what that said.
 * What there is to read: the files in $FAKE_CONDOR/config.d, $FAKE_CONDOR/believed and $CONDOR_CONFIG. Only for
 * tools that change nothing. The answers are in $REPLAY_ANSWERS.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static uint64_t hash = 14695981039346656037u; /* FNV-1a */

static void take(const char *bytes, size_t n)
{
    for (size_t i = 0; i <= n; i++) {
        hash ^= i < n ? (unsigned char)bytes[i] : 0xff;
        hash *= 1099511628211u;
    }
}

static void take_file(const char *path)
{
    char bytes[4096];
    FILE *file = path ? fopen(path, "re") : NULL;
    for (size_t n; file && (n = fread(bytes, 1, sizeof(bytes), file)) > 0;)
        take(bytes, n);
    take("", file != NULL);
    if (file)
        (void)fclose(file);
}

static void take_folder(const char *path)
{
    struct dirent **all = NULL;
    char file[4096];
    int n = scandir(path, &all, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        (void)snprintf(file, sizeof(file), "%s/%s", path, all[i]->d_name);
        take(all[i]->d_name, strlen(all[i]->d_name));
        if (all[i]->d_type == DT_REG)
            take_file(file);
        free(all[i]);
    }
    free(all);
}

/* Print an answer that is there: its standard output, then its exit status. */
static void answer(const char *path)
{
    char bytes[65536];
    FILE *file = fopen(path, "re");
    size_t n = file ? fread(bytes, 1, sizeof(bytes), file) : 0;
    if (file)
        (void)fclose(file);
    if (n == 0)
        return;
    (void)fwrite(bytes, n - 1, 1, stdout);
    (void)fflush(stdout);
    _exit((unsigned char)bytes[n - 1]);
}

/* Have it answered by the tool itself. */
static void ask(char **argv, const char *tool, const char *path)
{
    char new[4200], bytes[4096];
    int out[2], status = 0;
    (void)snprintf(new, sizeof(new), "%s.%d", path, (int)getpid());
    FILE *file = fopen(new, "we");
    pid_t pid = pipe(out) < 0 || !file ? -1 : fork();
    if (pid < 0)
        exit(127);
    if (pid == 0) {
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(out[0]);
        (void)close(out[1]);
        (void)execv(tool, argv);
        _exit(127);
    }
    (void)close(out[1]);
    for (ssize_t n; (n = read(out[0], bytes, sizeof(bytes))) > 0;)
        (void)fwrite(bytes, (size_t)n, 1, file);
    (void)waitpid(pid, &status, 0);
    (void)fputc(WIFEXITED(status) ? WEXITSTATUS(status) : 127, file);
    (void)fclose(file);
    (void)rename(new, path);
}

int main(int argc, char **argv)
{
    const char *tools = getenv("REPLAY_TOOLS"), *answers = getenv("REPLAY_ANSWERS");
    const char *slash = strrchr(argv[0], '/'), *name = slash ? slash + 1 : argv[0];
    char tool[8192], path[4096];
    if (!tools || !answers || chdir(getenv("FAKE_CONDOR")) < 0)
        return 127;
    for (int i = 1; i < argc; i++)
        take(argv[i], strlen(argv[i]));
    take(name, strlen(name));
    take_folder("config.d");
    take_file("believed");
    take_file(getenv("CONDOR_CONFIG"));
    (void)snprintf(tool, sizeof(tool), "%s/%s", tools, name);
    (void)snprintf(path, sizeof(path), "%s/%016" PRIx64, answers, hash);
    answer(path);
    ask(argv, tool, path);
    answer(path);
    return 127;
}
