#!/bin/bash
# The second gate: what a VM takes. START wants the group of an exclusive VM, and the request of a VM that was
# booked; and a job that was edited since its submission is put on hold. The VMs are stand-ins with the
# configuration of a VM's seed, of every kind there is. Needs a lab that nobody else uses; takes about
# a minute.
set -eu

# shellcheck source=tests/live/site.sh
. "$(dirname "$0")/../site.sh"
waits() { equal "$(attribute "$1" 'JobStatus')" 1; }
runs_in() { running_in "$1" "$2" 1; }
# For alice of juno, and for bob of lhaaso, whose jobs may run in the main pool by the policy.
alice() { flagged alice 1 600 "$@"; }
bob() { flagged bob 1 600 'My.EyriePlacement = "virtual-only"' "$@"; }

site_up
flocking on
vm 1 group=juno exclusive
until=$(($(date +%s) + 86400)) # when the requests end
vm 2 group=juno exclusive request=r-7 until=$until by-name

none=$(alice)
right=$(alice 'My.EyrieRequest = "r-7"')
wrong=$(alice 'My.EyrieRequest = "r-8"')
group=$(bob)
forged=$(bob 'My.EyrieRequest = "r-7"')
ok "a job of the group runs in the group's exclusive VM" wait_for 60 runs_in "$none" vm-1
ok 'one that names the request runs in a VM of that request' wait_for 60 runs_in "$right" vm-2
two_cycles vcm
ok 'one of another group waits, with room in both' waits "$group"
ok 'one of another group that names the request waits, too' waits "$forged"
ok 'one that names another request waits' waits "$wrong"
remove "$none" "$right"

on vm-11111111 condor_off -peaceful -startd >/dev/null
wait_for 60 not joined vm-11111111
vm 4 group=juno exclusive request=r-8 until=$until
ok 'a VM of the request that was missing takes its job' wait_for 60 runs_in "$wrong" vm-4
none=$(alice)
ok 'and, not being by name, a job of its group that names none' wait_for 60 runs_in "$none" vm-4
remove "$none"
two_cycles vcm
ok 'the other group waits still' waits "$group"
ok 'with the request, too' waits "$forged"
vm 3
ok 'a VM for all takes its job' wait_for 60 runs_in "$group" vm-3
remove "$wrong" "$group" "$forged"

# Edited since. alice may edit her jobs; the schedd does not look again. The VM does.
held() { count_is "$1" 'JobStatus == 5 && HoldReasonCode == 19' 1; }
edited() { # edited ATTRIBUTE VALUE…: a job of alice, of which she changed that
	local cluster
	cluster=$(alice 'hold = true')
	while [ $# -gt 0 ]; do
		on -u alice schedd condor_qedit "$cluster" "$1" "$2" >/dev/null
		shift 2
	done
	on -u alice schedd condor_release "$cluster" >/dev/null
	echo "$cluster"
}
group=$(edited AcctGroup '"lhaaso"' AccountingGroup '"lhaaso.alice"')
user=$(edited AcctGroupUser '"bob"' AccountingGroup '"juno.bob"')
account=$(edited AccountingGroup '"lhaaso.bob"')
walltime=$(edited AllowedExecuteDuration 86400)
limits=$(edited ConcurrencyLimits '"licence"')
cpus=$(edited RequestCpus 2)
ok 'a job whose group was edited is put on hold' wait_for 60 held "$group"
ok 'with the reason' says 'the virtual pool vpool refuses this job: alice is not a submitter of group lhaaso' \
	"$(attribute "$group" HoldReason)"
ok 'so is one that was edited to count for another user' wait_for 60 held "$user"
ok 'with the reason' says 'it counts for juno.bob, and not for alice of group juno' "$(attribute "$user" HoldReason)"
ok 'and one of which only the account was edited' wait_for 60 held "$account"
ok 'with the reason' says 'it counts for lhaaso.bob, and not for alice of group juno' "$(attribute "$account" HoldReason)"
changed() { says "its $2 was changed after it was submitted" "$(attribute "$1" HoldReason)"; }
ok 'so is one that may run for longer now' wait_for 60 held "$walltime"
ok 'with the reason' changed "$walltime" AllowedExecuteDuration
ok 'and one that does not count any more for what its group may have at most' wait_for 60 held "$limits"
ok 'with the reason' changed "$limits" ConcurrencyLimits
ok 'or has more cpus than it counts for' wait_for 60 held "$cpus"
ok 'with the reason' changed "$cpus" RequestCpus
ok 'what they are compared with cannot be edited' not on -u alice schedd condor_qedit "$cpus" EyrieCpus 2
ok 'Owner cannot be edited' not on -u alice schedd condor_qedit "$group" Owner '"bob"'
ok 'nor can the flag' not on -u alice schedd condor_qedit "$group" VirtualPool false
ok 'nothing of them ran' equal "$(on schedd sh -c 'cat /home/alice/out.* 2>/dev/null' | wc -l)" 0

tap_end
