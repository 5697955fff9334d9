#!/bin/bash
# The gates that flock-config/ puts around the virtual pool, each tried by a real job: what is refused
# at submission and in which words, what becomes of a job that is taken, where it runs, how many of
# them, and what a VM does with a job that was edited since. The VMs are stand-ins. About two minutes.
set -eu

# shellcheck source=tests/live/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "$0")/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
here=$EYRIE_SOURCE/tests/live/lab
vm="vm-11111111"

on() { "$lab" exec "$@"; }
# job USER COUNT SECONDS [LINE…]: submits flagged jobs; prints the cluster, or what it was told.
job() {
	local user=$1 count=$2 seconds=$3
	shift 3
	{
		printf '%s\n' 'executable = /bin/sleep' "arguments = $seconds" 'transfer_executable = false' \
			'request_memory = 64' 'request_disk = 1000' 'My.VirtualPool = true' "$@" "queue $count"
	} | on -u "$user" schedd condor_submit -terse 2>&1 | sed -n '/ERROR.*commit/d; s/^\([0-9]*\)\.[0-9]* - .*/\1/p; s/^ERROR: //p'
}
# says WORDS LINE: the answer has these words in it.
says() { grep -qF -- "$1" <<<"$2" || { note "it said: $2" && false; }; }
# attribute CLUSTER EXPRESSION: of its first job.
attribute() { on schedd condor_q -allusers "$1.0" -af "$2"; }
count() { on schedd condor_q -allusers "$1" -constraint "$2" -af ProcId | wc -l; }
count_is() { [ "$(count "$1" "$2")" = "$3" ]; }
running_in() { count_is "$1" "JobStatus == 2 && regexp(\"$2\", RemoteHost)" "$3"; }
gone() { [ -z "$(on schedd condor_q -allusers "$1" -af ProcId)" ]; }
cycles() { on "$1" grep -c 'Finished Negotiation Cycle' /var/log/condor/NegotiatorLog; }
reached() { [ "$(cycles "$1")" -ge "$2" ]; }
two_cycles() {
	local cm vcm
	cm=$(($(cycles cm) + 2)) vcm=$(($(cycles vcm) + 2))
	wait_for 30 reached cm "$cm" && wait_for 30 reached vcm "$vcm"
}
joined() { on vcm condor_status -af Name | grep -q "^slot1@$vm"; }
flocking() { "$lab" run env "EYRIE_BUILD=$EYRIE_BUILD" "$here/flock" "$@"; }
# dump MACHINE: its whole configuration, but for the number of the process that asks.
dump() { on "$1" condor_config_val -dump | grep -v '^PID = ' | sort; }
remove() { on schedd condor_rm "$@" >/dev/null; }

trap '"$lab" down' EXIT
trap 'exit 130' INT TERM
stage 'build' pool_compile
"$lab" down
"$lab" up
before=$(dump schedd)
before_vcm=$(dump vcm)
flocking on
"$lab" run "$here/standin" "$vm" 11111111-aaaa-4aaa-8aaa-000000000001 10.77.0.31
wait_for 20 joined

# At submission: who may, and in which words others are told.
ok 'a job of an unknown group is refused' says \
	'accounting_group = nope is no group of the virtual pool vpool: it has juno,lhaaso' \
	"$(job alice 1 1 'accounting_group = nope')"
ok 'so is one of a group that its owner is not in' says \
	'bob is not a submitter of group juno' "$(job bob 1 1 'accounting_group = juno')"
ok 'and one that counts for somebody else' says \
	'accounting_group_user = bob is not you' "$(job alice 1 1 'accounting_group = juno' 'accounting_group_user = bob')"
ok 'a forged owner is refused by HTCondor itself' says \
	'Setting owner to bob' "$(job alice 1 1 'My.Owner = "bob"')"
ok 'who is in no group is told which there are' says \
	'eve belongs to none by default: set accounting_group to one of juno,lhaaso' "$(job eve 1 1)"
ok 'a job that no VM has room for is refused' says \
	'No VM that group juno may use in the virtual pool vpool has room for 64 cpus, 64 MiB' \
	"$(job alice 1 1 'request_cpus = 64')"
ok 'a word that is no placement is refused' says \
	'+EyriePlacement must be "virtual-only"' "$(job alice 1 1 'My.EyriePlacement = "anywhere"')"
ok 'an unflagged job of a stranger is nobody'"'"'s business' says '' \
	"$(job eve 1 1 'My.VirtualPool = false' 'My.EyriePlacement = "anywhere"')"

# What becomes of one that is taken. The directory is read twice in the lab: each transform runs once.
cluster=$(job alice 1 1 'hold = true')
ok 'who names no group gets his own' equal "$(attribute "$cluster" AccountingGroup)" juno.alice
ok 'a job without a walltime gets the cap' equal "$(attribute "$cluster" AllowedExecuteDuration)" 7200
ok 'it counts once for the max of its group, and as a long job' equal \
	"$(attribute "$cluster" ConcurrencyLimits)" eyrie_vpool_juno:1,eyrie_vpool_juno_long.alice
remove "$cluster"
cluster=$(job alice 1 1 'hold = true' 'allowed_execute_duration = 600' 'concurrency_limits = licence' \
	'My.AccountingGroup = "lhaaso.bob"' 'My.FlockTo = "elsewhere"')
ok 'its own walltime stays when it is shorter' equal "$(attribute "$cluster" AllowedExecuteDuration)" 600
ok 'its own limits stay too' equal "$(attribute "$cluster" ConcurrencyLimits)" licence,eyrie_vpool_juno:1
ok 'an accounting group that was written by hand does not' equal "$(attribute "$cluster" AccountingGroup)" juno.alice
ok 'nor does another place to flock to' equal "$(attribute "$cluster" FlockTo)" 'vcm.lab:9618, default'
ok 'the flag cannot be taken back' not on -u alice schedd condor_qedit "$cluster" VirtualPool false
remove "$cluster"
cluster=$(job alice 1 1 'hold = true' 'allowed_execute_duration = 86400')
ok 'a walltime over the cap is cut to it' equal "$(attribute "$cluster" AllowedExecuteDuration)" 7200
remove "$cluster"

# Where it runs.
cluster=$(job alice 1 3)
ok 'a virtual-only job runs in a VM, with the main pool idle' wait_for 20 running_in "$cluster" "$vm" 1
overflow=$(job bob 1 3)
ok 'an overflow job runs in the main pool at once' wait_for 20 running_in "$overflow" worker 1
wait_for 30 gone "$cluster" "$overflow"
full=$(job eve 4 600 'My.VirtualPool = false')
wait_for 20 running_in "$full" worker 4
overflow=$(job bob 1 3)
two_cycles
from=$(attribute "$overflow" EyrieFlockFrom)
if [ "$(date +%s)" -lt "$from" ]; then
	ok 'with the main pool full it waits at first, with a VM idle' running_in "$overflow" "$vm" 0
fi
ok 'and runs in the VM when it has waited long enough' wait_for 120 running_in "$overflow" "$vm" 1
started=$(attribute "$overflow" JobCurrentStartDate)
ok 'not a second sooner' [ "$started" -ge "$from" ]
remove "$full"
wait_for 30 gone "$overflow"

# How many. The VM has room for two.
cluster=$(job alice 3 600 'allowed_execute_duration = 7200')
wait_for 20 running_in "$cluster" "$vm" 1
two_cycles
ok 'one long job of a user runs, and no second one' running_in "$cluster" "$vm" 1
remove "$cluster"
wait_for 30 gone "$cluster"

# In the VM: a job that was edited since.
cluster=$(job alice 1 3 'hold = true' 'allowed_execute_duration = 60')
on -u alice schedd condor_qedit "$cluster" AcctGroup '"lhaaso"' >/dev/null
on -u alice schedd condor_qedit "$cluster" AccountingGroup '"lhaaso.alice"' >/dev/null
on -u alice schedd condor_release "$cluster" >/dev/null
held() { count_is "$1" 'JobStatus == 5 && HoldReasonCode == 19' 1; }
ok 'a job whose group was edited is put on hold by the VM' wait_for 30 held "$cluster"
ok 'with a reason' says 'the virtual pool vpool refuses this job: alice is not a submitter of group lhaaso' \
	"$(attribute "$cluster" HoldReason)"
remove "$cluster"

# Two virtual pools on one schedd: neither knows of the other.
second=$EYRIE_LAB/second.yaml
sed -e 's/name: vpool/name: gpool/; s/trust_domain: vpool.lab/trust_domain: vpool.lab, flag: GpuPool/' \
	-e 's/60-eyrie-vpool/60-eyrie-gpool/' \
	-e "s|\.\./\.\./\.\./flock-config|$EYRIE_SOURCE/flock-config|; s|\.\./\.\./scenario|$EYRIE_SOURCE/tests/scenario|" \
	"$here/eyrie.yaml" >"$second"
flocking on "$second"
asks_for_both() { says 'a job can have one of them' "$(job alice 1 1 'My.GpuPool = true')"; }
ok 'a job that asks for two virtual pools is refused' wait_for 10 asks_for_both
cluster=$(job alice 1 3 'allowed_execute_duration = 60')
ok 'one that asks for the first runs there' wait_for 20 running_in "$cluster" "$vm" 1
flocking off "$second"
wait_for 30 gone "$cluster"

flocking off
ok 'with the fragments gone the schedd is what it was' equal "$(dump schedd)" "$before"
ok 'and so is the central manager' equal "$(dump vcm)" "$before_vcm"

tap_end
