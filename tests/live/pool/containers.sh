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

waves=5 at_once=20

# A wave: as many jobs as VMs may be there at once, each as large as a VM. They end when all of them
# run, which they see by a port that is opened then: so each VM has one.
running() { [ "$(jobs_in_queue 'JobStatus == 2')" = "$at_once" ]; }
wave_is_over() { [ "$(jobs_in_queue)" = 0 ] && vms_are 0; }
wave() {
	"$lab" exec -u alice schedd condor_submit -terse >/dev/null <<END
executable = /bin/bash
transfer_executable = false
arguments = "-c 'until : </dev/tcp/10.77.0.1/7777; do sleep 0.2; done'"
should_transfer_files = yes
when_to_transfer_output = on_exit
request_cpus = 2
request_memory = 128
request_disk = 1024
accounting_group = juno
+VirtualPool = true
queue $at_once
END
	wait_for 300 running || return 1
	"$lab" run python3 -m http.server --bind 10.77.0.1 --directory "$here" 7777 >/dev/null 2>&1 &
	gate=$!
	wait_for 300 wave_is_over || return 1
	kill "$gate"
	wait "$gate" || [ $? = 143 ]
}

trap pool_end EXIT
trap 'exit 130' INT TERM
pool_ready container
pool_configure template=container vms=$at_once cpus=40 juno_max=40 memory=64GiB host_cpus=64 host_memory=64GiB \
	starts=$at_once per_minute=600 idle=5s trust=60s
pool_start
for wave in $(seq "$waves"); do
	begun=$(now_ms)
	ok "wave $wave: $at_once VMs come, work and go" wave
	note "wave $wave took $(seconds_since "$begun") s"
done

all=$((waves * at_once))
jobs=$(job_table)
ok "all $all jobs ended with exit code 0" equal "$(awk '$11 == 0 && $13 == 4' <<<"$jobs" | wc -l)" "$all"
ok 'each was started once' equal "$(awk '$12 == 1' <<<"$jobs" | wc -l)" "$all"
# On busy cores a VM may have been idle for too long before its job was matched; another one comes then.
note "$(events create) VMs were started"
ok "$all VMs joined, or more" [ "$(events joined)" -ge "$all" ]
ok 'each job had a VM of its own' equal "$(awk '{ print $10 }' <<<"$jobs" | sort -u | wc -l)" "$all"
ok 'left: no domain' equal "$(left_domains)" 0
ok 'left: no seed' equal "$(left_seeds)" 0
ok 'left: no slot ad' equal "$(left_slots)" 0
pool_stop
ok 'left: no token' equal "$(left_tokens)" 0
tap_end
