#!/bin/bash
# The lab and flock-config/ by themselves, with real jobs: flagged jobs reach the virtual pool and
# nothing else, other jobs the main pool and nothing else, and a VM speaks for itself only. The VMs
# are stand-ins. Needs a lab that nobody else uses; takes about a minute.
set -eu

# shellcheck source=tests/live/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "$0")/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
uuid1=11111111-aaaa-4aaa-8aaa-000000000001 vm1=vm-11111111
uuid2=22222222-bbbb-4bbb-8bbb-000000000002 vm2=vm-22222222

on() { "$lab" exec "$@"; }
submit() { # submit USER COUNT CPUS SECONDS [flag]: prints the cluster
	on -u "$1" schedd condor_submit -terse <<-END | sed 's/\..*//'
		executable = /bin/sh
		arguments = "-c 'sleep $4; hostname >out'"
		transfer_executable = false
		should_transfer_files = yes
		transfer_output_remaps = "out=out.\$(Cluster).\$(Process)"
		transfer_output_files = out
		request_cpus = $3
		request_memory = 64
		request_disk = 1000
		accounting_group = juno
		allowed_execute_duration = 600
		${5:+My.VirtualPool = true}
		queue $2
	END
}
count() { on schedd condor_q -allusers "$1" -constraint "JobStatus == $2" -af ProcId | wc -l; }
running() { [ "$(count "$1" 2)" = "$2" ]; }
idle() { [ "$(count "$1" 1)" = "$2" ]; }
gone() { [ -z "$(on schedd condor_q -allusers "$1" -af ProcId)" ]; }
# ran CLUSTER HOST: prints how many jobs of it ran on HOST, by what they wrote themselves.
ran() { on schedd sh -c "cat /home/*/out.$1.* | grep -cx '$2'"; }
ran_all() { [ "$(ran "$1" "$2")" = "$3" ]; }
status() { on vcm condor_status "$@"; }
joined() { status -af Name | grep -q "^slot1@$1"; }
# Two cycles of each negotiator from now: what could match has had its chance.
cycles() { on "$1" grep -c 'Finished Negotiation Cycle' /var/log/condor/NegotiatorLog; }
reached() { [ "$(cycles "$1")" -ge "$2" ]; }
two_cycles() {
	local cm vcm
	cm=$(($(cycles cm) + 2)) vcm=$(($(cycles vcm) + 2))
	wait_for 30 reached cm "$cm" && wait_for 30 reached vcm "$vcm"
}
flocking() { "$lab" run env "EYRIE_BUILD=$EYRIE_BUILD" "$EYRIE_SOURCE/tests/live/lab/flock" "$1"; }

trap '"$lab" down' EXIT
trap 'exit 130' INT TERM
stage 'build' pool_compile
"$lab" down
"$lab" up
"$lab" run "$EYRIE_SOURCE/tests/live/lab/standin" "$vm1" "$uuid1" 10.77.0.31
ok 'a VM with its token joins the virtual pool' wait_for 20 joined "$vm1"

cluster=$(submit alice 1 1 1 flag)
two_cycles
ok 'without the fragment no job reaches the VM' not ran_all "$cluster" "$vm1.lab" 1
flocking on

# More work than either pool has room for; each pool has room when the other has none.
plain=$(submit bob 5 1 12)
ok 'unflagged jobs fill the main pool' wait_for 20 running "$plain" 4
two_cycles
ok 'the unflagged job that found no room waits, with an idle VM' idle "$plain" 1
flagged=$(submit alice 3 1 12 flag)
ok 'flagged jobs fill the VM' wait_for 20 running "$flagged" 2
ok 'all unflagged jobs end' wait_for 60 gone "$plain"
ok 'all flagged jobs end' wait_for 60 gone "$flagged"
ok 'unflagged jobs ran in the main pool only' ran_all "$plain" worker.lab 5
ok 'flagged jobs ran in the VM only' ran_all "$flagged" "$vm1.lab" 3

flagged=$(submit alice 3 1 6 flag)
wait_for 20 running "$flagged" 2
two_cycles
ok 'the flagged job that found no room waits, with an idle main pool' not running "$flagged" 3
on schedd condor_rm "$flagged" >/dev/null

# A VM's token is good for that VM.
"$lab" run "$EYRIE_SOURCE/tests/live/lab/standin" "$vm2" "$uuid2" 10.77.0.32
wait_for 20 joined "$vm2"
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

flocking off
cluster=$(submit alice 1 1 1 flag)
two_cycles
ok 'with the fragment gone a flagged job does not flock' not ran_all "$cluster" "$vm1.lab" 1

tap_end
