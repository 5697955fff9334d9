/*
 * What begins each check of the table, by module.
 */
#pragma once

#include "doctor/visit.h"

/* tools.c: HTCondor's programs and ours */
void tools_begin(struct visit *v);
void programs_begin(struct visit *v);
/* daemon.c: eyried and its unit */
void daemon_begin(struct visit *v);
void unit_begin(struct visit *v);
/* state.c: files. Sets ran_here and left. */
void state_begin(struct visit *v);
void key_begin(struct visit *v);
/* credentials.c: secrets. Look at what the unit hands over (sets given); give copies of it to the
 * user that eyried runs as, in v->credentials, and remove them. */
void credentials_look(struct visit *v);
int credentials_give(struct visit *v, struct err *e);
void credentials_take_back(struct visit *v);
/** Whether the unit hands over one of that name, and we have not got it. */
bool credentials_hide(const struct visit *v, const char *name);
void secrets_begin(struct visit *v);
/* schedds.c */
void schedds_begin(struct visit *v);
void flocking_begin(struct visit *v);
void flocking_judge(struct visit *v);
/* pool.c: the virtual pool's central manager */
void pool_begin(struct visit *v);
/* tokens.c: a VM's token, made and used */
void token_begin(struct visit *v);
/* vms.c: what VMs are told, and what they say */
void fragment_begin(struct visit *v);
void slots_begin(struct visit *v);
/* hosts.c: each host, for each template */
void hosts_begin(struct visit *v);
