/*
 * eyrie.yaml and two files that it may include: any text is either a policy or a list of sentences,
 * and never both or neither. A policy is printed as text that reads as the same policy.
 *
 * Lines "%%%" divide an input into eyrie.yaml, conf.d/a.yaml and conf.d/b.yaml.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "config/config.h"
#include "fuzz/fuzz.h"

static const char divider[] = "\n%%%\n";
static const char *const names[] = {"eyrie.yaml", "conf.d/a.yaml", "conf.d/b.yaml"};
static char folder[] = "/tmp/eyrie-fuzz-XXXXXX";

static void write_file(const char *name, const void *bytes, size_t size)
{
    FILE *f = fopen(name, "we");
    assert(f);
    size_t written = fwrite(bytes, 1, size, f);
    int closed = fclose(f);
    assert(written == size && closed == 0);
}

static void remove_folder(void)
{
    static const char *const made[] = {"eyrie.yaml", "conf.d/a.yaml", "conf.d/b.yaml", "small.xml",
                                       "domain.xml", "printed.yaml",  "conf.d"};
    for (size_t i = 0; i < ARRAY_SIZE(made); i++)
        (void)remove(made[i]);
    (void)rmdir(folder);
}

static void make_folder(void)
{
    static const char xml[] = "<domain type='kvm'/>\n";
    assert(mkdtemp(folder) && chdir(folder) == 0 && mkdir("conf.d", 0700) == 0);
    (void)atexit(remove_folder);
    write_file("small.xml", xml, strlen(xml));
    write_file("domain.xml", xml, strlen(xml));
}

static struct config *load(const char *path)
{
    struct config *config = NULL;
    AUTOFREE char *messages = NULL;
    int r = config_try(path, &config, &messages);
    assert(config && (r == 0) == (config_policy(config) != NULL) && (r == 0) == (messages == NULL));
    return config;
}

/* What is printed of @config reads as the same values. */
static void read_again(const struct config *config)
{
    AUTOFREE char *text = NULL;
    size_t length;
    FILE *f = open_memstream(&text, &length);
    assert(f);
    config_print(config, f);
    assert(fclose(f) == 0);
    write_file("printed.yaml", text, length);
    CLEANUP(config_free_p) struct config *again = load("printed.yaml");
    AUTOJSON struct json_object *one = config_view(config), *two = config_view(again);
    struct json_object *a = json_array_or_null(one, "values"),
                       *b = json_array_or_null(two, "values");
    assert(a && b && json_object_array_length(a) == json_object_array_length(b));
    for (size_t i = 0; i < json_object_array_length(a); i++) {
        struct json_object *x = json_object_array_get_idx(a, i);
        struct json_object *y = json_object_array_get_idx(b, i);
        assert(strcmp(json_string_or(x, "key", ""), json_string_or(y, "key", "?")) == 0);
        assert(strcmp(json_string_or(x, "text", ""), json_string_or(y, "text", "?")) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *rest = (const char *)data, *end = rest + size;
    if (strcmp(folder + strlen(folder) - 6, "XXXXXX") == 0)
        make_folder();
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *stop =
            rest ? memmem(rest, (size_t)(end - rest), divider, strlen(divider)) : NULL;
        if (rest)
            write_file(names[i], rest, (size_t)((stop ? stop : end) - rest));
        else
            (void)remove(names[i]);
        rest = stop ? stop + strlen(divider) : NULL;
    }
    CLEANUP(config_free_p) struct config *config = load("eyrie.yaml");
    AUTOJSON struct json_object *view = config_view(config);
    assert(json_object_to_json_string(view));
    if (config_policy(config))
        read_again(config);
    return 0;
}
