#!/bin/bash
# The lab and flock-config/ by themselves, with real jobs: flagged jobs reach the virtual pool and
# nothing else, other jobs the main pool and nothing else, and a VM speaks for itself only. The VMs
# are stand-ins. Needs a lab that nobody else uses; takes about a minute.
set -eu

# shellcheck source=tests/live/site.sh
. "$(dirname "$0")/../site.sh"
vm1=vm-11111111 uuid1=11111111-aaaa-4aaa-8aaa-000000000001
vm2=vm-22222222 uuid2=22222222-aaaa-4aaa-8aaa-000000000001

site_up
ok 'a VM with its token joins the virtual pool' vm 1

cluster=$(flagged alice 1 1 'accounting_group = juno')
two_cycles
ok 'without the fragment no job reaches the VM' not ran_all "$cluster" "$vm1.lab" 1
flocking on

# More work than either pool has room for; each pool has room when the other has none.
plain=$(job bob 5 12)
ok 'unflagged jobs fill the main pool' wait_for 60 running_in "$plain" worker 4
two_cycles
ok 'the unflagged job that found no room waits, with an idle VM' idle "$plain" 1
flagged=$(flagged alice 3 12)
ok 'flagged jobs fill the VM' wait_for 60 running_in "$flagged" "$vm1" 2
ok 'all unflagged jobs end' wait_for 60 gone "$plain"
ok 'all flagged jobs end' wait_for 60 gone "$flagged"
ok 'unflagged jobs ran in the main pool only' ran_all "$plain" worker.lab 5
ok 'flagged jobs ran in the VM only' ran_all "$flagged" "$vm1.lab" 3

flagged=$(flagged alice 3 600)
wait_for 60 running_in "$flagged" "$vm1" 2
two_cycles
ok 'the flagged job that found no room waits, with an idle main pool' idle "$flagged" 1
remove "$flagged"

# A VM's token is good for that VM.
vm 2
status() { on vcm condor_status "$@"; }
advertise() { # advertise NAME UUID: vm1 sends a slot ad that says this
	printf '%s\n' 'MyType = "Machine"' "Name = \"$1\"" 'Machine = "x"' 'State = "Unclaimed"' \
		'MyAddress = "<10.77.0.31:9618>"' 'StartdIpAddr = "<10.77.0.31:9618>"' 'EyriePool = "vpool"' \
		"EyrieUUID = \"$2\"" 'Forged = true' 'Cpus = 64' |
		on "$vm1" condor_advertise -tcp UPDATE_STARTD_AD >/dev/null 2>&1 || :
}
forged() { [ -n "$(status -constraint 'Forged =?= true' -af Name)" ]; }
advertise "slot9@$vm1.lab" "$uuid1"
ok 'a VM can advertise what bears its name and UUID' wait_for 5 forged
on vcm condor_advertise INVALIDATE_STARTD_ADS <<-'END' >/dev/null
	MyType = "Query"
	TargetType = "Machine"
	Requirements = Forged =?= true
END
ok 'the controller can take an ad away' wait_for 5 not forged
advertise "slot9@$vm2.lab" "$uuid2"
ok 'a VM cannot advertise with the UUID of another' not wait_for 2 forged
advertise "slot1@$vm2.lab" "$uuid1"
ok 'nor in the place of another, with its own UUID' not wait_for 2 forged

# Whoever has stolen it can do no more with it: each is refused, and not only out of reach.
schedd_tool() { on "$1" "$2" -pool cm.lab -name schedd.lab "${@:3}"; }
denied() {
	local said
	said=$("$@" 2>&1 </dev/null) || true
	grep -iE 'authoriz|authentic|denied|permission|will not sign' <<<"$said" >/dev/null || { note "$said" && false; }
}
job_file() { printf 'executable = /bin/true\nqueue\n' | on "$1" tee /tmp/job.sub >/dev/null; }
job_file schedd && job_file "$vm1"
ok 'the queue can be read by who may' schedd_tool schedd condor_q -allusers
ok 'and not with the token of a VM' denied schedd_tool "$vm1" condor_q -allusers
ok 'a job can be submitted by who may' schedd_tool schedd condor_submit /tmp/job.sub
ok 'and not with it' denied schedd_tool "$vm1" condor_submit -spool /tmp/job.sub
ok 'nor a VM be drained' denied on "$vm1" condor_drain -pool vcm.lab "$vm2.lab"
ok 'nor the pool be asked for another token, which might live longer' \
	denied on "$vm1" condor_token_fetch -pool vcm.lab -type COLLECTOR
ok 'nor with the key that signs those of VMs' \
	denied on "$vm1" condor_token_fetch -pool vcm.lab -type COLLECTOR -key EYRIE

flocking off
cluster=$(flagged alice 1 1)
two_cycles
ok 'with the fragment gone a flagged job does not flock' not ran_all "$cluster" "$vm1.lab" 1

tap_end
