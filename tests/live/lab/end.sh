#!/bin/bash
# A VM of a request, and real jobs: it starts none that may run beyond the end of the request; when the
# end is put off it hears of that while it runs, from the controller and from nobody else. The VM is a
# stand-in, and what eyried does (act/extend.c) is done by hand. About half a minute.
set -eu

# shellcheck source=tests/live/tap.sh
. "$(dirname "$0")/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$(dirname "$0")/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
here=$EYRIE_SOURCE/tests/live/lab
uuid=11111111-aaaa-4aaa-8aaa-000000000001 vm=vm-11111111

on() { "$lab" exec "$@"; }
# job SECONDS: a job of the request that may run so long; prints the cluster.
job() {
	on -u alice schedd condor_submit -terse <<-END | sed 's/\..*//'
		executable = /bin/sleep
		arguments = 2
		transfer_executable = false
		request_memory = 64
		request_disk = 1000
		accounting_group = juno
		allowed_execute_duration = $1
		My.VirtualPool = true
		My.EyrieRequest = "r-1"
		queue
	END
}
gone() { [ -z "$(on schedd condor_q -allusers "$1" -af ProcId)" ]; }
waits() { [ "$(on schedd condor_q -allusers "$1" -af JobStatus NumShadowStarts)" = '1 undefined' ]; }
told() { [ "$(on vcm condor_status -af EyrieUntil)" = "$1" ]; }
# leave_note UNTIL NAME MACHINE: leaves it with the collector, with the token of that machine.
leave_note() {
	printf '%s\n' 'MyType = "DaemonMaster"' "Name = \"$2\"" 'Machine = "eyrie"' 'EyrieRequest = "r-1"' \
		"EyrieUUID = \"$uuid\"" "EyrieUntil = $1" 'ClassAdLifetime = 300' |
		on "$3" condor_advertise -pool vcm.lab UPDATE_MASTER_AD - >/dev/null
}
reread() { on vcm condor_reconfig -pool vcm.lab -daemon startd "$(on vcm condor_status -af Machine)" >/dev/null; }

trap '"$lab" down' EXIT
trap 'exit 130' INT TERM
stage 'build' pool_compile
"$lab" down
"$lab" up
"$lab" run env "EYRIE_BUILD=$EYRIE_BUILD" "$here/flock" on
until=$(($(date +%s) + 600))
"$lab" run "$here/standin" "$vm" "$uuid" 10.77.0.31 'TARGET.EyrieRequest =?= "r-1"' r-1 "$until"
ok 'the slot says when its request ends' wait_for 30 told "$until"

long=$(job 3600)
short=$(job 60)
ok 'a job that ends before that runs' wait_for 60 gone "$short"
ok 'one that may not, and was there first, waits' waits "$long"

later=$((until + 86400))
leave_note $((later + 1)) "r-1@$vm" "$vm"
ok 'the collector takes what a VM says of a request' equal \
	"$(on vcm condor_status -master -constraint "EyrieUntil == $later + 1" -af Name)" "r-1@$vm"
reread
leave_note "$later" r-1@eyrie vcm
reread
ok 'the VM believes the controller' wait_for 60 told "$later"
ok 'and the long job runs' wait_for 60 gone "$long"

tap_end
