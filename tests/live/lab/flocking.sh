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

# Whoever has stolen it can do no more with it: at the schedd, at another VM, at the central manager.
schedd_address=$(on cm condor_status -schedd -af MyAddress)
may() { on "$1" condor_ping -address "$schedd_address" "$2"; }
denied() {
	local said
	said=$("$@" 2>&1 </dev/null) || true
	grep -iE 'authoriz|authentic|denied|permission|failed!|will not sign' <<<"$said" >/dev/null || { note "$said" && false; }
}
drains() { status -constraint 'Draining =?= true' -af Name | grep -q "@$vm2"; }
# expires TOKEN: when, by the token itself (RFC 7519).
expires() { cut -d. -f2 <<<"$1" | tr '_-' '/+' | base64 -d 2>/dev/null | sed -n 's/.*"exp":\([0-9]*\).*/\1/p'; }
lives_no_longer() { [ "$(expires "$(on "$vm1" "$@")")" -le "$(expires "$(on "$vm1" cat /etc/condor/tokens.d/vpool)")" ]; }
ok 'who may read the queue may' may schedd READ
ok 'with the token of a VM nobody may' denied may "$vm1" READ
ok 'who may submit may' may schedd WRITE
ok 'and with it nobody' denied may "$vm1" WRITE
on "$vm1" condor_drain -pool vcm.lab "$vm2.lab" >/dev/null 2>&1 || :
ok 'it drains no other VM' not wait_for 12 drains
ok 'a token that the pool makes of it lives no longer' \
	lives_no_longer condor_token_fetch -pool vcm.lab -type COLLECTOR -lifetime 999999
ok 'nor is it signed with the key of VMs' \
	denied on "$vm1" condor_token_fetch -pool vcm.lab -type COLLECTOR -key EYRIE

flocking off
cluster=$(flagged alice 1 1)
two_cycles
ok 'with the fragment gone a flagged job does not flock' not ran_all "$cluster" "$vm1.lab" 1

tap_end
