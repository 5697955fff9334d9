#!/bin/bash
# The gates at the schedd: what is refused at submission and in which words, what becomes of a job that is
# taken, and how many of them run. (What a VM takes: vms.sh; where a job runs: placement.sh.) The VM is
# a stand-in. Needs a lab that nobody else uses; takes less than a minute.
set -eu

# shellcheck source=tests/live/site.sh
. "$(dirname "$0")/../site.sh"
vm="vm-11111111"
bare() { job "$@" 'My.VirtualPool = true'; } # flagged, and says nothing else

site_up
before=$(dump schedd)
before_vcm=$(dump vcm)
flocking on
vm 1

# At submission: who may, and in which words others are told.
ok 'a job of an unknown group is refused' says \
	'accounting_group = nope is no group of the virtual pool vpool: it has juno,lhaaso' \
	"$(flagged alice 1 1 'accounting_group = nope')"
ok 'so is one of a group that its owner is not in' says \
	'bob is not a submitter of group juno' "$(flagged bob 1 1 'accounting_group = juno')"
ok 'and one that counts for somebody else' says \
	'accounting_group_user = bob is not you' "$(flagged alice 1 1 'accounting_group = juno' 'accounting_group_user = bob')"
ok 'a forged owner is refused by HTCondor itself' says \
	'Setting owner to bob' "$(flagged alice 1 1 'My.Owner = "bob"')"
ok 'who is in no group is told which there are' says \
	'eve belongs to none by default: set accounting_group to one of juno,lhaaso' "$(flagged eve 1 1)"
ok 'a job that no VM has room for is refused' says \
	'No VM that group juno may use in the virtual pool vpool has room for 64 cpus, 64 MiB' \
	"$(flagged alice 1 1 'request_cpus = 64')"
ok 'a word that is no placement is refused' says \
	'+EyriePlacement must be "virtual-only"' "$(flagged alice 1 1 'My.EyriePlacement = "anywhere"')"
ok 'so is what is no name of a request' says \
	'+EyrieRequest must be the name of a request of the virtual pool vpool' "$(flagged alice 1 1 'My.EyrieRequest = 17')"
ok 'an unflagged job of a stranger is nobody'"'"'s business' says '' \
	"$(job eve 1 1 'My.EyriePlacement = "anywhere"')"

# What becomes of one that is taken. The directory is read twice in the lab: each transform runs once.
cluster=$(bare alice 1 1 'hold = true')
ok 'who names no group gets his own' equal "$(attribute "$cluster" AccountingGroup)" juno.alice
ok 'a job without a walltime gets the cap' equal "$(attribute "$cluster" AllowedExecuteDuration)" 7200
ok 'it counts once for the max of its group, and as a long job' equal \
	"$(attribute "$cluster" ConcurrencyLimits)" eyrie_vpool_juno:1,eyrie_vpool_juno_long.alice
remove "$cluster"
cluster=$(bare alice 1 1 'hold = true' 'allowed_execute_duration = 600' 'concurrency_limits = licence' \
	'My.AccountingGroup = "lhaaso.bob"' 'My.FlockTo = "elsewhere"')
ok 'its own walltime stays when it is shorter' equal "$(attribute "$cluster" AllowedExecuteDuration)" 600
ok 'its own limits stay too' equal "$(attribute "$cluster" ConcurrencyLimits)" licence,eyrie_vpool_juno:1
ok 'an accounting group that was written by hand does not' equal "$(attribute "$cluster" AccountingGroup)" juno.alice
ok 'nor does another place to flock to' equal "$(attribute "$cluster" FlockTo)" 'vcm.lab:9618, default'
ok 'the flag cannot be taken back' not on -u alice schedd condor_qedit "$cluster" VirtualPool false
remove "$cluster"
cluster=$(bare alice 1 1 'hold = true' 'allowed_execute_duration = 86400')
ok 'a walltime over the cap is cut to it' equal "$(attribute "$cluster" AllowedExecuteDuration)" 7200
remove "$cluster"

# How many. The VM has room for two.
cluster=$(bare alice 3 600)
ok 'a long job of a user runs' wait_for 60 running_in "$cluster" "$vm" 1
two_cycles
ok 'and no second one' running_in "$cluster" "$vm" 1
remove "$cluster"

flocking off
ok 'with the fragments gone the schedd is what it was' equal "$(dump schedd)" "$before"
ok 'and so is the central manager' equal "$(dump vcm)" "$before_vcm"

tap_end
