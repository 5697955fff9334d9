#!/bin/bash
# Who may send jobs to a virtual pool. A schedd that the policy does not name: whatever it configures for
# itself, and though it has a good token, it is refused. Two schedds that the policy names. And two virtual
# pools on one schedd, each with its own central manager, flag and fragment. The VMs are stand-ins. Needs a
# lab that nobody else uses; takes about two minutes.
set -eu

# shellcheck source=tests/live/site.sh
. "$(dirname "$0")/../site.sh"
admitted() { # admitted IDENTITY…: what an admin fills into virtual-cm.conf
	local IFS=,
	"$lab" run sed -i "s/^ALLOW_ADVERTISE_SCHEDD = .*/ALLOW_ADVERTISE_SCHEDD = $*/" /run/lab/vcm/config.d/60-eyrie-vpool.conf
	on vcm condor_reconfig >/dev/null
}
in_main_pool() { on cm condor_status -schedd -af Name | grep -q "^$1.lab\$"; }
submitters() { on "$1" condor_status -submitters -af Name ScheddName; }
heard_of() { submitters "$1" | grep -q "$2"; }
gone_there() { schedd=schedd2 gone "$1"; }
# The collector says so in its log, with who it was and what he wanted.
refused() { on vcm grep -q "PERMISSION DENIED to $1 .*access level ADVERTISE_SCHEDD" /var/log/condor/CollectorLog; }

site_up
"$lab" start schedd2
"$lab" start gcm
wait_for 60 in_main_pool schedd2
for machine in schedd schedd2 vcm gcm; do dump "$machine" >"$EYRIE_LAB/$machine.before"; done
flocking on
vm 1

# The stranger's admin knows how it is done: the fragment of the other schedd, with another name for its
# place. Everything but the name in virtual-cm.conf is right.
"$lab" run cp /run/lab/schedd/config.d/60-eyrie-vpool.conf /run/lab/schedd2/config.d/
on schedd2 condor_reconfig >/dev/null
mine=$(flagged alice 1 600)
stranger=$(schedd=schedd2 flagged alice 2 1)
ok 'a job of the schedd that is named runs in the VM' wait_for 60 running_in "$mine" vm-1 1
ok 'what a schedd that is not named tells of its jobs is refused' wait_for 60 refused 'schedd2@vpool.lab'
two_cycles vcm
ok 'the virtual pool does not hear of its jobs' not heard_of vcm schedd2.lab
schedd=schedd2
ok 'and they wait, with room in the VM' idle "$stranger" 2
ok 'the negotiator was not offered them' equal "$(on vcm grep -c 'alice.*alias=schedd2' /var/log/condor/NegotiatorLog)" 0
remove "$stranger"
on schedd2 rm /run/lab/schedd2/config.d/60-eyrie-vpool.conf

# Now it is named: in the YAML, and by the admin of the central manager.
schedd=schedd
admitted schedd@vpool.lab schedd2@vpool.lab
flocking on "$here/two-schedds.yaml"
second=$(schedd=schedd2 flagged alice 1 1)
ok 'named in the YAML and admitted, its jobs run in the VM' wait_for 60 gone_there "$second"
ok 'there and nowhere else' equal "$(schedd=schedd2 ran "$second" vm-11111111.lab)" 1
ok 'while those of the first run on' running_in "$mine" vm-1 1
bob() { schedd=schedd2 flagged bob 1 1 'accounting_group = juno'; }
ok 'the second schedd keeps the same gates' says 'bob is not a submitter of group juno' "$(bob)"
remove "$mine"

# A second virtual pool, by a fragment of its own.
first=$(on schedd sha256sum /run/lab/schedd/config.d/60-eyrie-vpool.conf)
flocking on "$here/gpool.yaml"
ok "the second pool's fragment leaves the first's as it was" equal \
	"$(on schedd sha256sum /run/lab/schedd/config.d/60-eyrie-vpool.conf)" "$first"
cm=gcm POLICY=$here/gpool.yaml vm 2
both() { flagged alice 1 1 'My.GpuPool = true'; }
asks_for_both() { says 'a job can have one of them' "$(both)"; }
ok 'a job that asks for both is refused' wait_for 30 asks_for_both
first=$(flagged alice 1 1) second=$(job alice 1 1 'My.GpuPool = true' 'accounting_group = juno')
third=$(job eve 1 1 'My.GpuPool = true')
ok 'a job with the first flag, one with the second, and one of a group of the second pool end' \
	wait_for 60 gone "$first" "$second" "$third"
ok 'the first ran in a VM of the first pool' ran_all "$first" vm-11111111.lab 1
ok 'the second in one of the second' ran_all "$second" vm-22222222.lab 1
ok 'and so did the third' ran_all "$third" vm-22222222.lab 1
ok 'a group of the second pool is none of the first' says 'is no group of the virtual pool vpool' \
	"$(flagged eve 1 1 'accounting_group = dayabay')"

# They leave one after the other.
flocking off "$here/gpool.yaml"
left=$(flagged alice 1 1)
ok 'when the second pool has left, the first goes on' wait_for 60 gone "$left"
ok 'in its VM' ran_all "$left" vm-11111111.lab 1
flocking off "$here/two-schedds.yaml"
admitted schedd@vpool.lab
for machine in schedd schedd2 vcm gcm; do
	ok "$machine is what it was" equal "$(dump "$machine")" "$(cat "$EYRIE_LAB/$machine.before")"
done

tap_end
