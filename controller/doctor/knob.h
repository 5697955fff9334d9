/*
 * Whether the knobs of a running daemon are as rules want them, as findings.
 */
#pragma once

#include "act/knob.h"
#include "doctor/visit.h"

/**
 * Note for each of @rules whether it is kept: one line for all that are, a finding for each that is
 * not. @where: the machine whose configuration it is; @owner: what sets it where all is well
 * ("Eyrie's fragment 60-eyrie.conf"), or NULL.
 */
void knobs_judge(struct visit *v, enum check_id check, const char *subject, const struct knobs *k,
                 const struct knob_rule *rules, size_t n_rules, const char *where,
                 const char *owner);
/** The NULL-terminated @head, then the names of the rules, then NULL; in the visit's memory. */
const char *const *knobs_argv(struct visit *v, const char *const *head,
                              const struct knob_rule *rules, size_t n_rules);
/** @text with the placeholders filled in from the policy; in the visit's memory. */
const char *knobs_fill(struct visit *v, const char *text);
