#!/bin/bash
# What an admin orders, with real jobs: a drained VM takes no more jobs and leaves when its own has
# ended, whatever waits; a cordoned host takes no VM and keeps those it has; `drain --now` gives a VM up
# with its job, which HTCondor runs again; nobody but root does any of it. And `eyrie explain job`, of
# a real schedd; a job that a VM refuses; and a submitter who is added while it runs.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

look() { said=$(eyrie "$@" 2>&1) && status=0 || status=$?; }
says() { grep -qE -- "$1" <<<"$said" || { note "it said: ${said//$'\n'/$'\n# '}" && false; }; }
ends_with() { [ "$status" = "$1" ] || { note "exit status $status: ${said//$'\n'/$'\n# '}" && false; }; }
vm_of() { vm_rows | awk -F'\t' -v state="$1" '$2 == state { print $1; exit }'; }
gone() { ! vm_rows | grep -q "^$1"; }
state_is() { vm_rows | grep -q "^$1	$2"; }
job_done() { [ "$("$lab" exec schedd condor_history "$1" -limit 1 -af JobStatus 2>/dev/null)" = 4 ]; }
starts() { "$lab" exec schedd condor_history "$1" -limit 1 -af NumJobStarts; }
# runs CLUSTER: its job runs, and eyried has seen it.
runs() { running "$1" && vms_are 1 busy; }
waits() { look explain job "$1.0" && grep -qE 'limit is 1 .eyrie\.yaml:[0-9]+' <<<"$said"; }
running() { [ "$(jobs_in_queue "ClusterId == $1 && JobStatus == 2")" = 1 ]; }

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready container
pool_configure template=container vms=1 idle=10m trust=60s
pool_start
first=$(submit alice juno 2 1 45 flagged)
wait_for 300 runs "$first"
second=$(submit alice juno 2 1 20 flagged)
vm=$(vm_of busy)

look explain job "$first.0"
ok 'a job that runs: explain says in which VM' says "$vm"
ok 'one that waits: for what, with the line of the YAML' wait_for 30 waits "$second" 
look explain job 4711.0
ok 'one that the schedd does not have: so it says' says '4711'

look drain "$vm"
ok 'off a terminal an order needs --yes' ends_with 64
ok 'and nothing was done' state_is "$vm" busy
look drain "$vm" --yes --reason 'a new kernel'
ok 'a VM is drained by command' ends_with 0
ok 'its startd is told' wait_for 60 state_is "$vm" draining
look explain vm "$vm"
ok 'explain says who asked, and why' says 'root.*a new kernel|a new kernel.*root'
ok 'its job ends' wait_for 180 job_done "$first"
ok 'and was started once' equal "$(starts "$first")" 1
ok 'then the VM leaves, with a job waiting' wait_for 120 gone "$vm"
ok 'which a new VM takes' wait_for 300 runs "$second"
vm=$(vm_of busy)

look cordon hv1 --yes
ok 'a host is cordoned' ends_with 0
ok 'the VM that it has stays' state_is "$vm" busy
wait_for 120 job_done "$second"
look drain "$vm" --yes
wait_for 120 gone "$vm"
third=$(submit alice juno 2 1 600 flagged)
# A schedd runs a job again when its lease has ended: 40 minutes, unless the job says otherwise.
"$lab" exec schedd condor_qedit "$third" JobLeaseDuration 30 >/dev/null
stopped() { look explain group juno && says 'hv1.*cordoned|cordoned.*hv1' >/dev/null; }
ok 'no new VM is started there, and that is said' wait_for 60 stopped
ok 'there is none' vms_are 0
look uncordon hv1 --yes
ok 'the host is taken back' ends_with 0
ok 'and a VM is started' wait_for 300 runs "$third"
vm=$(vm_of busy)

look drain "$vm" --now
ok 'before a job is given up it is named' says "$third\.0"
ok 'and nothing is done without a yes' state_is "$vm" busy
look drain "$vm" --now --yes --reason 'the host burns'
ok 'with a yes the VM is given up' ends_with 0
ok 'it goes though its job runs' wait_for 120 gone "$vm"
# (The start that was cut off may not be in NumJobStarts: the shadow had not told of it yet.)
again() { runs "$third" && [ "$("$lab" exec schedd condor_q "$third.0" -af NumShadowStarts)" = 2 ]; }
ok 'HTCondor runs the job again, in a new VM' wait_for 600 again
look events -n 200
ok 'the events say who ordered what, and why' says 'root.*the host burns|the host burns'

"$lab" exec schedd condor_rm "$third" >/dev/null

# A job that takes more cpus than it was let in with: it slips past the schedd, and no further.
edited=$(submit alice juno 1 1 5 flagged)
"$lab" exec -u alice schedd condor_hold "$edited" >/dev/null
"$lab" exec -u alice schedd condor_qedit "$edited" RequestCpus 2 >/dev/null
"$lab" exec -u alice schedd condor_release "$edited" >/dev/null
refused() { look events -n 200 && says "job-refused.*$edited\\.0.*RequestCpus" >/dev/null; }
ok 'a job that was edited is put on hold by the VM, and the events say so' wait_for 180 refused
ok 'once' equal "$(events job-refused)" 1
look status
ok 'eyrie status counts it' says 'refused'

# The VM that refused it was started when eve was no submitter.
vm=$(vm_of idle)
known=$(renewals)
sed -i 's/submitters: \[alice\]/submitters: [alice, eve]/' "$pool_dir/eyrie.yaml"
ok 'a submitter who is added is told to the VM that is there' wait_for 60 renewed $((${known:-0} + 1))
flocks() { [ "$(eyrie flock | grep -c applied)" = 1 ]; }
ok 'and to the schedd' wait_for 60 flocks
fourth=$(submit eve juno 2 1 1 flagged)
ok 'her job runs' wait_for 180 job_done "$fourth"
ok 'in that VM' equal "$("$lab" exec schedd condor_history "$fourth" -limit 1 -af LastRemoteHost | sed 's/.*@//; s/\..*//')" "$vm"
ok 'eyried ends when asked' pool_stop
tap_end
