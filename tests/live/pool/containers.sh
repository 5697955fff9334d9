#!/bin/bash
# Many lives of VMs: 100 containers with a real startd each, 20 at a time, each of which is started for
# one real job, runs it, is drained and goes. Nothing is lost, doubled or left behind.
set -eu

here=$(dirname "$0")
# shellcheck source=tests/live/tap.sh
. "$here/../tap.sh"
# shellcheck source=scripts/lib/stage.sh
. "$here/../../../scripts/lib/stage.sh"
# shellcheck source=scripts/lib/pool.sh
. "$EYRIE_SOURCE/scripts/lib/pool.sh"
# shellcheck source=tests/live/waves.sh
. "$here/../waves.sh"

waves=5 at_once=20

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready container
pool_configure template=container vms=$at_once cpus=40 juno_max=40 memory=64GiB host_cpus=64 host_memory=64GiB \
	starts=$at_once per_minute=600 idle=5s trust=60s
pool_start
for wave in $(seq "$waves"); do
	begun=$(now_ms)
	ok "wave $wave: $at_once VMs come, work side by side, and go" wave "$at_once"
	note "wave $wave took $(seconds_since "$begun") s"
done

all=$((waves * at_once))
jobs=$(job_rows)
ok "all $all jobs ended" equal "$(grep -c . <<<"$jobs")" "$all"
none 'each with exit code 0' "$(awk -F'\t' '$3 != 0 || $4 != 4' <<<"$jobs")"
none 'each was started once' "$(awk -F'\t' '$5 != 1' <<<"$jobs")"
none 'and had its VM for itself' "$(shared "$jobs")"
# On busy cores a VM may have been idle for too long before its job was matched; another one comes then.
ok "$all VMs joined, or more" [ "$(events joined)" -ge "$all" ]
note "$(events create) VMs were started; $(events destroy) destroyed; power-offs that failed:"
grep ' poweroff-failed ' "$pool_dir/eyried.log" | cut -c1-250 | notes || true

# libvirt is made to forget what the container's first process is, as it does by itself on busy cores.
forget_init() {
	local pids
	pids=$(host_pids libvirtd)
	# shellcheck disable=SC2086 # a list
	"$lab" run sh -eu -c 'kill -STOP "$@" && sed -i "/<init pid=/d" /run/libvirt/lxc/vpool-*.xml && kill -KILL "$@"' sh $pids
}
running() { [ "$(jobs_in_queue 'JobStatus == 2')" = 1 ]; }
job=$(submit alice juno 2 1 3600 flagged)
ok 'one more VM has a job' wait_for 300 running
ok 'libvirt is made unable to tell it anything' forget_init
libvirt_answers() { virsh_lab list >/dev/null 2>&1; }
ok 'libvirt is there again' wait_for 60 libvirt_answers
destroyed=$(events destroy)
"$lab" exec schedd condor_rm "$job" >/dev/null
ok 'the VM is ended all the same' wait_for 300 wave_is_over
ok 'at once, when it cannot be told' grep -q 'poweroff-failed .* destroyed instead: .*Init process ID is not yet known' "$pool_dir/eyried.log"
ok 'and not for being there too long' equal "$(events destroy)" "$destroyed"

ok 'left: no domain' equal "$(left_domains)" 0
ok 'left: no seed' equal "$(left_seeds)" 0
ok 'left: no slot ad' equal "$(left_slots)" 0
pool_stop
ok 'left: no token' equal "$(left_tokens)" 0
tap_end
