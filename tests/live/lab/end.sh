#!/bin/bash
# A VM of a request, and real jobs: it starts none that may run beyond the end of the request; when the
# end is put off it hears of that while it runs, from the controller and from nobody else. The VM is a
# stand-in, and what eyried does (act/extend.c) is done by hand. About half a minute.
set -eu

# shellcheck source=tests/live/site.sh
. "$(dirname "$0")/../site.sh"
uuid=11111111-aaaa-4aaa-8aaa-000000000001 vm="vm-11111111"

# booked SECONDS: a job of the request that may run so long; prints the cluster.
booked() { flagged alice 1 2 'My.EyrieRequest = "r-1"' "allowed_execute_duration = $1"; }
waits() { [ "$(on schedd condor_q -allusers "$1" -af JobStatus NumShadowStarts)" = '1 undefined' ]; }
told() { [ "$(on vcm condor_status -af EyrieUntil)" = "$1" ]; }
# leave_note UNTIL NAME MACHINE: leaves it with the collector, with the token of that machine.
leave_note() {
	printf '%s\n' 'MyType = "DaemonMaster"' "Name = \"$2\"" 'Machine = "eyrie"' 'EyrieRequest = "r-1"' \
		"EyrieUUID = \"$uuid\"" "EyrieUntil = $1" 'ClassAdLifetime = 300' |
		on "$3" condor_advertise -pool vcm.lab UPDATE_MASTER_AD - >/dev/null
}
reread() { on vcm condor_reconfig -pool vcm.lab -daemon startd "$(on vcm condor_status -af Machine)" >/dev/null; }

site_up
flocking on
until=$(($(date +%s) + 600))
vm 1 request=r-1 by-name until=$until
ok 'the slot says when its request ends' wait_for 30 told "$until"

long=$(booked 3600)
short=$(booked 60)
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
