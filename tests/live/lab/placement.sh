#!/bin/bash
# Where a flagged job runs, and how soon it is offered there: with the main pool idle, with the main pool full,
# and with main-cm.conf at the main pool's central manager. The VM is a stand-in. Needs a lab that nobody else
# uses; takes about two minutes.
set -eu

# shellcheck source=tests/live/site.sh
. "$(dirname "$0")/../site.sh"
vm="vm-11111111"

# The virtual CM's negotiator counts: cycles begun so far; the first one in which it was offered a job of
# CLUSTER.
begun() { negotiator_log vcm | grep -c 'Started Negotiation Cycle'; }
offered_in() {
	negotiator_log vcm | awk -v job=" Request 0*$1[.]0" '/Started Negotiation Cycle/ { n++ } $0 ~ job { print n; exit }'
}
# The schedd has told the virtual CM of a job of GROUP.USER.
told() { on vcm condor_status -submitters -constraint 'IdleJobs + RunningJobs > 0' -af Name | grep -q "^$1@main.lab\$"; }

site_up
flocking on
vm 1

# The main pool is idle.
for who in juno.alice lhaaso.bob; do
	submitted=$(begun)
	cluster=$(flagged "${who#*.}" 1 600 'My.EyriePlacement = "virtual-only"')
	wait_for 60 told "$who"
	heard=$(begun)
	ok "a virtual-only job of $who runs in a VM at once, with the main pool idle" wait_for 60 running_in "$cluster" "$vm" 1
	offered=$(offered_in "$cluster")
	ok 'it was offered in the first cycle that began when the schedd had told of it' [ "$offered" -le $((heard + 1)) ]
	ok 'no whole cycle passed between its submission and that one' [ "$offered" -le $((submitted + 2)) ]
	note "it is offered in cycle $((offered - submitted)) after its submission, $((offered - heard)) after it was heard of"
	remove "$cluster"
	wait_for 60 gone "$cluster"
done
overflow=$(flagged bob 1 3)
ok 'an overflow job runs in the main pool at once' wait_for 60 running_in "$overflow" worker 1
wait_for 60 gone "$overflow"

# The main pool is full.
full=$(job eve 4 600)
wait_for 60 running_in "$full" worker 4
plain=$(job eve 1 600)
overflow=$(flagged bob 1 3)
two_cycles
ok 'an unflagged job waits, with a VM idle' idle "$plain" 1
from=$(attribute "$overflow" EyrieFlockFrom)
ok 'an overflow job runs in the VM when it has waited long enough' wait_for 120 running_in "$overflow" "$vm" 1
ok 'not a second sooner' [ "$(attribute "$overflow" JobCurrentStartDate)" -ge "$from" ]
remove "$full" "$plain"
wait_for 60 gone "$overflow"

# The main pool's negotiator need not look at jobs that are not for it.
cluster=$(flagged alice 1 1 'request_cpus = 2')
wait_for 60 gone "$cluster"
ok 'without main-cm.conf the main negotiator looks at virtual-only jobs, too' asked cm "$cluster"
before=$(dump cm)
fragment=/etc/condor/config.d/60-eyrie-vpool.conf
"$pool_build/controller/cli/eyrie" flock show main-cm.conf -c "$here/eyrie.yaml" | on cm tee "$fragment" >/dev/null
on cm condor_reconfig >/dev/null
revision() { [ "$(on cm condor_config_val -negotiator EYRIE_MAIN_REVISION_vpool)" = "$(on cm sed -n 's/^EYRIE_MAIN_REVISION_vpool = //p' "$fragment")" ]; }
ok 'the main negotiator goes by the fragment' wait_for 60 revision
full=$(flagged alice 1 600 'request_cpus = 2')
wait_for 60 running_in "$full" "$vm" 1
cluster=$(flagged alice 1 1)
overflow=$(flagged bob 1 1)
plain=$(job eve 1 1)
ok 'unflagged and overflow jobs run in the main pool' wait_for 60 gone "$overflow" "$plain"
two_cycles
ok 'a virtual-only job waits for its VM' idle "$cluster" 1
ok 'it is not considered in the main pool' not asked cm "$cluster"
ok 'the overflow one was, and ran there' ran_all "$overflow" worker.lab 1
ok 'and so was the unflagged one' ran_all "$plain" worker.lab 1
remove "$full"
ok 'and it runs when there is room' wait_for 60 gone "$cluster"
ok 'in the VM' ran_all "$cluster" "$vm.lab" 1
on cm rm "$fragment"
ok 'without it the main central manager is what it was' equal "$(dump cm)" "$before"

tap_end
