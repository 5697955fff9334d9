#include "act/seed.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "act/fragment.h"
#include "act/gates.h"
#include "base/mem.h"

/*
 * Which flagged jobs the VM runs. A job that names a request runs in VMs of that request and
 * nowhere else; what the planner says of it (plan/request.c) holds because of this.
 */
static char *start_expression(const struct seed_vm *vm)
{
    static const char of_none[] = "(TARGET.EyrieRequest ?: \"\") == \"\"";
    const char *request = vm->request ? vm->request : "";
    AUTOFREE char *of_group =
        vm->exclusive ? mem_printf("TARGET.AcctGroup =?= \"%s\" && ", vm->group) : mem_strdup("");
    if (!*request)
        return mem_printf("%s%s", of_group, of_none);
    if (vm->by_name)
        return mem_printf("%sTARGET.EyrieRequest =?= \"%s\"", of_group, request);
    return mem_printf("%s(%s || TARGET.EyrieRequest =?= \"%s\")", of_group, of_none, request);
}

int seed_render(const struct policy *p, const struct policy_template *t, const struct seed_vm *vm,
                const char *fragment, struct text *out, struct err *e)
{
    AUTOFREE char *start = start_expression(vm);
    CLEANUP(arena_free_p) struct arena *a = arena_new();
    bool of_request = vm->request && *vm->request;
    char cpus[24], memory[24], join[24], orphan[24], until[24], walltime[24];
    (void)snprintf(cpus, sizeof(cpus), "%" PRId64, t->cpus);
    (void)snprintf(memory, sizeof(memory), "%" PRId64, t->memory / MIB);
    /* eyried removes it sooner; the VM acts for itself only when that does not happen. */
    (void)snprintf(join, sizeof(join), "%" PRId64, 2 * p->timing.join_within.value / USEC_PER_SEC);
    (void)snprintf(orphan, sizeof(orphan), "%" PRId64, p->timing.orphan_after.value / USEC_PER_SEC);
    (void)snprintf(until, sizeof(until), "%" PRId64, vm->until / USEC_PER_SEC);
    (void)snprintf(walltime, sizeof(walltime), "%" PRId64, vm->max_walltime / USEC_PER_SEC);
    const struct fragment_value values[] = {
        {"POOL", p->pool.name},
        {"FLAG", p->pool.flag},
        {"CENTRAL_MANAGER", p->pool.central_manager},
        {"TRUST_DOMAIN", p->pool.trust_domain},
        {"NAME", vm->name},
        {"UUID", vm->uuid},
        {"TEMPLATE", t->name},
        {"GENERATION", vm->generation ? vm->generation : t->generation},
        {"GROUP", vm->group},
        {"REQUEST", of_request ? vm->request : ""},
        {"HAS_REQUEST", of_request ? "true" : "false"},
        {"UNTIL", until},
        {"MAX_WALLTIME", walltime},
        {"START", start},
        {"RULES", gates_rules(a, p)},
        {"CPUS", cpus},
        {"MEMORY_MIB", memory},
        {"JOIN_SECONDS", join},
        {"ORPHAN_SECONDS", orphan},
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
