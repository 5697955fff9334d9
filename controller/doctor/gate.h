/*
 * A fragment of Eyrie's in the configuration of a daemon: its file is what the policy makes of it,
 * in a folder that the daemon reads, and the daemon goes by it.
 */
#pragma once

#include "act/flock.h"
#include "doctor/knob.h"

enum { GATE_KNOBS = 3 };
/** What the daemon is to be asked for besides, as rules without content. */
extern const struct knob_rule gate_knobs[GATE_KNOBS];

struct gate {
    enum check_id check;
    const struct flock_target *target;
    const char *machine; /* that the daemon runs on, for advice */
    const char *why;     /* it matters that the daemon goes by the fragment */
};

/** Note how it is. True when the knobs of the fragment should be in force. */
bool gate_judge(struct visit *v, const struct gate *g, const struct knobs *k);
