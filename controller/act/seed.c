#include "act/seed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/fragment.h"
#include "act/gates.h"
#include "base/mem.h"

int seed_render(const struct policy *p, const struct policy_template *t, const struct seed_vm *vm,
                const char *fragment, struct text *out, struct err *e)
{
    AUTOFREE char *start = vm->exclusive ? mem_printf("TARGET.AcctGroup =?= \"%s\"", vm->group)
                                         : mem_strdup("true");
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    char cpus[24], memory[24];
    (void)snprintf(cpus, sizeof(cpus), "%" PRId64, t->cpus);
    (void)snprintf(memory, sizeof(memory), "%" PRId64, t->memory / MIB);
    const struct fragment_value values[] = {
        {"POOL", p->pool.name},
        {"FLAG", p->pool.flag},
        {"CENTRAL_MANAGER", p->pool.central_manager},
        {"TRUST_DOMAIN", p->pool.trust_domain},
        {"NAME", vm->name},
        {"UUID", vm->uuid},
        {"TEMPLATE", t->name},
        {"GENERATION", t->generation},
        {"GROUP", vm->group},
        {"START", start},
        {"RULES", gates_rules(a, p)},
        {"CPUS", cpus},
        {"MEMORY_MIB", memory},
    };
    text_printf(out, "EYRIE-SEED 1\nNAME %s\nUUID %s\nTOKEN %s\nCONFIG\n", vm->name, vm->uuid,
                vm->token);
    return fragment_render("vm-startd.conf", fragment, values, ARRAY_SIZE(values), NULL, out, e);
}

void seed_wipe(struct text *seed)
{
    if (seed->data)
        explicit_bzero(seed->data, seed->capacity);
    text_done(seed);
}
