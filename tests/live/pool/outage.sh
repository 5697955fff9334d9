#!/bin/bash
# A minute without the schedd: its cable is cut while one job runs in a VM and another VM is idle, so
# idle that with the queue known it would be drained. What is not known is not zero: nothing is
# drained or destroyed, `eyrie status` says what is stale and since when, and when the cable is
# mended all goes on by itself.
#
# The minute is spent on new tokens for the VMs, and on a search for the VMs' tokens, on all of the lab host: there must be none.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

running() { [ "$(jobs_in_queue 'JobStatus == 2')" = "$1" ]; }
queue_is_empty() { [ "$(jobs_in_queue)" = 0 ]; }
one_job_over() { [ "$(jobs_in_queue)" = 1 ] && one_busy_one_idle; }
one_busy_one_idle() { vms_are 1 busy && vms_are 1 idle; }

# status: what eyrie says, and how it exits.
look() { status=0 && said=$(eyrie status) || status=$?; }
degraded() { look && [ "$status" = 3 ]; }
healthy() { look && [ "$status" = 0 ]; }
says() { grep -E "$1" <<<"$said" >/dev/null; }
a_minute_over() { [ "$(now_ms)" -ge $((cut_at + 60000)) ]; }
removals() { echo "$(events drain) drained, $(events poweroff) powered off, $(events destroy) destroyed"; }

# Where a token might show. Each prints what would be wrong.
xml_with_token() {
	virsh_lab list --uuid | while read -r uuid; do
		virsh_lab dumpxml --security-info "$uuid" | grep -E "$token_pattern" || true
	done
}
described() { virsh_lab dumpxml "$(virsh_lab list --uuid | head -n 1)" | grep -q 'urn:eyrie:vm:1'; }
token_found() {
	# shellcheck disable=SC2016 # the inner shell expands
	"$lab" run sh -c '/run/lab/bin/vcm/condor_token_create -key EYRIE -identity a@b | grep -qE "$1"' \
		sh "$token_pattern"
}

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready debian13
rm -f "$pool_dir/watched"
pool_configure vms=2 idle=50s trust=25s token=3m # the queue is stale before the VM is too idle
"$lab" run "$here/watch" "$pool_dir/watched" &
pool_start
long=$(submit alice juno 2 1 130 flagged)
short=$(submit bob lhaaso 2 1 5 flagged)
ok 'one VM is busy and one has become idle' wait_for 240 one_job_over
ok 'all is well' healthy
before=$(removals)

"$lab" cut schedd
cut_at=$(now_ms)
ok 'eyrie status turns to degraded (exit status 3)' wait_for 90 degraded
ok 'it names the fact that is stale, and since when' says '^! +queue schedd\.lab: stale, .* [0-9]+s old'
note "it says: $(grep '^!' <<<"$said" || true)"

ok 'the VMs take new tokens meanwhile' wait_for 120 renewed 2
ok 'the VMs describe themselves in their metadata' described
ok 'and no description bears a token' equal "$(xml_with_token)" ''
ok 'the search would find a token' token_found
ok 'none is in a log, the ledger, or any other file of eyried, libvirt or QEMU, the VMs'\'' disks neither' equal "$(tokens_all)" ''
ok 'none was in the arguments of any process, from the first create on' not grep -q '^token' "$pool_dir/watched"
ok 'the seeds that brought them are gone' equal "$(left_seeds)" 0

wait_for 120 a_minute_over
look
ok 'after a minute nothing was drained, powered off or destroyed' equal "$(removals)" "$before"
ok 'both VMs are there, the idle one too' one_busy_one_idle
ok 'and eyrie still says so' degraded

"$lab" mend schedd
ok 'with the cable mended all is well again by itself' wait_for 120 healthy
ok 'now the idle VM is drained' wait_for 120 more_events drain 0
ok 'the job goes on as if nothing had been' wait_for 240 queue_is_empty
ok 'it ended well, and was started once' \
	equal "$(job_table | awk -F'\t' -v c="$long" '$1 == c { print $11, $12, $13 }')" '0 1 4'
ok 'so was the other' \
	equal "$(job_table | awk -F'\t' -v c="$short" '$1 == c { print $11, $12, $13 }')" '0 1 4'
ok 'both VMs leave' wait_for 120 vms_are 0
ok 'eyried ends when asked' pool_stop
note "$(pool_lives)"
tap_end
