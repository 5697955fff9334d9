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

# Whoever has stolen it can do no more. In the lab the schedd is asked to admit it, by name.
stolen() { on "$vm1" "$@" -pool cm.lab -name schedd.lab; }
ok 'with its token the queue cannot be read' not stolen condor_q -allusers
ok 'nor can a job be submitted' not stolen condor_submit -terse /dev/null -append 'executable = /bin/true' -queue 1
ok 'nor a job be removed' not stolen condor_rm -all
ok 'nor a VM be drained' not on "$vm1" condor_drain -pool vcm.lab "$vm2.lab"
ok 'nor a token be made of it for another' not on "$vm1" condor_token_fetch -pool vcm.lab -type COLLECTOR -identity "vm-$uuid2@vpool.lab"

flocking off
cluster=$(flagged alice 1 1)
two_cycles
ok 'with the fragment gone a flagged job does not flock' not ran_all "$cluster" "$vm1.lab" 1

tap_end
