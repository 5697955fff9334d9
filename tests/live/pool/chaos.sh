#!/bin/bash
# Chaos: jobs flow while at random moments something is killed, stopped or cut off: eyried, eyrie-host, libvirtd,
# startds in VMs, the virtual pool's collector and negotiator, the schedd, the cables of both. When it is
# over every job has ended well, once; one that was started again is one whose startd was killed under it. There were never
# more VMs than the limit allows, and none is left.
#
# usage: chaos.sh [SECONDS [JOBS [SEED]]]     the seed decides what happens in which order
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"

seconds=${1:-600} jobs=${2:-200} seed=${3:-2026}
RANDOM=$seed
limit=5
job_lease=60 # how long HTCondor waits for a startd that does not answer before it runs the job elsewhere
given_up=$pool_dir/given-up # a line for each time that a job's startd was killed under it: cluster.proc

# pids_in PID NAME: the processes of that name in the PID namespace of PID.
pids_in() {
	# shellcheck disable=SC2016 # the inner shell expands
	"$lab" run sh -c 'space=$(readlink "/proc/$1/ns/pid")
		for p in /proc/[0-9]*; do
			read -r name <"$p/comm" && [ "$name" = "$2" ] && [ "$(readlink "$p/ns/pid")" = "$space" ] && echo "${p#/proc/}"
		done; :' sh "$1" "$2" 2>/dev/null
}
machine_pid() { "$lab" run cat "/run/lab/pid/$1"; }
# shellcheck disable=SC2086 # a list
kill_pids() { [ -z "$1" ] || "$lab" run kill -KILL $1 || true; }
# kill_in MACHINE NAME: ends a daemon of a machine; its master starts it again.
kill_in() { kill_pids "$(pids_in "$(machine_pid "$1")" "$2")"; }

# ---- what happens; each says so by its name ----
eyried_dies() {
	pool_kill || true
	sleep $((RANDOM % 6))
	pool_start || note 'eyried did not come up'
}
eyrie_host_dies() { host_kill eyrie-host || true; }
libvirtd_dies() { host_kill libvirtd || true; }
libvirtd_hangs() {
	local pids
	pids=$(host_pids libvirtd)
	# shellcheck disable=SC2086 # a list
	"$lab" run sh -c 'kill -STOP "$@"; sleep 8; kill -CONT "$@"' sh $pids || true
}
collector_dies() { kill_in vcm condor_collector; }
negotiator_dies() { kill_in vcm condor_negotiator; }
schedd_dies() { kill_in schedd condor_schedd; }
schedd_cut() { cut_off schedd; }
vcm_cut() { cut_off vcm; }
cut_off() {
	"$lab" cut "$1"
	sleep $((3 + RANDOM % 10))
	"$lab" mend "$1"
}
# A VM's startd is killed: what runs there is given up, and HTCondor will start it again. A container's
# domain has the number of its controller, whose child is the first process inside.
startd_dies() {
	local vm id init
	vm=$(virsh_lab list --name | grep '^vpool-' | shuf -n 1 --random-source=<(yes "$RANDOM")) &&
		id=$(virsh_lab domid "$vm") && init=$("$lab" run cat "/proc/$id/task/$id/children") || return 0
	"$lab" exec schedd condor_q -allusers -constraint "regexp(\"@$vm\\.\", RemoteHost ?: \"\")" -af ClusterId ProcId |
		sed "s/ /./; s/\$/ $vm/" >>"$given_up" || return 0
	kill_pids "$(pids_in "${init%% *}" condor_startd)"
}
happenings=(eyried_dies eyried_dies eyrie_host_dies libvirtd_dies libvirtd_hangs startd_dies collector_dies negotiator_dies
	schedd_dies schedd_cut vcm_cut)

# A few jobs more, of both groups and sizes; while the schedd cannot be reached none are.
submitted=0
submit_some() {
	local user=alice group=juno n=$((1 + RANDOM % 4)) cluster
	[ $((RANDOM % 2)) = 0 ] || user=bob group=lhaaso
	[ "$n" -le $((jobs - submitted)) ] || n=$((jobs - submitted))
	[ "$n" -gt 0 ] || return 0
	cluster=$(submit "$user" "$group" $((1 + RANDOM % 2)) "$n" $((3 + RANDOM % 15)) flagged 2>/dev/null) || true
	[ -z "$cluster" ] || submitted=$((submitted + n))
}

queue_is_empty() { [ "$("$lab" exec schedd condor_q -allusers -totals 2>/dev/null | grep -c 'all users: 0 jobs')" = 1 ]; }
all_left() { vms_are 0 && [ "$(left_domains)" = 0 ]; }
most_vms() { # by name: one that is being started is two processes for a moment
	awk '/^vms/ { split("", seen); n = 0; for (i = 3; i <= NF; i++) n += !seen[$i]++; if (n > most) most = n }
		END { print most + 0 }' "$pool_dir/watched"
}
# Jobs that were started again though nobody killed a startd under them.
unexplained() {
	job_table | awk -F'\t' '$12 > 1 { print $1 "." $2 }' | while read -r job; do
		grep -q "^$job " "$given_up" || echo "$job"
	done
}
bad_ends() { awk '$2 == "poweroff" && !/drained and empty/' "$pool_dir/eyried.log" | wc -l; }

trap pool_end EXIT
trap 'exit 130' INT TERM
note "seed $seed"
pool_ready container
rm -f "$pool_dir/watched"
: >"$given_up"
pool_configure template=container vms=$limit cpus=$((2 * limit)) juno_max=8 lhaaso_max=8 idle=5s join=60s trust=25s per_minute=120
"$lab" run "$here/watch" "$pool_dir/watched" &
pool_start
end=$(($(now_ms) + seconds * 1000)) happened=0
while [ "$(now_ms)" -lt "$end" ]; do
	submit_some
	sleep $((1 + RANDOM % 4))
	what=${happenings[RANDOM % ${#happenings[@]}]}
	note "$(((seconds * 1000 - end + $(now_ms)) / 1000)) s: ${what//_/ }"
	"$what"
	happened=$((happened + 1))
done
all_submitted() { submit_some && [ "$submitted" = "$jobs" ]; }
wait_for 120 all_submitted
note "$happened things happened; startds killed under $(wc -l <"$given_up") jobs"

ok 'the queue becomes empty' wait_for 900 queue_is_empty
ended=$(job_table)
ok "all that the schedd took, $jobs jobs at least, ended with exit code 0" \
	equal "$(awk -F'\t' '{ all++ } $11 == 0 && $13 == 4 { good++ } END { print (all >= jobs), all - good }' jobs="$jobs" <<<"$ended")" '1 0'
ok 'no job was started again but where its startd was killed' equal "$(unexplained)" ''
ok 'the VMs leave' wait_for 300 all_left
ok "there were never more than the $limit VMs that the limit allows" [ "$(most_vms)" -le "$limit" ]
ok 'none was powered off before it was drained and empty' equal "$(bad_ends)" 0
ok 'left: no seed' equal "$(left_seeds)" 0
ok 'left: no slot ad' equal "$(left_slots)" 0
ok 'eyried ends when asked' pool_stop
ok 'left: no token' equal "$(left_tokens)" 0
tap_end
